"""The receipt of a search: what the words stand for in this archive, and what nothing in it has."""

from collections.abc import Callable

import pytest

import searchkit
from searchkit.engines.local import LocalArchive
from searchkit.plan import written

MakeArchive = Callable[..., LocalArchive]
Article = searchkit.Article

ARTICLES = [
    Article("a", "Transfusions", "A transfusion was given; they transfused her.", topics=["News"]),
    Article("b", "Transfusion", "COVID-19 and covid 19 and covid19. Cafés, café, cafe.", authors=["Ann Roe"]),
    Article("c", "Städte", "東京都は日本の首都です。 Die Häuser, das Haus.", language="de"),
]


@pytest.mark.parametrize(
    ("query", "word", "forms"),
    [
        ("transfusion", "transfusion", ("transfusion", "transfused", "transfusions")),
        ("title:transfusions", "title:transfusions", ("transfusion", "transfusions")),
        ("Haus", "Haus", ("haus", "häuser")),
        ("cafe", "cafe", ("café", "cafés")),
        ("covid-19", "covid-19", ("covid 19", "covid19")),
        ("東京都", "東京都", ("京都", "東京")),
        ("trans*", "trans*", ("transfusion", "transfused", "transfusions")),
        ("transfus?on", "transfus?on", ("transfusion",)),
        ("transfusoin~", "transfusoin~2", ("transfusion", "transfusions")),
        ("=transfusion", "=transfusion", ()),
        ("-transfused x", "transfused", ("transfusion", "transfused", "transfusions")),
    ],
)
def test_meanings_are_the_archives_own_words(
    make_archive: MakeArchive, query: str, word: str, forms: tuple[str, ...]
) -> None:
    """A word stands for the forms in which this archive has it, the most frequent first."""
    meaning = make_archive(ARTICLES).search(query).receipt.meanings[0]
    assert (meaning.word, meaning.forms, meaning.more) == (word, forms, 0)


def test_many_forms_are_counted(make_archive: MakeArchive) -> None:
    """Of a pattern that many words fit the most frequent are named, and how many more there are."""
    archive = make_archive([Article("a", "t", " ".join(f"word{letter}" for letter in "abcdefghijklmnop"))])
    (meaning,) = archive.search("word?*").receipt.meanings
    assert (len(meaning.forms), meaning.more) == (12, 4)


@pytest.mark.parametrize(
    ("query", "text", "reason"),
    [
        ("xyzzy", "xyzzy", "no article has this word"),
        ("transfusion OR xyzzy", "xyzzy", "no article has this word"),
        ("transfusion -xyzzy", "xyzzy", "no article has this word"),
        ("title:covid", "covid", "no article has this word in its title"),
        ("topic:Olds", "topic:Olds", "no article is filed under Olds"),
        ("topic:Newz transfusion", "topic:Newz", "no article is filed under Newz; did you mean News?"),
        ("by:ror", "author:ror", "no article is by ror; did you mean Ann Roe?"),
        ("by:Nobody", "author:Nobody", "no article is by Nobody"),
        ("id:zz", "id:zz", "no article has the id zz"),
        ("xy*zzy", "xy*zzy", "no word of the archive is like this"),
        ("xyzzy~", "xyzzy~1", "no word of the archive is like this"),
    ],
)
def test_what_nothing_has_is_said(make_archive: MakeArchive, query: str, text: str, reason: str) -> None:
    """A word, label or pattern that is nowhere in the archive is named, wherever it stands in the query."""
    (remark,) = make_archive(ARTICLES).search(query).receipt.remarks
    assert (remark.text, remark.position, remark.reason) == (text, -1, reason)


def test_authors_meant_are_named(make_archive: MakeArchive) -> None:
    """A name says which authors it stands for and how many more; one that is just that author says nothing."""
    names = ["Jane Smith", "Smith, J.", *(f"Smith {letter}" for letter in "abcde")]
    archive = make_archive([Article(str(n), "t", "x", authors=[name, "Ann Roe"]) for n, name in enumerate(names)])
    (meaning,) = archive.search("author:smith").receipt.meanings
    assert meaning.is_telling
    assert meaning.word == "author:smith"
    assert (meaning.forms, meaning.more) == (("Jane Smith", "Smith a", "Smith b", "Smith c", "Smith d"), 2)
    assert archive.search('author:"ann roe"').receipt.meanings == ()
    archive.delete(["0"])
    assert archive.search("author:smith").receipt.meanings[0].forms[0] == "Smith a"


