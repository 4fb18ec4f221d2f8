"""One indexed field of several segments into one: the union of the terms, and the posting lists interleaved.

As in the inverter, an occurrence becomes one integer, which sorts as it should stand in the index. What comes from one
segment is in order already: numpy's stable sort, which merges such stretches, takes a sixth of the time of the
ordinary one. Terms are taken in runs of about a million occurrences, so the arrays at work are as large for a large
archive as for a small one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from searchkit.codec.container import ContainerWriter
from searchkit.codec.kernels import ranges, starts_of
from searchkit.codec.postings import PostingData, PostingLists
from searchkit.codec.segment import TermFile, write_merged_field
from searchkit.codec.terms import TermDictionary

_RUN = 1 << 20
"""Occurrences merged at a time."""

_KEY_BITS = 63
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
    starts = starts_of(lengths)[:-1]
    # A zero byte would look like the end of its term, and of long terms every eight bytes take a pass.
    if len(lengths) and (lengths.max() > _LONGEST or not data[:-8].all()):
        order, is_new = _sorted_as_bytes(data, starts, lengths)
    else:
        order, is_new = _sorted_by_words(data, starts, lengths)
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.cumsum(is_new) - 1
    firsts = order[is_new]
    bounds = np.cumsum([len(part) for _, part in parts])[:-1]
    return TermUnion(
        data[ranges(starts[firsts], lengths[firsts])], lengths[firsts], np.split(ranks, bounds) if parts else []
    )


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
) -> None:
    """Write the field of ``files``, each with the new docnum of its docnums (-1 for the deleted).

    ``codes`` are the length codes by new docnum, None for a field without lengths.
    """
    found = [(field, new_docnums) for terms, new_docnums in files if (field := terms.field(name)) is not None]
    union = united([field.terms for field, _ in found])
    parts = [
        _Part(field.lists, ranks, new_docnums) for (field, new_docnums), ranks in zip(found, union.ranks, strict=True)
    ]
    # deleted documents make the span too long by a few, which is allowed
    span = 1 + max(int(part.new_docnums[: part.lists.span].max(initial=-1)) for part in parts)
    runs = _merged_runs(parts, len(union.lengths), codes, span)
    write_merged_field(writer, name, (union.data, union.lengths), runs, kind=found[0][0].kind, span=span)


def _merged_runs(
    parts: Sequence[_Part], term_count: int, codes: npt.NDArray[np.uint8] | None, span: int
) -> Iterator[PostingData]:
    """The postings of all terms, run by run; a term whose postings are all deleted has a count of 0."""
    doc_bits = max(span - 1, 0).bit_length()
    lists = parts[0].lists
    is_plain = not (lists.has("position") or any(part.lists.has("occurrence") for part in parts))
    for first, last in _runs(parts, term_count):
        if is_plain:
            yield _merged_plain(parts, first, last, doc_bits)
        else:
            yield from _merged_scored(parts, first, last, doc_bits, codes)


def _runs(parts: Sequence[_Part], term_count: int) -> Iterator[tuple[int, int]]:
    """Cut the terms into runs of about `_RUN` occurrences: first and last + 1 of each."""
    sizes = np.zeros(term_count, dtype=np.int64)
    for part in parts:
        sizes[part.ranks] += part.lists.occurrence_totals(0, len(part.ranks))
    cuts = np.flatnonzero(np.diff(np.cumsum(sizes) // _RUN)) + 1
    return pairwise([0, *cuts.tolist(), term_count])


def _posting_keys(
    part: _Part, first: int, last: int, doc_bits: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], tuple[int, int]]:
    """Term in the run and new docnum of the live postings of a run, which those are, and the part's lists in it."""
    start, end = np.searchsorted(part.ranks, (first, last)).tolist()
    docnums = part.new_docnums[part.lists.docs_of_lists(start, end)]
    keys = np.repeat((part.ranks[start:end] - first) << doc_bits, part.lists.counts(start, end))
    is_live = docnums >= 0
    keys |= docnums
    return (keys if is_live.all() else keys[is_live]), is_live, (start, end)


def _counted(keys: npt.NDArray[np.integer], doc_bits: int, term_count: int) -> npt.NDArray[np.int64]:
    """How many of the sorted posting keys each term has."""
    bounds = np.arange(term_count + 1, dtype=np.int64) << doc_bits
    return np.diff(np.searchsorted(keys, bounds.astype(keys.dtype)))


