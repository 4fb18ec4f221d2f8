"""What people write when they mean a time: "last month", "spring 2019", "2016..2018", "23rd of August 2017".

`parse_bound` reads one period, `parse_span` one or the range between two. Both begin with the plain forms
that `searchkit.dates` reads (2018, 2018-06, 2018-06-30, a datetime) and take words as the second try.
Everything is relative to a ``today`` that the caller passes in, the current day in the archive's time zone.
Names of months are known in English, German, French, Spanish, Italian, Portuguese and Dutch.
Weeks begin on Monday, seasons are those of the northern hemisphere and whole months, and a winter has the
year in which it begins.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple
from unicodedata import combining, normalize

from searchkit.dates import Period, day_period, month_period, parse_period, year_period
from searchkit.patterns import late_pattern

MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

_MONTH_NUMBER = {name: number for number, name in enumerate(MONTHS, 1)}
_MONTH_NUMBER |= {name[:3]: number for number, name in enumerate(MONTHS, 1)} | {"sept": 9}
# German, French, Spanish, Italian, Portuguese and Dutch, where they are not the English names, without accents.
_FOREIGN_MONTHS = (
    "januar janner janvier enero gennaio janeiro januari",
    "februar feber fevrier febrero febbraio fevereiro februari",
    "marz mars marzo marco maart mrz",
    "avril abril aprile",
    "mai mayo maggio maio mei",
    "juni juin junio giugno junho",
    "juli juillet julio luglio julho",
    "aout agosto augustus",
    "septembre septiembre setiembre settembre setembro",
    "oktober octobre octubre ottobre outubro okt",
    "novembre noviembre novembro",
    "dezember decembre diciembre dicembre dezembro dez",
)
_MONTH_NUMBER |= {name: number for number, names in enumerate(_FOREIGN_MONTHS, 1) for name in names.split()}
_DAY_NUMBER = {name: number for number, name in enumerate(_DAYS)}
_DAY_NUMBER |= {name[:3]: number for number, name in enumerate(_DAYS)} | {"tues": 1, "thur": 3, "thurs": 3}
_COUNT = {name: number for number, name in enumerate(_NUMBERS, 1)} | {"a": 1, "an": 1}
_ORDINAL = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_MONTHS_IN = {"month": 1, "quarter": 3, "year": 12, "decade": 120}

_LONGEST = 80
"""No way of writing a date is longer; what is longer is not looked at, so reading takes bounded time."""

_MONTH = "|".join(sorted(_MONTH_NUMBER, key=len, reverse=True))
_WEEKDAY = "|".join(sorted(_DAY_NUMBER, key=len, reverse=True))
_SEASON = "|".join(_SEASONS)
_NUMBER = rf"\d{{1,4}}|{'|'.join(_COUNT)}"
_SEPARATORS = late_pattern(r"[,_\-/.]")
_FILLERS = late_pattern(r"\b(?:the|of|de|del|di|du) |^(?:in|on|during|am|im|le|el|il|en) ")

RANGE_WORDS = ("to", "until", "till", "through")
"""What stands between the two dates of a range in words."""

_RANGE = late_pattern(r"(.*?)\s*(?:\.{2,}|…)\s*(.*)", re.DOTALL)
_RANGE_IN_WORDS = late_pattern(
    r"(?:from\s+|between\s+)?(.+?)(?:\s+(?:and|"
    + "|".join(RANGE_WORDS)
    + r")\s+|\s*[–—]\s*|\s+-\s+|(?<=^\d{4})-(?=\d{4}$))(.+)",
    re.IGNORECASE | re.DOTALL,
)
_TRAILING_YEAR = late_pattern(r"(?<!\d)\d{4}$")
_BRACKETED = late_pattern(r"[\[{(](.*)[\]})]", re.DOTALL)


class Span(NamedTuple):
    """From the start of ``first`` to the end of ``last``, as written; None leaves that side open.

    Written in braces, as other search engines do, a span is without the period that stands beside the brace.
    """

    first: Period | None
    last: Period | None
    is_after_first: bool = False
    is_before_last: bool = False


def parse_bound(value: str | int | date, *, today: date) -> Period:
    """The period that a year, month, day, datetime or an expression like "last month" names.

    Raises ValueError with a sentence when it names none.
    """
    if isinstance(value, str) and len(value) > _LONGEST:
        raise ValueError(f"{value[:20]!r}… is too long for a date")
    natural: Period | None = None
    try:
        if isinstance(value, str):
            natural = _numeric_period(value.strip())
        return natural or parse_period(value)
    except OverflowError as exc:
        raise ValueError(f"{value!r} is outside the calendar") from exc
    except ValueError:
        if not isinstance(value, str):
            raise
        natural = _natural_period(value, today)
        if natural is not None:
            return natural
        if value[:1].isdigit():
            raise  # the sentence about a number says what is wrong with it
    raise ValueError(f'{value!r} is not a date; write it like 2016, 2016-03..2018, june 2018 or "last month"')


_TELLING = late_pattern(
    r"\b(?:\d{4}|today|yesterday|ago|past|last|previous|this|spring|summer|autumn|fall|winter)\b|\d年", re.IGNORECASE
)


def named_period(text: str, *, today: date) -> Period | None:
    """The period that words of a text name without doubt: "spring 2019", "past 10 years", but not "may"; or None."""
    if len(text) > _LONGEST or not _TELLING.search(text):
        return None
    try:
        return _numeric_period(text) or _natural_period(text, today)
    except (ValueError, OverflowError):
        return None


def parse_span(text: str, *, today: date) -> Span:
    """The time that ``text`` names: one period, or a range such as "2016-03..2018", "2016..", "june to may".

    Raises ValueError with a sentence when it names none.
    """
    text = text.strip()
    bracketed = _BRACKETED.fullmatch(text)
    is_after_first, is_before_last = bool(bracketed) and text[0] == "{", bool(bracketed) and text[-1] == "}"
    text = bracketed[1].strip() if bracketed else text
    if text == "*":
        return Span(None, None)
    ends = _RANGE.fullmatch(text)
    if ends is None:
        try:
            period = parse_bound(text, today=today)
        except ValueError:
            ends = _RANGE_IN_WORDS.fullmatch(text) if len(text) <= 2 * _LONGEST else None
            if ends is None:
                raise
        else:
            return Span(period, period)
    first, last = ends.groups()
    year = _TRAILING_YEAR.search(last)
    if year and first.isalpha():  # "june to august 2018": the year is meant for both
        first = f"{first} {year[0]}"
    return Span(
        None if first in ("", "*") else parse_bound(first, today=today),
        None if last in ("", "*") else parse_bound(last, today=today),
        is_after_first,
        is_before_last,
    )


def shift_months(day: date, months: int) -> date:
    """The same day ``months`` later, or the last day of that month when it is shorter.

    Raises ValueError or OverflowError outside the years 1 to 9999.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last_day = month_period(year, month + 1).last_day.day
    return date(year, month + 1, min(day.day, last_day))


