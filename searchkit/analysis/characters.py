"""What each character of a batch of text means to `tokenize`, as arrays: one class byte beside each character.

A batch is held in the narrowest code units that give every character one unit, because fewer bytes are faster:
Latin-1 (which ASCII is part of), then UTF-16 without surrogate pairs, then UTF-32.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from searchkit.analysis.words import CONNECTORS, SYMBOLS_AFTER, is_paired, is_word_char

Classes = npt.NDArray[np.uint8]
Codes = npt.NDArray[np.unsignedinteger]

WORD = 1
PAIRED = 2
"""A word character of a script that is indexed in pairs."""
DIGIT = 4
LINK = 8
"""Holds two words together when it stands alone between them. What is not part of words and matters is >= LINK."""
COMMA = 16
DOT = 32
SYMBOL = 64
_UNKNOWN = 128
"""Not classified yet: the table is filled as characters are met."""


def encode(text: str) -> Codes:
    """The characters of ``text``, one array element each: uint8, uint16 or uint32, read-only."""
    try:
        return np.frombuffer(text.encode("latin-1"), np.uint8)
    except UnicodeEncodeError:
        units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), "<u2")
    if len(units) == len(text):
        return units
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def classify(codes: Codes) -> Classes:
    """The class of each character, a new array."""
    table = _table()
    classes = table.take(codes)
    if len(classes) and int(classes.max()) >= _UNKNOWN:
        for code in np.unique(codes[classes >= _UNKNOWN]).tolist():
            table[code] = _class_of(chr(code))
        classes = table.take(codes)
    return classes


def lower_ascii(codes: Codes) -> Codes:
    """The characters with A to Z made a to z, a new array; all other characters stay as they are.

    No analysis tells the two apart: folding and stemming see words in lower case only.
    """
    is_upper = (codes - codes.dtype.type(ord("A"))) < 26  # wraps round below A, so one comparison is enough
    return codes + is_upper.view(np.uint8) * codes.dtype.type(ord("a") - ord("A"))


@cache
def _table() -> Classes:
    return np.full(0x110000, _UNKNOWN, np.uint8)


def _class_of(char: str) -> int:
    if is_word_char(char):
        return WORD | (PAIRED if is_paired(char) else 0) | (DIGIT if char.isdecimal() else 0)
    return (
        (LINK if char in CONNECTORS else 0)
        | (COMMA if char == "," else 0)
        | (DOT if char == "." else 0)
        | (SYMBOL if char in SYMBOLS_AFTER else 0)
    )
