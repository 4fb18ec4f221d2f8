"""The archive page: what one search answers with, whichever engine gave the answer.

These are plain frozen records. Marks are offsets into the text beside them, never markup: the terminal and the web
pages render them, each in its own safe way. ``to_dict`` gives exactly what ``--json`` and the HTTP API send.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple

from searchkit.article import iso_moment
from searchkit.query.receipt import Receipt

Sort = Literal["best", "newest", "oldest", "fresh"]
SORTS: tuple[Sort, ...] = ("best", "newest", "oldest", "fresh")

FacetName = Literal["topics", "kind", "authors", "year"]
FACETS: tuple[FacetName, ...] = ("topics", "kind", "authors", "year")

Interval = Literal["auto", "year", "month", "day"]
INTERVALS: tuple[Interval, ...] = ("auto", "year", "month", "day")

Mark = tuple[int, int]
"""Start and end of a marked part, in characters of the text it belongs to."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A passage of an article: ``text`` is the article's own text from character ``start`` on, marks lie within it.

    Without query words to mark it is the beginning of the article and ``marks`` is empty.
    """

    text: str
    marks: tuple[Mark, ...] = ()
    start: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The snippet as JSON-able data."""
        return {"text": self.text, "marks": [list(mark) for mark in self.marks], "start": self.start}


