"""The parts of the batch analysis do what a loop over characters, a dictionary and `sorted` do."""

import re
import sys
import unicodedata
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.analysis import analyzer_for, fold, tokenize
from searchkit.analysis.batch import BatchAnalyzer, _ascii_spellings
from searchkit.analysis.characters import DIGIT, PAIRED, WORD, classify, encode, lower_ascii
from searchkit.analysis.folding import lower
from searchkit.analysis.spans import BEFORE, PADDING, find_units, hash_spans
from searchkit.analysis.vocabulary import KeyTable, TermNumbers, UnitEntries
from searchkit.analysis.words import (
    MAX_JOINED_PARTS,
    MAX_WORD,
    Kind,
    _unicode_word,
    chain_spellings,
    is_paired,
    is_word_char,
)

texts = st.text(alphabet=st.sampled_from("aB1234,,.'-+#  \n東京カไé\u0301\u200d😀𠀀"), max_size=40) | st.text(
    max_size=40
)


def padded(text: str) -> str:
    """The text as the batch analysis looks at it."""
    return " " * BEFORE + text + " " * PADDING


def test_every_character_has_the_class_that_the_patterns_give_it() -> None:
    """What is a character of words agrees with the pattern of `tokenize` for all of Unicode, digits with \\d."""
    pattern, digit = _unicode_word(), re.compile(r"\d")
    chars = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    is_word = [bool(pattern.fullmatch(char)) for char in chars]
    assert is_word == [is_word_char(char) for char in chars]

    classes = classify(encode("".join(chars)))
    assert ((classes & WORD) != 0).tolist() == is_word
    assert [chars[n] for n in np.flatnonzero(classes & DIGIT)] == [char for char in chars if digit.match(char)]
    assert [chars[n] for n in np.flatnonzero(classes & PAIRED)] == [
        char for char, is_part in zip(chars, is_word, strict=True) if is_part and is_paired(char)
    ]


@given(texts)
def test_texts_are_held_in_the_narrowest_units_one_a_character(text: str) -> None:
    """The codes are the characters' code points in one, two or four bytes; only A to Z are made lower."""
    codes = encode(text)

    assert codes.tolist() == list(map(ord, text))
    assert codes.itemsize == (1 if max(text, default="") < "\u0100" else 2 if max(text) < "\U00010000" else 4)
    assert lower_ascii(codes).tolist() == [ord(char.lower() if char.isascii() else char) for char in text]


MARKS = [chr(code) for code in range(0x300, 0x370)]


