"""What finding terms of a dictionary in one step takes, made from one that is asked often.

Of each block of terms its head's first eight bytes are kept as a number: a term is found by one bisection of those and
a look at the one block that can have it, in a fifth of the time, at some four bytes of memory a term.
"""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from searchkit.codec.kernels import narrowest, starts_of

KEY_BYTES = 8
_LISTED = 4096  # terms, at most, among which those beyond ASCII are listed
_READ_WHOLE = 16  # blocks that may have terms between two bounds and are read without a look at where these begin


class TermIndex:
    """The terms of a dictionary by blocks of ``block``; safe to share between threads.

    ``data`` is what is left of all terms one after another, as the file has it; ``lengths`` are those of what is left
    of each term, ``prefixes`` how many bytes of its head each begins with. All have been checked by who gives them.
    """

    def __init__(
        self, data: NDArray[np.uint8], lengths: NDArray[np.int64], prefixes: NDArray[np.integer], block: int
    ) -> None:
        starts = starts_of(lengths)
        heads = starts[:-1:block]
        self._block = block
        self._count = len(lengths)
        self._data = data
        self._lengths = lengths.astype(narrowest(int(lengths.max(initial=0))))
        self._prefixes = prefixes.astype(np.uint8)
        self._starts = np.append(heads, starts[-1]).astype(np.uint32 if int(starts[-1]) < 2**32 else np.uint64)
        self._keys = _keys(data, heads, lengths[::block])
        """Of each block the first `KEY_BYTES` bytes of its head as a big-endian number, filled up with zeros."""
        accents = np.flatnonzero(data >= 0x80).searchsorted(self._starts)
        self._beyond_ascii = self._listed(np.flatnonzero(accents[1:] > accents[:-1]).tolist())

    def lower_bound(self, term: bytes) -> int:
        """Returns the ordinal of the first term that is not before the one given; the number of terms when all are."""
        return self._place_of(term, int(self._keys.searchsorted(_key(term))))[0]

    def find(self, term: bytes) -> int | None:
        """Returns the ordinal of a term, or None when the dictionary does not hold it."""
        place, is_there = self._place_of(term, int(self._keys.searchsorted(_key(term))))
        return place if is_there else None

    def between(self, bounds: Sequence[bytes]) -> list[tuple[int, list[bytes]]]:
        """Returns for each two bounds, where terms lie from the first on and before the second, the ordinal of the
        first of these, and all of them.
        """
        found = []
        beyond_ascii = self._beyond_ascii
        for first, end in zip(bounds[::2], bounds[1::2], strict=True):
            if beyond_ascii is not None and _differ_beyond_ascii(first, end):
                ordinals, known = beyond_ascii
                at = bisect_left(known, first)
                if at < len(known) and known[at] < end:
                    found.append((ordinals[at], known[at : bisect_left(known, end, at)]))
                continue
            low, terms = self._between(first, end)
            if terms:
                found.append((low, terms))
        return found

    def _between(self, first: bytes, end: bytes) -> tuple[int, list[bytes]]:
        block = int(self._keys.searchsorted(_key(first)))
        end_block = int(self._keys.searchsorted(_key(end), side="right"))  # before which all that is before `end` is
        if end_block - block > _READ_WHOLE:  # of URLs very many begin alike
            low, _ = self._place_of(first, block)
            high, _ = self._place_of(end, int(self._keys.searchsorted(_key(end))))
            return low, self.terms(low, high)
        base = max(block - 1, 0) * self._block
        terms = self.terms(base, min(end_block * self._block, self._count))
        low = bisect_left(terms, first)
        return base + low, terms[low : bisect_left(terms, end, low)]

    def terms(self, first: int, last: int) -> list[bytes]:
        """Returns the terms first to last (exclusive), which are there."""
        if first >= last:
            return []
        block = first // self._block
        base = block * self._block
        lengths = self._lengths[base:last].tolist()
        start = self._starts.item(block)
        data = self._data[start : start + sum(lengths)].tobytes()
        found = []
        end = 0
        head = b""
        for place, prefix in enumerate(self._prefixes[base:last].tolist()):
            rest = data[end : end + lengths[place]]
            end += lengths[place]
            if place % self._block == 0:
                head = rest
            found.append(head[:prefix] + rest if prefix else rest)
        return found[first - base :]

    def _listed(self, blocks: list[int]) -> tuple[list[int], list[bytes]] | None:
        """The ordinals and terms of those in these blocks that have a byte beyond ASCII; None for many."""
        if len(blocks) * self._block > _LISTED:
            return None
        ordinals, listed = [], []
        for base in (block * self._block for block in blocks):
            for ordinal, term in enumerate(self.terms(base, min(base + self._block, self._count)), base):
                if not term.isascii():
                    ordinals.append(ordinal)
                    listed.append(term)
        return ordinals, listed

    def _place_of(self, term: bytes, block: int) -> tuple[int, bool]:
        """As `lower_bound`, and whether the term is there, given the first block whose head has its key or greater."""
        if (len(term) > KEY_BYTES or 0 in term) and block < len(self._keys) and self._head(block) < term:
            end = int(self._keys.searchsorted(_key(term), side="right"))
            block = bisect_left(range(end), term, lo=block + 1, key=self._head)  # of URLs very many begin alike
        if block:
            place, is_there = self._place_in(block - 1, term)
            if place < block * self._block:
                return place, is_there
        return block * self._block, block < len(self._keys) and self._head(block) == term

    def _place_in(self, block: int, term: bytes) -> tuple[int, bool]:
        """The place in a block of the first term that is not before the one given, or its end; whether it is that."""
        base = block * self._block
        lengths = self._lengths[base : base + self._block].tolist()
        start = self._starts.item(block)
        data = self._data[start : start + sum(lengths)].tobytes()
        head, end = data[: lengths[0]], 0
        for place, prefix in enumerate(self._prefixes[base : base + self._block].tolist(), base):
            rest = data[end : end + lengths[place - base]]
            end += len(rest)
            found = head[:prefix] + rest if prefix else rest
            if found >= term:
                return place, found == term
        return base + len(lengths), False

    def _head(self, block: int) -> bytes:
        start = self._starts.item(block)
        return self._data[start : start + self._lengths.item(block * self._block)].tobytes()


def _key(term: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(term[:KEY_BYTES].ljust(KEY_BYTES, b"\0")))


def _keys(data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.uint64]:
    keys = np.zeros((len(starts), KEY_BYTES), dtype=np.uint8)
    for place in range(KEY_BYTES):
        is_longer = lengths > place
        keys[is_longer, place] = data[starts[is_longer] + place]
    return keys.view(">u8").reshape(-1).astype(np.uint64)


def _differ_beyond_ascii(first: bytes, end: bytes) -> bool:
    """Whether all that lies between two bounds has a byte beyond ASCII, behind what both begin with.

    So it stands side by side, without a term of plain letters in between.
    """
    return first[-1:] >= b"\x80" and end[-1:] >= b"\x80" and first[:-1] == end[:-1]
