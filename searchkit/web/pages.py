"""From what the engine answers to what the templates show: from `page/model.py` to `contexts.py`."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from markupsafe import Markup

from searchkit.article import Article
from searchkit.page.model import ArchiveStats, Bucket, FacetName, FacetValue, Hit, Page, Snippet, Sort
from searchkit.web.chart import draw_chart
from searchkit.web.contexts import (
    ArticleContext,
    Chip,
    Choice,
    ErrorContext,
    FacetGroup,
    Frame,
    FrontContext,
    HitView,
    LabelLink,
    ResultsContext,
    SearchForm,
    SuggestionLink,
)
from searchkit.web.failures import Failure
from searchkit.web.links import Links, safe_href
from searchkit.web.marks import mark_html
from searchkit.web.state import (
    LabelName,
    SearchState,
    at_cursor,
    at_start,
    drop_label,
    fold_label,
    has_label,
    state_fields,
    toggle_label,
    with_dates,
    with_query,
    with_sort,
    without_filters,
    without_language,
)
from searchkit.web.wording import bound_text, count_text, day_text

_LABEL_FACETS: dict[FacetName, LabelName] = {"topics": "topics", "kind": "kinds", "authors": "authors"}
"""The facets a reader can choose several values of, with the filter each one sets."""

_FACET_ORDER: tuple[tuple[FacetName, str], ...] = (
    ("topics", "Topics"),
    ("kind", "Kinds"),
    ("year", "Years"),
    ("authors", "Authors"),
)
_SHOWN = 8
_SENT = 100  # values of one facet on a page; the JSON search sends them all
_SORT_TEXT: tuple[tuple[Sort, str], ...] = (
    ("best", "Best match"),
    ("fresh", "Newest relevant"),
    ("newest", "Newest"),
    ("oldest", "Oldest"),
)
_SENTENCE_ENDS = '.!?…。！？"”’»)'
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")


@dataclass(frozen=True, slots=True)
class Site:
    """What `create_app` was told about the site: see there."""

    title: str
    language: str
    stylesheets: tuple[str, ...]
    link_originals: bool


@dataclass(frozen=True, slots=True)
class PageMaker:
    """Makes the contexts of one request: the site, and the addresses under which it was reached."""

    site: Site
    links: Links

    def front(
        self,
        stats: ArchiveStats,
        latest: Iterable[Hit],
        topics: Iterable[FacetValue],
        timeline: tuple[Bucket, ...],
    ) -> FrontContext:
        """The page of an archive that nothing has been asked of yet."""
        years = sorted({day.year for day in (stats.first, stats.last) if day is not None})
        state = SearchState()
        return FrontContext(
            frame=self._frame(self.site.title, state, canonical=self.links.search(), indexable=True),
            article_count=stats.articles,
            years=" to ".join(map(str, years)),
            latest=tuple(self._hit(hit) for hit in latest),
            all_href=self.links.search(with_sort(state, "newest")),
            topics=self._choices("topics", topics, state),
            kinds=self._choices("kinds", stats.kinds, state),
            chart=draw_chart(timeline, state, self.links),
        )

    def results(self, page: Page, state: SearchState) -> ResultsContext:
        """A page of hits, its facets counted disjunctively."""
        first = state.seen + 1 if page.hits else 0
        last = state.seen + len(page.hits)
        heading = f"{state.query.strip() or 'All articles'}: {count_text(page.total)}"
        unfiltered = without_filters(state)  # a suggested query has the filters in it
        return ResultsContext(
            frame=self._frame(heading, state),
            total=page.total,
            first=first,
            last=last,
            sentence=page.receipt.sentence,
            meanings=tuple(meaning for meaning in page.receipt.meanings if meaning.is_telling),
            notes=page.receipt.notes,
            chips=self._chips(state),
            clear_href=self.links.search(without_filters(state)) if state.is_filtered else None,
            left_out=page.left_out,
            best_href=self.links.search(with_sort(state, "best")),
            sorts=tuple(
                Choice(text, self.links.search(with_sort(state, sort)), sort == state.sort) for sort, text in _SORT_TEXT
            ),
            hits=tuple(self._hit(hit) for hit in page.hits),
            facets=self._facets(page.facets, state),
            chart=draw_chart(page.timeline, state, self.links),
            suggestions=tuple(
                SuggestionLink(s.query, s.reason, s.count, self.links.search(with_query(unfiltered, s.query)))
                for s in page.suggestions
            ),
            first_href=self.links.search(at_start(state)) if state.cursor else None,
            next_href=self._next(state, page, last),
            api_href=self.links.api_search(replace(state, disjunctive=True)),
            took_ms=page.took_ms,
        )

    def article(self, article: Article, related: Iterable[Hit]) -> ArticleContext:
        """The page of one article. Search engines are pointed to the original where there is one."""
        original = safe_href(article.url)
        own = self.links.article(article.id)
        heading = article.title or article.id
        return ArticleContext(
            frame=self._frame(heading, SearchState(), canonical=original or own, indexable=True),
            title=heading,
            summary=article.summary,
            paragraphs=split_paragraphs(article.body),
            language=article.language,
            published=article.published,
            day=day_text(article.published) if article.published else "",
            updated=article.updated,
            updated_day=day_text(article.updated) if article.updated else "",
            topics=self._labels("topics", article.topics),
            authors=self._labels("authors", article.authors),
            kind=self._kind(article.kind),
            original=original,
            url=article.url,
            related=tuple(self._hit(hit) for hit in related),
            extra=tuple((name, _plain_text(value)) for name, value in article.extra.items()),
            article_id=article.id,
            api_href=self.links.api_article(article.id),
        )

    def error(self, failure: Failure, state: SearchState) -> ErrorContext:
        """The page of a failure; from a place in results that is lost it leads back to their beginning."""
        at_place = state.cursor is not None
        return ErrorContext(
            frame=self._frame(_HEADINGS.get(failure.status, "That did not work"), state),
            status=failure.status,
            message=failure.message,
            retry=self.links.search(at_start(state) if at_place else None),
            retry_text="Back to the first results" if at_place else "To the front page",
        )

    def _next(self, state: SearchState, page: Page, last: int) -> str | None:
        if page.next_cursor is None or not page.hits:
            return None
        return self.links.search(at_cursor(state, page.next_cursor, last))

    def _frame(self, heading: str, state: SearchState, canonical: str | None = None, indexable: bool = False) -> Frame:
        form = SearchForm(
            action=self.links.search(),
            suggest=self.links.api_suggest(),
            script=self.links.static("suggest.js"),
            query=state.query,
            since=state.since or "",
            until=state.until or "",
            hidden=tuple(state_fields(state, dates=False)),
        )
        return Frame(
            site=self.site.title,
            heading=heading,
            language=self.site.language,
            front=self.links.search(),
            form=form,
            stylesheets=(self.links.static("searchkit.css"), *self.site.stylesheets),
            canonical=canonical,
            indexable=indexable,
        )

    def _hit(self, hit: Hit) -> HitView:
        original = safe_href(hit.url)
        own = self.links.article(hit.id)
        return HitView(
            href=original if original and self.site.link_originals else own,
            title=mark_html(hit.title, hit.title_marks) if hit.title else mark_html(hit.id),
            published=hit.published,
            day=day_text(hit.published) if hit.published else "",
            topics=self._labels("topics", hit.topics),
            authors=self._labels("authors", hit.authors),
            kind=self._kind(hit.kind),
            original=original,
            snippets=tuple(_passage(snippet) for snippet in hit.snippets),
            more_passages=hit.more_passages,
        )

    def _labels(self, name: LabelName, values: Iterable[str]) -> tuple[LabelLink, ...]:
        """Links from an article to everything else under the same label, whatever was searched for."""
        return tuple(LabelLink(v, self.links.search(toggle_label(SearchState(), name, v))) for v in values)

    def _kind(self, kind: str) -> LabelLink | None:
        return self._labels("kinds", (kind,))[0] if kind else None

    def _choices(self, name: LabelName, values: Iterable[FacetValue], state: SearchState) -> tuple[LabelLink, ...]:
        return tuple(
            LabelLink(
                value=value.value,
                href=self.links.search(toggle_label(state, name, value.value)),
                count=value.count,
                is_on=has_label(state, name, value.value),
                exclude=self._exclusion(name, value.value, state),
            )
            for value in values
            if value.value
        )

    def _exclusion(self, name: LabelName, value: str, state: SearchState) -> str | None:
        """The search without a topic, which makes sense where something else was asked for."""
        if name != "topics" or state == SearchState():
            return None
        return self.links.search(toggle_label(state, "exclude_topics", value))

    def _facets(self, facets: Mapping[str, tuple[FacetValue, ...]], state: SearchState) -> tuple[FacetGroup, ...]:
        groups = []
        for facet, heading in _FACET_ORDER:
            values = facets.get(facet, ())
            if facet == "year":
                choices = self._years(values, state)
            else:
                name = _LABEL_FACETS[facet]
                choices = self._choices(name, _with_chosen(values, getattr(state, name)), state)
            if choices:
                shown = max(_SHOWN, sum(choice.is_on for choice in choices))
                ordered = sorted(choices, key=lambda choice: not choice.is_on)  # stable: what is on comes first
                hidden = max(len(ordered) - _SENT, 0)
                groups.append(FacetGroup(facet, heading, tuple(ordered[:shown]), tuple(ordered[shown:_SENT]), hidden))
        return tuple(groups)

    def _years(self, values: Iterable[FacetValue], state: SearchState) -> tuple[LabelLink, ...]:
        links = []
        for value in values:
            is_year = value.value.isdigit()
            is_on = is_year and state.since == state.until == value.value
            bounds = (None, None) if is_on else (value.value, value.value)
            href = self.links.search(with_dates(state, *bounds)) if is_year else None
            links.append(LabelLink(value.value, href, value.count, is_on))
        return tuple(links)

    def _chips(self, state: SearchState) -> tuple[Chip, ...]:
        chips = []
        words: tuple[tuple[LabelName, str], ...] = (
            ("topics", "Topic"),
            ("exclude_topics", "Not topic"),
            ("kinds", "Kind"),
            ("authors", "Author"),
        )
        for name, word in words:
            for value in getattr(state, name):
                chips.append(Chip(f"{word}: {value}", self.links.search(drop_label(state, name, value))))
        if state.language is not None:
            chips.append(Chip(f"Language: {state.language}", self.links.search(without_language(state))))
        since, until = state.since, state.until
        if since is not None and since == until:
            chips.append(Chip(f"Date: {bound_text(since)}", self.links.search(with_dates(state, None, None))))
        else:
            if since is not None:
                chips.append(Chip(f"From {bound_text(since)}", self.links.search(with_dates(state, None, until))))
            if until is not None:
                chips.append(Chip(f"Until {bound_text(until)}", self.links.search(with_dates(state, since, None))))
        return tuple(chips)


def split_paragraphs(body: str) -> tuple[str, ...]:
    """The paragraphs of a text, which blank lines part; line breaks within one are kept."""
    return tuple(part.strip() for part in _BLANK_LINES.split(body.replace("\r\n", "\n")) if part.strip())


def _passage(snippet: Snippet) -> Markup:
    """A snippet with an ellipsis where it leaves off or begins inside a sentence."""
    text = snippet.text.strip()
    before = "…" if snippet.start and not text[:1].isupper() else ""
    after = "" if not text or text[-1] in _SENTENCE_ENDS else "…"
    return Markup("").join((before, mark_html(snippet.text, snippet.marks), after))


def _with_chosen(values: Iterable[FacetValue], chosen: Iterable[str]) -> list[FacetValue]:
    """The counted values, and those chosen that no article carries, there to be taken off again."""
    counted = list(values)
    known = {fold_label(value.value) for value in counted}
    return counted + [FacetValue(label, 0) for label in chosen if fold_label(label) not in known]


def _plain_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


_HEADINGS = {
    400: "That cannot be searched for",
    404: "Not found",
    503: "The archive is not available",
}
