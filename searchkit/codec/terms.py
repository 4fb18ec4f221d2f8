"""A sorted dictionary of byte strings: the terms of one field, found by bisection or by prefix.

Ordinals, the places in the sorted order, are what posting lists are addressed by. Of every BLOCK terms the first, the
head, stands in full, the others without what they share with the head at their beginning: with the head rather
than with the term before them, so that all are put together in a few array operations, and one in a few slices.

Arrays of a dictionary called x: x (what is left of the terms, one after another), the offsets x/length (of that) and
the packed array x/prefix (how many bytes of its head each term begins with).

A dictionary that has been asked a few dozen times makes itself a `TermIndex`.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from searchkit.codec.container import Container, ContainerWriter, corrupt
from searchkit.codec.kernels import mixed, ranges, shared_prefixes, starts_of
from searchkit.codec.packed import (
    SUM_STEP,
    ArrayWriter,
    Offsets,
    OffsetsWriter,
    PackedArray,
    PackedWriter,
)
from searchkit.codec.term_index import TermIndex

BLOCK = 8
UNPACKED_PER_FIND = 2048  # offsets unpacked in the time of finding one term
KEPT_RUNS = 64  # decoded runs of terms kept for the next look-up: about half a megabyte
INDEX_AFTER = 48  # look-ups after which an index is made, which takes the time of a hundred
FEW_AT = 32  # terms in any order that are put together one by one in less time than all lengths are unpacked
FEW = 1024  # terms that an index puts together in less time than their lengths are unpacked
_SUMMED_AT_ONCE = BLOCK << 9  # terms whose bytes are summed at a time, which fits into caches
_AT_ONCE = BLOCK << 12  # terms put together or taken apart at a time, with arrays as long as their bytes


def write_terms(writer: ContainerWriter, name: str, terms: Sequence[bytes]) -> None:
    """Writes sorted, distinct byte strings as a dictionary."""
    write_term_bytes(writer, name, b"".join(terms), np.fromiter(map(len, terms), dtype=np.int64, count=len(terms)))


def write_term_bytes(
    writer: ContainerWriter, name: str, data: bytes | bytearray | memoryview, lengths: NDArray[np.integer]
) -> None:
    """Writes a dictionary from the joined bytes of the sorted, distinct terms and their lengths."""
    terms = TermsWriter(writer, name, at_once=True)
    terms.extend(np.frombuffer(data, dtype=np.uint8), lengths)
    terms.close()


class TermsWriter:
    """Writes a dictionary whose terms come in order, some at a time.

    With `at_once` their bytes go to the file as they come in; the container takes nothing else until it is closed.
    """

    def __init__(
        self, writer: ContainerWriter, name: str, bits: Mapping[str, int] | None = None, *, at_once: bool = False
    ) -> None:
        """Starts a dictionary; bits are the base widths of its packed arrays, where they are known before the terms."""
        bits = bits or {}
        self._data = ArrayWriter(writer, name, "u1", at_once=at_once)
        self._lengths = OffsetsWriter(writer, f"{name}/length", bits.get("length"))
        self._prefixes = PackedWriter(writer, f"{name}/prefix", bits.get("prefix"))
        self._waiting_data: NDArray[np.uint8] = np.zeros(0, dtype=np.uint8)  # of terms that fill no block yet
        self._waiting_lengths: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def extend(self, data: NDArray[np.uint8], lengths: NDArray[np.integer]) -> None:
        """Takes in the next terms: their bytes, one after another, and the length of each."""
        sizes = lengths.astype(np.int64, copy=False)
        if len(self._waiting_lengths):
            data = np.concatenate([self._waiting_data, data])
            sizes = np.concatenate([self._waiting_lengths, sizes])
        whole = len(sizes) - len(sizes) % BLOCK
        end = 0
        for first in range(0, whole, _AT_ONCE):
            of_terms = sizes[first : min(first + _AT_ONCE, whole)]
            start, end = end, end + int(of_terms.sum())
            self._write(data[start:end], of_terms)
        self._waiting_data, self._waiting_lengths = data[end:], sizes[whole:]

    def close(self) -> None:
        """Writes what is not in the file yet."""
        self._write(self._waiting_data, self._waiting_lengths)
        self._data.close()
        self._lengths.close()
        self._prefixes.close()

    def _write(self, data: NDArray[np.uint8], lengths: NDArray[np.int64]) -> None:
        starts = starts_of(lengths)
        shared = shared_prefixes(data, starts, BLOCK)
        self._data.extend(data[~_is_prefix(starts, shared)])
        self._lengths.extend(lengths - shared)
        self._prefixes.extend(shared)


def _is_prefix(starts: NDArray[np.int64], prefixes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Says of each byte of the joined terms whether it is one that its term shares with its head."""
    shared = np.flatnonzero(prefixes)
    steps = np.zeros(int(starts[-1]) + 1, dtype=np.int8)
    steps[starts[shared]] = 1
    steps[starts[shared] + prefixes[shared]] = -1  # within the term: it is longer than what it shares
    return np.cumsum(steps[:-1], dtype=np.int8).view(np.bool_)


