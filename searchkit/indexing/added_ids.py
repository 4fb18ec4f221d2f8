"""Which article ids a commit has added so far, and to which of its segments.

What is found here may be another id with the same hash: whoever asks looks the id up in the segment.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from searchkit.sources.known_ids import KnownIds, hashes_of


class AddedIds:
    """The ids of a commit with the places of their segments."""

    def __init__(self) -> None:
        self._known = KnownIds()

    def add(self, ids: Sequence[str], place: int) -> dict[int, list[str]]:
        """Add different ``ids`` at a new place; the earlier places where some of them may be, with these."""
        hashes = hashes_of(ids)
        found: defaultdict[int, list[str]] = defaultdict(list)
        pairs = np.stack(self._known.find(hashes), axis=1)
        for index, earlier in dict.fromkeys(map(tuple, pairs.tolist())):
            found[earlier].append(ids[index])
        self._known.add(hashes, np.full(len(ids), place, np.int64))
        return found
