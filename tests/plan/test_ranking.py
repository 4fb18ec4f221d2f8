"""The first matches in each order, and those after a cursor, are what sorting all of them gives."""

import tempfile
from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import searchkit
from searchkit.engines.local import LocalArchive, open_local
from searchkit.plan.execute import Matches, execute
from searchkit.plan.generation import Generation
from searchkit.plan.ranking import Ranked, after, rank_key, ranked
from searchkit.query.nodes import Phrase, Word
from searchkit.settings import Settings

ids = st.integers(0, 400).map(str)
batches = st.lists(
    st.dictionaries(ids, st.none() | st.dates(date(2020, 1, 1), date(2020, 1, 3)), max_size=200), min_size=1, max_size=3
)


def sorted_by_loops(matches: Matches, generation: Generation, sort: str) -> list[Ranked]:
    """All matches, sorted by score, date and id in Python."""
    scores = np.broadcast_to(matches.scores, len(matches.docnums)).tolist()

    def key(match: Ranked) -> tuple[object, ...]:
        published = generation.article(match.docnum).published
        assert published is None or isinstance(published, date)
        days = 0 if published is None else published.toordinal()
        by_score = -match.score if sort == "best" else 0.0
        return by_score, published is None, days if sort == "oldest" else -days, generation.article_id(match.docnum)

    return sorted(map(Ranked, matches.docnums.tolist(), scores), key=key)


@settings(max_examples=60, deadline=None)
@given(
    batches=batches,
    deleted=st.sets(ids, max_size=5),
    sort=st.sampled_from(["best", "newest", "oldest"]),
    drawn=st.lists(st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.25]), min_size=1, max_size=50) | st.sampled_from([0.0, 1.0]),
    kept=st.integers(1, 4),
    count=st.integers(1, 30),
)
def test_the_first_and_those_after_them_are_those_of_a_full_sort(
    batches: list[dict[str, date | None]],
    deleted: set[str],
    sort: str,
    drawn: list[float] | float,
    kept: int,
    count: int,
) -> None:
    """Page by page, from few and many ties, over several segments: every match comes once, in the one order."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_local(folder + "/index", create=True, settings=Settings(durable=False)) as archive,
    ):
        for batch in batches:
            archive.add(searchkit.Article(name, title="t", published=day) for name, day in batch.items())
        archive.delete(deleted)
        with archive._generation() as generation:
            docnums = generation.live[::kept]
            scores = drawn if isinstance(drawn, float) else np.resize(np.array(drawn), len(docnums))
            if sort != "best":
                scores = 0.0
            left = Matches(docnums, scores)
            expected = sorted_by_loops(left, generation, sort)
            found: list[Ranked] = []
            while page := ranked(left, generation, sort, count):
                found += page
                key = rank_key(page[-1], generation, sort, generation.article_id(page[-1].docnum))
                left = after(key, left, generation, sort)
                assert len(left.docnums) == len(expected) - len(found)

    assert found == expected


def test_no_matches_have_no_first() -> None:
    """An archive without matches, and a page of no hits, rank nothing."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_local(folder + "/index", create=True, settings=Settings(durable=False)) as archive,
    ):
        archive.add([searchkit.Article("a", title="t")])
        with archive._generation() as generation:
            assert ranked(Matches(generation.live[:0]), generation, "best", 10) == []
            assert ranked(Matches(generation.live), generation, "best", 0) == []


def test_a_word_that_a_phrase_has_twice_scores_twice(make_archive: Callable[..., LocalArchive]) -> None:
    """A phrase scores what its words do when they are asked for one by one."""
    archive = make_archive(
        [searchkit.Article("a", "t", "To be or not to be."), searchkit.Article("b", "t", "Not so, or to be it.")]
    )
    with archive._generation() as generation:
        scores = {word: execute(Word(word), generation).scores[0] for word in ("to", "be", "or", "not")}
        (score,) = execute(Phrase("to be or not to be"), generation).scores
    assert score == pytest.approx(2 * scores["to"] + 2 * scores["be"] + scores["or"] + scores["not"])


def test_the_order_of_a_segment_of_ours_is_known_without_its_ids(make_archive: Callable[..., LocalArchive]) -> None:
    """A segment says that articles of one day lie in the order of their ids, so those of all need not be read."""
    archive = make_archive([searchkit.Article(name, title="x", published=date(2020, 1, 1)) for name in "cab"])
    with archive._generation() as generation:
        (segment, _), *_ = generation.segments
        assert segment.is_ordered
        assert "_id_ordinals" not in vars(segment)
        assert [hit.id for hit in archive.latest()] == ["a", "b", "c"]
