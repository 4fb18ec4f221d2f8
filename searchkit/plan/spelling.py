"""Words near a word: how many letters apart, for a whole sorted vocabulary at once.

An edit is one letter left out, put in or changed, or two neighbours swapped; no letter is edited twice (the optimal
string alignment distance; Boytsov, "Indexing methods for approximate dictionary searching", 2011, section 2.1).
Everything here is a pure function of arrays; `expansion.py` asks it about the vocabularies of an archive.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from searchkit.codec.kernels import mixed

Codes = npt.NDArray[np.unsignedinteger[Any]]
Ordinals = npt.NDArray[np.signedinteger[Any]]
Signatures = npt.NDArray[np.uint32]

_FAR = 100


@dataclass(frozen=True, slots=True)
class LetterTable:
    """Sorted words as letters: word n is ``codes[starts[n]:starts[n] + lengths[n]]``, code points.

    Bit b of ``signatures[n]`` says whether the word has a letter whose code point is b modulo 32.
    """

    codes: Codes
    starts: Ordinals
    lengths: Ordinals
    signatures: Signatures

    @classmethod
    def of(cls, words: Sequence[str]) -> "LetterTable":
        """The table of these words, each of at least one letter."""
        joined = "".join(words).encode("utf-32-le", "surrogatepass")
        lengths = np.fromiter(map(len, words), np.int64, len(words))
        return cls.of_codes(np.frombuffer(joined, np.uint32), lengths)

    @classmethod
    def of_codes(cls, codes: Codes, lengths: Ordinals) -> "LetterTable":
        """The table of words that stand one after another in ``codes``, each of at least one letter."""
        return cls.of_spans(codes, np.cumsum(lengths) - lengths, lengths)

    @classmethod
    def of_spans(cls, codes: Codes, starts: Ordinals, lengths: Ordinals) -> "LetterTable":
        """The table of words that stand in ``codes`` one behind another, each of at least one letter."""
        bits = np.append(np.uint32(1) << (codes & np.uint32(31)), np.uint32(0))
        bounds = np.column_stack((starts, starts + lengths)).reshape(-1)
        signatures = np.bitwise_or.reduceat(bits, bounds)[::2] if len(starts) else np.empty(0, np.uint32)
        return cls(codes, starts, lengths, signatures)

    @property
    def hashes(self) -> npt.NDArray[np.uint64]:
        """A number for each word, the same for the same letters; two of a million words share one once in 10 million.

        The sum of its letters, each mixed with its place.
        """
        if not len(self.starts):
            return np.empty(0, np.uint64)
        places = np.arange(len(self.codes), dtype=np.uint64) - np.repeat(self.starts, self.lengths).astype(np.uint64)
        return np.add.reduceat(mixed(places << np.uint64(32) | self.codes), self.starts)

    def equals(self, word: str) -> npt.NDArray[np.bool_]:
        """Which of the words are this one."""
        return self._beginning(word, self.lengths == len(word))

    def begin_with(self, word: str) -> npt.NDArray[np.bool_]:
        """Which of the words begin with this one."""
        return self._beginning(word, self.lengths >= len(word))

    def _beginning(self, word: str, among: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        found = np.flatnonzero(among)
        for place, letter in enumerate(word):
            found = found[self.codes[self.starts[found] + place] == ord(letter)]
        begins = np.zeros(len(self.starts), dtype=np.bool_)
        begins[found] = True
        return begins

    def word(self, ordinal: int) -> str:
        """The word at a place in the order."""
        start = int(self.starts[ordinal])
        letters = self.codes[start : start + int(self.lengths[ordinal])].astype(np.uint32)
        return letters.tobytes().decode("utf-32-le", "surrogatepass")

    def compact(self) -> "LetterTable":
        """The same table in less memory, to be kept."""
        is_short = not len(self.codes) or int(self.codes.max()) < 1 << 16
        codes = self.codes.astype(np.uint16, copy=False) if is_short else self.codes
        return LetterTable(codes, self.starts.astype(np.int32), self.lengths.astype(np.int32), self.signatures)


def near(word: str, table: LetterTable, edits: int) -> tuple[Ordinals, npt.NDArray[np.int64]]:
    """The ordinals of the words at most ``edits`` from ``word``, ascending, and how many edits away each is."""
    wanted = LetterTable.of([word]).signatures[0] if word else np.uint32(0)
    is_long_enough = np.abs(table.lengths - len(word)) <= edits
    # An edit takes at most one letter out of the set of letters and puts at most one into it.
    apart = table.signatures ^ wanted
    bit_counts = _bit_counts()
    differing = bit_counts[apart & np.uint32(0xFFFF)] + bit_counts[apart >> np.uint32(16)]
    candidates = np.flatnonzero(is_long_enough & (differing <= 2 * edits))
    if not len(candidates):
        return candidates, candidates
    found = distances(word, table, candidates, edits)
    is_near = found <= edits
    return candidates[is_near], found[is_near]


@cache
def _bit_counts() -> npt.NDArray[np.uint8]:
    """How many bits are set in each number of 16 bits."""
    bits = np.unpackbits(np.arange(1 << 16, dtype=">u2").view(np.uint8)).reshape(-1, 16)
    return np.asarray(bits.sum(axis=1), dtype=np.uint8)


def distances(word: str, table: LetterTable, ordinals: Ordinals, most: int) -> npt.NDArray[np.int64]:
    """The distance of ``word`` to each of these words; any number above ``most`` where it is more than that.

    Only the cells at most ``most`` off the diagonal of the usual table are computed, each for all words together.
    """
    lengths = table.lengths[ordinals]
    width = len(word) + most
    places = table.starts[ordinals, np.newaxis] + np.arange(width)
    letters = table.codes.take(places, mode="clip").T  # those past the end of a word never reach its last cell
    codes = np.frombuffer(word.encode("utf-32-le", "surrogatepass"), np.uint32)
    count = len(ordinals)
    far = np.full(count, _FAR, np.int8)
    before_last: dict[int, npt.NDArray[np.int8]] = {}
    last = {j: np.full(count, j, np.int8) for j in range(most + 1)}
    for i in range(1, len(codes) + 1):
        row: dict[int, npt.NDArray[np.int8]] = {}
        for j in range(max(0, i - most), i + most + 1):
            if j == 0:
                row[0] = np.full(count, i, np.int8)
                continue
            cell = last[j - 1] + (letters[j - 1] != codes[i - 1])
            cell = np.minimum(cell, np.minimum(last.get(j, far), row.get(j - 1, far)) + np.int8(1))
            if i > 1 and j > 1 and j - 2 in before_last:
                is_swapped = (letters[j - 1] == codes[i - 2]) & (letters[j - 2] == codes[i - 1])
                cell = np.where(is_swapped, np.minimum(cell, before_last[j - 2] + np.int8(1)), cell)
            row[j] = cell
        before_last, last = last, row
    found = np.full(count, _FAR, np.int64)
    for j, cell in last.items():
        ends_here = lengths == j
        found[ends_here] = cell[ends_here]
    return found
