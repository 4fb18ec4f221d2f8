"""Counting labels: how many of some articles carry each topic, kind, author, …

A label is counted under its folded form, which the index has as a term, and shown as the newest article that carries
it writes it. Counting goes through whichever arrays are shorter: the labels of each matching article, or the articles
of each label. Nothing is made before it is needed; a field of a hundred thousand authors is counted the first time
through those labels alone that occur.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from searchkit.analysis import fold_label
from searchkit.codec.kernels import ranges
from searchkit.indexing.schema import FACET_FIELDS, written
from searchkit.plan.kernels import Docnums, flags_of
from searchkit.plan.segments import SegmentView, TermLists

_FEW_LABELS = 4096
"""Labels that are numbered through all segments at once; more only when they are counted for the second time."""

_FEW_DOCNUMS = 4
"""Counting goes through the labels of the articles when these are fewer than this part of all."""

_ALIKE = 4
"""Articles with the very same labels are counted together when there are this many of them on average."""

_SEED = 7


class LabelColumn:
    """The labels of one field. Labels of all segments have one ordinal, in the order of their folded bytes."""

    def __init__(
        self,
        segments: Sequence[tuple[SegmentView, int]],
        bases: Docnums,
        field: str,
        is_live: npt.NDArray[np.bool_] | None,
    ) -> None:
        self._segments = segments
        self._bases = bases
        self._field = field
        self._written = written(field) if field in FACET_FIELDS else None
        self._is_live = is_live
        self._times_counted = 0
        self._shown: dict[bytes, str] = {}

    def count(self, docnums: Docnums, limit: int | None = None) -> tuple[list[str], list[int]]:
        """The labels of the articles ``docnums`` and how many have each: commonest first, then by folded label."""
        if len(docnums) == 0:
            return [], []
        self._times_counted += 1
        if self._times_counted == 1 and self._label_count > _FEW_LABELS:
            keys, counts = self._count_found(docnums)
            best = sorted(range(len(keys)), key=lambda at: (-counts[at], keys[at]))[:limit]
            return self._named([keys[at] for at in best]), [counts[at] for at in best]
        totals = self._totals(docnums)
        ordinals = _commonest(totals, limit)
        every = self._keys
        return self._named([every[at] for at in ordinals.tolist()]), totals[ordinals].tolist()

    def distinct(self, docnums: Docnums) -> int:
        """How many different labels the articles ``docnums`` have."""
        return len(self._count_found(docnums)[0])

    @cached_property
    def _lists(self) -> list[TermLists]:
        return [segment.lists(self._field) for segment, _ in self._segments]

    @property
    def _label_count(self) -> int:
        return sum(len(lists.starts) - 1 for lists in self._lists)

    # Every label with an ordinal -------------------------------------------------------------------------

    @cached_property
    def _keys(self) -> list[bytes]:
        """The folded labels of all segments in order, each once."""
        return sorted(set().union(*(segment.all_terms(self._field) for segment, _ in self._segments)))

    @cached_property
    def _ordinals(self) -> list[npt.NDArray[np.int32]]:
        """By segment, the ordinal of each of its labels."""
        ordinal_of = {key: ordinal for ordinal, key in enumerate(self._keys)}
        return [
            np.array([ordinal_of[key] for key in segment.all_terms(self._field)], dtype=np.int32)
            for segment, _ in self._segments
        ]

    @cached_property
    def _by_docnum(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Offsets (one more than docnums) and ordinals: docnum d has ``ordinals[offsets[d]:offsets[d + 1]]``."""
        ordinals = [
            np.repeat(own, np.diff(lists.starts)) for own, lists in zip(self._ordinals, self._lists, strict=True)
        ]
        docs = np.concatenate([lists.docs + np.int32(base) for (_, base), lists in self._with_lists()])
        order = np.argsort(docs, kind="stable")
        counts = np.bincount(docs, minlength=int(self._bases[-1]))
        offsets = np.zeros(len(counts) + 1, dtype=np.int32)
        np.cumsum(counts, out=offsets[1:])
        return offsets, np.concatenate(ordinals)[order]

    @cached_property
    def _sets(self) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int32], npt.NDArray[np.int32]] | None:
        """The different sets of labels: of each docnum the number of its set, then offsets and ordinals by set.

        None where too few articles have the same. Sets are told apart by the sum of a random number for each label,
        and then compared, so that no two are taken for one.
        """
        offsets, ordinals = self._by_docnum
        numbers = np.random.default_rng(_SEED).integers(1 << 63, size=len(self._keys), dtype=np.uint64)
        sums = np.zeros(len(ordinals) + 1, dtype=np.uint64)
        np.cumsum(numbers[ordinals], out=sums[1:])
        _, first, set_of = np.unique(sums[offsets[1:]] - sums[offsets[:-1]], return_index=True, return_inverse=True)
        if len(first) * _ALIKE > len(set_of):
            return None
        lengths = np.diff(offsets).astype(np.int64)
        same = first[set_of]
        if not np.array_equal(lengths, lengths[same]):
            return None
        if not np.array_equal(ordinals, ordinals[ranges(offsets[:-1][same].astype(np.int64), lengths)]):
            return None
        starts = np.zeros(len(first) + 1, dtype=np.int32)
        np.cumsum(lengths[first], out=starts[1:])
        return set_of.astype(np.uint32), starts, ordinals[_places(offsets, first)]

    def _totals(self, docnums: Docnums) -> npt.NDArray[np.int64]:
        """By ordinal, how many of the docnums have the label."""
        if self._times_counted > 1:
            sets = self._sets
            if sets is not None and len(docnums) * _ALIKE > len(sets[1]):
                set_of, starts, ordinals = sets
                counts = np.bincount(set_of[docnums], minlength=len(starts) - 1)
                totals = np.bincount(ordinals, np.repeat(counts, np.diff(starts)), len(self._keys))
                return totals.astype(np.int64)
            if len(docnums) * _FEW_DOCNUMS < self._bases[-1]:
                offsets, ordinals = self._by_docnum
                return np.bincount(ordinals[_places(offsets, docnums)], minlength=len(self._keys))
        totals = np.zeros(len(self._keys), dtype=np.int64)
        for own, counts in zip(self._ordinals, self._counts_by_segment(docnums), strict=True):
            totals[own] += counts
        return totals

    # Counting without ordinals ---------------------------------------------------------------------------

    def _count_found(self, docnums: Docnums) -> tuple[list[bytes], list[int]]:
        """The folded labels that the docnums have, and how many have each."""
        totals: dict[bytes, int] = {}
        for (segment, _), counts in zip(self._segments, self._counts_by_segment(docnums), strict=True):
            found = np.flatnonzero(counts)
            keys = segment.terms(self._field, found)
            if not totals:
                totals = dict(zip(keys, counts[found].tolist(), strict=True))
                continue
            for key, count in zip(keys, counts[found].tolist(), strict=True):
                totals[key] = totals.get(key, 0) + count
        return list(totals), list(totals.values())

    def _counts_by_segment(self, docnums: Docnums) -> list[npt.NDArray[np.int64]]:
        """By segment and label of the segment, how many of the docnums have it."""
        flags = flags_of(docnums, int(self._bases[-1]))
        return [
            _sums(flags[base : base + segment.doc_count][lists.docs], lists.starts)
            for (segment, base), lists in self._with_lists()
        ]

    def _with_lists(self) -> list[tuple[tuple[SegmentView, int], TermLists]]:
        return list(zip(self._segments, self._lists, strict=True))

    # How a label is shown --------------------------------------------------------------------------------

    def _named(self, keys: list[bytes]) -> list[str]:
        if self._written is None:
            return [key.decode() for key in keys]
        shown = self._shown
        if not shown.keys() >= set(keys):
            self._shown = shown = shown | self._spellings([key for key in keys if key not in shown])
        return [shown[key] for key in keys]

    def _spellings(self, keys: list[bytes]) -> dict[bytes, str]:
        """How the newest article with each label, of several at one instant the last by id, writes it."""
        carriers: dict[bytes, list[tuple[int, int, int]]] = {key: [] for key in keys}  # instant, segment, docnum
        for number in range(len(self._segments)):
            for key, instant, docnum in self._newest_in(number, keys):
                carriers[key].append((instant, number, docnum))
        wanted: list[set[tuple[int, bytes]]] = [set() for _ in self._segments]
        for key, found in carriers.items():
            latest = [one for one in found if one[0] == max(found)[0]]
            if len(latest) > 1:
                latest.sort(key=lambda one: self._segments[one[1]][0].ids((one[2],)))
            for _, number, docnum in latest[-1:]:
                wanted[number].add((docnum, key))
        shown = {key: key.decode() for key in keys}
        for (segment, _), pairs in zip(self._segments, wanted, strict=True):
            if pairs:
                shown.update(self._written_in(segment, pairs))
        return shown

    def _newest_in(self, number: int, keys: list[bytes]) -> Iterator[tuple[bytes, int, int]]:
        """Of the labels that a segment has: label, instant and docnum of the newest article with it."""
        segment, base = self._segments[number]
        lists = self._lists[number]
        found = [(key, ordinal) for key in keys if (ordinal := segment.ordinal(self._field, key)) is not None]
        for key, ordinal in found:
            docnums = lists.docs[lists.starts[ordinal] : lists.starts[ordinal + 1]]
            if self._is_live is not None:
                docnums = docnums[self._is_live[docnums + base]]
            if len(docnums):
                docnum = _newest(segment, docnums)
                yield key, int(segment.published[docnum]), docnum

    def _written_in(self, segment: SegmentView, wanted: set[tuple[int, bytes]]) -> dict[bytes, str]:
        """Of docnums of a segment and folded labels that they have: how they write them."""
        assert self._written is not None
        lists = segment.lists(self._written)
        docnums = np.array(sorted({docnum for docnum, _ in wanted}), dtype=np.int64)
        places = np.flatnonzero(flags_of(docnums, segment.doc_count)[lists.docs])
        spellings = segment.terms(self._written, lists.starts.searchsorted(places, side="right") - 1)
        shown: dict[bytes, str] = {}
        for docnum, spelling in zip(lists.docs[places].tolist(), spellings, strict=True):
            text = spelling.decode()
            key = fold_label(text).encode()
            if (docnum, key) in wanted:
                shown.setdefault(key, text)  # an article with two spellings: the first by its bytes
        return shown


