"""From matches to the page: order, hits with snippets, facets, timeline. The only place that reads stored articles."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple

from searchkit.analysis import analyzer_for
from searchkit.page.cursor import decode_cursor, encode_cursor
from searchkit.page.facets import count_labels, count_years
from searchkit.page.model import Bucket, FacetName, FacetValue, Hit, Interval, Page, Snippet, Sort
from searchkit.page.snippets import Marker, build_snippets, count_more, merge_marks
from searchkit.page.timeline import build_timeline
from searchkit.plan.execute import Matches, execute
from searchkit.plan.freshness import relevant
from searchkit.plan.generation import Generation
from searchkit.plan.highlights import Highlight, highlights
from searchkit.plan.instants import instants_of
from searchkit.plan.nearness import with_nearness
from searchkit.plan.ranking import Ranked, after, rank_key, ranked
from searchkit.query import Reading
from searchkit.query.nodes import Node

FACET_LIMIT = 250
"""Values shown of one facet; an archive can have a hundred thousand authors, which no page lists."""

KEPT_HITS = 10
"""Hits that are kept of a search, about 2 kB each: its first page is asked for again when readers come back to it."""

_LABEL_FIELDS: dict[FacetName, str] = {"topics": "topic", "kind": "kind", "authors": "author"}


class PageRequest(NamedTuple):
    """What is wanted of the matches: their order, how many hits from where on, and which counts."""

    sort: Sort = "best"
    limit: int = 10
    cursor: str | None = None
    facets: tuple[FacetName, ...] = ()
    timeline: Interval | None = None
    snippets: bool = True


def build_page(
    reading: Reading,
    request: PageRequest,
    generation: Generation,
    *,
    siblings: Mapping[FacetName, Node] | None = None,
) -> Page:
    """The page that answers ``reading``. Raises CursorError and, for a timeline too fine, RequestError.

    ``siblings`` has the node that a facet is counted over where that is not the node of the reading.
    """
    search = f"{request.sort} {reading.receipt.canonical}"
    cursor = decode_cursor(request.cursor, search) if request.cursor else None
    matches, left_out = _listed(reading.node, request, generation)
    total = len(matches.docnums)
    left = after(cursor, matches, generation, request.sort) if cursor else matches
    offset = total - len(left.docnums)
    shown = ranked(left, generation, request.sort, request.limit)
    markers = generation.noted(
        ("markers", reading.node),
        lambda: _Markers(highlights(reading.node, generation.analyzers, generation.expand)),
    )
    maker = _HitMaker(markers, request.snippets, generation)
    hits = tuple([maker.hit(match) for match in shown])
    next_cursor = None
    if shown and offset + len(shown) < total:
        next_cursor = encode_cursor(rank_key(shown[-1], generation, request.sort, hits[-1].id), search)
    counting = request if request.sort == "fresh" else request._replace(limit=0)  # which needs no scores
    counted = {name: _listed(node, counting, generation)[0] for name, node in (siblings or {}).items()}
    return Page(
        total=total,
        hits=hits,
        facets={name: count_facet(name, counted.get(name, matches), generation) for name in request.facets},
        timeline=_timeline(matches, request, generation),
        receipt=reading.receipt,
        offset=offset,
        next_cursor=next_cursor,
        left_out=left_out,
    )


def build_hits(found: Iterable[Ranked], generation: Generation) -> tuple[Hit, ...]:
    """Hits without marks for articles found otherwise than by a query, with the beginning of each as its snippet."""
    maker = _HitMaker(_Markers(()), True, generation)
    return tuple([maker.hit(match) for match in found])


def _listed(node: Node, request: PageRequest, generation: Generation) -> tuple[Matches, int]:
    """The matches that the order asked for lists, and how many it leaves out."""
    if request.sort == "fresh":
        return relevant(node, execute(node, generation), generation)
    scored = request.sort == "best" and request.limit > 0
    matches = execute(node, generation, scored=scored)
    return (with_nearness(node, matches, generation) if scored and generation.nearness else matches), 0


def _timeline(matches: Matches, request: PageRequest, generation: Generation) -> tuple[Bucket, ...]:
    if request.timeline is None:
        return ()
    return build_timeline(instants_of(matches.docnums, generation), generation.calendar, request.timeline)


def count_facet(name: FacetName, matches: Matches, generation: Generation) -> tuple[FacetValue, ...]:
    """The values of one facet over all matches."""
    if name == "year":
        return count_years(instants_of(matches.docnums, generation), generation.calendar)
    return count_labels(generation.labels(_LABEL_FIELDS[name]), matches.docnums, limit=FACET_LIMIT)


class _Markers:
    """What marks titles, and what marks all other text, by language of the article; safe to share between threads."""

    def __init__(self, marked: tuple[Highlight, ...]) -> None:
        self._marked = marked
        self._found: dict[str, tuple[Marker, Marker]] = {}
        self._hits: dict[Ranked, Hit] = {}

    def of(self, language: str) -> tuple[Marker, Marker]:
        """The marker of titles, and that of all other text."""
        found = self._found.get(language)
        if found is None:
            analyzer = analyzer_for(language)
            elsewhere = tuple(highlight for highlight in self._marked if not highlight.title_only)
            in_text = Marker(elsewhere, analyzer)
            in_title = in_text if len(elsewhere) == len(self._marked) else Marker(self._marked, analyzer)
            found = self._found[language] = in_title, in_text
        return found

    def hit(self, match: Ranked) -> Hit | None:
        """The hit of a match, with its snippets, if it is kept."""
        return self._hits.get(match)

    def keep(self, match: Ranked, hit: Hit) -> None:
        """Keep a hit with its snippets if there are not enough."""
        if len(self._hits) < KEPT_HITS:
            self._hits[match] = hit


class _HitMaker:
    """Makes the hits of one page."""

    def __init__(self, markers: _Markers, with_snippets: bool, generation: Generation) -> None:
        self._markers = markers
        self._with_snippets = with_snippets
        self._generation = generation

    def hit(self, match: Ranked) -> Hit:
        """The hit of one match."""
        found = self._markers.hit(match)
        if found is None:
            found = self._made(match)
            if self._with_snippets:
                self._markers.keep(match, found)
        elif not self._with_snippets:
            found = replace(found, snippets=(), more_passages=0)
        return found

    def _made(self, match: Ranked) -> Hit:
        """The hit straight from the stored fields: an article in the index has been checked."""
        stored = self._generation.stored(match.docnum)
        title, published = stored["title"], stored["published"]
        in_title, in_text = self._markers.of(stored["language"] or self._generation.language)
        snippets, more = self._snippets(stored, in_text) if self._with_snippets else ((), 0)
        return Hit(
            id=stored["id"],
            title=title,
            published=None if published is None else _as_seen(published, self._generation.calendar.zone),
            topics=tuple(stored["topics"]),
            authors=tuple(stored["authors"]),
            kind=stored["kind"],
            url=stored["url"],
            score=match.score,
            snippets=snippets,
            title_marks=merge_marks(in_title.find(title)),
            more_passages=more,
        )

    def _snippets(self, stored: dict[str, Any], marker: Marker) -> tuple[tuple[Snippet, ...], int]:
        """Passages of the body, or of the summary where only that has a match, or there is no body; how many more."""
        for text in (stored["body"], stored["summary"]):
            matches = marker.find(text) if text else []
            if matches:
                snippets = build_snippets(text, matches)
                return snippets, count_more(snippets, matches)
        return build_snippets(stored["body"], ()) or build_snippets(stored["summary"], ()), 0


def _as_seen(published: str, zone: tzinfo) -> date:
    """A moment with an offset in the archive's time zone: the day shown is the day it is counted under."""
    if len(published) == 10:
        return date.fromisoformat(published)
    moment = datetime.fromisoformat(published)
    return moment.astimezone(zone) if moment.tzinfo is not None else moment
