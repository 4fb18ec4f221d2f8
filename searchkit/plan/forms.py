"""What a typed word means in the index: terms, and how they must stand.

A typed word may be one word, several held together by connectors (`COVID-19`), a name with symbols (`C++`) or a run
of a script without spaces (`東京`). `word_forms` turns it into alternatives, each a sequence of slots that must
follow one another. With several languages in the archive a slot has the stems of each. Words that a slash or comma
holds together (`his/her`) also match apart.
"""

from functools import lru_cache
from typing import NamedTuple
from unicodedata import normalize

from searchkit.analysis import Analyzer, Kind, Token, accented, fold, tokenize
from searchkit.query.joined_words import is_initialism, words_apart

_KEPT = 1024
"""Words and phrases whose forms are kept: a search asks for those of each more than once."""

Slot = tuple[str, ...]
"""Terms of which one must stand at a position."""

Alternative = tuple[Slot, ...]
"""One way to match: these slots, at positions that follow one another."""


class Forms(NamedTuple):
    """The alternatives of a word or phrase, or the ``prefix`` its terms begin with; without either nothing matches.

    All of the words ``apart``, wherever they stand, match as well.
    """

    alternatives: tuple[Alternative, ...] = ()
    prefix: str | None = None
    apart: tuple[str, ...] = ()


class ExactAlternative(NamedTuple):
    """One way to match words as they are written: slots of stems, and beside each the term of the exact field."""

    slots: Alternative
    words: tuple[str, ...]


@lru_cache(maxsize=_KEPT)
def word_forms(text: str, analyzers: tuple[Analyzer, ...]) -> Forms:
    """What one typed word stands for."""
    tokens = list(tokenize(text))
    if len(tokens) == 1 and tokens[0].kind is Kind.LAST:
        return Forms(prefix=fold(tokens[0].text))  # every pair that begins with it, and itself at the end of a run
    symbol = next((token for token in tokens if token.kind is Kind.SYMBOL), None)
    if symbol is not None and symbol.end - symbol.start == len(text.strip()):
        return Forms(((_slot(symbol, analyzers),),))
    spelled_out = phrase_forms(text, analyzers)
    apart = words_apart(text)
    if apart:
        spelled_out = Forms(spelled_out.alternatives, apart=apart)
    whole = next((token for token in tokens if token.kind is Kind.JOINED), None)
    if whole is None or whole.end < tokens[-1].end or is_initialism(text):
        return spelled_out
    joined = _slot(whole, analyzers)
    parts = {term for slots in spelled_out.alternatives for slot in slots for term in slot}
    if not parts.isdisjoint(joined):  # anti-E joined has the stem of anti, which is anything but anti-E
        return spelled_out
    return Forms(((joined,), *spelled_out.alternatives), apart=apart)


def in_capitals(text: str, analyzers: tuple[Analyzer, ...]) -> ExactAlternative:
    """The spelling of an initialism without points: the stem it has, and the word with its capitals."""
    letters = normalize("NFKC", "".join(char for char in text if char.isalpha())).upper()
    token = Token(letters, 0, 0, len(letters), Kind.WORD)
    return ExactAlternative((_slot(token, analyzers),), (letters,))


@lru_cache(maxsize=_KEPT)
def phrase_forms(text: str, analyzers: tuple[Analyzer, ...]) -> Forms:
    """What a phrase stands for: its words, one after the other."""
    slots = []
    before = None
    for token in tokenize(text):
        if token.kind in (Kind.WORD, Kind.PAIR) or (token.kind is Kind.LAST and not _ends_pair(before, token)):
            slots.append(_slot(token, analyzers))
            before = token
    kept = tuple(slot for slot in slots if slot)
    return Forms((kept,) if kept else ())


def prefix_forms(text: str, analyzers: tuple[Analyzer, ...]) -> Forms:
    """What a typed beginning of words stands for: in scripts without spaces what stands anywhere, else a prefix.

    The prefix is one of the exact field, folded, its parts joined: COVID-1 begins COVID-19, which also is COVID19.
    """
    tokens = list(tokenize(text))
    if any(token.kind in (Kind.PAIR, Kind.LAST) for token in tokens):
        return word_forms(text, analyzers)
    if tokens and not text[-1].isalnum() and tokens[-1].kind is not Kind.SYMBOL and len(tokens) > 1:
        return phrase_forms(text, analyzers)  # 10.1016/ is whole words, wherever they stand
    return Forms(prefix=word_key(text))


def exact_forms(text: str, analyzers: tuple[Analyzer, ...]) -> tuple[ExactAlternative, ...]:
    """What words stand for that are wanted as they are written."""
    tokens = list(tokenize(text))
    symbol = next((token for token in tokens if token.kind is Kind.SYMBOL), None)
    if symbol is not None and symbol.end - symbol.start == len(text.strip()):
        return (_exact([symbol], analyzers),)
    spelled_out = []
    before = None
    for token in tokens:
        if token.kind in (Kind.WORD, Kind.PAIR) or (token.kind is Kind.LAST and not _ends_pair(before, token)):
            spelled_out.append(token)
            before = token
    found = [_exact(spelled_out, analyzers)]
    whole = next((token for token in tokens if token.kind is Kind.JOINED), None)
    if whole is not None and whole.end >= tokens[-1].end and whole.start <= tokens[0].start:
        found.insert(0, _exact([whole], analyzers))
    return tuple(alternative for alternative in found if alternative.words)


def word_key(text: str) -> str:
    """A typed word, or the beginning of one, as the exact fields have it: folded, its parts joined, symbols kept."""
    tokens = list(tokenize(text))
    for kind in (Kind.SYMBOL, Kind.JOINED, Kind.WORD):
        found = [token for token in tokens if token.kind is kind]
        if found and (kind is not Kind.WORD or len(tokens) == 1):
            return fold(found[0].text)
    return fold(text.strip())


def _exact(tokens: list[Token], analyzers: tuple[Analyzer, ...]) -> ExactAlternative:
    slots, words = [], []
    for token in tokens:
        slot = _slot(token, analyzers)
        if slot:
            slots.append(slot)
            words.append((token.kind in (Kind.WORD, Kind.JOINED) and accented(token.text)) or fold(token.text))
    return ExactAlternative(tuple(slots), tuple(words))


def _ends_pair(before: Token | None, token: Token) -> bool:
    """Whether the last character of a run is part of the pair before it, which says all that it says."""
    return before is not None and before.kind is Kind.PAIR and before.end == token.end


def _slot(token: Token, analyzers: tuple[Analyzer, ...]) -> Slot:
    terms = (term for analyzer in analyzers for term in analyzer.forms(token.text, token.kind))
    return tuple(dict.fromkeys(term for term in terms if term))
