"""Segments as the plan reads them: postings, places, lengths and columns as arrays, docnums counted from 0.

`ArrayView` reads our own segments straight from their files. `WhooshView` reads any other segment through Whoosh's
readers, slowly: one that a foreign writer left, until its next merge, and the stock ones of the tests.
"""

from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from whoosh.reading import SegmentReader

from searchkit.codec import ArraySegment
from searchkit.codec.lengths import decode_lengths
from searchkit.codec.segment import DocumentFile, TermFile
from searchkit.dates import UNDATED
from searchkit.plan.kernels import POSITION_BITS, Docnums, Occurrences, Scores

_NO_DOCNUMS: Docnums = np.empty(0, dtype=np.int64)

_POSTINGS_COUNTED = 200_000
_TERMS_COUNTED = 32
"""What `SegmentView.commonest_terms` reads at most: about 2 ms."""


class Dictionary(NamedTuple):
    """The terms of a field in the order of their bytes: these one after another, their sizes and doc frequencies."""

    data: npt.NDArray[np.uint8]
    sizes: npt.NDArray[np.int64]
    frequencies: npt.NDArray[np.int64]


class SegmentView(Protocol):
    """One segment. Docnums are those of the segment, deleted ones included unless said otherwise."""

    doc_count: int

    @property
    def live(self) -> npt.NDArray[np.bool_]:
        """One flag a docnum: False for the deleted."""
        ...

    def doc_frequency(self, field: str, term: bytes) -> int:
        """How many docnums have the term."""
        ...

    def postings(self, field: str, term: bytes) -> tuple[Docnums, Scores]:
        """The docnums that have the term, and its weighted frequency in each."""
        ...

    def occurrences(self, field: str, term: bytes, among: Docnums) -> Occurrences:
        """The places of the term in the docnums ``among``, as keys of docnum and position."""
        ...

    def docnums_with_prefix(self, field: str, prefix: bytes) -> Docnums:
        """The docnums that have a term beginning with ``prefix``."""
        ...

    def labels(self, field: str) -> tuple[list[bytes], Docnums, npt.NDArray[np.int32]]:
        """All terms of a field; and of its postings, ordered by docnum, the docnum and the ordinal of the term."""
        ...

    def lengths(self, field: str) -> npt.NDArray[np.int32]:
        """The length of the field in each docnum, rounded as Whoosh rounds it."""
        ...

    def total_length(self, field: str) -> int:
        """The sum of the lengths of all docnums."""
        ...

    def published(self) -> npt.NDArray[np.int64]:
        """The instant at which each docnum was published, or UNDATED."""
        ...

    def dictionary(self, field: str) -> Dictionary:
        """All terms of a field."""
        ...

    def terms_between(self, field: str, first: bytes, end: bytes | None) -> tuple[list[bytes], npt.NDArray[np.int64]]:
        """The terms from ``first`` up to ``end``, exclusive, in the order of their bytes; and their doc frequencies."""
        ...

    def commonest_terms(
        self, field: str, prefix: bytes, most: int, among: npt.NDArray[np.bool_] | None = None
    ) -> list[tuple[bytes, int]]:
        """The ``most`` commonest terms that begin with ``prefix``, with their doc frequencies, the highest first.

        With ``among``, one flag a docnum, only docnums of set flags count, and terms without any are left out; of a
        prefix with very many postings then only the terms commonest otherwise are looked at.
        """
        ...


