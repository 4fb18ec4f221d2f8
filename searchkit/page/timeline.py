"""The timeline: how many matching articles fall into each calendar year, month or day. Exact, over all matches."""

from datetime import date
from functools import lru_cache

import numpy as np

from searchkit.dates import UNDATED, ArchiveCalendar, Period, day_period, month_period, year_period
from searchkit.errors import RequestError
from searchkit.page.model import Bucket, Interval
from searchkit.plan.instants import Bounds, Instants

MAX_BUCKETS = 20_000
"""More buckets than this nobody reads; 50 years of days fit."""

_DAYS_SHOWN_AS_DAYS = 62
_DAYS_SHOWN_AS_MONTHS = 6 * 366
_LONGEST_KEPT = 128
_STEP = 64


def build_timeline(instants: Instants, calendar: ArchiveCalendar, interval: Interval = "auto") -> tuple[Bucket, ...]:
    """Buckets without a gap from the first to the last of the given instants, then one of the undated, if any.

    "auto" takes days up to two months, months up to six years, else years. Raises RequestError when the interval
    asked for would give more than `MAX_BUCKETS`.
    """
    buckets = [] if instants.first == UNDATED else _dated_buckets(instants, calendar, interval)
    if instants.undated:
        buckets.append(Bucket(None, None, instants.undated))
    return tuple(buckets)


def _dated_buckets(instants: Instants, calendar: ArchiveCalendar, interval: Interval) -> list[Bucket]:
    first, last = calendar.day(instants.first), calendar.day(instants.last)
    chosen = _fitting_interval(first, last) if interval == "auto" else interval
    days = (last - first).days + 1
    if days // {"year": 365, "month": 28, "day": 1}[chosen] > MAX_BUCKETS:
        raise RequestError(
            f"a timeline by {chosen} from {first} to {last} has more than {MAX_BUCKETS:,} buckets; "
            f"narrow the dates with since and until, or take a longer interval"
        )
    numbers = _numbers(first, last, chosen)
    if len(numbers) > _LONGEST_KEPT:
        around, periods_of = numbers, _periods
    else:
        around, periods_of = _around(numbers, chosen), _known_periods
    starts, ends, bounds = periods_of(calendar, chosen, around)
    wanted = slice(numbers.start - around.start, numbers.stop - around.start)
    counts = instants.counts(bounds)[wanted].tolist()
    return list(map(Bucket._make, zip(starts[wanted], ends[wanted], counts, strict=True)))


def _fitting_interval(first: date, last: date) -> Interval:
    days = (last - first).days + 1
    if days <= _DAYS_SHOWN_AS_DAYS:
        return "day"
    return "month" if days <= _DAYS_SHOWN_AS_MONTHS else "year"


def _numbers(first: date, last: date, interval: Interval) -> range:
    """The calendar's years, months or days from first to last, numbered without a gap."""
    if interval == "year":
        return range(first.year, last.year + 1)
    if interval == "month":
        return range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return range(first.toordinal(), last.toordinal() + 1)


def _around(numbers: range, interval: Interval) -> range:
    """Numbers from and to a multiple of `_STEP` around some: searches of an archive ask for few different ones."""
    possible = _numbers(date.min, date.max, interval)
    first, end = numbers.start // _STEP * _STEP, -(-numbers.stop // _STEP) * _STEP
    return range(max(first, possible.start), min(end, possible.stop))


def _periods(calendar: ArchiveCalendar, interval: Interval, numbers: range) -> tuple[list[date], list[date], Bounds]:
    """Of periods by their numbers the first days, the last days, and the instants at which they begin."""
    periods = [_period(interval, number) for number in numbers]
    bounds = np.array([calendar.instant(period.start) for period in periods], dtype=np.int64)
    return [period.start for period in periods], [period.last_day for period in periods], bounds


_known_periods = lru_cache(maxsize=128)(_periods)
"""Every search of an archive asks for about the same years; what is known of them is not computed again."""


def _period(interval: Interval, number: int) -> Period:
    if interval == "year":
        return year_period(number)
    if interval == "month":
        return month_period(number // 12, number % 12 + 1)
    return day_period(date.fromordinal(number))
