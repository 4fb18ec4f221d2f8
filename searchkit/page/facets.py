"""Facets: how many of the matching articles carry each topic, kind, author or year. Exact, over all matches."""

import numpy as np
import numpy.typing as npt

from searchkit.dates import UNDATED, ArchiveCalendar, year_period
from searchkit.page.model import FacetValue
from searchkit.plan.generation import Docnums, LabelColumn


def count_labels(column: LabelColumn, docnums: Docnums, *, limit: int | None = None) -> tuple[FacetValue, ...]:
    """The labels of the articles ``docnums``, commonest first, then by alphabet; at most ``limit`` of them."""
    if len(docnums) == 0:
        return ()
    counts = np.bincount(_ordinals(column, docnums), minlength=len(column.values))
    found = np.flatnonzero(counts)
    if limit is not None and len(found) > limit:  # of a hundred thousand authors only the commonest are sorted
        found = found[counts[found] >= np.partition(counts[found], -limit)[-limit]]
    commonest = found[np.argsort(-counts[found], kind="stable")][:limit]
    return tuple(
        FacetValue(column.values[ordinal], count)
        for ordinal, count in zip(commonest.tolist(), counts[commonest].tolist(), strict=True)
    )


def count_years(published: npt.NDArray[np.int64], calendar: ArchiveCalendar) -> tuple[FacetValue, ...]:
    """The years of the given instants in the archive's time zone, latest first; undated ones are left out."""
    dated = np.sort(published[published != UNDATED])
    if len(dated) == 0:
        return ()
    first, last = calendar.day(int(dated[0])).year, calendar.day(int(dated[-1])).year
    bounds = [calendar.instant(year_period(year).start) for year in range(first, last + 1)]
    counts = np.diff(np.append(np.searchsorted(dated, bounds), len(dated)))
    return tuple(
        FacetValue(str(year), int(count))
        for year, count in reversed([*zip(range(first, last + 1), counts, strict=True)])
        if count
    )


def _ordinals(column: LabelColumn, docnums: Docnums) -> npt.NDArray[np.int32]:
    """The ordinals of all labels of the articles, one after the other."""
    starts = column.offsets[docnums]
    lengths = column.offsets[docnums + 1] - starts
    ends = np.cumsum(lengths)
    within = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
    ordinals: npt.NDArray[np.int32] = column.ordinals[np.repeat(starts, lengths) + within]
    return ordinals
