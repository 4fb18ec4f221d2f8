"""Whoosh's posting values and the arrays we keep instead of them.

Whoosh hands a codec each posting with an opaque byte string made by the field's Format: nothing, a count, or
a count and a pickled list of positions, characters, boosts. We read those into numbers, store numbers, and
make the byte string again only for callers that insist on it. A field whose values are anything else (a
Format of somebody's own, the foreign values that Whoosh itself writes) keeps them as they are: kind "raw".

The pickles here live in memory, as Whoosh's interface demands. They are read by an unpickler that refuses
every class and function, so that a value can only ever be numbers and lists.
"""

import io
import pickle
import struct
from array import array
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from whoosh import formats

from searchkit.codec.posting_writer import PostingData
from searchkit.codec.postings import PostingLists
from searchkit.errors import IndexCorrupt

EXISTENCE = "existence"
FREQUENCY = "frequency"
POSITIONS = "positions"
CHARACTERS = "characters"
POSITION_BOOSTS = "position_boosts"
CHARACTER_BOOSTS = "character_boosts"
RAW = "raw"

# Exact types: a subclass may encode as it likes.
_KINDS: dict[type, str] = {
    formats.Existence: EXISTENCE,
    formats.Frequency: FREQUENCY,
    formats.Positions: POSITIONS,
    formats.Characters: CHARACTERS,
    formats.PositionBoosts: POSITION_BOOSTS,
    formats.CharacterBoosts: CHARACTER_BOOSTS,
}
_WITH_CHARACTERS = (CHARACTERS, CHARACTER_BOOSTS)
_WITH_BOOSTS = (POSITION_BOOSTS, CHARACTER_BOOSTS)
_COUNT = struct.Struct("!I")
_LIMIT = 2**31


def kind_of(format_: Any) -> str:
    """Returns which arrays hold the values of a Whoosh format."""
    return _KINDS.get(type(format_), RAW)


class _NumbersOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"a posting value refers to {module}.{name}")


def _unpickle_numbers(data: bytes) -> Any:
    return _NumbersOnly(io.BytesIO(data if data.endswith(b".") else data + b".")).load()


def check_value(value: bytes, format_: Any, place: str) -> None:
    """Raises IndexCorrupt when a raw value holds a pickle that would import something when decoded."""
    if not isinstance(format_, formats.Positions):
        return
    for header in (4, 8):  # a count, or a count and a sum of boosts, before the pickle
        try:
            _unpickle_numbers(value[header:])
        except pickle.UnpicklingError as exc:
            if "refers to" in str(exc):
                raise IndexCorrupt(
                    f"{place}: a posting value would run code ({exc}); restore the index from a backup "
                    "or build it again with `searchkit index`"
                ) from exc
        except Exception:  # what is no pickle at all can raise anything; it runs nothing and stays as it is
            continue


class ValueBuffer:
    """Collects the values of postings as arrays, or as they are once one does not fit the field's kind."""

    def __init__(self, format_: Any) -> None:
        self._format = format_
        self.kind = kind_of(format_)
        self._occurrences = array("I")
        self._positions = array("I")
        self._starts = array("I")
        self._ends = array("I")
        self._boosts = array("d")
        self._values: list[bytes] = []

    def add(self, value: bytes) -> None:
        """Adds the value of the next posting."""
        if self.kind == EXISTENCE:  # stores no value whatever it is given, as Whoosh does
            return
        if self.kind != RAW:
            if self._read(value):
                return
            self._become_raw()
        self._values.append(bytes(value))

    def data(
        self,
        counts: NDArray[np.int64],
        docs: NDArray[np.int32],
        weights: NDArray[np.float32],
        lengths: NDArray[np.uint8] | None,
    ) -> PostingData:
        """Returns everything added, as posting lists."""
        occurrences = _numbers(self._occurrences) if self.kind not in (EXISTENCE, RAW) else None
        with_positions = self.kind in (POSITIONS, *_WITH_CHARACTERS, *_WITH_BOOSTS)
        with_characters = self.kind in _WITH_CHARACTERS
        return PostingData(
            counts=counts,
            docs=docs,
            occurrences=occurrences,
            weights=weights,
            lengths=lengths,
            positions=_numbers(self._positions) if with_positions else None,
            char_starts=_numbers(self._starts) if with_characters else None,
            char_ends=_numbers(self._ends) if with_characters else None,
            boosts=np.array(self._boosts, dtype=np.float64) if self.kind in _WITH_BOOSTS else None,
            values=self._values if self.kind == RAW else None,
        )

    def _read(self, value: bytes) -> bool:
        """Adds a value to the arrays; False, and nothing added, when it is not what the kind should be."""
        if len(value) < _COUNT.size:
            return False
        (count,) = _COUNT.unpack_from(value)
        if not 1 <= count < _LIMIT:
            return False
        if self.kind == FREQUENCY:  # what follows the count is foreign; Whoosh cuts it off too
            self._occurrences.append(count)
            return True
        try:
            codes = _unpickle_numbers(value[8 if self.kind in _WITH_BOOSTS else 4 :])
            rows = _running(codes, self.kind)
        except Exception:  # foreign bytes can raise anything here, and are kept as they are
            return False
        if len(rows) != count:
            return False
        self._occurrences.append(count)
        for position, start, end, boost in rows:
            self._positions.append(position)
            if self.kind in _WITH_CHARACTERS:
                self._starts.append(start)
                self._ends.append(end)
            if self.kind in _WITH_BOOSTS:
                self._boosts.append(boost)
        return True

    def _become_raw(self) -> None:
        encode = value_encoder(self.kind, self._format)
        place = 0
        for count in self._occurrences:
            end = place + count
            self._values.append(
                encode(
                    count,
                    self._positions[place:end].tolist(),
                    self._starts[place:end].tolist(),
                    self._ends[place:end].tolist(),
                    self._boosts[place:end].tolist(),
                )
            )
            place = end
        self.kind = RAW


