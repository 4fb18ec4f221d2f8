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
from searchkit.plan.written import written_forms

Forms = Callable[[str, Kind], tuple[str, ...]]
"""The terms of a token, as `Analyzer.forms` gives them."""

LEARNT = 32_768
"""Stretches that are kept, about 150 bytes each."""

LEARNT_OTHERS = 8192
"""Stretches of several words that are kept, about 500 bytes each."""

_LONGEST = 64
_LONGEST_OTHER = 160
"""Characters of a stretch that is kept: longer ones are texts of scripts without spaces."""

READ_BYTES = 2 << 20
"""Bytes of texts that are kept read: as many articles as are kept unpacked."""

_READ_TEXT_BYTES = 300
_NOT_PLAIN = ""

_one_word = re.compile(r"[(\[{\"'“‘«]*([A-Za-z0-9]+)[.,;:!?)\]}\"'”’»…]*(?!\S)").match
"""Of such a stretch `tokenize` makes one token, the word: no character around it joins words or belongs to a name."""
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
            if len(chunk) <= _LONGEST_OTHER:
                _make_room(self._others, LEARNT_OTHERS)
                self._others[chunk] = found
        return found

    def _learn(self, chunk: str) -> str:
        word = _one_word(chunk) if len(chunk) <= _LONGEST else None
        forms = self._forms(word[1], Kind.WORD) if word else ()
        term = forms[0] if len(forms) == 1 else _NOT_PLAIN
        if len(chunk) <= _LONGEST:
            _make_room(self._plain, LEARNT)
            self._plain[chunk] = term
        return term


class ReadText:
    """A text as the terms of its stretches: of plain words in their order, "" for the others, which stand apart."""

    __slots__ = ("_others", "_starts", "_text", "terms")

    def __init__(self, text: str, forms: ChunkTerms) -> None:
        chunks = text.split()
        lengths = list(map(len, chunks))
        if sum(lengths) + len(lengths) - 1 == len(text):  # one space between any two stretches, as in most texts
            starts = accumulate([length + 1 for length in lengths], initial=0)
            self._starts = array("Q", starts)
        else:
            self._starts = array("Q", [stretch.start() for stretch in _stretches(text)])
        self._text = text
        self.terms = forms.terms(chunks)
        self._others = [(at, forms.parts(chunks[at])) for at, term in enumerate(self.terms) if not term]

    def places(self, wanted: Set[str], *, with_positions: bool) -> list[tuple[str, Place]]:
        """The wanted terms, those of plain words first; positions are 0 unless they are asked for."""
        terms = self.terms
        at = [index for index, term in enumerate(terms) if term in wanted]
        others = [other for other in self._others if not wanted.isdisjoint(other[1].places)]
        positions = self._positions() if with_positions and (at or others) else None
        found: list[tuple[str, Place]] = []
        for index in at:
            start, end = self._span(index)
            found.append((terms[index], (positions[index] if positions else 0, start, end)))
        for index, (_, places) in others:
            start = self._starts[index]
            position = positions[index] if positions else 0
            for term in wanted & places.keys():
                found += [(term, (position + p, start + first, start + end)) for p, first, end in places[term]]
        return found

    def beginning(self, prefix: str) -> list[tuple[int, int]]:
        """Start and end of the terms that begin with ``prefix``."""
        found = [self._span(index) for index, term in enumerate(self.terms) if term.startswith(prefix)]
        for index, (_, places) in self._others:
            for word in places:
                if word.startswith(prefix):
                    start = self._starts[index]
                    found += [(start + first, start + end) for _, first, end in places[word]]
        return found

    def _span(self, index: int) -> tuple[int, int]:
        """Where the word of a plain stretch stands."""
        start = self._starts[index]
        word = _one_word(self._text, start)
        assert word is not None
        return word.span(1)

    def _positions(self) -> list[int]:
        """How many positions come before each stretch."""
        counts = [1] * len(self.terms)
        for index, parts in self._others:
            counts[index] = parts.positions
        return list(accumulate(counts, initial=0))


@lru_cache(maxsize=64)
def terms_of_language(analyzer: Analyzer) -> ChunkTerms:
    """The stems of stretches in one language."""
    return ChunkTerms(analyzer.forms)


@lru_cache(maxsize=1)
def folded_words() -> ChunkTerms:
    """The folded words of stretches."""
    return ChunkTerms(lambda text, _kind: (fold(text),))


@lru_cache(maxsize=1)
def written_words() -> ChunkTerms:
    """The words of stretches as they are written."""
    return ChunkTerms(lambda text, kind: tuple(written_forms(text, kind)))


def _make_room(learnt: dict[str, str] | dict[str, Parts], most: int) -> None:
    """Forget the older half when there are too many."""
    if len(learnt) >= most:
        for chunk in list(islice(learnt, most // 2)):
            learnt.pop(chunk, None)
