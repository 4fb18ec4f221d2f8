"""Which words of an archive a pattern, an approximate spelling or a stem stands for.

A `Vocabulary` has the words of one exact field (`indexing/schema.py`) as they are written, folded, and with their
accents where they have some. Expansions are cut to a number of words, the same for the plan and for Whoosh.
"""

import re
import threading
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from searchkit.analysis import Analyzer, fold
from searchkit.analysis.stemming import beginnings_kept
from searchkit.plan.forms import word_key
from searchkit.plan.kernels import Docnums, docnums_flagged
from searchkit.plan.segments import SegmentView
from searchkit.plan.spelling import Codes, LetterTable, Ordinals, near
from searchkit.query.nodes import Fuzzy, Pattern

MOST_PATTERN_WORDS = 500
"""Words that a pattern stands for, the most frequent ones when it fits more."""

MOST_FUZZY_WORDS = 100
"""Words that an approximate spelling stands for: the nearest, and of those the most frequent."""

_MANY_WORDS = 64
_SPELLED_OUT = 1000
"""Words that are spelled out in less time than it takes to tell them apart by their hashes."""

_SPELLINGS_KEPT = 1000
_NO_HASHES = np.empty(0, dtype=np.uint64)

_LATIN = b"\xc3", b"\xca"
"""First bytes of Latin letters with accents, U+00C0 to U+024F, and the byte after them."""

_BEHIND_ALL = b"\xff"
"""More than the first byte of any letter in UTF-8."""

_FIRST_LETTER_KEPT = ("el", "et", "eu", "lt", "sr", "tr")
"""Languages whose stemmers keep the first letter of words, of those of which no more is known."""


class Expansion(NamedTuple):
    """The words something stands for, best first, how many edits away each is, and how many it would be uncut."""

    words: tuple[str, ...]
    edits: tuple[int, ...]
    found: int

    @property
    def is_cut(self) -> bool:
        """Whether there are more words than these."""
        return self.found > len(self.words)


class _SegmentWords(NamedTuple):
    """The words of a segment in the order of their bytes, and how many articles have each."""

    table: LetterTable
    frequencies: Ordinals
    is_folded: npt.NDArray[np.bool_]
    hashes: npt.NDArray[np.uint64]


class _Chosen(NamedTuple):
    """Words of several segments, told apart by their hashes: only those that may be kept are spelled out."""

    best: list[tuple[int, int, int]]
    """The commonest: the number of a segment that has it, its place among the words of that, its frequency in all."""

    found: int
    """How many different words there are."""

    @classmethod
    def of(cls, parts: list[tuple[npt.NDArray[np.uint64], Ordinals]], most: int) -> "_Chosen":
        """The ``most`` commonest, and those as common as the last, given hashes and frequencies by segment."""
        hashes = np.concatenate([_NO_HASHES, *(hashes for hashes, _ in parts)])
        if len(hashes) == 0:
            return cls([], 0)
        order = np.argsort(hashes, kind="stable")
        in_order = hashes[order]
        starts = np.flatnonzero(np.append(True, in_order[1:] != in_order[:-1]))
        totals = np.add.reduceat(np.concatenate([frequencies for _, frequencies in parts])[order], starts)
        chosen = np.arange(len(starts))
        if len(starts) > most:
            chosen = np.flatnonzero(totals >= np.partition(totals, -most)[-most])
        firsts = order[starts[chosen]]
        begins = np.cumsum([0, *(len(hashes) for hashes, _ in parts)])
        numbers = begins.searchsorted(firsts, side="right") - 1
        places = firsts - begins[numbers]
        best = zip(numbers.tolist(), places.tolist(), totals[chosen].tolist(), strict=True)
        return cls(list(best), len(starts))

    def spelled(self, counts: dict[str, int], most: int) -> Expansion:
        """The first of the words, which have been spelled out."""
        words = sorted(counts, key=lambda word: (-counts[word], word))[:most]
        return Expansion(tuple(words), (0,) * len(words), self.found)


