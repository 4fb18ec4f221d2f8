"""A sorted dictionary of byte strings: the terms of one field, found by bisection or by prefix.

Ordinals, the places in the sorted order, are what posting lists are addressed by. Of every BLOCK terms the first, the
head, stands in full, the others without what they share with the head at their beginning: with the head rather
than with the term before them, so that all are put together in a few array operations, and one in a few slices.

Arrays of a dictionary called x: x (what is left of the terms, one after another), the offsets x/length (of that) and
the packed array x/prefix (how many bytes of its head each term begins with).

A dictionary that has been asked a few dozen times keeps the first eight bytes of each term as a number: a term is then
found by bisecting those in one step, in an eighth of the time, at 13 bytes of memory a term.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from searchkit.codec.container import Container, ContainerWriter, corrupt
from searchkit.codec.kernels import ranges, shared_prefixes, starts_of
from searchkit.codec.packed import SUM_STEP, Offsets, PackedArray, write_offsets, write_packed

BLOCK = 8
UNPACKED_PER_FIND = 2048  # offsets unpacked in the time of finding one term
KEPT_RUNS = 64  # decoded runs of terms kept for the next look-up: about half a megabyte
INDEX_AFTER = 48  # look-ups after which the first bytes of all terms are kept, which takes the time of a hundred
FEW = 1024  # terms that are sliced one by one in less time than their lengths are unpacked

_KEY_BYTES = 8


def write_terms(writer: ContainerWriter, name: str, terms: Sequence[bytes]) -> None:
    """Writes sorted, distinct byte strings as a dictionary."""
    write_term_bytes(writer, name, b"".join(terms), np.fromiter(map(len, terms), dtype=np.int64, count=len(terms)))


def write_term_bytes(
    writer: ContainerWriter, name: str, data: bytes | bytearray | memoryview, lengths: NDArray[np.integer]
) -> None:
    """Writes a dictionary from the joined bytes of the sorted, distinct terms and their lengths."""
    joined = np.frombuffer(data, dtype=np.uint8)
    starts = starts_of(lengths.astype(np.int64))
    prefixes = shared_prefixes(joined, starts, BLOCK)
    writer.add(name, joined[~_is_prefix(starts, prefixes)])
    write_offsets(writer, f"{name}/length", lengths - prefixes)
    write_packed(writer, f"{name}/prefix", prefixes)


def _is_prefix(starts: NDArray[np.int64], prefixes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Says of each byte of the joined terms whether it is one that its term shares with its head."""
    shared = np.flatnonzero(prefixes)
    steps = np.zeros(int(starts[-1]) + 1, dtype=np.int8)
    steps[starts[shared]] = 1
    steps[starts[shared] + prefixes[shared]] = -1  # within the term: it is longer than what it shares
    return np.cumsum(steps[:-1], dtype=np.int8).view(np.bool_)


@dataclass(frozen=True, slots=True)
class _Index:
    """What finding a term in one step takes: of each term its key (uint64) and what it shares with its head (uint8),
    and where what is left of it starts (unsigned, one more than terms).

    A key is the first `_KEY_BYTES` bytes as a big-endian number, filled up with zeros, so that keys rise as terms do.
    """

    keys: NDArray[np.uint64]
    prefixes: NDArray[np.uint8]
    starts: NDArray[np.unsignedinteger]


