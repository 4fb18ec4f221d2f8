"""Which article ids a commit has added so far, and to which of its segments: twelve bytes an id, however long it is.

Of an id only 64 bits of its hash are kept, so that what is found here may be another id with the same hash: whoever
asks looks the id up in the segment.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]


class AddedIds:
    """Hashes of ids with their places, in sorted runs that double in length as in a log-structured merge tree."""

    def __init__(self) -> None:
        self._runs: list[tuple[Hashes, Places]] = []

    def add(self, ids: Sequence[str], place: int) -> dict[int, list[str]]:
        """Add different ``ids`` at a new place; the earlier places where some of them may be, with these."""
        hashes = np.fromiter(map(hash, ids), np.int64, len(ids))
        found: defaultdict[int, list[str]] = defaultdict(list)
        for run, places in self._runs:
            firsts, lasts = np.searchsorted(run, hashes), np.searchsorted(run, hashes, side="right")
            for index in np.flatnonzero(firsts < lasts).tolist():
                for earlier in set(places[firsts[index] : lasts[index]].tolist()):
                    found[earlier].append(ids[index])
        self._runs.append((np.sort(hashes), np.full(len(ids), place, np.int32)))
        while len(self._runs) > 1 and len(self._runs[-2][0]) <= 2 * len(self._runs[-1][0]):
            self._merge_last()
        return found

    def _merge_last(self) -> None:
        runs, places = zip(*(self._runs.pop() for _ in range(2)), strict=True)
        merged = np.concatenate(runs)
        order = np.argsort(merged, kind="stable")
        self._runs.append((merged[order], np.concatenate(places)[order]))