class ArrayView:
    """A segment of ours."""

    def __init__(self, segment: ArraySegment, terms: TermFile, documents: DocumentFile) -> None:
        self.doc_count = segment.doc_count_all()
        self._segment = segment
        self._terms = terms
        self._documents = documents

    @cached_property
    def live(self) -> npt.NDArray[np.bool_]:
        """See `SegmentView`."""
        return self._segment.live()

    def doc_frequency(self, field: str, term: bytes) -> int:
        """See `SegmentView`."""
        found = self._terms.field(field)
        ordinal = found.terms.find(term) if found else None
        return 0 if found is None or ordinal is None else found.lists.doc_frequency(ordinal)

    def postings(self, field: str, term: bytes) -> tuple[Docnums, Scores]:
        """See `SegmentView`."""
        found = self._terms.field(field)
        ordinal = found.terms.find(term) if found else None
        if found is None or ordinal is None:
            return _NO_DOCNUMS, np.empty(0)
        return found.lists.docs(ordinal).astype(np.int64), found.lists.weights(ordinal).astype(np.float64)

    def occurrences(self, field: str, term: bytes, among: Docnums) -> Occurrences:
        """See `SegmentView`."""
        found = self._terms.field(field)
        ordinal = found.terms.find(term) if found else None
        if found is None or ordinal is None:
            return _NO_DOCNUMS
        docnums = found.lists.docs(ordinal).astype(np.int64)
        which = np.flatnonzero(np.isin(docnums, among, assume_unique=True))
        starts, positions = found.lists.positions(ordinal, which)
        return np.unique(np.repeat(docnums[which], np.diff(starts)) << POSITION_BITS | positions)

    def docnums_with_prefix(self, field: str, prefix: bytes) -> Docnums:
        """See `SegmentView`."""
        found = self._terms.field(field)
        if found is None:
            return _NO_DOCNUMS
        first, last = found.terms.prefix_range(prefix)
        if first == last:
            return _NO_DOCNUMS
        is_there = np.zeros(self.doc_count, dtype=bool)
        is_there[found.lists.docs_of_lists(first, last)] = True
        return np.flatnonzero(is_there)

    def labels(self, field: str) -> tuple[list[bytes], Docnums, npt.NDArray[np.int32]]:
        """See `SegmentView`."""
        found = self._terms.field(field)
        if found is None:
            return [], _NO_DOCNUMS, np.empty(0, dtype=np.int32)
        count = len(found.terms)
        docnums = found.lists.docs_of_lists(0, count)
        ordinals = np.repeat(np.arange(count, dtype=np.int32), found.lists.counts(0, count))
        order = np.argsort(docnums, kind="stable")
        return found.terms.terms(0, count), docnums[order].astype(np.int64), ordinals[order]

    def lengths(self, field: str) -> npt.NDArray[np.int32]:
        """See `SegmentView`."""
        if not self._documents.has_lengths(field):
            return np.zeros(self.doc_count, dtype=np.int32)
        return decode_lengths(self._documents.length_codes(field))

    def total_length(self, field: str) -> int:
        """See `SegmentView`."""
        return self._documents.total_length(field)

    def published(self) -> npt.NDArray[np.int64]:
        """See `SegmentView`."""
        if "published" not in self._documents.columns:
            return np.full(self.doc_count, UNDATED, dtype=np.int64)
        return self._documents.columns.numbers("published").astype(np.int64, copy=False)

    def dictionary(self, field: str) -> Dictionary:
        """See `SegmentView`."""
        found = self._terms.field(field)
        if found is None:
            return Dictionary(np.empty(0, np.uint8), _NO_DOCNUMS, _NO_DOCNUMS)
        data, sizes = found.terms.joined()
        return Dictionary(data, sizes.astype(np.int64), found.lists.counts(0, len(sizes)).astype(np.int64))

    def terms_between(self, field: str, first: bytes, end: bytes | None) -> tuple[list[bytes], npt.NDArray[np.int64]]:
        """See `SegmentView`."""
        found = self._terms.field(field)
        if found is None:
            return [], _NO_DOCNUMS
        low = found.terms.lower_bound(first)
        high = len(found.terms) if end is None else found.terms.lower_bound(end)
        if low >= high:
            return [], _NO_DOCNUMS
        return found.terms.terms(low, high), found.lists.counts(low, high).astype(np.int64)

    def commonest_terms(
        self, field: str, prefix: bytes, most: int, among: npt.NDArray[np.bool_] | None = None
    ) -> list[tuple[bytes, int]]:
        """See `SegmentView`."""
        found = self._terms.field(field)
        first, last = found.terms.prefix_range(prefix) if found else (0, 0)
        if found is None or first >= last:
            return []
        counts = found.lists.counts(first, last).astype(np.int64)
        if among is None:
            chosen = _highest(counts, most)
        elif counts.sum() <= _POSTINGS_COUNTED:
            is_among = among[found.lists.docs_of_lists(first, last)]
            counts = np.add.reduceat(is_among, np.cumsum(counts) - counts, dtype=np.int64)
            chosen = _highest(counts, most)
        else:
            looked_at = _highest(counts, _TERMS_COUNTED)
            counts = np.zeros_like(counts)
            for ordinal in looked_at.tolist():
                counts[ordinal] = np.count_nonzero(among[found.lists.docs(first + ordinal)])
            chosen = _highest(counts, most)
        return [(found.terms.term(first + ordinal), int(counts[ordinal])) for ordinal in chosen.tolist()]


