"""How dates and numbers read on the pages, in English and without regard to the server's locale."""

from datetime import date
from typing import Literal

from searchkit.dates import month_period, parse_period, year_period

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_BOUND_LETTERS = {"year": 4, "month": 7, "day": 10, "days": 10}


def day_text(day: date) -> str:
    """A day in full: 23 August 2017."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def span_text(start: date, end: date) -> str:
    """A span of days, both included, in the plainest words: 2017, August 2017, a day, or one to another."""
    match _span_kind(start, end):
        case "year":
            return str(start.year)
        case "month":
            return f"{_MONTHS[start.month - 1]} {start.year}"
        case "day":
            return day_text(start)
        case "days":
            return f"{day_text(start)} to {day_text(end)}"


def span_short(start: date, end: date) -> str:
    """Where a span begins, in few letters for a scale: 2017, Aug 2017, 23 Aug."""
    month = _MONTHS[start.month - 1][:3]
    match _span_kind(start, end):
        case "year":
            return str(start.year)
        case "month":
            return f"{month} {start.year}"
        case _:
            return f"{start.day} {month}"


def span_bounds(start: date, end: date) -> tuple[str, str]:
    """``since`` and ``until`` of a span in their shortest spelling: 2017 and 2017 for the whole year."""
    letters = _BOUND_LETTERS[_span_kind(start, end)]
    return start.isoformat()[:letters], end.isoformat()[:letters]


def bound_text(bound: str) -> str:
    """A bound as somebody gave it, in words where it is a year, month or day: 2018-06 is June 2018."""
    if ":" in bound:
        return bound
    try:
        period = parse_period(bound)
    except (ValueError, OverflowError):
        return bound
    return span_text(period.start, period.last_day)


def count_text(count: int, noun: str = "article") -> str:
    """A number of things: 1 article, 20,841 articles."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _span_kind(start: date, end: date) -> Literal["year", "month", "day", "days"]:
    if (start.month, start.day) == (1, 1) and end == year_period(start.year).last_day:
        return "year"
    if start.day == 1 and end == month_period(start.year, start.month).last_day:
        return "month"
    return "day" if start == end else "days"
