"""What a typed line makes of the state of a session."""

from dataclasses import replace
from datetime import date

import pytest

from searchkit.page.model import FacetValue, Hit, Page, Suggestion
from searchkit.query.receipt import Receipt
from searchkit.session.state import (
    HELP,
    ListAgain,
    ListRelated,
    ListTopics,
    More,
    Open,
    Quit,
    Request,
    Say,
    Search,
    ShowHelp,
    ShowPlan,
    ShowStats,
    ShowTimeline,
    State,
    after_more,
    after_related,
    after_search,
    after_topics,
    interpret,
)

TOPICS = ("News", "RBC Transfusion", "Platelet Transfusion", "Coagulation & Plasma Transfusion", "Générale")
START = State(known_topics=TOPICS, known_kinds=("news", "podcast"), known_languages=("en",))


def hit(number):
    """A hit that a list can have."""
    return Hit(f"a{number}", f"Title {number}", date(2017, 1, number), (), (), "", None, 0.0)


def page(*numbers, cursor=None):
    """A page of a result of 30 articles."""
    facets = {"topics": (FacetValue("RBC Transfusion", 20), FacetValue("News", 3))}
    return Page(30, tuple(map(hit, numbers)), facets, (), Receipt("", "", ""), next_cursor=cursor)


def searched(request, *numbers, cursor=None, state=START):
    """The state after a search whose hits were all listed."""
    found = after_search(state, Search(request, state.earlier), page(*numbers, cursor=cursor))
    return replace(found, shown=len(numbers))


FOUND = searched(Request("heparin"), 1, 2, 3, cursor="next")


@pytest.mark.parametrize(
    ("line", "query"),
    [
        ("heparin -aspirin", "heparin -aspirin"),
        ("  red   cells ", "red cells"),
        ("find open access", "open access"),
        ("/search topic News", "topic News"),
        ("FIND more", "more"),
        ("open access publishing", "open access publishing"),
        ("more blood", "more blood"),
        ("not pregnant", "not pregnant"),
        ("topics in medicine", "topics in medicine"),
        ("2017", "2017"),
        ("quit smoking", "quit smoking"),
        ("help", None),
    ],
)
def test_what_is_no_command_is_a_query(line, query):
    """Anything that does not fit a command is searched; ``find`` makes a query of anything."""
    action = interpret(line, FOUND)
    assert (action.request.query if isinstance(action, Search) else None) == query


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("open 2", Open("a2")),
        ("2", Open("a2")),
        ("show 3", Open("a3")),
        ("open a1", Open("a1")),
        ("related 3", ListRelated("a3")),
        ("related a1", ListRelated("a1")),
        ("more", More("next")),
        ("", More("next")),
        ("next", More("next")),
        ("topics", ListTopics()),
        ("TIMELINE", ShowTimeline()),
        ("stats", ShowStats()),
        ("explain", ShowPlan()),
        ("help", ShowHelp()),
        ("?", ShowHelp()),
        ("/help", ShowHelp()),
        ("quit", Quit()),
        ("exit", Quit()),
    ],
)
def test_commands(line, action):
    """Each command in the state in which it has something to do."""
    assert interpret(line, FOUND) == action


