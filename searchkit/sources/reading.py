"""The records that every reader of sources yields: an article with its place, or what was skipped and why."""

from dataclasses import dataclass

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


Reading = Found | Skipped
