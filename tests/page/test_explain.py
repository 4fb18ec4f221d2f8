"""The plan of a search: each step's count is the number of articles that its part finds."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit import Article, open_archive
from searchkit.page.explain import describe
from searchkit.plan.execute import Execution, Step, execute
from searchkit.query import read_query

WORDS = (
    "ash",
    "bank",
    "rim",
    "rum",
    '"ash bank"',
    "ba*",
    "topic:News",
    "-rum",
    "OR",
    "(",
    ")",
    "date:2003",
    "~",
    "=",
    "ca?",
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Articles with every combination of four words, some filed under News, in two segments."""
    articles = [
        Article(
            f"a{number}",
            "Title",
            " ".join(word for place, word in enumerate(WORDS[:4]) if number & 1 << place) or "nothing",
            topics=["News"] if number % 3 else [],
            published=f"{2000 + number}",
        )
        for number in range(16)
    ]
    with open_archive(tmp_path_factory.mktemp("explain") / "index", create=True) as archive:
        archive.add(articles[:9])
        archive.add(articles[9:])
        archive.delete(["a7"])
        yield archive


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join), st.sampled_from(("best", "newest", "fresh")))
def test_counts_are_those_of_each_part(archive, query, sort) -> None:
    """The first step is the whole query; every step stands below the one it was run for, with what it alone finds."""
    page = archive.search(query, sort=sort, explain=True, facets=("topics",), timeline="year", limit=3)
    with archive._generation() as generation:
        steps: list[Step] = []
        Execution(generation, steps=steps).run(read_query(query, today=date(2026, 1, 1)).node)
        for step in steps:
            assert step.count == len(execute(step.node, generation).docnums)
        described = sorted((describe(step.node, generation), step.depth, step.count) for step in steps)

    tree = page.plan[: len(steps)]
    assert sorted((step.what.removeprefix("without: "), step.depth, step.count) for step in tree) == described
    assert tree[0].count == page.total + page.left_out
    assert tree[0].depth == 0
    assert all(after.depth <= before.depth + 1 for before, after in pairwise(tree))
    rest = {step.what: step.count for step in page.plan[len(steps) :]}
    assert rest["counts of topics"] == len(page.facets["topics"])
    assert rest["timeline by year"] == len(page.timeline)
    assert rest[f"first 3 in the order {sort}"] == len(page.hits)
    assert rest.get("relevant enough to be listed", page.total) == page.total
    assert all(step.took_ms >= 0 for step in page.plan)


def test_parts_are_named_as_they_are_used(archive) -> None:
    """Terms, dates and exclusions are told apart."""
    page = archive.search('"ash banks" -rum (rim OR ba*)', since="2003", explain=True, facets=(), timeline=None)
    assert [(step.depth, step.what) for step in page.plan] == [
        (0, "all of these, published 2003-01-01.."),
        (1, 'phrase "ash banks": ash bank'),
        (1, "any of these"),
        (2, "word rim: rim"),
        (2, "beginning ba*: ba*"),
        (1, "without: word rum: rum"),
        (0, "scores by BM25"),
        (0, "first 10 in the order best"),
    ]


def test_without_being_asked_there_is_no_plan(archive) -> None:
    """Pages do not carry what nobody wants."""
    assert archive.search("ash").plan == ()
    assert "plan" not in archive.search("ash").to_dict()
    assert archive.search("ash", explain=True).to_dict()["plan"][0]["count"] == archive.count("ash")
