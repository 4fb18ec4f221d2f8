"""The timeline: how many matching articles fall into each calendar year, month or day. Exact, over all matches."""

from collections.abc import Iterator
from datetime import date

import numpy as np
import numpy.typing as npt

from searchkit.dates import UNDATED, ArchiveCalendar, Period, day_period, month_period, year_period
from searchkit.errors import RequestError
from searchkit.page.model import Bucket, Interval

MAX_BUCKETS = 20_000
"""More buckets than this nobody reads; 50 years of days fit."""

_DAYS_SHOWN_AS_DAYS = 62
_DAYS_SHOWN_AS_MONTHS = 6 * 366


def build_timeline(
    published: npt.NDArray[np.int64], calendar: ArchiveCalendar, interval: Interval = "auto"
) -> tuple[Bucket, ...]:
    """Buckets without a gap from the first to the last of the given instants, then one of the undated, if any.

    "auto" takes days up to two months, months up to six years, else years. Raises RequestError when the interval
    asked for would give more than `MAX_BUCKETS`.
    """
    dated = np.sort(published[published != UNDATED])
    undated = len(published) - len(dated)
    buckets = _dated_buckets(dated, calendar, interval) if len(dated) else []
    if undated:
        buckets.append(Bucket(None, None, undated))
    return tuple(buckets)


def _dated_buckets(dated: npt.NDArray[np.int64], calendar: ArchiveCalendar, interval: Interval) -> list[Bucket]:
    first, last = calendar.day(int(dated[0])), calendar.day(int(dated[-1]))
    chosen = _fitting_interval(first, last) if interval == "auto" else interval
    days = (last - first).days + 1
    if days // {"year": 365, "month": 28, "day": 1}[chosen] > MAX_BUCKETS:
        raise RequestError(
            f"a timeline by {chosen} from {first} to {last} has more than {MAX_BUCKETS:,} buckets; "
            f"narrow the dates with since and until, or take a longer interval"
        )
    periods = list(_periods(first, last, chosen))
    bounds = [calendar.instant(period.start) for period in periods]
    counts = np.diff(np.append(np.searchsorted(dated, bounds), len(dated)))
    return [Bucket(period.start, period.last_day, int(count)) for period, count in zip(periods, counts, strict=True)]


def _fitting_interval(first: date, last: date) -> Interval:
    days = (last - first).days + 1
    if days <= _DAYS_SHOWN_AS_DAYS:
        return "day"
    return "month" if days <= _DAYS_SHOWN_AS_MONTHS else "year"


def _periods(first: date, last: date, interval: Interval) -> Iterator[Period]:
    day: date | None = first
    while day is not None and day <= last:
        if interval == "year":
            period = year_period(day.year)
        elif interval == "month":
            period = month_period(day.year, day.month)
        else:
            period = day_period(day)
        yield period
        day = period.end