@dataclass(frozen=True, slots=True)
class Hit:
    """One article on a page. ``title_marks`` are offsets into ``title``; ``score`` is 0 where nothing was scored.

    ``more_passages`` is how many passages of the article match beside those that the snippets show.
    """

    id: str
    title: str
    published: date | None
    topics: tuple[str, ...]
    authors: tuple[str, ...]
    kind: str
    url: str | None
    score: float
    snippets: tuple[Snippet, ...] = ()
    title_marks: tuple[Mark, ...] = ()
    more_passages: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The hit as JSON-able data, its date in ISO 8601."""
        return {
            "id": self.id,
            "title": self.title,
            "title_marks": [list(mark) for mark in self.title_marks],
            "published": iso_moment(self.published),
            "topics": list(self.topics),
            "authors": list(self.authors),
            "kind": self.kind,
            "url": self.url,
            "score": self.score,
            "snippets": [snippet.to_dict() for snippet in self.snippets],
            "more_passages": self.more_passages,
        }


class FacetValue(NamedTuple):
    """How many of the matching articles carry this value. A tuple, because a page makes hundreds."""

    value: str
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here

    def to_dict(self) -> dict[str, Any]:
        """The value and its count as JSON-able data."""
        return {"value": self.value, "count": self.count}


class Bucket(NamedTuple):
    """How many matching articles were published from ``start`` to ``end``, both days included.

    The bucket of the undated has neither start nor end and comes last.
    """

    start: date | None
    end: date | None
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here

    def to_dict(self) -> dict[str, Any]:
        """The bucket as JSON-able data, its days in ISO 8601."""
        return {"start": iso_moment(self.start), "end": iso_moment(self.end), "count": self.count}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Another query worth running: its text, why, and how many articles it finds (None where not counted)."""

    query: str
    reason: str
    count: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The suggestion as JSON-able data."""
        return {"query": self.query, "reason": self.reason, "count": self.count}


CompletionKind = Literal["words", "topic", "author", "title"]


@dataclass(frozen=True, slots=True)
class Completion:
    """What a reader may be about to type: ``text`` as it is written, what it is, and how many articles it finds.

    ``query`` is what to search for to find these: the text itself for words, a filter for a topic or an author, and the
    id of the article for a title, which ``article_id`` then is.
    """

    text: str
    kind: CompletionKind
    count: int
    query: str
    article_id: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The completion as JSON-able data."""
        return {
            "text": self.text,
            "kind": self.kind,
            "count": self.count,
            "query": self.query,
            "article_id": self.article_id,
        }


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step of answering a search: what was done, how deep inside others, how many came of it, how long it took.

    ``count`` is of articles where articles are looked for, else of the hits, values or buckets made. The steps inside
    one follow it with a ``depth`` one higher, and their time is part of its ``took_ms``.
    """

    what: str
    depth: int
    count: int
    took_ms: float

    def to_dict(self) -> dict[str, Any]:
        """The step as JSON-able data."""
        return {"what": self.what, "depth": self.depth, "count": self.count, "took_ms": self.took_ms}


@dataclass(frozen=True, slots=True)
class Page:
    """The answer to one search.

    ``total`` counts every matching article, exactly, as do facets and timeline; ``hits`` are the ones asked for.
    ``facets`` holds the values of each facet asked for, commonest first (years latest first). ``offset`` is how many
    hits come before the first of this page; ``next_cursor`` fetches those that follow and is None on the last page.
    ``left_out`` is how many articles match, too, but are not relevant enough for the order ``fresh``; no other number
    counts them. ``took_ms`` is the time the engine spent. ``plan`` says how, where that was asked for.
    """

    total: int
    hits: tuple[Hit, ...]
    facets: dict[str, tuple[FacetValue, ...]]
    timeline: tuple[Bucket, ...]
    receipt: Receipt
    suggestions: tuple[Suggestion, ...] = ()
    offset: int = 0
    next_cursor: str | None = None
    took_ms: float = 0.0
    left_out: int = 0
    plan: tuple[PlanStep, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The page as JSON-able data, exactly what ``--json`` and the HTTP API send. ``plan`` is there if asked for."""
        data = {
            "total": self.total,
            "left_out": self.left_out,
            "hits": [hit.to_dict() for hit in self.hits],
            "facets": {name: [value.to_dict() for value in values] for name, values in self.facets.items()},
            "timeline": [bucket.to_dict() for bucket in self.timeline],
            "receipt": self.receipt.to_dict(),
            "suggestions": [suggestion.to_dict() for suggestion in self.suggestions],
            "offset": self.offset,
            "next_cursor": self.next_cursor,
            "took_ms": self.took_ms,
        }
        return {**data, "plan": [step.to_dict() for step in self.plan]} if self.plan else data


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a file of the index: which file, and what."""

    file: str
    reason: str

    def to_dict(self) -> dict[str, str]:
        """The problem as JSON-able data."""
        return {"file": self.file, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Verification:
    """What reading every file of the index found. ``articles`` and ``files`` are how many were looked at."""

    articles: int
    files: int
    problems: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """The findings as JSON-able data."""
        return {
            "ok": self.ok,
            "articles": self.articles,
            "files": self.files,
            "problems": [problem.to_dict() for problem in self.problems],
        }


@dataclass(frozen=True, slots=True)
class ArchiveStats:
    """The archive in numbers. ``first`` and ``last`` are the days of the oldest and newest dated article."""

    articles: int
    undated: int
    first: date | None
    last: date | None
    topics: int
    authors: int
    kinds: tuple[FacetValue, ...]
    languages: tuple[FacetValue, ...]
    segments: int
    size_bytes: int
    time_zone: str
    location: str
    damage: tuple[Problem, ...] = ()
    """Why the newest generations of the index could not be used; these numbers are then those of an older one."""

    def to_dict(self) -> dict[str, Any]:
        """The numbers as JSON-able data."""
        return {
            "articles": self.articles,
            "undated": self.undated,
            "first": iso_moment(self.first),
            "last": iso_moment(self.last),
            "topics": self.topics,
            "authors": self.authors,
            "kinds": [value.to_dict() for value in self.kinds],
            "languages": [value.to_dict() for value in self.languages],
            "segments": self.segments,
            "size_bytes": self.size_bytes,
            "time_zone": self.time_zone,
            "location": self.location,
            "damage": [problem.to_dict() for problem in self.damage],
        }


@dataclass(frozen=True, slots=True)
class AddReport:
    """What adding articles did.

    ``added`` counts ids that are new, ``replaced`` articles that took the place of one with the same id, in the archive
    or earlier in the same run; together they are the articles taken.
    """

    added: int = 0
    replaced: int = 0

    def to_dict(self) -> dict[str, int]:
        """The counts as JSON-able data."""
        return {"added": self.added, "replaced": self.replaced}
