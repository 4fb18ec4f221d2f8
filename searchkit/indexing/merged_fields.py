"""One indexed field of several segments into one: the union of the terms, and the posting lists interleaved.

Terms are taken in runs of about half a million occurrences, from all segments up to the same term, terms that have more
in parts, and what is merged goes to the file. The arrays at work are hardly larger for a large archive than for a small
one.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from searchkit.codec.container import ContainerWriter
from searchkit.codec.kernels import narrowest, ranges, starts_of
from searchkit.codec.posting_writer import PostingRun, PostingsWriter
from searchkit.codec.postings import PostingLists
from searchkit.codec.segment import FieldTerms, TermFile, add_field
from searchkit.codec.terms import TermsWriter

_RUN = 1 << 19
"""Occurrences merged at a time."""

_RUN_TERMS = 1 << 16
"""Terms merged at a time."""

_LEAST_PART = 16
"""A run ends where any segment has given its part of it, be that as small as one of so many equal ones."""

_PART = 1 << 16
"""Postings merged at a time of a term that has more; whole blocks."""

_GATHERED = 1 << 16
"""Postings whose occurrences are put in their places at a time: the indexes stay in the cache."""

_LONGEST = 1 << 10  # bytes of a term beyond which comparing eight at a time stops paying


@dataclass(frozen=True, slots=True)
class TermRun:
    """Successive terms of several fields, sorted and distinct."""

    data: npt.NDArray[np.uint8]
    """Their bytes, one after another."""
    lengths: npt.NDArray[np.int64]
    ordinals: list[tuple[int, int]]
    """For each field, which of its terms these are: the first, the last + 1."""
    ranks: list[npt.NDArray[np.int64]]
    """For each field, the place among the terms of the run of each of its own; rising."""


def term_runs(fields: Sequence[FieldTerms]) -> Iterator[TermRun]:
    """The union of the terms of ``fields``, in runs of about `_RUN` occurrences."""
    ends = [len(field.terms) for field in fields]
    firsts = [0] * len(fields)
    occurrences = sum(field.lists.occurrence_count for field in fields)
    while firsts != ends:
        reaches = [
            _reach(field, first, max(field.lists.occurrence_count / occurrences, len(field.terms) / sum(ends)))
            for field, first in zip(fields, firsts, strict=True)
        ]
        bound = min(
            (field.terms.term(reach) for field, reach, end in zip(fields, reaches, ends, strict=True) if reach < end),
            default=None,
        )
        if bound is not None:
            reaches = [
                bisect_left(range(reach), bound, first, key=field.terms.term)
                for field, first, reach in zip(fields, firsts, reaches, strict=True)
            ]
        ordinals = list(zip(firsts, reaches, strict=True))
        joined = [field.terms.joined(*of_field) for field, of_field in zip(fields, ordinals, strict=True)]
        data, lengths, ranks = _united(joined)
        yield TermRun(data, lengths, ordinals, ranks)
        firsts = reaches


def _reach(field: FieldTerms, first: int, part: float) -> int:
    """The end of the terms, from ``first`` on, that a field gives to a run of which it makes so great a part."""
    part = max(part, 1 / _LEAST_PART)
    reach = min(first + max(int(_RUN_TERMS * part), 1), len(field.terms))
    totals = np.cumsum(field.lists.occurrence_totals(first, reach))
    return min(first + max(int(totals.searchsorted(_RUN * part, side="right")), 1), reach)


def _united(
    parts: Sequence[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], list[npt.NDArray[np.int64]]]:
    """The union of sorted terms: their bytes, their lengths, and for each part the places of its terms in it."""
    data = np.concatenate([*(of_part for of_part, _ in parts), np.zeros(8, np.uint8)])
    lengths = np.concatenate([of_part for _, of_part in parts])
    bounds = np.cumsum([len(of_part) for _, of_part in parts])[:-1]
    starts = starts_of(lengths)[:-1]
    # A zero byte would look like the end of its term, and of long terms every eight bytes take a pass.
    if len(lengths) and (lengths.max() > _LONGEST or not data[:-8].all()):
        order, is_new = _sorted_as_bytes(data, starts, lengths)
    else:
        order, is_new = _sorted_by_words(data, starts, lengths)
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.cumsum(is_new) - 1
    firsts = order[is_new]
    return data[ranges(starts[firsts], lengths[firsts])], lengths[firsts], np.split(ranks, bounds)


def _sorted_by_words(
    data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The order of the terms, and in it which differ from the one before: by eight bytes at a time."""
    words = np.ndarray(shape=len(data) - 7, dtype=">u8", buffer=data, strides=(1,))

    def word(terms: npt.NDArray[np.int64], number: int) -> npt.NDArray[np.uint64]:
        left = np.clip(lengths[terms] - 8 * number, 0, 8)
        beyond = ((8 - left) << 3).astype(np.uint64)
        found = words[np.minimum(starts[terms] + 8 * number, len(words) - 1)].astype(np.uint64)
        found >>= np.minimum(beyond, 63)
        found[left == 0] = 0
        return found << np.minimum(beyond, 63)

    keys = word(np.arange(len(lengths)), 0)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    is_new = np.ones(len(order), dtype=np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=is_new[1:])
    places = np.arange(len(order))  # of the terms not yet told from all others, whole groups of equals
    number = 0
    while len(places):
        number += 1
        group = np.cumsum(is_new[places]) - 1
        is_longer = lengths[order[places]] > 8 * number
        is_open = np.bincount(group, is_longer).astype(np.bool_) & (np.bincount(group) > 1)
        places = places[is_open[group]]
        group = group[is_open[group]]
        keys = word(order[places], number)
        by_key = np.lexsort((keys, group))
        order[places] = order[places[by_key]]
        keys = keys[by_key]
        is_new[places[1:]] |= keys[1:] != keys[:-1]
    return order, is_new


