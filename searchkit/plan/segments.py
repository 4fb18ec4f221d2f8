"""Segments as the plan reads them: postings, places, lengths and columns as arrays, docnums counted from 0.

They are read straight from their files, whoever wrote them. Only what another writer left may not be in the order of
publication, until its next merge.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from whoosh.reading import SegmentReader

from searchkit.codec import ArraySegment
from searchkit.codec.kernels import stable_order, starts_of
from searchkit.codec.postings import PostingLists
from searchkit.codec.segment import DocumentFile, FieldTerms, TermFile
from searchkit.dates import UNDATED
from searchkit.plan.kernels import Docnums, Occurrences, distinct, docnums_flagged, first_occurrences
from searchkit.plan.label_sets import LabelLists, LabelSets

_KNOWN_IDS = 4096
_LOOPED = 512
"""Labels of a segment that are read one by one, which takes little memory; more are read at once."""

_RARELY = 8
"""Where a label has no more docnums than these on average, as authors have, few docnums share all their labels."""

_TURNED_AT_ONCE = 1 << 16
"""Docnums whose few labels are sorted at once; those of more are put in their places label by label, in less memory."""

_READ_AT_ONCE = 1 << 16
"""Postings of the words with a prefix that are read at once: so many take little memory and fit into caches."""

_FOUND_KEPT = 256
_NO_DOCNUMS: Docnums = np.empty(0, dtype=np.int32)
_NO_OCCURRENCES: Occurrences = np.empty(0, dtype=np.int64)
_POSTINGS_COUNTED = 200_000
_TERMS_COUNTED = 32
"""What `SegmentView.commonest_terms` reads at most: about 2 ms."""


class TermLists(NamedTuple):
    """All posting lists of a field, without weights: list i is ``docs[starts[i]:starts[i + 1]]``.

    ``docs`` are docnums, ``starts`` int64 with one entry more than lists.
    """

    docs: Docnums
    starts: npt.NDArray[np.int64]


class Dictionary(NamedTuple):
    """The terms of a field in the order of their bytes: these one after another, their sizes and doc frequencies."""

    data: npt.NDArray[np.uint8]
    sizes: npt.NDArray[np.int64]
    frequencies: npt.NDArray[np.int64]


class SegmentView:
    """One segment. Docnums are those of the segment, deleted ones included unless said otherwise."""

    def __init__(self, segment: ArraySegment, terms: TermFile, documents: DocumentFile) -> None:
        self.doc_count = segment.doc_count_all()
        self._segment = segment
        self._terms = terms
        self._documents = documents
        self._known_ids: dict[int, bytes] = {}
        self._found: dict[tuple[str, bytes], tuple[FieldTerms, int] | tuple[None, int]] = {}
        self._labels: dict[str, LabelLists] = {}
        self._label_sets: dict[str, LabelSets | None] = {}

    def with_deletions(self, segment: ArraySegment) -> "SegmentView":
        """The view of the same segment at another commit, which may have deleted more; the rest they have in common."""
        view = copy.copy(self)
        view.__dict__.pop("live", None)
        view._segment = segment
        return view

    @property
    def segment_id(self) -> str:
        """What no other segment is called."""
        return str(self._segment.segment_id())

    @property
    def has_deletions(self) -> bool:
        """Whether any docnum is deleted."""
        return self._segment.deleted_count() > 0

    @cached_property
    def live(self) -> npt.NDArray[np.bool_]:
        """One flag a docnum: False for the deleted."""
        return self._segment.live()

    @cached_property
    def published(self) -> npt.NDArray[np.int64]:
        """The instant at which each docnum was published, or UNDATED."""
        if "published" not in self._documents.columns:
            return np.full(self.doc_count, UNDATED, dtype=np.int64)
        return self._documents.columns.numbers("published").astype(np.int64, copy=False)

    @cached_property
    def is_ordered_by_date(self) -> bool:
        """Whether docnums are in order of publication, the undated first."""
        return bool((self.published[1:] >= self.published[:-1]).all())

    @cached_property
    def is_ordered(self) -> bool:
        """Whether docnums are in order of publication, then of the bytes of the article id, the undated first.

        What our writer says of the ids is taken for granted, as reading those of all articles takes milliseconds.
        """
        if not self.is_ordered_by_date:
            return False
        return self._documents.is_in_order or _is_ordered(self.published, self._id_ordinals)

    def doc_frequency(self, field: str, term: bytes) -> int:
        """How many docnums have the term."""
        found, ordinal = self._find(field, term)
        return 0 if found is None else found.lists.doc_frequency(ordinal)

    def docnums(self, field: str, term: bytes) -> Docnums:
        """The docnums that have the term."""
        found, ordinal = self._find(field, term)
        return _NO_DOCNUMS if found is None else found.lists.docs(ordinal)

    def weights(self, field: str, term: bytes, places: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.float32]:
        """The weighted frequency of the term in each of its `docnums`, or in those at these ascending places."""
        found, ordinal = self._find(field, term)
        return np.empty(0, dtype=np.float32) if found is None else found.lists.weights(ordinal, places)

    def occurrences(self, field: str, term: bytes, among: Docnums) -> Occurrences:
        """The places of the term in the docnums ``among``, as keys of docnum and position."""
        found, ordinal = self._find(field, term)
        if found is None:
            return _NO_OCCURRENCES
        docnums = found.lists.docs(ordinal)
        which = docnums.searchsorted(among)
        is_there = docnums.take(which, mode="clip") == among
        starts, positions = found.lists.positions(ordinal, which[is_there])
        return _ascending(np.repeat(first_occurrences(among[is_there]), np.diff(starts)) | positions)

    def all_occurrences(self, field: str, term: bytes) -> Occurrences:
        """Every place of the term, as keys of docnum and position."""
        found, ordinal = self._find(field, term)
        if found is None:
            return _NO_OCCURRENCES
        docnums = found.lists.docs(ordinal)
        starts, positions = found.lists.positions(ordinal)
        places = np.repeat(first_occurrences(docnums), starts[1:] - starts[:-1])
        places |= positions
        return _ascending(places)

    def docnums_of_term(self, field: str, ordinal: int) -> Docnums:
        """The docnums that have the term at this place in the order of the terms."""
        found = self._terms.field(field)
        return _NO_DOCNUMS if found is None else found.lists.docs(ordinal)

    def docnums_of_terms(self, field: str, ordinals: npt.NDArray[np.int64]) -> Docnums:
        """The docnums that have any of the terms at these places in their order."""
        found = self._terms.field(field)
        if found is None or not len(ordinals):
            return _NO_DOCNUMS
        return docnums_flagged(found.lists.documents_of(ordinals.tolist()))

    def docnums_with_prefix(self, field: str, prefix: bytes) -> Docnums:
        """The docnums that have a term beginning with ``prefix``."""
        found = self._terms.field(field)
        if found is None:
            return _NO_DOCNUMS
        first, last = found.terms.prefix_range(prefix)
        if first == last:
            return _NO_DOCNUMS
        is_there = np.zeros(self.doc_count, dtype=bool)
        for low, high in pairwise(_cuts(found.lists, first, last)):
            is_there[found.lists.docs_of_lists(low, high)] = True
        return docnums_flagged(is_there)

    def dictionary(self, field: str) -> Dictionary:
        """All terms of a field."""
        found = self._terms.field(field)
        if found is None:
            return Dictionary(np.empty(0, np.uint8), np.empty(0, np.int64), np.empty(0, np.int64))
        data, sizes = found.terms.joined()
        return Dictionary(data, sizes.astype(np.int64), found.lists.counts(0, len(sizes)).astype(np.int64))

    def terms_between(self, field: str, bounds: Sequence[bytes]) -> list[tuple[int, list[bytes]]]:
        """For each pair of ``bounds`` the terms from one up to the next, exclusive, behind the place of the first."""
        found = self._terms.field(field)
        return [] if found is None else found.terms.between(bounds)

    def with_prefix(self, field: str, prefix: bytes) -> range:
        """The places of the terms of a field that begin with ``prefix``, in their order."""
        found = self._terms.field(field)
        return range(0) if found is None else range(*found.terms.prefix_range(prefix))

    def frequencies(self, field: str, places: range) -> npt.NDArray[np.int64]:
        """How many docnums have each of the terms at these places."""
        found = self._terms.field(field)
        return np.empty(0, np.int64) if found is None else found.lists.counts(places.start, places.stop)

    def doc_frequency_at(self, field: str, ordinal: int) -> int:
        """How many docnums have the term at this place in the order of the terms."""
        found = self._terms.field(field)
        return 0 if found is None else found.lists.doc_frequency(ordinal)

    def count_labels(self, field: str, docnums: Docnums) -> npt.NDArray[np.int64]:
        """By the place of each label in their order, how many of the docnums have it."""
        sets = self._label_sets.get(field)
        if sets is not None:
            return sets.totals(docnums)
        return self.labels_by_docnum(field).totals(docnums, self.term_count(field))

    def label_sets(self, field: str) -> LabelSets | None:
        """The different sets of labels, kept from then on in the place of the labels of each docnum.

        None where few docnums share one.
        """
        if field not in self._label_sets:
            sets = None
            if self._posting_count(field) > self.term_count(field) * _RARELY:
                sets = LabelSets.of(self.labels_by_docnum(field), self.term_count(field))
            self._label_sets[field] = sets
            if sets is not None:
                self._labels.pop(field, None)
        return self._label_sets[field]

    def labels_by_docnum(self, field: str) -> LabelLists:
        """Of each docnum the places of its labels in their order; kept for a field of few labels."""
        known = self._labels.get(field)
        if known is None:
            at_once = self.doc_count <= _TURNED_AT_ONCE or not self.has_few_labels(field)
            known = self._turned_round(field) if at_once else self._turned_label_by_label(field)
            if self.has_few_labels(field):
                self._labels[field] = known
        return known

    def has_few_labels(self, field: str) -> bool:
        """Whether a field has so few terms that reading them one by one takes no longer than all at once."""
        return self.term_count(field) <= _LOOPED

    def _turned_round(self, field: str) -> LabelLists:
        lists = self.lists(field)
        labels = np.arange(len(lists.starts) - 1).astype(np.min_scalar_type(len(lists.starts)))
        labels = np.repeat(labels, np.diff(lists.starts))[stable_order(lists.docs, self.doc_count)]
        offsets = starts_of(np.bincount(lists.docs, minlength=self.doc_count))
        return LabelLists(offsets.astype(np.int32), labels)

    def _turned_label_by_label(self, field: str) -> LabelLists:
        carriers = [self.docnums_of_term(field, label) for label in range(self.term_count(field))]
        counts = np.zeros(self.doc_count, dtype=np.int32)
        for docs in carriers:
            counts[docs] += 1
        starts = starts_of(counts)
        offsets = starts.astype(np.int32)
        labels = np.empty(starts[-1], dtype=np.min_scalar_type(len(carriers)))
        for label, docs in enumerate(carriers):
            places = starts[docs]
            labels[places] = label
            starts[docs] = places + 1
        return LabelLists(offsets, labels)

    def has_labels_by_docnum(self, field: str) -> bool:
        """Whether they, or the different sets of them, have been made already."""
        return field in self._labels or self._label_sets.get(field) is not None

    def newest_with_labels(self, field: str) -> npt.NDArray[np.int64]:
        """By the place of each label the last live docnum that has it, -1 for none."""
        sets = self._label_sets.get(field)
        if sets is not None:
            return sets.last_with_labels(docnums_flagged(self.live))
        offsets, labels = self.labels_by_docnum(field)
        docnums = np.repeat(np.arange(self.doc_count, dtype=np.int32), np.diff(offsets))
        if self.has_deletions:
            is_live = self.live[docnums]
            docnums, labels = docnums[is_live], labels[is_live]
        newest = np.full(self.term_count(field), -1, dtype=np.int64)
        newest[labels] = docnums  # of several for one label the last stays
        return newest

    def _posting_count(self, field: str) -> int:
        found = self._terms.field(field)
        return 0 if found is None else found.lists.posting_count

    def term_count(self, field: str) -> int:
        """How many terms a field has."""
        found = self._terms.field(field)
        return 0 if found is None else len(found.terms)

    def all_frequencies(self, field: str) -> list[tuple[bytes, int]]:
        """The terms of a field in their order, with their doc frequencies."""
        found = self._terms.field(field)
        if found is None:
            return []
        count = len(found.terms)
        return list(zip(found.terms.terms(0, count), found.lists.counts(0, count).tolist(), strict=True))

    def commonest_terms(
        self, field: str, prefix: bytes, most: int, among: npt.NDArray[np.bool_] | None = None
    ) -> list[tuple[bytes, int]]:
        """The ``most`` commonest terms that begin with ``prefix``, with their doc frequencies, the highest first.

        With ``among``, one flag a docnum, only docnums of set flags count, and terms without any are left out; of a
        prefix with very many postings then only the terms commonest otherwise are looked at.
        """
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

    def lists(self, field: str) -> TermLists:
        """The docnums of all terms of a field, in the order of the terms' bytes."""
        found = self._terms.field(field)
        if found is None:
            return TermLists(_NO_DOCNUMS, np.zeros(1, dtype=np.int64))
        return TermLists(found.lists.docs_of_lists(0, len(found.lists)), found.lists.starts())

    def terms(self, field: str, ordinals: npt.NDArray[np.integer]) -> list[bytes]:
        """The terms at these places in their order."""
        found = self._terms.field(field)
        if found is None or not len(ordinals):
            return []
        return found.terms.at(ordinals)

    def terms_at(self, field: str, places: range) -> list[bytes]:
        """The terms at these places in their order, which follow one another."""
        found = self._terms.field(field)
        return [] if found is None else found.terms.terms(places.start, places.stop)

    def term_hashes(self, field: str, places: range | None = None) -> npt.NDArray[np.uint64]:
        """A number for each term, or for those at these places, the same for the same term in every segment."""
        found = self._terms.field(field)
        if found is None:
            return np.empty(0, dtype=np.uint64)
        return found.terms.hashes() if places is None else found.terms.hashes(places.start, places.stop)

    def beyond_ascii(self, field: str, places: range) -> npt.NDArray[np.bool_]:
        """Whether each of the terms at these places has a letter beyond ASCII."""
        found = self._terms.field(field)
        return np.empty(0, np.bool_) if found is None else found.terms.beyond_ascii(places.start, places.stop)

    def all_terms(self, field: str) -> list[bytes]:
        """The terms of a field in their order."""
        found = self._terms.field(field)
        return [] if found is None else found.terms.terms(0, len(found.terms))

    def ordinals(self, field: str, terms: list[bytes]) -> list[int | None]:
        """The place of each term in the order of the terms' bytes, or None for an unknown one."""
        found = self._terms.field(field)
        return [None] * len(terms) if found is None else found.terms.find_all(terms)

    def ids(self, docnums: Iterable[int]) -> list[bytes]:
        """The article ids of these docnums."""
        return [self._known_ids.get(docnum) or self._read_id(docnum) for docnum in docnums]

    def stored(self, docnum: int) -> dict[str, Any]:
        """The stored fields of a docnum."""
        fields: dict[str, Any] = self._documents.stored.fields(docnum)
        return fields

    def stored_line(self, docnum: int) -> bytes:
        """The stored fields of a docnum as the bytes they were written as."""
        return self._documents.stored.line(docnum)

    def length_codes(self, field: str) -> npt.NDArray[np.uint8]:
        """The length of the field in each docnum, in the one-byte code of `codec.lengths`."""
        if not self._documents.has_lengths(field):
            return np.zeros(self.doc_count, dtype=np.uint8)
        return self._documents.length_codes(field)

    def total_length(self, field: str) -> int:
        """The sum of the lengths of all docnums."""
        return self._documents.total_length(field)

    @cached_property
    def _id_ordinals(self) -> npt.NDArray[np.int32]:
        """By docnum the place of its article id among those of the segment."""
        return _inverted(self.lists("id"), self.doc_count)

    def _read_id(self, docnum: int) -> bytes:
        """The newest articles of a day stand in order of their ids, so that the ids of few are asked for often."""
        found = self._terms.field("id")
        if len(self._known_ids) >= _KNOWN_IDS:
            self._known_ids = {}
        known = self._known_ids[docnum] = b"" if found is None else found.terms.term(self._id_ordinals.item(docnum))
        return known

    def _find(self, field: str, term: bytes) -> tuple[FieldTerms, int] | tuple[None, int]:
        """The field and the place of a term in it. One search asks for it several times: docnums, weights, places."""
        known = self._found.get((field, term))
        if known is None:
            found = self._terms.field(field)
            ordinal = found.terms.find(term) if found else None
            known = (None, 0) if found is None or ordinal is None else (found, ordinal)
            if len(self._found) >= _FOUND_KEPT:
                self._found = {}
            self._found[field, term] = known
        return known