class Vocabulary:
    """The words of one exact field of all segments; safe to share between threads."""

    def __init__(self, field: str, segments: list[tuple[SegmentView, int]], doc_count_all: int) -> None:
        self._field = field
        self._segments = segments
        self._doc_count_all = doc_count_all
        self._expansions: dict[Pattern | Fuzzy, Expansion] = {}
        self._spellings: dict[tuple[frozenset[str], str, bool], dict[str, int]] = {}
        self._lock = threading.Lock()

    @cached_property
    def _parts(self) -> list[_SegmentWords]:
        return [_segment_words(*segment.dictionary(self._field)) for segment, _ in self._segments]

    def frequency(self, word: str) -> int:
        """How many articles have the word, deleted ones included."""
        key = word.encode()
        return sum(segment.doc_frequency(self._field, key) for segment, _ in self._segments)

    def expand(self, node: Pattern | Fuzzy) -> Expansion:
        """The folded words that ``node`` stands for."""
        known = self._expansions.get(node)
        if known is None:
            if isinstance(node, Pattern):
                known = self._pattern(pattern_key(node.text))
            else:
                known = self.near(word_key(node.text), node.edits, most=MOST_FUZZY_WORDS)
            if len(self._expansions) >= 100:
                self._expansions = {}
            self._expansions[node] = known
        return known

    def near(self, word: str, edits: int, *, most: int) -> Expansion:
        """The folded words at most ``edits`` from ``word``, the nearest and of those the most frequent first."""
        found: dict[str, int] = {}
        counts: dict[str, int] = {}
        for part in self._parts:
            ordinals, distances = near(word, part.table, edits)
            for ordinal, distance in zip(ordinals.tolist(), distances.tolist(), strict=True):
                if part.is_folded[ordinal]:
                    spelled = part.table.word(ordinal)
                    found[spelled] = distance
                    counts[spelled] = counts.get(spelled, 0) + int(part.frequencies[ordinal])
        words = sorted(found, key=lambda spelled: (found[spelled], -counts[spelled], spelled))
        kept = tuple(words[:most])
        return Expansion(kept, tuple(found[spelled] for spelled in kept), len(words))

    def docnums(self, words: Iterable[str]) -> Docnums:
        """The docnums, deleted ones included, that have any of the words."""
        keys = [word.encode() for word in words]
        if len(keys) > _MANY_WORDS:
            return self._docnums_of_many(keys)
        is_there = np.zeros(self._doc_count_all, dtype=np.bool_)
        for segment, base in self._segments:
            for key in keys:
                is_there[segment.docnums(self._field, key) + base] = True
        return docnums_flagged(is_there)

    def _docnums_of_many(self, keys: list[bytes]) -> Docnums:
        """As `docnums`, finding the words in the hashes of all: quicker than looking hundreds of them up."""
        wanted = np.sort(LetterTable.of([key.decode() for key in keys]).hashes)
        found = [
            segment.docnums_of_terms(self._field, np.flatnonzero(_is_among(part.hashes, wanted))) + base
            for (segment, base), part in zip(self._segments, self._parts, strict=True)
        ]
        return np.concatenate(found)

    def beginning_with(self, prefix: str, *, most: int) -> Expansion:
        """The folded words that begin with a folded prefix, the most frequent first."""
        segments = [segment for segment, _ in self._segments]
        ranges = [segment.with_prefix(self._field, prefix.encode()) for segment in segments]
        if sum(map(len, ranges)) > _SPELLED_OUT:
            return self._commonest_of(ranges, most)
        counts: defaultdict[str, int] = defaultdict(int)
        for segment, places in zip(segments, ranges, strict=True):
            frequencies = segment.frequencies(self._field, places).tolist()
            for term, frequency in zip(segment.terms_at(self._field, places), frequencies, strict=True):
                counts[term.decode()] += frequency
        folded = {word: count for word, count in counts.items() if word.isascii() or fold(word) == word}
        words = sorted(folded, key=lambda word: (-folded[word], word))[:most]
        return Expansion(tuple(words), (0,) * len(words), len(folded))

    def _commonest_of(self, ranges: list[range], most: int) -> Expansion:
        """The folded words of these ranges of the segments, of which only those that may be kept are spelled out."""
        parts, chosen = [], []
        for (segment, _), places in zip(self._segments, ranges, strict=True):
            beyond_ascii = segment.beyond_ascii(self._field, places)
            is_folded = ~beyond_ascii
            others = np.flatnonzero(beyond_ascii)
            spelled = (term.decode() for term in segment.terms(self._field, others + places.start))
            is_folded[others] = [fold(word) == word for word in spelled]
            hashes, frequencies = segment.term_hashes(self._field, places), segment.frequencies(self._field, places)
            parts.append((hashes[is_folded], frequencies[is_folded]))
            chosen.append(np.flatnonzero(is_folded) + places.start)
        of_all = _Chosen.of(parts, most)
        counts: dict[str, int] = {}
        for number, place, total in of_all.best:
            (word,) = self._segments[number][0].terms(self._field, chosen[number][place : place + 1])
            counts[word.decode()] = total
        return of_all.spelled(counts, most)

    def spellings_of(self, terms: frozenset[str], analyzer: Analyzer, *, roughly: bool = False) -> dict[str, int]:
        """The words that have one of the ``terms`` as a form, and how many articles have each.

        ``roughly`` leaves out some where finding all takes looking at very many: the few, like ``dying``, that share
        only a letter with their stem, and forms in languages whose stems do not say how words begin.
        """
        key = terms, analyzer.language, roughly
        with self._lock:
            known = self._spellings.get(key)
        if known is None:
            words, by_segment = self._beginning_with_any(_beginnings(terms, analyzer.language, roughly=roughly))
            forms = analyzer.forms_of_all(words)
            known = {word: 0 for word, found in zip(words, forms, strict=True) if not terms.isdisjoint(found)}
            for (segment, _), ordinals in zip(self._segments, by_segment, strict=True):
                for word in known:
                    ordinal = ordinals.get(word.encode())
                    if ordinal is not None:
                        known[word] += segment.doc_frequency_at(self._field, ordinal)
            with self._lock:
                if len(self._spellings) >= _SPELLINGS_KEPT:
                    self._spellings.clear()
                self._spellings[key] = known
        return known

    def _beginning_with_any(self, beginnings: list[str]) -> tuple[list[str], list[dict[bytes, int]]]:
        """The words that begin with one of the beginnings, with or without accents, and their places by segment."""
        bounds: list[bytes] = []
        for beginning in beginnings:
            bounds += _beginning_with(beginning)
            for at in range(1, len(beginning)):
                bounds += [beginning[:at].encode() + letter for letter in _LATIN]
            if len(beginning) == 1:
                bounds += [b"\x80", _BEHIND_ALL]
        by_segment: list[dict[bytes, int]] = []
        for segment, _ in self._segments:
            places: dict[bytes, int] = {}  # a term may lie between several of the bounds
            for first, terms in segment.terms_between(self._field, bounds):
                places.update(zip(terms, range(first, first + len(terms)), strict=True))
            by_segment.append(places)
        folded = tuple(beginnings)
        words = [term.decode() for term in dict.fromkeys(chain.from_iterable(by_segment))]
        return [word for word in words if word.isascii() or fold(word).startswith(folded)], by_segment

    def _pattern(self, pattern: str) -> Expansion:
        """Words of several segments are told apart by their hashes; only those that may be kept are spelled out."""
        fitting = [_fitting(pattern, part) for part in self._parts]
        of_all = _Chosen.of(
            [(part.hashes[at], part.frequencies[at]) for part, at in zip(self._parts, fitting, strict=True)],
            MOST_PATTERN_WORDS,
        )
        counts = {
            self._parts[number].table.word(int(fitting[number][place])): total for number, place, total in of_all.best
        }
        return of_all.spelled(counts, MOST_PATTERN_WORDS)