def _newest(segment: SegmentView, docnums: npt.NDArray[np.int32]) -> int:
    """The docnum published last; of several at one instant the last by id."""
    if segment.is_ordered:
        return int(docnums[-1])
    published = segment.published[docnums]
    latest = docnums[published == published.max()].tolist()
    return int(max(zip(segment.ids(latest), latest, strict=True))[1])


def _commonest(totals: npt.NDArray[np.int64], limit: int | None) -> npt.NDArray[np.int64]:
    """The ordinals with a count, highest first, then ascending; at most ``limit``."""
    found = np.flatnonzero(totals)
    if limit is not None and len(found) > limit:  # of a hundred thousand authors only the commonest are sorted
        found = found[totals[found] >= np.partition(totals[found], -limit)[-limit]]
    return found[np.argsort(-totals[found], kind="stable")][:limit]


def _places(offsets: npt.NDArray[np.int32], docnums: Docnums) -> npt.NDArray[np.int64]:
    """The places of all labels of the articles, one article after the other."""
    starts = offsets[docnums]
    lengths = offsets[docnums + 1] - starts
    ends = np.cumsum(lengths)
    places = np.repeat(starts - (ends - lengths), lengths)
    places += np.arange(ends[-1])
    return places


def _sums(flags: npt.NDArray[np.bool_], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many flags of each list are set."""
    sums = np.zeros(len(starts) - 1, dtype=np.int64)
    filled = np.flatnonzero(starts[1:] > starts[:-1])
    if len(filled):
        sums[filled] = np.add.reduceat(flags, starts[filled], dtype=np.int64)
    return sums
