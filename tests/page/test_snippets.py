"""Snippets: the article's own text, with exactly what matched marked in it."""

import gzip
import json
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slow_marks import marked_places

from searchkit.analysis import analyzer_for
from searchkit.page.snippets import build_snippets, count_more, find_matches, merge_marks
from searchkit.plan.highlights import highlights
from searchkit.query.nodes import And, Exact, Fuzzy, Label, Node, Not, Or, Pattern, Phrase, Prefix, Word

ENGLISH = analyzer_for("en")


def marked(text: str, *nodes: Node) -> list[str]:
    """The parts of ``text`` that are marked for a query."""
    wanted = highlights(And(nodes), (ENGLISH,)) if len(nodes) > 1 else highlights(nodes[0], (ENGLISH,))
    return [text[start:end] for start, end in merge_marks(find_matches(text, wanted, ENGLISH))]


MARKED = [
    ("Transfusions were transfused.", [Word("transfusion")], ["Transfusions", "transfused"]),
    ("In a café, the cafe.", [Word("cafe")], ["café", "cafe"]),
    ("interest rates and rates of interest", [Phrase("interest rate")], ["interest rates"]),
    ("red cells, red blood cells", [Phrase("red cells", slop=1)], ["red cells", "red blood cells"]),
    ("red a cells, red (cells), red big blood cells", [Phrase("red cells")], ["red (cells"]),
    ("red - big – cells, red big blood cells", [Phrase("red cells", slop=1)], ["red - big – cells"]),
    ("some .NET", [Prefix(".")], [".NET"]),
    ("COVID-19, covid19 and COVID 19", [Word("covid-19")], ["COVID-19", "covid19", "COVID 19"]),
    ("the U.S. and US", [Word("U.S.")], ["U.S", "US"]),
    ("C++ is not C", [Word("C++")], ["C++"]),
    ("patient’s rights", [Word("patient")], ["patient’s"]),
    ("東京都は日本の首都", [Word("東京")], ["東京"]),
    ("東京都は日本の首都", [Word("日本の首都")], ["日本の首都"]),
    ("東京都は日本の首都", [Word("都")], ["都", "都"]),
    ("transfer and trance", [Prefix("transf")], ["transfer"]),
    ("bank and rates", [Word("bank"), Not(Word("rates"))], ["bank"]),
    ("bank and rates", [Or((Word("bank"), Word("rates")))], ["bank", "rates"]),
    ("News about bank", [Label("topic", "News"), Word("bank")], ["bank"]),
    ("title words only", [Word("title", "title")], ["title"]),
]


@pytest.mark.parametrize(("text", "nodes", "expected"), MARKED)
def test_exactly_what_matched_is_marked(text: str, nodes: list[Node], expected: list[str]) -> None:
    """Stems mark whole words, phrases are one mark, exclusions and labels mark nothing."""
    assert marked(text, *nodes) == expected


LONG = "Filler words stand here to make it long. " * 20


def test_the_passage_with_most_of_the_query_is_shown() -> None:
    """Of several places the one that has both words wins over those that repeat one."""
    text = f"Plasma plasma plasma. {LONG}At last plasma meets platelets. {LONG}Plasma again."
    matches = find_matches(text, highlights(And((Word("plasma"), Word("platelet"))), (ENGLISH,)), ENGLISH)

    snippets = build_snippets(text, matches, most=1)
    assert "plasma meets platelets" in snippets[0].text


def test_a_passage_begins_with_its_sentence_where_that_fits() -> None:
    """A reader sees the sentence from its start."""
    text = f"{LONG}Cold platelets stop bleeding sooner. {LONG}"
    (snippet,) = build_snippets(text, find_matches(text, highlights(Word("bleeding"), (ENGLISH,)), ENGLISH))

    assert "Cold platelets stop bleeding" in snippet.text
    assert text[: snippet.start].rstrip().endswith(".")


def test_without_matches_the_beginning_is_shown() -> None:
    """An article found by its topic shows how it begins, cut between words."""
    (snippet,) = build_snippets("  " + LONG, [])

    assert (snippet.start, snippet.marks) == (2, ())
    assert snippet.text.startswith("Filler words")
    assert LONG[len(snippet.text)] == " "


