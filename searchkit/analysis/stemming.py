"""Languages and their Snowball stemmers (https://snowballstem.org), by language code."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol, cast

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


_ENGLISH_CHANGED = ("i", "e", "y", "bl")
"""What the stems end in that Snowball's English algorithm writes otherwise than the words: fly, hoping, skies, ability
have the stems fli, hope, sky, abl."""


def beginning_of_forms(stem: str, language: str) -> str:
    """What the words with this stem begin with, but for a few as short as ``dying``: all of it, or one letter less.

    See https://snowballstem.org/algorithms/english/stemmer.html. Stems of one or two letters are given as they are.
    """
    if language == "en" and not stem.endswith(_ENGLISH_CHANGED):
        return stem
    return stem[: max(2, len(stem) - 1)]


def primary_language(code: str) -> str:
    """The language of a code like ``pt-BR`` or ``zh_tw``: its first part, in lower case."""
    return code.replace("_", "-").split("-")[0].lower()


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
