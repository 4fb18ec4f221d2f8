"""Words typed with a sign instead of a space between them, and names that have signs in them."""

from collections.abc import Iterator

import pytest

import searchkit
from searchkit.engines.local import LocalArchive, open_local
from searchkit.settings import Settings

Article = searchkit.Article

BODIES = {
    "apart": "Plasma was given after heparin and warfarin.",
    "turned": "Warfarin came before heparin.",
    "beside": "Heparin/warfarin bridging.",
    "spaced": "Heparin warfarin bridging, heparin first.",
    "dashed": "A heparin–warfarin switch.",
    "commas": "Heparin,warfarin,aspirin",
    "heparin": "Heparin alone.",
    "warfarin": "Warfarin alone.",
    "tcp": "The TCP/IP protocol.",
    "tcp2": "An IP packet over TCP.",
    "hiv": "HIV/AIDS clinics.",
    "hiv2": "AIDS is caused by HIV.",
    "always": "Open 24/7 for donors.",
    "numbers": "Of 24 donors 7 came.",
    "half": "Take 1/2 tablet.",
    "halves": "Take 1 or 2 tablets.",
    "speed": "At 30 km/h it stopped.",
    "speed2": "Thirty km in one h.",
    "ab": "Blood group A/B testing.",
    "ab2": "B before a.",
    "cpp": "C++/Python bindings.",
    "cpp2": "From Python she called C++.",
    "c": "Python called from C.",
    "csharp": "C# and .NET at work.",
    "rd": "The R&D budget.",
    "rd2": "D after R.",
    "salt": "Salt & pepper.",
    "salt2": "Pepper, then salt.",
    "att": "AT&T sold it.",
    "decimal": "At 3,5 degrees.",
    "decimal2": "From 3 to 5 degrees.",
    "thousand": "Some 1,000 units.",
    "thousand2": "One of 1 000 units.",
    "underscore": "The max_size option.",
    "underscore2": "The size is at its max.",
    "host": "See example.org today.",
    "host2": "An org gives an example.",
    "sum": "Solve x+y now.",
    "sum2": "Here y is above x.",
    "doi": "See 10.1016/j.chest.2017.03.050 today.",
    "doi2": "See j.chest.2017.03.050 by 10.1016 today.",
    "tokyo": "東京は首都。大阪も。",
    "tokyo2": "東京/大阪の間。",
    "rna": "anti–D given",
    "rna2": "D was anti everything",
    "path": "Look in /usr/local/bin now.",
    "path2": "The bin is local to usr.",
    "or": "Red cells and/or plasma.",
}

FOUND = [
    ("heparin/warfarin", "apart turned beside spaced dashed commas"),
    ("warfarin/heparin", "apart turned beside spaced dashed commas"),
    ("heparin,warfarin", "apart turned beside spaced dashed commas"),
    ("heparin;warfarin", "apart turned beside spaced dashed commas"),
    ("heparin–warfarin", "apart turned beside spaced dashed commas"),
    ("heparin—warfarin", "apart turned beside spaced dashed commas"),
    ("heparin−warfarin", "apart turned beside spaced dashed commas"),
    ("heparin…warfarin", "apart turned beside spaced dashed commas"),
    ("heparin...warfarin", "apart turned beside spaced dashed commas"),
    ("heparin+warfarin", "apart turned beside spaced dashed commas"),
    ("heparin&warfarin", "apart turned beside spaced dashed commas"),
    ("heparin\\warfarin", "apart turned beside spaced dashed commas"),
    ("heparin／warfarin", "apart turned beside spaced dashed commas"),
    ("heparin，warfarin", "apart turned beside spaced dashed commas"),
    ("HEPARIN/WARFARIN", "apart turned beside spaced dashed commas"),
    ("heparin/warfarin/aspirin", "commas"),
    ("heparin/warfarin,plasma", "apart"),
    ("heparin/warf*", "apart turned beside spaced dashed commas"),
    ("heparin/warfarin -plasma", "turned beside spaced dashed commas"),
    ("heparin -heparin/warfarin", "heparin"),
    ("heparin -heparin/warf*", "heparin"),
    ("heparin-warfarin", "beside spaced dashed commas"),
    ('"heparin/warfarin"', "beside spaced dashed commas"),
    ("=heparin/warfarin", "beside spaced dashed commas"),
    ("heparinwarfarin", "beside dashed"),
    ("(heparin/warfarin OR tcp/ip) plasma", "apart"),
    ("heparin/xyzzy", ""),
    ("TCP/IP", "tcp tcp2"),
    ("HIV/AIDS", "hiv hiv2"),
    ("AIDS/HIV", "hiv hiv2"),
    ("24/7", "always"),
    ("1/2", "half"),
    ("km/h", "speed"),
    ("A/B", "ab"),
    ("a/b", "ab"),
    ("C++/Python", "cpp cpp2"),
    ("Python/C++", "cpp cpp2"),
    ("C#/.NET", "csharp"),
    ("R&D", "rd"),
    ("salt&pepper", "salt salt2"),
    ("AT&T", "att"),
    ("3,5", "decimal"),
    ("1,000", "thousand thousand2"),
    ("max_size", "underscore"),
    ("example.org", "host"),
    ("x+y", "sum"),
    ("10.1016/j.chest.2017.03.050", "doi"),
    ("東京/大阪", "tokyo tokyo2"),
    ("anti–D", "rna"),
    ("/usr/local/bin", "path"),
    ("usr/local/bin", "path path2"),
    ("cells/plasma", "or"),
    ("and/or plasma", "or"),
]


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalArchive]:
    """One article for each way in which two words stand."""
    with open_local(str(tmp_path_factory.mktemp("joined") / "index"), create=True, settings=Settings()) as archive:
        archive.add(Article(name, "n", body) for name, body in BODIES.items())
        yield archive


