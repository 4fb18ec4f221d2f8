"""Words as they are written: what can be seen at a glance is what reading word by word says."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit.plan.spelling import LetterTable
from searchkit.plan.written import _at_a_glance, has_written

PIECES = [
    "in",
    "the",
    "The",
    "IN",
    "int",
    "he",
    " ",
    " ",
    "  ",
    ".",
    "-",
    "'",
    "_",
    ", ",
    "\n",
    "é",
    "the-in",
    "in's",
    "the's-in",
    "1,000",
    "in.the",
    "1",
]

texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
words = st.lists(st.sampled_from(["in", "the", "int", "he", "1", "IN", "thé", "thein"]), min_size=1, max_size=3).map(
    tuple
)


@settings(max_examples=500)
@given(texts=st.lists(texts, min_size=1, max_size=3), words=words, slop=st.integers(0, 3))
def test_a_glance_says_what_reading_says(texts: list[str], words: tuple[str, ...], slop: int) -> None:
    """Where a glance decides, it decides as the tokens do."""
    seen = _at_a_glance(texts, words, slop)
    assert seen is None or seen == has_written(texts, words, slop)


def test_a_glance_decides_plain_text() -> None:
    """It is not always undecided: plain words with spaces are found, absent ones are not."""
    assert _at_a_glance(["once in the wood"], ("in", "the"), 0) is True
    assert _at_a_glance(["the wood in spring"], ("in", "the"), 0) is False
    assert _at_a_glance(["in a dark wood, by the river"], ("in", "the"), 4) is True
    assert _at_a_glance(["in a dark wood, by the river"], ("in", "the"), 3) is False
    assert _at_a_glance(["IT is it"], ("IT",), 0) is True
    assert _at_a_glance(["it is ITS"], ("IT",), 0) is False
    assert _at_a_glance(["in, the wood"], ("in", "the"), 0) is None


@given(st.lists(st.text(min_size=1, max_size=6), max_size=30, unique=True))
def test_hashes_tell_words_apart(words: list[str]) -> None:
    """Different words have different hashes, wherever they stand in a table."""
    hashes = LetterTable.of(words).hashes
    assert len(np.unique(hashes)) == len(words)
    assert LetterTable.of(words[::-1]).hashes.tolist() == hashes[::-1].tolist()