@pytest.mark.parametrize(
    ("line", "change"),
    [
        ("topic RBC Transfusion", {"topics": ("RBC Transfusion",)}),
        ("topic rbc", {"topics": ("RBC Transfusion",)}),
        ("topic generale", {"topics": ("Générale",)}),
        ("topic 2", {"topics": ("News",)}),
        ("not topic News", {"exclude_topics": ("News",)}),
        ("not topic 1", {"exclude_topics": ("RBC Transfusion",)}),
        ("since 2016", {"since": "2016"}),
        ("until 2018-06", {"until": "2018-06"}),
        ("kind Podcast", {"kind": "podcast"}),
        ("author Jane Roe", {"author": "Jane Roe"}),
        ("language EN", {"language": "en"}),
        ("sort newest", {"sort": "newest"}),
    ],
)
def test_refining_keeps_the_query(line, change):
    """A refinement searches the same query with one thing changed, and ``back`` takes it back."""
    assert interpret(line, FOUND) == Search(replace(FOUND.request, **change), (FOUND.request,))


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("open", "Which one?"),
        ("related", "Related to which one?"),
        ("related 9", "results 1 to 3"),
        ("open 9", "results 1 to 3; to search for the number: find 9"),
        ("0", "results 1 to 3"),
        ("topic", "Which topic?"),
        ("topic 7", "no topic number 7, 1 to 2 are listed"),
        ("topic transfusion", "Several topics are called like that: RBC Transfusion; Platelet"),
        ("topic Platelets Transfusion", "did you mean Platelet Transfusion"),
        ("topic modelling", "find topic modelling"),
        ("kind", "Which kind?"),
        ("kind of blue", "the kinds are news, podcast. To search for the words: find kind of blue"),
        ("since", "since 2016"),
        ("sort of", "best, newest, oldest, fresh"),
        ("find", "find blood donors"),
        ("/topik News", "did you mean topic?"),
        ("back", "where the session began"),
    ],
)
def test_bad_parameters_say_what_to_do(line, part):
    """A command that cannot be carried out says why and what to type."""
    action = interpret(line, FOUND)
    assert isinstance(action, Say)
    assert part in action.text


def test_filters_stay_for_the_next_query():
    """Typing another query keeps the filters that the status line shows; clear drops them, then the query."""
    state = searched(Request("heparin", topics=("News",), since="2016"), 1)
    assert interpret("plasma", state).request == Request("plasma", topics=("News",), since="2016")
    cleared = interpret("clear", state)
    assert cleared.request == Request("heparin")
    assert interpret("clear", searched(Request("heparin"), 1)).request == Request()
    assert isinstance(interpret("clear", searched(Request(), 1)), Say)


def test_second_topic_narrows_further():
    """The engine takes topics as alternatives; a session asks for both by putting one into the query."""
    request = interpret("topic News", searched(Request("a OR b", topics=("RBC Transfusion",)), 1)).request
    assert request.topics == ("RBC Transfusion", "News")
    assert request.parameters()["topics"] == ("RBC Transfusion",)
    assert request.parameters()["query"] == '(a OR b) topic:"News"'
    assert replace(request, query="").parameters()["query"] == 'topic:"News"'


def test_topic_and_its_exclusion_replace_each_other():
    """A topic cannot be asked for and left out at once: the later word counts."""
    state = searched(Request("x", topics=("News",)), 1)
    assert interpret("not topic News", state).request == Request("x", exclude_topics=("News",))
    state = searched(Request("x", exclude_topics=("News",)), 1)
    assert interpret("topic News", state).request == Request("x", topics=("News",))
    assert isinstance(interpret("topic news", searched(Request("x", topics=("News",)), 1)), Say)


def test_order_without_a_query_is_newest_first():
    """The best of everything is the newest; a query is sorted by how well it fits."""
    assert Request().parameters()["sort"] == "newest"
    assert Request("x").parameters()["sort"] == "best"
    assert Request("x", sort="oldest").parameters()["sort"] == "oldest"
    assert interpret("latest", FOUND).request == Request()


def test_numbers_stay_good_after_more():
    """Hits of earlier pages can still be opened by their number."""
    state = after_more(FOUND, page(4, 5))
    assert interpret("5", state) == Open("a5")
    assert interpret("1", state) == Open("a1")


def test_more_lists_what_was_fetched_before_fetching():
    """Hits that the screen had no room for come first, then the next page, until there is none."""
    assert interpret("", replace(FOUND, shown=2)) == More(None)
    assert interpret("", FOUND) == More("next")
    assert interpret("", replace(after_more(FOUND, page(4)), shown=3)) == More(None)
    assert interpret("", replace(after_more(FOUND, page(4)), shown=4)) == Say("That is all")


