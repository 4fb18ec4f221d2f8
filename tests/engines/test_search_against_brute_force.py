"""Searches on randomly drawn archives give what sets and loops over the articles give."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, timezone

import reference
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import searchkit
from searchkit.engines.local import LocalArchive, open_local
from searchkit.settings import Settings

WORDS = ("ash", "Café", "cafe", "bank", "rim", "rum", "zürich", "NAÏVE", "do")
TOPICS = (
    "News",
    "news",
    "RBC, Transfusion",
    "Coagulation & Plasma",
    "Serology/Genotyping",
    "Política",
    "politica",
)
KINDS = ("", "podcast", "Podcast", "question of the day")
AUTHORS = ("A. Smith", "a. smith", "Smith", "Öz, Ada")
ZONES = ("UTC", "Europe/Vienna", "America/New_York")

dates = st.dates(date(2015, 11, 1), date(2018, 3, 1))
moments = st.one_of(
    st.none(),
    dates,
    st.datetimes(datetime(2015, 11, 1), datetime(2018, 3, 1)),
    st.datetimes(datetime(2015, 11, 1), datetime(2018, 3, 1)).map(lambda m: m.replace(tzinfo=UTC)),
    st.datetimes(datetime(2015, 11, 1), datetime(2018, 3, 1)).map(
        lambda m: m.replace(tzinfo=timezone(timedelta(hours=-7)))
    ),
)
texts = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)


@st.composite
def articles(draw: st.DrawFn) -> list[searchkit.Article]:
    """A few articles, some sharing an id."""
    return [
        searchkit.Article(
            id=draw(st.sampled_from("abcdefghijkl")),
            title=draw(texts) or "untitled",
            body=draw(texts),
            summary=draw(texts),
            published=draw(moments),
            topics=draw(st.lists(st.sampled_from(TOPICS), max_size=3)),
            kind=draw(st.sampled_from(KINDS)),
            authors=draw(st.lists(st.sampled_from(AUTHORS), max_size=2)),
        )
        for _ in range(draw(st.integers(0, 12)))
    ]


@contextmanager
def archive_of(batches: list[list[searchkit.Article]], zone: str, deleted: list[str]) -> Iterator[LocalArchive]:
    """An archive to which the batches were added in turn and from which then some articles were deleted."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_local(folder + "/index", create=True, settings=Settings(time_zone=zone)) as archive,
    ):
        for batch in batches:
            archive.add(batch)
        archive.delete(deleted)
        yield archive


def living(batches: list[list[searchkit.Article]], deleted: list[str]) -> list[searchkit.Article]:
    """The articles that the archive then holds: the last of each id, without the deleted ones."""
    by_id = {article.id: article for batch in batches for article in batch}
    return [article for article in by_id.values() if article.id not in deleted]


queries = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from(("word", "phrase", "prefix")),
        st.sampled_from(WORDS),
        st.sampled_from(WORDS),
    ),
    max_size=3,
)


def as_text(query: list[tuple[bool, str, str, str]]) -> str:
    """The query as a reader types it."""
    typed = {"word": "{0}", "phrase": '"{0} {1}"', "prefix": "{0:.2}*"}
    return " ".join(("-" if excluded else "") + typed[form].format(a, b) for excluded, form, a, b in query)


def is_match(article: searchkit.Article, query: list[tuple[bool, str, str, str]]) -> bool:
    """Whether the article has all that is asked for and nothing that is excluded."""
    holds = {
        "word": lambda a, _: reference.has_word(article, a),
        "phrase": lambda a, b: reference.has_phrase(article, f"{a} {b}"),
        "prefix": lambda a, _: reference.has_prefix(article, a[:2]),
    }
    return all(holds[form](a, b) is not excluded for excluded, form, a, b in query)


bounds = st.one_of(
    st.none(),
    dates.map(lambda d: (str(d.year), date(d.year, 1, 1), date(d.year, 12, 31))),
    dates.map(
        lambda d: (
            f"{d:%Y-%m}",
            d.replace(day=1),
            (d.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1),
        )
    ),
    dates.map(lambda d: (d.isoformat(), d, d)),
)


