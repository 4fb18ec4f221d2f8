"""Text into words: where each one stands, what joined and symbol spellings it also has. No language, no terms.

A *word* is a run of letters, digits and marks of any script. Three further kinds of token stand beside words, so
that names and codes are found however they are spelled:

* **joined**: words held together by a hyphen, full stop, apostrophe, slash, … as one: `COVID-19` is also `COVID19`,
  `U.S.` also `US`, `e-mail` also `email`. A joined token stands at the position of its first and of its last word,
  so that phrases through it hold on both sides.
* **symbol**: `C++`, `C#`, `A+` and `.NET` with their symbols.
* **pair**: scripts written without spaces (Chinese, Japanese, Thai, …) and Korean give overlapping pairs of
  characters, plus the last character alone, each at its own position: any part of the text is then a run of pairs.
"""

import re
import unicodedata
from collections.abc import Iterator
from enum import Enum
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

from searchkit.patterns import late_pattern

MAX_WORD = 64
"""Characters of a word that count; what follows in a longer run is not told apart."""

MAX_JOINED_PARTS = 12
"""Longer chains are URLs and paths, whose joined spelling nobody types."""

CONNECTORS = "'’-‐‑–./&_@+·:"
"""Characters that hold two words together when one of them stands between."""

SYMBOLS_AFTER = ("+", "#")
"""Characters that may be the end of a name, as in C++ and C#."""

_LINK = rf"(?:[{re.escape(CONNECTORS)}]|(?<=\d),(?=\d{{3}}(?!\d)))"
_PAIRED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Myanmar, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Japanese syllables and iteration marks
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"  # Hangul
)
_PAIRED_RUN = late_pattern(f"[{_PAIRED}]+")
_ASCII_CHAIN = re.compile(rf"[A-Za-z0-9]+(?:{_LINK}[A-Za-z0-9]+)*")
_POSSESSIVE = late_pattern(r"['’][sS]$")


class Kind(Enum):
    """What a token is; see the module's description."""

    WORD = 1
    JOINED = 2
    SYMBOL = 3
    PAIR = 4
    LAST = 5
    """The last character of a run of pairs, alone."""


class Token(NamedTuple):
    """A token: its text as written (joined ones without their connectors), position, and place in the text.

    ``start`` and ``end`` count characters. Positions count words from 0; tokens of several kinds share one.
    """

    text: str
    position: int
    start: int
    end: int
    kind: Kind


def tokenize(text: str, position: int = 0) -> Iterator[Token]:
    """The tokens of ``text`` in order of position, the first word at ``position``."""
    is_ascii = text.isascii()
    chain_pattern = _ASCII_CHAIN if is_ascii else _unicode_chain()
    for chain in chain_pattern.finditer(text):
        written = chain[0]
        start, end = chain.span()
        if written.isalnum() and (is_ascii or not _PAIRED_RUN.search(written)):  # nine chains of ten: one plain word
            yield Token(written[:MAX_WORD], position, start, end, Kind.WORD)
            if text[end : end + 1] in SYMBOLS_AFTER or text[start - 1 : start] == ".":
                yield from _symbol_token(text, start, end, position)
            position += 1
            continue
        if not is_ascii and _PAIRED_RUN.search(written):
            for piece_start, piece_end, is_paired in _by_script(written, start):
                split = _pairs if is_paired else chain_tokens
                for token in split(text, piece_start, piece_end, position):
                    yield token
                position = token.position + 1
            continue
        for token in chain_tokens(text, start, end, position):
            yield token
        position = token.position + 1


def chain_tokens(text: str, start: int, end: int, position: int = 0) -> Iterator[Token]:
    """The tokens of one chain of words held together by connectors, from ``start`` to ``end`` of ``text``.

    They depend on the chain alone, and a chain of one word on the two characters before it and the four behind it.
    """
    shown_end = end
    chain, words, joined = _taken_apart(text[start:end])
    end = start + len(chain)
    last = position + len(words) - 1
    if len(words) == 1:
        yield Token(chain[:MAX_WORD], position, start, shown_end, Kind.WORD)
        yield from _symbol_token(text, start, end, position)
        return
    for offset, (word_start, word_end) in enumerate(words):
        here = position + offset
        if joined and offset == len(words) - 1:
            yield Token(joined, here, start, shown_end, Kind.JOINED)
        word_shown_end = start + word_end if here < last else shown_end
        yield Token(chain[word_start:word_end][:MAX_WORD], here, start + word_start, word_shown_end, Kind.WORD)
        if joined and offset == 0:
            yield Token(joined, here, start, shown_end, Kind.JOINED)


