"""What stretches of text between white space stand for, learnt once and kept.

No word reaches across white space, so the terms of a text are those of its stretches, one after the other. To find
terms in a text only the stretches are taken apart that may have one (`analysis.letters`), and those between two that
may be near enough to each other for a phrase: a new article of a thousand characters takes 15 to 30 microseconds, where
reading it token by token takes 300.
"""

import re
from collections.abc import Callable, Iterable, Sequence, Set
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

from searchkit.analysis import Analyzer, Kind, fold, tokenize
from searchkit.analysis.letters import Beginnings, Span, beginnings_of
from searchkit.analysis.stemming import beginnings_kept
from searchkit.plan.written import written_forms

Forms = Callable[[str, Kind], tuple[str, ...]]
"""The terms of a token, as `Analyzer.forms` gives them."""

Kept = Callable[[str], tuple[str, ...] | None]
"""What every token with a term begins with when it is folded: with one of these; None if unknown."""

LEARNT = 2048
"""Stretches that are kept, about 150 bytes each."""

LEARNT_OTHERS = 512
"""Stretches of several words that are kept, about 500 bytes each."""

_LONGEST = 64
_LONGEST_OTHER = 160
"""Characters of a stretch that is kept: longer ones are texts of scripts without spaces."""

_MOST_BEGINNINGS = 32
"""Looking for more takes longer than reading the text."""

_NOT_PLAIN = ""

_one_word = re.compile(r"[(\[{\"'“‘«]*([A-Za-z0-9]+)[.,;:!?)\]}\"'”’»…]*(?!\S)").match
"""Of such a stretch `tokenize` makes one token, the word: no character around it joins words or belongs to a name."""
_stretches = re.compile(r"\S+").finditer


Standing = tuple[str, int, int, int, int]
"""A term where it stands: in which of the stretches looked at, at which position in it, its characters."""


class Parts(NamedTuple):
    """A stretch taken apart: how many positions it has, and of each term the positions, starts and ends in it."""

    positions: int
    places: dict[str, list[tuple[int, int, int]]]


class ChunkTerms:
    """The terms of stretches of text under one way of forming them; safe to share between threads."""

    def __init__(self, forms: Forms, kept: Kept) -> None:
        self._forms = forms
        self._kept = kept
        self._plain: dict[str, str] = {}  # the only term of a stretch that is one word, "" for all other stretches
        self._others: dict[str, Parts] = {}

    def beginnings(self, terms: Iterable[str]) -> Beginnings | None:
        """What tokens with one of the terms begin with, for `Letters`; None if there is no telling, or too many."""
        kept = [self._kept(term) for term in terms]
        known = [words for words in kept if words is not None]
        found = beginnings_of(chain.from_iterable(known)) if len(known) == len(kept) else None
        return None if found is None or len(found.letters) + len(found.pairs) > _MOST_BEGINNINGS else found

    def find(self, wanted: Set[str], text: str, spans: Sequence[Span]) -> list[Standing]:
        """Where the wanted terms stand in the stretches at ``spans``."""
        found: list[Standing] = []
        known = self._plain.get
        for stretch, (start, stop) in enumerate(spans):
            chunk = text[start:stop]
            term = known(chunk)
            if term is None:
                term = self._learn(chunk)
            if term:
                if term in wanted:
                    found.append((term, stretch, 0, *_word_in(chunk, start)))
            else:
                for form, places in self._parts(chunk).places.items():
                    if form in wanted:
                        found += [(form, stretch, at, start + first, start + end) for at, first, end in places]
        return found

    def find_beginning(self, prefix: str, text: str, spans: Sequence[Span]) -> list[Span]:
        """Start and end of the terms in the stretches that begin with ``prefix``."""
        found = []
        for start, end in spans:
            chunk = text[start:end]
            known = self._plain.get(chunk)
            term = self._learn(chunk) if known is None else known
            if term:
                if term.startswith(prefix):
                    found.append(_word_in(chunk, start))
            else:
                for form, places in self._parts(chunk).places.items():
                    if form.startswith(prefix):
                        found += [(start + first, start + last) for _, first, last in places]
        return found

    def positions(self, text: str, spans: Sequence[Span], reach: int) -> list[int]:
        """The position at which each stretch begins, counted such that distances up to ``reach`` are right.

        Of farther ones only that they are farther.
        """
        found = []
        position = 0
        done = len(text)
        for start, end in spans:
            if start > done + 1:
                between = 0
                for stretch in _stretches(text, done, start):
                    between += self._size(stretch[0])
                    if between >= reach:
                        break
                position += between
            found.append(position)
            position += self._size(text[start:end])
            done = end
        return found

    def _size(self, chunk: str) -> int:
        """How many positions a stretch has."""
        return 1 if len(chunk) <= _LONGEST and _one_word(chunk) else self._parts(chunk).positions

    def _learn(self, chunk: str) -> str:
        """The term of a stretch that is one plain word; "" for the others, which `_parts` takes apart."""
        word = _one_word(chunk) if len(chunk) <= _LONGEST else None
        forms = self._forms(word[1], Kind.WORD) if word else ()
        term = forms[0] if len(forms) == 1 else _NOT_PLAIN
        if len(chunk) <= _LONGEST:
            _make_room(self._plain, LEARNT)
            self._plain[chunk] = term
        return term

    def _parts(self, chunk: str) -> Parts:
        found = self._others.get(chunk)
        if found is None:
            tokens = list(tokenize(chunk))
            places: dict[str, list[tuple[int, int, int]]] = {}
            for token in tokens:
                for form in self._forms(token.text, token.kind):
                    places.setdefault(form, []).append((token.position, token.start, token.end))
            found = Parts(tokens[-1].position + 1 if tokens else 0, places)
            if len(chunk) <= _LONGEST_OTHER:
                _make_room(self._others, LEARNT_OTHERS)
                self._others[chunk] = found
        return found


def _word_in(chunk: str, start: int) -> Span:
    """Where the word of a plain stretch that begins at ``start`` stands."""
    if chunk.isalnum():
        return start, start + len(chunk)
    word = _one_word(chunk)
    assert word is not None
    return start + word.start(1), start + word.end(1)


@lru_cache(maxsize=64)
def terms_of_language(analyzer: Analyzer) -> ChunkTerms:
    """The stems of stretches in one language."""
    return ChunkTerms(analyzer.forms, lambda stem: beginnings_kept(stem, analyzer.language))


@lru_cache(maxsize=1)
def folded_words() -> ChunkTerms:
    """The folded words of stretches."""
    return ChunkTerms(lambda text, _kind: (fold(text),), lambda word: (word,))


@lru_cache(maxsize=1)
def written_words() -> ChunkTerms:
    """The words of stretches as they are written."""
    return ChunkTerms(lambda text, kind: tuple(written_forms(text, kind)), lambda word: (fold(word),))


def _make_room(learnt: dict[str, str] | dict[str, Parts], most: int) -> None:
    """Forget the older half when there are too many."""
    if len(learnt) >= most:
        for chunk in list(islice(learnt, most // 2)):
            learnt.pop(chunk, None)
