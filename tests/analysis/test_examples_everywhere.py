"""The tables of examples hold in every way a text is analysed: text by text, in bulk, and by Whoosh."""

import itertools
from collections.abc import Callable

import pytest
from test_analysis import FOLDED, FOUND, NOT_FOUND, STEMMED, WORDS, finds

from searchkit.analysis import analyzer_for, fold
from searchkit.analysis.batch import BatchAnalyzer
from searchkit.indexing.inverter import ArticleText, invert
from searchkit.indexing.schema import PART_GAP, ArchiveAnalyzer

Terms = set[tuple[str, int]]
"""Terms with their positions."""

NEIGHBOURS = ["C++ .NET U.S. COVID-19 O'Brien's 3.5", "“10.1016/j.chest.2017.03.050” — l’été", "東京都"]
"""What else may be in the batch: the same spellings learnt before, and characters of two bytes."""


def alone(text: str, language: str) -> Terms:
    """By the analyzer of the language."""
    return {(term.text, term.position) for term in analyzer_for(language).terms(text)}


def in_bulk(text: str, language: str) -> Terms:
    """By the batch analysis, as the body of an article between others."""
    articles = [ArticleText("", "", body, language) for body in (*NEIGHBOURS[:2], text, NEIGHBOURS[2])]
    field = invert(articles, BatchAnalyzer(), title_weight=3.0).text
    assert field.position_offsets is not None
    assert field.positions is not None
    found = set()
    for term, postings in zip(field.terms.tolist(), itertools.pairwise(field.term_offsets.tolist()), strict=True):
        for posting in range(*postings):
            if field.docnums[posting] == 2:
                positions = field.positions[slice(*field.position_offsets[posting : posting + 2])]
                found |= {(term.decode(), position - 2 * PART_GAP) for position in positions.tolist()}
    return found


def in_bulk_alone(text: str, language: str) -> Terms:
    """By the batch analysis of this text only, so that nothing widens its characters."""
    field = invert([ArticleText(text, "", "", language)], BatchAnalyzer(), title_weight=3.0).title
    assert field.position_offsets is not None
    assert field.positions is not None
    bounds = field.position_offsets[field.term_offsets].tolist()
    return {
        (term.decode(), position)
        for term, (first, last) in zip(field.terms.tolist(), itertools.pairwise(bounds), strict=True)
        for position in field.positions[first:last].tolist()
    }


def by_whoosh(text: str, language: str) -> Terms:
    """By the analyzer that Whoosh is given."""
    return {(token.text, token.pos) for token in ArchiveAnalyzer(language)(text, positions=True)}


WAYS = [alone, in_bulk, in_bulk_alone, by_whoosh]
EXAMPLES = [
    *((text, typed, "en", True) for text, typed in FOUND),
    *((text, typed, "en", False) for text, typed in NOT_FOUND),
    *((text, typed, language, True) for language, text, typed in STEMMED),
]


@pytest.mark.parametrize("analysed", WAYS)
@pytest.mark.parametrize(("text", "typed", "language", "is_found"), EXAMPLES)
def test_every_way_finds_what_the_table_says(
    analysed: Callable[[str, str], Terms], text: str, typed: str, language: str, is_found: bool
) -> None:
    """C++, C#, .NET, COVID-19, U.S. and all the others are found, and not found, however they were indexed."""
    assert finds(text, analysed(text, language), typed, analyzer_for(language)) == is_found


@pytest.mark.parametrize("text", sorted({text for text, *_ in (*EXAMPLES, *WORDS, *FOLDED)}))
@pytest.mark.parametrize("language", ["en", "fr", "ja"])
def test_every_way_gives_the_same_terms_at_the_same_positions(text: str, language: str) -> None:
    """A text has one analysis."""
    assert (
        in_bulk(text, language) == in_bulk_alone(text, language) == by_whoosh(text, language) == alone(text, language)
    )


@pytest.mark.parametrize(("text", "expected"), WORDS)
def test_exact_words_are_the_folded_tokens_of_the_table(text: str, expected: list[str]) -> None:
    """The exact field of the bulk path and Whoosh's exact analyzer hold each token of the table, folded."""
    inverted = invert([ArticleText("", "", text, "en")], BatchAnalyzer(), title_weight=3.0)

    folded = {fold(token) for token in expected}
    assert {term.decode() for term in inverted.text_exact.terms.tolist()} == folded
    assert {token.text for token in ArchiveAnalyzer("en", exact=True)(text)} == folded
