"""What each stretch of text between white space stands for, learnt once and kept.

No word reaches across white space, so the tokens of a text are those of its stretches, one after the other. A text is
then cut by `str.split` and looked up by `dict.get`, both in C: finding the words of a query in an article of a thousand
characters takes some 25 microseconds, where reading it token by token took 300.
"""

import re
from array import array
from collections.abc import Callable, Sequence, Set
from functools import lru_cache
from itertools import accumulate, islice
from typing import NamedTuple

from searchkit.analysis import Analyzer, Kind, fold, tokenize
from searchkit.plan.cache import ByteCache

Forms = Callable[[str, Kind], tuple[str, ...]]
"""The terms of a token, as `Analyzer.forms` gives them."""

LEARNT = 32_768
"""Stretches that are kept, about 150 bytes each."""

_LONGEST = 64
"""Characters of a stretch that is kept: longer ones are URLs, formulas and scripts without spaces."""

READ_BYTES = 2 << 20
"""Bytes of texts that are kept read: as many articles as are kept unpacked."""

_READ_TEXT_BYTES = 300
_NOT_PLAIN = ""

_one_word = re.compile(r"[(\[{\"'“‘«]*([A-Za-z0-9]+)[.,;:!?)\]}\"'”’»…]*").fullmatch
"""Of these `tokenize` makes one token, the word: no character around it joins words or belongs to a name."""
_stretches = re.compile(r"\S+").finditer


Place = tuple[int, int, int]
"""Where a term stands: the position of its word, and its characters from start to end."""


class Parts(NamedTuple):
    """A stretch taken apart: how many positions it has, and where in it each term stands."""

    positions: int
    places: dict[str, list[Place]]


class ChunkTerms:
    """The terms of stretches of text under one way of forming them; safe to share between threads."""

    def __init__(self, forms: Forms) -> None:
        self._forms = forms
        self._plain: dict[str, str] = {}  # the only term of a stretch that is one word, "" for all other stretches
        self._others: dict[str, Parts] = {}
        self._texts: ByteCache[ReadText] = ByteCache(READ_BYTES)

    def read(self, text: str) -> "ReadText":
        """The text as the terms of its stretches; those of texts read before are kept."""
        found = self._texts.get(text)
        if found is None:
            found = ReadText(text, self)
            self._texts.put(text, found, 20 * len(found.terms) + _READ_TEXT_BYTES)
        return found

    def terms(self, chunks: Sequence[str]) -> Sequence[str]:
        """The term of each stretch that is one plain word; "" for the others, which `parts` takes apart."""
        known = list(map(self._plain.get, chunks))
        if None in known:
            learnt = {chunk: self._learn(chunk) for chunk, term in zip(chunks, known, strict=True) if term is None}
            return [learnt[chunk] if term is None else term for chunk, term in zip(chunks, known, strict=True)]
        return known  # type: ignore[return-value]  # without None they are all texts

    def parts(self, chunk: str) -> Parts:
        """The terms of a stretch with their places in it."""
        found = self._others.get(chunk)
        if found is None:
            tokens = list(tokenize(chunk))
            places: dict[str, list[Place]] = {}
            for token in tokens:
                for form in self._forms(token.text, token.kind):
                    places.setdefault(form, []).append((token.position, token.start, token.end))
            found = Parts(tokens[-1].position + 1 if tokens else 0, places)
            if len(chunk) <= _LONGEST:
                _make_room(self._others)
                self._others[chunk] = found
        return found

    def _learn(self, chunk: str) -> str:
        word = _one_word(chunk) if len(chunk) <= _LONGEST else None
        forms = self._forms(word[1], Kind.WORD) if word else ()
        term = forms[0] if len(forms) == 1 else _NOT_PLAIN
        if len(chunk) <= _LONGEST:
            _make_room(self._plain)
            self._plain[chunk] = term
        return term


class ReadText:
    """A text as the terms of its stretches, "" where a stretch is no plain word, and where each stretch begins."""

    __slots__ = ("_forms", "_starts", "_text", "terms")

    def __init__(self, text: str, forms: ChunkTerms) -> None:
        chunks = text.split()
        self._text = text
        self._forms = forms
        self.terms = forms.terms(chunks)
        lengths = list(map(len, chunks))
        if sum(lengths) + len(lengths) - 1 == len(text):  # one space between any two stretches, as in most texts
            self._starts = array("Q", accumulate([length + 1 for length in lengths], initial=0))
        else:
            self._starts = array("Q", [stretch.start() for stretch in _stretches(text)] + [len(text) + 1])

    def places(self, wanted: Set[str], *, with_positions: bool) -> list[tuple[str, Place]]:
        """The wanted terms in the order of the text; positions are 0 unless they are asked for."""
        terms, parts = self.terms, self._forms.parts
        at = [index for index, term in enumerate(terms) if not term or term in wanted]
        positions = self._positions() if with_positions and at else None
        found: list[tuple[str, Place]] = []
        for index in at:
            term, chunk = terms[index], self._chunk(index)
            if term:
                start = self._starts[index]
                first, end = _plain_span(chunk)
                found.append((term, (positions[index] if positions else 0, start + first, start + end)))
                continue
            places = parts(chunk).places
            if not wanted.isdisjoint(places):
                start = self._starts[index]
                position = positions[index] if positions else 0
                for term in wanted & places.keys():
                    found += [(term, (position + p, start + first, start + end)) for p, first, end in places[term]]
        return found

    def beginning(self, prefix: str) -> list[tuple[int, int]]:
        """Start and end of the terms that begin with ``prefix``."""
        terms = self.terms
        found = []
        for index in [index for index, term in enumerate(terms) if not term or term.startswith(prefix)]:
            start, chunk = self._starts[index], self._chunk(index)
            if terms[index]:
                first, end = _plain_span(chunk)
                found.append((start + first, start + end))
                continue
            for word, places in self._forms.parts(chunk).places.items():
                if word.startswith(prefix):
                    found += [(start + first, start + end) for _, first, end in places]
        return found

    def _chunk(self, index: int) -> str:
        return self._text[self._starts[index] : self._starts[index + 1] - 1].rstrip()

    def _positions(self) -> list[int]:
        """How many positions come before each stretch."""
        parts = self._forms.parts
        counts = [1 if term else parts(self._chunk(index)).positions for index, term in enumerate(self.terms)]
        return list(accumulate(counts, initial=0))


@lru_cache(maxsize=64)
def terms_of_language(analyzer: Analyzer) -> ChunkTerms:
    """The stems of stretches in one language."""
    return ChunkTerms(analyzer.forms)


@lru_cache(maxsize=1)
def folded_words() -> ChunkTerms:
    """The folded words of stretches."""
    return ChunkTerms(lambda text, _kind: (fold(text),))


def _plain_span(chunk: str) -> tuple[int, int]:
    """Where the word of a plain stretch stands in it."""
    if chunk.isalnum():
        return 0, len(chunk)
    word = _one_word(chunk)
    assert word is not None
    return word.span(1)


def _make_room(learnt: dict[str, str] | dict[str, Parts]) -> None:
    """Forget the older half when there are too many."""
    if len(learnt) >= LEARNT:
        for chunk in list(islice(learnt, LEARNT // 2)):
            learnt.pop(chunk, None)
