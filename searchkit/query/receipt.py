"""The receipt: a structured account of what a query was read as.

It says which words are required, optional and excluded, which filters and dates apply, and what was ignored
and why, as data for programs and as one plain sentence for people.
"""

import re
from dataclasses import asdict, dataclass
from typing import Any

_APPROXIMATE = re.compile(r"\w[*?]|^(?:title:)?\*|~\d$|^author:")

TOO_MUCH = "left out: a query has at most"
"""How the reason of a remark on what is beyond the reader's limits begins; such a remark is always shown."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something in the query that was corrected, cut or ignored: ``text`` as typed, where it begins, and why.

    ``position`` is -1 for something that does not stand in the query's text, such as a filter given beside
    it. ``instead`` is what may have been meant, to be put in the place of ``text``.
    """

    text: str
    position: int
    reason: str
    instead: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A reason that one or more remarks give, with the ``texts`` for which they give it."""

    texts: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Filter:
    """A restriction to articles with a label, or ``excluded`` ones without: field "topic", value "News"."""

    field: str
    value: str
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a ``word`` of the query, in canonical form, stands for: its ``forms`` in this archive, most frequent first.

    ``more`` is how many forms there are besides. A synonym was not typed, but stands for something that was.
    """

    word: str
    forms: tuple[str, ...]
    more: int = 0
    is_synonym: bool = False

    @property
    def is_telling(self) -> bool:
        """Whether it says what a reader cannot see in the query: a synonym, or what an approximate word found."""
        return self.is_synonym or (bool(self.forms) and _APPROXIMATE.search(self.word) is not None)

    @property
    def sentence(self) -> str:
        """What it says, in words."""
        if self.is_synonym:
            return f"also {self.word}, a synonym"
        names = ", ".join(self.forms)
        return f"{self.word} is {names}" + (f" and {self.more:,} more" if self.more else "")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the query ``text`` was read as.

    Words and phrases are as typed, phrases in quotation marks. ``since`` and ``until`` are the first and last
    day of the dates asked for, both inclusive, as 2017-08-23 (with a time where one was given), or None where
    that side is open. ``canonical`` is the query in its plainest spelling: reading it gives the same tree.
    """

    text: str
    sentence: str
    canonical: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    since: str | None = None
    until: str | None = None
    remarks: tuple[Remark, ...] = ()
    meanings: tuple[Meaning, ...] = ()

    @property
    def notes(self) -> tuple[Note, ...]:
        """The remarks as they are shown: each reason once, in the order in which it first came up."""
        texts: dict[str, dict[str, None]] = {}
        for remark in self.remarks:
            texts.setdefault(remark.reason, {}).update({remark.text: None} if remark.text else {})
        return tuple(Note(tuple(found), reason) for reason, found in texts.items())

    def to_dict(self) -> dict[str, Any]:
        """The receipt as JSON-able data."""
        return asdict(self)
