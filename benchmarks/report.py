"""Numbers as tables that can be read in a terminal and pasted into Markdown."""

from collections.abc import Sequence
from statistics import median


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with its columns aligned, the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in (headings, *rows)) for i in range(len(headings))]
    rule = [("-" * w if i == 0 else "-" * (w - 1) + ":") for i, w in enumerate(widths)]
    return "\n".join(_line(row, widths) for row in (headings, rule, *rows))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join((first, *rest))} |"


def middle(values: Sequence[float]) -> float | None:
    """The median, None of nothing."""
    return median(values) if values else None


def number(value: float | None, digits: int = 1, missing: str = "–") -> str:
    """A number with thousands separated."""
    return missing if value is None else f"{value:,.{digits}f}"


def ratio(value: float | None, base: float | None) -> str:
    """How many times ``base`` a value is."""
    return "–" if value is None or not base else f"{value / base:,.2f} ×"
