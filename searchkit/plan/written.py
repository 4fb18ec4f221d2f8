"""Words as they are written: where the stems of a phrase stand in a row, which articles have the very words there.

The exact fields say which words an article has, but not where; the fields of stems say where stems stand. An article
without any other form of the stems of a phrase needs no more looking at; of the others the text is read.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

from searchkit.analysis import Analyzer, Kind, accented, fold, tokenize
from searchkit.article import Article
from searchkit.patterns import late_pattern
from searchkit.plan.expansion import Vocabulary
from searchkit.plan.forms import ExactAlternative
from searchkit.plan.kernels import Docnums

MOST_READ = 4_000
"""Articles read for one exact phrase, in a tenth of a second; a quarter as many where words may stand between."""

MOST_READ_FOR_CAPITALS = 30_000
"""Articles looked through for one word in capitals, which takes less than half a second."""

_ASCII_CHAIN = late_pattern(r"[a-z0-9]+(?:(?:['\-./&_@+:]|(?<=\d),(?=\d{3}(?!\d)))[a-z0-9]+)*")
_ASCII_WORD = late_pattern(r"[a-z0-9]+")


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
    """Those of the ascending ``docnums``, in which the stems stand in a row, in which these very words do.

    Where too many articles would have to be read, all of them are taken, and of a word in capitals none.
    """
    docnums, doubtful = with_words(docnums, alternative, field, generation)
    if is_too_much(doubtful, alternative, slop):
        return docnums[:0] if alternative.words[0].isupper() else docnums
    is_wrong = np.zeros(len(docnums), dtype=np.bool_)
    in_capitals = [word.encode() for word in alternative.words if word.isupper() and word.isascii()]
    for index in doubtful.tolist():
        docnum = int(docnums[index])
        if in_capitals and not all(word in generation.stored_line(docnum) for word in in_capitals):
            is_wrong[index] = True
            continue
        texts = _texts(generation.article(docnum), field)
        seen = _at_a_glance(texts, alternative.words, slop)
        is_wrong[index] = not (has_written(texts, alternative.words, slop) if seen is None else seen)
    return docnums[~is_wrong]


def with_words(
    docnums: Docnums, alternative: ExactAlternative, field: str, generation: Archive
) -> tuple[Docnums, npt.NDArray[np.int64]]:
    """Those of the docnums that have all the words, and the places among these of those that have other forms, too."""
    vocabulary = generation.vocabulary(f"{field}_exact")
    for word in dict.fromkeys(alternative.words):
        if len(docnums):
            docnums = docnums[np.isin(docnums, vocabulary.docnums((exact_term(word),)), assume_unique=True)]
    is_single = len(alternative.words) == 1 and not alternative.words[0].isupper()
    if is_single or len(docnums) == 0:
        return docnums, np.empty(0, dtype=np.int64)
    others: set[str] = set()
    for slot, word in zip(alternative.slots, alternative.words, strict=True):
        for analyzer in generation.analyzers:
            found = vocabulary.spellings_of(frozenset(slot), analyzer)
            others.update(other for other in found if other != word and (fold(other) != word or word.isupper()))
    return docnums, np.flatnonzero(np.isin(docnums, vocabulary.docnums(others), assume_unique=True))


def is_too_much(doubtful: npt.NDArray[np.int64], alternative: ExactAlternative, slop: int) -> bool:
    """Whether reading so many articles would take too long."""
    if alternative.words[0].isupper():
        return len(doubtful) > MOST_READ_FOR_CAPITALS
    return len(doubtful) > (MOST_READ // 4 if slop else MOST_READ)


def has_written(texts: Iterable[str], words: tuple[str, ...], slop: int) -> bool:
    """Whether the words stand one after the other, up to ``slop`` others between neighbours, in one of the texts."""
    return any(_has_written(text, words, slop) for text in texts)


def _at_a_glance(texts: Iterable[str], words: tuple[str, ...], slop: int) -> bool | None:
    """As `has_written`, where that can be seen without reading a text token by token, else None."""
    if not all(word.isascii() and word.isalnum() for word in words):
        return None
    if len(words) == 1 and words[0].isupper():
        look: Callable[[str], bool | None] = partial(_has_capitals, words[0])
    elif not all(word.islower() for word in words):
        return None
    else:
        look = partial(_has_near, words, slop) if slop else partial(_has_in_a_row, words)
    seen = [look(text) if text.isascii() else None for text in texts]
    return True if True in seen else None if None in seen else False


def _has_capitals(word: str, text: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9]){word}(?![A-Za-z0-9])", text) is not None


def _has_in_a_row(words: tuple[str, ...], text: str) -> bool | None:
    """Words in a row have nothing but signs between them; words with spaces alone around them are in a row."""
    lowered = text.lower()
    if any(one in other or other in one for one, other in pairwise(words)):
        return None  # the-in is thein too, at both of its places
    if "".join(words) not in lowered.translate(_WITHOUT_SIGNS):
        return False
    return True if f" {' '.join(words)} " in f" {' '.join(lowered.split())} " else None


def _has_near(words: tuple[str, ...], slop: int, text: str) -> bool | None:
    """Where each word stands is counted in chains of words; one that is a wanted word when joined needs more care."""
    places: dict[str, list[int]] = {word: [] for word in words}
    position = 0
    for chain in _ASCII_CHAIN.findall(text.lower()):
        if chain.isalnum():
            if chain in places:
                places[chain].append(position)
            position += 1
            continue
        parts = _ASCII_WORD.findall(chain.removesuffix("'s"))
        if "".join(parts) in places:
            return None
        for part in parts:
            if part in places:
                places[part].append(position)
            position += 1
    return _in_order({word: set(found) for word, found in places.items()}, words, slop)


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
    return _in_order(places, words, slop)


def _in_order(places: Mapping[str, set[int]], words: tuple[str, ...], slop: int) -> bool:
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
