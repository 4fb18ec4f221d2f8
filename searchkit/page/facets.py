"""Facets: how many of the matching articles carry each topic, kind, author or year. Exact, over all matches."""

import numpy as np

from searchkit.dates import UNDATED, ArchiveCalendar, year_period
from searchkit.page.model import FacetValue
from searchkit.plan.generation import Docnums
from searchkit.plan.instants import Instants
from searchkit.plan.labels import LabelColumn


def count_labels(column: LabelColumn, docnums: Docnums, *, limit: int | None = None) -> tuple[FacetValue, ...]:
    """The labels of the articles ``docnums``, commonest first, then by alphabet; at most ``limit`` of them."""
    return tuple(map(FacetValue._make, zip(*column.count(docnums, limit), strict=True)))


def count_years(instants: Instants, calendar: ArchiveCalendar) -> tuple[FacetValue, ...]:
    """The years of the given instants in the archive's time zone, latest first; undated ones are left out."""
    if instants.first == UNDATED:
        return ()
    years = range(calendar.day(instants.first).year, calendar.day(instants.last).year + 1)
    bounds = np.array([calendar.instant(year_period(year).start) for year in years], dtype=np.int64)
    counts = instants.counts(bounds).tolist()
    return tuple(FacetValue(str(year), count) for year, count in reversed([*zip(years, counts, strict=True)]) if count)