@settings(max_examples=100, deadline=None, phases=[Phase.reuse, Phase.generate, Phase.shrink])
@given(
    batches=st.lists(articles(), min_size=1, max_size=3),
    deleted=st.lists(st.sampled_from("abcdefghijkl"), max_size=2),
    zone=st.sampled_from(ZONES),
    query=queries,
    topics=st.lists(st.sampled_from(TOPICS), max_size=2),
    exclude_topics=st.lists(st.sampled_from(TOPICS), max_size=1),
    kinds=st.lists(st.sampled_from(KINDS[1:]), max_size=1),
    authors=st.lists(st.sampled_from(AUTHORS), max_size=1),
    since=bounds,
    until=bounds,
    limit=st.integers(1, 4),
)
def test_pages_agree_with_brute_force(
    batches, deleted, zone, query, topics, exclude_topics, kinds, authors, since, until, limit
) -> None:
    """Totals, orders, facets, timelines and pages by cursor equal those of loops over the articles."""
    if since and until and since[1] > until[2]:
        since, until = until, since
    expected = [
        article
        for article in living(batches, deleted)
        if is_match(article, query)
        and (not topics or reference.is_labelled(article.topics, topics))
        and not reference.is_labelled(article.topics, exclude_topics)
        and (not kinds or reference.is_labelled([article.kind], kinds))
        and (not authors or reference.is_labelled(article.authors, authors))
        and reference.within(article, since and since[1], until and until[2], zone)
    ]
    wanted = {
        "topics": topics,
        "exclude_topics": exclude_topics,
        "kinds": kinds,
        "authors": authors,
        "since": since and since[0],
        "until": until and until[0],
    }
    with archive_of(batches, zone, deleted) as archive:
        page = archive.search(as_text(query), **wanted, limit=100, timeline="month")
        newest = archive.search(as_text(query), **wanted, limit=100, sort="newest")
        oldest = archive.search(as_text(query), **wanted, limit=100, sort="oldest")
        paged = list(walk(archive, as_text(query), wanted, limit))
        counted = archive.count(as_text(query), **wanted)

    assert page.total == counted == len(expected)
    assert {hit.id for hit in page.hits} == {article.id for article in expected}
    assert [hit.score for hit in page.hits] == sorted((hit.score for hit in page.hits), reverse=True)
    assert [hit.id for hit in newest.hits] == [article.id for article in reference.newest_first(expected, zone)]
    assert [hit.id for hit in oldest.hits] == [article.id for article in reference.oldest_first(expected, zone)]
    assert paged == [hit.id for hit in page.hits]
    topic_lists = [article.topics for article in expected]
    assert folded(page.facets["topics"]) == reference.label_counts(topic_lists)
    assert folded(page.facets["kind"]) == reference.label_counts([a.kind] for a in expected if a.kind)
    assert folded(page.facets["authors"]) == reference.label_counts(article.authors for article in expected)
    months = reference.month_counts(expected, zone)
    years = [str(month[0]) for month in months.elements() if month]
    assert {value.value: value.count for value in page.facets["year"]} == {year: years.count(year) for year in years}
    in_buckets = {b.start and (b.start.year, b.start.month): b.count for b in page.timeline if b.count}
    assert in_buckets == months


@settings(max_examples=60, deadline=None, phases=[Phase.reuse, Phase.generate, Phase.shrink])
@given(
    batches=st.lists(articles(), min_size=1, max_size=2),
    deleted=st.lists(st.sampled_from("abcdefghijkl"), max_size=2),
    query=queries,
    topics=st.lists(st.sampled_from(TOPICS), max_size=2),
    exclude_topics=st.lists(st.sampled_from(TOPICS), max_size=1),
    kinds=st.lists(st.sampled_from(KINDS[1:]), max_size=2),
    authors=st.lists(st.sampled_from(AUTHORS), max_size=2),
    since=bounds,
)
def test_disjunctive_facets_agree_with_brute_force(
    batches, deleted, query, topics, exclude_topics, kinds, authors, since
) -> None:
    """Each facet is counted over what all filters but its own leave, and nothing else on the page changes."""
    given_filters = {"topics": topics, "kinds": kinds, "authors": authors, "since": since and since[0]}

    def left(without: str) -> list[searchkit.Article]:
        """What matches when one filter is off."""
        on = {name: value for name, value in given_filters.items() if name != without}
        return [
            article
            for article in living(batches, deleted)
            if is_match(article, query)
            and (not on.get("topics") or reference.is_labelled(article.topics, topics))
            and not reference.is_labelled(article.topics, exclude_topics)
            and (not on.get("kinds") or reference.is_labelled([article.kind], kinds))
            and (not on.get("authors") or reference.is_labelled(article.authors, authors))
            and (not on.get("since") or reference.within(article, since[1], None, "UTC"))
        ]

    with archive_of(batches, "UTC", deleted) as archive:
        wanted = {**given_filters, "exclude_topics": exclude_topics, "timeline": "year", "sort": "newest"}
        page = archive.search(as_text(query), **wanted, disjunctive=True)
        plain = archive.search(as_text(query), **wanted)

    assert folded(page.facets["topics"]) == reference.label_counts(a.topics for a in left("topics"))
    assert folded(page.facets["kind"]) == reference.label_counts([a.kind] for a in left("kinds") if a.kind)
    assert folded(page.facets["authors"]) == reference.label_counts(a.authors for a in left("authors"))
    moments = (reference.local_datetime(a, "UTC") for a in left("since"))
    years = [str(moment.year) for moment in moments if moment]
    assert {value.value: value.count for value in page.facets["year"]} == {year: years.count(year) for year in years}
    assert (page.total, page.hits, page.timeline) == (plain.total, plain.hits, plain.timeline)


def folded(values: tuple[searchkit.FacetValue, ...]) -> dict[str, int]:
    """Facet values by their folded spelling; two that fold to one would show as a wrong count."""
    assert len({reference.plain(value.value) for value in values}) == len(values)
    return {reference.plain(value.value): value.count for value in values}


def walk(archive: LocalArchive, query: str, wanted: dict[str, object], limit: int) -> Iterator[str]:
    """The ids of all hits, a page at a time."""
    cursor = None
    while True:
        page = archive.search(query, **wanted, limit=limit, cursor=cursor)
        yield from (hit.id for hit in page.hits)
        cursor = page.next_cursor
        if cursor is None:
            return
