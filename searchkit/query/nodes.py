"""The query tree: what a reader asked for, before anybody knows how an index answers it.

Nodes are small, frozen and comparable. They hold text as it was typed, not terms: which terms a word stands
for depends on the languages of the archive and is decided in `plan/`. `canonical` writes a tree in the query
language, and reading that text gives the same tree again.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

TextField = Literal["title"]
LabelField = Literal["topic", "kind", "author", "language", "id", "url"]


@dataclass(frozen=True, slots=True)
class Word:
    """An article whose text (or title, as ``field`` says) has this word, in any of its inflected forms."""

    text: str
    field: TextField | None = None


@dataclass(frozen=True, slots=True)
class Phrase:
    """These words one after the other; with ``slop`` n, up to n words may stand between each of them."""

    text: str
    field: TextField | None = None
    slop: int = 0


@dataclass(frozen=True, slots=True)
class Prefix:
    """Any word that begins with ``text``."""

    text: str
    field: TextField | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """Any word that fits ``text``, in which a star is any run of letters, also none, and ``?`` one letter."""

    text: str
    field: TextField | None = None


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Any word at most ``edits`` (1 or 2) letters away: one left out, put in, changed, or swapped with the next."""

    text: str
    field: TextField | None = None
    edits: int = 1


@dataclass(frozen=True, slots=True)
class Exact:
    """These words one after the other as they are written here, not in other forms; ``slop`` as in `Phrase`.

    Case never counts. Accents count in words that are written with them.
    """

    text: str
    field: TextField | None = None
    slop: int = 0


@dataclass(frozen=True, slots=True)
class Label:
    """An article with exactly this topic, kind, …, compared without regard to case and accents.

    An author is one in whose name all the words of ``value`` stand, in any order, unless ``is_whole``.
    """

    field: LabelField
    value: str
    is_whole: bool = False

    @property
    def is_name(self) -> bool:
        """Whether the words of the value are looked for in names."""
        return self.field == "author" and not self.is_whole


@dataclass(frozen=True, slots=True)
class Published:
    """Published from ``start`` up to, but not including, ``end``; None leaves that side open.

    Dates mean the start of that day in the archive's time zone. Undated articles never match.
    """

    start: date | None
    end: date | None


@dataclass(frozen=True, slots=True)
class Not:
    """Articles that ``node`` does not match."""

    node: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """Articles that every one of two or more ``nodes`` matches."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Articles that at least one of two or more ``nodes`` matches."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Everything:
    """Every article."""


TextNode = Word | Phrase | Prefix | Pattern | Fuzzy | Exact
Node = TextNode | Label | Published | Not | And | Or | Everything


def all_of(nodes: list[Node]) -> Node:
    """The conjunction of any number of nodes, without nesting and without `Everything` beside others."""
    flat = [part for node in nodes for part in (node.nodes if isinstance(node, And) else (node,))]
    needed = [node for node in flat if not isinstance(node, Everything)]
    if not needed:
        return Everything()
    return needed[0] if len(needed) == 1 else And(tuple(needed))


def any_of(nodes: list[Node]) -> Node:
    """The disjunction of at least one node, without nesting."""
    flat = [part for node in nodes for part in (node.nodes if isinstance(node, Or) else (node,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))