def test_a_cut_expansion_is_said(make_archive: MakeArchive) -> None:
    """A pattern that more words fit than are looked for says how many there are."""
    words = [f"w{n:04}x" for n in range(1200)]
    archive = make_archive([Article("a", "t", " ".join(words)), Article("b", "t", " ".join(words[600:]))])
    page = archive.search("w*x")
    assert page.total == 2
    (remark,) = page.receipt.remarks
    assert remark.reason == "1,200 words are like this; the 500 most frequent were looked for"
    assert archive.search("w0000x~").receipt.remarks[0].reason.endswith("the 100 nearest were looked for")


def test_equal_remarks_are_made_once(make_archive: MakeArchive) -> None:
    """The same thing said of several places is said once, with how often."""
    remarks = make_archive(ARTICLES).search("transfusion !!! ??? !!!").receipt.remarks
    assert [remark.reason for remark in remarks] == ["punctuation is not searched for (3 times)"]


def test_a_word_too_common_to_be_told_from_its_initials_is_said(
    make_archive: MakeArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where too many articles would have to be read for IT, only I.T. is found, and a remark says so."""
    archive = make_archive(
        [
            *(Article(f"it{n}", "t", "Here it is.") for n in range(5)),
            Article("IT", "t", "IT staff."),
            Article("I.T.", "t", "The I.T. staff."),
        ]
    )
    assert {hit.id for hit in archive.search("I.T.").hits} == {"IT", "I.T."}
    monkeypatch.setattr(written, "MOST_READ_FOR_CAPITALS", 5)
    archive.add([Article("other", "t", "Another.")])
    page = archive.search("I.T.")
    assert {hit.id for hit in page.hits} == {"I.T."}
    assert [remark.reason for remark in page.receipt.remarks] == [
        "found with points; IT without them is too common a word to look for (7 articles)"
    ]


def test_phrases_that_too_many_articles_would_be_read_for_are_listed_in_any_form(
    make_archive: MakeArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Articles with both forms are read up to a number; beyond it all of them count, and a remark says so."""
    archive = make_archive(
        [
            *(Article(f"a{n}", "t", "The red cell. A red mark on cells.") for n in range(4)),
            Article("written", "t", "The red cells, a cell."),
        ]
    )
    query = '="red cells"'
    assert archive.search(query).total == 1
    monkeypatch.setattr(written, "MOST_READ", 4)
    archive.add([Article("other", "t", "Another.")])
    page = archive.search(query)
    assert page.total == archive.count(query) == 5
    assert [remark.reason for remark in page.receipt.remarks] == [
        "5 articles have these words in other forms, too; all of them are listed"
    ]
    assert archive.search("=cells").total == 5
    assert not archive.search("=cells").receipt.remarks


def test_dates_outside_the_archive_are_said(make_archive: MakeArchive) -> None:
    """Where nothing was published at the time asked for, the remark has the first and the last day there is."""
    archive = make_archive(
        [Article("a", "t", "word", published="2016-03-01"), Article("b", "t", "word", published="2018")]
    )
    for query in ("date:2030", "word date:2030", "since:2019 word"):
        (remark,) = archive.search(query).receipt.remarks
        assert remark.reason == "no article was published then; those with a date are from 2016-03-01 to 2018-01-01"
    assert not archive.search("word date:2016").receipt.remarks


def test_dates_of_an_archive_without_any_are_said(make_archive: MakeArchive) -> None:
    """An archive of undated articles answers a date with that."""
    (remark,) = make_archive([Article("a", "t", "word")]).search("word date:2030").receipt.remarks
    assert remark.reason == "no article has a date"


def test_a_lone_word_that_nothing_is_like_is_said(make_archive: MakeArchive) -> None:
    """Where there is no other spelling, beginning or part to offer, the note on the word is all there is to say."""
    page = make_archive(ARTICLES).search("qwxzvb")
    assert page.total == 0
    assert page.suggestions == ()
    assert [(remark.text, remark.reason) for remark in page.receipt.remarks] == [("qwxzvb", "no article has this word")]


def test_a_number_behind_a_word_is_said_to_be_part_of_a_name(make_archive: MakeArchive) -> None:
    """The receipt has the name that was looked for besides the two words, where the archive has it."""
    archive = make_archive(ARTICLES)
    assert [meaning.sentence for meaning in archive.search("covid 19").receipt.meanings if meaning.is_telling] == [
        "also covid19, a synonym"
    ]
    assert not [meaning for meaning in archive.search("transfusion 19").receipt.meanings if meaning.is_telling]
