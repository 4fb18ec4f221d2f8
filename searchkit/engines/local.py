"""The engine of an index in a folder.

It opens the newest generation, notices when a commit has published a newer one, and moves on to it between
searches: one search sees one generation from beginning to end.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from searchkit.article import Article
from searchkit.dates import UNDATED
from searchkit.engines.engine import Bound
from searchkit.errors import IndexExists, RequestError, UnknownArticle
from searchkit.indexing import store
from searchkit.indexing.generations import ArchiveIndex
from searchkit.page.builder import PageRequest, build_hits, build_page
from searchkit.page.facets import count_labels
from searchkit.page.model import (
    FACETS,
    INTERVALS,
    SORTS,
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
from searchkit.page.relaxations import relaxations
from searchkit.plan.execute import execute
from searchkit.plan.generation import Generation
from searchkit.plan.instants import instants_of
from searchkit.plan.meanings import meanings, remarks
from searchkit.plan.numbered import with_numbered_names
from searchkit.plan.synonyms import NO_SYNONYMS, load_synonyms, with_synonyms
from searchkit.query import Reading, read_query, with_filters
from searchkit.settings import Settings, load_settings, with_index

if TYPE_CHECKING:
    from searchkit.page.suggest import Completer

MAX_LIMIT = 10_000
"""Hits on one page; more are fetched page by page with the cursor."""

_READ_BEFORE = 128
_SETTLED_NS = 2_000_000_000


def open_local(location: str, *, create: bool = False, settings: Settings | None = None) -> "LocalArchive":
    """Open the index in the folder ``location``; see `searchkit.open_archive`."""
    folder = Path(location)
    if settings is None:
        settings, chosen = load_settings()
    else:
        defaults = Settings()
        chosen = frozenset(name for name in settings.shaping() if getattr(settings, name) != getattr(defaults, name))
    if create and not store.exists(folder):
        archive = LocalArchive(folder, settings)
    else:
        store.adopt(folder, settings)
        archive = LocalArchive(folder, with_index(settings, chosen, store.made_with(folder), folder))
    archive.open()
    return archive


class LocalArchive:
    """An `Engine` over the index in a folder, safe to share between threads."""

    def __init__(self, folder: Path, settings: Settings, *, now: Callable[[], datetime] | None = None) -> None:
        self.folder = folder
        self.settings = settings
        self._now = now or (lambda: datetime.now(UTC))
        self._made_here = False
        self._synonyms = load_synonyms(Path(settings.synonyms)) if settings.synonyms else NO_SYNONYMS
        self._opened_index: ArchiveIndex | None = None
        self._lock = threading.RLock()
        self._opened: _OpenGeneration | None = None
        self._listed: tuple[tuple[int, int] | None, int] = (None, -1)
        self._completer: Completer | None = None

    def open(self) -> None:
        """Open the newest generation now, so that what is wrong with the index is said now."""
        with self._generation():
            pass

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
        """See `Engine.search`."""
        began = time.perf_counter()
        request = _checked(PageRequest(sort, limit, cursor, tuple(facets), timeline, snippets))
        filters = _Filters.of(topics, exclude_topics, kinds, authors, language, since, until)
        with self._generation() as generation:
            reading = self._read(generation, query, filters)
            others = filters.without_own(request.facets) if disjunctive else {}
            siblings = {name: self._read(generation, query, other).node for name, other in others.items()}
            page = build_page(reading, request, generation, siblings=siblings)
            page = self._with_account(page, reading, generation) if cursor is None else page
            took = round((time.perf_counter() - began) * 1000, 3)
            if not explain:
                return replace(page, took_ms=took)
            from searchkit.page.explain import explain as explain_page  # few searches are explained

            return replace(page, took_ms=took, plan=explain_page(reading.node, request, generation))

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
        """See `Engine.count`."""
        filters = _Filters.of(topics, exclude_topics, kinds, authors, language, since, until)
        with self._generation() as generation:
            reading = self._read(generation, query, filters)
            return len(execute(reading.node, generation, scored=False).docnums)

    def get(self, article_id: str) -> Article:
        """See `Engine.get`."""
        with self._generation() as generation:
            return generation.article(self._docnum(article_id, generation))

    def related(self, article_id: str, *, limit: int = 5) -> tuple[Hit, ...]:
        """See `Engine.related`."""
        from searchkit.page.related import MOST_RELATED, find_related  # a search has no use for it

        if not isinstance(limit, int) or not 0 <= limit <= MOST_RELATED:
            raise RequestError(f"limit={limit!r} must be a number from 0 to {MOST_RELATED} for related articles")
        with self._generation() as generation:
            found = find_related(self._docnum(article_id, generation), generation, limit)
            return build_hits(found, generation)

    def latest(self, *, limit: int = 10, topics: Iterable[str] = ()) -> tuple[Hit, ...]:
        """See `Engine.latest`."""
        return self.search(topics=topics, sort="newest", limit=limit, facets=(), timeline=None).hits

    def topics(self) -> tuple[FacetValue, ...]:
        """See `Engine.topics`."""
        with self._generation() as generation:
            return count_labels(generation.labels("topic"), generation.live)

    def timeline(self, query: str = "", *, interval: Interval = "auto") -> tuple[Bucket, ...]:
        """See `Engine.timeline`."""
        return self.search(query, limit=0, facets=(), timeline=interval).timeline

    def suggest(self, text: str, *, limit: int = 8) -> tuple[Completion, ...]:
        """See `Engine.suggest`."""
        from searchkit.page.suggest import MOST_COMPLETIONS, Completer  # a search has no use for it

        if not isinstance(limit, int) or not 0 <= limit <= MOST_COMPLETIONS:
            raise RequestError(f"limit={limit!r} must be a number from 0 to {MOST_COMPLETIONS} for suggestions")
        with self._generation() as generation:
            completer = self._completer
            if completer is None or completer.generation is not generation:
                completer = self._completer = Completer(generation)
            return completer.complete(text, limit, read=lambda query: self._read(generation, query, _NO_FILTERS).node)

    def stats(self) -> ArchiveStats:
        """See `Engine.stats`."""
        with self._generation() as generation:
            live = generation.live
            instants = instants_of(live, generation)
            is_dated = instants.first != UNDATED
            return ArchiveStats(
                articles=len(live),
                undated=instants.undated,
                first=generation.calendar.day(instants.first) if is_dated else None,
                last=generation.calendar.day(instants.last) if is_dated else None,
                topics=generation.labels("topic").distinct(live),
                authors=generation.labels("author").distinct(live),
                kinds=count_labels(generation.labels("kind"), live),
                languages=tuple(
                    value for value in count_labels(generation.labels("language"), live) if "-" not in value.value
                ),
                segments=generation.segment_count,
                size_bytes=store.size_bytes(self.folder),
                time_zone=self.settings.time_zone,
                location=str(self.folder),
                damage=self._index.damage,
            )

    def verify(self) -> Verification:
        """See `Engine.verify`."""
        from searchkit.indexing.verify import verify_index

        return verify_index(self._index)

    def add(
        self,
        articles: Iterable[Article],
        *,
        on_progress: Callable[[int], None] | None = None,
        workers: int | None = None,
    ) -> AddReport:
        """See `Engine.add`."""
        from searchkit.indexing import writer  # here and below: writing is a third of what a search would import

        try:
            return writer.add_articles(self._index, articles, self.settings, on_progress, workers=workers)
        except BaseException:  # Ctrl-C of a first run must not leave an empty index that looks like an archive
            self._discard_if_never_committed()
            raise

    def delete(self, article_ids: Iterable[str]) -> int:
        """See `Engine.delete`."""
        from searchkit.indexing import writer

        ids = (article_ids,) if isinstance(article_ids, str) else article_ids
        return writer.delete_articles(self._index, ids, self.settings)

    def optimize(self) -> None:
        """Merge the index into one segment, without what was deleted or replaced; the next commit frees the room."""
        from searchkit.indexing import writer

        writer.optimize(self._index, self.settings)

    def close(self) -> None:
        """See `Engine.close`."""
        with self._lock:
            self._retire_opened()
            self._opened_index = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _index(self) -> ArchiveIndex:
        """The index, made where there is none yet."""
        with self._lock:
            if self._opened_index is None:
                if not store.exists(self.folder):
                    self._make()
                self._opened_index = store.open_index(self.folder, self.settings)
            return self._opened_index

    def _make(self) -> None:
        try:
            store.create(self.folder, self.settings)
            self._made_here = True
        except IndexExists:  # somebody else made it meanwhile: it is as good if it is made alike
            chosen = frozenset(self.settings.shaping())
            with_index(self.settings, chosen, store.made_with(self.folder), self.folder)

    def _discard_if_never_committed(self) -> None:
        if self._made_here and self._index.latest_generation() == 0:
            self.close()
            store.discard(self.folder)

    @contextmanager
    def _generation(self) -> Iterator[Generation]:
        """The newest generation, which stays open meanwhile, also when another becomes the newest."""
        with self._lock:
            opened = self._opened
            if opened is None or opened.generation.number != self._newest_number():
                before = opened.generation if opened else None
                opened = _OpenGeneration(Generation(self._index, self.settings, before))
                self._retire_opened()
                self._opened = opened
            opened.enter()
        try:
            yield opened.generation
        finally:
            opened.leave()

    def _retire_opened(self) -> None:
        if self._opened is not None:
            self._opened.retire()
            self._opened = None
            self._completer = None

    def _newest_number(self) -> int:
        """The number of the newest generation, listed again only when something changed in the folder.

        A change within two seconds of another may leave the folder the same time, so until then nothing is relied on.
        """
        try:
            state = os.stat(self.folder)
        except OSError:
            return self._index.latest_generation()
        seen = state.st_ino, state.st_mtime_ns
        if self._listed[0] != seen:
            is_settled = time.time_ns() - state.st_mtime_ns > _SETTLED_NS
            self._listed = seen if is_settled else None, self._index.latest_generation()
        return self._listed[1]

    def _docnum(self, article_id: str, generation: Generation) -> int:
        docnum = generation.docnum(article_id)
        if docnum is None:
            raise UnknownArticle(f"the archive in {self.folder} has no article {article_id!r}; a search shows ids")
        return docnum

    def _read(self, generation: Generation, query: str, filters: "_Filters") -> Reading:
        today: date = self._now().astimezone(generation.calendar.zone).date()
        reading = _read(query, today, generation.calendar.zone, filters)
        meant = with_synonyms(with_numbered_names(reading.node, generation), self._synonyms, generation.analyzers)
        return reading if meant == reading.node else replace(reading, node=meant, without_synonyms=reading.node)

    def _with_account(self, page: Page, reading: Reading, generation: Generation) -> Page:
        """The page with what the words stand for in this archive, and with what to try when it found little."""
        found, meant = generation.noted(
            ("account", reading.typed),
            lambda: (remarks(reading.typed, generation), meanings(reading.typed, generation, self._synonyms)),
        )
        receipt = replace(page.receipt, remarks=page.receipt.remarks + found, meanings=meant)
        return replace(
            page,
            receipt=receipt,
            suggestions=relaxations(reading, page.total + page.left_out, generation, self._synonyms),
        )


@dataclass(frozen=True, slots=True)
class _Filters:
    """What a search is restricted to beside its query."""

    topics: tuple[str, ...]
    exclude_topics: tuple[str, ...]
    kinds: tuple[str, ...]
    authors: tuple[str, ...]
    language: str | None
    since: Bound | None
    until: Bound | None

    @classmethod
    def of(
        cls,
        topics: Iterable[str],
        exclude_topics: Iterable[str],
        kinds: Iterable[str],
        authors: Iterable[str],
        language: str | None,
        since: Bound | None,
        until: Bound | None,
    ) -> Self:
        """The filters as callers give them: a single text or any iterable of them."""
        if language is not None and not isinstance(language, str):
            raise RequestError(f"language={language!r} is not text; write a code like 'en'")
        return cls(
            _values("topics", topics),
            _values("exclude_topics", exclude_topics),
            _values("kinds", kinds),
            _values("authors", authors),
            language,
            _bound("since", since),
            _bound("until", until),
        )

    def applied_to(self, reading: Reading) -> Reading:
        """The reading restricted by the filters."""
        return with_filters(
            reading,
            topics=self.topics,
            exclude_topics=self.exclude_topics,
            kinds=self.kinds,
            authors=self.authors,
            language=self.language,
            since=self.since,
            until=self.until,
        )

    def without_own(self, facets: Iterable[FacetName]) -> dict[FacetName, "_Filters"]:
        """For each of the facets whose own filter is on, the filters without it."""
        without: dict[FacetName, _Filters] = {
            "topics": replace(self, topics=()),
            "kind": replace(self, kinds=()),
            "authors": replace(self, authors=()),
            "year": replace(self, since=None, until=None),
        }
        return {name: without[name] for name in facets if without[name] != self}


_NO_FILTERS = _Filters((), (), (), (), None, None, None)


@lru_cache(maxsize=_READ_BEFORE)
def _read(query: str, today: date, zone: tzinfo, filters: _Filters) -> Reading:
    """A query is asked again in another order, and page by page."""
    return filters.applied_to(read_query(query, today=today, zone=zone))


class _OpenGeneration:
    """A generation that is closed when it has been retired and the last search has left it."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self._searches = 0
        self._is_retired = False
        self._lock = threading.Lock()

    def enter(self) -> None:
        """Keep the generation open until `leave`."""
        with self._lock:
            self._searches += 1

    def leave(self) -> None:
        """Undo `enter`."""
        with self._lock:
            self._searches -= 1
            is_done = self._is_retired and self._searches == 0
        if is_done:
            self.generation.close()

    def retire(self) -> None:
        """Close the generation as soon as no search needs it; nobody may enter any more."""
        with self._lock:
            self._is_retired = True
            is_done = self._searches == 0
        if is_done:
            self.generation.close()


