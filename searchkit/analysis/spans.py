"""Where the units of a text stand, and a number for each by which it is known again.

A *unit* is what `tokenize` can take apart without looking further: a chain of words held together by connectors
(nearly always one plain word), or one character of a script written in pairs together with its right neighbour.
Pure functions of arrays; offsets are int64, and nothing is changed in place.
"""

import hashlib
import os
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from searchkit.analysis.characters import COMMA, DIGIT, DOT, LINK, PAIRED, SYMBOL, WORD, Classes, Codes

Offsets = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

BEFORE = 2
"""Characters before a chain that can tell whether it is a name like .NET; a text to look at begins with as many."""
BEHIND = 4
"""Characters behind a chain that can tell whether it is a name like C++."""
PADDING = 8 + BEHIND
"""Characters without meaning that a text to look at ends with: reading eight at a time behind a unit stays inside."""


class Units(NamedTuple):
    """The units of a text in order: unit i is from ``starts[i]`` to ``ends[i]``.

    What its tokens depend on is from ``seen_starts[i]`` to ``seen_ends[i]``: the unit itself for nearly all, and its
    surroundings where it may be a name with symbols.
    """

    starts: Offsets
    ends: Offsets
    seen_starts: Offsets
    seen_ends: Offsets


def find_units(classes: Classes) -> Units:
    """The units of the text whose characters have these classes.

    The text begins with `BEFORE` and ends with `PADDING` characters of class 0.
    """
    is_word = (classes & WORD).view(np.bool_)
    marks = np.flatnonzero(classes >= LINK)
    links = _links(classes, is_word, marks)
    paired = (classes & PAIRED) != 0 if np.bitwise_or.reduce(classes) & PAIRED else None
    if paired is not None:
        is_word = is_word & ~paired  # a connector beside a paired script ends the chain
        links = links[is_word.take(links - 1) & is_word.take(links + 1)]
    is_inside = is_word  # from here on; what is not a word is not asked for again
    is_inside[links] = True
    edges = np.flatnonzero(is_inside[1:] != is_inside[:-1]) + 1
    starts, ends = edges[0::2].copy(), edges[1::2].copy()
    seen_starts, seen_ends = _surroundings(classes, is_inside, starts, ends, marks)
    units = Units(starts, ends, seen_starts, seen_ends)
    return units if paired is None else _with_pairs(units, paired)


def _links(classes: Classes, is_word: npt.NDArray[np.bool_], marks: Offsets) -> Offsets:
    """The marks that hold words together: connectors, and commas of thousands."""
    between = marks[is_word.take(marks - 1) & is_word.take(marks + 1)]
    kinds = classes.take(between)
    links = between[(kinds & LINK) != 0]
    commas = between[(kinds & COMMA) != 0]
    for distance, is_digit in ((-1, True), (1, True), (2, True), (3, True), (4, False)):
        commas = commas[((classes.take(commas + distance) & DIGIT) != 0) == is_digit]
    return np.concatenate((links, commas))


def _surroundings(
    classes: Classes, is_inside: npt.NDArray[np.bool_], starts: Offsets, ends: Offsets, marks: Offsets
) -> tuple[Offsets, Offsets]:
    """Starts and ends, moved outwards where a full stop before or a symbol behind may belong to a name."""
    seen_starts, seen_ends = starts, ends
    kinds = classes.take(marks)
    dots = marks[(kinds & DOT) != 0]
    dots = dots[is_inside.take(dots + 1) > is_inside.take(dots)]
    if len(dots):
        seen_starts = starts.copy()
        seen_starts[np.searchsorted(starts, dots + 1)] -= BEFORE
    symbols = marks[(kinds & SYMBOL) != 0]
    symbols = symbols[is_inside.take(symbols - 1) > is_inside.take(symbols)]
    if len(symbols):
        seen_ends = ends.copy()
        seen_ends[np.searchsorted(ends, symbols)] += BEHIND
    return seen_starts, seen_ends


def _with_pairs(units: Units, paired: npt.NDArray[np.bool_]) -> Units:
    """The units together with one for each character of a paired script: it and the next, or it alone at the end."""
    pair_starts = np.flatnonzero(paired)
    pair_ends = pair_starts + 1 + paired[pair_starts + 1]
    order = np.argsort(np.concatenate((units.starts, pair_starts)), kind="stable")
    merged = (
        (units.starts, pair_starts),
        (units.ends, pair_ends),
        (units.seen_starts, pair_starts),
        (units.seen_ends, pair_ends),
    )
    return Units(*(np.concatenate(both)[order] for both in merged))


# Spans are known again by 64 bits. With numbers that nobody knows, drawn when the process starts, two different spans
# share a key with a probability of 2**-64 for each pair: for a million different spans, less than one in ten million.
# Spans of at most eight bytes in codes of one size never do, because mixing loses nothing.
_FIRST_FACTOR, _SECOND_FACTOR = (np.uint64(int.from_bytes(os.urandom(8), "little") | 1) for _ in range(2))
_SEEDS = {itemsize: np.uint64(int.from_bytes(os.urandom(8), "little")) for itemsize in (1, 2, 4)}
_SECRET = os.urandom(32)
_LONG = 512
"""Spans with more characters are so rare that hashing each by itself is faster than all by blocks."""
_BLOCK_BYTES = 8


def hash_spans(codes: Codes, starts: Offsets, ends: Offsets) -> Keys:
    """A key for each span: equal for equal codes of one dtype, different for different ones of one length.

    At least `PADDING` codes follow the last span.
    """
    per_block = _BLOCK_BYTES // codes.itemsize
    blocks = np.ascontiguousarray(
        np.ndarray((max(len(codes) - per_block + 1, 0),), np.dtype("<u8"), codes, 0, (codes.itemsize,))
    )  # the eight bytes from each code on
    masks = _block_masks(codes.itemsize)
    lengths = ends - starts
    keys = blocks.take(starts)
    keys &= masks.take(lengths, mode="clip")
    keys ^= _SEEDS[codes.itemsize]
    _mix(keys)
    offset = per_block
    longer = np.flatnonzero(lengths > offset)
    is_long = lengths[longer] > _LONG
    for unit in longer[is_long].tolist():
        keys[unit] = _digest(codes[starts[unit] : ends[unit]])
    longer = longer[~is_long]
    while len(longer):
        rest = blocks.take(starts.take(longer) + offset)
        rest &= masks.take(lengths.take(longer) - offset, mode="clip")
        rest ^= keys.take(longer)
        _mix(rest)
        keys[longer] = rest
        offset += per_block
        longer = longer[lengths.take(longer) > offset]
    return keys


def _mix(keys: Keys) -> None:
    """Spread each bit over the whole key, in place; reversible, so that different keys stay different.

    Two rounds, because the highest bits of a product depend on few of those multiplied.
    """
    keys *= _FIRST_FACTOR
    keys ^= keys >> np.uint64(32)
    keys *= _SECOND_FACTOR
    keys ^= keys >> np.uint64(29)


def _block_masks(itemsize: int) -> Keys:
    """By the number of codes of a block that count, 0 to all: the mask that leaves them."""
    counts = range(_BLOCK_BYTES // itemsize + 1)
    return np.array([(1 << 8 * itemsize * count) - 1 for count in counts], np.uint64)


def _digest(codes: Codes) -> np.uint64:
    digest = hashlib.blake2b(codes.tobytes(), digest_size=8, key=_SECRET).digest()
    return np.uint64(int.from_bytes(digest, "little"))
