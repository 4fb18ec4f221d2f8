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
    for index in np.flatnonzero(is_doubtful).tolist():
        article = generation.article(int(docnums[index]))
        is_doubtful[index] = not has_written(_texts(article, field), alternative.words, slop)
    return docnums[~is_doubtful]


def has_written(texts: Iterable[str], words: tuple[str, ...], slop: int) -> bool:
    """Whether the words stand one after the other, up to ``slop`` others between neighbours, in one of the texts."""
    return any(_has_written(text, words, slop) for text in texts)


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