def _numbers(numbers: "array[int]") -> NDArray[np.int64]:
    return np.frombuffer(numbers, dtype=np.uintc).astype(np.int64) if numbers else np.zeros(0, dtype=np.int64)


def _running(codes: Any, kind: str) -> list[tuple[int, int, int, float]]:
    """Returns (position, start, end, boost) of each occurrence from the differences in a value."""
    if type(codes) is not list:
        raise ValueError("not a list")
    position = start = end = 0
    boost = 1.0
    rows = []
    for code in codes:
        if kind == POSITIONS:
            step = code
        elif kind == POSITION_BOOSTS:
            step, boost = code
        else:
            step, gap, size = code[:3]
            start, end = end + gap, end + gap + size
            if kind == CHARACTER_BOOSTS:
                boost = code[3]
            elif len(code) != 3:
                raise ValueError("not three numbers")
        position += step
        if type(position) is not int or type(end) is not int or not 0 <= position < _LIMIT:
            raise ValueError("not a position")
        if not (0 <= start < _LIMIT and 0 <= end < _LIMIT) or type(boost) not in (int, float):
            raise ValueError("not a place")
        rows.append((position, start, end, float(boost)))
    return rows


Encoder = Callable[[int, list[int], list[int], list[int], list[float]], bytes]


def value_encoder(kind: str, format_: Any) -> Encoder:
    """Returns the function from (count, positions, starts, ends, boosts) to Whoosh's value of a kind.

    The format given is used when it is of that kind (its boost may matter), a default one otherwise.
    """
    if kind_of(format_) != kind:
        format_ = {name: cls for cls, name in _KINDS.items()}[kind]()
    encoders: dict[str, Encoder] = {
        EXISTENCE: lambda count, positions, starts, ends, boosts: b"",
        FREQUENCY: lambda count, positions, starts, ends, boosts: _COUNT.pack(count),
        POSITIONS: lambda count, positions, starts, ends, boosts: format_.encode(positions),
        CHARACTERS: lambda count, positions, starts, ends, boosts: format_.encode(
            list(zip(positions, starts, ends, strict=True))
        ),
        POSITION_BOOSTS: lambda count, positions, starts, ends, boosts: format_.encode(
            list(zip(positions, boosts, strict=True))
        ),
        CHARACTER_BOOSTS: lambda count, positions, starts, ends, boosts: format_.encode(
            list(zip(positions, starts, ends, boosts, strict=True))
        )[0],
    }
    return encoders[kind]


class ListValues:
    """The values of one posting list, decoded when the first is asked for."""

    def __init__(self, lists: PostingLists, ordinal: int, kind: str, format_: Any, place: str) -> None:
        self._lists = lists
        self._ordinal = ordinal
        self._kind = kind
        self._format = format_
        self._place = place
        self._starts: list[int] | None = None
        self._raw: list[bytes] | None = None
        self._columns: tuple[list[int], list[int], list[int], list[float]] = ([], [], [], [])
        self._encode = None if kind == RAW else value_encoder(kind, format_)

    def value(self, index: int) -> bytes:
        """Returns the value of a posting as Whoosh's format would have encoded it."""
        if self._encode is None:
            if self._raw is None:
                self._raw = self._lists.values(self._ordinal)
            check_value(self._raw[index], self._format, self._place)
            return self._raw[index]
        start, end = self._bounds(index)
        positions, starts, ends, boosts = self._columns
        return self._encode(end - start, positions[start:end], starts[start:end], ends[start:end], boosts[start:end])

    def shape(self, index: int, name: str) -> Any:
        """Returns the value of a posting in a shape its format supports; None when only the format can."""
        if self._kind != RAW and kind_of(self._format) == self._kind:
            start, end = self._bounds(index)
            positions, starts, ends, boosts = self._columns
            if name == "frequency":
                return end - start
            if name == "positions" and positions:
                return positions[start:end]
            if name == "characters" and starts:
                return list(zip(positions[start:end], starts[start:end], ends[start:end], strict=True))
            if name == "position_boosts" and boosts:
                return list(zip(positions[start:end], boosts[start:end], strict=True))
        return None

    def _bounds(self, index: int) -> tuple[int, int]:
        if self._starts is None:
            self._decode()
        assert self._starts is not None
        return self._starts[index], self._starts[index + 1]

    def _decode(self) -> None:
        lists, ordinal, kind = self._lists, self._ordinal, self._kind
        positions: list[int] = []
        starts: list[int] = []
        ends: list[int] = []
        boosts: list[float] = []
        offsets = np.concatenate([[0], np.cumsum(lists.occurrences(ordinal))])
        if kind not in (EXISTENCE, FREQUENCY):
            positions = lists.positions(ordinal)[1].tolist()
        if kind in _WITH_CHARACTERS:
            _, first, end = lists.characters(ordinal)
            starts, ends = first.tolist(), end.tolist()
        if kind in _WITH_BOOSTS:
            boosts = lists.boosts(ordinal).tolist()
        self._columns = (positions, starts, ends, boosts)
        self._starts = offsets.tolist()  # last, so that a second thread sees the columns