@pytest.mark.parametrize("letter", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
def test_a_capital_under_any_accents_means_the_same_small(letter: str) -> None:
    """Making A to Z small before folding changes neither the folded word nor what a stemmer sees."""
    for mark in MARKS:
        for word in (
            letter + mark,
            letter + mark + "\u0323",
            "x" + letter + "\u0345" + mark,
            unicodedata.normalize("NFC", letter + mark),
        ):
            small = "".join(char.lower() if char.isascii() else char for char in word)
            assert (fold(word), lower(word)) == (fold(small), lower(small))


@given(texts)
def test_units_are_what_tokens_are_made_of(text: str) -> None:
    """Each word and each pair of characters lies in exactly one unit, in order, and no unit is without one."""
    units = find_units(classify(encode(padded(text))))
    spans = [
        (start - BEFORE, end - BEFORE) for start, end in zip(units.starts.tolist(), units.ends.tolist(), strict=True)
    ]
    single = [token for token in tokenize(text) if token.kind not in (Kind.JOINED, Kind.SYMBOL)]
    owners = []
    for token in single:
        if token.kind is Kind.WORD:
            owners += [n for n, (start, end) in enumerate(spans) if start <= token.start and token.end <= end]
        else:
            owners += [n for n, span in enumerate(spans) if span == (token.start, token.end)]

    assert len(owners) == len(single)
    assert [owner for owner, _ in groupby(owners)] == list(range(len(spans)))


@given(st.lists(st.text(min_size=1, max_size=30) | st.sampled_from(["x" * 600, "x" * 599 + "y"]), max_size=20))
def test_equal_spans_and_no_others_have_equal_keys(words: list[str]) -> None:
    """Within one text the same characters give the same key, wherever they stand, and others another."""
    text = "".join(words)
    ends = np.cumsum([len(word) for word in words], dtype=np.int64)
    starts = ends - np.array([len(word) for word in words], np.int64)
    keys = hash_spans(encode(padded(text)), starts + BEFORE, ends + BEFORE).tolist()

    pairs = set(zip(keys, words, strict=True))
    assert len(pairs) == len(set(words)) == len({(key, len(word)) for key, word in pairs})


def test_words_in_codes_of_different_width_do_not_share_keys() -> None:
    """Single characters, which differ in few bits only, have keys of their own in one, two and four bytes."""
    chars = "abcdefghijklmnopqrstuvwxyz0123456789"
    starts = np.arange(BEFORE, BEFORE + len(chars), dtype=np.int64)
    keys = [
        hash_spans(encode(padded(chars + wide)), starts, starts + 1).tolist() for wide in ("", "\u0416", "\U00020000")
    ]

    assert len({key for some in keys for key in some}) == 3 * len(chars)


few_keys = st.lists(st.tuples(st.sampled_from([0, 1, 2**63, 2**64 - 1, 5 << 40]), st.integers(1, 3)), max_size=8)
many_keys = st.lists(st.tuples(st.integers(0, 2**64 - 1), st.just(1)), max_size=60)


@given(st.lists(few_keys | many_keys, max_size=6))
def test_the_key_table_is_a_dictionary(batches: list[list[tuple[int, int]]]) -> None:
    """Pairs are numbered in the order in which they are added, also where keys are equal and only lengths differ."""
    table, known = KeyTable(), dict[tuple[int, int], int]()
    for batch in batches:
        keys, lengths = np.array([k for k, _ in batch], np.uint64), np.array([n for _, n in batch], np.int32)
        assert table.find(keys, lengths).tolist() == [known.get(pair, -1) for pair in batch]
        new = [pair for pair in dict.fromkeys(batch) if pair not in known]
        known |= {pair: n for n, pair in enumerate(new, len(known))}
        table.add(np.array([k for k, _ in new], np.uint64), np.array([n for _, n in new], np.int32))
        assert len(table) == len(known)
        assert table.find(keys, lengths).tolist() == [known[pair] for pair in batch]


def test_a_full_key_table_grows() -> None:
    """A hundred thousand pairs are all found, and a stranger is not."""
    table = KeyTable()
    keys = np.random.default_rng(7).permutation(100_000).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    lengths = np.ones(len(keys), np.int32)
    for part in np.array_split(np.arange(len(keys)), 9):
        table.add(keys[part], lengths[part])

    assert table.find(keys, lengths).tolist() == list(range(len(keys)))
    assert (table.find(keys + np.uint64(1), lengths) == -1).all()


alike = st.text(alphabet="ab\u00e9", max_size=22) | st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=6
)


@given(st.lists(alike, unique=True, max_size=30))
def test_terms_are_ordered_by_their_bytes(terms: list[str]) -> None:
    """Terms alike in the first eight or sixteen bytes are ordered by what follows."""
    numbers = TermNumbers()
    found = np.array([numbers.number(term) for term in terms], np.int64)

    assert numbers.texts(numbers.in_order(found)).tolist() == sorted(term.encode() for term in terms)
    assert [numbers.number(term) for term in terms] == found.tolist()
    every_other = np.arange(0, len(found), 2)
    assert numbers.texts(found).at(every_other).tolist() == [term.encode() for term in terms[::2]]