def _sorted_as_bytes(
    data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The order of the terms, and in it which differ from the one before: by Python's comparisons."""
    joined = data.tobytes()
    bounds = zip(starts.tolist(), (starts + lengths).tolist(), strict=True)
    terms = [joined[start:end] for start, end in bounds]
    order = sorted(range(len(terms)), key=terms.__getitem__)
    is_new = [True, *(terms[one] != terms[other] for one, other in pairwise(order))]
    return np.array(order, dtype=np.int64), np.array(is_new, dtype=np.bool_)


def merge_field(
    writer: ContainerWriter,
    name: str,
    files: Sequence[tuple[TermFile, npt.NDArray[np.int32]]],
    codes: npt.NDArray[np.uint8] | None,
) -> None:
    """Write the field of ``files``, each with the new docnum of its docnums (-1 for the deleted).

    ``codes`` are the length codes by new docnum, None for a field without lengths.
    """
    found = [(field, new_docnums) for terms, new_docnums in files if (field := terms.field(name)) is not None]
    merger = _FieldMerger([(field.lists, new_docnums) for field, new_docnums in found], codes)
    lists: PostingsWriter | None = None
    dictionary: TermsWriter | None = None
    for run in term_runs([field for field, _ in found]):
        counts, postings = merger.merged(run)
        for terms, _ in files:
            terms.container.drop_pages()
        if postings is None:
            continue
        if lists is None or dictionary is None:
            array = add_field(writer, name, kind=found[0][0].kind)
            lists = merger.writer(writer, f"{array}/list")
            largest = max((field.terms for field, _ in found), key=len)
            dictionary = TermsWriter(writer, f"{array}/term", largest.widths())
        if isinstance(postings, PostingRun):
            lists.extend(postings)
        else:
            lists.extend_list(int(counts[0]), _dropping_pages(postings, files))
        is_kept = counts > 0
        data = run.data if is_kept.all() else run.data[np.repeat(is_kept, run.lengths)]
        dictionary.extend(data, run.lengths[is_kept])
    if lists is not None and dictionary is not None:
        lists.close()
        dictionary.close()


def _dropping_pages(
    parts: Iterator[PostingRun], files: Sequence[tuple[TermFile, npt.NDArray[np.int32]]]
) -> Iterator[PostingRun]:
    for part in parts:
        yield part
        for terms, _ in files:
            terms.container.drop_pages()


class _FieldMerger:
    """The postings of a field, some terms of the union at a time."""

    def __init__(
        self, parts: Sequence[tuple[PostingLists, npt.NDArray[np.int32]]], codes: npt.NDArray[np.uint8] | None
    ) -> None:
        """Takes the posting lists of each segment with the new docnum of each of its docnums."""
        self._parts = parts
        self._codes = codes
        lists = [of_part for of_part, _ in parts]
        self._span = max(int(new_docnums[: of_part.span].max(initial=-1)) for of_part, new_docnums in parts) + 1
        self._doc_bits = self._span.bit_length()
        self._has_positions = all(of_part.has("position") for of_part in lists)
        self._has_occurrences = any(of_part.has("occurrence") for of_part in lists)
        self._is_signed = any(of_part.is_signed("position") for of_part in lists)
        if all(of_part.weights_are_occurrences() for of_part in lists):
            self._weights = "occurrences"
        else:
            self._weights = "excess" if all(of_part.weights_are_whole() for of_part in lists) else "float"

    def writer(self, writer: ContainerWriter, name: str) -> PostingsWriter:
        """What writes the merged field: with the widths of the largest part, as its numbers are most alike."""
        largest = max((lists for lists, _ in self._parts), key=lambda lists: lists.occurrence_count)
        return PostingsWriter(
            writer,
            name,
            span=self._span,
            weights=self._weights,
            has_occurrences=self._has_occurrences,
            has_positions=self._has_positions,
            is_signed=self._is_signed,
            bits=largest.widths(),
        )

    def merged(self, run: TermRun) -> tuple[npt.NDArray[np.int64], PostingRun | Iterator[PostingRun] | None]:
        """How many live postings each term of a run has, and the lists of those that have any.

        The list of a term that has very many comes in parts.
        """
        if len(run.lengths) == 1 and (long_list := self._in_parts(run)) is not None:
            return long_list
        taken = [
            _Taken.of(lists, ordinals, ranks, new_docnums, self._doc_bits)
            for (lists, new_docnums), ordinals, ranks in zip(self._parts, run.ordinals, run.ranks, strict=True)
        ]
        counts = np.zeros(len(run.lengths), dtype=np.int64)
        for of_part in taken:
            counts[of_part.ranks] += of_part.counts
        return counts, self._interleaved(taken, counts[counts > 0]) if counts.any() else None

    def _in_parts(self, run: TermRun) -> tuple[npt.NDArray[np.int64], Iterator[PostingRun]] | None:
        """As `merged`, of one term; None unless it has very many postings, no two of one article."""
        found = [
            _LongList(lists, ordinals[0], new_docnums.take(lists.docs_of_lists(*ordinals)))
            for (lists, new_docnums), ordinals in zip(self._parts, run.ordinals, strict=True)
            if ordinals[0] < ordinals[1]
        ]
        docnums = np.concatenate([one.docnums for one in found])
        if len(docnums) <= _PART or not all(one.is_rising() for one in found):
            return None
        docnums.sort(kind="stable")
        if (docnums[1:] == docnums[:-1]).any():
            return None

        def parts() -> Iterator[PostingRun]:
            for first in range(0, len(docnums), _PART):
                last = min(first + _PART, len(docnums))
                end = int(docnums[last]) if last < len(docnums) else self._span
                yield self._interleaved([one.taken_before(end) for one in found], np.array([last - first]))

        return np.array([len(docnums)]), parts()

    def _interleaved(self, taken: Sequence["_Taken"], counts: npt.NDArray[np.int64]) -> PostingRun:
        """The lists of a run, which have so many postings."""
        # The keys of each part rise: numpy's stable sort, which merges such runs, takes a fifth of the time of others.
        keys = np.concatenate([of_part.keys for of_part in taken])
        order = keys.argsort(kind="stable")
        keys = keys[order]
        keys &= (1 << self._doc_bits) - 1
        docs = keys.astype(np.int32, copy=False)
        occurrences = weights = gaps = None
        if self._has_occurrences:
            unsorted = np.concatenate([of_part.occurrences() for of_part in taken])
            occurrences = unsorted[order]
        if self._weights != "occurrences":
            weights = np.concatenate([of_part.weights(whole=self._weights == "excess") for of_part in taken])[order]
        if self._has_positions:
            gaps = np.concatenate([of_part.position_gaps(is_signed=self._is_signed) for of_part in taken])
            gaps = gaps[order] if occurrences is None else _regrouped(gaps, unsorted, order)
        lengths = self._codes[docs] if self._codes is not None else None
        return PostingRun(counts, docs, occurrences, weights, lengths, gaps)


def _regrouped(
    values: npt.NDArray[Any], sizes: npt.NDArray[np.unsignedinteger[Any]], order: npt.NDArray[np.int64]
) -> npt.NDArray[Any]:
    """The values in groups of these sizes, one group after another, with the groups in another order."""
    starts = starts_of(sizes)
    regrouped = np.empty_like(values)
    end = 0
    for first in range(0, len(order), _GATHERED):
        groups = order[first : first + _GATHERED]
        places = ranges(starts[groups], sizes[groups])
        start, end = end, end + len(places)
        values.take(places, out=regrouped[start:end])
    return regrouped


@dataclass(frozen=True, slots=True)
class _Taken:
    """The live postings of one part in a run of terms."""

    lists: PostingLists
    postings: tuple[int, int]
    """Of the field: the first in the run, the end."""
    positions: tuple[int, int]
    """Of all occurrences of the field: the first in the run, the end."""
    ranks: npt.NDArray[np.int64]
    """Of each list, its place in the run."""
    counts: npt.NDArray[np.int64]
    """Of each list, how many live postings it has."""
    keys: npt.NDArray[np.int32 | np.int64]
    """Of each live posting, term in the run and new docnum; rising."""
    is_live: npt.NDArray[np.bool_] | None
    """Of each posting; None when all are."""

    @classmethod
    def of(
        cls,
        lists: PostingLists,
        ordinals: tuple[int, int],
        ranks: npt.NDArray[np.int64],
        new_docnums: npt.NDArray[np.int32],
        doc_bits: int,
    ) -> Self:
        """The postings of the lists from an ordinal up to another, given the place of each list in the run."""
        counts = lists.counts(*ordinals)
        docnums = new_docnums.take(lists.docs_of_lists(*ordinals))
        bits = doc_bits + int(ranks.max(initial=0)).bit_length()
        keys = np.repeat((ranks << doc_bits).astype(np.int32 if bits < 32 else np.int64), counts)
        keys |= docnums
        is_live = None
        if len(docnums) and int(docnums.min()) < 0:
            is_live = docnums >= 0
            counts = np.diff(starts_of(is_live.view(np.uint8))[starts_of(counts)])
            keys = keys[is_live]
        postings, positions = lists.bounds_of_lists(*ordinals), lists.occurrence_bounds_of_lists(*ordinals)
        return cls(lists, postings, positions, ranks, counts, keys, is_live)

    def occurrences(self) -> npt.NDArray[np.unsignedinteger[Any]]:
        """Of each posting; as narrow as they are."""
        return self._live(self._all_occurrences())

    def weights(self, *, whole: bool) -> npt.NDArray[Any]:
        """Of each posting: narrow integers or, unless ``whole``, float32."""
        weights = self._live(self.lists.weights_of(*self.postings))
        return weights.astype(narrowest(int(weights.max(initial=0)))) if whole else weights

    def position_gaps(self, *, is_signed: bool) -> npt.NDArray[Any]:
        """Of each occurrence: narrow integers or, if ``is_signed``, int64."""
        gaps = self.lists.position_gaps_of(*self.positions)
        if self.is_live is not None:
            gaps = gaps[np.repeat(self.is_live, self._all_occurrences())]
        return gaps.astype(np.int64 if is_signed else narrowest(int(gaps.max(initial=0))))

    def _all_occurrences(self) -> npt.NDArray[np.unsignedinteger[Any]]:
        occurrences = self.lists.occurrences_of(*self.postings)
        return occurrences.astype(narrowest(int(occurrences.max(initial=0))))

    def _live(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return values if self.is_live is None else values[self.is_live]


class _LongList:
    """The list of a term in one segment, taken from its beginning to its end in parts."""

    def __init__(self, lists: PostingLists, ordinal: int, docnums: npt.NDArray[np.int32]) -> None:
        """Takes the new docnums of the postings of the list with this ordinal, -1 for the deleted."""
        self._lists = lists
        self._is_live = docnums >= 0
        self.docnums = docnums[self._is_live]
        """Of the live postings."""
        self._start = lists.bounds_of_lists(ordinal, ordinal + 1)[0]
        self._position = lists.occurrence_bounds_of_lists(ordinal, ordinal + 1)[0]
        self._taken = self._live_taken = 0

    def is_rising(self) -> bool:
        """Whether the live postings are in the order of their new docnums, as they are unless files are damaged."""
        return bool((self.docnums[1:] > self.docnums[:-1]).all())

    def taken_before(self, end: int) -> _Taken:
        """The live postings whose new docnum is before ``end``, from where the part before this one ended."""
        live_end = int(self.docnums.searchsorted(np.int32(end)))  # another dtype would convert the array
        keys = self.docnums[self._live_taken : live_end]
        count = self._reach(len(keys))
        is_live = self._is_live[self._taken : self._taken + count]
        postings = self._start + self._taken, self._start + self._taken + count
        positions = self._position, self._position + int(self._lists.occurrences_of(*postings).sum())
        self._taken, self._live_taken, self._position = self._taken + count, live_end, positions[1]
        ranks = np.zeros(1, dtype=np.int64)
        return _Taken(self._lists, postings, positions, ranks, ranks, keys, None if is_live.all() else is_live)

    def _reach(self, live: int) -> int:
        """How many postings there are, from where the last part ended, up to so many live ones."""
        reach = 0
        while live:
            found = np.flatnonzero(self._is_live[self._taken + reach : self._taken + reach + _PART])
            if len(found) >= live:
                return reach + int(found[live - 1]) + 1
            live -= len(found)
            reach += _PART
        return 0
