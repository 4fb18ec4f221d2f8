"""Whoosh's own searcher is the oracle: it matches the same articles, and scores words the same."""

import tempfile
from collections.abc import Iterator
from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from whoosh.scoring import BM25F
from whoosh.searching import Searcher

import searchkit
from searchkit.engines.local import LocalArchive, open_local
from searchkit.plan.execute import execute
from searchkit.plan.whoosh_query import to_whoosh
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
from searchkit.settings import Settings

WORDS = ("ash", "bank", "rim", "café", "cold", "rum")
SPELLED = ("covid-19", "covid19", "C++", "c", "U.S.", "東京", "京", "e-mail", "email", "cafe")
JOINED = ("ash/rim", "café,cold", "covid-19/rum", "C++/bank", "ash–e-mail", "cold/rum/ash", "a/c", "東京/bank")

words = st.builds(Word, st.sampled_from(WORDS + SPELLED + JOINED), st.sampled_from([None, "title"]))
single_words = st.builds(Word, st.sampled_from(WORDS), st.sampled_from([None, "title"]))
phrases = st.builds(
    Phrase,
    st.lists(st.sampled_from(WORDS + SPELLED + JOINED), min_size=1, max_size=3).map(" ".join),
    st.sampled_from([None, "title"]),
    st.integers(0, 2),
)
leaves = st.one_of(
    words,
    phrases,
    st.builds(
        Prefix, st.sampled_from(["a", "ca", "c", "zz", "co", "covid-1", "東", "C+"]), st.sampled_from([None, "title"])
    ),
    st.builds(
        Pattern,
        st.sampled_from(["c*d", "?a*", "r?m", "*a*", "covid*9", "r*m*", "caf?", "e*l"]),
        st.sampled_from([None, "title"]),
    ),
    st.builds(
        Fuzzy, st.sampled_from(["rim", "bnak", "café", "covid-19"]), st.sampled_from([None, "title"]), st.integers(1, 2)
    ),
    st.builds(
        Exact,
        st.lists(st.sampled_from(WORDS + SPELLED), min_size=1, max_size=2).map(" ".join),
        st.sampled_from([None, "title"]),
        st.integers(0, 1),
    ),
    st.builds(Label, st.just("topic"), st.sampled_from(["News", "a, b", "none"])),
    st.builds(Label, st.just("id"), st.sampled_from(["n3", "zz"])),
    st.builds(Published, st.none() | st.just(date(2016, 5, 1)), st.none() | st.just(date(2017, 3, 1))),
    st.just(Everything()),
)
trees = st.recursive(
    leaves,
    lambda nodes: st.one_of(
        st.builds(Not, nodes),
        st.builds(And, st.lists(nodes, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(nodes, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def archive() -> Iterator[LocalArchive]:
    """Sixty articles in three segments, some deleted, some replaced."""
    vocabulary = WORDS + SPELLED
    with (
        tempfile.TemporaryDirectory() as folder,
        open_local(folder + "/index", create=True, settings=Settings()) as made,
    ):
        for batch in range(3):
            made.add(
                searchkit.Article(
                    f"n{n}",
                    title=" ".join(vocabulary[(n * k + batch) % len(vocabulary)] for k in (1, 3)),
                    body=" ".join(vocabulary[(n * n + k * (n % 5 + batch)) % len(vocabulary)] for k in range(n % 9)),
                    published=date(2015 + n % 4, 1 + n % 12, 1 + n % 28) if n % 7 else None,
                    topics=["News"] if n % 2 else ["a, b", "news"],
                )
                for n in range(batch * 15, batch * 15 + 30)
            )
        made.delete(["n3", "n17", "n40"])
        yield made


def searcher_of(archive: LocalArchive) -> Searcher:
    """Whoosh's searcher on the newest generation of an archive."""
    defaults = Settings()
    return Searcher(archive._index.reader(), weighting=BM25F(B=defaults.b, K1=defaults.k1))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(node=trees)
def test_whoosh_matches_the_same_articles(archive: LocalArchive, node: Node) -> None:
    """Every tree, compiled for Whoosh, has the matches that the plan finds."""
    with archive._generation() as generation:
        query = to_whoosh(node, generation.analyzers, generation.calendar)
        expected = sorted(searcher_of(archive).search(query, limit=None).docs())
        assert execute(node, generation).docnums.tolist() == expected


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    node=st.one_of(single_words, st.builds(And, st.lists(single_words, min_size=2, max_size=3, unique=True).map(tuple)))
)
def test_whoosh_scores_words_the_same(archive: LocalArchive, node: Node) -> None:
    """Words and conjunctions of words have the scores that Whoosh's BM25F gives them.

    Words of several spellings are left out: Whoosh 3.54's DisjunctionMax scores the side that does not match, too.
    """
    with archive._generation() as generation:
        query = to_whoosh(node, generation.analyzers, generation.calendar)
        expected = {hit.docnum: hit.score for hit in searcher_of(archive).search(query, limit=None)}
        matches = execute(node, generation)
        scores = np.broadcast_to(matches.scores, len(matches.docnums)).tolist()
        assert dict(zip(matches.docnums.tolist(), scores, strict=True)) == pytest.approx(expected)


@pytest.mark.parametrize("typed", ["ash/rim", "cold,rum", "café/bank"])
def test_whoosh_puts_words_side_by_side_first(archive: LocalArchive, typed: str) -> None:
    """Of words with a sign between them, the articles that have them side by side lead in both orders."""
    with archive._generation() as generation:
        beside = set(execute(Phrase(typed), generation).docnums.tolist())
        query = to_whoosh(Word(typed), generation.analyzers, generation.calendar)
        compiled = [hit.docnum for hit in searcher_of(archive).search(query, limit=None)]
        matches = execute(Word(typed), generation)
        planned = matches.docnums[np.argsort(-matches.scores)].tolist()
        assert 0 < len(beside) < len(compiled) == len(planned)
        assert set(compiled[: len(beside)]) == set(planned[: len(beside)]) == beside


def test_whooshs_own_parser_and_searcher_work_on_the_index(archive: LocalArchive) -> None:
    """`whoosh.index.open_dir` opens the folder, and a query in Whoosh's language finds what ours finds."""
    from whoosh import index
    from whoosh.qparser import QueryParser

    whoosh_index = index.open_dir(str(archive.folder))
    parser = QueryParser("text", whoosh_index.schema)
    with whoosh_index.searcher() as searcher:
        for typed in ("cold", "cold rim", "title:ash", 'topic:"a, B"', "covid-19"):
            found = {
                searcher.stored_fields(n)["article"]["id"]
                for n in searcher.search(parser.parse(typed), limit=None).docs()
            }
            ours = {hit.id for hit in archive.search(typed, limit=100).hits}
            assert len(found) == len(ours) > 0, typed
