"""The analysis of many texts at once, as array operations: the same terms at the same positions as text by text.

`tokenize` and `Analyzer.forms` say what the terms are. Here each distinct unit of text (a word, a chain of words, a
pair of characters; see `searchkit.analysis.spans`) goes through them once and is remembered; where units stand and
which they are is array work. The twin to compare with: `Analyzer.terms`, and `fold` of each token.
"""

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, compress, count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from searchkit.analysis import Analyzer, accented, analyzer_for, fold
from searchkit.analysis.characters import Codes, classify, encode, lower_ascii
from searchkit.analysis.spans import BEFORE, PADDING, Keys, Offsets, Units, find_units, hash_spans
from searchkit.analysis.vocabulary import GrowingArray, Ids, KeyTable, Numbering, TermNumbers, UnitEntries
from searchkit.analysis.words import CONNECTORS, MAX_JOINED_PARTS, MAX_WORD, chain_spellings, is_paired

_MAX_REMEMBERED = 1_000_000
"""Units and their terms that are remembered, some 100 MB; beyond that an analyzer starts afresh."""

_BETWEEN = "\n"
"""Stands between two texts: part of no word, and blank like the edge of a text is."""


@dataclass(frozen=True, slots=True)
class AnalysedTexts:
    """The units of n texts, one after the other: those of text i are from ``bounds[i]`` to ``bounds[i + 1]``."""

    ids: Ids
    """Which unit: an index into what the analyzer remembers of units."""
    positions: npt.NDArray[np.int64]
    """Of the first word of each unit, counted through all n texts."""
    bounds: Offsets
    text_positions: npt.NDArray[np.int64]
    """The position at which each text begins, counted through all of them, and at last their sum: n + 1 numbers."""