def _merged_plain(parts: Sequence[_Part], first: int, last: int, doc_bits: int) -> PostingData:
    """Postings of a run without anything but docnums."""
    keys: npt.NDArray[np.integer] = np.concatenate([_posting_keys(part, first, last, doc_bits)[0] for part in parts])
    if doc_bits + (last - first).bit_length() <= 32:
        keys = keys.astype(np.uint32)  # half the width sorts in half the time
    keys.sort(kind="stable")
    counts = _counted(keys, doc_bits, last - first)
    keys &= keys.dtype.type((1 << doc_bits) - 1)
    return PostingData(counts=counts, docs=keys.astype(np.int32))


def _merged_scored(
    parts: Sequence[_Part], first: int, last: int, doc_bits: int, codes: npt.NDArray[np.uint8] | None
) -> Iterator[PostingData]:
    """Postings with positions and weights, in one run or, where a key would have too many bits, in several.

    Weights that are not the occurrences are few, those of title terms: such postings have a bit set in their keys,
    and the weights, numbered, are sorted for themselves.
    """
    keys, positions, occurrences, weights = [], [], [], []
    for part in parts:
        part_keys, is_live, (start, end) = _posting_keys(part, first, last, doc_bits)
        bounds = part.lists.bounds_of_lists(start, end)
        part_occurrences = part.lists.occurrences_of(*bounds)
        part_weights = part.lists.weights_of(*bounds)
        part_positions = part.lists.positions_of_lists(start, end)
        if len(part_keys) < len(is_live):
            part_positions = part_positions[np.repeat(is_live, part_occurrences)]
            part_occurrences, part_weights = part_occurrences[is_live], part_weights[is_live]
        keys.append(part_keys)
        positions.append(part_positions)
        occurrences.append(part_occurrences)
        weights.append(part_weights)
    position_bits = max(int(part_positions.max(initial=0)) for part_positions in positions).bit_length()
    if doc_bits + (last - first).bit_length() + 1 + position_bits > _KEY_BITS and last - first > 1:
        middle = (first + last) // 2
        yield from _merged_scored(parts, first, middle, doc_bits, codes)
        yield from _merged_scored(parts, middle, last, doc_bits, codes)
        return
    is_other = [one != other for one, other in zip(weights, occurrences, strict=True)]
    entries = []
    for part_keys, part_positions, part_occurrences, flags in zip(keys, positions, occurrences, is_other, strict=True):
        shifted = ((part_keys << 1) | flags) << position_bits
        entry = np.repeat(shifted, part_occurrences)
        entry |= part_positions
        entries.append(entry)
    sorted_entries = np.concatenate(entries)
    sorted_entries.sort(kind="stable")
    merged_positions = (sorted_entries & ((1 << position_bits) - 1)).astype(np.uint32)
    sorted_entries >>= position_bits
    is_start = np.ones(len(sorted_entries), dtype=np.bool_)
    np.not_equal(sorted_entries[1:], sorted_entries[:-1], out=is_start[1:])
    starts = np.flatnonzero(is_start)
    gaps = merged_positions.copy()
    gaps[1:] -= merged_positions[:-1]
    gaps[starts] = merged_positions[starts]
    posting_keys = sorted_entries[starts]
    merged_occurrences = np.diff(starts, append=len(sorted_entries))
    merged_weights = merged_occurrences.astype(np.float32)
    has_other = (posting_keys & 1).astype(np.bool_)
    posting_keys >>= 1
    other_keys = np.concatenate([part_keys[flags] for part_keys, flags in zip(keys, is_other, strict=True)])
    if len(other_keys):
        other = np.concatenate([part_weights[flags] for part_weights, flags in zip(weights, is_other, strict=True)])
        merged_weights[has_other] = other[np.argsort(other_keys)]
    docs = (posting_keys & ((1 << doc_bits) - 1)).astype(np.int32)
    counts = _counted(posting_keys, doc_bits, last - first)
    yield PostingData(
        counts=counts,
        docs=docs,
        occurrences=merged_occurrences,
        weights=merged_weights,
        lengths=codes[docs] if codes is not None else None,
        position_gaps=gaps,
    )
