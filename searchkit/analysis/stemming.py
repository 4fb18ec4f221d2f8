"""Languages and their Snowball stemmers (https://snowballstem.org), by language code."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol, cast

from searchkit.patterns import late_pattern

STEMMED_LANGUAGES = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "eo": "esperanto",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "st": "sesotho",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
"""Language code (ISO 639-1) to the name of its Snowball algorithm. Other languages are indexed unstemmed."""

_NOTHING = late_pattern(r"(?!)")
_ENDING_PUT_IN = {
    "ca": late_pattern(r"(?<=.)c\Z"),  # from -iques, -quíssim
    "da": _NOTHING,
    "de": _NOTHING,
    # fly, flies; ability (able); hoping (hop, hope); dying, skies
    "en": late_pattern(r"(?<=..)[ei]\Z|(?<=b)le?\Z|(?<=\A.)ie\Z|(?<=\Ask)y\Z"),
    "es": late_pattern(r"(?<=en)te?\Z"),  # from -encia
    "fi": late_pattern(r"(?<=.)[aeiouy]+\Z"),  # a double consonant before them becomes one
    # from -ication, -amment, -emment, -ence, -euse, -aux, -abilité, -yer
    "fr": late_pattern(r"(?<=i)qu\Z|(?<=[ae])nt\Z|(?<=eu)x\Z|(?<=[ab])l\Z|(?<=.)i\Z"),
    "hu": late_pattern(r"(?<=.)[syz]\Z"),  # before them ccs, ggy, lly, ... become cs, gy, ly, ...
    "it": late_pattern(r"(?<=en)te?\Z|(?<=.)e\Z"),  # from -enza, -arlo
    "nb": _NOTHING,
    "nn": _NOTHING,
    "no": _NOTHING,
    "pl": late_pattern(r"(?<=.)l\Z"),
    "pt": late_pattern(r"(?<=en)te?\Z"),  # from -ência
    "ro": late_pattern(r"(?<=is)t\Z"),  # from -ism
    "ru": _NOTHING,
    "sv": _NOTHING,
}
"""What at the end of a folded stem may be put in for other letters, by language.

These are the languages whose algorithms change nothing but the end of words: before what they put in, and without
accents, every word begins as its stem does. They were read from the definitions of Snowball 3.1. Turkish is not among
them: its algorithm may take letters out of the middle.
"""

_UMLAUT = late_pattern(r"[aou]")


class Stemmer(Protocol):
    """What PyStemmer's stemmers offer, and the identity for languages without one."""

    def stemWord(self, word: str) -> str:  # noqa: N802 - PyStemmer's name
        """The stem of a word in lower case."""
        ...

    def stemWords(self, words: Sequence[str]) -> list[str]:  # noqa: N802 - PyStemmer's name
        """The stems of words in lower case."""
        ...


class _Unstemmed:
    def stemWord(self, word: str) -> str:  # noqa: N802
        return word

    def stemWords(self, words: Sequence[str]) -> list[str]:  # noqa: N802
        return list(words)


def primary_language(code: str) -> str:
    """The language of a code like ``pt-BR`` or ``zh_tw``: its first part, in lower case."""
    return code.replace("_", "-").split("-")[0].lower()


def beginnings_kept(stem: str, language: str) -> tuple[str, ...] | None:
    """What the words with a folded stem begin with when they are folded: each with one of these; None if unknown."""
    language = primary_language(language)
    if language not in STEMMED_LANGUAGES or any(char.isdigit() for char in stem):
        return (stem,)  # codes and numbers are not stemmed
    put_in = _ENDING_PUT_IN.get(language)
    if put_in is None:
        return None
    if language == "de":
        return _with_umlaut_spelled_out(stem)
    ending = put_in.search(stem)
    return (stem[: ending.start()] if ending else stem,)


def _with_umlaut_spelled_out(stem: str) -> tuple[str, ...]:
    """The beginnings of German words, whose ae, oe and ue are read as ä, ö and ü: that up to the second such place."""
    places = [place.end() for place in _UMLAUT.finditer(stem)]
    kept = stem[: places[1]] if len(places) > 1 else stem
    return (kept, f"{kept[: places[0]]}e{kept[places[0] :]}") if places and places[0] < len(kept) else (kept,)


@lru_cache(maxsize=64)
def stemmer_for(language: str) -> Stemmer:
    """The stemmer of a language code; one that changes nothing where Snowball has none.

    A stemmer is not meant for several threads at once. It keeps no cache, because analyzers do.
    """
    from Stemmer import Stemmer as SnowballStemmer  # C extension, needed only once text is analysed
    from Stemmer import algorithms

    name = STEMMED_LANGUAGES.get(primary_language(language))
    if name is None or name not in algorithms():
        return _Unstemmed()
    return cast(Stemmer, SnowballStemmer(name, 0))