class BatchAnalyzer:
    """The analysis of batches in any mix of languages; remembers from batch to batch. Not for several threads.

    What a unit stands for is in ``terms`` (what is searched for), ``words`` (unstemmed and folded) and
    ``position_counts``, by the numbers that `analyse` gives.
    """

    def __init__(self) -> None:
        self._forget()

    def analyse(self, texts: Sequence[str], languages: Sequence[str]) -> AnalysedTexts:
        """Find the units of ``texts``, each in its language: some hundred thousand characters a call are fastest."""
        analyzers = [analyzer_for(language) for language in languages]
        text = "".join((_BETWEEN * BEFORE, _BETWEEN.join(texts), _BETWEEN * PADDING))
        text_ends = np.fromiter(accumulate(len(text) + 1 for text in texts), np.int64, len(texts)) + BEFORE
        codes = lower_ascii(encode(text))
        units = find_units(classify(codes))
        bounds = np.concatenate(([0], np.searchsorted(units.starts, text_ends)))
        ids = self._identify(text, units, self._keys(codes, units, bounds, analyzers), bounds, analyzers)
        positions = np.zeros(len(ids) + 1, np.int64)
        np.cumsum(self.position_counts.take(ids), out=positions[1:])
        return AnalysedTexts(ids, positions[:-1], bounds, positions[bounds])

    def forget_too_much(self) -> None:
        """Begin afresh when more is remembered than memory should hold: the numbers given so far lose their meaning."""
        if len(self._table) + len(self.terms) + len(self.words) > _MAX_REMEMBERED:
            self._forget()

    def _forget(self) -> None:
        self.vocabulary = TermNumbers()
        self.terms = UnitEntries()
        self.words = UnitEntries()
        self._position_counts: GrowingArray[np.int32] = GrowingArray(np.int32)
        self._table = KeyTable()
        self._ascii_words = _AsciiWords(self.vocabulary)
        self._meanings: defaultdict[Analyzer, dict[str, tuple[tuple[int, ...], int, int]]] = defaultdict(dict)
        self._language_keys: dict[Analyzer, np.uint64] = {}

    @property
    def position_counts(self) -> Ids:
        """By unit: how many positions it takes up."""
        return self._position_counts.values

    def _keys(self, codes: Codes, units: Units, bounds: Offsets, analyzers: Sequence[Analyzer]) -> Keys:
        """What each unit is remembered by: its characters, its surroundings if they count, and its language.

        A unit with its surroundings is never spelled like one without or with others: it holds, where it does, a full
        stop or a symbol with no word of the same chain on its other side, which no chain does.
        """
        keys = hash_spans(codes, units.seen_starts, units.seen_ends)
        for analyzer in set(analyzers) - self._language_keys.keys():
            self._language_keys[analyzer] = _random_key()
        language_keys = np.array([self._language_keys[analyzer] for analyzer in analyzers], np.uint64)
        keys ^= np.repeat(language_keys, np.diff(bounds))
        return keys

    def _identify(self, text: str, units: Units, keys: Keys, bounds: Offsets, analyzers: Sequence[Analyzer]) -> Ids:
        """The number of each unit; new ones are analysed and numbered."""
        lengths = (units.seen_ends - units.seen_starts).astype(np.int32)
        ids = self._table.find(keys, lengths)
        missing = np.flatnonzero(ids < 0)
        while len(missing):  # a second time only for units of different lengths with one key
            new = np.sort(missing[np.unique(keys[missing], return_index=True)[1]])  # frequent ones early
            owners = np.searchsorted(bounds, new, side="right") - 1
            self._learn(text, units, new, [analyzers[owner] for owner in owners.tolist()])
            self._table.add(keys[new], lengths[new])
            ids[missing] = self._table.find(keys[missing], lengths[missing])
            missing = missing[ids[missing] < 0]
        return ids

    def _learn(self, text: str, units: Units, new: Offsets, analyzers: Sequence[Analyzer]) -> None:
        """Analyse the units of ``text`` with these indexes, which get the next numbers."""
        starts, ends, seen_starts, seen_ends = (places[new] for places in units)
        seen = [text[start:end] for start, end in zip(seen_starts.tolist(), seen_ends.tolist(), strict=True)]
        is_plain = (starts == seen_starts) & (ends == seen_ends)
        if not text.isascii():
            is_plain &= np.fromiter(map(str.isascii, seen), np.bool_, len(seen))
        learnt = _Learnt(len(new))
        by_analyzer: defaultdict[Analyzer, list[int]] = defaultdict(list)
        for unit in np.flatnonzero(is_plain).tolist():
            by_analyzer[analyzers[unit]].append(unit)
        for analyzer, plain in by_analyzer.items():
            self._learn_ascii(analyzer, plain, [seen[unit] for unit in plain], learnt)
        others = np.flatnonzero(~is_plain).tolist()
        befores, lengths = (starts - seen_starts)[others].tolist(), (ends - starts)[others].tolist()
        spellings = [
            _spellings(seen[unit], before, before + length)
            for unit, before, length in zip(others, befores, lengths, strict=True)
        ]
        self._learn_any([analyzers[unit] for unit in others], others, spellings, learnt)
        self._position_counts.extend(learnt.position_counts)
        self.terms.extend(*learnt.terms.columns())
        self.words.extend(*learnt.words.columns())

    def _learn_ascii(self, analyzer: Analyzer, units: list[int], chains: Sequence[str], learnt: "_Learnt") -> None:
        """Learn units of words of ASCII characters and connectors: nearly all, so it is done for all at once."""
        rows, joined = _ascii_spellings(chains)
        words = list(chain.from_iterable(rows))
        counts = np.fromiter(map(len, rows), np.int64, len(rows))
        is_joined = (counts > 1) & (counts <= MAX_JOINED_PARTS)
        words += compress(joined, is_joined.tolist())
        if len(max(words, key=len)) > MAX_WORD:
            words = [word[:MAX_WORD] for word in words]
        terms, exact = self._ascii_words.numbers(words, analyzer)
        indexes = np.array(units, np.int32)
        learnt.position_counts[indexes] = counts
        starts = np.cumsum(counts) - counts
        owners = np.repeat(indexes, counts)
        positions = (np.arange(len(owners)) - np.repeat(starts, counts)).astype(np.int32)
        lasts = (counts[is_joined] - 1).astype(np.int32)
        later = np.flatnonzero(positions)
        for entries, numbers in ((learnt.terms, terms), (learnt.words, exact)):
            entries.firsts[indexes] = numbers[starts]
            entries.add(owners[later], numbers[later], positions[later])
            entries.add(indexes[is_joined], numbers[len(owners) :], np.zeros_like(lasts))
        learnt.terms.add(indexes[is_joined], terms[len(owners) :], lasts)

    def _learn_any(
        self, analyzers: Sequence[Analyzer], units: list[int], spellings: Sequence["_Spelling"], learnt: "_Learnt"
    ) -> None:
        """Learn units of any characters, one after the other."""
        self._learn_words(spellings, analyzers)
        number = self.vocabulary.number
        terms: list[tuple[int, int, int]] = []
        words: list[tuple[int, int, int]] = []
        for unit, spelling, analyzer in zip(units, spellings, analyzers, strict=True):
            meanings = self._meanings[analyzer]
            named = number(fold(spelling.symbols)) if spelling.symbols else -1
            forms, word, written = meanings[spelling.words[0]] if spelling.words else ((named,), named, -1)
            learnt.position_counts[unit] = len(spelling.words) or 1
            learnt.terms.firsts[unit] = forms[0] if forms else -1
            learnt.words.firsts[unit] = word
            terms.extend([(unit, form, 0) for form in forms[1:]])
            if written >= 0:
                words.append((unit, written, 0))
            for position, spelled in spelling.placed():
                forms, word, written = meanings[spelled]
                terms.extend([(unit, form, position) for form in forms])
                words.extend([(unit, exact, 0) for exact in (word, written) if exact >= 0])
            if spelling.words and named >= 0:
                terms.append((unit, named, 0))
                words.append((unit, named, 0))
        learnt.terms.add(*np.array(terms, np.int32).reshape(-1, 3).T)
        learnt.words.add(*np.array(words, np.int32).reshape(-1, 3).T)

    def _learn_words(self, spellings: Sequence["_Spelling"], analyzers: Sequence[Analyzer]) -> None:
        """Number the terms of all words and joined words that are new."""
        new: dict[Analyzer, dict[str, None]] = {analyzer: {} for analyzer in analyzers}
        for (words, joined, _), analyzer in zip(spellings, analyzers, strict=True):
            meanings = self._meanings[analyzer]
            new[analyzer].update((word, None) for word in (*words, joined) if word and word not in meanings)
        number = self.vocabulary.number
        for analyzer, written in new.items():
            meanings = self._meanings[analyzer]
            for word, forms in zip(written, analyzer.forms_of_all(list(written)), strict=True):
                folded, with_accents = fold(word), accented(word)
                meanings[word] = (
                    tuple(map(number, forms)),
                    number(folded) if folded else -1,
                    number(with_accents) if with_accents else -1,
                )


