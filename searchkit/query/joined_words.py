"""Words that are typed without a space between them, but are words of their own: ``his/her``, ``heparin,warfarin``.

A hyphen, a point or an apostrophe makes one name of its parts, and so do signs between numbers and single letters:
``COVID-19``, ``10.1016/j.chest``, ``O'Brien``, ``24/7``, ``km/h``, ``R&D``. The parts of a name are looked for side by
side. All else are words for which the sign stands in the place of a space.
"""

from functools import lru_cache

from searchkit.patterns import late_pattern

MOST_WORDS = 12
"""Longer chains are lists and paths, which are found as they stand."""

# Between digits a comma is part of the number.
_SIGNS = late_pattern(r"(?:(?<!\d)[,;…—―]|[,;…—―](?!\d)|\.{2,})[,;…—―.]*")
_JOINTS = late_pattern(r"(?<=[\w+#])(?:[/\\⁄∕／–‒−]|[&+](?=\w))(?=[\w.])")
_SYMBOL_NAME = late_pattern(r"[^\W\d_]\w*[+#]{1,3}|\.[^\W\d_]+")
_INITIALISM = late_pattern(r"(?:[^\W\d_]\.){2,}|(?:[^\W\d_]\.)+[^\W\d_]")
_IN_NAMES = frozenset(".:_@·*?=~#%$")


@lru_cache(maxsize=1024)
def words_apart(text: str) -> tuple[str, ...]:
    """The two or more words that a text without spaces stands for, or () where it is one word or name."""
    if text.isalnum():
        return ()
    words = tuple(word for piece in _SIGNS.split(text) for word in _between_joints(piece))
    return words if 1 < len(words) <= MOST_WORDS else ()


def is_initialism(text: str) -> bool:
    """Whether the word is letters with points, as U.S., whose other spelling is in capitals: US, but not us."""
    return "." in text and _INITIALISM.fullmatch(text.strip()) is not None


def _between_joints(piece: str) -> list[str]:
    parts = _JOINTS.split(piece)
    if len(parts) > 1 and all(map(_is_word, parts)):
        return parts
    return [piece] if any(map(str.isalnum, piece)) else []


def _is_word(part: str) -> bool:
    """Whether it begins with a letter and has more than that one, or is a name with a symbol such as C++."""
    if _SYMBOL_NAME.fullmatch(part):
        return True
    return part[0].isalpha() and sum(map(str.isalnum, part)) > 1 and _IN_NAMES.isdisjoint(part)
