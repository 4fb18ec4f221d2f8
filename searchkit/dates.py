"""Dates as archives use them: days, months, instants, and the time zone that decides which day it is.

An article's date is a `datetime.date` (most of them) or a `datetime.datetime`. Inside the index both become an
*instant*: microseconds since 0001-01-01T00:00 UTC, the number Whoosh's DATETIME column holds. A date without a time
is the start of that day in the archive's time zone; a datetime without an offset is local time there. Calendar
buckets and bounds turn into instants the same way, so an article always falls into the month a reader sees on it.

What people type freely ("last month") is read in `query/`; here are only the forms that files and parameters use.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from searchkit.patterns import late_pattern

UNDATED = -1
"""The instant of an article without a date: before every real one, so undated articles sort first in a segment."""

_EPOCH = datetime(1, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_LAST_INSTANT = (datetime.max - _EPOCH) // _MICROSECOND

_PERIOD = late_pattern(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?")
_COMPACT_DAY = late_pattern(r"(\d{4})(\d{2})(\d{2})")


@dataclass(frozen=True, slots=True)
class Period:
    """A span of time as somebody named it: from ``start`` up to, but not including, ``end``.

    ``end`` is None where the calendar ends (the year 9999).
    """

    start: date
    end: date | None

    @property
    def last_day(self) -> date:
        """The last day the period touches."""
        if self.end is None:
            return date.max
        if isinstance(self.end, datetime):
            return (self.end - _MICROSECOND).date()
        return self.end - timedelta(days=1)


def year_period(year: int) -> Period:
    """The calendar year. Raises ValueError outside 1..9999."""
    return Period(date(year, 1, 1), date(year + 1, 1, 1) if year < 9999 else None)


def month_period(year: int, month: int) -> Period:
    """The calendar month. Raises ValueError when there is no such month."""
    first = date(year, month, 1)
    if (year, month) == (9999, 12):
        return Period(first, None)
    return Period(first, date(year + month // 12, month % 12 + 1, 1))


def day_period(day: date) -> Period:
    """The whole of one day."""
    return Period(day, day + timedelta(days=1) if day < date.max else None)


def parse_period(value: str | int | date) -> Period:
    """The period that a year, month, day or datetime names: ``"2018-06"`` is all of June, a datetime one instant.

    Raises ValueError with a sentence when the text is none of these or there is no such day.
    """
    if isinstance(value, datetime):
        return Period(value, value + _MICROSECOND)
    if isinstance(value, date):
        return day_period(value)
    text = str(value).strip()
    matched = _PERIOD.fullmatch(text)
    if matched is None or (len(text) == 8 and text.isdigit()):
        return parse_period(parse_moment(text))
    year, month, day = matched.groups()
    try:
        if day is not None:
            return day_period(date(int(year), int(month), int(day)))
        if month is not None:
            return month_period(int(year), int(month))
        return year_period(int(year))
    except ValueError as exc:
        raise ValueError(f"{text!r} is not a date: {exc}") from exc


def parse_moment(value: str | date) -> date:
    """The date or datetime an article file gives: ISO 8601 in its usual spellings, or RFC 5322 as feeds have it.

    A year or month alone is its first day. Raises ValueError with a sentence otherwise.
    """
    if isinstance(value, date):
        return value
    text = value.strip()
    if _PERIOD.fullmatch(text):
        return parse_period(text).start
    compact = _COMPACT_DAY.fullmatch(text)
    if compact:
        text = "-".join(compact.groups())
    try:
        moment = datetime.fromisoformat(_iso_spelling(text))
    except ValueError:
        return _parse_rfc5322(text)
    return moment.date() if len(text) == 10 else moment


def _iso_spelling(text: str) -> str:
    """The spellings that static site generators and YAML allow, as ISO 8601 has them.

    Slashes for dashes, one-digit months, days and hours, and the zone written apart or short: `` UTC``, `` -5``.
    """
    text = re.sub(
        r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)",
        lambda m: f"{m[1]}-{m[2]:0>2}-{m[3]:0>2}",
        text,
        count=1,
    )
    text = re.sub(r"^(\d{4}-\d\d-\d\d)[Tt\s]+(\d{1,2}):", lambda m: f"{m[1]}T{m[2]:0>2}:", text, count=1)
    text = re.sub(r"\s*(?:UTC|GMT|Z)$", "+00:00", text)
    return re.sub(
        r"(:\d\d(?:\.\d+)?)\s*([+-])(\d{1,2})(?::?(\d\d))?$",
        lambda m: f"{m[1]}{m[2]}{m[3]:0>2}:{m[4] or '00'}",
        text,
    )


def _parse_rfc5322(text: str) -> datetime:
    from email.utils import parsedate_to_datetime  # takes 30 ms to import, and few sources need it

    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError) as exc:
        raise ValueError(f"{text!r} is not a date; write it like 2017-08-23 or 2017-08-23T09:30") from exc


@dataclass(frozen=True, slots=True)
class ArchiveCalendar:
    """Turns moments into instants and back in one time zone."""

    zone: tzinfo

    @classmethod
    def of(cls, time_zone: str) -> "ArchiveCalendar":
        """The calendar of an IANA zone name. Raises zoneinfo.ZoneInfoNotFoundError or ValueError for an unknown one."""
        if time_zone == "UTC":
            return cls(UTC)
        from zoneinfo import ZoneInfo  # reads the interpreter's build configuration when imported

        return cls(ZoneInfo(time_zone))

    def instant(self, moment: date | None) -> int:
        """Microseconds since 0001-01-01 UTC; UNDATED for None. A local time that occurs twice means the first."""
        if moment is None:
            return UNDATED
        local = moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day)
        aware = local if local.tzinfo is not None else local.replace(tzinfo=self.zone)
        offset = aware.utcoffset() or timedelta(0)
        instant = (local.replace(tzinfo=None) - _EPOCH - offset) // _MICROSECOND
        return min(max(instant, 0), _LAST_INSTANT)

    def end_instant(self, moment: date | None) -> int:
        """The instant of an exclusive upper bound, where None is past the end of the calendar."""
        return _LAST_INSTANT + 1 if moment is None else self.instant(moment)

    def local(self, instant: int) -> datetime:
        """The wall clock time, without zone, that a reader in the archive's time zone sees at ``instant``."""
        naive = _EPOCH + instant * _MICROSECOND
        if self.zone is UTC:
            return naive
        try:
            return naive.replace(tzinfo=UTC).astimezone(self.zone).replace(tzinfo=None)
        except OverflowError:  # the first and last day of the calendar
            return naive

    def day(self, instant: int) -> date:
        """The calendar day of ``instant`` in the archive's time zone."""
        return self.local(instant).date()


def utc_datetime(instant: int) -> datetime:
    """The naive UTC datetime of an instant, as Whoosh's DATETIME field takes it."""
    return _EPOCH + instant * _MICROSECOND
