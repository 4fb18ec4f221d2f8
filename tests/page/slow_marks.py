"""The slow, obvious twin of marking: reads a text token by token."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from searchkit.analysis import Analyzer, Kind, fold, tokenize
from searchkit.plan.highlights import Highlight
from searchkit.plan.written import written_forms


def marked_places(text: str, highlights: Iterable[Highlight], analyzer: Analyzer) -> set[tuple[int, int, int]]:
    """Start, end and number of every match of each highlight."""
    found = set()
    for number, highlight in enumerate(highlights):
        places = _prefix_places(text, highlight) if highlight.prefix is not None else _runs(text, highlight, analyzer)
        found |= {(start, end, number) for start, end in places}
    return found


def _prefix_places(text: str, highlight: Highlight) -> Iterator[tuple[int, int]]:
    assert highlight.prefix is not None
    for token in tokenize(text):
        if fold(token.text).startswith(highlight.prefix):
            only_first = token.kind is Kind.PAIR and len(highlight.prefix) == 1
            yield token.start, token.start + 1 if only_first else token.end


def _runs(text: str, highlight: Highlight, analyzer: Analyzer) -> Iterator[tuple[int, int]]:
    standing: dict[str, set[tuple[int, int, int]]] = defaultdict(set)
    for token in tokenize(text):
        forms = written_forms if highlight.as_written else analyzer.forms
        for term in set(forms(token.text, token.kind)):
            standing[term].add((token.position, token.start, token.end))
    slots = [{place for term in slot for place in standing[term]} for slot in highlight.slots]
    if not slots:
        return
    reached = {(position, start, end) for position, start, end in slots[0]}
    for slot in slots[1:]:
        following = set()
        for position, _, end in slot:
            gaps = [position - before for before, _, _ in reached if 1 <= position - before <= highlight.slop + 1]
            nearest = [place for place in reached if gaps and place[0] == position - min(gaps)]
            following |= {(position, start, max(so_far, end)) for _, start, so_far in nearest}
        reached = following
    for _, start, end in reached:
        yield start, end
