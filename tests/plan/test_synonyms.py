"""Synonyms: the file, what it makes of a query, and what searches then find."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

import searchkit
from searchkit.analysis import analyzers_for
from searchkit.engines.local import LocalArchive
from searchkit.errors import SettingsError
from searchkit.plan.synonyms import NO_SYNONYMS, Rule, Synonyms, load_synonyms, with_synonyms
from searchkit.query import canonical, read_query
from searchkit.query.nodes import Node

MakeArchive = Callable[..., LocalArchive]
ENGLISH = analyzers_for(["en"])

FILE = """\
# transfusion medicine
rbc, red blood cell, erythrocyte    # any of these

tx => transfusion, transplant
hb,hgb => haemoglobin
C++, cpp
東京, Tokyo
"""


@pytest.fixture
def synonyms(tmp_path: Path) -> Synonyms:
    """The rules of the file above."""
    path = tmp_path / "synonyms.txt"
    path.write_text(FILE, encoding="utf-8")
    return load_synonyms(path)


def test_a_file_has_a_rule_a_line(synonyms: Synonyms) -> None:
    """Lists stand for each other, arrows point one way, comments and empty lines say nothing."""
    words = ("rbc", "red blood cell", "erythrocyte")
    assert synonyms.rules[:3] == (
        Rule(words, words),
        Rule(("tx",), ("transfusion", "transplant")),
        Rule(("hb", "hgb"), ("haemoglobin",)),
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("rbc", "nothing means the same"),
        ("a => b => c", "one arrow"),
        ("=> b", "no word on one side"),
        ("a =>", "no word on one side"),
        ("a => ,", "no word on one side"),
        ("a, ???", "is no word"),
        ('a, "b c"', "is no word"),
        ("a, one two three four five six seven eight nine", "too long"),
    ],
)
def test_a_rule_that_says_nothing_is_named_by_its_line(tmp_path: Path, line: str, said: str) -> None:
    """A mistake in the file is an error with the file, the line and what to write."""
    path = tmp_path / "synonyms.txt"
    path.write_text(f"# first\na, b\n{line}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=said) as error:
        load_synonyms(path)
    assert f"{path}:3: " in str(error.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Without the file, or with one in another encoding, the error has its name."""
    (tmp_path / "latin.txt").write_bytes("café, kaffee".encode("latin-1"))
    for name in ("none.txt", "latin.txt"):
        with pytest.raises(SettingsError, match=name):
            load_synonyms(tmp_path / name)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("rbc", 'rbc OR "red blood cell" OR erythrocyte'),
        ("RBC", 'RBC OR "red blood cell" OR erythrocyte'),
        ("erythrocytes", 'erythrocytes OR rbc OR "red blood cell"'),
        ('"red blood cells"', '"red blood cells" OR rbc OR erythrocyte'),
        ("red blood cells", "(red blood cells) OR rbc OR erythrocyte"),
        ("old red blood cell units", "old ((red blood cell) OR rbc OR erythrocyte) units"),
        ("red cell", "red cell"),
        ("red OR blood OR cell", "red OR blood OR cell"),
        ("red title:blood cell", "red title:blood cell"),
        ("title:rbc", 'title:rbc OR title:"red blood cell" OR title:erythrocyte'),
        ("-rbc plasma", '-(rbc OR "red blood cell" OR erythrocyte) plasma'),
        ("plasma OR rbc", 'plasma OR rbc OR "red blood cell" OR erythrocyte'),
        ("rbc erythrocyte", '(rbc OR "red blood cell" OR erythrocyte) (erythrocyte OR rbc OR "red blood cell")'),
        ("tx", "tx OR transfusion OR transplant"),
        ("transfusion", "transfusion"),
        ("hgb", "hgb OR haemoglobin"),
        ("haemoglobin", "haemoglobin"),
        ("=rbc", "=rbc"),
        ("rbc*", "rbc*"),
        ("rbc~", "rbc~1"),
        ('"rbc units"', '"rbc units"'),
        ("C++", "C++ OR cpp"),
        ("c", "c"),
        ("東京", "東京 OR Tokyo"),
        ("tokyo", "tokyo OR 東京"),
        ("topic:rbc", "topic:rbc"),
        ("*", "*"),
    ],
)
def test_words_are_joined_by_what_means_the_same(synonyms: Synonyms, typed: str, meant: str) -> None:
    """A word, a phrase or words side by side stand for their synonyms too, compared by stems; exact words do not."""
    node = with_synonyms(_read(typed), synonyms, ENGLISH)
    assert canonical(node) == meant


def test_without_rules_a_tree_stays_as_it_is() -> None:
    """No file, no change."""
    node = _read("rbc (tx OR -hb)")
    assert with_synonyms(node, NO_SYNONYMS, ENGLISH) is node


def test_searches_find_synonyms_and_say_so(tmp_path: Path, make_archive: MakeArchive) -> None:
    """They are found, marked and named in the receipt; the canonical query stays as it was typed."""
    path = tmp_path / "synonyms.txt"
    path.write_text(FILE, encoding="utf-8")
    archive = make_archive(
        [
            searchkit.Article("a", "RBC units", "x"),
            searchkit.Article("b", "Red blood cells", "x"),
            searchkit.Article("c", "Red wine, blood sausage, a cell", "x"),
            searchkit.Article("d", "Transplant", "x"),
        ],
        synonyms=str(path),
    )
    page = archive.search("rbc", limit=10)
    assert {hit.id for hit in page.hits} == {"a", "b"}
    assert {hit.title[slice(*hit.title_marks[0])] for hit in page.hits} == {"RBC", "Red blood cells"}
    assert page.receipt.canonical == "rbc"
    assert [(m.word, m.is_synonym) for m in page.receipt.meanings] == [
        ("rbc", False),
        ('"red blood cell"', True),
        ("erythrocyte", True),
    ]
    assert {hit.id for hit in archive.search("red blood cell").hits} == {"a", "b", "c"}
    assert {hit.id for hit in archive.search("=rbc").hits} == {"a"}
    assert archive.count("tx") == 1
    assert archive.count("transplant -tx") == 0
    first = archive.search("rbc", limit=1)
    assert archive.search("rbc", limit=1, cursor=first.next_cursor).hits[0].id != first.hits[0].id


def _read(text: str) -> Node:
    return read_query(text, today=date(2024, 5, 15)).node


def test_words_with_a_sign_between_them_have_their_synonyms(
    make_archive: Callable[..., LocalArchive], tmp_path: Path
) -> None:
    """Each of the words may be what the rules say, wherever it stands."""
    path = tmp_path / "synonyms.txt"
    path.write_text("rbc, erythrocyte\n", encoding="utf-8")
    archive = make_archive(
        [searchkit.Article("a", "t", "Plasma and RBC."), searchkit.Article("b", "t", "An RBC.")], synonyms=str(path)
    )
    assert [hit.id for hit in archive.search("erythrocyte/plasma").hits] == ["a"]
    assert [hit.id for hit in archive.search("plasma,erythrocyte").hits] == ["a"]
