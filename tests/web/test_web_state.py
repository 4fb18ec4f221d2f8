"""Query strings and searches: what is written is read back, and every change says what it means."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.errors import RequestError
from searchkit.page.model import SORTS
from searchkit.web.state import (
    SearchState,
    at_cursor,
    at_start,
    drop_label,
    has_label,
    read_state,
    toggle_label,
    with_dates,
    with_query,
    with_sort,
    without_filters,
    write_state,
)

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LABELS = st.lists(WORDS.map(str.strip).filter(bool), max_size=3, unique_by=lambda text: text.casefold()).map(tuple)
BOUNDS = st.none() | WORDS.map(str.strip).filter(bool)


@st.composite
def states(draw: st.DrawFn) -> SearchState:
    """Searches of every sort, as reading a query string leaves them: without two spellings of one label."""
    state = SearchState(
        query=draw(WORDS),
        topics=draw(LABELS),
        exclude_topics=draw(LABELS),
        kinds=draw(LABELS),
        authors=draw(LABELS),
        language=draw(BOUNDS),
        since=draw(BOUNDS),
        until=draw(BOUNDS),
        sort=draw(st.sampled_from(SORTS)),
        limit=draw(st.integers(0, 100)),
    )
    if draw(st.booleans()):
        state = at_cursor(state, draw(WORDS.filter(str.strip)), draw(st.integers(0, 10**8)))
    return read_state(parse_qsl(write_state(state)))


def read(query_string: str) -> SearchState:
    return read_state(parse_qsl(query_string, keep_blank_values=True))


@given(states())
def test_what_is_written_is_read_back(state: SearchState) -> None:
    """Writing a search and reading it again gives the same search."""
    assert read(write_state(state)) == state


@given(WORDS)
def test_any_query_text_is_a_query(text: str) -> None:
    """A reader's words arrive as they were typed."""
    assert read(write_state(SearchState(query=text))).query == text


@pytest.mark.parametrize(
    ("query_string", "state"),
    [
        ("", SearchState()),
        ("q=&since=&topic=&sort=&limit=&cursor=", SearchState()),
        ("q=heparin+-aspirin", SearchState("heparin -aspirin")),
        ("topic=A%2C+B&topic=C+%26+D", SearchState(topics=("A, B", "C & D"))),
        ("topic=News&topic=news&topic=N%C3%A9ws", SearchState(topics=("Néws",))),
        (
            "not_topic=X&kind=news&author=Ada&language=en",
            SearchState("", (), ("X",), ("news",), ("Ada",), "en"),
        ),
        ("since=2016&until=2018-06", SearchState(since="2016", until="2018-06")),
        ("since=2016&since=2017", SearchState(since="2017")),
        ("sort=newest&limit=25", SearchState(sort="newest", limit=25)),
        ("limit=0", SearchState(limit=0)),
        ("limit=5000", SearchState(limit=100)),
        ("limit=9999999999999999999999999", SearchState(limit=100)),
        ("cursor=abc&seen=10", SearchState(cursor="abc", seen=10)),
        ("cursor=abc&seen=ten", SearchState(cursor="abc")),
        ("seen=10", SearchState()),
        ("disjunctive=1", SearchState(disjunctive=True)),
        ("disjunctive=0", SearchState()),
        ("explain=1", SearchState(explain=True)),
        ("utm_source=letter&page=2&fbclid=1", SearchState()),
    ],
)
def test_reading_a_query_string(query_string: str, state: SearchState) -> None:
    """Known parameters are taken, blank and foreign ones are not, and the limit has an upper end."""
    assert read(query_string) == state


@pytest.mark.parametrize(
    ("query_string", "value"),
    [
        ("sort=worst", "worst"),
        ("limit=-3", "-3"),
        ("limit=ten", "ten"),
        ("limit=²", "²"),
        ("disjunctive=2", "2"),
    ],
)
def test_an_unusable_value_is_named(query_string: str, value: str) -> None:
    """A sort order or limit that is none is refused, with the value and what would do."""
    with pytest.raises(RequestError, match=rf"'{value}'.*(0 to 100|best|0 nor 1)"):
        read(query_string)


@given(states(), WORDS.map(str.strip).filter(bool))
def test_switching_a_label_twice_leaves_the_others(state: SearchState, label: str) -> None:
    """A label switched on is on; switched off again it is gone, and the place in the results with it."""
    off = drop_label(state, "topics", label)
    on = toggle_label(off, "topics", label)
    assert has_label(on, "topics", label)
    assert not has_label(on, "exclude_topics", label)
    assert toggle_label(on, "topics", label).topics == off.topics
    assert on.cursor is None


def test_labels_are_compared_without_case_and_accents() -> None:
    """Switching off finds the label in another spelling, as engines do."""
    state = SearchState(topics=("Santé", "News"))
    assert has_label(state, "topics", "SANTE")
    assert toggle_label(state, "topics", "SANTE").topics == ("News",)


def test_asking_for_an_excluded_topic_ends_its_exclusion() -> None:
    """A topic is asked for or excluded, the last click decides."""
    state = toggle_label(SearchState(exclude_topics=("News",)), "topics", "News")
    assert (state.topics, state.exclude_topics) == (("News",), ())
    state = toggle_label(state, "exclude_topics", "News")
    assert (state.topics, state.exclude_topics) == ((), ("News",))


@pytest.mark.parametrize(
    "change",
    [
        lambda state: with_dates(state, "2016", None),
        lambda state: with_sort(state, "oldest"),
        lambda state: with_query(state, "other"),
        lambda state: without_filters(state),
        lambda state: at_start(state),
    ],
)
def test_every_change_goes_back_to_the_first_hits(change) -> None:
    """A cursor belongs to one search; no changed search carries it along."""
    state = change(SearchState("heparin", topics=("News",), cursor="abc", seen=10))
    assert (state.cursor, state.seen) == (None, 0)