def _cuts(lists: PostingLists, first: int, last: int) -> list[int]:
    """Where to cut the lists first to last for each part to have about `_READ_AT_ONCE` postings; both ends as well."""
    begin, end = lists.bounds_of_lists(first, last)
    if end - begin <= _READ_AT_ONCE:
        return [first, last]
    ends = np.cumsum(lists.counts(first, last))
    cuts = ends.searchsorted(np.arange(_READ_AT_ONCE, end - begin, _READ_AT_ONCE)) + first
    return [first, *dict.fromkeys(cuts.tolist()), last]


def _ascending(places: Occurrences) -> Occurrences:
    """The places in order, each once; two words of a text may have one stem at one position."""
    return places if (places[1:] > places[:-1]).all() else distinct(places)


def _highest(counts: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.intp]:
    """Where the ``most`` highest counts stand, the highest first, of equal ones the first; those of 0 left out."""
    chosen = np.flatnonzero(counts)
    if len(chosen) > most:
        chosen = chosen[counts[chosen] >= np.partition(counts[chosen], -most)[-most]]
    order: npt.NDArray[np.intp] = chosen[np.argsort(-counts[chosen], kind="stable")][:most]
    return order


def view_of(reader: SegmentReader, known: Mapping[str, SegmentView]) -> SegmentView:
    """The view of a segment that a reader has open, like the one that is ``known`` by its id, if any."""
    found = known.get(reader.segment().segment_id())
    if found is not None:
        return found.with_deletions(reader.segment())
    files = reader._terms.file, reader._perdoc.documents  # opened once, as opening takes time
    return SegmentView(reader.segment(), *files)


def _inverted(lists: TermLists, doc_count: int) -> npt.NDArray[np.int32]:
    """By docnum the last list that has it; 0 for those in none."""
    ordinals = np.zeros(doc_count, dtype=np.int32)
    ordinals[lists.docs] = np.repeat(np.arange(len(lists.starts) - 1, dtype=np.int32), np.diff(lists.starts))
    return ordinals


def _is_ordered(published: npt.NDArray[np.int64], id_ordinals: npt.NDArray[np.int32]) -> bool:
    later = published[1:] > published[:-1]
    same = published[1:] == published[:-1]
    return bool((later | (same & (id_ordinals[1:] >= id_ordinals[:-1]))).all())
