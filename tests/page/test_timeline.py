"""Timelines and years: calendar-true buckets without gaps, equal to counting by hand."""

from collections import Counter
from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.dates import UNDATED, ArchiveCalendar
from searchkit.errors import RequestError
from searchkit.page.facets import count_years
from searchkit.page.timeline import build_timeline
from searchkit.plan.instants import InstantsOfArray

VIENNA = ArchiveCalendar.of("Europe/Vienna")
moments = st.datetimes(datetime(2010, 1, 1), datetime(2025, 12, 31), timezones=st.just(UTC))


def instants(moments: list[datetime | None]) -> np.ndarray:
    """The instants of moments, None being undated."""
    return np.array([VIENNA.instant(moment) for moment in moments], dtype=np.int64)


@given(st.lists(st.none() | moments, max_size=30), st.sampled_from(["year", "month"]))
def test_buckets_count_what_falls_into_them(published: list[datetime | None], interval: str) -> None:
    """Buckets follow each other without gap, cover all dated articles, and count each exactly once."""
    buckets = build_timeline(InstantsOfArray(instants(published)), VIENNA, interval)  # type: ignore[arg-type]
    dated = [bucket for bucket in buckets if bucket.start]
    days = [moment.astimezone(VIENNA.zone).date() for moment in published if moment]

    for bucket in dated:
        assert bucket.count == sum(bucket.start <= day <= bucket.end for day in days)
    for before, after in pairwise(dated):
        assert (after.start - before.end).days == 1
    assert sum(bucket.count for bucket in buckets) == len(published)
    assert not dated or (dated[0].count and dated[-1].count)


@given(st.lists(st.none() | moments, max_size=30))
def test_years_count_the_calendar_years_latest_first(published: list[datetime | None]) -> None:
    """The year facet has every year with an article, in the archive's time zone."""
    expected = Counter(moment.astimezone(VIENNA.zone).year for moment in published if moment)

    counted = [(int(value.value), value.count) for value in count_years(InstantsOfArray(instants(published)), VIENNA)]
    assert counted == sorted(expected.items(), reverse=True)


@pytest.mark.parametrize("interval", ["year", "month", "day"])
@pytest.mark.parametrize("day", [date(1, 1, 3), date(9999, 12, 30)])
def test_the_calendar_has_a_first_and_a_last_day(day: date, interval: str) -> None:
    """An article of the first or last days that there are is counted, however its neighbours are worked out."""
    instant = VIENNA.instant(day)
    (bucket,) = build_timeline(InstantsOfArray(np.array([instant])), VIENNA, interval)  # type: ignore[arg-type]
    assert (bucket.start <= day <= bucket.end, bucket.count) == (True, 1)


@pytest.mark.parametrize(
    ("last", "first_end"),
    [
        (date(2018, 1, 1), date(2018, 1, 1)),
        (date(2018, 2, 28), date(2018, 1, 1)),
        (date(2018, 4, 1), date(2018, 1, 31)),
        (date(2023, 12, 1), date(2018, 1, 31)),
        (date(2025, 1, 1), date(2018, 12, 31)),
    ],
)
def test_the_interval_fits_the_span(last: date, first_end: date) -> None:
    """Up to two months show days, up to six years months, anything longer years."""
    published = np.array([VIENNA.instant(date(2018, 1, 1)), VIENNA.instant(last)])
    buckets = build_timeline(InstantsOfArray(published), VIENNA)

    assert (buckets[0].start, buckets[0].end) == (date(2018, 1, 1), first_end)


def test_undated_articles_stand_in_a_last_bucket() -> None:
    """Nobody's crawl date makes a peak: what has no date is counted apart."""
    (bucket,) = build_timeline(InstantsOfArray(np.array([UNDATED, UNDATED])), VIENNA)

    assert (bucket.start, bucket.end, bucket.count) == (None, None, 2)


def test_too_many_buckets_are_refused_with_the_way_out() -> None:
    """Two thousand years by day is an error that names the span and what to do."""
    far_apart = InstantsOfArray(np.array([VIENNA.instant(date(1, 1, 2)), VIENNA.instant(date(2020, 1, 1))]))

    with pytest.raises(RequestError, match="narrow the dates"):
        build_timeline(far_apart, VIENNA, "day")
    assert len(build_timeline(far_apart, VIENNA)) == 2020
