"""Dates in words: what each expression means on a given day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from searchkit.dates import ArchiveCalendar, Period, utc_datetime
from searchkit.query import named_period, parse_bound, read_query
from searchkit.query.dates import parse_span, shift_months
from searchkit.query.nodes import Published

WEDNESDAY = date(2024, 5, 15)

EXPRESSIONS = [
    # days
    ("today", "2024-05-15", "2024-05-15"),
    ("Today", "2024-05-15", "2024-05-15"),
    ("yesterday", "2024-05-14", "2024-05-14"),
    ("the day before yesterday", "2024-05-13", "2024-05-13"),
    ("tomorrow", "2024-05-16", "2024-05-16"),
    ("wednesday", "2024-05-15", "2024-05-15"),
    ("last wednesday", "2024-05-08", "2024-05-08"),
    ("monday", "2024-05-13", "2024-05-13"),
    ("last fri", "2024-05-10", "2024-05-10"),
    ("3 days ago", "2024-05-12", "2024-05-12"),
    ("two weeks ago", "2024-05-01", "2024-05-01"),
    ("a month ago", "2024-04-15", "2024-04-15"),
    ("10 years ago", "2014-05-15", "2014-05-15"),
    # units of the calendar
    ("this week", "2024-05-13", "2024-05-19"),
    ("last week", "2024-05-06", "2024-05-12"),
    ("previous week", "2024-05-06", "2024-05-12"),
    ("this month", "2024-05-01", "2024-05-31"),
    ("last month", "2024-04-01", "2024-04-30"),
    ("last-month", "2024-04-01", "2024-04-30"),
    ("LAST  MONTH", "2024-04-01", "2024-04-30"),
    ("this quarter", "2024-04-01", "2024-06-30"),
    ("last quarter", "2024-01-01", "2024-03-31"),
    ("this year", "2024-01-01", "2024-12-31"),
    ("last year", "2023-01-01", "2023-12-31"),
    ("last decade", "2010-01-01", "2019-12-31"),
    # so long a time, ending today
    ("last 30 days", "2024-04-16", "2024-05-15"),
    ("past 7 days", "2024-05-09", "2024-05-15"),
    ("past week", "2024-05-09", "2024-05-15"),
    ("past 1 day", "2024-05-15", "2024-05-15"),
    ("past month", "2024-04-16", "2024-05-15"),
    ("past 6 months", "2023-11-16", "2024-05-15"),
    ("past year", "2023-05-16", "2024-05-15"),
    ("past 10 years", "2014-05-16", "2024-05-15"),
    ("the last ten years", "2014-05-16", "2024-05-15"),
    ("past two decades", "2004-05-16", "2024-05-15"),
    # months
    ("june 2018", "2018-06-01", "2018-06-30"),
    ("June-2018", "2018-06-01", "2018-06-30"),
    ("2018 june", "2018-06-01", "2018-06-30"),
    ("jun 2018", "2018-06-01", "2018-06-30"),
    ("Sept. 2018", "2018-09-01", "2018-09-30"),
    ("june of 2018", "2018-06-01", "2018-06-30"),
    ("february 2020", "2020-02-01", "2020-02-29"),
    ("feb 1900", "1900-02-01", "1900-02-28"),
    ("december 2018", "2018-12-01", "2018-12-31"),
    ("may", "2024-05-01", "2024-05-31"),
    ("june", "2023-06-01", "2023-06-30"),
    ("last may", "2023-05-01", "2023-05-31"),
    ("last april", "2024-04-01", "2024-04-30"),
    # seasons
    ("spring 2019", "2019-03-01", "2019-05-31"),
    ("summer 2019", "2019-06-01", "2019-08-31"),
    ("autumn 2019", "2019-09-01", "2019-11-30"),
    ("fall of 2019", "2019-09-01", "2019-11-30"),
    ("winter 2019", "2019-12-01", "2020-02-29"),
    ("winter 2019/20", "2019-12-01", "2020-02-29"),
    ("winter 2018-2019", "2018-12-01", "2019-02-28"),
    ("spring", "2024-03-01", "2024-05-31"),
    ("last spring", "2023-03-01", "2023-05-31"),
    ("winter", "2023-12-01", "2024-02-29"),
    # quarters, halves, weeks, decades
    ("2017-Q3", "2017-07-01", "2017-09-30"),
    ("Q3 2017", "2017-07-01", "2017-09-30"),
    ("2017q4", "2017-10-01", "2017-12-31"),
    ("third quarter of 2017", "2017-07-01", "2017-09-30"),
    ("2017-H2", "2017-07-01", "2017-12-31"),
    ("2017-W34", "2017-08-21", "2017-08-27"),
    ("2020-W53", "2020-12-28", "2021-01-03"),
    ("1990s", "1990-01-01", "1999-12-31"),
    ("the 2010's", "2010-01-01", "2019-12-31"),
    # days by name
    ("23 August 2017", "2017-08-23", "2017-08-23"),
    ("23rd of August 2017", "2017-08-23", "2017-08-23"),
    ("August 23 2017", "2017-08-23", "2017-08-23"),
    ("Aug. 23rd, 2017", "2017-08-23", "2017-08-23"),
    ("Wednesday, 23 August 2017", "2017-08-23", "2017-08-23"),
    ("23-Aug-2017", "2017-08-23", "2017-08-23"),
    ("2017 August 23", "2017-08-23", "2017-08-23"),
    ("23 august", "2023-08-23", "2023-08-23"),
    ("may 15", "2024-05-15", "2024-05-15"),
    ("may 16", "2023-05-16", "2023-05-16"),
    ("29 february", "2024-02-29", "2024-02-29"),
    ("23.8.2017", "2017-08-23", "2017-08-23"),
    ("23/8/2017", "2017-08-23", "2017-08-23"),
    ("8/23/2017", "2017-08-23", "2017-08-23"),
    ("5/5/2017", "2017-05-05", "2017-05-05"),
    # months in other languages
    ("Januar 2018", "2018-01-01", "2018-01-31"),
    ("Jänner 2018", "2018-01-01", "2018-01-31"),
    ("März 2018", "2018-03-01", "2018-03-31"),
    ("im Mai 2018", "2018-05-01", "2018-05-31"),
    ("am 3. Oktober 1990", "1990-10-03", "1990-10-03"),
    ("24. Dezember 2018", "2018-12-24", "2018-12-24"),
    ("Dez 2018", "2018-12-01", "2018-12-31"),
    ("février 2020", "2020-02-01", "2020-02-29"),
    ("fevrier 2020", "2020-02-01", "2020-02-29"),
    ("août 2018", "2018-08-01", "2018-08-31"),
    ("1er mai 1968", "1968-05-01", "1968-05-01"),
    ("le 14 juillet 1989", "1989-07-14", "1989-07-14"),
    ("DÉCEMBRE 2018", "2018-12-01", "2018-12-31"),
    ("enero 2018", "2018-01-01", "2018-01-31"),
    ("23 de agosto de 2017", "2017-08-23", "2017-08-23"),
    ("septiembre de 2017", "2017-09-01", "2017-09-30"),
    ("diciembre", "2023-12-01", "2023-12-31"),
    ("giugno 2018", "2018-06-01", "2018-06-30"),
    ("2 giugno 1946", "1946-06-02", "1946-06-02"),
    ("ottobre 2018", "2018-10-01", "2018-10-31"),
    ("março de 2018", "2018-03-01", "2018-03-31"),
    ("25 de abril de 1974", "1974-04-25", "1974-04-25"),
    ("fevereiro 2019", "2019-02-01", "2019-02-28"),
    ("maart 2018", "2018-03-01", "2018-03-31"),
    ("5 mei 1945", "1945-05-05", "1945-05-05"),
    ("augustus 2018", "2018-08-01", "2018-08-31"),
    # plain forms
    ("2016", "2016-01-01", "2016-12-31"),
    ("2016-02", "2016-02-01", "2016-02-29"),
    ("2016/02/03", "2016-02-03", "2016-02-03"),
    ("20160203", "2016-02-03", "2016-02-03"),
    ("02/2016", "2016-02-01", "2016-02-29"),
    ("12.2016", "2016-12-01", "2016-12-31"),
    ("in 2016", "2016-01-01", "2016-12-31"),
    ("during 2016", "2016-01-01", "2016-12-31"),
    ("during march 2016", "2016-03-01", "2016-03-31"),
    ("in june", "2023-06-01", "2023-06-30"),
    ("2018年", "2018-01-01", "2018-12-31"),
    ("2018年6月", "2018-06-01", "2018-06-30"),
    ("2018年12月3日", "2018-12-03", "2018-12-03"),
    ("2018 年 2 月", "2018-02-01", "2018-02-28"),
]


@pytest.mark.parametrize(("text", "first", "last"), EXPRESSIONS)
def test_expression_names_its_days(text: str, first: str, last: str) -> None:
    """On 15 May 2024 the expression stands for these days."""
    period = parse_bound(text, today=WEDNESDAY)
    assert (period.start.isoformat(), period.last_day.isoformat()) == (first, last)


@pytest.mark.parametrize(
    ("text", "today", "first", "last"),
    [
        ("past month", "2023-03-31", "2023-03-01", "2023-03-31"),
        ("past month", "2024-03-31", "2024-03-01", "2024-03-31"),
        ("1 month ago", "2024-03-31", "2024-02-29", "2024-02-29"),
        ("1 year ago", "2024-02-29", "2023-02-28", "2023-02-28"),
        ("past year", "2024-02-29", "2023-03-01", "2024-02-29"),
        ("4 years ago", "2024-02-29", "2020-02-29", "2020-02-29"),
        ("last month", "2024-03-31", "2024-02-01", "2024-02-29"),
        ("last month", "2024-01-01", "2023-12-01", "2023-12-31"),
        ("last quarter", "2024-01-01", "2023-10-01", "2023-12-31"),
        ("last week", "2024-01-01", "2023-12-25", "2023-12-31"),
        ("this week", "2023-12-31", "2023-12-25", "2023-12-31"),
        ("yesterday", "2024-03-01", "2024-02-29", "2024-02-29"),
        ("last december", "2024-12-31", "2023-12-01", "2023-12-31"),
        ("winter", "2024-01-10", "2023-12-01", "2024-02-29"),
        ("last winter", "2024-01-10", "2022-12-01", "2023-02-28"),
        ("february 29", "2023-05-01", "2020-02-29", "2020-02-29"),
        ("february 29", "1904-02-28", "1896-02-29", "1896-02-29"),
    ],
)
def test_expression_on_an_awkward_day(text: str, today: str, first: str, last: str) -> None:
    """Ends of months and years, and leap days, are counted as the calendar has them."""
    period = parse_bound(text, today=date.fromisoformat(today))
    assert (period.start.isoformat(), period.last_day.isoformat()) == (first, last)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2016..2018", "2016-01-01", "2018-12-31"),
        ("2016-03 .. 2018", "2016-03-01", "2018-12-31"),
        ("2016...2018", "2016-01-01", "2018-12-31"),
        ("2016…2018", "2016-01-01", "2018-12-31"),
        ("2016-2018", "2016-01-01", "2018-12-31"),
        ("2016–2018", "2016-01-01", "2018-12-31"),
        ("2016 to 2018", "2016-01-01", "2018-12-31"),
        ("from 2016 to june 2018", "2016-01-01", "2018-06-30"),
        ("between 2016 and 2018", "2016-01-01", "2018-12-31"),
        ("june to august 2018", "2018-06-01", "2018-08-31"),
        ("june 2017..yesterday", "2017-06-01", "2024-05-14"),
        ("[2016 TO 2018]", "2016-01-01", "2018-12-31"),
        ("[2016 TO *]", "2016-01-01", None),
        ("2016..", "2016-01-01", None),
        ("..2016", None, "2016-12-31"),
        ("..", None, None),
        ("*", None, None),
        ("last month", "2024-04-01", "2024-04-30"),
    ],
)
def test_range_names_its_ends(text: str, first: str | None, last: str | None) -> None:
    """A range begins where its first period begins and ends where its last one ends."""
    span = parse_span(text, today=WEDNESDAY)
    assert (span.first and span.first.start.isoformat(), span.last and span.last.last_day.isoformat()) == (
        first,
        last,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "last month"),
        ("", "not a date"),
        ("2018-13", "month"),
        ("2017-02-29", "2017-02-29"),
        ("30 february 2020", "30 february 2020"),
        ("3/8/2017", "3 August or 8 March"),
        ("13/2017", "2017-13"),
        ("2017年13月", "2017-13"),
        ("winter 2019/22", "winter 2019/22"),
        ("spring 2019/20", "spring 2019/20"),
        ("2019-W54", "54"),
        ("past 0 days", "past 0 days"),
        ("9999 years ago", "9999 years ago"),
        ("12", "'12'"),
        ("0000", "0000"),
        ("x" * 5000, "too long"),
        ("9999-12-31T23:59:59.999999", "calendar"),
    ],
)
def test_what_is_no_date_says_so(text: str, said: str) -> None:
    """What names no day raises ValueError with a sentence that has the value or what is wrong with it."""
    with pytest.raises(ValueError, match=said):
        parse_bound(text, today=WEDNESDAY)


def test_values_that_are_dates_already() -> None:
    """A year as a number, a date and a datetime are periods too."""
    noon = datetime(2018, 6, 30, 12, tzinfo=UTC)
    assert parse_bound(2016, today=WEDNESDAY) == Period(date(2016, 1, 1), date(2017, 1, 1))
    assert parse_bound(date(2016, 2, 29), today=WEDNESDAY) == Period(date(2016, 2, 29), date(2016, 3, 1))
    assert parse_bound(noon, today=WEDNESDAY) == Period(noon, noon + timedelta(microseconds=1))
    assert parse_bound("2018-06-30T12:00Z", today=WEDNESDAY).start == noon


def test_shifting_months_keeps_to_the_month() -> None:
    """The 31st of a shorter month is its last day, over years and backwards."""
    assert shift_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert shift_months(date(2024, 3, 31), -13) == date(2023, 2, 28)
    assert shift_months(date(2024, 1, 31), -1) == date(2023, 12, 31)


NOW = {
    # At this moment it is still the old day in New York, and already the new one in Vienna and Auckland.
    "new year": datetime(2024, 12, 31, 23, 30, tzinfo=UTC),
    "leap day": datetime(2024, 2, 29, 12, 0, tzinfo=UTC),
    "summer time": datetime(2024, 3, 31, 1, 30, tzinfo=UTC),
    "winter time": datetime(2024, 10, 27, 0, 30, tzinfo=UTC),
}


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("spring 2019", "2019-03-01"),
        ("2019", "2019-01-01"),
        ("may 2019", "2019-05-01"),
        ("may-2019", "2019-05-01"),
        ("past 10 years", "2014-05-16"),
        ("last month", "2024-04-01"),
        ("3 days ago", "2024-05-12"),
        ("Yesterday", "2024-05-14"),
        ("2018年6月", "2018-06-01"),
        ("may", None),
        ("march", None),
        ("mai", None),
        ("blood transfusion", None),
        ("this", None),
        ("last rites", None),
        ("0000", None),
        ("february 30 2019", None),
        ("x" * 100 + " 2019", None),
    ],
)
def test_words_name_a_time_without_doubt_or_none(text: str, first: str | None) -> None:
    """Words that people search for, such as may, are no time; what can only be one is."""
    period = named_period(text, today=WEDNESDAY)
    assert (period and period.start.isoformat()) == first


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Auckland"])
@pytest.mark.parametrize(("text", "first", "last"), EXPRESSIONS)
def test_expression_names_days_of_any_zone(text: str, first: str, last: str, zone: str) -> None:
    """At a moment that is 15 May 2024 in the zone the days begin and end at its midnights."""
    calendar = ArchiveCalendar.of(zone)
    now = datetime(2024, 5, 15, 0, 30, tzinfo=calendar.zone).astimezone(UTC)
    node = read_query(f'date:"{text}"', today=now.astimezone(calendar.zone).date(), zone=calendar.zone).node
    assert isinstance(node, Published)
    begins, ends = (
        datetime.combine(day, datetime.min.time(), calendar.zone).astimezone(UTC)
        for day in (date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1))
    )
    assert utc_datetime(calendar.instant(node.start)).replace(tzinfo=UTC) == begins
    assert utc_datetime(calendar.end_instant(node.end)).replace(tzinfo=UTC) == ends


@pytest.mark.parametrize(
    ("text", "first", "end"),
    [
        ("date:≥2018", "2018-01-01", None),
        ("date:≤2018-03", None, "2018-04-01"),
        ("date:>= 2018", "2018-01-01", None),
        ("date:before 2016", None, "2016-01-01"),
        ('date:"after 2016"', "2017-01-01", None),
        ("date:since june 2018", "2018-06-01", None),
        ("date:Until march 2016", None, "2016-04-01"),
        ("before:2016", None, "2016-01-01"),
        ("after:2016", "2017-01-01", None),
        ("since:2016", "2016-01-01", None),
        ("until:2016", None, "2017-01-01"),
        ("before:2016-03-15", None, "2016-03-15"),
        ("until:2016-03-15", None, "2016-03-16"),
        ("after:yesterday", "2024-05-15", None),
        ("since:yesterday", "2024-05-14", None),
        ("since:2016 before:2017", "2016-01-01", "2017-01-01"),
        ("after:2016 until:2018", "2017-01-01", "2019-01-01"),
        ("before:2016 after:2018", "2017-01-01", "2018-01-01"),
    ],
)
def test_bounds_in_words_and_signs(text: str, first: str | None, end: str | None) -> None:
    """Since and until include the period named, before and after leave it out, however they are written."""
    node = read_query(text, today=WEDNESDAY).node
    assert node == Published(first and date.fromisoformat(first), end and date.fromisoformat(end))


@pytest.mark.parametrize(
    ("now", "zone", "text", "first", "end"),
    [
        ("new year", "UTC", "today", "2024-12-31T00:00", "2025-01-01T00:00"),
        ("new year", "Europe/Vienna", "today", "2024-12-31T23:00", "2025-01-01T23:00"),
        ("new year", "America/New_York", "today", "2024-12-31T05:00", "2025-01-01T05:00"),
        ("new year", "Pacific/Auckland", "today", "2024-12-31T11:00", "2025-01-01T11:00"),
        ("new year", "UTC", "this year", "2024-01-01T00:00", "2025-01-01T00:00"),
        ("new year", "Europe/Vienna", "this year", "2024-12-31T23:00", "2025-12-31T23:00"),
        ("new year", "America/New_York", "this year", "2024-01-01T05:00", "2025-01-01T05:00"),
        ("new year", "Europe/Vienna", "last month", "2024-11-30T23:00", "2024-12-31T23:00"),
        ("new year", "America/New_York", "last month", "2024-11-01T04:00", "2024-12-01T05:00"),
        ("new year", "Pacific/Auckland", "last week", "2024-12-22T11:00", "2024-12-29T11:00"),
        ("new year", "UTC", "december", "2024-12-01T00:00", "2025-01-01T00:00"),
        ("new year", "Europe/Vienna", "january", "2024-12-31T23:00", "2025-01-31T23:00"),
        ("leap day", "UTC", "today", "2024-02-29T00:00", "2024-03-01T00:00"),
        ("leap day", "Europe/Vienna", "1 year ago", "2023-02-27T23:00", "2023-02-28T23:00"),
        ("leap day", "America/New_York", "4 years ago", "2020-02-29T05:00", "2020-03-01T05:00"),
        ("leap day", "Pacific/Auckland", "today", "2024-02-29T11:00", "2024-03-01T11:00"),
        ("leap day", "Pacific/Auckland", "last month", "2024-01-31T11:00", "2024-02-29T11:00"),
        ("leap day", "Europe/Vienna", "february", "2024-01-31T23:00", "2024-02-29T23:00"),
        ("leap day", "America/New_York", "past year", "2023-03-01T05:00", "2024-03-01T05:00"),
        ("summer time", "Europe/Vienna", "today", "2024-03-30T23:00", "2024-03-31T22:00"),
        ("summer time", "Europe/Vienna", "yesterday", "2024-03-29T23:00", "2024-03-30T23:00"),
        ("summer time", "Europe/Vienna", "this month", "2024-02-29T23:00", "2024-03-31T22:00"),
        ("summer time", "America/New_York", "today", "2024-03-30T04:00", "2024-03-31T04:00"),
        ("summer time", "America/New_York", "10 march 2024", "2024-03-10T05:00", "2024-03-11T04:00"),
        ("summer time", "UTC", "past 7 days", "2024-03-25T00:00", "2024-04-01T00:00"),
        ("winter time", "Europe/Vienna", "today", "2024-10-26T22:00", "2024-10-27T23:00"),
        ("winter time", "Europe/Vienna", "october", "2024-09-30T22:00", "2024-10-31T23:00"),
        ("winter time", "America/New_York", "3 november 2024", "2024-11-03T04:00", "2024-11-04T05:00"),
        ("winter time", "Pacific/Auckland", "today", "2024-10-26T11:00", "2024-10-27T11:00"),
        ("winter time", "UTC", "2024-W43", "2024-10-21T00:00", "2024-10-28T00:00"),
        ("winter time", "Europe/Vienna", "2024-10-27T02:30..2024-10-27T03:30", "2024-10-27T00:30", None),
    ],
)
def test_dates_are_days_of_the_archives_zone(now: str, zone: str, text: str, first: str, end: str | None) -> None:
    """Today is the day it is in the archive's zone, and its days begin and end there, clocks put on or back."""
    calendar = ArchiveCalendar.of(zone)
    today = NOW[now].astimezone(calendar.zone).date()
    node = read_query(f'date:"{text}"', today=today, zone=calendar.zone).node
    assert isinstance(node, Published)
    assert utc_datetime(calendar.instant(node.start)).isoformat()[:16] == first
    if end is not None:
        assert utc_datetime(calendar.end_instant(node.end)).isoformat()[:16] == end
