"""What holds for every query: canonical text reads back, nothing raises, time grows with length."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from time import process_time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from searchkit.dates import ArchiveCalendar
from searchkit.query import canonical, read_query, with_filters
from searchkit.query.joined_words import is_initialism
from searchkit.query.nodes import (
    And,
    Everything,
    Exact,
    Fuzzy,
    Label,
    Node,
    Not,
    Or,
    Pattern,
    Phrase,
    Prefix,
    Published,
    Word,
)
from searchkit.query.normal_form import NormalForm
from searchkit.query.reader import MAX_WIDE

TODAY = date(2024, 5, 15)
NORMAL = NormalForm()
CALENDAR = ArchiveCalendar(UTC)

AWKWARD_WORDS = [
    "heparin", "C++", "C#", ".NET", "COVID-19", "U.S.", "O'Brien", "AT&T", "10:30", "10.1016/j.x", "東京",
    "or", "not", "title", "to", "Until", "A-", "#x", "x[1]", "Ⅷ", "+49", "50%", "std::x",
    "his/her", "a,b", "salt&pepper",
]  # fmt: skip
WORDS = st.sampled_from(AWKWARD_WORDS) | st.from_regex(r"[a-zé東0-9]{1,6}", fullmatch=True)
TEXT_FIELD = st.sampled_from([None, None, "title"])
PHRASES = st.lists(WORDS | st.sampled_from(["OR", "-x", "(y)", "topic:z", "&", "'"]), min_size=1, max_size=4).map(
    lambda words: " ".join([*words, "end"])
)
AWKWARD_VALUES = [
    "RBC Transfusion", 'the "best"', '"', "“x”", "a, b & c/d", "OR", "-x", "(x)", "x*", "x|y", "x:y", "'x'",
]  # fmt: skip
VALUES = st.sampled_from(AWKWARD_VALUES) | st.from_regex(r"[a-z \"~.]{0,5}[a-z][a-z \".~]{0,5}", fullmatch=True).map(
    lambda text: " ".join(text.split())
)
MOMENTS = st.one_of(
    st.dates(min_value=date(1, 1, 2), max_value=date(9999, 12, 30)),
    st.datetimes(
        min_value=datetime(1, 1, 3),
        max_value=datetime(9999, 12, 29),
        timezones=st.sampled_from([None, UTC, timezone(timedelta(hours=5, minutes=30))]),
    ),
)


def _published(ends: tuple[date | None, date | None]) -> Published:
    start, end = ends
    if start is not None and end is not None:
        start, end = sorted((start, end), key=CALENDAR.instant)
        if CALENDAR.instant(start) == CALENDAR.instant(end):
            end = None
    return Published(start, end)


LEAVES: st.SearchStrategy[Node] = st.one_of(
    st.builds(Word, WORDS, TEXT_FIELD),
    st.builds(Phrase, PHRASES, TEXT_FIELD, st.integers(0, 100)),
    st.builds(Prefix, st.sampled_from(["trans", "C", "10.1016/", "東"]), TEXT_FIELD),
    st.builds(Pattern, st.from_regex(r"\*?[a-zé]{1,3}[?*][a-zé]{1,3}\*?", fullmatch=True), TEXT_FIELD),
    st.builds(Fuzzy, st.from_regex(r"[a-zé]{3,6}|C\+\+|anti-d", fullmatch=True), TEXT_FIELD, st.integers(1, 2)),
    st.builds(Exact, WORDS, TEXT_FIELD, st.just(0)),
    st.builds(Exact, PHRASES, TEXT_FIELD, st.integers(0, 100)),
    st.builds(Label, st.sampled_from(["topic", "kind", "author", "language", "id", "url"]), VALUES),
    st.builds(Label, st.just("author"), VALUES, st.just(True)),
    st.tuples(st.none() | MOMENTS, st.none() | MOMENTS).map(_published),
)


def _join(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=2, max_size=4)
    return st.one_of(several.map(NORMAL.conjunction), several.map(NORMAL.disjunction), inner.map(NORMAL.negation))


TREES = st.recursive(LEAVES, _join, max_leaves=12) | st.just(Everything())
SIGNS = "\"'“”„«»「」()（）|｜*-–—−－+!?.,;:：~～^&#@<>[]{}/\\\x00\u200b\u200d\ufeff\ud800\t\n\u3000 0aé東\"''   "
PIECES = [
    "OR", "AND", "NOT", "||", "&&", "title:", "topic:", "author:", "date:", "since:", "until:", "before:",
    "after:", "id:", "url:", "foo:", "doi:", "2016", "2016..2018", "..", "june", "last month", "https://a.b/c",
    "heparin", '"a b"', "~5", "~1", "=", '="a', 'author:="J', "a?b", "a*b", "*a", "trans*", "x.y.",
    "his/her", "a/trans*", " NEAR ", "^2", "x^2.", "fox^2", " to ", "until", "{2016 TO 2018}", "＊", "？", "ｄａｔｅ：",
]  # fmt: skip
SCRAPS = st.lists(st.sampled_from([*SIGNS, *PIECES]), max_size=30).map("".join)


def wide_parts(tree: Node) -> int:
    """What the parts of a tree that stand for many words come to."""
    match tree:
        case And(nodes) | Or(nodes):
            return sum(map(wide_parts, nodes))
        case Not(inner):
            return wide_parts(inner)
        case Word(text):
            return 6 if is_initialism(text) else 0
        case Exact(text):
            return 3 if len(re.findall(r"\w+", text)) > 1 else 0
        case Pattern() | Fuzzy():
            return 1
        case Label():
            return 1 if tree.is_name else 0
    return 0


@given(tree=TREES)
@settings(max_examples=300, deadline=None)
def test_canonical_text_reads_back_as_its_tree(tree: Node) -> None:
    """For every tree in the normal form and within the limits, reading its canonical text gives the tree again."""
    assume(wide_parts(tree) <= MAX_WIDE)
    assert read_query(canonical(tree), today=TODAY).node == tree


@given(text=SCRAPS | st.text(max_size=60))
@settings(max_examples=500, deadline=None)
def test_any_text_has_a_reading_that_reads_back(text: str) -> None:
    """Whatever is typed has a tree in the normal form, and its canonical text the same one."""
    reading = read_query(text, today=TODAY)
    assert is_normal(reading.node)
    again = read_query(reading.receipt.canonical, today=TODAY)
    assert again.node == reading.node
    assert again.receipt.canonical == reading.receipt.canonical
    assert reading.receipt.text == text
    assert all(-1 <= remark.position < len(text) for remark in reading.receipt.remarks)


@given(
    text=SCRAPS,
    topics=st.lists(VALUES, max_size=2),
    excluded=st.lists(VALUES, max_size=2),
    since=st.none() | MOMENTS,
)
@settings(max_examples=200, deadline=None)
def test_filters_keep_the_normal_form(text: str, topics: list[str], excluded: list[str], since: date | None) -> None:
    """A query with filters folded in is in the normal form too, and its canonical text reads back."""
    reading = with_filters(read_query(text, today=TODAY), topics=topics, exclude_topics=excluded, since=since)
    assert is_normal(reading.node)
    assert read_query(reading.receipt.canonical, today=TODAY).node == reading.node


def is_normal(node: Node, within: type[Node] | None = None) -> bool:
    """Whether the tree has the shape that normal_form.py describes."""
    if isinstance(node, Everything):
        return within is None
    if isinstance(node, Not):
        return within is not Not and is_normal(node.node, Not)
    if isinstance(node, And | Or):
        spans = [part for part in node.nodes if isinstance(part, Published)]
        return (
            not isinstance(node, within or ())
            and len(set(node.nodes)) == len(node.nodes) >= 2
            and (isinstance(node, Or) or len(spans) <= 2)
            and all(is_normal(part, type(node)) for part in node.nodes)
        )
    return True


UNITS = [
    '"', '" ', "'a ", "'a'a", "(", "(a ", "(-", ")", ")(", "a OR ", "a|", "-", "-a ", "*", "a*.", "«a ", "«", "»",
    "「", "[", "a]", "a.", "U.S.", "!", "~", "a~", "&", "NOT ", "https://a ", "http://(", "foo:", "doi:",
    "title:", "title:(", "topic:(a b ", "topic:(a & ", 'topic:"a', 'topic:""', "date:june ", "date:last month ",
    "a?b", "a*b ", "*a", "=", "=a ", '="', "abc~ ", "abc~1", "a*?", "=*!", "~1{", "~1}", "a~*", "=a*", "a?=",
    "date:[", "date:..", "since:2016 until:2015 ", "\x00", "\u200b", "東", "(a OR b ", "OR AND ", "date: ", "x[",
    '"a~', "a b c ",
]  # fmt: skip


def _fastest(text: str) -> float:
    times = []
    for _ in range(3):
        start = process_time()
        read_query(text, today=TODAY)
        times.append(process_time() - start)
    return min(times)


@pytest.mark.parametrize("unit", UNITS)
def test_time_grows_with_length_only(unit: str) -> None:
    """Four times as much of anything takes about four times as long, where quadratic means sixteen."""
    quarter, whole = (unit * 2048)[:2048], (unit * 8192)[:8192]
    assert _fastest(whole) < 10 * _fastest(quarter) + 0.004


@pytest.mark.parametrize("unit", UNITS)
def test_rubbish_has_a_short_receipt(unit: str) -> None:
    """Eight thousand characters of anything are read, and the receipt stays short enough to show."""
    receipt = read_query((unit * 8192)[:8192], today=TODAY).receipt
    assert len(receipt.remarks) <= 21
    assert all(len(remark.text) <= 60 for remark in receipt.remarks)


@pytest.mark.parametrize("typed", ["(last month||", "(a ", "(a OR b c OR d ", "-(a OR (b ", '("a b" || -c || (d '])
@pytest.mark.parametrize("depth", [5, 16, 17, 25, 32, 40])
def test_groups_read_back_however_deep(typed: str, depth: int) -> None:
    """A text with as many groups inside each other as are read has a canonical form that reads back."""
    reading = read_query(typed * depth + "x", today=TODAY)
    assert read_query(reading.receipt.canonical, today=TODAY).node == reading.node
