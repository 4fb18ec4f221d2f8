"""What each stretch of text between white space stands for, learnt once and kept.

No word reaches across white space, so the tokens of a text are those of its stretches, one after the other. A text is
then cut by `str.split` and looked up by `dict.get`, both in C: finding the words of a query in an article of a thousand
characters takes some 25 microseconds, where reading it token by token took 300.
"""

import re
from collections.abc import Callable, Sequence, Set
from functools import lru_cache
from itertools import accumulate, islice
from typing import NamedTuple

from searchkit.analysis import Analyzer, Kind, fold, tokenize
from searchkit.plan.written import written_forms

Forms = Callable[[str, Kind], tuple[str, ...]]
"""The terms of a token, as `Analyzer.forms` gives them."""

LEARNT = 32_768
"""Stretches that are kept, about 150 bytes each."""

_LONGEST = 64
"""Characters of a stretch that is kept: longer ones are URLs, formulas and scripts without spaces."""

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


class ChunkedText:
    """A text as its stretches without white space."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.chunks = text.split()

    def starts(self, indexes: Sequence[int]) -> Sequence[int]:
        """The characters at which the stretches with these ascending indexes begin."""
        chunks = self.chunks
        if " ".join(chunks) != self.text:
            all_starts = [stretch.start() for stretch in _stretches(self.text)]
            return [all_starts[index] for index in indexes]
        starts = []
        before = start = 0
        for index in indexes:  # one space between any two stretches, as in most texts
            if index > before:
                start += len(" ".join(chunks[before:index])) + 1
                before = index
            starts.append(start)
        return starts

    def places(self, forms: ChunkTerms, wanted: Set[str], *, with_positions: bool) -> list[tuple[str, Place]]:
        """The wanted terms in the order of the text; positions are 0 unless they are asked for."""
        chunks, parts = self.chunks, forms.parts
        terms = forms.terms(chunks)
        at = [index for index, term in enumerate(terms) if not term or term in wanted]
        at = [index for index in at if terms[index] or not wanted.isdisjoint(parts(chunks[index]).places)]
        if not at:
            return []
        positions = list(accumulate(self._counts(forms, terms), initial=0)) if with_positions else None
        found: list[tuple[str, Place]] = []
        for index, start in zip(at, self.starts(at), strict=True):
            term, chunk = terms[index], chunks[index]
            position = positions[index] if positions else 0
            if term:
                first, end = _plain_span(chunk)
                found.append((term, (position, start + first, start + end)))
                continue
            places = parts(chunk).places
            for term in wanted & places.keys():
                found += [(term, (position + p, start + first, start + end)) for p, first, end in places[term]]
        return found

    def beginning(self, prefix: str) -> list[tuple[int, int]]:
        """Start and end of the words that, folded, begin with ``prefix``."""
        forms = folded_words()
        terms = forms.terms(self.chunks)
        at = [index for index, term in enumerate(terms) if not term or term.startswith(prefix)]
        found = []
        for index, start in zip(at, self.starts(at), strict=True):
            if terms[index]:
                first, end = _plain_span(self.chunks[index])
                found.append((start + first, start + end))
                continue
            for word, places in forms.parts(self.chunks[index]).places.items():
                if word.startswith(prefix):
                    found += [(start + first, start + end) for _, first, end in places]
        return found

    def _counts(self, forms: ChunkTerms, terms: Sequence[str]) -> list[int]:
        return [1 if term else forms.parts(chunk).positions for term, chunk in zip(terms, self.chunks, strict=True)]


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
