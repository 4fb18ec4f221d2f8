"""An archive that stays open while it is written to answers as one that is opened afresh after each commit."""

import tempfile
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import searchkit
from searchkit.engines.local import LocalArchive, open_local
from searchkit.settings import Settings

WORDS = ["ash", "bank", "rim", "rum", "café", "cold", "run"]
QUERIES = ("", "bank", "ash OR rum", "run -cold", "ca*", '"ash bank"', "topic:News")
ALL_FACETS: Any = ("topics", "kind", "authors", "year")

articles = st.builds(
    searchkit.Article,
    st.sampled_from("abcdefghijkl"),
    title=st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join),
    body=st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join),
    published=st.none() | st.integers(0, 5).map(lambda days: date(2020, 1, 1) + timedelta(days)),
    topics=st.lists(st.sampled_from(["News", "news", "Öl", "Gas"]), max_size=2),
    authors=st.lists(st.sampled_from(["Jane Smith", "jane smith", "Ann"]), max_size=2),
)
steps = st.lists(
    st.lists(articles, min_size=1, max_size=4) | st.sets(st.sampled_from("abcdefghijkl"), min_size=1, max_size=3),
    min_size=1,
    max_size=5,
)


def answers(archive: LocalArchive) -> list[dict[str, Any]]:
    """The pages of all queries, in several orders, without the time they took."""
    pages = [
        archive.search(query, sort=sort, facets=ALL_FACETS, timeline="day")
        for query in QUERIES
        for sort in ("best", "newest")
    ]
    return [{name: value for name, value in page.to_dict().items() if name != "took_ms"} for page in pages]


@settings(max_examples=30, deadline=None)
@given(steps)
def test_pages_after_commits_are_those_of_an_archive_opened_afresh(steps: list[Any]) -> None:
    """Hits, scores, marks, counts, spellings of labels and timelines agree after every addition and deletion."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_local(folder + "/index", create=True, settings=Settings(durable=False)) as archive,
    ):
        for step in steps:
            if isinstance(step, set):
                archive.delete(step)
            else:
                archive.add(step, workers=1)
            with open_local(folder + "/index", settings=Settings(durable=False)) as afresh:
                assert answers(archive) == answers(afresh)


def test_what_a_commit_leaves_alone_is_taken_over() -> None:
    """The segments before a commit are read by the same objects after it, but for what is deleted."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_local(folder + "/index", create=True, settings=Settings()) as archive,
    ):
        archive.add([searchkit.Article(name, title="bank", topics=["News"]) for name in "abc"])
        assert archive.search("bank").facets["topics"] == (("News", 3),)
        with archive._generation() as before:
            (old, _), *_ = before.segments
            archive.add([searchkit.Article("d", title="bank")])
            archive.delete(["a"])
            with archive._generation() as after:
                (new, _), *_ = after.segments
                assert (new._terms, new._documents) == (old._terms, old._documents)
                assert (old.live.sum(), new.live.sum()) == (3, 2)
        assert archive.search("bank").facets["topics"] == (("News", 2),)
