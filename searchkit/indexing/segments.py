"""The kinds of segments that an archive may consist of, and how each is made from the table of contents and checked.

`KINDS` is the whole list: what a table of contents names beside it is refused. Making a segment vets every
attribute, because they become file names and array lengths. `validate` is what opening can afford: the files are
all there and complete. `verify` reads everything.

The files of stock segments hold pickles, which Whoosh loads when it opens them: a folder with such segments must be
trusted, as long as their kind is in the list.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from whoosh.codec.base import Segment
from whoosh.codec.whoosh3 import W3Codec, W3Segment
from whoosh.fields import Schema
from whoosh.reading import SegmentReader

from searchkit.codec import ArraySegment
from searchkit.codec.container import check_ends
from searchkit.codec.segment import DOCUMENTS_EXTENSION, TERMS_EXTENSION
from searchkit.codec.whoosh_codec import open_documents, open_terms
from searchkit.errors import IndexCorrupt
from searchkit.indexing.storage import IndexStorage
from searchkit.indexing.toc import Record, Table, corrupt
from searchkit.page.model import Problem

MAX_DOCUMENTS = 2**31

_SEGMENT_ID = re.compile(r"[0-9a-z]{16}")


@dataclass(frozen=True, slots=True)
class SegmentKind:
    """What to do with segments of one class.

    ``restore`` makes a segment of its pickled state and raises ValueError or IndexCorrupt for one it cannot have,
    such as deleted documents that there are not.
    ``validate`` raises IndexCorrupt, or FileNotFoundError, when the segment's files are not all there, complete and
    of this segment. ``verify`` gives every problem that reading all of them finds.
    """

    restore: Callable[[Any], Segment]
    validate: Callable[[IndexStorage, Schema, Segment], None]
    verify: Callable[[IndexStorage, Schema, Segment], Iterator[Problem]]


def restore_segments(table: Table, name: str, index_name: str) -> list[Segment]:
    """The segments that the table of contents in the file ``name`` lists. Raises IndexCorrupt."""
    segments = []
    for record in table.segments:
        try:
            segments.append(_restored(record, index_name))
        except (ValueError, TypeError, LookupError, IndexCorrupt) as exc:
            raise corrupt(name, str(exc)) from exc
    if len({segment.segment_id() for segment in segments}) < len(segments):
        raise corrupt(name, "it lists a segment twice")
    return segments


def validate_segment(storage: IndexStorage, schema: Schema, segment: Segment) -> None:
    """Raises IndexCorrupt, or FileNotFoundError, when a file of the segment is missing or incomplete."""
    _kind_of(segment).validate(storage, schema, segment)


def verify_segment(storage: IndexStorage, schema: Schema, segment: Segment) -> Iterator[Problem]:
    """Every problem that reading all files of a segment finds."""
    return _kind_of(segment).verify(storage, schema, segment)


def _restored(record: Record, index_name: str) -> Segment:
    if record.kind not in KINDS:
        raise ValueError(f"{'.'.join(record.kind):.100} is no kind of segment that an archive has")
    segment = KINDS[record.kind].restore(record.state)
    documents, deleted = segment.doc_count_all(), segment.deleted_count()
    if segment.index_name() != index_name:
        raise ValueError("a segment belongs to another index")
    if not _SEGMENT_ID.fullmatch(segment.segid):
        raise ValueError(f"{segment.segid!r:.60} is no segment id")
    if not 0 <= documents < MAX_DOCUMENTS:
        raise ValueError(f"a segment of {documents} documents")
    if not 0 <= deleted <= documents:
        raise ValueError(f"{deleted} deletions in a segment of {documents} documents")
    return segment


def _kind_of(segment: Segment) -> SegmentKind:
    return KINDS[type(segment).__module__, type(segment).__name__]


def _restore_stock(state: Any) -> W3Segment:
    segment = W3Segment(
        _stock_codec(_typed(dict, state)["_codec"]),
        _typed(str, state["indexname"]),
        doccount=_typed(int, state["_doccount"]),
        segid=_typed(str, state["segid"]),
        deleted=None if state["_deleted"] is None else _typed(set, state["_deleted"]),
    )
    segment.compound = _typed(bool, state["compound"])
    documents, deleted = segment.doc_count_all(), state["_deleted"]
    if deleted and (min(deleted) < 0 or max(deleted) >= documents):
        raise ValueError(f"deleted documents beyond the {documents} of a segment")
    lengths = _typed(dict, state.get("_fieldlengths", {}))
    segment._fieldlengths = defaultdict(int, {name: _typed(int, length) for name, length in lengths.items()})
    return segment


def _stock_codec(record: Any) -> W3Codec:
    state = _typed(Record, record).state
    if record.kind != ("whoosh.codec.whoosh3", "W3Codec"):
        raise ValueError(f"{'.'.join(record.kind):.100} is no codec of a stock segment")
    names = {"_blocklimit": "blocklimit", "_compression": "compression", "_inlinelimit": "inlinelimit"}
    return W3Codec(**{names[name]: _typed(int, value) for name, value in _typed(dict, state).items()})


def _typed(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{type(value).__name__} stands where {kind.__name__} is expected in a segment")
    return value


def _validate_stock(storage: IndexStorage, schema: Schema, segment: Segment) -> None:
    with _stock_reader(storage, schema, segment):
        pass


def _verify_stock(storage: IndexStorage, schema: Schema, segment: Segment) -> Iterator[Problem]:
    """Stock segments have no checksums: reading them through finds what damage there is to find."""
    try:
        with _stock_reader(storage, schema, segment) as reader:
            for docnum in range(reader.doc_count_all()):
                reader.stored_fields(docnum)
            for field, term in reader.all_terms():
                if (field, term) in reader:  # a term of deleted documents only has no postings
                    all(reader.postings(field, term).all_ids())
    except (IndexCorrupt, FileNotFoundError) as exc:
        yield Problem(_stock_name(segment), str(exc))


@contextmanager
def _stock_reader(storage: IndexStorage, schema: Schema, segment: Segment) -> Iterator[SegmentReader]:
    try:
        with SegmentReader(storage, schema, segment) as reader:
            yield reader
    except OSError:
        raise
    except Exception as exc:  # the stock reader has no error of its own for damage
        raise corrupt(_stock_name(segment), f"{type(exc).__name__}: {exc}") from exc


def _stock_name(segment: Segment) -> str:
    extension = segment.COMPOUND_EXT if segment.is_compound() else segment.codec().TERMS_EXT
    name: str = segment.make_filename(extension)
    return name


def _restore_array(state: Any) -> ArraySegment:
    segment = ArraySegment.__new__(ArraySegment)
    segment.__setstate__(state)
    return segment


def _validate_array(storage: IndexStorage, _schema: Schema, segment: Segment) -> None:
    for extension, kind in ((TERMS_EXTENSION, "terms"), (DOCUMENTS_EXTENSION, "documents")):
        name = segment.make_filename(extension)
        with storage.open_file(name) as file:
            check_ends(file, name, kind=kind)


def _verify_array(storage: IndexStorage, _schema: Schema, segment: Segment) -> Iterator[Problem]:
    for opened, extension in ((open_terms, TERMS_EXTENSION), (open_documents, DOCUMENTS_EXTENSION)):
        try:
            file = opened(storage, segment)
            file.container.verify()
            file.close()
        except (IndexCorrupt, FileNotFoundError) as exc:
            yield Problem(segment.make_filename(extension), str(exc))


KINDS = {
    ("searchkit.codec.whoosh_codec", "ArraySegment"): SegmentKind(_restore_array, _validate_array, _verify_array),
    ("whoosh.codec.whoosh3", "W3Segment"): SegmentKind(_restore_stock, _validate_stock, _verify_stock),
}
"""The kinds of segments by module and name of their class."""
