"""Which article ids a commit has added so far, and to which of its segments.

What is found here may be another id with the same hash: whoever asks looks the id up in the segment.
"""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from searchkit.sources.known_ids import KnownIds, hashes_of


class AddedIds:
    """The ids of a commit with the places of their segments.

    Segments are built of pieces, numbered in the order of the articles, and in which piece an id comes last says which
    article replaces which.
    """

    def __init__(self) -> None:
        self._known = KnownIds()
        self._places: dict[int, int] = {}

    def add(self, pieces: Mapping[str, int], place: int) -> dict[int, list[str]]:
        """Add the segment at ``place``, given for each of its ids the number of the last piece with it.

        Returns the places, this one too, where there may be articles that others replace, with their ids.
        """
        ids = list(pieces)
        numbers = np.fromiter(pieces.values(), np.int64, len(ids))
        self._places.update(dict.fromkeys(numbers.tolist(), place))
        hashes = hashes_of(ids)
        indexes, known = self._known.find(hashes)
        replaced: defaultdict[int, dict[str, None]] = defaultdict(dict)
        for index, number in zip(indexes.tolist(), known.tolist(), strict=True):
            is_later = number > numbers[index]
            replaced[place if is_later else self._places[number]][ids[index]] = None
        self._known.add(hashes, numbers)
        return {earlier: list(some) for earlier, some in replaced.items()}
