"""Several segments into one, as array operations.

The merged articles lie in the order of publication, then id, as in every segment we write; what was deleted is left
out. A segment that another writer left, or whose files hold more than our schema, is written anew from its stored
articles instead.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from searchkit.codec import ArraySegment
from searchkit.codec.columns import write_number_column
from searchkit.codec.container import ContainerWriter
from searchkit.codec.lengths import decode_lengths
from searchkit.codec.segment import (
    DOCUMENTS_EXTENSION,
    STORED,
    TERMS_EXTENSION,
    DocumentFile,
    TermFile,
    write_lengths,
)
from searchkit.codec.stored import StoredMerger
from searchkit.codec.whoosh_codec import file_writer, open_documents, open_terms
from searchkit.dates import UNDATED
from searchkit.indexing.builder import ORDER, ORDERED_BY
from searchkit.indexing.field_apart import FieldApart
from searchkit.indexing.forks import may_fork
from searchkit.indexing.merged_fields import TermUnion, merge_field, united
from searchkit.indexing.schema import INDEX_NAME
from searchkit.indexing.storage import IndexStorage

WORTH_A_FORK = 20_000
"""Articles from which on a merge takes a second process."""


@dataclass(frozen=True, slots=True)
class _Source:
    """A segment to be merged: its files, and the new docnum of each of its docnums, -1 for the deleted."""

    terms: TermFile
    documents: DocumentFile
    new_docnums: npt.NDArray[np.int32]


def merge_segments(storage: Any, segments: Sequence[ArraySegment], processes: int = 1) -> ArraySegment:
    """Write one segment with the live articles of ``segments`` and return it for the table of contents.

    Of several ``processes`` that may work at it, two do where there is much to do.
    """
    sources, ids = _opened(storage, segments)
    doc_count = int(sum((source.new_docnums >= 0).sum() for source in sources))
    merged = ArraySegment(INDEX_NAME)
    merged.set_doc_count(doc_count)
    with file_writer(storage, merged, DOCUMENTS_EXTENSION) as writer:
        codes = _merge_documents(writer, sources, doc_count)
    has_help = processes > 1 and doc_count >= WORTH_A_FORK and isinstance(storage, IndexStorage) and may_fork()
    _merge_terms(storage, merged, sources, codes, ids, has_help=has_help)
    return merged


def _merge_terms(
    storage: Any,
    merged: ArraySegment,
    sources: Sequence[_Source],
    codes: Mapping[str, npt.NDArray[np.uint8]],
    ids: TermUnion,
    *,
    has_help: bool,
) -> None:
    """Write all indexed fields, with help the largest of them in a fork meanwhile."""
    files = [(source.terms, source.new_docnums) for source in sources]
    left = sorted({name for source in sources for name in source.terms.field_names()})

    def merge(name: str, writer: ContainerWriter) -> None:
        merge_field(writer, name, files, codes.get(name), ids if name == "id" else None)

    with ExitStack() as stack:
        apart = None
        if has_help:
            largest = max(left, key=lambda name: _occurrence_count(sources, name))
            with suppress(OSError):  # no room for another process or file
                apart = stack.enter_context(FieldApart(storage.folder, largest, partial(merge, largest)))
                left.remove(largest)
        writer = stack.enter_context(file_writer(storage, merged, TERMS_EXTENSION))
        for name in left:
            merge(name, writer)
        if apart is not None and not apart.copy_into(writer):
            merge(apart.name, writer)


def _occurrence_count(sources: Sequence[_Source], name: str) -> int:
    fields = [source.terms.field(name) for source in sources]
    return sum(field.lists.occurrence_count for field in fields if field is not None)


def _opened(storage: Any, segments: Sequence[ArraySegment]) -> tuple[list[_Source], TermUnion]:
    """The segments to be merged, and the union of their ids."""
    files = [(open_terms(storage, segment), open_documents(storage, segment)) for segment in segments]
    published = np.concatenate([_published(documents) for _, documents in files])
    ids = united([field.terms for terms, _ in files if (field := terms.field("id")) is not None])
    order = np.lexsort((_id_ranks([terms for terms, _ in files], segments, ids), published))
    is_live = np.concatenate([segment.live() for segment in segments])
    order = order[is_live[order]]
    new_docnums = np.full(len(published), -1, dtype=np.int32)
    new_docnums[order] = np.arange(len(order), dtype=np.int32)
    bounds = np.cumsum([segment.doc_count_all() for segment in segments])[:-1]
    sources = [
        _Source(terms, documents, mapped)
        for (terms, documents), mapped in zip(files, np.split(new_docnums, bounds), strict=True)
    ]
    return sources, ids


def _id_ranks(files: Sequence[TermFile], segments: Sequence[ArraySegment], union: TermUnion) -> npt.NDArray[np.int64]:
    """Where the id of each article stands among all ids, for the articles of all segments one after another."""
    fields = [terms.field("id") for terms in files]
    ranks = iter(union.ranks)
    found = []
    for field, segment in zip(fields, segments, strict=True):
        of_segment = np.zeros(segment.doc_count_all(), dtype=np.int64)
        if field is not None:
            of_segment[field.lists.docs_of_lists(0, len(field.terms))] = next(ranks)
        found.append(of_segment)
    return np.concatenate(found)


def _published(documents: DocumentFile) -> npt.NDArray[np.int64]:
    if "published" not in documents.columns:
        return np.full(documents.doc_count, UNDATED, dtype=np.int64)
    return documents.columns.numbers("published").astype(np.int64, copy=False)


def _merge_documents(
    writer: ContainerWriter, sources: Sequence[_Source], doc_count: int
) -> dict[str, npt.NDArray[np.uint8]]:
    """Write stored fields, lengths and columns; the length codes of each field by new docnum."""
    stored = StoredMerger(writer, STORED, doc_count)
    for source in sources:
        stored.add_all(source.documents.stored, source.new_docnums)
    stored.close()
    codes_of = {}
    for name in sorted({name for source in sources for name in source.documents.length_fields()}):
        codes = np.zeros(doc_count, dtype=np.uint8)
        for source in sources:
            if source.documents.has_lengths(name):
                _place(codes, source.new_docnums, source.documents.length_codes(name))
        if not codes.any():
            continue
        has_dropped = any((source.new_docnums < 0).any() for source in sources)
        exact = sum(source.documents.total_length(name) for source in sources)
        write_lengths(writer, name, codes, int(decode_lengths(codes).sum()) if has_dropped else exact)
        codes_of[name] = codes
    published = np.full(doc_count, UNDATED, dtype=np.int64)
    for source in sources:
        _place(published, source.new_docnums, _published(source.documents))
    if (published != UNDATED).any():
        write_number_column(writer, "published", published)
    writer.meta["documents"] = doc_count
    writer.meta[ORDER] = ORDERED_BY
    return codes_of


def _place(target: npt.NDArray[Any], new_docnums: npt.NDArray[np.int32], values: npt.NDArray[Any]) -> None:
    is_live = new_docnums >= 0
    target[new_docnums[is_live]] = values[is_live]