def _values(name: str, values: Iterable[str]) -> tuple[str, ...]:
    """A single text is meant as one value, not as its letters."""
    found = (values,) if isinstance(values, str) else tuple(values)
    for value in found:
        if not isinstance(value, str):
            raise RequestError(f"{name} has {value!r}, which is not text; give the names as they are shown")
    return found


def _bound(name: str, value: Bound | None) -> Bound | None:
    """Raises RequestError for what no bound can be; whether a text is a date is seen when it is read."""
    if value is not None and not isinstance(value, str | int | date):
        raise RequestError(f"{name}: {value!r} is not a date; write it like 2017-08-23, or give a date")
    return value


def _checked(request: PageRequest) -> PageRequest:
    """Raises RequestError for a parameter that no search can have."""
    if request.sort not in SORTS:
        raise RequestError(f"sort={request.sort!r} is not an order; use one of {', '.join(SORTS)}")
    if not isinstance(request.limit, int) or not 0 <= request.limit <= MAX_LIMIT:
        raise RequestError(f"limit={request.limit!r} must be a number from 0 to {MAX_LIMIT:,}; use the cursor for more")
    for name in request.facets:
        if name not in FACETS:
            raise RequestError(f"facets has {name!r}, which is no facet; use {', '.join(FACETS)}")
    if request.timeline is not None and request.timeline not in INTERVALS:
        raise RequestError(f"timeline={request.timeline!r} is not an interval; use {', '.join(INTERVALS)} or None")
    return request