# ---- numbers that the plain forms do not know --------------------------------------------------------------

_QUARTER = late_pattern(r"(\d{4})[-\s]?q([1-4])|q([1-4])[-\s]?(\d{4})", re.IGNORECASE)
_HALF = late_pattern(r"(\d{4})[-\s]?h([12])|h([12])[-\s]?(\d{4})", re.IGNORECASE)
_WEEK = late_pattern(r"(\d{4})-?w(\d{2})", re.IGNORECASE)
_DECADE = late_pattern(r"(?:the\s+)?(\d{3})0'?s", re.IGNORECASE)
_DAY_FIRST = late_pattern(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")
_SLASHED = late_pattern(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_MONTH_FIRST = late_pattern(r"(\d{1,2})[/.](\d{4})")
_CHINESE_OR_JAPANESE = late_pattern(r"(\d{4})\s?年(?:\s?(\d{1,2})\s?月(?:\s?(\d{1,2})\s?日)?)?")


def _numeric_period(text: str) -> Period | None:
    """Quarters, halves, decades, day-first dates, and weeks, which the plain forms take for a moment."""
    if matched := _QUARTER.fullmatch(text):
        return _months(int(matched[1] or matched[4]), int(matched[2] or matched[3]) * 3 - 2, 3)
    if matched := _HALF.fullmatch(text):
        return _months(int(matched[1] or matched[4]), int(matched[2] or matched[3]) * 6 - 5, 6)
    if matched := _WEEK.fullmatch(text):
        return _week_of(date.fromisocalendar(int(matched[1]), int(matched[2]), 1))
    if matched := _DECADE.fullmatch(text):
        return Period(date(int(matched[1]) * 10, 1, 1), year_period(int(matched[1]) * 10 + 9).end)
    if matched := _DAY_FIRST.fullmatch(text):
        return day_period(date(int(matched[3]), int(matched[2]), int(matched[1])))
    if matched := _MONTH_FIRST.fullmatch(text):
        return parse_period(f"{matched[2]}-{matched[1].zfill(2)}")
    if matched := _CHINESE_OR_JAPANESE.fullmatch(text):
        return parse_period("-".join(part.zfill(2) for part in matched.groups() if part))
    if matched := _SLASHED.fullmatch(text):
        return _slashed_day(text, *(int(part) for part in matched.groups()))
    return None


def _slashed_day(text: str, one: int, two: int, year: int) -> Period:
    """A day written 23/8/2017 or 8/23/2017, where only one reading is possible."""
    if one <= 12 and two <= 12 and one != two:
        raise ValueError(
            f"{text!r} may be {one} {MONTHS[two - 1].title()} or {two} {MONTHS[one - 1].title()}; "
            f"write {year:04}-{two:02}-{one:02} or {year:04}-{one:02}-{two:02}"
        )
    return day_period(date(year, two, one) if one > 12 else date(year, one, two))


def _months(year: int, month: int, count: int) -> Period:
    first = month_period(year, month).start
    try:
        return Period(first, shift_months(first, count))
    except (ValueError, OverflowError):  # the calendar ends first
        return Period(first, None)


def _week_of(day: date) -> Period:
    monday = day - timedelta(days=day.weekday())
    return Period(monday, monday + timedelta(days=7))


# ---- words -------------------------------------------------------------------------------------------------


def _natural_period(text: str, today: date) -> Period | None:
    """The period an expression names, or None. Raises ValueError when there is no such day."""
    words = " ".join(_SEPARATORS.sub(" ", _unaccented(text.lower())).split())
    words = _FILLERS.sub("", words)
    try:
        for pattern, read in _expressions():
            matched = pattern.fullmatch(words)
            if matched:
                return read(matched, today)
    except (ValueError, OverflowError) as exc:
        raise ValueError(f"{text!r} is not a day in the calendar") from exc
    return None


def _unaccented(text: str) -> str:
    if text.isascii():
        return text
    return "".join(char for char in normalize("NFD", text) if not combining(char))


def _relative_day(matched: re.Match[str], today: date) -> Period:
    days = {"today": 0, "now": 0, "yesterday": 1, "day before yesterday": 2, "tomorrow": -1}[matched[0]]
    return day_period(today - timedelta(days=days))


def _calendar_unit(matched: re.Match[str], today: date) -> Period:
    """ "this month", "last year": whole units of the calendar."""
    back = 0 if matched[1] in ("this", "current") else 1
    if matched[2] == "week":
        return _week_of(today - timedelta(days=7 * back))
    months = _MONTHS_IN[matched[2]]
    first_month = (today.year * 12 + today.month - 1) // months * months - back * months
    return _months(first_month // 12, first_month % 12 + 1, months)


def _rolling(matched: re.Match[str], today: date) -> Period:
    """ "past 10 years", "last 30 days": so long a time, ending with today."""
    count = _count(matched[1] or "1")
    return Period(_back(today, count, matched[2]) + timedelta(days=1), day_period(today).end)


def _ago(matched: re.Match[str], today: date) -> Period:
    return day_period(_back(today, _count(matched[1]), matched[2]))


def _count(text: str) -> int:
    count = _COUNT.get(text) or int(text)
    if count == 0:
        raise ValueError("no time at all")
    return count


def _back(today: date, count: int, unit: str) -> date:
    if unit in ("day", "week"):
        return today - timedelta(days=count * (7 if unit == "week" else 1))
    return shift_months(today, -count * _MONTHS_IN[unit])


def _year(matched: re.Match[str], _today: date) -> Period:
    """A year that comes after a word such as "in" or "during"."""
    return year_period(int(matched[1]))


def _weekday(matched: re.Match[str], today: date) -> Period:
    """The latest such day, today included unless "last" is written before it."""
    back = (today.weekday() - _DAY_NUMBER[matched[2]]) % 7
    return day_period(today - timedelta(days=back or (7 if matched[1] else 0)))


def _named_month(matched: re.Match[str], today: date) -> Period:
    """A month; without a year the latest that has begun, with "last" the latest that has ended."""
    month = _MONTH_NUMBER[matched["month"]]
    if matched["year"]:
        return month_period(int(matched["year"]), month)
    is_past = month < today.month or (month == today.month and not matched["last"])
    return month_period(today.year if is_past else today.year - 1, month)


def _named_season(matched: re.Match[str], today: date) -> Period:
    """A season; without a year the latest that has begun, with "last" the latest that has ended."""
    month = _SEASONS[matched["season"]]
    if matched["year"]:
        until = matched["until"]
        if until and (month != 12 or int(until) not in (int(matched["year"]) + 1, (int(matched["year"]) + 1) % 100)):
            raise ValueError("only a winter lies in two years")
        return _months(int(matched["year"]), month, 3)
    year = today.year
    while True:
        season = _months(year, month, 3)
        if (season.last_day < today) if matched["last"] else (season.start <= today):
            return season
        year -= 1


def _named_day(matched: re.Match[str], today: date) -> Period:
    """A day of a month; without a year the latest on or before today."""
    month, day = _MONTH_NUMBER[matched["month"]], int(matched["day"])
    if matched["year"]:
        return day_period(date(int(matched["year"]), month, day))
    year = today.year if (month, day) <= (today.month, today.day) else today.year - 1
    if (month, day) == (2, 29):
        while year % 4 or (year % 100 == 0 and year % 400):
            year -= 1
    return day_period(date(year, month, day))


def _ordinal_quarter(matched: re.Match[str], _today: date) -> Period:
    return _months(int(matched[3]), (_ORDINAL[matched[1]] if matched[1] else int(matched[2])) * 3 - 2, 3)


_DAY_PART = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|o)?"
_MONTH_PART = rf"(?P<month>{_MONTH})"
_YEAR_PART = r"(?: (?P<year>\d{4}))?"

_Reader = Callable[[re.Match[str], date], Period]


@cache
def _expressions() -> tuple[tuple[re.Pattern[str], _Reader], ...]:
    """How to read each kind of expression; compiled when the first is read, which few searches have."""
    return tuple(
        (re.compile(pattern), read)
        for pattern, read in (
            (r"today|now|yesterday|day before yesterday|tomorrow", _relative_day),
            (r"(this|current|last|previous) (week|month|quarter|year|decade)", _calendar_unit),
            (rf"(?:past|last|previous) ({_NUMBER}) (day|week|month|quarter|year|decade)s?", _rolling),
            (r"past ()(day|week|month|quarter|year|decade)", _rolling),
            (rf"({_NUMBER}) (day|week|month|quarter|year|decade)s? ago", _ago),
            (r"(\d{4})", _year),
            (rf"(last )?({_WEEKDAY})", _weekday),
            (rf"(?P<last>last )?{_MONTH_PART}{_YEAR_PART}", _named_month),
            (rf"(?P<year>\d{{4}})(?P<last>) {_MONTH_PART}", _named_month),
            (
                rf"(?P<last>last )?(?P<season>{_SEASON})(?: (?P<year>\d{{4}})(?: (?P<until>\d{{4}}|\d\d))?)?",
                _named_season,
            ),
            (rf"(?:(?:{_WEEKDAY}) )?{_DAY_PART} {_MONTH_PART}{_YEAR_PART}", _named_day),
            (rf"(?:(?:{_WEEKDAY}) )?{_MONTH_PART} {_DAY_PART}{_YEAR_PART}", _named_day),
            (rf"(?P<year>\d{{4}}) {_MONTH_PART} {_DAY_PART}", _named_day),
            (
                r"(?:(first|second|third|fourth|1st|2nd|3rd|4th) quarter|quarter ([1-4])) (\d{4})",
                _ordinal_quarter,
            ),
        )
    )
