"""Several segments into one, as array operations; and which segments to merge when.

The merged articles lie in the order of publication, then id, as in every segment we write; what was deleted is left
out. A segment that another writer left, or whose files hold more than our schema, is written anew from its stored
articles instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from searchkit.codec import ArraySegment
from searchkit.codec.columns import write_number_column
from searchkit.codec.container import ContainerWriter
from searchkit.codec.kernels import ranges, starts_of
from searchkit.codec.lengths import decode_lengths
from searchkit.codec.postings import PostingData
from searchkit.codec.segment import (
    DOCUMENTS_EXTENSION,
    STORED,
    TERMS_EXTENSION,
    DocumentFile,
    FieldTerms,
    TermFile,
    write_field,
    write_lengths,
)
from searchkit.codec.stored import StoredWriter
from searchkit.codec.whoosh_codec import file_writer, open_documents, open_terms
from searchkit.dates import UNDATED
from searchkit.indexing.schema import INDEX_NAME

_SMALL = 20_000
"""Articles of a segment that counts as small: those are merged often, for little each time."""

_RATIO = 4
_MOST_LARGE = 6


def segments_to_merge(sizes: Sequence[int]) -> list[int]:
    """Indexes of the segments to merge into one, given the live articles of each; empty when all may stay.

    Small segments are kept in geometric proportion, each at least `_RATIO` times as large as all smaller ones together,
    as in a log-structured merge tree (O'Neil et al., 1996): an article is rewritten a logarithmic number of times, and
    a thousand single additions leave a handful of segments. Large ones are merged when there are too many to visit.
    """
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    small = [index for index in order if sizes[index] < _SMALL]
    merged = 0
    smaller = 0
    for place, index in enumerate(small):
        if place and sizes[index] < _RATIO * smaller:
            merged = place + 1
        smaller += sizes[index]
    chosen = small[:merged]
    large = order[len(small) :]
    if len(large) > _MOST_LARGE:
        chosen += large[: len(large) - _MOST_LARGE // 2]
    return chosen if len(chosen) > 1 else []


@dataclass(frozen=True, slots=True)
class _Source:
    """A segment to be merged: its files, and the new docnum of each of its docnums, -1 for the deleted."""

    terms: TermFile
    documents: DocumentFile
    new_docnums: npt.NDArray[np.int32]


def merge_segments(storage: Any, segments: Sequence[ArraySegment]) -> ArraySegment:
    """Write one segment with the live articles of ``segments`` and return it for the table of contents."""
    sources = _opened(storage, segments)
    doc_count = int(sum((source.new_docnums >= 0).sum() for source in sources))
    merged = ArraySegment(INDEX_NAME)
    merged.set_doc_count(doc_count)
    with file_writer(storage, merged, DOCUMENTS_EXTENSION) as writer:
        codes = _merge_documents(writer, sources, doc_count)
    with file_writer(storage, merged, TERMS_EXTENSION) as writer:
        for name in sorted({name for source in sources for name in source.terms.field_names()}):
            _merge_field(writer, name, sources, codes.get(name))
    return merged


def _opened(storage: Any, segments: Sequence[ArraySegment]) -> list[_Source]:
    files = [(open_terms(storage, segment), open_documents(storage, segment)) for segment in segments]
    published = np.concatenate([_published(documents) for _, documents in files])
    ids = [article_id for terms, documents in files for article_id in _ids(terms, documents)]
    is_live = np.concatenate([segment.live() for segment in segments])
    id_rank = np.empty(len(ids), dtype=np.int64)
    id_rank[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))
    order = np.lexsort((id_rank, published))
    order = order[is_live[order]]
    new_docnums = np.full(len(ids), -1, dtype=np.int32)
    new_docnums[order] = np.arange(len(order), dtype=np.int32)
    bounds = np.cumsum([segment.doc_count_all() for segment in segments])[:-1]
    return [
        _Source(terms, documents, mapped)
        for (terms, documents), mapped in zip(files, np.split(new_docnums, bounds), strict=True)
    ]


def _published(documents: DocumentFile) -> npt.NDArray[np.int64]:
    if "published" not in documents.columns:
        return np.full(documents.doc_count, UNDATED, dtype=np.int64)
    return documents.columns.numbers("published").astype(np.int64, copy=False)


def _ids(terms: TermFile, documents: DocumentFile) -> list[bytes]:
    ids = [b""] * documents.doc_count
    field = terms.field("id")
    if field is not None:
        for docnum, term in zip(
            field.lists.docs_of_lists(0, len(field.terms)).tolist(), field.terms.terms(0, len(field.terms)), strict=True
        ):
            ids[docnum] = term
    return ids


def _merge_documents(
    writer: ContainerWriter, sources: Sequence[_Source], doc_count: int
) -> dict[str, npt.NDArray[np.uint8]]:
    """Write stored fields, lengths and columns; the length codes of each field by new docnum."""
    lines: list[bytes] = [b""] * doc_count
    for source in sources:
        for new_docnum, line in zip(source.new_docnums.tolist(), source.documents.stored.lines(), strict=True):
            if new_docnum >= 0:
                lines[new_docnum] = line
    stored = StoredWriter(writer, STORED)
    for line in lines:
        stored.add(line)
    stored.close()
    codes_of = {}
    for name in sorted({name for source in sources for name in source.documents.length_fields()}):
        codes = np.zeros(doc_count, dtype=np.uint8)
        for source in sources:
            if source.documents.has_lengths(name):
                _place(codes, source.new_docnums, source.documents.length_codes(name))
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
    return codes_of


def _place(target: npt.NDArray[Any], new_docnums: npt.NDArray[np.int32], values: npt.NDArray[Any]) -> None:
    is_live = new_docnums >= 0
    target[new_docnums[is_live]] = values[is_live]


def _merge_field(
    writer: ContainerWriter, name: str, sources: Sequence[_Source], codes: npt.NDArray[np.uint8] | None
) -> None:
    parts = [(field, source.new_docnums) for source in sources if (field := source.terms.field(name)) is not None]
    term_lists = [field.terms.terms(0, len(field.terms)) for field, _ in parts]
    terms = sorted(set().union(*term_lists))
    number_of = {term: number for number, term in enumerate(terms)}
    keys, occurrences, weights, gaps = [], [], [], []
    kind = parts[0][0].kind
    has_positions = parts[0][0].lists.has("position")
    for (field, new_docnums), term_list in zip(parts, term_lists, strict=True):
        numbers = np.fromiter(map(number_of.__getitem__, term_list), dtype=np.int64, count=len(term_list))
        part_keys, is_live = _posting_keys(field, new_docnums, numbers)
        keys.append(part_keys)
        occurrences.append(field.lists.occurrences_of(0, field.lists.posting_count)[is_live])
        weights.append(field.lists.weights_of(0, field.lists.posting_count)[is_live])
        if has_positions:
            gaps.append(_live_positions(field, is_live))
    key = np.concatenate(keys)
    if len(key) == 0:
        return
    order = np.argsort(key, kind="stable")
    key = key[order]
    docs = (key & 0xFFFFFFFF).astype(np.int32)
    counts = np.bincount(key >> 32, minlength=len(terms))
    all_occurrences = np.concatenate(occurrences)
    data = PostingData(
        counts=counts[counts > 0],
        docs=docs,
        occurrences=all_occurrences[order],
        weights=np.concatenate(weights)[order],
        lengths=codes[docs] if codes is not None else None,
        positions=_in_order(np.concatenate(gaps), all_occurrences, order) if has_positions else None,
    )
    kept = terms if counts.all() else [term for term, count in zip(terms, counts.tolist(), strict=True) if count]
    write_field(writer, name, kept, data, kind=kind)


def _posting_keys(
    field: FieldTerms, new_docnums: npt.NDArray[np.int32], numbers: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Term number << 32 | new docnum of each live posting, and which of the field's postings are live."""
    count = len(field.terms)
    docnums = new_docnums[field.lists.docs_of_lists(0, count)]
    keys = np.repeat(numbers << 32, field.lists.counts(0, count))
    is_live = docnums >= 0
    keys |= docnums
    return keys[is_live], is_live


def _live_positions(field: FieldTerms, is_live: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    positions = field.lists.positions_of_lists(0, len(field.terms))
    if is_live.all():
        return positions
    return positions[np.repeat(is_live, field.lists.occurrences_of(0, field.lists.posting_count))]


def _in_order(
    positions: npt.NDArray[np.int64], occurrences: npt.NDArray[np.int64], order: npt.NDArray[np.intp]
) -> npt.NDArray[np.int64]:
    """The positions of each posting, the postings in ``order``."""
    return positions[ranges(starts_of(occurrences)[:-1][order], occurrences[order])]
