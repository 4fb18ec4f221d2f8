"""From matches to the page: order, hits with snippets, facets, timeline. The only place that reads stored articles."""

from dataclasses import dataclass

from searchkit.analysis import analyzer_for
from searchkit.article import Article
from searchkit.page.cursor import decode_cursor, encode_cursor
from searchkit.page.facets import count_labels, count_years
from searchkit.page.model import FacetName, FacetValue, Hit, Interval, Page, Sort
from searchkit.page.snippets import build_snippets, find_matches, merge_marks
from searchkit.page.timeline import build_timeline
from searchkit.plan.execute import Matches, execute
from searchkit.plan.generation import Generation
from searchkit.plan.highlights import Highlight, highlights
from searchkit.plan.ranking import count_up_to, rank_key, ranked
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


def build_page(reading: Reading, request: PageRequest, generation: Generation, default_language: str) -> Page:
    """The page that answers ``reading``. Raises CursorError and, for a timeline too fine, RequestError."""
    search = f"{request.sort} {reading.receipt.canonical}"
    after = decode_cursor(request.cursor, search) if request.cursor else None
    matches = execute(reading.node, generation)
    order = ranked(matches, generation, request.sort)
    first = count_up_to(after, matches, generation, request.sort) if after else 0
    shown = order[first : first + request.limit]
    marked = highlights(reading.node, generation.analyzers)
    hits = tuple(
        _hit(
            generation.article(int(matches.docnums[index])),
            float(matches.scores[index]),
            marked,
            request.snippets,
            default_language,
        )
        for index in shown
    )
    next_cursor = None
    if len(shown) and first + len(shown) < len(order):
        next_cursor = encode_cursor(rank_key(int(shown[-1]), matches, generation, request.sort, hits[-1].id), search)
    published = generation.published[matches.docnums]
    return Page(
        total=len(order),
        hits=hits,
        facets={name: count_facet(name, matches, generation) for name in request.facets},
        timeline=build_timeline(published, generation.calendar, request.timeline) if request.timeline else (),
        receipt=reading.receipt,
        next_cursor=next_cursor,
    )


def count_facet(name: FacetName, matches: Matches, generation: Generation) -> tuple[FacetValue, ...]:
    """The values of one facet over all matches."""
    if name == "year":
        return count_years(generation.published[matches.docnums], generation.calendar)
    return count_labels(generation.labels(_LABEL_FIELDS[name]), matches.docnums, limit=FACET_LIMIT)


def _hit(
    article: Article, score: float, marked: tuple[Highlight, ...], with_snippets: bool, default_language: str
) -> Hit:
    analyzer = analyzer_for(article.language or default_language)
    in_text = tuple(highlight for highlight in marked if not highlight.title_only)
    text = article.body if article.body.strip() else article.summary
    return Hit(
        id=article.id,
        title=article.title,
        published=article.published,
        topics=article.topics,
        authors=article.authors,
        kind=article.kind,
        url=article.url,
        score=score,
        snippets=build_snippets(text, find_matches(text, in_text, analyzer)) if with_snippets else (),
        title_marks=merge_marks(find_matches(article.title, marked, analyzer)),
    )
