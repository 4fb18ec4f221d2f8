"""What is suggested when a query finds nothing or little, and that its counts are the totals of those queries."""

import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import searchkit
from searchkit.engines.local import LocalArchive, open_local
from searchkit.settings import Settings

MakeArchive = Callable[..., LocalArchive]

ARTICLES = [
    searchkit.Article("a1", "Heparin and platelets", "Heparin may cause thrombocytopenia.", published="2016-05-01",
                      topics=["Coagulation & Plasma", "News"], kind="news", authors=["Jane Smith"]),
    searchkit.Article("a2", "Plasma", "The plasma of donors, blood bank rates.", published="2018-05-01",
                      topics=["RBC Transfusion"], kind="podcast", authors=["Jörg Maier"]),
    searchkit.Article("a3", "Banking", "The red cells of donors; haemoglobin running low.", published="2020-05-01",
                      topics=["RBC Transfusion", "News"], kind="news", language="en"),
    searchkit.Article("a4", "Platelet transfusion", "Platelets and plasma, donors and patients.", topics=["News"]),
    searchkit.Article("a5", "Donors", "Cryoprecipitate of donors for patients.", published="2021-05-01"),
]  # fmt: skip


def suggested(archive: LocalArchive, query: str, **filters: object) -> list[tuple[str, int | None]]:
    """The queries suggested, with their counts."""
    return [(s.query, s.count) for s in archive.search(query, **filters).suggestions]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("thrombocytopaenia", ("thrombocytopenia", 1)),
        ("hepraine", ("heparin", 1)),
        ("palsma", ("plasma", 2)),
        ("palsma bnak", ("plasma bank", 1)),
        ("bloodbank", ("blood bank", 1)),
        ('"hepraine may"', ('"heparin may"', 1)),
        ("tpoic:News", ("topic:News", 3)),
        ("heparin autor:Smith", ("heparin", 1)),
        ("topic:Nwes", ("topic:News", 3)),
        ("topic:RBC", ('topic:"RBC Transfusion"', 2)),
        ("topic:Transfusions", ('topic:"RBC Transfusion"', 2)),
        ("kind:podcats", ("kind:podcast", 1)),
        ("by:smiht", ('author:"Jane Smith"', 1)),
        ("lang:eng", ("language:en", 5)),
        ('"plasma donors"', ("plasma donors", 2)),
        ('="red cell"', ('"red cell"', 1)),
        ("plasma-donors", ("plasma donors", 2)),
        ("title:platelet/plasma donors", None),
        ("rates or thrombocytopenia", ("rates OR thrombocytopenia", 2)),
        ("donors not cryoprecipitate", ("donors -cryoprecipitate", 3)),
        ("plasma 2018", ("plasma date:2018", 1)),
        ("spring 2021", ("date:2021-03-01..2021-05-31", 1)),
        ("donors may 2020 haemoglobin", ("donors haemoglobin date:2020-05", 1)),
        ("may-2016", ("date:2016-05", 1)),
        ("heparin past 90 years", ("heparin", 1)),
        ("=runs", ("runs", 1)),
        ("title:thrombocytopenia", ("thrombocytopenia", 1)),
        ("heparin date:2018", ("heparin", 1)),
        ("heparin kind:podcast", ("heparin", 1)),
        ("heparin -platelets", ("heparin", 1)),
        ("heparin rates", ("rates", 1)),
        ("cryop", ("cryop*", 1)),
        ("cryop?thing", ("cryop*", 1)),
        ("cryoglob*", ("cryo*", 1)),
        ("plosna~1", ("plosna~2", 2)),
        ("cryop xyzzy", ("cryop*", 1)),
        ("heparin since:2018 until:2016 topic:Nwes", ('heparin date:2016-01-01..2018-12-31 topic:News', 1)),
        ('"hepraine xyzzy" topic:Nwes', None),
        ("xyzzy heparin qwert", ("heparin", 1)),
    ],
)  # fmt: skip
def test_the_first_suggestion_is_what_was_meant(
    make_archive: MakeArchive, query: str, first: tuple[str, int] | None
) -> None:
    """Misspelled, too narrow and impossible queries are answered with the nearest that finds something."""
    found = suggested(make_archive(ARTICLES), query)
    if first is None:
        assert found
    else:
        assert first in found[:2]


def test_queries_that_find_enough_have_no_suggestions(make_archive: MakeArchive) -> None:
    """Where three or more match, and where all do, nothing else is suggested."""
    archive = make_archive(ARTICLES)
    for query in ("donors", "", "*", "plasma OR heparin OR banking"):
        assert suggested(archive, query) == []


def test_little_found_is_answered_with_more(make_archive: MakeArchive) -> None:
    """A query that finds one article says what would find more, and only that."""
    archive = make_archive(ARTICLES)
    found = suggested(archive, "plasma date:2018")
    assert ("plasma", 2) in found
    assert all(count is not None and count > 1 for _, count in found)


