"""The nearness bonus: pairs counted as loops count them, scores those of the formula."""

import math
from itertools import pairwise

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit import Article, Settings, open_archive
from searchkit.codec.lengths import LENGTHS, encode_lengths
from searchkit.plan.kernels import POSITION_BITS
from searchkit.plan.nearness import WINDOW, count_pairs

places = st.sets(st.tuples(st.integers(0, 3), st.integers(0, 30)), max_size=25)
WORDS = ("ash", "bank", "rim", "rum")


@given(places, places, st.sets(st.integers(0, 3), min_size=1))
def test_pairs_are_counted_as_loops_count_them(first, second, docnums) -> None:
    """Directly behind, and within eight words on either side."""
    keys = [np.array(sorted(d << POSITION_BITS | p for d, p in found), dtype=np.int64) for found in (first, second)]
    ordered, near = count_pairs(*keys, np.array(sorted(docnums), dtype=np.int64))

    for index, docnum in enumerate(sorted(docnums)):
        behind = [p for d, p in first if d == docnum and (d, p + 1) in second]
        around = [
            p for d, p in first if d == docnum and any(d == e and 0 < abs(p - q) <= WINDOW for e, q in second if p != q)
        ]
        assert (ordered[index], near[index]) == (len(behind), len(around))


@settings(max_examples=40, deadline=None)
@given(
    bodies=st.lists(
        st.lists(st.sampled_from((*WORDS, *["other"] * 4)), min_size=1, max_size=30), min_size=2, max_size=8
    ),
    query=st.lists(st.sampled_from(WORDS), min_size=1, max_size=4, unique=True),
    operator=st.sampled_from((" ", " OR ")),
    cut=st.integers(1, 8),
)
def test_scores_are_those_of_the_formula(tmp_path_factory, bodies, query, operator, cut) -> None:
    """With the setting each score has the bonus of each neighbouring pair; matches and counts stay the same."""
    folder = tmp_path_factory.mktemp("nearness") / "index"
    articles = [Article(f"a{number}", "", " ".join(body)) for number, body in enumerate(bodies)]
    with open_archive(folder, create=True) as archive:
        archive.add(articles[:cut])
        archive.add(articles[cut:])
        plain = archive.search(operator.join(query), limit=100)
    with open_archive(folder, settings=Settings(nearness=True)) as archive:
        near = archive.search(operator.join(query), limit=100)

    assert near.total == plain.total
    scores = {hit.id: hit.score for hit in plain.hits}
    mean_length = sum(map(len, bodies)) / len(bodies)
    for hit in near.hits:
        body = bodies[int(hit.id[1:])]
        expected = scores[hit.id] + sum(
            bonus(pair, body, articles, mean_length) for pair in pairwise(query) if set(pair) <= set(body)
        )
        assert hit.score == pytest.approx(expected, rel=1e-5)


def bonus(pair: tuple[str, str], body: list[str], articles: list[Article], mean_length: float) -> float:
    """BM25 of the pair in order and of the pair within eight words, with the mean idf of the two."""
    frequency = [sum(reference.has_word(article, word) for article in articles) for word in pair]
    idf = sum(math.log(len(articles) / (found + 1)) + 1 for found in frequency) / 2
    at = {word: [place for place, other in enumerate(body) if other == word] for word in pair}
    first, second = (at[word] for word in pair)
    ordered = sum(place + 1 in second for place in first)
    near = sum(any(0 < abs(place - other) <= 8 for other in second) for place in first)
    length = int(LENGTHS[encode_lengths(np.array([len(body)]))[0]])  # as it is stored, rounded
    norm = 2.0 * (0.25 + 0.75 * length / mean_length)
    return idf * sum(weight * tf * 3.0 / (tf + norm) for weight, tf in ((0.2, ordered), (0.1, near)))


def test_near_words_come_first(tmp_path) -> None:
    """Of two articles that BM25 cannot tell apart the one with the words side by side stands above."""
    apart = "blood " + "filler " * 20 + "bank"
    together = "filler " * 10 + "blood bank " + "filler " * 10
    articles = [Article("apart", "", apart, published="2021"), Article("together", "", together, published="2020")]
    with open_archive(tmp_path / "index", create=True) as archive:
        archive.add(articles)
        assert [hit.id for hit in archive.search("blood bank").hits] == ["apart", "together"]
    with open_archive(tmp_path / "index", settings=Settings(nearness=True)) as archive:
        assert [hit.id for hit in archive.search("blood bank").hits] == ["together", "apart"]
        assert [hit.id for hit in archive.search("blood bank", sort="newest").hits] == ["apart", "together"]
        cursor = archive.search("blood bank", limit=1).next_cursor
        assert [hit.id for hit in archive.search("blood bank", limit=1, cursor=cursor).hits] == ["apart"]