class _Spelling(NamedTuple):
    """How a unit is spelled: its words, these joined, and it with its symbols; "" for none. Pairs are all symbols."""

    words: list[str]
    joined: str
    symbols: str

    def placed(self) -> list[tuple[int, str]]:
        """All but the first word, each with its position; joined words stand at the first and the last one."""
        if not self.joined:
            return list(enumerate(self.words[1:], 1))
        return [*enumerate(self.words[1:], 1), (0, self.joined), (len(self.words) - 1, self.joined)]


class _AsciiWords:
    """What words of ASCII letters and digits in lower case stand for: one term and the word itself, as numbers."""

    def __init__(self, vocabulary: TermNumbers) -> None:
        self._vocabulary = vocabulary
        numbers = count()
        self._indexes: defaultdict[Analyzer, Numbering] = defaultdict(lambda: Numbering(numbers))
        self._terms: GrowingArray[np.int32] = GrowingArray(np.int32)
        self._words: GrowingArray[np.int32] = GrowingArray(np.int32)

    def numbers(self, words: Sequence[str], analyzer: Analyzer) -> tuple[Ids, Ids]:
        """The numbers of the term of each word, and of the word."""
        indexes, new = self._indexes[analyzer].numbered(words)
        self._terms.extend(self._vocabulary.numbers(analyzer.terms_of_ascii(new)))
        self._words.extend(self._vocabulary.numbers(new))
        return self._terms.values.take(indexes), self._words.values.take(indexes)


class _Entries:
    """What `UnitEntries.extend` takes, put together."""

    def __init__(self, unit_count: int) -> None:
        self.firsts = np.full(unit_count, -1, np.int32)
        self._others: list[tuple[Ids, Ids, Ids]] = []

    def add(self, units: Ids, numbers: Ids, positions: Ids) -> None:
        """Take in what stands in units besides the first."""
        self._others.append((units, numbers, positions))

    def columns(self) -> tuple[Ids, Ids, Ids, Ids]:
        """The firsts, and unit, number and position of the others."""
        units, numbers, positions = (np.concatenate(column) for column in zip(*self._others, strict=True))
        return self.firsts, units, numbers, positions


class _Learnt:
    """What new units stand for."""

    def __init__(self, unit_count: int) -> None:
        self.position_counts = np.ones(unit_count, np.int32)
        self.terms = _Entries(unit_count)
        self.words = _Entries(unit_count)


def _ascii_spellings(chains: Sequence[str]) -> tuple[list[list[str]], list[str]]:
    """What `chain_spellings` says of chains of ASCII characters without symbols around: words and joined spellings.

    In lower case, in any length, and joined also where there is nothing or too much to join.
    """
    lines = f"{_LINE.join(chains)}{_LINE}".lower().replace(f"'s{_LINE}", _LINE)
    rows = [row.split() for row in lines.translate(_CONNECTORS_TO_SPACES).split(_LINE)]
    joined = _DOT_OF_NO_NUMBER.sub("", lines).translate(_CONNECTORS_TO_NOTHING).split(_LINE)
    return rows[:-1], joined[:-1]


_LINE = "\n"
_DOT_OF_NO_NUMBER = re.compile(r"(?<![0-9])\.|\.(?![0-9])")
_ASCII_CONNECTORS = [ord(char) for char in (*CONNECTORS, ",") if char.isascii()]
_CONNECTORS_TO_SPACES = dict.fromkeys(_ASCII_CONNECTORS, " ")
_CONNECTORS_TO_NOTHING = {code: None for code in _ASCII_CONNECTORS if chr(code) != "."}


def _spellings(seen: str, start: int, end: int) -> _Spelling:
    """The spellings of the unit from ``start`` to ``end`` of what is seen of it and around it."""
    if seen.isascii() and seen.isalnum():
        return _Spelling([seen[:MAX_WORD].lower()], "", "")
    if is_paired(seen[start]):
        return _Spelling([], "", seen)
    return _Spelling(*chain_spellings(seen, start, end))


def _random_key() -> np.uint64:
    return np.uint64(int.from_bytes(os.urandom(8), "little"))