def test_an_empty_body_has_no_snippet() -> None:
    """Nothing but white space gives no snippet instead of an empty one."""
    assert build_snippets(" \n", []) == ()


vocabulary = [
    "plasma",
    "Plasma,",
    "platelets.",
    "the",
    "\n\n",
    "naïve",
    "COVID-19",
    "東京都は",
    "x" * 50,
    "“quoted”",
    "end!",
]
texts = st.lists(st.sampled_from(vocabulary), max_size=120).map(" ".join)
queries = st.lists(
    st.sampled_from(
        [Word("plasma"), Word("platelet"), Phrase("plasma platelets"), Word("covid-19"), Word("京"), Prefix("na")]
    ),
    min_size=1,
    max_size=3,
)


@given(texts, queries, st.integers(20, 300), st.integers(1, 3))
def test_snippets_keep_their_contract(text: str, nodes: list[Node], width: int, most: int) -> None:
    """Snippets are slices of the text in order without overlap, marks are matches inside, one if the text has any."""
    wanted = highlights(Or(tuple(nodes)), (ENGLISH,))
    matches = find_matches(text, wanted, ENGLISH)
    snippets = build_snippets(text, matches, width=width, most=most)

    places = {(match.start, match.end) for match in matches}
    end = 0
    for snippet in snippets:
        assert text[snippet.start : snippet.start + len(snippet.text)] == snippet.text
        assert snippet.start >= end
        end = snippet.start + len(snippet.text)
        assert list(snippet.marks) == sorted(snippet.marks)
        for first, last in snippet.marks:
            assert 0 <= first < last <= len(snippet.text)
            assert any(snippet.start + first == start for start, _ in places)
    assert len(snippets) <= most
    assert bool(matches) == any(snippet.marks for snippet in snippets)
    assert bool(snippets) == bool(text.strip())


pieces = st.sampled_from(
    [
        *("plasma", "Plasma", "PLASMAS", "platelet", "platelets", "naïve", "nai\u0308ve", "Öl", "the"),
        *(
            "COVID",
            "19",
            "C++",
            "C#",
            ".NET",
            "U.S.",
            "e-mail",
            "3,500",
            "3.5",
            "x_y",
            "patient’s",
            "https://a.b/c?d=e",
        ),
        *("dying", "skies", "abilities", "Müller", "Mueller", "Straße", "МИР", "мира", "λόγος", "ǅ", "İ"),
        *(
            "𝑥1",
            "Æon",
            "東京",
            "東京都は",
            "ไทย",
            "हिन्दी",
            "한국어",
            "ﬁne",
            "Ⅷ",
            "\u200d",
            "\u00ad",
            "\ufe0f",
            "😀",
            "x" * 70,
        ),
        *("-", "‑", "–", "—", "'", "’", ".", ",", ";", "/", "&", "_", "@", "+", "#", "·", ":", "(", ")", "“", "”", "!"),
        *(" ", "  ", "\n", "\t", "\u00a0", "\u2003", "\u3000", "\x1c", "\u200b", ""),
    ]
)
hostile = st.lists(pieces | st.characters(), max_size=40).map("".join)
asked = st.sampled_from(
    [
        *(Word(text) for text in ("plasma", "platelet", "naive", "naïve", "covid-19", "covid19", "C++", "c", ".net")),
        *(
            Word(text)
            for text in ("U.S.", "us", "email", "3500", "3.5", "x_y", "東京", "京", "は", "ไทย", "fine", "öl")
        ),
        *(
            Phrase(text)
            for text in ("plasma platelet", "covid 19", "the plasma", "東京都", "u s", "x y", "patient's the")
        ),
        *(Phrase(text, slop=2) for text in ("plasma platelet", "c plasma", "the 19")),
        *(
            Prefix(text)
            for text in ("pl", "n", "na", "co", "東", "3", "c", "u", "3.", ".n", ".", "c+", "-", "’", "ﬁ", "ö")
        ),
        *(Exact(text) for text in ("plasma", "Öl", "US", "naïve", "C++", "e-mail", "the plasma", "ไทย", "fine ⅷ")),
        *(Pattern(text) for text in ("pl*a", "*", "?", "na*")),
        *(Fuzzy(text) for text in ("plasme", "covod19", "öl")),
        *(Word(text) for text in ("naives", "dying", "sky", "ability", "mueller", "straße", "мир", "λόγος", "größe")),
        *(Phrase(text, slop=9) for text in ("plasma the", "u 19", "naïve the plasma")),
    ]
)
languages = st.sampled_from(["en", "de", "fr", "es", "fi", "it", "tr", "ru", "hu", "nl", "ar", "el", "ja", "xx"])
expansions = {"pl*a": ("plasma", "platela"), "na*": ("naive", "naïve"), "plasme": ("plasma",), "öl": ("ol", "öl", "OL")}