def _numbers_of_places(last: int) -> NDArray[np.uint64]:
    """Returns a number for each place in a term, at least up to the last."""
    return _numbers_below(1 << max(last.bit_length(), 8))


@lru_cache(maxsize=8)
def _numbers_below(count: int) -> NDArray[np.uint64]:
    return mixed(np.arange(count, dtype=np.uint64))


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
        self._index: TermIndex | None = None
        if len(self._prefixes) != len(self._offsets):
            raise self._cut_off()

    def __len__(self) -> int:
        return len(self._offsets)

    def term(self, ordinal: int) -> bytes:
        """Returns the term at a place in the sorted order."""
        if self._index is not None and 0 <= ordinal < len(self):
            return self._index.terms(ordinal, ordinal + 1)[0]
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
            return self._index.terms(first, last)
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
        if len(ordinals) <= FEW_AT:
            return list(map(self.term, ordinals.tolist()))
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

    def hashes(self, first: int = 0, last: int | None = None) -> NDArray[np.uint64]:
        """Returns a number for each of the terms first to last (exclusive), the same for a term in every dictionary.

        It is the sum of its bytes, each times a number for its place, and a number for its length; two of a million
        terms share one once in ten million.
        """
        hashes, lengths = self._summed(
            first, last, lambda places, data: _numbers_of_places(int(places.max(initial=0))).take(places) * data
        )
        return hashes + mixed(_numbers_of_places(int(lengths.max(initial=0))).take(lengths))

    def beyond_ascii(self, first: int = 0, last: int | None = None) -> NDArray[np.bool_]:
        """Says of each of the terms first to last (exclusive) whether it has a byte beyond ASCII."""
        return self._summed(first, last, lambda _, data: (data >= 0x80).astype(np.uint64))[0] > 0

    def _summed(
        self,
        first: int,
        last: int | None,
        numbers_of: Callable[[NDArray[np.int64], NDArray[np.uint8]], NDArray[np.uint64]],
    ) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Sums numbers of the bytes of each term, which depend on their places in it; and returns the terms' lengths.

        What a term begins with as its head does is summed there.
        """
        last = len(self) if last is None else last
        base = first - first % BLOCK
        sums, sizes = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.int64)]
        for begin in range(base, last, _SUMMED_AT_ONCE):
            end = min(begin + _SUMMED_AT_ONCE, last)
            prefixes = self._prefixes.slice(begin, end).astype(np.int64)
            lengths = self._offsets.counts(begin, end)
            starts = starts_of(lengths)
            heads = np.arange(end - begin) // BLOCK * BLOCK
            data = self._data[self._offsets.start(begin) :][: starts[-1]]
            if len(data) < starts[-1] or (prefixes > lengths[heads]).any() or prefixes[::BLOCK].any():
                raise self._cut_off()
            places = np.arange(len(data)) - np.repeat(starts[:-1] - prefixes, lengths)
            running = np.zeros(len(data) + 1, dtype=np.uint64)
            np.cumsum(numbers_of(places, data), out=running[1:])
            shared = running[starts[heads] + prefixes] - running[starts[heads]]
            sums.append(shared + (running[starts[1:]] - running[starts[:-1]]))
            sizes.append(lengths + prefixes)
        return np.concatenate(sums)[first - base :], np.concatenate(sizes)[first - base :]

    def joined(self, first: int = 0, last: int | None = None) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Returns the bytes of the terms first to last (exclusive), by default of all, and the length of each term."""
        last = len(self) if last is None else last
        if not 0 <= first <= last <= len(self):
            raise corrupt(self._container.name, f"the term dictionary has no terms {first} to {last}")
        base = first - first % BLOCK
        starts = starts_of(self._offsets.counts(base, last)) + self._offsets.start(base)
        if int(starts[-1]) > len(self._data) or (last == len(self) and int(starts[-1]) < len(self._data)):
            raise self._cut_off()
        prefixes = self._prefixes.slice(base, last).astype(np.int64)
        lengths = starts[1:] - starts[:-1] + prefixes
        if not prefixes.any():
            return self._data[starts[first - base] : starts[-1]], lengths[first - base :]
        heads = np.arange(last - base) // BLOCK * BLOCK
        if prefixes[::BLOCK].any() or (prefixes > lengths[heads]).any() or (prefixes >= lengths)[prefixes > 0].any():
            raise self._cut_off()
        bounds = starts_of(lengths)
        joined = np.empty(int(bounds[-1]), dtype=np.uint8)
        for start in range(0, last - base, _AT_ONCE):
            terms = slice(start, min(start + _AT_ONCE, last - base))
            is_prefix = _is_prefix(bounds[start : terms.stop + 1] - bounds[start], prefixes[terms])
            of_terms = joined[bounds[start] : bounds[terms.stop]]
            of_terms[~is_prefix] = self._data[starts[start] : starts[terms.stop]]
            of_terms[is_prefix] = self._data[ranges(starts[heads[terms]], prefixes[terms])]
        return joined[bounds[first - base] :], lengths[first - base :]

    def widths(self) -> dict[str, int]:
        """Returns the base widths of the packed arrays, as `TermsWriter` takes them."""
        return {"length": self._offsets.bits, "prefix": self._prefixes.bits}

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
            return index.lower_bound(term)
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

    def between(self, bounds: Sequence[bytes]) -> list[tuple[int, list[bytes]]]:
        """Returns for each two bounds, where terms lie from the first on and before the second, the ordinal of the
        first of these, and all of them.
        """
        index = self._index or self._indexed_when_worth_it()
        if index is not None:
            return index.between(bounds)
        pairs = zip(map(self.lower_bound, bounds[::2]), map(self.lower_bound, bounds[1::2]), strict=True)
        return [(low, self.terms(low, high)) for low, high in pairs if low < high]

    def find(self, term: bytes) -> int | None:
        """Returns the ordinal of a term, or None when the dictionary does not hold it."""
        index = self._index or self._indexed_when_worth_it()
        if index is not None:
            return index.find(term)
        ordinal = self.lower_bound(term)
        if ordinal == len(self) or self._run(ordinal // SUM_STEP)[ordinal % SUM_STEP] != term:
            return None
        return ordinal

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

    def _indexed_when_worth_it(self) -> TermIndex | None:
        self._lookups += 1
        if self._lookups >= INDEX_AFTER and len(self):
            self.joined()  # which checks all that an index relies on
            self._index = TermIndex(self._data, self._offsets.counts(0, len(self)), self._prefixes.all(), BLOCK)
            self._heads, self._runs = {}, {}
        return self._index

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
