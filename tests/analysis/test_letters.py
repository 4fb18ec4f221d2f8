"""Beginnings of words: none is missed where a text is looked through for them instead of being read."""

import gzip
import json
import re
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.analysis import analyzer_for, fold, tokenize
from searchkit.analysis.letters import Letters, beginnings_of
from searchkit.analysis.stemming import STEMMED_LANGUAGES, beginnings_kept

FOUND = [
    ("The e-mail came.", "email", ["e-mail"]),
    ("COVID-19, covid 19", "covid19", ["COVID-19,"]),
    ("An E--mail, x-e-mail", "email", ["E--mail,", "x-e-mail"]),
    ("part art (art) smart-art", "art", ["art", "(art)", "smart-art"]),
    ("1,234,567 and 12", "1234", ["1,234,567"]),
    ("Cafés\tÄRA\u3000cafe", "cafe", ["Cafés", "cafe"]),
    ("“curly” – l’été, œuvre ete", "ete", ["l’été,", "œuvre", "ete"]),
    ("Мир, ЛОГОС и миру", "мир", ["Мир,", "миру"]),
    ("東京 and C++", "東京", ["東京"]),
    ("東京都 and C++ と京都 の", "京都", ["東京都", "と京都"]),
    ("東京 and C++", "c++", ["C++"]),
    ("東京art-東 e-東mail", "art", ["東京art-東"]),
    ("ﾄｳ か\u3099 한국어", "トウ", ["ﾄｳ", "か\u3099"]),
    ("한국어 \u1112\u1161\u11ab", "한국", ["한국어", "\u1112\u1161\u11ab"]),
    ("a \U0001d465 b", "x", ["\U0001d465"]),
    ("a \U00010041 b", "\U00010041", ["\U00010041"]),
    ("nothing of the kind", "email", []),
    ("", "email", []),
]


@pytest.mark.parametrize(("text", "beginning", "expected"), FOUND)
def test_stretches_in_which_a_word_begins_so_are_found(text: str, beginning: str, expected: list[str]) -> None:
    """Whatever case, accents and connectors a word is written with; and those with unusual characters."""
    assert [text[start:end] for start, end in Letters(text).stretches(beginnings_of([beginning]))] == expected


def test_without_a_beginning_every_stretch_is_found() -> None:
    """Where nothing is known of what words begin with, all are to be looked at."""
    assert Letters(" a\n\u00a0b-c ").stretches(None) == [(1, 2), (4, 7)]


def test_what_a_beginning_includes_is_not_looked_for_twice() -> None:
    """Of several beginnings the shorter ones suffice."""
    assert beginnings_of(["interest", "in", "rate", "inter", "C"]) == ((b"c", b"in", b"rate"), ())


unusual = st.sampled_from(
    [
        *"aAeiäéßæŉ’'-.,&·/+#_ \t\n\u00a0\u3000\u00ad\u0301\ufe0f",
        "ﬁ",
        "İ",
        "ǆ",
        *"東京かカー한゙ｶ",
        "\u11a8",
        "й",
        "Σ",
        "٣",
    ]
)
hostile = st.lists(unusual | st.sampled_from("abc019 -.") | st.characters(), max_size=60).map("".join)


@given(hostile, st.integers(1, 70))
def test_no_token_is_missed(text: str, length: int) -> None:
    """The stretch of every token is among those found for what the token begins with."""
    letters = Letters(text)
    for token in tokenize(text):
        beginning = fold(token.text)[:length]
        spans = letters.stretches(beginnings_of([beginning]))
        assert any(start <= token.start and token.end <= end for start, end in spans), (token, beginning)


ENDINGS = {
    "en": "s es ies ied ying ing ings ed edly ingly y ly ily ability abilities ational ization iveness logy ence e",
    "de": "e er ern en es em st est ung ungen lich heit keit isch ig ik ß ue oe ae uen",
    "fr": "ication icatrice ité icité abilité amment emment ement ence ences euse aux eaux oux yer issait usion é ç",
    "es": "encia encias ución logía ándoles iéndose arlo amente idad ivamente ará aría es",
    "it": "enza enze arlo erle uzione logia amente ità ivo chi ghi isco eremo",
    "pt": "ência ências ução logia amente idade ões ção eira iria issemos",
    "fi": "ssa ssä llekseni kseni ien oja joa iden tten issa kko ppaa ttie",
    "hu": "val vel ccsal ggyal éim áink eitek ások ért stul képpen",
    "ro": "abilitate ivitate isme ism iști ului elor ațiune ează",
    "ca": "iques quíssim logia aments itat íssimes",
    "pl": "ami ach szą szący łam liśmy ość iejsza owych",
    "ru": "ами ого ившись ость ейше ённый ются",
    "sv": "heterna orna ast löst fullt",
    "da": "erende løst ernes lig tt",
    "no": "hetenes erte ert leg tt",
}


@pytest.mark.parametrize("language", ENDINGS)
def test_words_begin_with_what_their_stems_keep(language: str) -> None:
    """Whatever endings are put together: a word begins, folded, with a beginning kept of each of its stems."""
    endings = ENDINGS[language].split()
    beginnings = ["a", "be", "di", "Ly", "sk", "wor", "bibl", "Ägy", "saue", "nation", "matt", "vill", "occ", "мир"]
    words = [
        f"{beginning}{first}{second}" for beginning in beginnings for first in endings for second in ["", *endings]
    ]
    assert not unkept(words, language)


@pytest.mark.slow
@pytest.mark.parametrize("language", [code for code in STEMMED_LANGUAGES if beginnings_kept("stem", code)])
def test_words_of_the_corpora_begin_with_what_their_stems_keep(language: str, corpus_words: set[str]) -> None:
    """It holds for every word of the corpora, those of other languages, too."""
    assert not unkept(corpus_words, language)


@pytest.fixture(scope="module")
def corpus_words(data_folder: Path) -> set[str]:
    """Every word of the corpora."""
    words: set[str] = set()
    for path in sorted((data_folder / "corpora").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in islice(lines, 30_000):
                article = json.loads(line)
                words.update(
                    re.findall(r"[^\W\d_]+", f"{article['title']} {article.get('body') or article.get('text')}")
                )
    return words


def unkept(words: set[str] | list[str], language: str) -> dict[str, tuple[str, str]]:
    """Words that begin with nothing that is kept of one of their terms."""
    missed = {}
    analyzer = analyzer_for(language)
    for word, terms in zip(words, analyzer.forms_of_all(list(words)), strict=True):
        for term in terms:
            kept = beginnings_kept(term, language)
            if kept is not None and not any(beginning and fold(word).startswith(beginning) for beginning in kept):
                missed[word] = term, str(kept)
    return missed


@pytest.mark.parametrize("language", ["ar", "id", "nl", "ga", "sr", "el", "tr"])
def test_nothing_is_known_where_beginnings_change(language: str) -> None:
    """Languages whose stems cut or rewrite beginnings keep none, but for words that are not stemmed."""
    assert beginnings_kept("stem", language) is None
    assert beginnings_kept("covid19", language) == ("covid19",)
