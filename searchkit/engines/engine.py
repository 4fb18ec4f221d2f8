"""The seam between interfaces and indexes: whoever answers searches looks like this.

The terminal, the session and the web app know only this protocol and the records of `page/model.py`, so a local
folder and a remote cluster are the same to them.
"""

from collections.abc import Callable, Iterable
from datetime import date
from types import TracebackType
from typing import Protocol, Self

from searchkit.article import Article
from searchkit.page.model import (
    FACETS,
    AddReport,
    ArchiveStats,
    Bucket,
    Completion,
    FacetName,
    FacetValue,
    Hit,
    Interval,
    Page,
    Sort,
    Verification,
)

Bound = str | int | date
"""A year, month, day or datetime, as text ("2018", "2018-06", "2018-06-30", "2018-06-30T12:00") or as a date."""


class Engine(Protocol):
    """An archive: a searchable set of articles. Close it when done, or use it in a ``with`` statement.

    ``topics``, ``kinds`` and ``authors`` restrict to articles with any one of the values given (compared without
    regard to case and accents), ``exclude_topics`` to articles with none of them; ``since`` and ``until`` are
    inclusive, so ``until="2018-06"`` includes all of June. A query is whatever a reader typed and never an error;
    an unusable parameter raises RequestError or CursorError.
    """

    def search(
        self,
        query: str = "",
        *,
        topics: Iterable[str] = (),
        exclude_topics: Iterable[str] = (),
        kinds: Iterable[str] = (),
        authors: Iterable[str] = (),
        language: str | None = None,
        since: Bound | None = None,
        until: Bound | None = None,
        sort: Sort = "best",
        limit: int = 10,
        cursor: str | None = None,
        facets: Iterable[FacetName] = FACETS,
        timeline: Interval | None = "auto",
        snippets: bool = True,
        disjunctive: bool = False,
        explain: bool = False,
    ) -> Page:
        """The page for a query: exact total, the hits asked for, facets and timeline over everything that matches.

        An empty query matches every article. ``cursor`` is a page's ``next_cursor``, with the same query and filters.
        The order "fresh" lists the relevant matches only, newest first; ``left_out`` counts the others. With
        ``disjunctive`` a facet is counted as if its own filter (topics, kinds, authors; for years the dates) were
        off, so that the values that could be chosen beside those that are keep their counts. With ``explain`` the
        page has a ``plan``: the steps with their counts and times.
        """
        ...

    def count(
        self,
        query: str = "",
        *,
        topics: Iterable[str] = (),
        exclude_topics: Iterable[str] = (),
        kinds: Iterable[str] = (),
        authors: Iterable[str] = (),
        language: str | None = None,
        since: Bound | None = None,
        until: Bound | None = None,
    ) -> int:
        """How many articles match, exactly."""
        ...

    def get(self, article_id: str) -> Article:
        """The article with this id. Raises UnknownArticle when the archive has none."""
        ...

    def related(self, article_id: str, *, limit: int = 5) -> tuple[Hit, ...]:
        """The articles closest to one by significant words and topics, with the beginning of each as its snippet.

        Never the article itself, nor one with nearly the same text; of about equally close ones the newer first.
        Raises UnknownArticle when the archive has no article with this id.
        """
        ...

    def latest(self, *, limit: int = 10, topics: Iterable[str] = ()) -> tuple[Hit, ...]:
        """The newest articles, newest first, with the beginning of each as its snippet."""
        ...

    def topics(self) -> tuple[FacetValue, ...]:
        """Every topic with its number of articles, commonest first."""
        ...

    def timeline(self, query: str = "", *, interval: Interval = "auto") -> tuple[Bucket, ...]:
        """How many articles that match were published in each year, month or day."""
        ...

    def suggest(self, text: str, *, limit: int = 8) -> tuple[Completion, ...]:
        """What a reader who typed ``text`` may be about to type: words, topics, authors and titles of the archive.

        Each says how many articles searching for its ``query`` finds. Without anything to go on there are none.
        """
        ...

    def stats(self) -> ArchiveStats:
        """The archive in numbers."""
        ...

    def verify(self) -> Verification:
        """Read everything the archive stores, and say what is damaged."""
        ...

    def add(
        self,
        articles: Iterable[Article],
        *,
        on_progress: Callable[[int], None] | None = None,
        workers: int | None = None,
    ) -> AddReport:
        """Add articles in one atomic commit; one with an id already there, or earlier in ``articles``, replaces it.

        ``on_progress`` is called with the number of articles taken so far. When ``articles`` raises, nothing of it is
        added. Many articles are indexed in ``workers`` processes: None for one a core, at most four, and 1 for none
        but this. Raises IndexLocked while another process writes.
        """
        ...

    def delete(self, article_ids: Iterable[str]) -> int:
        """Remove articles in one atomic commit and say how many there were. Unknown ids are no error."""
        ...

    def close(self) -> None:
        """Release the files."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
