"""Counting labels: how many of some articles carry each topic, kind, author, …

A label is counted under its folded form, which the index has as a term, and shown as the newest article that carries
it writes it. Counting goes through whichever arrays are shorter: the labels of each matching article, or the articles
of each label. Nothing is made before it is needed.

Labels of all segments are counted under one ordinal. Few of them have ordinals in the order of their bytes; of a
hundred thousand authors that would take spelling each out, so these are told apart by their hashes, and only the ones
that are shown are spelled out. The first few counts of few articles go through the labels alone that occur.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from searchkit.analysis import fold_label
from searchkit.dates import UNDATED
from searchkit.plan.kernels import Docnums, docnums_flagged, flags_of
from searchkit.plan.label_sets import LabelLists, LabelSets
from searchkit.plan.segments import SegmentView, TermLists

_ATTRIBUTES = {"topic": "topics", "author": "authors", "kind": "kind"}
"""What the labels of a field are called in a stored article."""

_FEW_LABELS = 4096
_OFTEN = 16
"""More labels than these few are numbered only when they have been counted so often, or for a great part of all."""

_GREAT_PART = 10
"""Of this part of all articles on, numbering all labels takes less time than spelling out those that occur."""

_FEW_DOCNUMS = 4
"""Counting goes through the labels of the articles when these are fewer than this part of all."""


class LabelColumn:
    """The labels of one field."""

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
        self._is_folded = field not in _ATTRIBUTES
        self._is_live = is_live
        self._times_counted = 0
        self._shown: dict[bytes, str] = {}
        self._names: dict[int, str] = {}

    def count(self, docnums: Docnums, limit: int | None = None) -> tuple[list[str], list[int]]:
        """The labels of the articles ``docnums`` and how many have each: commonest first, then by folded label."""
        if len(docnums) == 0:
            return [], []
        self._times_counted += 1
        if not self._is_worth_numbering(len(docnums)):
            found, places = self._count_found(docnums)
            labels, totals = list(found), np.array(list(found.values()), dtype=np.int64)
            best = _commonest(totals, limit, labels)
            return self._named([labels[at] for at in best], None, places), totals[best].tolist()
        totals = self._totals(docnums)
        keys = self._keys
        if keys is None:
            by_ordinal = self._keys_of_commonest(totals, limit)
            ordinals = sorted(by_ordinal, key=lambda at: (-totals.item(at), by_ordinal[at]))[:limit]
            names = self._named([by_ordinal[at] for at in ordinals], np.array(ordinals, dtype=np.int64))
            return names, totals[ordinals].tolist()
        ordinals = _commonest(totals, limit)
        names = [self._names.get(at, "") for at in ordinals]
        if "" in names:
            names = self._named([keys[at] for at in ordinals], np.array(ordinals, dtype=np.int64))
            self._names = self._names | dict(zip(ordinals, names, strict=True))
        return names, totals[ordinals].tolist()

    def shown(self, labels: list[str]) -> list[str]:
        """How folded labels are shown."""
        return self._named([label.encode() for label in labels], None)

    def distinct(self, docnums: Docnums) -> int:
        """How many different labels the articles ``docnums`` have."""
        if self._is_worth_numbering(len(docnums)):
            return int(np.count_nonzero(self._totals(docnums)))
        return len(self._count_found(docnums)[0])

    @cached_property
    def _has_few(self) -> bool:
        """Whether the segments have few labels, those of several counted for each."""
        label_count = sum(segment.term_count(self._field) for segment, _ in self._segments)
        return label_count <= _FEW_LABELS

    @cached_property
    def _lists(self) -> list[TermLists]:
        return [segment.lists(self._field) for segment, _ in self._segments]

    def _is_worth_numbering(self, doc_count: int) -> bool:
        """Whether to count by ordinals: of many labels those that occur are counted by name, the first few times."""
        if self._has_few or "_numbers" in self.__dict__ or self._times_counted >= _OFTEN:
            return True
        return doc_count * _GREAT_PART > int(self._bases[-1])

    # Every label with an ordinal -------------------------------------------------------------------------

    @cached_property
    def _keys(self) -> list[bytes] | None:
        """The folded labels of all segments in order, each once; None for many."""
        if not self._has_few:
            return None
        return sorted(set().union(*(segment.all_terms(self._field) for segment, _ in self._segments)))

    @cached_property
    def _numbers(self) -> "_Numbers":
        segments = [segment for segment, _ in self._segments]
        keys = self._keys
        if keys is None:
            return _Numbers.by_hash([segment.term_hashes(self._field) for segment in segments])
        ordinal_of = {key: ordinal for ordinal, key in enumerate(keys)}
        return _Numbers(
            [
                np.array([ordinal_of[key] for key in segment.all_terms(self._field)], dtype=np.int32)
                for segment in segments
            ],
            len(keys),
        )

    @cached_property
    def _by_docnum(self) -> LabelLists:
        """The ordinals of each docnum."""
        dtype = np.min_scalar_type(self._numbers.label_count)
        parts = [
            self._by_docnum_in(segment, own.astype(dtype))
            for own, (segment, _) in zip(self._numbers.by_segment, self._segments, strict=True)
        ]
        offsets = np.zeros(int(self._bases[-1]) + 1, dtype=np.int32)
        np.cumsum(np.concatenate([counts for counts, _ in parts]), out=offsets[1:])
        return LabelLists(offsets, np.concatenate([ordinals for _, ordinals in parts]))

    def _by_docnum_in(
        self, segment: SegmentView, own: npt.NDArray[np.unsignedinteger]
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.unsignedinteger]]:
        """How many labels each docnum of a segment has, and the ordinals, ``own``, of these."""
        offsets, labels = segment.labels_by_docnum(self._field)
        return np.diff(offsets), own[labels]

    @cached_property
    def _sets(self) -> LabelSets | None:
        """The different sets of labels, where articles share them."""
        segments = [segment for segment, _ in self._segments]
        sets = [segment.label_sets(self._field) for segment in segments]
        alone = [segment.doc_count for segment, of in zip(segments, sets, strict=True) if of is None]
        if sum(alone) * 2 > self._bases[-1]:
            return None
        dtype = np.min_scalar_type(self._numbers.label_count)
        parts = []
        for own, segment, of in zip(self._numbers.by_segment, segments, sets, strict=True):
            if of is None:
                lists, of_docnums = segment.labels_by_docnum(self._field), None
            else:
                lists, of_docnums = of.labels, of.of_docnums
            parts.append((LabelLists(lists.offsets, own.astype(dtype)[lists.ordinals]), of_docnums))
        return LabelSets.joined(parts, self._numbers.label_count)

    def _totals(self, docnums: Docnums) -> npt.NDArray[np.int64]:
        """By ordinal, how many of the docnums have the label."""
        if self._times_counted > 1 or self._is_known_by_docnum:
            sets = self._sets
            if sets is not None:
                self.__dict__.pop("_lists", None)
                return sets.totals(docnums)
            if len(docnums) * _FEW_DOCNUMS < self._bases[-1]:
                return self._by_docnum.totals(docnums, self._numbers.label_count)
        totals = np.zeros(self._numbers.label_count, dtype=np.int64)
        for own, counts in zip(self._numbers.by_segment, self._counts_by_segment(docnums), strict=True):
            totals[own] += counts
        return totals

    @property
    def _is_known_by_docnum(self) -> bool:
        """Whether most of what counting by docnums takes is there, from a generation before."""
        known = sum(segment.doc_count for segment, _ in self._segments if segment.has_labels_by_docnum(self._field))
        return known * 2 > int(self._bases[-1])

    def _keys_of_commonest(self, totals: npt.NDArray[np.int64], limit: int | None) -> dict[int, bytes]:
        """By ordinal the labels of which the first ``limit`` are some: the commonest, of equal ones the first.

        Labels stand in order in each segment, so of equal ones no more than are wanted are spelled out for each.
        """
        least, room = 1, len(totals)
        if limit is not None and np.count_nonzero(totals) > limit:
            least = int(np.partition(totals, -limit)[-limit])
            room = limit - int(np.count_nonzero(totals > least))
        keys: dict[int, bytes] = {}
        for own, (segment, _) in zip(self._numbers.by_segment, self._segments, strict=True):
            counts = totals[own]
            places = np.concatenate((np.flatnonzero(counts > least), np.flatnonzero(counts == least)[:room]))
            keys.update(zip(own[places].tolist(), segment.terms(self._field, places), strict=True))
        return keys

    # Counting without ordinals ---------------------------------------------------------------------------

    def _count_found(self, docnums: Docnums) -> tuple[dict[bytes, int], list[dict[bytes, int]]]:
        """The folded labels that the docnums have, with how many have each; by segment the places of these labels."""
        totals: dict[bytes, int] = {}
        places = []
        for (segment, _), counts in zip(self._segments, self._counts_by_segment(docnums), strict=True):
            found = np.flatnonzero(counts)
            keys = segment.terms(self._field, found)
            places.append(dict(zip(keys, found.tolist(), strict=True)))
            if not totals:
                totals = dict(zip(keys, counts[found].tolist(), strict=True))
                continue
            for key, count in zip(keys, counts[found].tolist(), strict=True):
                totals[key] = totals.get(key, 0) + count
        return totals, places

    def _counts_by_segment(self, docnums: Docnums) -> list[npt.NDArray[np.int64]]:
        """By segment and label of the segment, how many of the docnums have it."""
        flags = flags_of(docnums, int(self._bases[-1]))
        return [
            self._counts_in(number, flags[base : base + segment.doc_count])
            for number, (segment, base) in enumerate(self._segments)
        ]

    def _counts_in(self, number: int, flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """By label of a segment, how many of the docnums flagged have it. The lists of many labels are kept."""
        segment, _ = self._segments[number]
        if not segment.has_few_labels(self._field):
            lists = self._lists[number]
            return _sums(flags[lists.docs], lists.starts)
        return segment.count_labels(self._field, docnums_flagged(flags))

    # How a label is shown --------------------------------------------------------------------------------

    def _named(
        self,
        keys: list[bytes],
        ordinals: npt.NDArray[np.int64] | None,
        places: list[dict[bytes, int]] | None = None,
    ) -> list[str]:
        """How the labels are shown; their ordinals are given where they have any, or known places by segment."""
        if self._is_folded:
            return [key.decode() for key in keys]
        shown = self._shown
        if not shown.keys() >= set(keys):
            new = [at for at, key in enumerate(keys) if key not in shown]
            found = self._spellings([keys[at] for at in new], None if ordinals is None else ordinals[new], places)
            self._shown = shown = shown | found
        return [shown[key] for key in keys]

    def _spellings(
        self, keys: list[bytes], ordinals: npt.NDArray[np.int64] | None, places: list[dict[bytes, int]] | None
    ) -> dict[bytes, str]:
        """How the newest article with each label, of several at one instant the last by id, writes it."""
        instants = np.full(len(keys), UNDATED - 1, dtype=np.int64)
        segments = np.zeros(len(keys), dtype=np.int64)
        docnums = np.zeros(len(keys), dtype=np.int64)
        for number, (segment, _) in enumerate(self._segments):
            which, own = self._places_in(number, keys, ordinals, None if places is None else places[number])
            which, carriers = self._newest_in(number, which, own)
            published = segment.published[carriers]
            is_newer = published > instants[which]
            for at in np.flatnonzero(published == instants[which]).tolist():
                other = self._segments[int(segments[which[at]])][0]
                is_newer[at] = _stored_id(segment, int(carriers[at])) > _stored_id(other, int(docnums[which[at]]))
            which = which[is_newer]
            instants[which], segments[which], docnums[which] = published[is_newer], number, carriers[is_newer]
        shown = {key: key.decode() for key in keys}
        for number, (segment, _) in enumerate(self._segments):
            here = np.flatnonzero((segments == number) & (instants >= UNDATED)).tolist()
            if here:
                shown.update(self._written_in(segment, {(int(docnums[at]), keys[at]) for at in here}))
        return shown

    def _places_in(
        self,
        number: int,
        keys: list[bytes],
        ordinals: npt.NDArray[np.int64] | None,
        places: dict[bytes, int] | None,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Which of the labels a segment has, as far as asked for, and the places of these in it."""
        segment, _ = self._segments[number]
        if ordinals is None:
            known = {} if places is None else places
            unknown = [key for key in keys if key not in known]
            found = dict(zip(unknown, segment.ordinals(self._field, unknown), strict=True)) | known
            here = [(at, place) for at, key in enumerate(keys) if (place := found[key]) is not None]
            both = np.array(here, dtype=np.int64).reshape(-1, 2)
            return both[:, 0], both[:, 1]
        own = self._numbers.by_segment[number]
        place_of = np.full(self._numbers.label_count, -1, dtype=np.int32)
        place_of[own] = np.arange(len(own), dtype=np.int32)
        at = place_of[ordinals].astype(np.int64)
        which = np.flatnonzero(at >= 0)
        return which, at[which]

    def _newest_in(
        self, number: int, which: npt.NDArray[np.int64], places: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Which of the labels at these places of a segment live articles have, and the docnum of the newest of each."""
        segment, base = self._segments[number]
        if self._is_live is None and segment.is_ordered and not segment.has_few_labels(self._field):
            lists = self._lists[number]
            return which, lists.docs[lists.starts[places + 1] - 1].astype(np.int64)
        if segment.is_ordered and segment.has_few_labels(self._field):
            newest = segment.newest_with_labels(self._field)[places]
            return which[newest >= 0], newest[newest >= 0]
        carriers = []
        for at, place in zip(which.tolist(), places.tolist(), strict=True):
            docs = segment.docnums_of_term(self._field, place)
            if self._is_live is not None:
                docs = docs[self._is_live[docs + base]]
            if len(docs):
                carriers.append((at, _newest(segment, docs)))
        kept = np.array(carriers, dtype=np.int64).reshape(-1, 2)
        return kept[:, 0], kept[:, 1]

    def _written_in(self, segment: SegmentView, wanted: set[tuple[int, bytes]]) -> dict[bytes, str]:
        """Of docnums of a segment and folded labels that they have: how they write them."""
        shown: dict[bytes, str] = {}
        for docnum in {docnum for docnum, _ in wanted}:
            labels = segment.stored(docnum)["article"][_ATTRIBUTES[self._field]]
            for text in sorted([labels] if isinstance(labels, str) else labels, key=str.encode):
                key = fold_label(text).encode()
                if (docnum, key) in wanted:
                    shown.setdefault(key, text)  # an article with two spellings: the first by its bytes
        return shown


class _Numbers(NamedTuple):
    """Ordinals of the labels of all segments."""

    by_segment: list[npt.NDArray[np.int32]]
    """By segment and place of a label in it, its ordinal."""

    label_count: int

    @classmethod
    def by_hash(cls, hashes: list[npt.NDArray[np.uint64]]) -> "_Numbers":
        """Those of labels in the order of their hashes, which are given by segment and place."""
        joined = np.concatenate(hashes)
        order = np.argsort(joined)
        in_order = joined[order]
        is_new = np.append(True, in_order[1:] != in_order[:-1])
        ordinals = np.empty(len(joined), dtype=np.int32)
        ordinals[order] = np.cumsum(is_new) - 1
        bounds = np.cumsum([len(of) for of in hashes])
        return cls(np.split(ordinals, bounds[:-1]), int(np.count_nonzero(is_new)))


def _stored_id(segment: SegmentView, docnum: int) -> str:
    """The id of an article, from the article: of the few that are asked for here they will be read anyway."""
    article_id: str = segment.stored(docnum)["article"]["id"]
    return article_id


def _newest(segment: SegmentView, docnums: npt.NDArray[np.int32]) -> int:
    """The docnum published last; of several at one instant the last by id."""
    if segment.is_ordered:
        return int(docnums[-1])
    published = segment.published[docnums]
    latest = docnums[published == published.max()].tolist()
    return int(max(zip(segment.ids(latest), latest, strict=True))[1])


def _commonest(totals: npt.NDArray[np.int64], limit: int | None, keys: list[bytes] | None = None) -> list[int]:
    """Where the counts above 0 are, highest first, then by key, or as they stand without; at most ``limit``."""
    found = np.flatnonzero(totals)
    if limit is not None and len(found) > limit:  # of a hundred thousand authors only the commonest are sorted
        found = found[totals[found] >= np.partition(totals[found], -limit)[-limit]]
    if keys is not None:
        counts = totals.tolist()
        return sorted(found.tolist(), key=lambda at: (-counts[at], keys[at]))[:limit]
    in_order: list[int] = found[np.argsort(-totals[found], kind="stable")][:limit].tolist()
    return in_order


def _sums(flags: npt.NDArray[np.bool_], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many flags of each list are set."""
    sums = np.zeros(len(starts) - 1, dtype=np.int64)
    filled = np.flatnonzero(starts[1:] > starts[:-1])
    if len(filled):
        sums[filled] = np.add.reduceat(flags, starts[filled], dtype=np.int64)
    return sums
