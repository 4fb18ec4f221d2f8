"""The timeline as a bar chart: buckets to bars, each a link that narrows the search to its span."""

import math

from searchkit.page.model import Bucket
from searchkit.web.contexts import Bar, Chart
from searchkit.web.links import Links
from searchkit.web.state import SearchState, with_dates
from searchkit.web.wording import count_text, span_bounds, span_short, span_text

WIDTH = 720.0
HEIGHT = 100.0
_MOST_TICKS = 4  # as many as "Aug 2016" fits side by side on a screen 320 pixels wide
_WIDEST_BAR = 36.0
_LOWEST_BAR = 2.0  # one article among thousands still shows


def draw_chart(timeline: tuple[Bucket, ...], state: SearchState, links: Links) -> Chart | None:
    """The chart of a timeline, None when it has nothing to choose from: fewer than two spans with dates."""
    spans = [(b.start, b.end, b.count) for b in timeline if b.start is not None and b.end is not None]
    if len(spans) < 2:
        return None
    undated = sum(bucket.count for bucket in timeline if bucket.start is None)
    peak = max((count for _, _, count in spans), default=0) or 1
    slot = WIDTH / len(spans)
    width = min(slot * 0.8, _WIDEST_BAR)
    every = math.ceil(len(spans) / _MOST_TICKS)
    bars = []
    for index, (start, end, count) in enumerate(spans):
        height = max(HEIGHT * count / peak, _LOWEST_BAR) if count else 0.0
        bars.append(
            Bar(
                x=round(index * slot + (slot - width) / 2, 2),
                y=round(HEIGHT - height, 2),
                width=round(width, 2),
                height=round(height, 2),
                slot=round(index * slot, 2),
                label=span_text(start, end),
                count=count,
                href=links.search(with_dates(state, *span_bounds(start, end))) if count else None,
                tick=span_short(start, end) if index % every == 0 and len(spans) - index >= 0.8 * every else "",
            )
        )
    return Chart(tuple(bars), WIDTH, HEIGHT, round(slot, 2), _summary(bars, undated), undated)


def _summary(bars: list[Bar], undated: int) -> str:
    peak = max(bar.count for bar in bars)
    highest = [bar for bar in bars if bar.count == peak]
    where = (
        f"most in {highest[0].label} ({count_text(peak)})" if len(highest) == 1 else f"up to {count_text(peak)} each"
    )
    sentence = f"{bars[0].label} to {bars[-1].label}, {where}"
    return f"{sentence}; {count_text(undated)} without a date" if undated else sentence
