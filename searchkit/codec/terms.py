"""A sorted dictionary of byte strings: the terms of one field, found by bisection or by prefix.

Arrays of a dictionary called x: x (the strings, one after another, sorted by bytes and all different) and the
offsets x/length. Ordinals, the places in the sorted order, are what posting lists are addressed by.
"""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from searchkit.codec.container import Container, ContainerWriter, corrupt
from searchkit.codec.packed import SUM_STEP, Offsets, write_offsets

KEPT_RUNS = 256  # decoded runs of terms kept for the next look-up: about 2 MB


def write_terms(writer: ContainerWriter, name: str, terms: Sequence[bytes]) -> None:
    """Writes sorted, distinct byte strings as a dictionary."""
    write_term_bytes(writer, name, b"".join(terms), np.fromiter(map(len, terms), dtype=np.int64, count=len(terms)))


def write_term_bytes(
    writer: ContainerWriter, name: str, data: bytes | bytearray | memoryview, lengths: NDArray[np.integer]
) -> None:
    """Writes a dictionary from the joined bytes of the sorted, distinct terms and their lengths."""
    writer.add_bytes(name, data)
    write_offsets(writer, f"{name}/length", lengths)


class TermDictionary:
    """Reads a dictionary; safe to share between threads."""

    def __init__(self, container: Container, name: str) -> None:
        self._container = container
        self._data = container.array(name)
        self._offsets = Offsets(container, f"{name}/length")
        self._heads: dict[int, bytes] = {}
        self._runs: dict[int, list[bytes]] = {}

    def __len__(self) -> int:
        return len(self._offsets)

    def term(self, ordinal: int) -> bytes:
        """Returns the term at a place in the sorted order."""
        start, end = self._offsets.bounds(ordinal)
        return self._data[start:end].tobytes()

    def terms(self, first: int, last: int) -> list[bytes]:
        """Returns the terms first to last (exclusive) in order."""
        first, last = max(first, 0), min(last, len(self))
        if first >= last:
            return []
        position = base = self._offsets.start(first)
        lengths = self._offsets.counts(first, last).tolist()
        data = self._data[base : base + sum(lengths)].tobytes()
        if len(data) != sum(lengths):
            raise corrupt(self._container.name, "the term dictionary is cut off")
        found = []
        for length in lengths:
            found.append(data[position - base : position - base + length])
            position += length
        return found

    def joined(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Returns the bytes of all terms one after another, zero-copy, and the length of each term."""
        lengths = self._offsets.counts(0, len(self))
        if int(lengths.sum()) != len(self._data):
            raise corrupt(self._container.name, "the term dictionary is cut off")
        return self._data, lengths

    def lower_bound(self, term: bytes) -> int:
        """Returns the ordinal of the first term that is not before the one given; len(self) when all are."""
        low, high = 0, -(-len(self) // SUM_STEP)  # the answer is after head low - 1 and not after head high
        while low < high:
            middle = (low + high) // 2
            if self._head(middle) < term:
                low = middle + 1
            else:
                high = middle
        if low == 0:
            return 0
        return (low - 1) * SUM_STEP + bisect_left(self._run(low - 1), term)

    def find(self, term: bytes) -> int | None:
        """Returns the ordinal of a term, or None when the dictionary does not hold it."""
        ordinal = self.lower_bound(term)
        if ordinal == len(self) or self._run(ordinal // SUM_STEP)[ordinal % SUM_STEP] != term:
            return None
        return ordinal

    def prefix_range(self, prefix: bytes) -> tuple[int, int]:
        """Returns the ordinals (first, last exclusive) of the terms that begin with a prefix."""
        first = self.lower_bound(prefix)
        stem = prefix.rstrip(b"\xff")
        if not stem:
            return first, len(self)
        return first, self.lower_bound(stem[:-1] + bytes([stem[-1] + 1]))

    def _head(self, step: int) -> bytes:
        head = self._heads.get(step)
        if head is None:
            head = self._heads[step] = self.term(step * SUM_STEP)
        return head

    def _run(self, step: int) -> list[bytes]:
        """The SUM_STEP terms from a head on; runs looked at are kept, because queries come back to words."""
        run = self._runs.get(step)
        if run is None:
            run = self.terms(step * SUM_STEP, (step + 1) * SUM_STEP)
            if len(self._runs) >= KEPT_RUNS:
                self._runs = {}
            self._runs[step] = run
        return run