def expand(node: Pattern | Fuzzy) -> tuple[str, ...]:
    """What patterns stand for in an archive that has these words."""
    return expansions.get(node.text, (*(f"w{number}" for number in range(40)), "c", "the", "3.5", "東京", ".net"))


@given(hostile, st.lists(asked, min_size=1, max_size=4), languages)
def test_marks_are_those_of_reading_token_by_token(text: str, nodes: list[Node], language: str) -> None:
    """Whatever a text is made of, looking where words may stand marks what the tokens of the whole text say."""
    for analyzer in (ENGLISH, analyzer_for(language)):
        wanted = highlights(Or(tuple(nodes)), (ENGLISH, analyzer_for(language)), expand)
        found = find_matches(text, wanted, analyzer)
        assert found == sorted(found)
        assert {tuple(match) for match in found} == marked_places(text, wanted, analyzer)


@pytest.mark.parametrize("number", [60, pytest.param(3000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("corpus", ["arxiv_100k", "reuters", "ruby_news_17_languages", "pm_transcripts_3k"])
def test_marks_of_real_articles_are_those_of_reading_token_by_token(
    corpus: str, number: int, data_folder: Path
) -> None:
    """Words, phrases and prefixes taken from an article are marked in it and in the next one as its tokens say."""
    choose = Random(7)
    words = ["the"] * 20
    with gzip.open(data_folder / "corpora" / f"{corpus}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in islice(lines, number):
            article = json.loads(line)
            text = f"{article['title']}\n{article.get('body') or article.get('text') or ''}"[:5000]
            analyzer = analyzer_for(article.get("language") or article.get("lang") or "en")
            words = [*words[-10:], *text.split()]
            at = choose.randrange(len(words) - 1)
            nodes = [
                *map(Word, choose.sample(words, 3)),
                Phrase(f"{words[at]} {words[at + 1]}", slop=choose.randrange(4)),
                Exact(choose.choice(words)),
                Prefix(choose.choice(words)[: choose.randrange(1, 5)]),
            ]
            wanted = highlights(Or(tuple(nodes)), (ENGLISH, analyzer))
            found = find_matches(text, wanted, analyzer)
            assert {tuple(match) for match in found} == marked_places(text, wanted, analyzer), (nodes, text)


def test_near_words_win_over_those_far_apart() -> None:
    """Of two passages with both words the one where they stand together is shown."""
    text = f"Plasma is one thing, and quite another thing are platelets. {LONG}Here plasma platelets meet. {LONG}"
    matches = find_matches(text, highlights(And((Word("plasma"), Word("platelet"))), (ENGLISH,)), ENGLISH)

    assert "plasma platelets meet" in build_snippets(text, matches, most=1)[0].text


@pytest.mark.parametrize(("places", "more"), [(1, 0), (2, 0), (3, 1), (5, 3)])
def test_further_passages_are_counted(places: int, more: int) -> None:
    """What two snippets do not show of a long article is counted in passages, each of several marks near together."""
    text = f"Plasma and more plasma. {LONG}" * places
    matches = find_matches(text, highlights(Word("plasma"), (ENGLISH,)), ENGLISH)

    assert count_more(build_snippets(text, matches), matches) == more