def test_unit_entries_give_back_what_was_added() -> None:
    """Firsts in one array, the rest unit by unit and within one by position; a unit may have none."""
    entries = UnitEntries()
    for rows in ([(0, 9, 2), (0, 8, 1)], [(1, 5, 0)]):
        entries.extend(np.array([7, -1] if len(rows) == 2 else [3, 4], np.int32), *np.array(rows, np.int32).T)
    indexes, numbers, positions = entries.others(np.array([3, 1, 0, 0]))

    assert entries.firsts.tolist() == [7, -1, 3, 4]
    assert list(zip(indexes.tolist(), numbers.tolist(), positions.tolist(), strict=True)) == [
        (0, 5, 0), (2, 8, 1), (2, 9, 2), (3, 8, 1), (3, 9, 2),
    ]  # fmt: skip


@given(st.lists(st.text(alphabet="ab", max_size=3), max_size=9), st.lists(st.text(alphabet="ab", max_size=3)))
def test_many_terms_are_numbered_as_one_after_the_other(first: list[str], second: list[str]) -> None:
    """Numbers go to new terms in order, and a repeated one keeps its own."""
    at_once, singly = TermNumbers(), TermNumbers()
    for terms in (first, second):
        assert at_once.numbers(terms).tolist() == [singly.number(term) for term in terms]


ascii_chains = st.lists(
    st.from_regex(r"[A-Za-z0-9]{1,3}(['\-./&_@+:,][A-Za-z0-9]{1,3}){0,13}('[sS])?", fullmatch=True)
    | st.sampled_from(["x" * 70, "a-" * 40 + "b", "1.2.3", "u.s.a's", "a's's", "3.5-b.7"]),
    min_size=1,
    max_size=8,
)


@given(ascii_chains)
def test_ascii_chains_have_the_spellings_they_have_alone(chains: list[str]) -> None:
    """Taken apart together, chains have the words and the joined spelling that `chain_spellings` gives each."""
    rows, joined = _ascii_spellings(chains)
    found = [
        ([word[:MAX_WORD] for word in row], both[:MAX_WORD] if 1 < len(row) <= MAX_JOINED_PARTS else "")
        for row, both in zip(rows, joined, strict=True)
    ]

    assert found == [chain_spellings(chain.lower(), 0, len(chain))[:2] for chain in chains]


@given(st.lists(st.from_regex(r"[a-z0-9]{1,9}", fullmatch=True)), st.sampled_from(["en", "de", "sr", "xx"]))
def test_ascii_words_have_the_term_they_have_alone(words: list[str], language: str) -> None:
    """`terms_of_ascii` is `forms`, word by word, also where a stem is not ASCII."""
    words = [*words, "djak", "ljubav"]

    analyzer = analyzer_for(language)
    assert [(term,) for term in analyzer.terms_of_ascii(words)] == [analyzer.forms(word) for word in words]


@given(st.lists(st.text(max_size=12), max_size=8), st.sampled_from(["en", "de", "ru", "xx"]))
def test_many_words_at_once_have_the_forms_they_have_alone(words: list[str], language: str) -> None:
    """`forms_of_all` is `forms`, word by word."""
    words = [word for text in words for word in (text, text.lower(), "ships", "v2s", "3.5")]

    assert analyzer_for(language).forms_of_all(words) == [analyzer_for(language).forms(word) for word in words]


def test_an_analyzer_that_remembers_too_much_begins_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded, and what is analysed afterwards is the same as before."""
    analyzer = BatchAnalyzer()
    before = analyzer.analyse(["one two", "two three"], ["en", "en"])
    analyzer.forget_too_much()
    assert len(analyzer.vocabulary) == 3

    monkeypatch.setattr("searchkit.analysis.batch._MAX_REMEMBERED", 2)
    analyzer.forget_too_much()
    assert len(analyzer.vocabulary) == 0
    after = analyzer.analyse(["one two", "two three"], ["en", "en"])
    assert after.ids.tolist() == before.ids.tolist()
