"""Which article ids were read before, and where.

Two different ids can be taken for the same (see `known_ids`), and then the worst that happens is one untrue report; no
article is lost by it.
"""

from collections.abc import Sequence

import numpy as np

from searchkit.sources.known_ids import KnownIds, hashes_of
from searchkit.sources.reading import Place

_LINE_BITS = 40


class FirstPlaces:
    """The place where each article id was seen first."""

    def __init__(self) -> None:
        self._paths: list[str] = []
        self._known = KnownIds()

    def note(self, article_id: str, place: Place) -> Place | None:
        """Keep ``place`` for ``article_id``; if the id was noted before, return the place of then instead."""
        for _, first in self.note_all(place.path, [article_id], [place.line]):
            return first
        return None

    def note_all(self, path: str, ids: Sequence[str], lines: Sequence[int | None]) -> list[tuple[int, Place]]:
        """Keep the places of articles of one file; the indexes of those noted before, with their first places."""
        if not self._paths or self._paths[-1] is not path:
            self._paths.append(path)
        hashes = hashes_of(ids)
        places = np.array([line or 0 for line in lines], np.int64) | (len(self._paths) << _LINE_BITS)
        firsts, owners = np.unique(hashes, return_index=True, return_inverse=True)[1:]
        is_new = np.ones(len(firsts), np.bool_)
        first_places = places[firsts]
        indexes, known = self._known.find(hashes[firsts])
        is_new[indexes] = False
        first_places[indexes] = known
        self._known.add(hashes[firsts[is_new]], first_places[is_new])
        is_repeated = ~is_new[owners]
        is_repeated |= firsts[owners] != np.arange(len(ids))
        repeated = np.flatnonzero(is_repeated)
        return [
            (index, Place(self._paths[(place >> _LINE_BITS) - 1], place & ((1 << _LINE_BITS) - 1) or None))
            for index, place in zip(repeated.tolist(), first_places[owners[repeated]].tolist(), strict=True)
        ]
