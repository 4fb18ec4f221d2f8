"""The records that every reader of sources yields: an article with its place, or what was skipped and why.

JSON Lines can also be taken unread, in blocks of lines, to be read by another process.
"""

from dataclasses import dataclass, field

from searchkit.article import Article


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file, and the line in it where that says more (counted from 1)."""

    path: str
    line: int | None = None

    def __str__(self) -> str:
        return self.path if self.line is None else f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Found:
    """An article and where it stands."""

    article: Article
    place: Place


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that could not be read as an article: where, and the reason in one sentence."""

    place: Place
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Repeated:
    """The article found next has the id of an earlier one, which it replaces when both are indexed."""

    place: Place
    article_id: str
    first_place: Place

    def __str__(self) -> str:
        return f"{self.place}: replaces the article {self.article_id!r} of {self.first_place}"


Reading = Found | Skipped | Repeated


@dataclass(frozen=True, slots=True)
class LineBlock:
    """Lines of a JSON Lines file as they stand there, not read yet; the last one may lack its newline.

    A line that is longer than ``limit`` bytes is no article; so much of it is there that this shows.
    """

    path: str
    first_line: int
    lines: bytes
    limit: int
    line_count: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "line_count", self.lines.count(b"\n") + (not self.lines.endswith(b"\n")))


Unread = LineBlock | Found | Skipped
"""What sources are before their JSON Lines are read."""


@dataclass(frozen=True, slots=True)
class BlockReadings:
    """What reading a block gave, without the articles themselves: their ids and lines, and what was skipped and why."""

    path: str
    ids: list[str]
    lines: list[int | None]
    """One for each id."""
    skipped: list[tuple[int | None, str]]
    """Line and reason."""
    title: str = ""
    """The first title among the articles that have one."""


def too_large(limit: int) -> str:
    """The reason given for an article that is larger than the setting allows."""
    return f"is larger than {limit:,} bytes; raise the setting max_article_bytes if it really is one article"
