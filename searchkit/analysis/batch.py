"""The analysis of many texts at once, as array operations: the same terms at the same positions as text by text.

`tokenize` and `Analyzer.forms` say what the terms are. Here each distinct unit of text (a word, a chain of words, a
pair of characters) goes through them once and is remembered; where units stand, which they are and what terms that
makes of a text is array work. The twin to compare with: `Analyzer.terms` and `fold` of each token.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from searchkit.analysis import Analyzer, Kind, Token, analyzer_for, fold
from searchkit.analysis.characters import classify, encode, lower_ascii
from searchkit.analysis.spans import BEFORE, PADDING, Keys, Units, find_units, hash_spans
from searchkit.analysis.vocabulary import GrowingArray, Ids, KeyTable, TermNumbers
from searchkit.analysis.words import MAX_WORD, chain_tokens, is_paired

_CHUNK_CHARS = 150_000
"""Texts are looked at in stretches of about so many characters, whose arrays fit the processor's cache."""

_MAX_REMEMBERED = 1_000_000
"""Units and terms of units that are remembered, about 200 MB; beyond that the vocabulary is started afresh."""

_BETWEEN = "\n"
"""Stands between two texts: part of no word, and blank like the edge of a text is."""


@dataclass(frozen=True, slots=True)
class AnalysedTexts:
    """The terms of n texts, one text after the other and each in order of position.

    ``terms`` and ``words`` hold numbers in the analyzer's vocabulary; those of text i are from ``term_offsets[i]`` to
    ``term_offsets[i + 1]``, and from ``word_offsets[i]`` to ``word_offsets[i + 1]``. Several terms may share a
    position, one term may stand at a position twice.
    """

    terms: Ids
    """The stems and other forms that are searched for."""
    positions: Ids
    """Of each of ``terms``, counted from the start of its text."""
    term_offsets: npt.NDArray[np.int64]
    words: Ids
    """The unstemmed folded words, as often as they stand there."""
    word_offsets: npt.NDArray[np.int64]
    position_counts: npt.NDArray[np.int64]
    """Of each text: how many positions its words take up."""


class BatchAnalyzer:
    """The analysis of batches in any mix of languages; remembers from batch to batch. Not for several threads."""

    def __init__(self) -> None:
        self._forget()

    def analyse(self, texts: Sequence[str], languages: Sequence[str]) -> AnalysedTexts:
        """The terms of ``texts``, each in its language. The numbers in earlier results lose their meaning."""
        if len(self._units) + len(self._units.terms) > _MAX_REMEMBERED:
            self._forget()
        analyzers = [analyzer_for(language) for language in languages]
        chunks = [self._analyse_chunk(texts[first:last], analyzers[first:last]) for first, last in _chunks(texts)]
        return _joined(chunks)

    @property
    def vocabulary(self) -> TermNumbers:
        """What the numbers of the last result mean."""
        return self._units.vocabulary

    def _forget(self) -> None:
        self._units = _UnitTerms()
        self._language_keys: dict[Analyzer, np.uint64] = {}

    def _analyse_chunk(self, texts: Sequence[str], analyzers: Sequence[Analyzer]) -> AnalysedTexts:
        text = "".join((_BETWEEN * BEFORE, _BETWEEN.join(texts), _BETWEEN * PADDING))
        ends = np.fromiter(accumulate(len(text) + 1 for text in texts), np.int64, len(texts)) + BEFORE
        codes = lower_ascii(encode(text))
        units = find_units(classify(codes))
        bounds = np.concatenate(([0], np.searchsorted(units.starts, ends)))
        keys = self._keys(codes, units, bounds, analyzers)
        lengths = (units.seen_ends - units.seen_starts).astype(np.int32)
        ids = self._units.table.find(keys, lengths)
        missing = np.flatnonzero(ids < 0)
        while len(missing):
            new = missing[np.unique(keys[missing], return_index=True)[1]]
            owners = np.searchsorted(bounds, new, side="right") - 1
            self._units.learn(text, units, new, [analyzers[owner] for owner in owners.tolist()])
            self._units.table.add(keys[new], lengths[new])
            ids[missing] = self._units.table.find(keys[missing], lengths[missing])
            missing = missing[ids[missing] < 0]  # same key, other length: one after the other
        return self._units.expand(ids, bounds)

    def _keys(
        self, codes: npt.NDArray[np.unsignedinteger], units: Units, bounds: Ids, analyzers: Sequence[Analyzer]
    ) -> Keys:
        """What each unit is remembered by: its characters, its surroundings if they count, and its language."""
        keys = hash_spans(codes, units.seen_starts, units.seen_ends)
        for side, (own, seen) in enumerate(((units.starts, units.seen_starts), (units.ends, units.seen_ends))):
            if own is not seen:
                keys[own != seen] ^= _SURROUNDED[side]
        for analyzer in analyzers:
            if analyzer not in self._language_keys:
                self._language_keys[analyzer] = _random_key()
        language_keys = np.array([self._language_keys[analyzer] for analyzer in analyzers], np.uint64)
        keys ^= np.repeat(language_keys, np.diff(bounds))
        return keys


