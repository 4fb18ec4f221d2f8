"""Words, folding and stems: one table of what a text is indexed as, and what must therefore find it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.analysis import Analyzer, Kind, analyzer_for, analyzers_for, fold, fold_label, tokenize
from searchkit.plan.forms import in_capitals, word_forms
from searchkit.plan.written import has_written
from searchkit.query.joined_words import is_initialism

FOLDED = [
    ("Café", "cafe"),
    ("NAÏVE", "naive"),
    ("Straße", "strasse"),
    ("Łódź", "lodz"),
    ("Ørsted", "orsted"),
    ("Æther", "aether"),
    ("ﬁne", "fine"),
    ("ＡＢＣ１", "abc1"),
    ("m²", "m2"),
    ("İstanbul", "istanbul"),
    ("ΆΛΦΑ", "αλφα"),
    ("ёлка", "елка"),
    ("йод", "йод"),
    ("їжак", "їжак"),
    ("שָׁלוֹם", "שלום"),
    ("مُحَمَّد", "محمد"),
    ("がく", "がく"),
    ("हिन्दी", "हिन्दी"),
    ("co\u00adoperate", "cooperate"),
    ("한국어", "한국어"),
]


@pytest.mark.parametrize(("written", "folded"), FOLDED)
def test_folding_drops_what_readers_leave_out(written: str, folded: str) -> None:
    """Case, accents, ligatures and width go; what tells words apart stays."""
    assert fold(written) == folded


@given(st.text(max_size=20))
def test_folding_twice_changes_nothing(text: str) -> None:
    """A folded word is its own folded form, so that terms and queries meet."""
    assert fold(fold(text)) == fold(text)


def test_labels_are_compared_without_case_accents_and_extra_spaces() -> None:
    """A topic is one topic however it is typed."""
    assert fold_label("  RBC   Transfusión ") == fold_label("rbc transfusion")


WORDS = [
    ("Plain words, here.", ["Plain", "words", "here"]),
    ("C++ and C# on .NET", ["C", "C++", "and", "C", "C#", "on", "NET", ".NET"]),
    ("blood group A+", ["blood", "group", "A", "A+"]),
    ("COVID-19", ["COVID", "COVID19", "COVID19", "19"]),
    ("the U.S. Senate", ["the", "U", "US", "US", "S", "Senate"]),
    ("e‑mail", ["e", "email", "email", "mail"]),
    ("O’Brien’s", ["O", "OBrien", "OBrien", "Brien"]),
    ("patient's", ["patient"]),
    ("3.5 and 155,221", ["3", "3.5", "3.5", "5", "and", "155", "155221", "155221", "221"]),
    ("one,two", ["one", "two"]),
    ("#ASH2023 @who", ["ASH2023", "who"]),
    ("東京都は", ["東京", "京都", "都は", "は"]),
    ("2020年 Tokyo大学", ["2020", "年", "Tokyo", "大学", "学"]),
    ("हिन्दी", ["हिन्दी"]),
    ("...", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "expected"), WORDS)
def test_text_falls_into_words(text: str, expected: list[str]) -> None:
    """Each text gives these tokens in this order: words, their joined and symbol spellings, pairs of characters."""
    assert [token.text for token in tokenize(text)] == expected


FOUND = [
    ("transfusions", "transfusion"),
    ("transfused", "Transfusing"),
    ("naïve", "naive"),
    ("naive", "naïve"),
    ("COVID-19", "covid19"),
    ("COVID-19", "covid-19"),
    ("COVID 19", "COVID-19"),
    ("covid19", "COVID-19"),
    ("U.S.", "US"),
    ("the US senate", "U.S."),
    ("e-mail", "email"),
    ("email", "e-mail"),
    ("E–mails", "email"),
    ("O'Brien", "obrien"),
    ("O'Brien", "Brien"),
    ("O’Brien", "O'Brien"),
    ("10.1016/j.chest.2017.03.050", "10.1016/j.chest.2017.03.050"),
    ("doi:10.1016/j.chest.2017.03.050.", "10.1016/j.chest.2017.03.050"),
    ("anti-D", "anti-d"),
    ("anti-D", "antiD"),
    ("Rh-negative", "rh negative"),
    ("Rh-negative", "RhNegative"),
    ("C++", "c++"),
    ("C#", "C#"),
    (".NET", ".net"),
    ("#ASH2023", "ash2023"),
    ("ash2023", "#ASH2023"),
    ("東京都は日本の首都", "東京"),
    ("東京都は日本の首都", "首都"),
    ("東京都は日本の首都", "都"),
    ("日本の首都", "本"),
    ("ภาษาไทย", "ไทย"),
    ("한국어를", "한국어"),
    ("meta-analysis", "metaanalysis"),
    ("155,221 bags", "155221"),
    ("l'article", "article"),
    ("AT&T", "AT&T"),
]
NOT_FOUND = [
    ("C", "C++"),
    ("C++", "C#"),
    ("net income", ".NET"),
    ("3.5", "35"),
    ("东京", "京东"),
    ("covid", "COVID-19"),
    ("19 covid", "COVID-19"),
    ("it told us", "U.S."),
    ("anti-D", "anti-E"),
]


def matches(text: str, typed: str, analyzer: Analyzer) -> bool:
    """Does some alternative of the typed word stand in the text?"""
    return finds(text, {(term.text, term.position) for term in analyzer.terms(text)}, typed, analyzer)


def finds(text: str, terms: set[tuple[str, int]], typed: str, analyzer: Analyzer) -> bool:
    """The obvious matcher, given a text, and its terms with their positions."""
    forms = word_forms(typed, (analyzer,))
    if is_initialism(typed) and has_written([text], in_capitals(typed, (analyzer,)).words, 0):
        return True
    if forms.prefix is not None:
        return any(text.startswith(forms.prefix) for text, _ in terms)
    return any(
        all(any((term, start + n) in terms for term in slot) for n, slot in enumerate(alternative))
        for alternative in forms.alternatives
        for _, start in terms
    )


@pytest.mark.parametrize(("text", "typed"), FOUND)
def test_any_reasonable_spelling_finds_it(text: str, typed: str) -> None:
    """A reader who types this finds an article that says that."""
    assert matches(text, typed, analyzer_for("en"))


@pytest.mark.parametrize(("text", "typed"), NOT_FOUND)
def test_what_is_different_stays_apart(text: str, typed: str) -> None:
    """Names, numbers and orders that differ do not find each other."""
    assert not matches(text, typed, analyzer_for("en"))


STEMMED = [
    ("de", "Häuser", "Haus"),
    ("fr", "été", "ete"),
    ("es", "donaciones", "donación"),
    ("ru", "переливания", "переливание"),
    ("pt-BR", "transfusões", "transfusoes"),
    ("hu", "házak", "hazak"),
    ("xx", "Walverwandtschaft", "walverwandtschaft"),
]


@pytest.mark.parametrize(("language", "text", "typed"), STEMMED)
def test_each_language_is_stemmed_by_its_own_rules_with_and_without_accents(
    language: str, text: str, typed: str
) -> None:
    """Inflected forms meet, and so does a word typed without its accents; an unknown language is only folded."""
    assert matches(text, typed, analyzer_for(language))


def test_a_query_word_means_its_form_in_every_language_of_the_archive() -> None:
    """In a mixed archive one slot holds the stems of each language, without repeats."""
    (alternative,) = word_forms("Donaciones", analyzers_for(["en", "es", "en-GB"])).alternatives

    assert alternative == (("donacion",),) or set(alternative[0]) >= {"donacion"}
    assert len(set(alternative[0])) == len(alternative[0])


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_tokens_stand_in_the_text_in_order(text: str) -> None:
    """Positions never go back, places lie inside the text, and words and pairs have a position of their own."""
    tokens = list(tokenize(text))

    assert all(0 <= token.start < token.end <= len(text) for token in tokens)
    assert [token.position for token in tokens] == sorted(token.position for token in tokens)
    single = [token.position for token in tokens if token.kind in (Kind.WORD, Kind.PAIR, Kind.LAST)]
    assert single == list(range(len(single)))


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_every_text_finds_itself(text: str) -> None:
    """What an article says can be typed as a phrase of it: the words of a text are found in it."""
    analyzer = analyzer_for("en")
    terms = {term.text for term in analyzer.terms(text)}
    for token in tokenize(text):
        assert set(analyzer.forms(token.text, token.kind)) <= terms


def test_several_threads_share_an_analyzer() -> None:
    """Stemmers are not safe for threads by themselves; the analyzer's answers are the same from eight at once."""
    from concurrent.futures import ThreadPoolExecutor

    words = [
        f"{stem}{ending}" for stem in ("transfus", "donat", "regulat") for ending in ("ion", "ions", "ed", "ing")
    ] * 50
    analyzer = Analyzer("en")
    expected = [Analyzer("en").forms(word) for word in words]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: [analyzer.forms(word) for word in words], range(16)))

    assert all(result == expected for result in results)