def test_filters_given_beside_the_query_are_in_the_suggestions(make_archive: MakeArchive) -> None:
    """A suggested query has in it what was restricted beside the query, and can be run alone."""
    archive = make_archive(ARTICLES)
    found = suggested(archive, "palsma", topics=["RBC Transfusion"], since="2017")
    assert found[0] == ('plasma topic:"RBC Transfusion" date:2017-01-01..', 1)
    assert archive.search(found[0][0]).total == 1


def test_later_pages_have_no_suggestions(make_archive: MakeArchive) -> None:
    """What to search for instead stands on the first page only."""
    archive = make_archive(ARTICLES)
    page = archive.search("donors patients", limit=1)
    assert page.suggestions
    assert page.next_cursor
    assert archive.search("donors patients", limit=1, cursor=page.next_cursor).suggestions == ()


def test_suggestions_are_counted_with_synonyms(tmp_path: Path, make_archive: MakeArchive) -> None:
    """A suggested query counts what its synonyms find, as it does when it is run."""
    (tmp_path / "words.txt").write_text("plasma, cryoprecipitate\n")
    archive = make_archive(ARTICLES, synonyms=str(tmp_path / "words.txt"))
    found = suggested(archive, "palsma")
    assert found[0] == ("plasma", 3)
    assert archive.search("plasma").total == 3


WORDS = ["heparin", "hepatin", "plasma", "palsma", "bank", "donor", "blood"]
TOPICS = ["News", "RBC Transfusion", "Blood Bank"]

articles = st.lists(
    st.builds(
        lambda words, title, topics, year: (words, title, topics, year),
        st.lists(st.sampled_from(WORDS), max_size=4),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=2),
        st.lists(st.sampled_from(TOPICS), max_size=2),
        st.none() | st.integers(2015, 2018),
    ),
    min_size=1,
    max_size=8,
)
typed = st.lists(
    st.sampled_from(
        [
            *WORDS,
            "heparim",
            "bloodbank",
            "xyzzy",
            '"plasma bank"',
            '"blood donor heparin"',
            "=donors",
            "title:bank",
            "-plasma",
            "hep*x",
            "heparon~1",
            "topic:News",
            "topic:Nwes",
            "topic:Blood",
            "tpoic:News",
            "date:2016",
            "since:2018",
            "until:2010",
            "(heparin OR xyzzy)",
            "-(bank donor)",
            "kind:none",
            "-date:2016",
        ]
    ),
    min_size=1,
    max_size=5,
).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(batch=articles, query=typed, deleted=st.booleans())
def test_counts_are_the_totals_that_the_queries_give(
    batch: list[tuple[list[str], list[str], list[str], int | None]], query: str, deleted: bool
) -> None:
    """On any archive a suggested query finds as many articles as is said, more than the query, and is another one."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_local(folder + "/index", create=True, settings=Settings()) as archive,
    ):
        archive.add(
            searchkit.Article(
                f"n{n}", " ".join(title), " ".join(words), topics=topics, published=date(year, 6, 1) if year else None
            )
            for n, (words, title, topics, year) in enumerate(batch)
        )
        if deleted:
            archive.delete(["n0"])
        page = archive.search(query)
        assert len({s.query for s in page.suggestions}) == len(page.suggestions) <= 6
        for suggestion in page.suggestions:
            answer = archive.search(suggestion.query)
            assert suggestion.count == answer.total > page.total
            assert answer.receipt.canonical == suggestion.query != page.receipt.canonical
            assert suggestion.reason


def test_a_very_long_query_is_not_respelled(make_archive: MakeArchive) -> None:
    """Of fifty words and more none is corrected, but each relaxation that is offered has its count."""
    archive = make_archive(ARTICLES)
    query = "plasma " + " ".join(f"xyzzy{n}" for n in range(60))
    found = suggested(archive, query)
    assert found[0] == (query.replace(" ", " OR "), 2)
    assert all(archive.count(suggestion) == count for suggestion, count in found)


@pytest.mark.parametrize("count", [3, 20, 60])
def test_alternatives_are_counted_alike_beside_any_filter(make_archive: MakeArchive, count: int) -> None:
    """Many alternatives, which are kept between counts, give the same facets as few do, with and without a filter."""
    archive = make_archive(ARTICLES)
    query = " OR ".join(["plasma", "donors", "heparin", *(f"xyzzy{n}" for n in range(count))])
    for _ in range(2):
        page = archive.search(query, topics=["News"], disjunctive=True, sort="newest")
        assert page.total == archive.count(query, topics=["News"]) == 3
        assert {value.value: value.count for value in page.facets["topics"]} == {
            "News": 3, "RBC Transfusion": 2, "Coagulation & Plasma": 1,
        }  # fmt: skip
