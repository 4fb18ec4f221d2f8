"""When matching articles were published: the first, the last, and how many between two instants.

In segments ordered by date, articles between two instants are a run of docnums, so that matches are counted by
bisection of their docnums, without a look at the date of each.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from searchkit.dates import UNDATED
from searchkit.plan.generation import Docnums, Generation

Bounds = npt.NDArray[np.int64]


class Instants(Protocol):
    """The instants of some articles."""

    undated: int
    """How many have none."""

    first: int
    """The earliest, UNDATED when there is none."""

    last: int
    """The latest, UNDATED when there is none."""

    def counts(self, bounds: Bounds) -> npt.NDArray[np.int64]:
        """How many lie between each of the ascending ``bounds``, included, and the next; after the last bound any."""
        ...


class InstantsOfArray:
    """Instants given one by one, in any order."""

    def __init__(self, published: npt.NDArray[np.int64]) -> None:
        self._dated = np.sort(published[published != UNDATED])
        self.undated = len(published) - len(self._dated)
        self.first = int(self._dated[0]) if len(self._dated) else UNDATED
        self.last = int(self._dated[-1]) if len(self._dated) else UNDATED

    def counts(self, bounds: Bounds) -> npt.NDArray[np.int64]:
        """See `Instants`."""
        return np.diff(np.append(self._dated.searchsorted(bounds), len(self._dated)))


class InstantsOfDocnums:
    """The instants of ascending docnums of a generation whose segments are all ordered by date."""

    def __init__(self, docnums: Docnums, generation: Generation) -> None:
        self._docnums = docnums
        self._generation = generation
        bounds = docnums.searchsorted(generation.dated_runs).reshape(-1, 2)
        dated = bounds[:, 1] - bounds[:, 0]
        self.undated = len(docnums) - int(dated.sum())
        self.first = self.last = UNDATED
        filled = bounds[dated > 0]
        if len(filled):
            self.first = min(map(generation.published_of, docnums[filled[:, 0]].tolist()))
            self.last = max(map(generation.published_of, docnums[filled[:, 1] - 1].tolist()))

    def counts(self, bounds: Bounds) -> npt.NDArray[np.int64]:
        """See `Instants`."""
        at = self._docnums.searchsorted(self._generation.runs_between(bounds))
        return np.asarray((at[:, 1:] - at[:, :-1]).sum(axis=0))


def instants_of(docnums: Docnums, generation: Generation) -> Instants:
    """When the articles with these ascending docnums were published."""
    if generation.is_ordered_by_date and generation.segments:
        return InstantsOfDocnums(docnums, generation)
    return InstantsOfArray(generation.published_at(docnums))
