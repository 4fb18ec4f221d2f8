"""Snippets: the passages of an article that show why it matches, as its own text with marks.

What is marked is what matched: whole words as written for stems and folded accents, a phrase as one mark. The
article is read with the same analysis as when it was indexed. Passages are chosen by how many different things of
the query they show, then by how near those stand to each other, then by how many marks, then by which comes first.
They are cut between words, at the start of a sentence where one is near.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from searchkit.analysis import Analyzer, Kind, tokenize
from searchkit.analysis.letters import Letters, Span
from searchkit.page.chunks import ChunkTerms, Standing, folded_words, terms_of_language, written_words
from searchkit.page.model import Mark, Snippet
from searchkit.plan.highlights import Highlight

WIDTH = 220
"""Characters of a passage, about."""

_SENTENCE_START = re.compile(r"(?:(?<=[.!?…。！？])[\s\"'”’)\]]+|\n\s*)(?=\S)|(?<=[。！？])")
_SPACE = re.compile(r"\s+")

Place = tuple[int, int, int]
"""Where a term stands: the position of its word, and its characters from start to end."""


class Found(NamedTuple):
    """A place in a text that matches one of the highlights: its characters from start to end, and which."""

    start: int
    end: int
    highlight: int


class _Terms:
    """Numbered highlights whose slots hold terms of one kind."""

    def __init__(self, numbered: list[tuple[int, Highlight]], forms: ChunkTerms) -> None:
        self._forms = forms
        self._words: dict[str, list[int]] = {}  # by term, the highlights of one word that it stands for
        self._phrases: list[tuple[int, Highlight]] = []
        for number, highlight in numbered:
            if len(highlight.slots) == 1:
                for term in highlight.slots[0]:
                    self._words.setdefault(term, []).append(number)
            elif highlight.slots:
                self._phrases.append((number, highlight))
        in_phrases = {term for _, highlight in self._phrases for slot in highlight.slots for term in slot}
        self._terms = self._words.keys() | in_phrases
        self._beginnings = forms.beginnings(self._terms)
        self._reach = max((highlight.slop + 1 for _, highlight in self._phrases), default=0)

    def find(self, letters: Letters) -> list[Found]:
        """Every match of each highlight."""
        spans = letters.stretches(self._beginnings)
        standing = self._forms.find(self._terms, letters.text, spans)
        if not standing:
            return []
        words = self._words
        found = [Found(start, end, number) for term, _, _, start, end in standing for number in words.get(term, ())]
        if self._phrases:
            found += self._find_phrases(standing, letters.text, spans)
        return found

    def _find_phrases(self, standing: list[Standing], text: str, spans: Sequence[Span]) -> Iterator[Found]:
        terms = {term for term, *_ in standing}
        possible = [
            (number, highlight)
            for number, highlight in self._phrases
            if all(not terms.isdisjoint(slot) for slot in highlight.slots)
        ]
        if not possible:
            return
        positions = self._forms.positions(text, spans, self._reach)
        by_term: dict[str, list[Place]] = defaultdict(list)
        for term, stretch, position, start, end in standing:
            by_term[term].append((positions[stretch] + position, start, end))
        for number, highlight in possible:
            for start, end in _phrase_places(by_term, highlight):
                yield Found(start, end, number)


class _Prefix:
    """A numbered highlight of what begins with a prefix."""

    def __init__(self, number: int, prefix: str) -> None:
        self._number = number
        self._prefix = prefix
        self._beginnings = folded_words().beginnings((prefix,))

    def find(self, letters: Letters) -> Iterator[Found]:
        """Every match."""
        prefix, text = self._prefix, letters.text
        for start, end in folded_words().find_beginning(prefix, text, letters.stretches(self._beginnings)):
            if len(prefix) == 1 and _is_pair(text[start:end]):
                end = start + 1  # a pair found by its first character is marked for that character only
            yield Found(start, end, self._number)


class Marker:
    """Finds what a query marks in texts of one language."""

    def __init__(self, highlights: Iterable[Highlight], analyzer: Analyzer) -> None:
        wanted = list(enumerate(highlights))
        terms = [(number, highlight) for number, highlight in wanted if highlight.prefix is None and highlight.slots]
        in_any_form = [one for one in terms if not one[1].as_written]
        as_written = [one for one in terms if one[1].as_written]
        self._finders: list[_Terms | _Prefix] = []
        if in_any_form:
            self._finders.append(_Terms(in_any_form, terms_of_language(analyzer)))
        if as_written:
            self._finders.append(_Terms(as_written, written_words()))
        for number, highlight in wanted:
            if highlight.prefix is not None:
                self._finders.append(_Prefix(number, highlight.prefix))

    def find(self, text: str) -> list[Found]:
        """Every match of each highlight in ``text``, in order of where they start."""
        if not text or not self._finders:
            return []
        letters = Letters(text)
        found: list[Found] = []
        for finder in self._finders:
            found += finder.find(letters)
        return sorted(set(found)) if len(found) > 1 else found


def find_matches(text: str, highlights: Iterable[Highlight], analyzer: Analyzer) -> list[Found]:
    """Every match of each highlight in ``text``, in order of where they start."""
    return Marker(highlights, analyzer).find(text)


def merge_marks(matches: Iterable[Found]) -> tuple[Mark, ...]:
    """The marks of matches given in order: overlapping ones become one."""
    marks: list[Mark] = []
    for start, end, _ in matches:
        if marks and start < marks[-1][1]:
            if end > marks[-1][1]:
                marks[-1] = (marks[-1][0], end)
        else:
            marks.append((start, end))
    return tuple(marks)


def build_snippets(text: str, matches: Sequence[Found], *, width: int = WIDTH, most: int = 2) -> tuple[Snippet, ...]:
    """Up to ``most`` passages of about ``width`` characters as they stand, or the beginning without matches."""
    if not matches:
        return () if not text or text.isspace() else (_beginning(text, width),)
    first, last = matches[0].start, max([end for _, end, _ in matches])
    if last - first <= width:
        return (_snippet(text, _cut(text, first, last, width, 0, len(text)), matches),)
    chosen: list[Span] = []
    shown: set[int] = set()
    stretches = [matches]
    while stretches and len(chosen) < most:
        best = _best([run for stretch in stretches for run in _runs(stretch, width)], shown)
        if chosen and not best.unseen and len(best.run) < 2:
            break
        shown |= best.highlights
        first, last = best.run[0].start, best.last
        before, after = 0, len(text)
        for start, end in chosen:
            if end <= first:
                before = max(before, end)
            else:
                after = min(after, start)
        start, end = _cut(text, first, last, width, before, after)
        chosen.append((start, end))
        if len(chosen) < most:
            stretches = [part for stretch in stretches for part in _without(stretch, start, end)]
    return tuple([_snippet(text, span, matches) for span in sorted(chosen)])


def count_more(snippets: Sequence[Snippet], matches: Iterable[Found], *, width: int = WIDTH) -> int:
    """How many passages of about ``width`` characters the matches beside the ``snippets`` would fill."""
    more = 0
    full = -1
    for start, end, _ in matches:
        if end > full:
            for snippet in snippets:
                if snippet.start <= start and end <= snippet.start + len(snippet.text):
                    break
            else:
                more += 1
                full = start + width
    return more


def _is_pair(written: str) -> bool:
    return len(written) == 2 and next(tokenize(written)).kind is Kind.PAIR


def _phrase_places(by_term: dict[str, list[Place]], highlight: Highlight) -> Iterator[tuple[int, int]]:
    """Start and end of every run of words that fills two or more slots in order, up to ``slop`` words between each."""
    slots = [sorted({place for term in slot for place in by_term.get(term, ())}) for slot in highlight.slots]
    if not all(slots):
        return
    reach = highlight.slop + 1
    ends: dict[int, list[tuple[int, int]]] = defaultdict(list)  # position of the last slot -> (start, end) so far
    for position, start, end in slots[0]:
        ends[position].append((start, end))
    for slot in slots[1:]:
        reached: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for position, _, end in slot:
            for distance in range(1, reach + 1):
                nearest = ends.get(position - distance)
                if nearest:
                    reached[position] += [(start, max(so_far, end)) for start, so_far in nearest]
                    break
        ends = reached
    for spans in ends.values():
        yield from spans


class _Window(NamedTuple):
    """A run of matches that fits into a passage."""

    unseen: int
    """How many of its highlights no passage shows yet."""
    highlights: set[int]
    run: Sequence[Found]
    last: int
    """The last character of any of them."""


def _runs(matches: Sequence[Found], width: int) -> list[tuple[Sequence[Found], int]]:
    """The runs of matches that fit into ``width`` characters, none part of another, and where their last one ends."""
    runs = []
    stop = last = 0
    count = len(matches)
    for number, (first, end, _) in enumerate(matches):
        reached = stop
        if number >= stop:
            stop, last = number + 1, end
        while stop < count:
            furthest = matches[stop].end
            if furthest < last:
                furthest = last
            if furthest - first > width:
                break
            last = furthest
            stop += 1
        if stop > reached:
            runs.append((matches[number:stop], last))
        if stop == count:
            break
    return runs


def _best(runs: list[tuple[Sequence[Found], int]], shown: set[int]) -> _Window:
    """The window with the most unseen highlights, the most highlights, the nearest, the most marks, the first."""
    best: list[_Window] = []
    most = -1, -1
    for run, last in runs:
        highlights = {number for _, _, number in run}
        unseen = len(highlights - shown)
        rank = unseen, len(highlights)
        if rank >= most:
            window = _Window(unseen, highlights, run, last)
            if rank == most:
                best.append(window)
            else:
                most, best = rank, [window]
    if len(best) > 1 and most[1] > 1:
        return min(best, key=lambda window: (_gap(window.run, most[1]), -len(window.run)))
    return max(best, key=lambda window: len(window.run))


def _gap(run: Sequence[Found], different: int) -> int:
    """The least distance, from end to start, that a stretch with all two or more highlights of the run spans."""
    least = run[-1].end
    latest: dict[int, Found] = {}
    for match in run:
        latest.pop(match.highlight, None)
        latest[match.highlight] = match
        if len(latest) == different:
            least = min(least, match.start - next(iter(latest.values())).end)
    return max(least, 0)


def _without(matches: Sequence[Found], start: int, end: int) -> list[Sequence[Found]]:
    """The matches before and behind a passage that is taken, where there are any."""
    parts = [match for match in matches if match.end <= start], [match for match in matches if match.start >= end]
    return [part for part in parts if part]


def _cut(text: str, first: int, last: int, width: int, before: int, after: int) -> tuple[int, int]:
    """Bounds of a passage around first to last, between words, from the start of a sentence if one is near.

    It keeps to the text between ``before`` and ``after``, where other passages end and begin.
    """
    spare = max(width - (last - first), 0)
    earliest = max(first - spare * 2 // 3, before)
    if earliest == 0:
        start = len(text) - len(text.lstrip()) if text[:first].isspace() else 0
    else:
        sentence = _SENTENCE_START.search(text, earliest, first)
        start = sentence.end() if sentence else _after_space(text, earliest, first)
    end = min(max(start + width, last), after)
    return start, _before_space(text, last, end)


def _after_space(text: str, earliest: int, first: int) -> int:
    space = _SPACE.search(text, earliest, first)
    return space.end() if space else earliest if _is_unspaced(text[earliest:first]) else first


def _before_space(text: str, last: int, end: int) -> int:
    if end >= len(text):
        length = len(text.rstrip())
        return length if last <= length else end
    behind = text[last:end]
    if behind and behind[-1].isspace():
        return last + len(behind.rstrip())
    *before, rest = behind.rsplit(None, 1) or [behind]
    if len(rest) < len(behind):
        return last + len(before[0]) if before else last
    return end if _is_unspaced(behind) else last


def _is_unspaced(text: str) -> bool:
    """Whether the text is of a script that may be cut between any two characters."""
    return any(token.kind is Kind.PAIR for token in tokenize(text))


def _beginning(text: str, width: int) -> Snippet:
    start = len(text) - len(text.lstrip())
    end = min(start + width, len(text))
    end = _before_space(text, min(start + 1, end), end)
    return Snippet(text[start:end], (), start)


def _snippet(text: str, span: tuple[int, int], matches: Sequence[Found]) -> Snippet:
    start, end = span
    inside = [match for match in matches if start <= match.start and match.end <= end]
    marks = tuple((first - start, last - start) for first, last in merge_marks(inside))
    return Snippet(text[start:end], marks, start)
