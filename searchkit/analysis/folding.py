"""Folding: case, accents and spelling variants of a letter become one, so that `cafe` finds `café`.

What is folded is what readers leave out when they type: case (by full Unicode case folding), width and ligatures
(NFKC), the diacritics of Latin, Greek and Cyrillic letters, Hebrew and Arabic vowel points, and letters with a stroke
(`ø`, `ł`) that Unicode does not decompose. What tells words apart stays: Japanese voicing marks, the vowel signs of
Indic and Thai scripts, Cyrillic `й` and `ї`.
"""

import unicodedata
from functools import lru_cache

_STROKED = str.maketrans(
    {
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "ħ": "h",
        "ŧ": "t",
        "ı": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ŀ": "l",
    }
)
_KEPT_WHOLE = "йїў"
_DROPPED = frozenset(
    chr(code)
    for first, last in (
        (0x02BB, 0x02BC),  # apostrophes that count as letters
        (0x0300, 0x036F),  # combining diacritics of Latin, Greek and Cyrillic
        (0x0591, 0x05BD),  # Hebrew points
        (0x05BF, 0x05C7),
        (0x0640, 0x0640),  # Arabic tatweel, which only stretches a word
        (0x064B, 0x065F),  # Arabic vowel points and hamza above and below
        (0x0670, 0x0670),
        (0x00AD, 0x00AD),  # soft hyphen
        (0x200C, 0x200D),  # zero-width joiners
        (0x2060, 0x2060),  # word joiner
        (0xFE00, 0xFE0F),  # variation selectors
        (0xFEFF, 0xFEFF),  # byte order mark
    )
    for code in range(first, last + 1)
)


def lower(word: str) -> str:
    """The word in lower case and compatibility form, its accents kept: what a stemmer expects."""
    if word.isascii():
        return word.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", word).casefold())


def fold(word: str) -> str:
    """The word without case and accents; folding twice changes nothing more."""
    return word.lower() if word.isascii() else _fold(word)


@lru_cache(maxsize=1 << 16)
def _fold(word: str) -> str:
    kept = []
    for char in lower(word):
        if char in _KEPT_WHOLE:
            kept.append(char)
        else:
            kept.extend(part for part in unicodedata.normalize("NFD", char) if part not in _DROPPED)
    return unicodedata.normalize("NFC", "".join(kept)).translate(_STROKED)


def accented(word: str) -> str:
    """The word in lower case with its accents, or "" when it has none that folding takes away."""
    if word.isascii():
        return ""
    written = lower(word)
    return "" if written == fold(word) else written


def fold_label(label: str) -> str:
    """The form in which topics, kinds, authors and languages are compared: folded, with single spaces."""
    return " ".join(fold(label).split())
