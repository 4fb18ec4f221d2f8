"""How text becomes terms: words, folding, stems.

`Analyzer` puts the parts together for one language. The same analyzer reads articles when they are indexed, queries
when they are answered, and snippets when they are marked, so that what is found and what is marked agree.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from searchkit.analysis.folding import accented, fold, fold_label, lower
from searchkit.analysis.stemming import primary_language, stemmer_for
from searchkit.analysis.words import Kind, Token, tokenize

ANALYSIS = "words-2"
"""Name and version of the analysis, kept in every index: terms of different versions do not match each other."""

__all__ = [
    "ANALYSIS",
    "Analyzer",
    "Kind",
    "Term",
    "Token",
    "accented",
    "analyzer_for",
    "analyzers_for",
    "fold",
    "fold_label",
    "tokenize",
]


class Term(NamedTuple):
    """A term where it stands: ``start`` and ``end`` are characters of the text, ``position`` counts words."""

    text: str
    position: int
    start: int
    end: int


class Analyzer:
    """The analysis of one language; safe to share between threads.

    A token has one or two terms: its folded stem and, where an accent changes the stem, the stem of its folded
    spelling too, so that a reader who leaves accents out finds it and one who types them finds it as well.
    """

    def __init__(self, language: str) -> None:
        self.language = primary_language(language)
        self._stemmer = stemmer_for(self.language)
        self._forms: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def terms(self, text: str, *, position: int = 0) -> Iterator[Term]:
        """The terms of ``text``, the first word at ``position``; several may share a position."""
        forms = self.forms
        for token in tokenize(text, position):
            for form in forms(token.text, token.kind):
                yield Term(form, token.position, token.start, token.end)

    def forms(self, word: str, kind: Kind = Kind.WORD) -> tuple[str, ...]:
        """The terms that a token stands for; none when nothing of it is left after folding."""
        if kind is Kind.SYMBOL or kind is Kind.PAIR or kind is Kind.LAST:
            return (fold(word),)
        known = self._forms.get(word)
        if known is None:
            known = self._analysed(word)
            self._remember(word, known)
        return known

    def forms_of_all(self, words: Sequence[str]) -> list[tuple[str, ...]]:
        """The terms of each of ``words`` as `forms` gives them; many new words together take a fraction of the time."""
        joined = "".join(words)
        if joined.isascii() and joined.isalpha() and all(words):
            return list(zip(self.terms_of_ascii(list(map(str.lower, words))), strict=True))
        plain = [word for word in words if word.isascii() and word.isalpha()]
        stems = self.terms_of_ascii(list(map(str.lower, plain)))
        found = dict(zip(plain, zip(stems, strict=True), strict=True))
        return [found.get(word) or self.forms(word) for word in words]

    def terms_of_ascii(self, words: Sequence[str]) -> list[str]:
        """The one term of each of ``words``, of ASCII letters and digits in lower case: what `forms` gives."""
        letters = [word for word in words if word.isalpha()]
        with self._lock:
            stems = self._stemmer.stemWords(letters)
        if not "".join(stems).isascii():  # Serbian writes dj as one letter
            stems = [fold(stem) for stem in stems]
        if len(letters) == len(words) and all(stems):
            return stems
        term_of = dict(zip(letters, stems, strict=True))
        return [term_of.get(word) or word for word in words]

    def _analysed(self, word: str) -> tuple[str, ...]:
        plain = lower(word)
        folded = plain if word.isascii() else fold(word)
        if not folded:
            return ()
        if not folded.isalpha() and any(char.isdigit() for char in folded):
            return (folded,)
        with self._lock:
            stem = self._stemmer.stemWord
            written = fold(stem(plain))
            unaccented = written if folded == plain else fold(stem(folded))
        forms = written or folded, unaccented or folded
        return forms[:1] if forms[0] == forms[1] else forms

    def _remember(self, word: str, forms: tuple[str, ...]) -> None:
        if len(self._forms) >= 500_000:  # bounds memory; a restarted cache fills again within a second
            self._forms = {}
        self._forms[word] = forms


@lru_cache(maxsize=64)
def analyzer_for(language: str) -> Analyzer:
    """The shared analyzer of a language code."""
    return Analyzer(language)


def analyzers_for(languages: Iterable[str]) -> tuple[Analyzer, ...]:
    """One analyzer for each different language among the codes, in their order."""
    return tuple(analyzer_for(code) for code in dict.fromkeys(map(primary_language, languages)))