@pytest.mark.parametrize(("query", "expected"), FOUND)
def test_a_sign_between_words_is_read_as_a_space_and_in_names_as_it_stands(
    joined: LocalArchive, query: str, expected: str
) -> None:
    """Words with a sign between them are found wherever they stand, numbers and single letters side by side only."""
    page = joined.search(query, limit=100)
    assert sorted(hit.id for hit in page.hits) == sorted(expected.split())
    assert page.total == joined.count(query)
    assert page.receipt.canonical == joined.search(page.receipt.canonical).receipt.canonical
    assert joined.count(page.receipt.canonical) == page.total


@pytest.mark.parametrize("sign", ["/", ",", ";", "–", "—", "+", "&"])
def test_words_side_by_side_come_first(joined: LocalArchive, sign: str) -> None:
    """Articles that have the words in this order, side by side, stand above those that have them apart."""
    found = [hit.id for hit in joined.search(f"heparin{sign}warfarin").hits]
    assert set(found[:4]) == {"beside", "spaced", "dashed", "commas"}
    assert set(found[4:]) == {"apart", "turned"}


def test_side_by_side_once_outweighs_often_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One place where the words stand together beats any number where they do not, also with accents."""
    with open_local(str(tmp_path_factory.mktemp("often") / "index"), create=True, settings=Settings()) as archive:
        archive.add([
            Article("often", "Plättchen im Kühlschrank", "Plättchen. Im Kühlschrank. " * 20),
            Article("once", "A long story", "Plattchen Kuhlschrank. " + "And more. " * 200),
        ])  # fmt: skip
        assert [hit.id for hit in archive.search("Plättchen/Kühlschrank").hits] == ["once", "often"]
        assert [hit.id for hit in archive.search("Plättchen Kühlschrank").hits] == ["often", "once"]


def test_the_receipt_says_that_both_words_are_meant(joined: LocalArchive) -> None:
    """Its sentence names the words, its meanings what each of them stands for, and unknown ones are named alone."""
    receipt = joined.search("heparin/xyzzy").receipt
    assert receipt.sentence == "Articles with heparin/xyzzy (heparin and xyzzy, side by side first)."
    assert receipt.canonical == "heparin/xyzzy"
    assert [meaning.word for meaning in receipt.meanings] == ["heparin", "xyzzy"]
    assert [(remark.text, remark.reason) for remark in receipt.remarks] == [("xyzzy", "no article has this word")]
    assert joined.search("-his/her").receipt.sentence == "Articles without his/her (his and her)."
    assert joined.search("km/h").receipt.sentence == "Articles with km/h."


def test_the_words_are_marked_wherever_they_stand(joined: LocalArchive) -> None:
    """Side by side they are one mark, apart one each."""
    marked = {
        hit.id: [s.text[start:end] for s in hit.snippets for start, end in s.marks]
        for hit in joined.search("heparin/warfarin").hits
    }
    assert marked["beside"] == ["Heparin/warfarin"]
    assert marked["apart"] == ["heparin", "warfarin"]


@pytest.mark.parametrize(
    ("query", "offered"),
    [
        ("heparin/xyzzy", "heparin"),
        ("heparin/warfrin", "heparin warfarin"),
        ("plasma-warfarin", "plasma warfarin"),
        ("donors.warfarin", "warfarin"),
        ("7/24", "7 24"),
    ],
)
def test_what_finds_nothing_is_offered_in_parts(joined: LocalArchive, query: str, offered: str) -> None:
    """Where no article has a name, or one of the words, those that some have are offered with their count."""
    page = joined.search(query)
    counts = {suggestion.query: suggestion.count for suggestion in page.suggestions}
    assert page.total == 0
    assert counts[offered] == joined.count(offered) > 0
