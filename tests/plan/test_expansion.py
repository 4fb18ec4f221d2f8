"""What a pattern, an approximate spelling and a stem stand for in an archive, against loops over its words."""

import re
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import searchkit
from searchkit.analysis import analyzer_for, fold
from searchkit.engines.local import LocalArchive, open_local
from searchkit.plan import expansion
from searchkit.plan.expansion import pattern_key
from searchkit.plan.whoosh_query import edit_distance
from searchkit.query.nodes import Fuzzy, Pattern
from searchkit.settings import Settings

WORDS = [
    "bank", "banks", "banking", "rank", "ranks", "café", "cafe", "cafés", "naïve", "naive", "résumé",
    "woman", "women", "womb", "e-mail", "covid-19", "東京",
]  # fmt: skip
PLAIN = sorted(
    {"bank", "banks", "banking", "rank", "ranks", "cafe", "cafes", "naive", "resume", "woman", "women", "womb"}
    | {"t", "e", "mail", "email", "covid", "19", "covid19", "東京", "京"}
)


@pytest.fixture(scope="module")
def archive() -> Iterator[LocalArchive]:
    """The words in articles of two segments, earlier ones in more articles."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_local(folder + "/index", create=True, settings=Settings()) as made,
    ):
        for batch in range(2):
            bodies = [" ".join(WORDS[: len(WORDS) - n]) for n in range(batch, len(WORDS), 2)]
            made.add(searchkit.Article(f"{batch}-{n}", "t", body) for n, body in enumerate(bodies))
        yield made


@settings(deadline=None)
@example(pattern="*nk*k")
@example(pattern="*an*a?")
@example(pattern="b*n*nk")
@example(pattern="*a*n*k*")
@given(pattern=st.text(alphabet="*?bankscfe", min_size=1, max_size=6))
def test_patterns_stand_for_the_words_that_fit(archive: LocalArchive, pattern: str) -> None:
    """The folded words that fit, taken one by one by a regular expression."""
    fits = re.compile(pattern_key(pattern).replace("*", ".*").replace("?", ".")).fullmatch
    with archive._generation() as generation:
        found = generation.vocabulary("text_exact").expand(Pattern(pattern))

    assert sorted(found.words) == [word for word in PLAIN if fits(word)]
    assert not found.is_cut


@settings(deadline=None)
@given(word=st.text(alphabet="bankscfeé", min_size=1, max_size=6), edits=st.integers(1, 2))
def test_approximate_spellings_stand_for_the_nearest_words(archive: LocalArchive, word: str, edits: int) -> None:
    """The folded words so few letters away, the nearest first."""
    key = word.replace("é", "e")
    expected = sorted((edit_distance(key, other), other) for other in PLAIN)
    with archive._generation() as generation:
        found = generation.vocabulary("text_exact").expand(Fuzzy(word, edits=edits))

    assert sorted(zip(found.edits, found.words, strict=True)) == [pair for pair in expected if pair[0] <= edits]
    assert list(found.edits) == sorted(found.edits)


@settings(deadline=None)
@given(prefix=st.text(alphabet="bankscfeé", max_size=3), most=st.integers(1, 20), few=st.sampled_from([0, 1000]))
def test_beginnings_stand_for_the_most_frequent_words(archive: LocalArchive, prefix: str, most: int, few: int) -> None:
    """The folded words that begin so, the most frequent first, of equal ones the first by alphabet; and how many."""
    with archive._generation() as generation, pytest.MonkeyPatch.context() as patch:
        patch.setattr(expansion, "_SPELLED_OUT", few)
        vocabulary = generation.vocabulary("text_exact")
        expected = sorted(
            (word for word in PLAIN if word.startswith(prefix)), key=lambda word: (-vocabulary.frequency(word), word)
        )
        found = vocabulary.beginning_with(prefix, most=most)
    assert (list(found.words), found.found) == (expected[:most], len(expected))


def test_cut_expansions_keep_the_most_frequent(archive: LocalArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern that fits more words than the limit stands for the most frequent of them, and says so."""
    monkeypatch.setattr(expansion, "MOST_PATTERN_WORDS", 2)
    with archive._generation() as generation:
        found = generation.vocabulary("text_exact").expand(Pattern("*an*s"))
        assert (found.words, found.found, found.is_cut) == (("banks", "ranks"), 2, False)
        found = generation.vocabulary("text_exact").expand(Pattern("?an*"))
    assert (found.words, found.found, found.is_cut) == (("bank", "banks"), 5, True)


def test_stems_stand_for_the_words_of_the_archive(archive: LocalArchive) -> None:
    """The written words whose analysis gives a stem, with how many articles have each."""
    english = analyzer_for("en")
    with archive._generation() as generation:
        vocabulary = generation.vocabulary("text_exact")
        for roughly in (False, True):
            found = vocabulary.spellings_of(frozenset({"bank"}), english, roughly=roughly)
            assert set(found) == {"bank", "banks", "banking"}
            cafes = vocabulary.spellings_of(frozenset(english.forms("cafés")), english, roughly=roughly)
            assert set(cafes) == {"cafe", "cafes", "café", "cafés"}
        assert found["bank"] == 17 == vocabulary.frequency("bank")


@pytest.mark.parametrize("language", ["en", "de", "tr", "ar", "nl"])
def test_no_word_with_a_stem_is_left_out(language: str) -> None:
    """The words with a stem are those that analysing all words of the archive finds, whatever the stemmer changes."""
    words = ["dying", "dies", "die", "skies", "sky", "ability", "able", "hoping", "hope", "Häuser", "Haus", "haeuser"]
    words += ["kitabım", "kitap", "kitaplar", "الكتاب", "كتاب", "كتب", "gelopen", "lopen", "huizen", "huis"]
    analyzer = analyzer_for(language)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_local(folder + "/index", create=True, settings=Settings(language=language)) as archive,
    ):
        archive.add([searchkit.Article(str(n), title=word) for n, word in enumerate(words)])
        with archive._generation() as generation:
            vocabulary = generation.vocabulary("text_exact")
            every = vocabulary.beginning_with("", most=100).words
            for word in words:
                terms = frozenset(analyzer.forms(word))
                expected = {other for other in every if not terms.isdisjoint(analyzer.forms(other))}
                found = vocabulary.spellings_of(terms, analyzer)
                assert {other for other in found if fold(other) == other} == expected


@settings(deadline=None)
@given(words=st.lists(st.sampled_from([*PLAIN, "none", "bankk"]), min_size=1, unique=True))
def test_many_words_are_in_the_articles_that_each_is_in(archive: LocalArchive, words: list[str]) -> None:
    """Words found all at once are found where looking up one after the other finds them."""
    with archive._generation() as generation:
        vocabulary = generation.vocabulary("text_exact")
        at_once = vocabulary._docnums_of_many([word.encode() for word in words])
        assert at_once.tolist() == sorted(vocabulary.docnums(words).tolist())
