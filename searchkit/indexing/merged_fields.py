"""One indexed field of several segments into one: the union of the terms, and the posting lists interleaved.

Terms are taken in runs of about half a million occurrences, and what is merged goes to the file, so the arrays at work
are hardly larger for a large archive than for a small one.
"""

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
from searchkit.codec.segment import TermFile, add_field
from searchkit.codec.terms import TermDictionary, write_term_bytes

_RUN = 1 << 19
"""Occurrences merged at a time."""

_GATHERED = 1 << 16
"""Postings whose occurrences are put in their places at a time: the indexes stay in the cache."""

_GATHERED_TERMS = 1 << 13
"""Terms whose bytes are put in their places at a time, with an index of eight bytes for each."""

_LONGEST = 1 << 10  # bytes of a term beyond which comparing eight at a time stops paying


@dataclass(frozen=True, slots=True)
class TermUnion:
    """The terms of several dictionaries, sorted and distinct."""

    data: npt.NDArray[np.uint8]
    """Their bytes, one after another."""
    lengths: npt.NDArray[np.int64]
    ranks: list[npt.NDArray[np.int64]]
    """For each dictionary, the place in the union of each of its terms; rising."""


def united(dictionaries: Sequence[TermDictionary]) -> TermUnion:
    """The union of the terms of ``dictionaries``."""
    parts = [dictionary.joined() for dictionary in dictionaries]
    data = np.concatenate([np.zeros(0, np.uint8), *(part for part, _ in parts), np.zeros(8, np.uint8)])
    lengths = np.concatenate([np.zeros(0, np.int64), *(part for _, part in parts)])
    bounds = np.cumsum([len(part) for _, part in parts])[:-1]
    del parts
    starts = starts_of(lengths)[:-1]
    # A zero byte would look like the end of its term, and of long terms every eight bytes take a pass.
    if len(lengths) and (lengths.max() > _LONGEST or not data[:-8].all()):
        order, is_new = _sorted_as_bytes(data, starts, lengths)
    else:
        order, is_new = _sorted_by_words(data, starts, lengths)
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.cumsum(is_new) - 1
    firsts = order[is_new]
    joined = np.empty(int(lengths[firsts].sum()), np.uint8)
    end = 0
    for first in range(0, len(firsts), _GATHERED_TERMS):
        terms = firsts[first : first + _GATHERED_TERMS]
        places = ranges(starts[terms], lengths[terms])
        start, end = end, end + len(places)
        data.take(places, out=joined[start:end])
    return TermUnion(joined, lengths[firsts], np.split(ranks, bounds) if len(dictionaries) else [])


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


@dataclass(frozen=True, slots=True)
class _Part:
    """The posting lists of one segment, the place of each one's term in the union, and the new docnums."""

    lists: PostingLists
    ranks: npt.NDArray[np.int64]
    new_docnums: npt.NDArray[np.int32]


def merge_field(
    writer: ContainerWriter,
    name: str,
    files: Sequence[tuple[TermFile, npt.NDArray[np.int32]]],
    codes: npt.NDArray[np.uint8] | None,
    union: TermUnion | None = None,
) -> None:
    """Write the field of ``files``, each with the new docnum of its docnums (-1 for the deleted).

    ``codes`` are the length codes by new docnum, None for a field without lengths; ``union`` is that of the terms of
    the files that have the field, where it is known.
    """
    found = [(field, new_docnums) for terms, new_docnums in files if (field := terms.field(name)) is not None]
    union = united([field.terms for field, _ in found]) if union is None else union
    parts = [
        _Part(field.lists, ranks, new_docnums) for (field, new_docnums), ranks in zip(found, union.ranks, strict=True)
    ]
    merger = _FieldMerger(parts, codes)
    array = ""
    lists: PostingsWriter | None = None
    is_kept = np.zeros(len(union.lengths), dtype=np.bool_)
    for first, last in merger.runs(len(union.lengths)):
        counts, run = merger.merged(first, last)
        for terms, _ in files:
            terms.container.drop_pages()
        is_kept[first:last] = counts > 0
        if run is None:
            continue
        if lists is None:
            array = add_field(writer, name, kind=found[0][0].kind)
            lists = merger.writer(writer, f"{array}/list")
        lists.extend(run)
    if lists is None:
        return
    lists.close()
    data = union.data if is_kept.all() else union.data[np.repeat(is_kept, union.lengths)]
    write_term_bytes(writer, f"{array}/term", data.data, union.lengths[is_kept])


