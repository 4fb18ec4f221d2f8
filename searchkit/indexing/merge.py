"""Several segments into one, as array operations.

The merged articles lie in the order of publication, then id, as in every segment we write; what was deleted is left
out. A segment that another writer left, or whose files hold more than our schema, is written anew from its stored
articles instead.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from searchkit.codec import ArraySegment
from searchkit.codec.columns import write_number_column
from searchkit.codec.container import ContainerWriter
from searchkit.codec.lengths import decode_lengths
from searchkit.codec.segment import (
    DOCUMENTS_EXTENSION,
    ORDER,
    ORDERED_BY,
    STORED,
    TERMS_EXTENSION,
    DocumentFile,
    TermFile,
    write_lengths,
)
from searchkit.codec.stored import StoredMerger
from searchkit.codec.whoosh_codec import file_writer, open_documents, open_terms
from searchkit.dates import UNDATED
from searchkit.indexing.field_apart import FieldApart
from searchkit.indexing.forks import may_fork
from searchkit.indexing.merged_fields import merge_field, term_runs
from searchkit.indexing.schema import INDEX_NAME
from searchkit.indexing.storage import IndexStorage

WORTH_A_FORK = 20_000
"""Articles from which on a merge takes a second process."""

_ORDERED_AT_ONCE = 1 << 15
"""Articles of the largest segment that are put in order with those of the others at a time."""


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
    sources = _opened(storage, segments)
    doc_count = int(sum((source.new_docnums >= 0).sum() for source in sources))
    merged = ArraySegment(INDEX_NAME)
    merged.set_doc_count(doc_count)
    with file_writer(storage, merged, DOCUMENTS_EXTENSION) as writer:
        codes = _merge_documents(writer, sources, doc_count)
    has_help = processes > 1 and doc_count >= WORTH_A_FORK and isinstance(storage, IndexStorage) and may_fork()
    _merge_terms(storage, merged, sources, codes, has_help=has_help)
    return merged


def _merge_terms(
    storage: Any,
    merged: ArraySegment,
    sources: Sequence[_Source],
    codes: Mapping[str, npt.NDArray[np.uint8]],
    *,
    has_help: bool,
) -> None:
    """Write all indexed fields, with help the largest of them in a fork meanwhile."""
    files = [(source.terms, source.new_docnums) for source in sources]
    left = sorted({name for source in sources for name in source.terms.field_names()})

    def merge(name: str, writer: ContainerWriter) -> None:
        merge_field(writer, name, files, codes.get(name))

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


def _opened(storage: Any, segments: Sequence[ArraySegment]) -> list[_Source]:
    """The segments to be merged."""
    files = [(open_terms(storage, segment), open_documents(storage, segment)) for segment in segments]
    id_ranks = _id_ranks([terms for terms, _ in files], segments)
    live = [segment.live() for segment in segments]
    found = new_docnums([_published(documents) for _, documents in files], id_ranks, live)
    return [_Source(terms, documents, mapped) for (terms, documents), mapped in zip(files, found, strict=True)]


def new_docnums(
    published: Sequence[npt.NDArray[np.int64]],
    id_ranks: Sequence[npt.NDArray[np.int32]],
    live: Sequence[npt.NDArray[np.bool_]],
) -> list[npt.NDArray[np.int32]]:
    """By segment, the new docnum of each docnum, -1 for those not ``live``: in the order of publication, then id.

    Where articles lie in the order of publication already they are put in order some at a time.
    """
    mapped = [np.full(len(of_segment), -1, dtype=np.int32) for of_segment in published]
    times = max(published, key=len)[_ORDERED_AT_ONCE::_ORDERED_AT_ONCE]
    if any((of_segment[1:] < of_segment[:-1]).any() for of_segment in published):
        times = times[:0]
    bounds = [[0, *of_segment.searchsorted(np.unique(times)).tolist(), len(of_segment)] for of_segment in published]
    count = 0
    for cut in zip(*map(pairwise, bounds), strict=True):
        slices = [slice(*of_segment) for of_segment in cut]
        ranks = np.concatenate([of_segment[part] for of_segment, part in zip(id_ranks, slices, strict=True)])
        instants = np.concatenate([of_segment[part] for of_segment, part in zip(published, slices, strict=True)])
        is_live = np.concatenate([of_segment[part] for of_segment, part in zip(live, slices, strict=True)])
        order = np.lexsort((ranks, instants))
        order = order[is_live[order]]
        numbers = np.full(len(ranks), -1, dtype=np.int32)
        numbers[order] = np.arange(count, count + len(order), dtype=np.int32)
        count += len(order)
        sizes = [last - first for first, last in cut]
        for of_segment, part, some in zip(mapped, slices, np.split(numbers, np.cumsum(sizes)[:-1]), strict=True):
            of_segment[part] = some
    return mapped


def _id_ranks(files: Sequence[TermFile], segments: Sequence[ArraySegment]) -> list[npt.NDArray[np.int32]]:
    """By segment, where the id of each article stands among all ids."""
    ranks = [np.zeros(segment.doc_count_all(), dtype=np.int32) for segment in segments]
    having = [
        (field, of_segment) for terms, of_segment in zip(files, ranks, strict=True) if (field := terms.field("id"))
    ]
    count = 0
    for run in term_runs([field for field, _ in having]):
        for (field, of_segment), ordinals, places in zip(having, run.ordinals, run.ranks, strict=True):
            of_segment[field.lists.docs_of_lists(*ordinals)] = places + count
        count += len(run.lengths)
    return ranks


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
