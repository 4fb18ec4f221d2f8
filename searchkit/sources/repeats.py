"""Which article ids were read before, and where: 24 to 48 bytes an article, however long its id is.

The ids themselves are not kept, only 64 bits of their hash. Two different ids among ten million share those
with a probability of 3 in a million, and then the worst that happens is one untrue report; no article is lost
by it.
"""

from array import array

from searchkit.sources.reading import Place

_LINE_BITS = 40
_SLOTS_AT_FIRST = 1 << 10


class FirstPlaces:
    """The place where each article id was seen first: an open hash table in two flat arrays."""

    def __init__(self) -> None:
        self._paths: list[str] = []
        self._hashes = array("q", bytes(8 * _SLOTS_AT_FIRST))
        self._places = array("q", bytes(8 * _SLOTS_AT_FIRST))  # 0 marks a free slot
        self._mask = _SLOTS_AT_FIRST - 1
        self._count = 0

    def note(self, article_id: str, place: Place) -> Place | None:
        """Keep ``place`` for ``article_id``; if the id was noted before, return the place of then instead."""
        if not self._paths or self._paths[-1] is not place.path:
            self._paths.append(place.path)
        hashed = hash(article_id)
        slot = hashed & self._mask
        while known := self._places[slot]:
            if self._hashes[slot] == hashed:
                line = known & ((1 << _LINE_BITS) - 1)
                return Place(self._paths[(known >> _LINE_BITS) - 1], line or None)
            slot = (slot + 1) & self._mask
        self._hashes[slot] = hashed
        self._places[slot] = len(self._paths) << _LINE_BITS | (place.line or 0)
        self._count += 1
        if self._count * 3 > self._mask * 2:
            self._grow()
        return None

    def _grow(self) -> None:
        old = zip(self._hashes, self._places, strict=True)
        size = 2 * (self._mask + 1)
        hashes, places = array("q", bytes(8 * size)), array("q", bytes(8 * size))
        self._mask = mask = size - 1
        for hashed, known in old:
            if known:
                slot = hashed & mask
                while places[slot]:
                    slot = (slot + 1) & mask
                hashes[slot], places[slot] = hashed, known
        self._hashes, self._places = hashes, places
