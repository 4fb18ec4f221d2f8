"""Snippets: the passages of an article that show why it matches, as its own text with marks.

What is marked is what matched: whole words as written for stems and folded accents, a phrase as one mark. The
article is read with the same analysis as when it was indexed. Passages are chosen by how many different things of
the query they show, then by how many marks, then by which comes first, and are cut between words, at the start of a
sentence where one is near.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from searchkit.analysis import Analyzer, Kind, Token, fold, tokenize
from searchkit.page.model import Mark, Snippet
from searchkit.plan.highlights import Highlight
from searchkit.plan.written import written_forms

_SENTENCE_START = re.compile(r"(?:(?<=[.!?…。！？])[\s\"'”’)\]]+|\n\s*)(?=\S)|(?<=[。！？])")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Found:
    """A place in a text that matches one of the highlights: which, and its characters from start to end."""

    highlight: int
    start: int
    end: int


def find_matches(text: str, highlights: Iterable[Highlight], analyzer: Analyzer) -> list[Found]:
    """Every match of each highlight in ``text``, in order of where they start."""
    wanted = list(highlights)
    if not wanted:
        return []
    by_term = _places(text, [highlight for highlight in wanted if not highlight.as_written], analyzer.forms)
    by_word = _places(text, [highlight for highlight in wanted if highlight.as_written], written_forms)
    found = []
    for number, highlight in enumerate(wanted):
        if highlight.prefix is not None:
            found += [Found(number, *place) for place in _prefix_places(text, highlight.prefix)]
        else:
            places = by_word if highlight.as_written else by_term
            found += [Found(number, *place) for place in _phrase_places(places, highlight)]
    return sorted(set(found), key=lambda match: (match.start, match.end, match.highlight))


def merge_marks(matches: Iterable[Found]) -> tuple[Mark, ...]:
    """The marks of matches given in order: overlapping ones become one."""
    marks: list[Mark] = []
    for match in matches:
        if marks and match.start < marks[-1][1]:
            marks[-1] = (marks[-1][0], max(marks[-1][1], match.end))
        else:
            marks.append((match.start, match.end))
    return tuple(marks)


def build_snippets(text: str, matches: list[Found], *, width: int = 220, most: int = 2) -> tuple[Snippet, ...]:
    """Up to ``most`` passages of about ``width`` characters as they stand, or the beginning without matches."""
    if not text.strip():
        return ()
    if not matches:
        return (_beginning(text, width),)
    chosen: list[tuple[int, int]] = []
    shown: set[int] = set()
    windows = _windows(matches, width)
    while windows and len(chosen) < most:
        best = max(windows, key=lambda window: _worth(window, shown))
        if chosen and not {match.highlight for match in best} - shown and len(best) < 2:
            break
        shown |= {match.highlight for match in best}
        first, last = best[0].start, max(match.end for match in best)
        before = max((end for _, end in chosen if end <= first), default=0)
        after = min((start for start, _ in chosen if start >= last), default=len(text))
        span = _cut(text, first, last, width, before, after)
        chosen.append(span)
        windows = [w for w in windows if max(match.end for match in w) <= span[0] or w[0].start >= span[1]]
    return tuple(_snippet(text, span, matches) for span in sorted(chosen))


def _places(
    text: str, highlights: list[Highlight], forms: Callable[[str, Kind], Iterable[str]]
) -> dict[str, list[tuple[int, int, int]]]:
    """Where each term that a highlight needs stands: position, start, end."""
    needed = {term for highlight in highlights for slot in highlight.slots for term in slot}
    places: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    if needed:
        for token in tokenize(text):
            for term in forms(token.text, token.kind):
                if term in needed:
                    places[term].append((token.position, token.start, token.end))
    return places


def _prefix_places(text: str, prefix: str) -> Iterator[tuple[int, int]]:
    for token in tokenize(text):
        if fold(token.text).startswith(prefix):
            yield _place(token, prefix)


def _place(token: Token, prefix: str) -> tuple[int, int]:
    """A pair found by its first character is marked for that character only."""
    if token.kind is Kind.PAIR and len(prefix) == 1:
        return token.start, token.start + 1
    return token.start, token.end


def _phrase_places(by_term: dict[str, list[tuple[int, int, int]]], highlight: Highlight) -> Iterator[tuple[int, int]]:
    """Start and end of every run of words that fills the slots in order, up to ``slop`` words between each."""
    slots = [sorted({place for term in slot for place in by_term.get(term, ())}) for slot in highlight.slots]
    if not slots or not all(slots):
        return
    reach = highlight.slop + 1
    ends: dict[int, list[tuple[int, int]]] = defaultdict(
        list
    )  # position of the slot filled last -> (start, end) so far
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


def _windows(matches: list[Found], width: int) -> list[list[Found]]:
    """For every match the run of matches from it on that fits into ``width`` characters."""
    windows = []
    stop = 0
    for first in range(len(matches)):
        stop = max(stop, first + 1)
        while stop < len(matches) and matches[stop].end - matches[first].start <= width:
            stop += 1
        windows.append(matches[first:stop])
    return windows


def _worth(window: list[Found], shown: set[int]) -> tuple[int, int, int]:
    different = {match.highlight for match in window}
    return len(different - shown), len(different), len(window)


def _cut(text: str, first: int, last: int, width: int, before: int, after: int) -> tuple[int, int]:
    """Bounds of a passage around first to last, between words, from the start of a sentence if one is near.

    It keeps to the text between ``before`` and ``after``, where other passages end and begin.
    """
    spare = max(width - (last - first), 0)
    earliest = max(first - spare * 2 // 3, before)
    starts = [match.end() for match in _SENTENCE_START.finditer(text, earliest, first) if match.end() <= first]
    if earliest == 0:
        start = len(text) - len(text.lstrip()) if text[:first].isspace() else 0
    elif starts:
        start = starts[0]
    else:
        start = _after_space(text, earliest, first)
    end = min(max(start + width, last), after)
    return start, _before_space(text, last, end)


def _after_space(text: str, earliest: int, first: int) -> int:
    space = _SPACE.search(text, earliest, first)
    return space.end() if space else earliest if _is_unspaced(text[earliest:first]) else first


def _before_space(text: str, last: int, end: int) -> int:
    if end >= len(text):
        return len(text.rstrip()) if last <= len(text.rstrip()) else end
    spaces = [match.start() for match in _SPACE.finditer(text, last, end)]
    if spaces:
        return spaces[-1]
    return end if _is_unspaced(text[last:end]) else last


def _is_unspaced(text: str) -> bool:
    """Whether the text is of a script that may be cut between any two characters."""
    return any(token.kind is Kind.PAIR for token in tokenize(text))


def _beginning(text: str, width: int) -> Snippet:
    start = len(text) - len(text.lstrip())
    end = min(start + width, len(text))
    end = _before_space(text, min(start + 1, end), end)
    return Snippet(text[start:end], (), start)


def _snippet(text: str, span: tuple[int, int], matches: list[Found]) -> Snippet:
    start, end = span
    inside = [match for match in matches if start <= match.start and match.end <= end]
    marks = tuple((first - start, last - start) for first, last in merge_marks(inside))
    return Snippet(text[start:end], marks, start)