def _beginning_with(prefix: str) -> list[bytes]:
    """What all words that begin with ``prefix`` lie between, of which no letter begins with the byte 0xff."""
    first = prefix.encode()
    return [first, first + _BEHIND_ALL]


def _beginnings(terms: frozenset[str], language: str, *, roughly: bool) -> list[str]:
    """What all words with one of the terms as a form begin with, none the beginning of another."""
    found: set[str] = set()
    for term in terms:
        kept = beginnings_kept(term, language)
        if roughly:
            found.update(beginning if len(beginning) > 1 else term[:2] for beginning in kept or (term[:-1],))
        else:
            found.update(kept or (term[:1] if language in _FIRST_LETTER_KEPT else "",))
    return [one for one in sorted(found) if not any(one.startswith(other) for other in found if other != one)]


def pattern_key(pattern: str) -> str:
    """A typed pattern as the exact fields have words: folded, without what connects parts of words."""
    return fold(re.sub(r"[^\w*?]", "", pattern))


def pattern_expression(pattern: str) -> re.Pattern[str]:
    """The regular expression of a folded pattern."""
    return re.compile("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern), re.DOTALL)


def _segment_words(data: npt.NDArray[np.uint8], sizes: Ordinals, frequencies: Ordinals) -> _SegmentWords:
    """From the UTF-8 of all terms, one after another, and the bytes and articles of each."""
    ends = np.cumsum(sizes)
    if len(data) and int(data.max()) >= 128:
        codes: Codes = np.frombuffer(data.tobytes().decode().encode("utf-32-le"), np.uint32)
        is_first = (data & 0xC0) != 0x80
        lengths = np.add.reduceat(is_first, ends - sizes, dtype=np.int64)
    else:
        codes, lengths = data.astype(np.uint32), sizes
    table = LetterTable.of_codes(codes, lengths)
    is_folded = np.ones(len(sizes), dtype=np.bool_)
    if len(data):
        for ordinal in np.flatnonzero(lengths < sizes).tolist():
            word = table.word(ordinal)
            is_folded[ordinal] = fold(word) == word
    return _SegmentWords(table, frequencies, is_folded, table.hashes)


def _is_among(hashes: npt.NDArray[np.uint64], wanted: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Whether each hash is one of the ascending ``wanted`` ones, of which there is at least one."""
    return np.equal(wanted.take(wanted.searchsorted(hashes), mode="clip"), hashes)


def _fitting(pattern: str, part: _SegmentWords) -> Ordinals:
    """The ordinals of the folded words that fit a folded pattern, ascending.

    Letters at both ends are compared for all words at once. Each piece between two stars is looked for in all words at
    once, behind the one before it.
    """
    table = part.table
    letters = pattern.replace("*", "")
    head, *rest = pattern.split("*")
    tail = rest[-1] if rest else ""
    is_fitting = part.is_folded & (table.lengths >= len(letters) if rest else table.lengths == len(letters))
    if needed := letters.replace("?", ""):
        signature = LetterTable.of([needed]).signatures[0]
        is_fitting &= (table.signatures & signature) == signature
    ordinals = np.flatnonzero(is_fitting)
    for place, letter in enumerate(head):
        if letter != "?":
            ordinals = ordinals[table.codes[table.starts[ordinals] + place] == ord(letter)]
    ends = table.starts + table.lengths
    for place, letter in enumerate(reversed(tail), 1):
        if letter != "?":
            ordinals = ordinals[table.codes[ends[ordinals] - place] == ord(letter)]
    reached, limits = table.starts[ordinals] + len(head), ends[ordinals] - len(tail)
    for piece in filter(None, rest[:-1]):
        if len(ordinals) == 0:
            break
        places = _places_of(piece, table.codes)
        at = places.searchsorted(reached)
        nearest = places.take(at, mode="clip") if len(places) else reached
        has_piece = (at < len(places)) & (nearest + len(piece) <= limits)
        ordinals, limits, reached = ordinals[has_piece], limits[has_piece], nearest[has_piece] + len(piece)
    return ordinals


def _places_of(piece: str, codes: Codes) -> Ordinals:
    """Where in ``codes`` a piece of a pattern begins, ascending."""
    count = max(len(codes) - len(piece) + 1, 0)
    is_there = np.ones(count, dtype=np.bool_)
    for offset, letter in enumerate(piece):
        if letter != "?":
            is_there &= codes[offset : offset + count] == ord(letter)
    return np.flatnonzero(is_there)