class TermDictionary:
    """Reads a dictionary; safe to share between threads."""

    def __init__(self, container: Container, name: str) -> None:
        self._container = container
        self._data = container.array(name)
        self._offsets = Offsets(container, f"{name}/length")
        self._prefixes = PackedArray(container, f"{name}/prefix")
        self._heads: dict[int, bytes] = {}
        self._runs: dict[int, list[bytes]] = {}
        self._lookups = 0
        self._index: _Index | None = None
        if len(self._prefixes) != len(self._offsets):
            raise self._cut_off()

    def __len__(self) -> int:
        return len(self._offsets)

    def term(self, ordinal: int) -> bytes:
        """Returns the term at a place in the sorted order."""
        if self._index is not None and 0 <= ordinal < len(self):
            return self._indexed_term(self._index, ordinal)
        if ordinal % BLOCK == 0:
            start, end = self._offsets.bounds(ordinal)
            return self._data[start:end].tobytes()
        found = self.terms(ordinal, ordinal + 1)
        if not found:
            raise corrupt(self._container.name, f"the term dictionary has no term {ordinal}")
        return found[0]

    def terms(self, first: int, last: int) -> list[bytes]:
        """Returns the terms first to last (exclusive) in order."""
        first, last = max(first, 0), min(last, len(self))
        if first >= last:
            return []
        if self._index is not None and last - first <= FEW:
            return self._indexed_terms(self._index, first, last)
        base = first - first % BLOCK
        start = self._offsets.start(base)
        lengths = self._offsets.counts(base, last).tolist()
        data = self._data[start : start + sum(lengths)].tobytes()
        if len(data) != sum(lengths):
            raise self._cut_off()
        found = []
        end = 0
        head = b""
        for place, (length, prefix) in enumerate(zip(lengths, self._prefixes.slice(base, last).tolist(), strict=True)):
            rest = data[end : end + length]
            end += length
            if prefix > (len(head) if place % BLOCK else 0):
                raise self._cut_off()
            found.append(rest if prefix == 0 else head[:prefix] + rest)
            if place % BLOCK == 0:
                head = rest
        return found[first - base :]

    def at(self, ordinals: NDArray[np.integer]) -> list[bytes]:
        """Returns the terms at these ordinals, in any order."""
        starts = self._starts()
        heads = ordinals - ordinals % BLOCK
        prefixes = self._prefixes.all()[ordinals]
        if (prefixes > starts[heads + 1] - starts[heads]).any() or prefixes[heads == ordinals].any():
            raise self._cut_off()
        # copied when much of it is wanted: slices of bytes take a third of the time
        data = self._data.tobytes() if len(ordinals) * 64 > len(self._data) else self._data.data
        places = (starts[heads], starts[heads] + prefixes, starts[ordinals], starts[ordinals + 1])
        return [
            bytes(data[head:shared]) + data[start:end]
            for head, shared, start, end in zip(*(place.tolist() for place in places), strict=True)
        ]

    def joined(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Returns the bytes of all terms one after another and the length of each term."""
        starts = self._starts()
        prefixes = self._prefixes.all().astype(np.int64)
        lengths = starts[1:] - starts[:-1] + prefixes
        if not prefixes.any():
            return self._data, lengths
        heads = np.arange(len(self)) // BLOCK * BLOCK
        if prefixes[::BLOCK].any() or (prefixes > lengths[heads]).any() or (prefixes >= lengths)[prefixes > 0].any():
            raise self._cut_off()
        is_prefix = _is_prefix(starts_of(lengths), prefixes)
        joined = np.empty(len(is_prefix), dtype=np.uint8)
        joined[~is_prefix] = self._data
        joined[is_prefix] = self._data[ranges(starts[heads], prefixes)]
        return joined, lengths

    def _starts(self) -> NDArray[np.int64]:
        """Where what is left of each term begins, and the last ends."""
        starts = self._offsets.all()
        if int(starts[-1]) != len(self._data):
            raise self._cut_off()
        return starts

    def _cut_off(self) -> Exception:
        return corrupt(self._container.name, "the term dictionary is cut off")

    def lower_bound(self, term: bytes) -> int:
        """Returns the ordinal of the first term that is not before the one given; len(self) when all are."""
        index = self._index or self._indexed_when_worth_it()
        if index is not None:
            return self._indexed_bound(index, term)
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

    def lower_bounds(self, terms: Sequence[bytes]) -> list[int]:
        """Returns what `lower_bound` does for each of the terms."""
        index = self._index or self._indexed_when_worth_it()
        if index is None:
            return [self.lower_bound(term) for term in terms]
        keys = np.frombuffer(b"".join([term[:_KEY_BYTES].ljust(_KEY_BYTES, b"\0") for term in terms]), dtype=">u8")
        keys = keys.astype(np.uint64)
        found: list[int] = index.keys.searchsorted(keys).tolist()
        if max(map(len, terms), default=0) > _KEY_BYTES or any(0 in term for term in terms):
            ends = index.keys.searchsorted(keys, side="right").tolist()
            return [self._bisected(index, *each) for each in zip(terms, found, ends, strict=True)]
        return found

    def find(self, term: bytes) -> int | None:
        """Returns the ordinal of a term, or None when the dictionary does not hold it."""
        ordinal = self.lower_bound(term)
        if ordinal == len(self):
            return None
        index = self._index
        if index is not None:
            return ordinal if self._indexed_term(index, ordinal) == term else None
        return ordinal if self._run(ordinal // SUM_STEP)[ordinal % SUM_STEP] == term else None

    def find_all(self, terms: Sequence[bytes]) -> list[int | None]:
        """Returns the ordinal of each of some terms, in any order, None for one that the dictionary does not hold."""
        if len(terms) * UNPACKED_PER_FIND < len(self):
            return [self.find(term) for term in terms]
        starts, prefixes, data = self._starts(), self._prefixes.all(), self._data.data
        shared = np.maximum.reduceat(prefixes, np.arange(0, len(self), BLOCK)) if len(self) else prefixes
        if (shared > np.diff(starts)[::BLOCK]).any() or prefixes[::BLOCK].any():
            raise self._cut_off()

        def term_at(ordinal: int) -> bytes:
            head, prefix = starts.item(ordinal - ordinal % BLOCK), prefixes.item(ordinal)
            return bytes(data[head : head + prefix]) + data[starts.item(ordinal) : starts.item(ordinal + 1)]

        ordinals = range(len(self))
        places = [bisect_left(ordinals, term, key=term_at) for term in terms]
        return [at if at < len(self) and term_at(at) == term else None for at, term in zip(places, terms, strict=True)]

    def prefix_range(self, prefix: bytes) -> tuple[int, int]:
        """Returns the ordinals (first, last exclusive) of the terms that begin with a prefix."""
        first = self.lower_bound(prefix)
        stem = prefix.rstrip(b"\xff")
        if not stem:
            return first, len(self)
        return first, self.lower_bound(stem[:-1] + bytes([stem[-1] + 1]))

    # Found in one step -----------------------------------------------------------------------------------

    def _indexed_when_worth_it(self) -> _Index | None:
        self._lookups += 1
        if self._lookups >= INDEX_AFTER and len(self):
            self._index = self._indexed()
            self._heads, self._runs = {}, {}
        return self._index

    def _indexed(self) -> _Index:
        data, lengths = self.joined()
        starts = starts_of(lengths)[:-1]
        keys = np.zeros((len(self), _KEY_BYTES), dtype=np.uint8)
        for place in range(_KEY_BYTES):
            long_enough = np.flatnonzero(lengths > place)
            keys[long_enough, place] = data[starts[long_enough] + place]
        return _Index(
            keys.view(">u8").reshape(-1).astype(np.uint64),
            self._prefixes.all().astype(np.uint8),
            self._offsets.kept(),
        )

    def _indexed_bound(self, index: _Index, term: bytes) -> int:
        key = np.uint64(int.from_bytes(term[:_KEY_BYTES].ljust(_KEY_BYTES, b"\0")))
        low = int(index.keys.searchsorted(key))
        if len(term) <= _KEY_BYTES and 0 not in term:
            return low  # terms of this key are the term itself and longer ones
        return self._bisected(index, term, low, int(index.keys.searchsorted(key, side="right")))

    def _bisected(self, index: _Index, term: bytes, low: int, high: int) -> int:
        """Returns the first ordinal from low to high, whose terms have the same key, that is not before a term."""
        while low < high:
            middle = (low + high) // 2
            if self._indexed_term(index, middle) < term:
                low = middle + 1
            else:
                high = middle
        return low

    def _indexed_term(self, index: _Index, ordinal: int) -> bytes:
        start, end = index.starts[ordinal : ordinal + 2].tolist()
        prefix = index.prefixes.item(ordinal)
        if not prefix:
            return self._data[start:end].tobytes()
        head = index.starts.item(ordinal - ordinal % BLOCK)
        return self._data[head : head + prefix].tobytes() + self._data[start:end].tobytes()

    def _indexed_terms(self, index: _Index, first: int, last: int) -> list[bytes]:
        base = first - first % BLOCK
        starts = index.starts[base : last + 1].tolist()
        begin = starts[0]
        data = self._data[begin : starts[-1]].tobytes()
        found = []
        head = b""
        for place, prefix in enumerate(index.prefixes[base:last].tolist()):
            rest = data[starts[place] - begin : starts[place + 1] - begin]
            if place % BLOCK == 0:
                head = rest
            found.append(head[:prefix] + rest if prefix else rest)
        return found[first - base :]

    # Found by halves, before it is worth more ------------------------------------------------------------

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
