"""Words as they are written: where the stems of a phrase stand in a row, which articles have the very words there.

The exact fields say which words an article has, but not where; the fields of stems say where stems stand. An article
without any other form of the stems of a phrase needs no more looking at; of the others the text is read.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np

from searchkit.analysis import Analyzer, Kind, accented, fold, tokenize
from searchkit.article import Article
from searchkit.plan.expansion import Vocabulary
from searchkit.plan.forms import ExactAlternative
from searchkit.plan.kernels import Docnums


class Archive(Protocol):
    """What is asked about an opened generation."""

    @property
    def analyzers(self) -> tuple[Analyzer, ...]:
        """The analysis of each language that articles are in."""
        ...

    def vocabulary(self, field: str) -> Vocabulary:
        """The words of an exact field."""
        ...

    def article(self, docnum: int) -> Article:
        """The stored article."""
        ...

    def stored_line(self, docnum: int) -> bytes:
        """The stored article as the bytes it was written as."""
        ...


def as_written(docnums: Docnums, alternative: ExactAlternative, field: str, slop: int, generation: Archive) -> Docnums:
    """Those of the ascending ``docnums``, in which the stems stand in a row, in which these very words do."""
    vocabulary = generation.vocabulary(f"{field}_exact")
    for word in dict.fromkeys(alternative.words):
        if len(docnums):
            docnums = docnums[np.isin(docnums, vocabulary.docnums((exact_term(word),)), assume_unique=True)]
    is_single = len(alternative.words) == 1 and not alternative.words[0].isupper()
    if is_single or len(docnums) == 0:
        return docnums
    others: set[str] = set()
    for slot, word in zip(alternative.slots, alternative.words, strict=True):
        for analyzer in generation.analyzers:
            found = vocabulary.spellings_of(frozenset(slot), analyzer, beginning=fold(word)[:1])
            others.update(other for other in found if other != word and (fold(other) != word or word.isupper()))
    is_doubtful = np.isin(docnums, vocabulary.docnums(others), assume_unique=True)
    in_capitals = [word.encode() for word in alternative.words if word.isupper() and word.isascii()]
    for index in np.flatnonzero(is_doubtful).tolist():
        docnum = int(docnums[index])
        if in_capitals and not all(word in generation.stored_line(docnum) for word in in_capitals):
            continue
        texts = _texts(generation.article(docnum), field)
        seen = _at_a_glance(texts, alternative.words) if slop == 0 else None
        is_doubtful[index] = not (has_written(texts, alternative.words, slop) if seen is None else seen)
    return docnums[~is_doubtful]


def has_written(texts: Iterable[str], words: tuple[str, ...], slop: int) -> bool:
    """Whether the words stand one after the other, up to ``slop`` others between neighbours, in one of the texts."""
    return any(_has_written(text, words, slop) for text in texts)


def _at_a_glance(texts: Iterable[str], words: tuple[str, ...]) -> bool | None:
    """As `has_written` without words between, where that can be seen without reading a text word by word, else None.

    Words that stand in a row have nothing but signs between them, in plain texts; words with spaces alone around them
    are in a row.
    """
    if not all(word.isascii() and word.isalnum() and word.islower() for word in words):
        return None
    together, apart = "".join(words), f" {' '.join(words)} "
    is_open = False
    for text in texts:
        if not text.isascii():
            is_open = True
            continue
        lowered = text.lower()
        if together not in lowered.translate(_WITHOUT_SIGNS):
            continue
        if apart in f" {' '.join(lowered.split())} ":
            return True
        is_open = True
    return None if is_open else False


_WITHOUT_SIGNS = {code: None for code in range(128) if not chr(code).isalnum()}


def _has_written(text: str, words: tuple[str, ...], slop: int) -> bool:
    wanted = set(words)
    if any(word.isupper() and word not in text for word in wanted):
        return False
    places: dict[str, set[int]] = defaultdict(set)
    for token in tokenize(text):
        for word in written_forms(token.text, token.kind):
            if word in wanted:
                places[word].add(token.position)
    reached = places[words[0]]
    for word in words[1:]:
        reached = {at for at in places[word] if any(at - distance in reached for distance in range(1, slop + 2))}
    return bool(reached)


def exact_term(word: str) -> str:
    """The term that articles with a word have in an exact field, where capitals do not count."""
    return word.lower() if word.isupper() else word


def written_forms(text: str, kind: Kind) -> Iterator[str]:
    """What a token is called as it is written: folded, and with its accents, or all in capitals, where it is so."""
    yield fold(text)
    if kind is Kind.WORD and len(text) > 1 and text.isupper():
        yield text
    written = accented(text) if kind in (Kind.WORD, Kind.JOINED) else ""
    if written:
        yield written


def _texts(article: Article, field: str) -> tuple[str, ...]:
    return (article.title,) if field == "title" else (article.title, article.summary, article.body)
