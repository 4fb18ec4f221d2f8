"""A tree written in the query language, in its plainest spelling.

Reading what `canonical` writes gives the same tree, for every tree in the normal form (`normal_form.py`) that
is within the reader's limits. Groups are always written, so that nothing depends on knowing which operator
binds tighter, except where that would make more groups inside each other than are read.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import zip_longest

from searchkit.dates import month_period, year_period
from searchkit.patterns import late_pattern
from searchkit.query.dates import RANGE_WORDS
from searchkit.query.nodes import (
    And,
    Everything,
    Exact,
    Fuzzy,
    Label,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Published,
    TextNode,
    Word,
)

_PLAIN_VALUE = late_pattern(r"\w+(?:[-.]\w+)*")
_ONE_DAY = timedelta(days=1)

MAX_DEPTH = 32
"""Groups that are read inside each other."""


def canonical(node: Node) -> str:
    """The query, in one line, that is read as ``node``."""
    text = _written(node, _grouped)
    return _written(node, _grouped_if_needed) if text.count("(") > MAX_DEPTH else text


def _written(node: Node, conjunct: Callable[[Node], str]) -> str:
    """The query that is read as ``node``, ``conjunct`` writing the parts of conjunctions."""
    match node:
        case And(nodes):
            return " ".join(_conjunct(part, next_one, conjunct) for part, next_one in zip_longest(nodes, nodes[1:]))
        case Or(nodes):
            return " OR ".join(
                f"({_written(part, conjunct)})" if isinstance(part, And) else _written(part, conjunct) for part in nodes
            )
        case Not(inner):
            text = _written(inner, conjunct)
            return f"-({text})" if isinstance(inner, And | Or) else f"-{text}"
        case Label(field, value, True):
            return f"{field}:={_quotation(value)}"
        case Label(field, value):
            return f"{field}:{_quoted_value(value)}"
        case Published():
            return f"date:{_span(node)}"
        case Everything():
            return "*"
        case _:
            return f"{node.field}:{_bare(node)}" if node.field else _bare(node)


def last_moment(end: date) -> date:
    """The last day, or for a datetime the last microsecond, before an exclusive ``end``."""
    return end - (timedelta(microseconds=1) if isinstance(end, datetime) else _ONE_DAY)


def _conjunct(node: Node, following: Node | None, conjunct: Callable[[Node], str]) -> str:
    """A part of a conjunction; a date before a word such as "to" as a range, which no other date makes longer."""
    if isinstance(following, Word) and following.field is None and following.text.lower() in RANGE_WORDS:
        if isinstance(node, Published):
            return f"date:{_range(node)}"
        if isinstance(node, Not) and isinstance(node.node, Published):
            return f"-date:{_range(node.node)}"
    return conjunct(node)


def _range(span: Published) -> str:
    first = "" if span.start is None else span.start.isoformat()
    last = "" if span.end is None else last_moment(span.end).isoformat()
    return f"{first}..{last}"


def _grouped(node: Node) -> str:
    text = _written(node, _grouped)
    return f"({text})" if isinstance(node, Or) else text


def _grouped_if_needed(node: Node) -> str:
    """OR binds tighter than what stands side by side, so that no part of a conjunction needs a group."""
    return _written(node, _grouped_if_needed)


def _bare(node: TextNode) -> str:
    match node:
        case Phrase(text, _, slop):
            return _quoted(text, slop)
        case Exact(text, _, slop):
            return "=" + (text if _PLAIN_VALUE.fullmatch(text) and not slop else _quoted(text, slop))
        case Prefix(text):
            return text + "*"
        case Fuzzy(text, _, edits):
            return f"{text}~{edits}"
        case _:
            return node.text


def _quoted(text: str, slop: int) -> str:
    return f'"{text}"~{slop}' if slop else f'"{text}"'


def _quoted_value(value: str) -> str:
    """The value bare where it can be read in one way only, else quoted, quotation marks in it doubled."""
    if _PLAIN_VALUE.fullmatch(value):
        return value
    return _quotation(value)


def _quotation(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _span(span: Published) -> str:
    if span.start is None and span.end is None:
        return "*"
    first, _, last = _range(span).partition("..")
    return name_of_period(span) or (first if first == last else _range(span))


def name_of_period(span: Published) -> str | None:
    """The span as 2016, 2016-03 or 2016-03-01 where it is exactly one year, month or day."""
    start, end = span.start, span.end
    if start is None or end is None or isinstance(start, datetime) or isinstance(end, datetime):
        return None
    if end - start == _ONE_DAY:
        return start.isoformat()
    if start.day == 1 and end == month_period(start.year, start.month).end:
        return start.isoformat()[:7]
    if (start.month, start.day) == (1, 1) and end == year_period(start.year).end:
        return start.isoformat()[:4]
    return None