class _UnitTerms:
    """What each remembered unit stands for: how many positions it takes up, its terms with theirs, its words."""

    def __init__(self) -> None:
        self.vocabulary = TermNumbers()
        self.table = KeyTable()
        self.position_counts = GrowingArray(np.int32)
        self.terms = GrowingArray(np.int32)
        self.term_positions = GrowingArray(np.int32)
        self.term_firsts = GrowingArray(np.int32)
        self.term_counts = GrowingArray(np.int32)
        self.words = GrowingArray(np.int32)
        self.word_firsts = GrowingArray(np.int32)
        self.word_counts = GrowingArray(np.int32)

    def __len__(self) -> int:
        return len(self.table)

    def learn(self, text: str, units: Units, new: npt.NDArray[np.int64], analyzers: Sequence[Analyzer]) -> None:
        """Analyse the units of ``text`` with these indexes, which get the next numbers."""
        number = self.vocabulary.number
        position_counts: list[int] = []
        terms: list[int] = []
        term_positions: list[int] = []
        term_ends: list[int] = []
        words: list[int] = []
        word_ends: list[int] = []
        spans = (bounds[new].tolist() for bounds in units)
        for start, end, seen_start, seen_end, analyzer in zip(*spans, analyzers, strict=True):
            tokens = _unit_tokens(text[seen_start:seen_end], start - seen_start, end - seen_start)
            for token in tokens:
                for form in analyzer.forms(token.text, token.kind):
                    terms.append(number(form))
                    term_positions.append(token.position)
                word = fold(token.text)
                if word:
                    words.append(number(word))
            position_counts.append(tokens[-1].position + 1)
            term_ends.append(len(terms))
            word_ends.append(len(words))
        for ends, already, firsts, counts in (
            (term_ends, len(self.terms), self.term_firsts, self.term_counts),
            (word_ends, len(self.words), self.word_firsts, self.word_counts),
        ):
            edges = np.array([0, *ends], np.int32)
            firsts.extend(edges[:-1] + already)
            counts.extend(np.diff(edges))
        self.position_counts.extend(position_counts)
        self.terms.extend(terms)
        self.term_positions.extend(term_positions)
        self.words.extend(words)

    def expand(self, ids: Ids, bounds: npt.NDArray[np.int64]) -> AnalysedTexts:
        """The terms and words of the units ``ids``, those of text i from ``bounds[i]`` to ``bounds[i + 1]``."""
        positions, position_counts = _positions(self.position_counts.values.take(ids), bounds)
        slots, counts = _entries(self.term_firsts.values.take(ids), self.term_counts.values.take(ids))
        term_offsets = _cumulated(counts)[bounds]
        terms = self.terms.values.take(slots)
        term_positions = np.repeat(positions, counts)
        term_positions += self.term_positions.values.take(slots)
        slots, counts = _entries(self.word_firsts.values.take(ids), self.word_counts.values.take(ids))
        words = self.words.values.take(slots)
        return AnalysedTexts(terms, term_positions, term_offsets, words, _cumulated(counts)[bounds], position_counts)


def _unit_tokens(text: str, start: int, end: int) -> list[Token]:
    """The tokens of the unit from ``start`` to ``end``."""
    if is_paired(text[start]):
        kind = Kind.LAST if end - start == 1 else Kind.PAIR
        return [Token(text[start:end], 0, start, end, kind)]
    if start == 0 and end == len(text) and text.isalnum():
        return [Token(text[:MAX_WORD], 0, 0, end, Kind.WORD)]
    return list(chain_tokens(text, start, end))


def _positions(
    counts: npt.NDArray[np.int32], bounds: npt.NDArray[np.int64]
) -> tuple[Ids, npt.NDArray[np.int64]]:
    """The first position of each unit, counted from the start of its text, and the positions each text takes up."""
    offsets = _cumulated(counts)
    text_starts = offsets[bounds]
    text_counts = np.diff(text_starts)
    positions = offsets[:-1] - np.repeat(text_starts[:-1], np.diff(bounds))
    return positions.astype(np.int32), text_counts


def _entries(firsts: Ids, counts: Ids) -> tuple[npt.NDArray[np.int64], Ids]:
    """For runs of ``counts[i]`` entries from ``firsts[i]`` on: the index of every entry, run after run."""
    ends = np.cumsum(counts, dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    slots = np.repeat(firsts - (ends - counts), counts)
    slots += np.arange(total)
    return slots, counts


def _cumulated(counts: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """0 and the sums of the first 1, 2, ... counts."""
    sums = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=sums[1:])
    return sums


def _chunks(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Cut the texts into runs of about `_CHUNK_CHARS` characters: first and last + 1 of each."""
    ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
    last = np.flatnonzero(np.diff(ends // _CHUNK_CHARS)) + 1
    edges = [0, *last.tolist(), len(texts)]
    return list(zip(edges[:-1], edges[1:], strict=True)) if texts else []


def _joined(chunks: list[AnalysedTexts]) -> AnalysedTexts:
    def joined_offsets(parts: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
        return _cumulated(np.concatenate([np.diff(part) for part in parts] or [np.empty(0, np.int64)]))

    def concatenated(parts: list[Ids]) -> Ids:
        return np.concatenate([np.empty(0, np.int32), *parts])

    return AnalysedTexts(
        terms=concatenated([chunk.terms for chunk in chunks]),
        positions=concatenated([chunk.positions for chunk in chunks]),
        term_offsets=joined_offsets([chunk.term_offsets for chunk in chunks]),
        words=concatenated([chunk.words for chunk in chunks]),
        word_offsets=joined_offsets([chunk.word_offsets for chunk in chunks]),
        position_counts=np.concatenate([np.empty(0, np.int64), *(chunk.position_counts for chunk in chunks)]),
    )


def _random_key() -> np.uint64:
    return np.uint64(int.from_bytes(os.urandom(8), "little"))


_SURROUNDED = (_random_key(), _random_key())
"""Mark the keys of units that are seen with what stands before, and behind, so that they are no other unit's."""