def test_back_goes_through_earlier_searches():
    """From an article to its results, from results to the search before, until there is none."""
    first = searched(Request("one"), 1)
    action = interpret("two", first)
    second = after_search(first, action, page(2))
    reading = replace(second, is_reading=True)
    assert interpret("back", reading) == ListAgain()
    assert interpret("", reading) == ListAgain()
    action = interpret("back", second)
    assert action == Search(Request("one"), ())
    assert isinstance(interpret("back", after_search(second, action, page(1))), Say)


def test_related_articles_are_a_list_like_others():
    """After reading, ``related`` needs no number; its hits are opened by theirs, and ``back`` leads to the results."""
    reading = replace(FOUND, is_reading=True, reading="a2")
    action = interpret("related", reading)
    assert action == ListRelated("a2")
    state = replace(after_related(reading, action, (hit(8), hit(9))), shown=2)
    assert interpret("2", state) == Open("a9")
    assert interpret("more", state) == Say("That is all")
    assert interpret("related", state) == ListRelated("a2")
    assert interpret("back", replace(state, is_reading=True)) == ListAgain()
    assert interpret("back", state) == Search(Request("heparin"), ())
    assert interpret("related work", FOUND).request.query == "related work"


def test_topics_are_numbered_as_listed_last():
    """``topic 1`` means the first of the list that was shown last."""
    state = after_topics(FOUND, (FacetValue("Générale", 1),))
    assert interpret("topic 1", state).request.topics == ("Générale",)


@pytest.mark.parametrize(
    "line", ["", "more", "back", "clear", "open 1", "1", "topic 1", "/", "//", "/ x", "find  ", "\x1b"]
)
def test_the_first_line_can_be_anything(line):
    """Nothing depends on there being results."""
    interpret(line, START)


def test_filters_read_as_the_commands_that_set_them():
    """What the status line shows can be typed."""
    request = Request("x", ("News",), ("RBC Transfusion",), "podcast", "Roe", "2016", "2018-06", "en", "newest")
    for text in request.filters():
        action = interpret(text, START)
        assert isinstance(action, Search)
        assert text in action.request.filters()


def test_help_fits_a_narrow_terminal():
    """What help lists in its first column fits beside the explanation at 60 columns."""
    assert max(len(typed) for typed, _ in HELP) <= 26


SUGGESTED = (Suggestion("heparin", "spelling heparin", 3), Suggestion("topic:News", "with the field topic", 9))
HEPRAINE = Request("hepraine", since="2016", sort="newest")
NOTHING = replace(START, request=HEPRAINE, page=replace(page(), total=0, suggestions=SUGGESTED))
LITTLE = replace(searched(Request("hepraine"), 1), page=replace(page(1), total=1, suggestions=SUGGESTED))


@pytest.mark.parametrize(
    ("line", "state", "query"),
    [
        ("try 2", NOTHING, "topic:News"),
        ("try", NOTHING, "heparin"),
        ("/try 1", NOTHING, "heparin"),
        ("1", NOTHING, "heparin"),
        ("try 1", LITTLE, "heparin"),
    ],
)
def test_a_suggestion_is_run_by_its_number(line, state, query):
    """A suggested query takes the place of the query and of what restricted it, in the order chosen."""
    action = interpret(line, state)
    assert isinstance(action, Search)
    assert action.request == Request(query, sort=state.request.sort)
    assert action.earlier == (state.request,)


def test_numbers_beyond_the_suggestions_and_words():
    """A wrong number says which there are; try with words, or with nothing suggested, is a query."""
    assert "1 to 2" in interpret("try 3", NOTHING).text
    assert "1 to 2" in interpret("9", NOTHING).text
    assert interpret("1", LITTLE) == Open("a1")
    assert interpret("try harder", NOTHING).request.query == "try harder"
    assert interpret("try 1", FOUND).request.query == "try 1"