class WhooshView:
    """Any segment, through Whoosh's reader."""

    def __init__(self, reader: SegmentReader) -> None:
        self.doc_count = int(reader.doc_count_all())
        self._reader = reader

    @cached_property
    def live(self) -> npt.NDArray[np.bool_]:
        """See `SegmentView`."""
        flags = np.zeros(self.doc_count, dtype=bool)
        flags[list(self._reader.all_doc_ids())] = True
        return flags

    def doc_frequency(self, field: str, term: bytes) -> int:
        """See `SegmentView`."""
        return int(self._reader.doc_frequency(field, term))

    def postings(self, field: str, term: bytes) -> tuple[Docnums, Scores]:
        """See `SegmentView`; deleted docnums are left out."""
        docnums: list[int] = []
        weights: list[float] = []
        if (field, term) in self._reader:
            matcher = self._reader.postings(field, term)
            while matcher.is_active():
                docnums.append(matcher.id())
                weights.append(matcher.weight())
                matcher.next()
        return np.array(docnums, dtype=np.int64), np.array(weights, dtype=np.float64)

    def occurrences(self, field: str, term: bytes, among: Docnums) -> Occurrences:
        """See `SegmentView`."""
        wanted = set(among.tolist())
        places: set[int] = set()
        if (field, term) in self._reader:
            matcher = self._reader.postings(field, term)
            while matcher.is_active():
                if matcher.id() in wanted:
                    places.update(matcher.id() << POSITION_BITS | at for at in matcher.value_as("positions"))
                matcher.next()
        return np.array(sorted(places), dtype=np.int64)

    def docnums_with_prefix(self, field: str, prefix: bytes) -> Docnums:
        """See `SegmentView`."""
        found = [self.postings(field, term)[0] for term in self._reader.expand_prefix(field, prefix)]
        return np.unique(np.concatenate(found)) if found else _NO_DOCNUMS

    def labels(self, field: str) -> tuple[list[bytes], Docnums, npt.NDArray[np.int32]]:
        """See `SegmentView`."""
        terms = list(self._reader.lexicon(field))
        pairs = sorted(
            (docnum, ordinal) for ordinal, term in enumerate(terms) for docnum in self.postings(field, term)[0].tolist()
        )
        docnums = np.array([docnum for docnum, _ in pairs], dtype=np.int64)
        return terms, docnums, np.array([ordinal for _, ordinal in pairs], dtype=np.int32)

    def lengths(self, field: str) -> npt.NDArray[np.int32]:
        """See `SegmentView`."""
        found = (self._reader.doc_field_length(docnum, field) for docnum in range(self.doc_count))
        return np.fromiter(found, dtype=np.int32, count=self.doc_count)

    def total_length(self, field: str) -> int:
        """See `SegmentView`."""
        return int(self._reader.field_length(field))

    def published(self) -> npt.NDArray[np.int64]:
        """See `SegmentView`."""
        if not self._reader.has_column("published"):
            return np.full(self.doc_count, UNDATED, dtype=np.int64)
        column = self._reader.column_reader("published", translate=False)
        return np.fromiter(column, dtype=np.int64, count=self.doc_count)

    def dictionary(self, field: str) -> Dictionary:
        """See `SegmentView`."""
        terms = list(self._reader.lexicon(field))
        sizes = np.fromiter(map(len, terms), np.int64, len(terms))
        frequencies = (self.doc_frequency(field, term) for term in terms)
        return Dictionary(
            np.frombuffer(b"".join(terms), np.uint8), sizes, np.fromiter(frequencies, np.int64, len(terms))
        )

    def terms_between(self, field: str, first: bytes, end: bytes | None) -> tuple[list[bytes], npt.NDArray[np.int64]]:
        """See `SegmentView`."""
        terms = [term for term in self._reader.lexicon(field) if first <= term and (end is None or term < end)]
        frequencies = [self.doc_frequency(field, term) for term in terms]
        return terms, np.array(frequencies, dtype=np.int64)

    def commonest_terms(
        self, field: str, prefix: bytes, most: int, among: npt.NDArray[np.bool_] | None = None
    ) -> list[tuple[bytes, int]]:
        """See `SegmentView`."""
        terms = list(self._reader.expand_prefix(field, prefix))
        if among is None:
            frequencies = [self.doc_frequency(field, term) for term in terms]
        else:
            frequencies = [int(np.count_nonzero(among[self.postings(field, term)[0]])) for term in terms]
        counts = np.array(frequencies, dtype=np.int64)
        return [(terms[ordinal], int(counts[ordinal])) for ordinal in _highest(counts, most).tolist()]


def _highest(counts: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.intp]:
    """Where the ``most`` highest counts stand, the highest first, of equal ones the first; those of 0 left out."""
    chosen = np.flatnonzero(counts)
    if len(chosen) > most:
        chosen = chosen[counts[chosen] >= np.partition(counts[chosen], -most)[-most]]
    order: npt.NDArray[np.intp] = chosen[np.argsort(-counts[chosen], kind="stable")][:most]
    return order


def view_of(reader: SegmentReader) -> SegmentView:
    """The fastest view of a segment that a reader has open; it lives as long as the reader."""
    segment = reader.segment()
    if isinstance(segment, ArraySegment):
        return ArrayView(segment, reader._terms.file, reader._perdoc.documents)  # opened once, as opening takes time
    return WhooshView(reader)