def chain_spellings(text: str, start: int, end: int) -> tuple[list[str], str, str]:
    """What `chain_tokens` yields without the places: the words, the joined and the symbol spelling or "" for none."""
    chain, words, joined = _taken_apart(text[start:end])
    if len(words) > 1:
        return [chain[first:last][:MAX_WORD] for first, last in words], joined, ""
    named = _with_symbols(text, start, start + len(chain))
    return [chain[:MAX_WORD]], "", text[slice(*named)][:MAX_WORD] if named else ""


def _taken_apart(chain: str) -> tuple[str, list[tuple[int, int]], str]:
    """A chain without its possessive ending, the places of its words in it, and its joined spelling or ""."""
    if len(chain) > 2 and _POSSESSIVE.search(chain):
        chain = chain[:-2]
    words = [match.span() for match in _word_pattern(chain).finditer(chain)]
    return chain, words, _joined(chain, words) if 1 < len(words) <= MAX_JOINED_PARTS else ""


def _joined(chain: str, words: list[tuple[int, int]]) -> str:
    """The chain without its connectors; a full stop between digits stays, so that 3.5 is not 35."""
    parts = [chain[slice(*words[0])]]
    for (_, end), (start, stop) in pairwise(words):
        if chain[end] == "." and chain[end - 1].isdigit() and chain[start].isdigit():
            parts.append(".")
        parts.append(chain[start:stop])
    return "".join(parts)[:MAX_WORD]


def _symbol_token(text: str, start: int, end: int, position: int) -> Iterator[Token]:
    named = _with_symbols(text, start, end)
    if named is not None:
        yield Token(text[slice(*named)][:MAX_WORD], position, *named, Kind.SYMBOL)


def _with_symbols(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Start and end of a word with the symbols that are part of its name, as in C++, C#, A+ and .NET."""
    after = end
    while after < len(text) and text[after] in SYMBOLS_AFTER and after - end < 3:
        after += 1
    if after > end and (after == len(text) or not text[after].isalnum()):
        return start, after
    is_dotted_name = start > 0 and text[start - 1] == "." and text[start].isalpha()
    if is_dotted_name and (start == 1 or text[start - 2].isspace() or text[start - 2] in "([{\"'“‘/"):
        return start - 1, end
    return None


def _by_script(chain: str, start: int) -> Iterator[tuple[int, int, bool]]:
    """The pieces of a chain by whether their script is written in pairs: start, end, is_paired."""
    done = 0
    for run in _PAIRED_RUN.finditer(chain):
        yield from _worded_piece(chain, done, run.start(), start)
        yield start + run.start(), start + run.end(), True
        done = run.end()
    yield from _worded_piece(chain, done, len(chain), start)


def _worded_piece(chain: str, begin: int, stop: int, start: int) -> Iterator[tuple[int, int, bool]]:
    spans = [match.span() for match in _word_pattern(chain).finditer(chain, begin, stop)]
    if spans:
        yield start + spans[0][0], start + spans[-1][1], False


def _pairs(text: str, start: int, end: int, position: int) -> Iterator[Token]:
    for offset in range(end - start - 1):
        at = start + offset
        yield Token(text[at : at + 2], position + offset, at, at + 2, Kind.PAIR)
    yield Token(text[end - 1], position + end - start - 1, end - 1, end, Kind.LAST)


def is_word_char(char: str) -> bool:
    """Whether the character is part of words: a letter, digit or mark, or invisible inside a word."""
    return (
        char.isalnum() or char in _INVISIBLE or (unicodedata.category(char) in _MARKS and ord(char) in _MARKED_PLANES)
    )


@lru_cache(maxsize=1 << 16)
def is_paired(char: str) -> bool:
    """Whether the character's script is indexed in pairs of characters."""
    return _PAIRED_RUN.fullmatch(char) is not None


def _word_pattern(chain: str) -> re.Pattern[str]:
    return _ASCII_WORD if chain.isascii() else _unicode_word()


_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")


@cache
def _unicode_word() -> re.Pattern[str]:
    return re.compile(f"{_word_char()}+")


@cache
def _unicode_chain() -> re.Pattern[str]:
    word = f"{_word_char()}+"
    return re.compile(rf"{word}(?:{_LINK}{word})*")


_MARKED_PLANES = range(0x300, 0x1F000)
"""Where combining marks of scripts stand; the only later ones are variation selectors, which may separate words."""

_MARKS = ("Mn", "Mc", "Me")
_INVISIBLE = "\u00ad\u200c\u200d\u2060\ufeff"


@cache
def _word_char() -> str:
    """A pattern for one character of a word: alphanumeric, a mark, or an invisible joiner inside a word.

    `re` does not count combining marks as word characters, which would tear Hindi and Thai words apart.
    """
    marks = [code for code in _MARKED_PLANES if unicodedata.category(chr(code)) in _MARKS]
    return f"(?:[^\\W_]|[{_as_ranges(marks)}{_INVISIBLE}])"


def _as_ranges(codes: list[int]) -> str:
    ranges: list[tuple[int, int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)
