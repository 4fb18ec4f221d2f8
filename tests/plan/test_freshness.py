"""The order fresh: what is relevant enough, and that everything on the page counts just that."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit import Article
from searchkit.engines.local import LocalArchive
from searchkit.plan.freshness import REFERENCE, SHARE, relevance_floor, scored_part
from searchkit.query.nodes import And, Everything, Label, Not, Or, Phrase, Published, Word

NEWS = Label("topic", "News")
ASH = Word("ash")


@given(st.lists(st.floats(0, 100), max_size=40))
def test_the_floor_is_a_share_of_the_tenth_best(scores) -> None:
    """Sorting and counting gives the same floor; up to ten matches have none."""
    tenth = sorted(scores, reverse=True)[REFERENCE - 1] if len(scores) > REFERENCE else 0.0

    assert relevance_floor(np.array(scores)) == SHARE * tenth
    assert sum(score >= SHARE * tenth for score in scores) >= min(len(scores), REFERENCE)


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (ASH, ASH),
        (And((ASH, NEWS, Not(Word("rim")), Published(None, None))), ASH),
        (And((ASH, Phrase("a b"), Or((NEWS, Label("topic", "Views"))))), And((ASH, Phrase("a b")))),
        (And((Or((ASH, NEWS)), NEWS)), Or((ASH, NEWS))),
        (And((NEWS, Not(ASH))), Everything()),
        (NEWS, Everything()),
        (Not(ASH), Everything()),
        (Or((NEWS, Published(None, None))), Everything()),
    ],
    ids=str,
)
def test_what_restricts_sets_no_floor(node, words) -> None:
    """The floor is that of the words; labels, dates and exclusions beside them are left out."""
    assert scored_part(node) == words


def articles() -> list[Article]:
    """Thirty articles, every third with the word in its title, the others with one mention in a long text."""
    return [
        Article(
            f"a{number:02}",
            "Heparin heparin" if number % 3 == 0 else "Something else",
            "heparin " + "filler text " * 40,
            published=f"20{number:02}-05-01",
            topics=["Even" if number % 2 == 0 else "Odd"],
        )
        for number in range(30)
    ]


def test_fresh_lists_the_relevant_newest_first(make_archive) -> None:
    """Passing mentions are left out and counted; totals, facets and timeline count what is listed."""
    archive = make_archive(articles())
    page = archive.search("heparin", sort="fresh", limit=100)

    assert [hit.id for hit in page.hits] == [f"a{number:02}" for number in range(27, -1, -3)]
    assert (page.total, page.left_out) == (10, 20)
    assert {value.value: value.count for value in page.facets["topics"]} == {"Even": 5, "Odd": 5}
    assert sum(bucket.count for bucket in page.timeline) == 10
    assert page.to_dict()["left_out"] == 20
    assert archive.search("heparin").left_out == 0


@settings(max_examples=25, deadline=None)
@given(limit=st.integers(1, 7))
def test_fresh_pages_by_cursor(fresh_archive, limit) -> None:
    """Paging shows every listed article once, however many at a time."""
    found, cursor = [], None
    while not found or cursor:
        page = fresh_archive.search("heparin", sort="fresh", limit=limit, cursor=cursor)
        found += [hit.id for hit in page.hits]
        cursor = page.next_cursor

    assert len(found) == page.total == 10
    assert found == sorted(found, reverse=True)


@pytest.fixture(scope="module")
def fresh_archive(tmp_path_factory):
    """The thirty articles, opened once."""
    from searchkit import open_archive

    with open_archive(tmp_path_factory.mktemp("fresh") / "index", create=True) as archive:
        archive.add(articles())
        yield archive


@pytest.mark.parametrize("narrowed", [{"topics": ["Odd"]}, {"since": "2010"}, {"until": "2004"}])
def test_a_filter_only_takes_away(fresh_archive, narrowed) -> None:
    """Narrowing gives exactly those of the list that fit, as the counts beside it said."""
    listed = fresh_archive.search("heparin", sort="fresh", limit=100)
    fitting = {hit.id for hit in fresh_archive.search("heparin", limit=100, **narrowed).hits}
    page = fresh_archive.search("heparin", sort="fresh", limit=100, **narrowed)

    assert [hit.id for hit in page.hits] == [hit.id for hit in listed.hits if hit.id in fitting]
    assert page.total + page.left_out == len(fitting)


@pytest.mark.parametrize("query", ["", "topic:Odd", "date:2001..2020", "-nothing", "hepar*"])
def test_without_scores_fresh_is_newest(fresh_archive, query) -> None:
    """A query that ranks nothing leaves nothing out."""
    fresh = fresh_archive.search(query, sort="fresh", limit=100)
    newest = fresh_archive.search(query, sort="newest", limit=100)

    assert (fresh.hits, fresh.total, fresh.left_out) == (newest.hits, newest.total, 0)


def test_facets_beside_a_filter_count_the_relevant(make_archive: Callable[..., LocalArchive]) -> None:
    """Counted disjunctively, a topic's siblings have the counts of the list without the filter."""
    passing = [
        Article(f"p{n}", "Report", "heparin" + " word" * 300, published="2020", topics=["News"]) for n in range(20)
    ]
    about = [
        Article(f"a{n}", "Heparin heparin", "Heparin.", published=f"20{n}", topics=[["News"], ["Blood"]][n % 2])
        for n in range(10, 21)
    ]
    archive = make_archive([*passing, *about])
    page = archive.search("heparin", sort="fresh", topics=["News"], disjunctive=True)
    whole = archive.search("heparin", sort="fresh")
    assert whole.left_out == 20
    assert page.facets["topics"] == whole.facets["topics"]
