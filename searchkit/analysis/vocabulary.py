"""The vocabulary of a batch analysis: what has been analysed before, found again by array operations."""

from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from searchkit.analysis.spans import Keys

Ids = npt.NDArray[np.int32]

_Scalar = TypeVar("_Scalar", bound=np.generic)

_SMALLEST_BITS = 12


class KeyTable:
    """Numbers for pairs of a 64-bit key and a length: a hash table with open addressing, asked by whole arrays.

    The length stands beside the key so that spans of different lengths are never taken for each other.
    """

    def __init__(self) -> None:
        self._allot(_SMALLEST_BITS)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def find(self, keys: Keys, lengths: Ids) -> Ids:
        """The number of each pair, -1 for those that are not there."""
        slots = self._first_slots(keys)
        ids = self._ids.take(slots)
        is_other = self._keys.take(slots) != keys
        is_other |= self._lengths.take(slots) != lengths
        is_other &= ids >= 0
        others = np.flatnonzero(is_other)
        slots = slots[others]
        while len(others):  # another pair lies in the slot: look in the next one
            slots = slots + 1 & len(self._keys) - 1
            found = self._ids.take(slots)
            ids[others] = found
            is_other = (self._keys.take(slots) != keys[others]) | (self._lengths.take(slots) != lengths[others])
            is_other &= found >= 0
            others, slots = others[is_other], slots[is_other]
        return ids

    def add(self, keys: Keys, lengths: Ids) -> None:
        """Number these pairs, which are different and not there yet, on from `len`."""
        ids = np.arange(self._count, self._count + len(keys), dtype=np.int32)
        self._count += len(keys)
        if self._count * 3 > len(self._keys):
            old = self._ids >= 0
            keys = np.concatenate((self._keys[old], keys))
            lengths = np.concatenate((self._lengths[old], lengths))
            ids = np.concatenate((self._ids[old], ids))
            self._allot(max(_SMALLEST_BITS, (self._count * 4).bit_length()))
        self._put(keys, lengths, ids)

    def _allot(self, bits: int) -> None:
        self._shift = np.uint64(64 - bits)
        self._keys = np.zeros(1 << bits, np.uint64)
        self._lengths = np.zeros(1 << bits, np.int32)
        self._ids = np.full(1 << bits, -1, np.int32)

    def _first_slots(self, keys: Keys) -> npt.NDArray[np.int64]:
        return (keys >> self._shift).view(np.int64)

    def _put(self, keys: Keys, lengths: Ids, ids: Ids) -> None:
        slots = self._first_slots(keys)
        waiting = np.arange(len(keys))
        while len(waiting):
            free = waiting[self._ids[slots[waiting]] < 0]
            self._ids[slots[free]] = ids[free]  # of several that want one slot the last gets it
            placed = free[self._ids[slots[free]] == ids[free]]
            self._keys[slots[placed]] = keys[placed]
            self._lengths[slots[placed]] = lengths[placed]
            waiting = waiting[self._ids[slots[waiting]] != ids[waiting]]
            slots[waiting] = slots[waiting] + 1 & len(self._keys) - 1


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


class TermNumbers:
    """Terms by number and numbers by term, for as long as a vocabulary lives."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._terms: list[bytes] = []
        self._heads: GrowingArray[np.uint64] = GrowingArray(np.uint64)

    def __len__(self) -> int:
        return len(self._terms)

    def number(self, term: str) -> int:
        """The number of ``term``, the next free one when it is new."""
        known = self._numbers.get(term)
        if known is None:
            known = self._numbers[term] = len(self._terms)
            self._terms.append(term.encode())
        return known

    def texts(self, numbers: npt.NDArray[np.integer]) -> list[bytes]:
        """The UTF-8 of these terms."""
        terms = self._terms
        return [terms[number] for number in numbers.tolist()]

    def in_order(self, numbers: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
        """These different numbers in the order of their terms' bytes.

        Sorting goes by the first sixteen bytes as two integers; only terms alike in them are compared in Python.
        """
        heads = self._first_bytes().take(numbers, axis=0)
        order = np.lexsort((heads[:, 1], heads[:, 0]))
        heads, numbers = heads[order], numbers[order]
        is_alike = np.zeros(len(numbers) + 1, np.bool_)
        is_alike[1:-1] = (heads[1:] == heads[:-1]).all(axis=1)
        edges = np.flatnonzero(is_alike[1:] != is_alike[:-1])
        for first, last in zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True):
            numbers[first : last + 1] = sorted(numbers[first : last + 1].tolist(), key=self._terms.__getitem__)
        return numbers

    def _first_bytes(self) -> npt.NDArray[np.uint64]:
        """For each term its first sixteen bytes as two numbers, filled up with zeros; they order as the bytes do."""
        new = self._terms[len(self._heads) // 2 :]
        if new:
            self._heads.extend(np.array(new, "S16").view(">u8"))
        return self._heads.values.reshape(-1, 2)