class _FieldMerger:
    """The postings of a field, some terms of the union at a time."""

    def __init__(self, parts: Sequence[_Part], codes: npt.NDArray[np.uint8] | None) -> None:
        self._parts = parts
        self._codes = codes
        self._span = max(int(part.new_docnums[: part.lists.span].max(initial=-1)) for part in parts) + 1
        self._doc_bits = self._span.bit_length()
        self._has_positions = all(part.lists.has("position") for part in parts)
        self._has_occurrences = any(part.lists.has("occurrence") for part in parts)
        self._is_signed = any(part.lists.is_signed("position") for part in parts)
        if all(part.lists.weights_are_occurrences() for part in parts):
            self._weights = "occurrences"
        else:
            self._weights = "excess" if all(part.lists.weights_are_whole() for part in parts) else "float"

    def writer(self, writer: ContainerWriter, name: str) -> PostingsWriter:
        """What writes the merged field: with the widths of the largest part, as its numbers are most alike."""
        largest = max(self._parts, key=lambda part: part.lists.occurrence_count).lists
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

    def runs(self, term_count: int) -> Iterator[tuple[int, int]]:
        """Cut the terms into runs of about `_RUN` occurrences: first and last + 1 of each."""
        sizes = np.zeros(term_count, dtype=np.int64)
        for part in self._parts:
            sizes[part.ranks] += part.lists.occurrence_totals(0, len(part.ranks))
        cuts = np.flatnonzero(np.diff(np.cumsum(sizes) // _RUN)) + 1
        return pairwise([0, *cuts.tolist(), term_count])

    def merged(self, first: int, last: int) -> tuple[npt.NDArray[np.int64], PostingRun | None]:
        """How many live postings each term of a run has, and the lists of those that have any."""
        taken = [_Taken.of(part, first, last, self._doc_bits) for part in self._parts]
        counts = np.zeros(last - first, dtype=np.int64)
        for of_part in taken:
            counts[of_part.ranks] += of_part.counts
        keys = np.concatenate([of_part.keys for of_part in taken])
        if not len(keys):
            return counts, None
        # The keys of each part rise: numpy's stable sort, which merges such runs, takes a fifth of the time of others.
        order = keys.argsort(kind="stable")
        docs = (keys[order] & ((1 << self._doc_bits) - 1)).astype(np.int32)
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
        return counts, PostingRun(counts[counts > 0], docs, occurrences, weights, lengths, gaps)


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
    ordinals: tuple[int, int]
    """Of the part's lists in the run: the first, the last + 1."""
    ranks: npt.NDArray[np.int64]
    """Of each list, its place in the run."""
    counts: npt.NDArray[np.int64]
    """Of each list, how many live postings it has."""
    keys: npt.NDArray[np.int64]
    """Of each live posting, term in the run and new docnum; rising."""
    is_live: npt.NDArray[np.bool_] | None
    """Of each posting; None when all are."""

    @classmethod
    def of(cls, part: _Part, first: int, last: int, doc_bits: int) -> Self:
        """The postings of a part in the run from the union's term ``first`` to ``last``."""
        start, end = np.searchsorted(part.ranks, (first, last)).tolist()
        ranks = part.ranks[start:end] - first
        counts = part.lists.counts(start, end)
        docnums = part.new_docnums.take(part.lists.docs_of_lists(start, end))
        keys = np.repeat(ranks << doc_bits, counts)
        keys |= docnums
        if not len(docnums) or int(docnums.min()) >= 0:
            return cls(part.lists, (start, end), ranks, counts, keys, None)
        is_live = docnums >= 0
        counts = np.diff(starts_of(is_live.view(np.uint8))[starts_of(counts)])
        return cls(part.lists, (start, end), ranks, counts, keys[is_live], is_live)

    def occurrences(self) -> npt.NDArray[np.unsignedinteger[Any]]:
        """Of each posting; as narrow as they are."""
        return self._live(self._all_occurrences())

    def weights(self, *, whole: bool) -> npt.NDArray[Any]:
        """Of each posting: narrow integers or, unless ``whole``, float32."""
        weights = self._live(self.lists.weights_of(*self.lists.bounds_of_lists(*self.ordinals)))
        return weights.astype(narrowest(int(weights.max(initial=0)))) if whole else weights

    def position_gaps(self, *, is_signed: bool) -> npt.NDArray[Any]:
        """Of each occurrence: narrow integers or, if ``is_signed``, int64."""
        gaps = self.lists.position_gaps_of_lists(*self.ordinals)
        if self.is_live is not None:
            gaps = gaps[np.repeat(self.is_live, self._all_occurrences())]
        return gaps.astype(np.int64 if is_signed else narrowest(int(gaps.max(initial=0))))

    def _all_occurrences(self) -> npt.NDArray[np.unsignedinteger[Any]]:
        occurrences = self.lists.occurrences_of(*self.lists.bounds_of_lists(*self.ordinals))
        return occurrences.astype(narrowest(int(occurrences.max(initial=0))))

    def _live(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return values if self.is_live is None else values[self.is_live]
