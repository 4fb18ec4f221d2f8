"""The different sets of labels that articles have: of a hundred thousand articles under a few topics each, thousands.

Counting labels of articles goes through the numbers of their sets first, so each set's labels are looked at once.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from searchkit.codec.kernels import mixed, ranges, stable_order, starts_of

_ALIKE = 4
"""Sets are worth it when this many articles on average have the very same labels."""

_FEW_DOCNUMS = 4
"""The labels of articles are looked at one by one when these are fewer than this part of the different sets."""

_COUNTED_AT_ONCE = 1 << 17
"""Articles that are counted at once, for which a megabyte is needed."""

_RUN = 1 << 14
"""Articles whose sets are told apart at a time: what that takes is then not much for a large archive either."""


class LabelLists(NamedTuple):
    """Labels as ordinals: list i is ``ordinals[offsets[i]:offsets[i + 1]]``."""

    offsets: npt.NDArray[np.int32]
    ordinals: npt.NDArray[np.unsignedinteger]

    def places(self, lists: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
        """The places of all ordinals of these lists, one list after the other."""
        starts = self.offsets[lists]
        return ranges(starts, self.offsets[1:][lists] - starts)

    def totals(self, lists: npt.NDArray[np.integer], label_count: int) -> npt.NDArray[np.int64]:
        """By ordinal, how many of these lists have it."""
        return np.bincount(self.ordinals[self.places(lists)], minlength=label_count)


SetNumbers = npt.NDArray[np.unsignedinteger]


class LabelSets(NamedTuple):
    """The different sets, and which of them each article has."""

    of_docnums: SetNumbers
    """Of each docnum the number of its set."""

    labels: LabelLists
    """Of each set its labels."""

    by_label: npt.NDArray[np.int32]
    """Of each label the sets that have it, one label after the other."""

    label_starts: npt.NDArray[np.int64]
    """Where in ``by_label`` each label begins; every label is in some set."""

    @classmethod
    def joined(cls, parts: Sequence[tuple[LabelLists, SetNumbers | None]], label_count: int) -> Self | None:
        """Those of several segments: the labels of each set, as ordinals of all, and the sets of the docnums.

        Without sets of docnums each docnum has its own labels. Each of ``label_count`` labels occurs. None where few
        articles share a set.
        """
        starts = starts_of(np.array([len(lists.offsets) - 1 for lists, _ in parts], dtype=np.int64))
        lengths = np.concatenate([np.diff(lists.offsets) for lists, _ in parts])
        ordinals = np.concatenate([lists.ordinals for lists, _ in parts])
        sets = cls._of(LabelLists(starts_of(lengths).astype(np.int32), ordinals), label_count, 1)
        if sets is None:
            return None
        numbers = [sets.of_docnums[first:end] for first, end in pairwise(starts.tolist())]
        of_docnums = np.concatenate(
            [own if of is None else own[of] for own, (_, of) in zip(numbers, parts, strict=True)]
        )
        if (len(sets.labels.offsets) - 1) * _ALIKE > len(of_docnums):
            return None
        return sets._replace(of_docnums=of_docnums)

    @classmethod
    def of(cls, by_docnum: LabelLists, label_count: int) -> Self | None:
        """Those of the labels of each docnum, each of ``label_count`` occurring; None where few articles share one."""
        return cls._of(by_docnum, label_count, _ALIKE)

    @classmethod
    def _of(cls, by_docnum: LabelLists, label_count: int, alike: float) -> Self | None:
        """As `of`; few is less than ``alike`` on average.

        Sets are told apart by the sum of a number for each label, as if drawn at random, and then compared, so that no
        two are taken for one.
        """
        offsets, ordinals = by_docnum
        numbers = mixed(np.arange(label_count, dtype=np.uint64))
        runs = list(pairwise([*range(0, len(offsets) - 1, _RUN), len(offsets) - 1]))
        sums, firsts, sets_in_run = [], [], []
        for first, end in runs:
            bounds = offsets[first : end + 1]
            distinct, places, which = _told_apart(_sums(numbers[ordinals[bounds[0] : bounds[-1]]], bounds))
            sums.append(distinct)
            firsts.append(places + first)
            sets_in_run.append(which)
        _, places, numbers_of_sets = _told_apart(np.concatenate(sums))
        carriers = np.concatenate(firsts)[places]  # an article with each of the sets
        if len(carriers) * alike > len(offsets):
            return None
        numbers_in_run = np.split(numbers_of_sets, np.cumsum([len(distinct) for distinct in sums])[:-1])
        of_docnums = np.concatenate([of[which] for of, which in zip(numbers_in_run, sets_in_run, strict=True)])
        if not _all_equal(by_docnum, carriers, of_docnums, runs):
            return None
        lengths = offsets[carriers + 1] - offsets[carriers]
        labels = LabelLists(starts_of(lengths).astype(np.int32), ordinals[by_docnum.places(carriers)])
        set_of_label = np.repeat(np.arange(len(carriers), dtype=np.int32), lengths)
        by_label = set_of_label[stable_order(labels.ordinals, label_count)]
        label_starts = starts_of(np.bincount(labels.ordinals, minlength=label_count))[:-1]
        return cls(of_docnums.astype(np.min_scalar_type(len(carriers))), labels, by_label, label_starts)

    def totals(self, docnums: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
        """By ordinal, how many of the docnums have the label."""
        numbers = self.of_docnums[docnums]
        set_count = len(self.labels.offsets) - 1
        if len(docnums) * _FEW_DOCNUMS < set_count:
            return self.labels.totals(numbers, len(self.label_starts))
        counts = np.bincount(numbers[:_COUNTED_AT_ONCE], minlength=set_count)
        for first in range(_COUNTED_AT_ONCE, len(numbers), _COUNTED_AT_ONCE):
            counts += np.bincount(numbers[first : first + _COUNTED_AT_ONCE], minlength=set_count)
        return np.add.reduceat(counts.take(self.by_label), self.label_starts)

    def last_with_labels(self, docnums: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """By ordinal, the last of the ascending docnums that has the label, -1 for none."""
        last = np.full(len(self.labels.offsets) - 1, -1, dtype=np.int64)
        last[self.of_docnums[docnums]] = docnums  # of several for one set the last stays
        return np.maximum.reduceat(last.take(self.by_label), self.label_starts)


def _told_apart(
    sums: npt.NDArray[np.uint64],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64], npt.NDArray[np.unsignedinteger]]:
    """The different ones in order, where each stands first, and of each of the sums which it is."""
    order = np.argsort(sums, kind="stable")
    ordered = sums[order]
    is_new = np.append(True, ordered[1:] != ordered[:-1])[: len(sums)]
    which = np.empty(len(sums), dtype=np.min_scalar_type(len(sums)))
    which[order] = np.cumsum(is_new) - 1
    return ordered[is_new], order[is_new], which


def _sums(numbers: npt.NDArray[np.uint64], bounds: npt.NDArray[np.int32]) -> npt.NDArray[np.uint64]:
    """The sum of each of the successive runs of numbers that begin and end at these bounds, the first at the first."""
    sums = np.zeros(len(numbers) + 1, dtype=np.uint64)
    np.cumsum(numbers, out=sums[1:])
    ends = bounds - bounds[0]
    return np.asarray(sums[ends[1:]] - sums[ends[:-1]])


def _all_equal(
    by_docnum: LabelLists,
    carriers: npt.NDArray[np.int64],
    of_docnums: SetNumbers,
    runs: list[tuple[int, int]],
) -> bool:
    """Whether each article has the very labels of the article that stands for its set."""
    offsets, ordinals = by_docnum
    for first, end in runs:
        same = carriers[of_docnums[first:end]]
        if not np.array_equal(np.diff(offsets[first : end + 1]), offsets[same + 1] - offsets[same]):
            return False
        if not np.array_equal(ordinals[offsets[first] : offsets[end]], ordinals[by_docnum.places(same)]):
            return False
    return True
