"""For generated trees three answers agree: the plan's, Whoosh's, and that of loops over the articles."""

import re
import tempfile
from collections.abc import Iterator
from datetime import date

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

import searchkit
from searchkit.engines.local import LocalArchive, open_local
from searchkit.plan.cache import ArrayCache
from searchkit.plan.execute import Execution, execute
from searchkit.plan.whoosh_query import edit_distance, to_whoosh
from searchkit.query import canonical, read_query
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
from searchkit.settings import Settings

WORDS = ["ash", "bank", "banks", "rim", "rum", "café", "cafe", "cold", "ran", "run", "runs", "do", "zürich"]
STEMS = {"banks": "bank", "runs": "run"}
"""The words here that English inflects; all others are their own stems."""

NORMAL = NormalForm()
TODAY = date(2024, 5, 15)

phrases = st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(" ".join)
fields = st.sampled_from([None, None, "title"])
leaves: st.SearchStrategy[Node] = st.one_of(
    st.builds(Word, st.sampled_from(WORDS), fields),
    st.builds(Word, st.sampled_from(["ash/bank", "runs,café", "zürich–rum", "do/ran/rim", "cold+cafe"]), fields),
    st.builds(Phrase, phrases, fields, st.integers(0, 3)),
    st.builds(Exact, st.sampled_from(WORDS), fields),
    st.builds(Exact, phrases, fields, st.integers(0, 2)),
    st.builds(Prefix, st.sampled_from(["r", "ba", "caf", "café", "zz", "zu"]), fields),
    st.builds(Pattern, st.sampled_from(["r?n", "b*k", "*an*", "ba?k", "c*é", "x?z", "r*s"]), fields),
    st.builds(Fuzzy, st.sampled_from(["rnu", "bnak", "cafés", "colt", "zurihc"]), fields, st.integers(1, 2)),
    st.builds(Label, st.just("topic"), st.sampled_from(["News", "NEWS", "a, b", "none"])),
    st.builds(Label, st.just("kind"), st.sampled_from(["podcast", "Político"])),
    st.builds(
        Label,
        st.just("author"),
        st.sampled_from(
            ["smith", "Smith, JANE", "müller", "o'brien", "OBrien", "O’Brien pat", "brien", "an", "Ann", "-"]
        ),
        st.booleans(),
    ),
    st.builds(Label, st.just("id"), st.sampled_from(["n3", "zz"])),
    st.builds(Published, st.none() | st.just(date(2016, 5, 1)), st.none() | st.just(date(2017, 3, 1))),
)


def _join(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=2, max_size=4)
    return st.one_of(several.map(NORMAL.conjunction), several.map(NORMAL.disjunction), inner.map(NORMAL.negation))


trees = st.recursive(leaves, _join, max_leaves=8) | st.just(Everything())


def articles() -> list[searchkit.Article]:
    """Seventy articles with every word in many orders, some without text, date or topic."""
    return [
        searchkit.Article(
            f"n{n}",
            title=" ".join(WORDS[(n * k) % len(WORDS)] for k in (1, 5)),
            summary=WORDS[n % len(WORDS)] if n % 3 == 0 else "",
            body=" ".join(WORDS[(n * n + k * (n % 6 + 1)) % len(WORDS)] for k in range(n % 11)),
            published=date(2015 + n % 4, 1 + n % 12, 1 + n % 28) if n % 7 else None,
            topics=[["News"], ["news", "a, b"], []][n % 3],
            kind=["podcast", "", "politico"][n % 3],
            authors=[
                ["Jane Smith"],
                ["Smith, Ann", "J. Müller"],
                [],
                ["Smith", "Pat O'Brien", "-"],
                ["jane  ann smith"],
            ][n % 5],
        )
        for n in range(70)
    ]


@pytest.fixture(scope="module")
def archive() -> Iterator[LocalArchive]:
    """The articles, in three segments, a few of them replaced and deleted."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_local(folder + "/index", create=True, settings=Settings()) as made,
    ):
        every = articles()
        made.add(every[:30])
        made.add(every[20:60])
        made.add(every[55:])
        made.delete(["n3", "n33", "n66"])
        yield made


@pytest.fixture(scope="module")
def growing_archive() -> Iterator[LocalArchive]:
    """The articles in three segments, to which they were only ever added."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_local(folder + "/index", create=True, settings=Settings()) as made,
    ):
        for batch in (articles()[:30], articles()[30:60], articles()[60:]):
            made.add(batch)
        yield made


LIVING = [article for article in articles() if article.id not in ("n3", "n33", "n66")]


def is_match(node: Node, article: searchkit.Article) -> bool:
    """Whether the article is an answer, by sets and loops."""
    match node:
        case Word(text, field):
            stems = {_stem(word) for part in _parts(article, field) for word in part}
            return all(_stem(word) in stems for word in re.findall(r"\w+", text))
        case Phrase(text, field, slop):
            wanted = [_stem(word) for word in text.split()]
            return any(_in_a_row([_stem(w) for w in part], wanted, slop) for part in _parts(article, field))
        case Exact(text, field, slop):
            return any(_exactly(part, text.split(), slop) for part in _parts(article, field))
        case Prefix(text, field):
            return _has(article, field, lambda word: word.startswith(reference.plain(text)))
        case Pattern(text, field):
            expression = re.escape(reference.plain(text)).replace(r"\*", ".*").replace(r"\?", ".")
            return _has(article, field, lambda word: re.fullmatch(expression, word) is not None)
        case Fuzzy(text, field, edits):
            return _has(article, field, lambda word: edit_distance(reference.plain(text), word) <= edits)
        case Label("topic", value):
            return reference.is_labelled(article.topics, [value])
        case Label("kind", value):
            return reference.is_labelled([article.kind] if article.kind else [], [value])
        case Label("author", value, is_whole):
            names = [reference.plain(name) for name in article.authors]
            if is_whole:
                return reference.plain(value) in names
            return any(reference.has_name(name, value) for name in names)
        case Label(_, value):
            return article.id == value
        case Published(start, end):
            day = article.published
            return day is not None and (start is None or day >= start) and (end is None or day < end)
        case Not(inner):
            return not is_match(inner, article)
        case And(nodes):
            return all(is_match(part, article) for part in nodes)
        case Or(nodes):
            return any(is_match(part, article) for part in nodes)
    return True


