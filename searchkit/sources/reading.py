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


@dataclass(frozen=True, slots=True)
class Repeated:
    """The article found next has the id of an earlier one, which it replaces when both are indexed."""

    place: Place
    article_id: str
    first_place: Place

    def __str__(self) -> str:
        return f"{self.place}: replaces the article {self.article_id!r} of {self.first_place}"


Reading = Found | Skipped | Repeated


def too_large(limit: int) -> str:
    """The reason given for an article that is larger than the setting allows."""
    return f"is larger than {limit:,} bytes; raise the setting max_article_bytes if it really is one article"
