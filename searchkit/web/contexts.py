"""What each template is given: one frozen record a template, its fields the template's variables.

A site that puts its own template in place of one of ours finds here everything it can use. All text is
unescaped (the templates escape it) except `Markup` fields, which are HTML already. Addresses are ready to put
into ``href``.
"""

from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from searchkit.query.receipt import Meaning, Note


@dataclass(frozen=True, slots=True)
class SearchForm:
    """The search box: ``query``, ``since`` and ``until`` as last given, filters as ``hidden`` fields.

    ``suggest`` is the address that gives suggestions as JSON, ``script`` that of the script that asks there.
    """

    action: str
    suggest: str
    script: str
    query: str = ""
    since: str = ""
    until: str = ""
    hidden: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """What is around every page (base.html).

    ``site`` is the title given to `create_app`, ``heading`` the title of this page. ``canonical`` is the
    address that search engines should keep for it; a page that is not ``indexable`` asks them not to keep it
    at all.
    """

    site: str
    heading: str
    language: str
    front: str
    form: SearchForm
    stylesheets: tuple[str, ...]
    canonical: str | None = None
    indexable: bool = False


@dataclass(frozen=True, slots=True)
class LabelLink:
    """A topic, kind, author or year with its number of articles, and the search that clicking on it runs.

    When ``is_on`` the filter is on and clicking takes it off. ``exclude`` leads to the articles without it,
    where that can be asked for. ``href`` is None for what cannot be searched for.
    """

    value: str
    href: str | None
    count: int | None = None
    is_on: bool = False
    exclude: str | None = None


@dataclass(frozen=True, slots=True)
class FacetGroup:
    """The values of one facet: those shown at once, the ``rest`` on demand, the number of ``hidden`` ones."""

    name: str
    heading: str
    shown: tuple[LabelLink, ...]
    rest: tuple[LabelLink, ...] = ()
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on, in words, and the search without it."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several orders: its name and the search in that order; ``is_on`` for the present one."""

    text: str
    href: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the timeline: where it is drawn, in the chart's units, what it says, what it narrows to.

    ``tick`` is what the scale below says here, mostly nothing. ``href`` is None where there is no article.
    """

    x: float
    y: float
    width: float
    height: float
    slot: float
    label: str
    count: int
    href: str | None
    tick: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """The timeline as bars in a box of ``width`` by ``height`` units, each bar in a slot ``slot_width`` wide.

    ``summary`` says the same in a sentence; ``undated`` articles are in none of the bars.
    """

    bars: tuple[Bar, ...]
    width: float
    height: float
    slot_width: float
    summary: str
    undated: int


@dataclass(frozen=True, slots=True)
class HitView:
    """A hit: ``title`` and ``snippets`` are HTML with the matching words marked.

    ``href`` is the page to open, ``original`` the article's own address where it has a linkable one, and
    ``more_passages`` how many passages of the article match beside the snippets.
    """

    href: str
    title: Markup
    published: date | None
    day: str
    topics: tuple[LabelLink, ...]
    authors: tuple[LabelLink, ...]
    kind: LabelLink | None
    original: str | None
    snippets: tuple[Markup, ...]
    more_passages: int


@dataclass(frozen=True, slots=True)
class SuggestionLink:
    """Another query worth running: its text, why, how many articles it finds (None: not counted)."""

    query: str
    reason: str
    count: int | None
    href: str


@dataclass(frozen=True, slots=True)
class FrontContext:
    """front.html: the page without a search, with the newest articles, all topics and the timeline."""

    frame: Frame
    article_count: int
    years: str
    latest: tuple[HitView, ...]
    all_href: str
    topics: tuple[LabelLink, ...]
    kinds: tuple[LabelLink, ...]
    chart: Chart | None


@dataclass(frozen=True, slots=True)
class ResultsContext:
    """results.html: a page of hits with what was understood, facets, timeline and ways on.

    ``left_out`` is how many matches the order "fresh" does not list; ``best_href`` leads to all, best first.
    ``first`` and ``last`` number the hits on this page; ``first_href`` leads back to the beginning and
    ``next_href`` to the hits that follow, each None where there is no such place. ``clear_href`` searches for
    the same words without filters. ``api_href`` is this page as JSON.
    """

    frame: Frame
    total: int
    first: int
    last: int
    left_out: int
    best_href: str
    sentence: str
    meanings: tuple[Meaning, ...]
    notes: tuple[Note, ...]
    chips: tuple[Chip, ...]
    clear_href: str | None
    sorts: tuple[Choice, ...]
    hits: tuple[HitView, ...]
    facets: tuple[FacetGroup, ...]
    chart: Chart | None
    suggestions: tuple[SuggestionLink, ...]
    first_href: str | None
    next_href: str | None
    api_href: str
    took_ms: float


@dataclass(frozen=True, slots=True)
class ArticleContext:
    """article.html: one article. ``paragraphs`` is its body, ``extra`` what else its source had, as text.

    ``url`` is the address of the original as the source gave it, ``original`` the same where it can be linked to.
    ``related`` are the articles closest to it.
    """

    frame: Frame
    title: str
    summary: str
    paragraphs: tuple[str, ...]
    language: str | None
    published: date | None
    day: str
    updated: date | None
    updated_day: str
    topics: tuple[LabelLink, ...]
    authors: tuple[LabelLink, ...]
    kind: LabelLink | None
    original: str | None
    url: str | None
    related: tuple[HitView, ...]
    extra: tuple[tuple[str, str], ...]
    article_id: str
    api_href: str


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """error.html: a request that failed. ``retry`` leads to what may go better, ``retry_text`` says where."""

    frame: Frame
    status: int
    message: str
    retry: str
    retry_text: str