def _parts(article: searchkit.Article, field: str | None) -> list[list[str]]:
    texts = (article.title,) if field == "title" else (article.title, article.summary, article.body)
    return [text.lower().split() for text in texts]


def _stem(word: str) -> str:
    return STEMS.get(reference.plain(word), reference.plain(word))


def _has(article, field, fits) -> bool:  # type: ignore[no-untyped-def]
    return any(fits(reference.plain(word)) for part in _parts(article, field) for word in part)


def _exactly(words: list[str], wanted: list[str], slop: int) -> bool:
    """Words typed with accents must have them; the others may."""
    spelled = [[word, reference.plain(word)] for word in words]
    return _in_a_row(spelled, wanted, slop)


def _in_a_row(words: list, wanted: list[str], slop: int) -> bool:  # type: ignore[type-arg]
    ends = {n for n, word in enumerate(words) if wanted[0] in ([word] if isinstance(word, str) else word)}
    for text in wanted[1:]:
        here = {n for n, word in enumerate(words) if text in ([word] if isinstance(word, str) else word)}
        ends = {n for n in here if any(n - distance in ends for distance in range(1, slop + 2))}
    return bool(ends)


@settings(max_examples=300, deadline=None)
@given(node=trees)
def test_plan_whoosh_and_loops_agree(archive: LocalArchive, node: Node) -> None:
    """The same articles are found by the plan, by Whoosh from the compiled tree, and by loops over the articles."""
    expected = sorted(article.id for article in LIVING if is_match(node, article))
    with archive._generation() as generation:
        docnums = execute(node, generation).docnums
        assert docnums.dtype == np.int32
        planned = sorted(map(generation.article_id, docnums.tolist()))
        query = to_whoosh(node, generation.analyzers, generation.calendar)
        with archive._index.searcher() as searcher:
            compiled = sorted(
                searcher.stored_fields(n)["article"]["id"] for n in searcher.search(query, limit=None).docs()
            )

    assert planned == expected
    assert compiled == expected


common = st.one_of(
    st.builds(Not, st.builds(Word, st.sampled_from(["zürich", "nowhere"]))),
    st.builds(Prefix, st.sampled_from(["r", "ba", "c", "a", "d"])),
    st.builds(Word, st.sampled_from(WORDS)),
    st.builds(Published, st.none() | st.just(date(2016, 5, 1)), st.none() | st.just(date(2018, 12, 1))),
)
many = st.lists(common, min_size=16, max_size=24, unique=True)
TRUE_OF_ALL: list[Node] = [Or((Word(word), Not(Word(f"nowhere{n}")))) for n, word in enumerate([*WORDS, *WORDS])]
many_wanted = st.lists(common, max_size=2).map(
    lambda few: NORMAL.conjunction([*TRUE_OF_ALL[:9], *few, *TRUE_OF_ALL[9:]])
)


@settings(max_examples=100, deadline=None)
@given(node=many_wanted | many.map(NORMAL.conjunction) | many.map(NORMAL.disjunction), is_scored=st.booleans())
def test_many_parts_are_answered_as_few_are(archive: LocalArchive, node: Node, is_scored: bool) -> None:
    """Long conjunctions and disjunctions find what loops find, the first time and again."""
    expected = sorted(article.id for article in LIVING if is_match(node, article))
    with archive._generation() as generation:
        for _ in range(2):
            docnums = execute(node, generation, scored=is_scored).docnums
            assert docnums.dtype == np.int32
            found = docnums.tolist()
            assert sorted(map(generation.article_id, found)) == expected


@settings(max_examples=100, deadline=None)
@given(node=trees)
def test_long_lists_are_read_in_part_alike(growing_archive: LocalArchive, node: Node) -> None:
    """Reading and scoring only what is in question, as for long lists, gives the articles and scores of reading all."""

    def found() -> tuple[list[int], list[float]]:
        generation._cache = ArrayCache(0)  # which keeps nothing
        answer = Execution(generation).run(node)
        scores = np.broadcast_to(answer.scores(answer.docnums), len(answer.docnums))
        return answer.docnums.tolist(), scores.tolist()

    with growing_archive._generation() as generation, pytest.MonkeyPatch.context() as patch:
        expected = found()
        for name in ("_LONG", "_FEW_LEFT", "_FEW", "_FEW_AMONG"):
            patch.setattr("searchkit.plan.generation." + name, 0)
        patch.setattr("searchkit.plan.segments._READ_AT_ONCE", 3)
        patch.setattr("searchkit.plan.kernels._AT_ONCE", 5)
        assert found() == expected


@settings(max_examples=100, deadline=None)
@given(node=trees)
def test_searches_for_the_canonical_text_agree(archive: LocalArchive, node: Node) -> None:
    """What is written out, read again and searched for, finds as many, scored or not."""
    expected = sum(is_match(node, article) for article in LIVING)
    text = canonical(node)
    assert read_query(text, today=TODAY).node == node
    assert archive.search(text, limit=0).total == archive.count(text) == expected
