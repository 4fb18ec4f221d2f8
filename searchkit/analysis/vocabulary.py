"""The vocabulary of a batch analysis: what has been analysed before, found again by array operations."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from searchkit.analysis.spans import Keys

Ids = npt.NDArray[np.int32]

_Scalar = TypeVar("_Scalar", bound=np.generic)

_SMALLEST_BITS = 12


class GrowingArray(Generic[_Scalar]):
    """An array that grows at its end; adding costs what is added, now and then a copy."""

    def __init__(self, dtype: type[_Scalar]) -> None:
        self._buffer: npt.NDArray[_Scalar] = np.empty(1024, dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def values(self) -> npt.NDArray[_Scalar]:
        """What has been added so far: a view, valid until more is added."""
        return self._buffer[: self._count]

    def extend(self, values: npt.ArrayLike) -> None:
        """Add ``values`` at the end."""
        added = np.asarray(values, self._buffer.dtype)
        end = self._count + len(added)
        if end > len(self._buffer):
            grown = np.empty(max(end, 2 * len(self._buffer)), self._buffer.dtype)
            grown[: self._count] = self.values
            self._buffer = grown
        self._buffer[self._count : end] = added
        self._count = end


class KeyTable:
    """Numbers for pairs of a 64-bit key and a length: a hash table with open addressing, asked by whole arrays.

    The length stands beside the key so that spans of different lengths are never taken for each other.
    """

    def __init__(self) -> None:
        self._lengths = GrowingArray(np.int32)  # by number, which keeps those of frequent pairs together
        self._allot(_SMALLEST_BITS)

    def __len__(self) -> int:
        return len(self._lengths)

    def find(self, keys: Keys, lengths: Ids) -> Ids:
        """The number of each pair, -1 for those that are not there."""
        if not len(self):
            return np.full(len(keys), -1, np.int32)
        slots = self._first_slots(keys)
        ids, is_other = self._look(slots, keys, lengths)
        others = np.flatnonzero(is_other)
        slots = slots[others]
        while len(others):  # another pair lies in the slot
            slots = self._next_slots(slots, keys[others])
            ids[others], is_other = self._look(slots, keys[others], lengths[others])
            others, slots = others[is_other], slots[is_other]
        return ids

    def _look(self, slots: npt.NDArray[np.int64], keys: Keys, lengths: Ids) -> tuple[Ids, npt.NDArray[np.bool_]]:
        """The numbers that lie in these slots, and which of them are another pair's."""
        ids = self._ids.take(slots)
        is_other = self._keys.take(slots) != keys
        is_other |= self._lengths.values.take(ids, mode="wrap") != lengths
        is_other &= ids >= 0
        return ids, is_other

    def add(self, keys: Keys, lengths: Ids) -> None:
        """Number these pairs, which are different and not there yet, on from `len`."""
        ids = np.arange(len(self), len(self) + len(keys), dtype=np.int32)
        self._lengths.extend(lengths)
        if len(self) * 3 > len(self._keys):
            old = np.flatnonzero(self._ids >= 0)
            old = old[np.argsort(self._ids[old])]
            keys = np.concatenate((self._keys[old], keys))
            ids = np.concatenate((self._ids[old], ids))
            self._allot((len(self) * 4).bit_length())
        self._put(keys, ids)

    def _allot(self, bits: int) -> None:
        self._shift = np.uint64(64 - bits)
        self._keys = np.zeros(1 << bits, np.uint64)
        self._ids = np.full(1 << bits, -1, np.int32)

    def _first_slots(self, keys: Keys) -> npt.NDArray[np.int64]:
        return (keys >> self._shift).view(np.int64)

    def _next_slots(self, slots: npt.NDArray[np.int64], keys: Keys) -> npt.NDArray[np.int64]:
        """Steps of an odd width of each key's own come to every slot, and keep full slots from growing together."""
        return slots + (keys.view(np.int64) | 1) & len(self._keys) - 1

    def _put(self, keys: Keys, ids: Ids) -> None:
        """Lay each key into the first free slot; those met first, the frequent ones, have the first choice."""
        slots = self._first_slots(keys)
        while len(ids):
            free = np.flatnonzero(self._ids[slots] < 0)[::-1]
            self._ids[slots[free]] = ids[free]  # of several that want one slot the last written gets it
            is_placed = self._ids[slots] == ids
            self._keys[slots[is_placed]] = keys[is_placed]
            keys, ids = keys[~is_placed], ids[~is_placed]
            slots = self._next_slots(slots[~is_placed], keys)


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms, one after another, as arrays."""

    data: npt.NDArray[np.uint8]
    """Their UTF-8."""
    lengths: npt.NDArray[np.int64]
    """In bytes."""

    def __len__(self) -> int:
        return len(self.lengths)

    def at(self, indexes: npt.NDArray[np.integer]) -> "Terms":
        """Those with these indexes, in this order."""
        return _gathered(self.data, np.cumsum(self.lengths) - self.lengths, self.lengths, indexes)

    def tolist(self) -> list[bytes]:
        """Each by itself."""
        data, ends = self.data.tobytes(), np.cumsum(self.lengths)
        return [data[start:end] for start, end in zip((ends - self.lengths).tolist(), ends.tolist(), strict=True)]


def _gathered(
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    indexes: npt.NDArray[np.integer],
) -> Terms:
    """Of the terms at ``starts`` of ``data`` those with these indexes."""
    lengths = lengths.take(indexes)
    places = np.repeat(starts.take(indexes) - (np.cumsum(lengths) - lengths), lengths)
    places += np.arange(len(places))
    return Terms(data.take(places), lengths)


class Numbering:
    """Numbers for texts, counted from 0 in the order in which they are first asked for, one step of a dictionary each.

    Several may share a count: then a text of any of them gets the next number of all.
    """

    def __init__(self, numbers: "count[int] | None" = None) -> None:
        self._number_of: defaultdict[str, int] = defaultdict((numbers or count()).__next__)

    def __len__(self) -> int:
        return len(self._number_of)

    def number(self, text: str) -> int:
        """The number of one text."""
        return self._number_of[text]

    def numbered(self, texts: Sequence[str]) -> tuple[Ids, list[str]]:
        """The number of each text, and the texts that are new, in the order of their numbers."""
        before = len(self)
        numbers = np.fromiter(map(self._number_of.__getitem__, texts), np.int32, len(texts))
        new = [*islice(reversed(self._number_of), len(self) - before)]
        return numbers, new[::-1]


class TermNumbers:
    """Terms by number and numbers by term, for as long as a vocabulary lives."""

    def __init__(self) -> None:
        self._numbers = Numbering()
        self._new: list[bytes] = []  # the last ones, not in the arrays yet
        self._data: GrowingArray[np.uint8] = GrowingArray(np.uint8)
        self._starts: GrowingArray[np.int64] = GrowingArray(np.int64)
        self._lengths: GrowingArray[np.int64] = GrowingArray(np.int64)
        self._heads: GrowingArray[np.uint64] = GrowingArray(np.uint64)

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, term: str) -> int:
        """The number of ``term``, the next free one when it is new."""
        before = len(self)
        number = self._numbers.number(term)
        if number == before:
            self._new.append(term.encode())
        return number

    def numbers(self, terms: Sequence[str]) -> Ids:
        """The numbers of ``terms``, those that are new numbered in their order."""
        numbers, new = self._numbers.numbered(terms)
        self._new.extend(map(str.encode, new))
        return numbers

    def texts(self, numbers: npt.NDArray[np.integer]) -> Terms:
        """These terms."""
        self._take_in()
        return _gathered(self._data.values, self._starts.values, self._lengths.values, numbers)

    def in_order(self, numbers: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
        """These different numbers in the order of their terms' bytes.

        Sorting goes by the first sixteen bytes as two integers; only terms alike in them are compared in Python.
        """
        self._take_in()
        heads = self._heads.values.reshape(-1, 2).take(numbers, axis=0)
        order = np.lexsort((heads[:, 1], heads[:, 0]))
        heads, numbers = heads[order], numbers[order]
        is_alike = np.zeros(len(numbers) + 1, np.bool_)
        is_alike[1:-1] = (heads[1:] == heads[:-1]).all(axis=1)
        edges = np.flatnonzero(is_alike[1:] != is_alike[:-1])
        for first, last in zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True):
            alike = numbers[first : last + 1]
            texts = self.texts(alike).tolist()
            numbers[first : last + 1] = alike[sorted(range(len(texts)), key=texts.__getitem__)]
        return numbers

    def _take_in(self) -> None:
        """Put what is new into the arrays, and its first sixteen bytes as two numbers, which order as they do."""
        if self._new:
            lengths = np.fromiter(map(len, self._new), np.int64, len(self._new))
            self._starts.extend(len(self._data) + np.cumsum(lengths) - lengths)
            self._lengths.extend(lengths)
            self._data.extend(np.frombuffer(b"".join(self._new), np.uint8))
            self._heads.extend(np.array(self._new, "S16").view(">u8"))
            self._new = []


class UnitEntries:
    """By unit, the numbers of what it stands for and the positions in it; nearly every unit has exactly one.

    The first of each unit lie in one array, so that they are found in one step. All others lie apart.
    """

    def __init__(self) -> None:
        self._firsts = GrowingArray(np.int32)
        self._other_counts = GrowingArray(np.int32)
        self._other_starts = GrowingArray(np.int32)
        self._others = GrowingArray(np.int32)
        self._other_positions = GrowingArray(np.int32)

    def __len__(self) -> int:
        return len(self._firsts) + len(self._others)

    @property
    def firsts(self) -> Ids:
        """By unit: the number of what stands at its first position, -1 when nothing does."""
        return self._firsts.values

    def extend(self, firsts: Ids, units: Ids, numbers: Ids, positions: Ids) -> None:
        """Add units: the first of each or -1, then of the rest, in any order, index of ``firsts``, number, position."""
        order = np.lexsort((positions, units))
        counts = np.bincount(units, minlength=len(firsts))
        self._firsts.extend(firsts)
        self._other_starts.extend(len(self._others) + np.cumsum(counts) - counts)
        self._other_counts.extend(counts)
        self._others.extend(numbers[order])
        self._other_positions.extend(positions[order])

    def others(self, ids: npt.NDArray[np.integer]) -> tuple[npt.NDArray[np.int64], Ids, Ids]:
        """What the units ``ids`` stand for besides the first: index into ``ids``, number, position in the unit.

        In the order of ``ids`` and, within a unit, of the positions.
        """
        counts = self._other_counts.values.take(ids)
        having = np.flatnonzero(
            counts.astype(np.bool_)
        )  # as bool, because nonzero of integers takes three times as long
        counts = counts[having]
        ends = np.cumsum(counts, dtype=np.int64)
        slots = np.repeat(self._other_starts.values[ids[having]] - (ends - counts), counts)
        slots += np.arange(len(slots))
        return np.repeat(having, counts), self._others.values[slots], self._other_positions.values[slots]
