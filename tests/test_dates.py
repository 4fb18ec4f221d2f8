"""Dates: what files and parameters may say, and which day an instant falls on in the archive's time zone."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.dates import UNDATED, ArchiveCalendar, Period, parse_moment, parse_period, utc_datetime

MOMENTS = [
    ("2017-08-23", date(2017, 8, 23)),
    (" 2017-8-3 ", date(2017, 8, 3)),
    ("2017/08/23", date(2017, 8, 23)),
    ("20170823", date(2017, 8, 23)),
    ("2017-08", date(2017, 8, 1)),
    ("2017", date(2017, 1, 1)),
    ("2017-08-23T09:30", datetime(2017, 8, 23, 9, 30)),
    ("2017-08-23 09:30:15", datetime(2017, 8, 23, 9, 30, 15)),
    ("2017-08-23T09:30:00Z", datetime(2017, 8, 23, 9, 30, tzinfo=UTC)),
    ("2017-08-23 09:30:00 UTC", datetime(2017, 8, 23, 9, 30, tzinfo=UTC)),
    ("2017-08-23T09:30:00+02:00", datetime(2017, 8, 23, 9, 30, tzinfo=timezone(timedelta(hours=2)))),
    ("2009-12-25 10:41:06 +0100", datetime(2009, 12, 25, 10, 41, 6, tzinfo=timezone(timedelta(hours=1)))),
    ("2017/8/3 09:30", datetime(2017, 8, 3, 9, 30)),
    ("Wed, 23 Aug 2017 10:00:00 GMT", datetime(2017, 8, 23, 10, tzinfo=UTC)),
    ("23 Aug 2017 10:00 +0200", datetime(2017, 8, 23, 10, tzinfo=timezone(timedelta(hours=2)))),
]


@pytest.mark.parametrize(("text", "moment"), MOMENTS)
def test_the_usual_spellings_of_dates_are_read(text: str, moment: date) -> None:
    """Each spelling gives this date or datetime, of exactly that type."""
    assert (parse_moment(text), type(parse_moment(text))) == (moment, type(moment))


@pytest.mark.parametrize("text", ["", "soon", "2017-13-01", "2017-02-30", "0000-01-01", "99999", "2017-08-23Tnoon"])
def test_a_nonsense_date_is_refused_with_its_text(text: str) -> None:
    """The message quotes what cannot be read as a date."""
    with pytest.raises(ValueError, match="is not a date"):
        parse_moment(text)


PERIODS = [
    ("2018", date(2018, 1, 1), date(2019, 1, 1), date(2018, 12, 31)),
    ("2018-06", date(2018, 6, 1), date(2018, 7, 1), date(2018, 6, 30)),
    ("2018-12", date(2018, 12, 1), date(2019, 1, 1), date(2018, 12, 31)),
    ("2020-02", date(2020, 2, 1), date(2020, 3, 1), date(2020, 2, 29)),
    ("2018-06-30", date(2018, 6, 30), date(2018, 7, 1), date(2018, 6, 30)),
    ("9999", date(9999, 1, 1), None, date(9999, 12, 31)),
    ("9999-12", date(9999, 12, 1), None, date(9999, 12, 31)),
    ("9999-12-31", date(9999, 12, 31), None, date(9999, 12, 31)),
]


@pytest.mark.parametrize(("text", "start", "end", "last_day"), PERIODS)
def test_a_year_month_or_day_is_the_whole_of_it(text: str, start: date, end: date | None, last_day: date) -> None:
    """Periods reach from their first day up to the day after their last."""
    period = parse_period(text)

    assert (period, period.last_day) == (Period(start, end), last_day)


def test_a_datetime_is_a_period_of_one_instant() -> None:
    """`until` a datetime includes exactly that instant."""
    moment = datetime(2018, 6, 1, 12)

    assert (
        parse_period("2018-06-01T12:00") == parse_period(moment) == Period(moment, moment + timedelta(microseconds=1))
    )


ZONES = ["UTC", "Europe/Vienna", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns"]


@given(st.dates(), st.sampled_from(ZONES))
def test_a_date_falls_on_itself_in_every_zone(day: date, zone: str) -> None:
    """A date without a time is that day where the archive is, whatever clocks do at midnight."""
    calendar = ArchiveCalendar.of(zone)
    if date(2, 1, 1) < day < date(9998, 1, 1) and day != date(2011, 12, 30):  # the day Apia went without
        assert calendar.day(calendar.instant(day)) == day


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)), st.sampled_from(ZONES))
def test_an_instant_falls_into_the_day_whose_bounds_hold_it(moment: datetime, zone: str) -> None:
    """The day read off an instant is the one whose start and end enclose it: buckets and dates shown agree."""
    calendar = ArchiveCalendar.of(zone)
    instant = calendar.instant(moment.replace(tzinfo=UTC))
    day = calendar.day(instant)

    assert calendar.instant(day) <= instant < calendar.instant(day + timedelta(days=1))
    assert utc_datetime(instant) == moment


def test_daylight_saving_moves_the_bounds_of_a_day() -> None:
    """In Vienna the last Sunday of March 2024 has 23 hours, the last of October 25."""
    calendar = ArchiveCalendar.of("Europe/Vienna")
    hours = [
        (calendar.instant(day + timedelta(days=1)) - calendar.instant(day)) / 3_600_000_000
        for day in (date(2024, 3, 31), date(2024, 7, 1), date(2024, 10, 27))
    ]

    assert hours == [23, 24, 25]


def test_the_ends_of_the_calendar_do_not_overflow() -> None:
    """Year 1 and year 9999 have instants in every zone, before all of which stand the undated."""
    for zone in ZONES:
        calendar = ArchiveCalendar.of(zone)
        assert UNDATED < calendar.instant(date.min) < calendar.instant(date.max) < calendar.end_instant(None)
        calendar.day(calendar.instant(date.min))
        calendar.day(calendar.instant(date.max))
    assert ArchiveCalendar.of("UTC").instant(None) == UNDATED
