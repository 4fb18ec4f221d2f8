"""The timeline as bars: counts to heights, spans to links, and the words beside them."""

from datetime import date

import pytest

from searchkit.page.model import Bucket
from searchkit.web.chart import HEIGHT, WIDTH, draw_chart
from searchkit.web.links import Links
from searchkit.web.state import SearchState
from searchkit.web.wording import bound_text, count_text, span_bounds, span_short, span_text

LINKS = Links("")


def years(*counts: int) -> tuple[Bucket, ...]:
    return tuple(Bucket(date(2010 + n, 1, 1), date(2010 + n, 12, 31), count) for n, count in enumerate(counts))


def test_heights_are_in_proportion_and_empty_years_have_none() -> None:
    """The fullest span fills the chart, others take their share; one without articles has no link."""
    chart = draw_chart(years(5, 0, 10), SearchState(), LINKS)
    assert chart is not None
    assert [bar.height for bar in chart.bars] == [HEIGHT / 2, 0, HEIGHT]
    assert [bar.href for bar in chart.bars] == ["/?since=2010&until=2010", None, "/?since=2012&until=2012"]


@pytest.mark.parametrize("n_spans", [2, 5, 24, 400])
def test_bars_stay_in_their_slots_and_ticks_are_few(n_spans: int) -> None:
    """Bars never overlap or leave the chart, however many there are; the scale has at most four labels."""
    chart = draw_chart(years(*[7] * n_spans), SearchState(), LINKS)
    assert chart is not None
    for bar in chart.bars:
        assert bar.slot <= bar.x
        assert bar.x + bar.width <= bar.slot + chart.slot_width + 0.02
    assert chart.bars[-1].slot + chart.slot_width == pytest.approx(WIDTH, abs=0.1)
    assert 2 <= sum(bool(bar.tick) for bar in chart.bars) <= 4


def test_one_article_among_thousands_still_shows() -> None:
    """A bar of an article is never too low to be seen."""
    chart = draw_chart(years(1, 100_000), SearchState(), LINKS)
    assert chart is not None
    assert chart.bars[0].height >= 1


def test_narrowing_keeps_the_rest_of_the_search() -> None:
    """A bar's link changes the dates and nothing else, and starts at the first hits."""
    state = SearchState("heparin", topics=("News",), since="2009", cursor="abc")
    chart = draw_chart(years(1, 2), state, LINKS)
    assert chart is not None
    assert chart.bars[0].href == "/?q=heparin&topic=News&since=2010&until=2010"


def test_undated_articles_are_told_apart() -> None:
    """The undated are in no bar but in the sentence."""
    chart = draw_chart((*years(1, 2), Bucket(None, None, 3)), SearchState(), LINKS)
    assert chart is not None
    assert len(chart.bars) == 2
    assert chart.summary == "2010 to 2011, most in 2011 (2 articles); 3 articles without a date"


def test_a_tie_has_no_highest_span() -> None:
    """Where several spans are the fullest, none is named."""
    chart = draw_chart(years(2, 1, 2), SearchState(), LINKS)
    assert chart is not None
    assert chart.summary == "2010 to 2012, up to 2 articles each"


@pytest.mark.parametrize("timeline", [(), years(3), (Bucket(None, None, 3),), (*years(3), Bucket(None, None, 3))])
def test_nothing_to_choose_from_is_no_chart(timeline: tuple[Bucket, ...]) -> None:
    """A single span would narrow nothing."""
    assert draw_chart(timeline, SearchState(), LINKS) is None


@pytest.mark.parametrize(
    ("start", "end", "text", "short", "bounds"),
    [
        ("2018-01-01", "2018-12-31", "2018", "2018", ("2018", "2018")),
        ("2018-02-01", "2018-02-28", "February 2018", "Feb 2018", ("2018-02", "2018-02")),
        ("2016-02-01", "2016-02-29", "February 2016", "Feb 2016", ("2016-02", "2016-02")),
        ("2018-06-30", "2018-06-30", "30 June 2018", "30 Jun", ("2018-06-30", "2018-06-30")),
        ("2018-06-01", "2018-06-07", "1 June 2018 to 7 June 2018", "1 Jun", ("2018-06-01", "2018-06-07")),
        ("9999-01-01", "9999-12-31", "9999", "9999", ("9999", "9999")),
    ],
)
def test_spans_in_words(start: str, end: str, text: str, short: str, bounds: tuple[str, str]) -> None:
    """Whole years, months and days are called by their name, in the sentence, the scale and the link."""
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    assert (span_text(first, last), span_short(first, last), span_bounds(first, last)) == (
        text,
        short,
        bounds,
    )


@pytest.mark.parametrize(
    ("bound", "text"),
    [
        ("2018", "2018"),
        ("2018-06", "June 2018"),
        ("2018-06-30", "30 June 2018"),
        ("2018-06-30T12:00", "2018-06-30T12:00"),
        ("soon", "soon"),
    ],
)
def test_bounds_in_words(bound: str, text: str) -> None:
    """Years, months and days are written out, anything else is shown as given."""
    assert bound_text(bound) == text


def test_counts_in_words() -> None:
    """One is singular, thousands have commas."""
    assert [count_text(n) for n in (0, 1, 20841)] == ["0 articles", "1 article", "20,841 articles"]
