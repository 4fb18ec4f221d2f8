"""From matches to the page: order, hits with snippets, facets, timeline. The only place that reads stored articles."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from searchkit.analysis import Analyzer, analyzer_for
from searchkit.article import Article
from searchkit.page.cursor import decode_cursor, encode_cursor
from searchkit.page.facets import count_labels, count_years
from searchkit.page.model import Bucket, FacetName, FacetValue, Hit, Interval, Page, Snippet, Sort
from searchkit.page.snippets import build_snippets, find_matches, merge_marks
from searchkit.page.timeline import build_timeline
from searchkit.plan.execute import Matches, execute
from searchkit.plan.generation import Generation
from searchkit.plan.highlights import Highlight, highlights
from searchkit.plan.instants import instants_of
from searchkit.plan.ranking import Ranked, after, rank_key, ranked
from searchkit.query import Reading

FACET_LIMIT = 250
"""Values shown of one facet; an archive can have a hundred thousand authors, which no page lists."""

_LABEL_FIELDS: dict[FacetName, str] = {"topics": "topic", "kind": "kind", "authors": "author"}


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What is wanted of the matches: their order, how many hits from where on, and which counts."""

    sort: Sort = "best"
    limit: int = 10
    cursor: str | None = None
    facets: tuple[FacetName, ...] = ()
    timeline: Interval | None = None
    snippets: bool = True


def build_page(reading: Reading, request: PageRequest, generation: Generation) -> Page:
    """The page that answers ``reading``. Raises CursorError and, for a timeline too fine, RequestError."""
    search = f"{request.sort} {reading.receipt.canonical}"
    cursor = decode_cursor(request.cursor, search) if request.cursor else None
    matches = execute(reading.node, generation, scored=request.sort == "best" and request.limit > 0)
    total = len(matches.docnums)
    left = after(cursor, matches, generation, request.sort) if cursor else matches
    offset = total - len(left.docnums)
    shown = ranked(left, generation, request.sort, request.limit)
    marked = highlights(reading.node, generation.analyzers)
    hits = tuple([_hit(match, marked, request.snippets, generation) for match in shown])
    next_cursor = None
    if shown and offset + len(shown) < total:
        next_cursor = encode_cursor(rank_key(shown[-1], generation, request.sort, hits[-1].id), search)
    return Page(
        total=total,
        hits=hits,
        facets={name: count_facet(name, matches, generation) for name in request.facets},
        timeline=_timeline(matches, request, generation),
        receipt=reading.receipt,
        offset=offset,
        next_cursor=next_cursor,
    )


def _timeline(matches: Matches, request: PageRequest, generation: Generation) -> tuple[Bucket, ...]:
    if request.timeline is None:
        return ()
    return build_timeline(instants_of(matches.docnums, generation), generation.calendar, request.timeline)


def count_facet(name: FacetName, matches: Matches, generation: Generation) -> tuple[FacetValue, ...]:
    """The values of one facet over all matches."""
    if name == "year":
        return count_years(instants_of(matches.docnums, generation), generation.calendar)
    return count_labels(generation.labels(_LABEL_FIELDS[name]), matches.docnums, limit=FACET_LIMIT)


def _hit(match: Ranked, marked: tuple[Highlight, ...], with_snippets: bool, generation: Generation) -> Hit:
    article = generation.article(match.docnum)
    analyzer = analyzer_for(article.language or generation.language)
    return Hit(
        id=article.id,
        title=article.title,
        published=_as_seen(article.published, generation.calendar.zone),
        topics=article.topics,
        authors=article.authors,
        kind=article.kind,
        url=article.url,
        score=match.score,
        snippets=_snippets(article, marked, analyzer) if with_snippets else (),
        title_marks=merge_marks(find_matches(article.title, marked, analyzer)),
    )


def _snippets(article: Article, marked: tuple[Highlight, ...], analyzer: Analyzer) -> tuple[Snippet, ...]:
    """Passages of the body, or of the summary where only that has a match, or there is no body."""
    wanted = tuple(highlight for highlight in marked if not highlight.title_only)
    for text in (article.body, article.summary):
        matches = find_matches(text, wanted, analyzer)
        if matches:
            return build_snippets(text, matches)
    return build_snippets(article.body, []) or build_snippets(article.summary, [])


def _as_seen(moment: date | None, zone: tzinfo) -> date | None:
    """A moment with an offset in the archive's time zone: the day shown is the day it is counted under."""
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return moment.astimezone(zone)
    return moment
