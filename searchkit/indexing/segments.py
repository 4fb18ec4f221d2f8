"""The segments of an archive: made from what the table of contents says, and checked.

Segments of our codec and of Whoosh's stock codec are the only kinds there are; the table may name no other class.
Making one vets every attribute, because they become file names and array lengths. Validating is what opening can
afford: the files are all there and complete. Verifying reads everything.
"""

from collections.abc import Iterator
from typing import Any

from searchkit.codec import ArraySegment
from searchkit.codec.container import check_ends
from searchkit.codec.segment import DOCUMENTS_EXTENSION, TERMS_EXTENSION
from searchkit.codec.whoosh_codec import open_documents, open_terms
from searchkit.errors import IndexCorrupt
from searchkit.indexing.pickles import Record
from searchkit.indexing.stock import StockSegment, stock_segment
from searchkit.indexing.storage import IndexStorage
from searchkit.indexing.toc import Table, corrupt
from searchkit.page.model import Problem

_OURS = (ArraySegment.__module__, ArraySegment.__name__)
_STOCK = ("whoosh.codec.whoosh3", "W3Segment")


def restore_segments(table: Table, name: str, index_name: str) -> list[ArraySegment | StockSegment]:
    """The segments that the table of contents in the file ``name`` lists. Raises IndexCorrupt."""
    segments: list[ArraySegment | StockSegment] = []
    for record in table.segments:
        try:
            is_stock = record.kind == _STOCK
            segments.append(stock_segment(record.state, index_name) if is_stock else _restored(record, index_name))
        except (ValueError, TypeError, AttributeError, LookupError, IndexCorrupt) as exc:
            raise corrupt(name, str(exc)) from exc
    names = {one.segment_id if isinstance(one, StockSegment) else one.segment_id() for one in segments}
    if len(names) < len(segments):
        raise corrupt(name, "it lists a segment twice")
    return segments


def _restored(record: Record, index_name: str) -> ArraySegment:
    if record.kind != _OURS:
        raise ValueError(f"{'.'.join(record.kind):.100} is no kind of segment that an archive has")
    segment = ArraySegment.__new__(ArraySegment)
    segment.__setstate__(record.state)
    if segment.index_name() != index_name:
        raise ValueError("a segment belongs to another index")
    return segment


def validate_segment(storage: IndexStorage, segment: ArraySegment) -> None:
    """Raises IndexCorrupt, or FileNotFoundError, when a file of the segment is missing or incomplete."""
    for extension, kind in ((TERMS_EXTENSION, "terms"), (DOCUMENTS_EXTENSION, "documents")):
        name = segment.make_filename(extension)
        with storage.open_file(name) as file:
            check_ends(file, name, kind=kind)


def verify_segment(storage: IndexStorage, segment: ArraySegment) -> Iterator[Problem]:
    """Every problem that reading all files of a segment finds."""
    opened: Any
    for opened, extension in ((open_terms, TERMS_EXTENSION), (open_documents, DOCUMENTS_EXTENSION)):
        try:
            file = opened(storage, segment)
            file.container.verify()
            file.close()
        except (IndexCorrupt, FileNotFoundError) as exc:
            yield Problem(segment.make_filename(extension), str(exc))
