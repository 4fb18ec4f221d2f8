"""Where in a text words with a given beginning may stand, found without reading the text word by word.

A text becomes bytes, one a character: its folded letter or digit, or what the character does between words. Then
`bytes.find` finds beginnings of words at the same places as in the text, at gigabytes a second. `Letters` finds every
stretch between white space in which a token begins so, and some others: whoever asks analyses these stretches and no
others. Joined words are found in the text without connectors: `e-mail` begins as `email` does. Pairs of characters are
found in the text itself. A character that folds to several letters, to none, or to one that has no byte makes its
stretch one to be analysed for any beginning.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cache
from typing import AnyStr, NamedTuple

import numpy as np
import numpy.typing as npt

from searchkit.analysis.characters import encode
from searchkit.analysis.folding import fold
from searchkit.analysis.words import CONNECTORS, is_word_char
from searchkit.patterns import late_pattern

_ODD = b"\0"
"""A character of a word that has no byte of its own."""

_OTHER = b"!"
_LINK = b"-"
_SPACE = b" "
_UNKNOWN = b"\xff"
"""Not classified yet: the table is filled as characters are met."""

_GREEK = range(0x3B1, 0x3CA)
_CYRILLIC = range(0x430, 0x460)
_BEYOND = 0xFFFF
"""Stands for all characters above it."""

_AS_WORDS = bytes.maketrans(_LINK + _OTHER, _SPACE * 2)

_plain_pairs = late_pattern(r"[\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]+")
"""Characters indexed in pairs that fold to themselves, whatever stands beside them."""

_stretches = re.compile(r"\S+").finditer

Span = tuple[int, int]
"""Start and end of a stretch, in characters."""


class Beginnings(NamedTuple):
    """What to look for: bytes of letters, and pairs of characters as they are."""

    letters: tuple[bytes, ...] = ()
    pairs: tuple[str, ...] = ()


def beginnings_of(words: Iterable[str]) -> Beginnings | None:
    """What to look for to find the tokens that begin, folded, with one of the words; None if there is no telling.

    A symbol or a point inside, as in c++ and 3.5, ends a beginning; the point before .net is no part of it. Of a word
    with an odd character nothing needs to be looked for.
    """
    letters: set[bytes] = set()
    pairs: set[str] = set()
    for word in words:
        if word in ("", "."):
            return None
        if _plain_pairs.fullmatch(word):
            pairs.add(word)
        else:
            coded = b"".join(map(_byte_of, word.removeprefix(".")))
            beginning = coded.translate(_AS_WORDS).split(_SPACE)[0]
            if beginning and _ODD not in coded:
                letters.add(beginning)
    fewest: list[bytes] = []
    for beginning in sorted(letters):
        if not fewest or not beginning.startswith(fewest[-1]):
            fewest.append(beginning)
    return Beginnings(tuple(fewest), tuple(sorted(pairs)))


class Letters:
    """A text as bytes of letters."""

    __slots__ = ("_joined", "_shape", "_words", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._shape = _shape(text)
        self._words = _SPACE + self._shape.translate(_AS_WORDS)
        self._joined = self._shape.translate(None, _LINK)

    def stretches(self, beginnings: Beginnings | None) -> list[Span]:
        """The stretches in which a token begins with one of the beginnings, and others; with None, all."""
        if beginnings is None:
            return [stretch.span() for stretch in _stretches(self.text)]
        places: list[int] = []
        for beginning in beginnings.letters:
            count = self._joined.count(beginning)
            if count:
                here = _all_places(self._words, _SPACE + beginning)
                places += here
                if count > len(here) and count > self._words.count(beginning):
                    places += self._across(beginning)
        for pair in beginnings.pairs:
            places += _all_places(self.text, pair)
        if _ODD in self._shape:
            places += _all_places(self._shape, _ODD)
        return self._around(sorted(places))

    def _across(self, beginning: bytes) -> Iterator[int]:
        """Where it stands with connectors inside.

        A stretch has it at least as often without its connectors as with them. So as long as the whole text does not
        have it more often, no stretch has it only without.
        """
        kept_before = [place - number for number, place in enumerate(_all_places(self._shape, _LINK))]
        for place in _all_places(self._joined, beginning):
            yield place + bisect_right(kept_before, place)

    def _around(self, places: list[int]) -> list[Span]:
        shape = self._shape
        found = []
        end = -1
        for place in places:
            if place >= end:
                end = shape.find(_SPACE, place)
                if end < 0:
                    end = len(shape)
                found.append((shape.rfind(_SPACE, 0, place) + 1, end))
        return found


def _all_places(where: AnyStr, what: AnyStr) -> list[int]:
    places = []
    place = where.find(what)
    while place >= 0:
        places.append(place)
        place = where.find(what, place + 1)
    return places


def _shape(text: str) -> bytes:
    """The text as one byte a character."""
    try:
        return text.encode("latin-1").translate(_latin())
    except UnicodeEncodeError:
        codes = encode(text)
    if codes.dtype == np.uint32:
        codes = np.minimum(codes, _BEYOND)
    table = _table()
    shape = table.take(codes).tobytes()
    if _UNKNOWN in shape:
        for code in set(codes[table.take(codes) == _UNKNOWN[0]].tolist()):
            table[code] = _byte_of(chr(code))[0]
        shape = table.take(codes).tobytes()
    return shape


@cache
def _latin() -> bytes:
    return b"".join([_byte_of(chr(code)) for code in range(256)])


@cache
def _table() -> npt.NDArray[np.uint8]:
    table = np.full(_BEYOND + 1, _UNKNOWN[0], np.uint8)
    table[_BEYOND] = _ODD[0]
    return table


def _byte_of(char: str) -> bytes:
    if char.isspace():
        return _SPACE
    if not is_word_char(char):
        return _LINK if char in CONNECTORS or char == "," else _OTHER
    if _plain_pairs.fullmatch(char):
        return _OTHER
    letter = fold(char)
    if len(letter) != 1:
        return _ODD
    if letter.isascii():
        return letter.encode()
    if ord(letter) in _GREEK:
        return bytes([0x80 + ord(letter) - _GREEK.start])
    if ord(letter) in _CYRILLIC:
        return bytes([0xA0 + ord(letter) - _CYRILLIC.start])
    return _ODD
