"""Arrays of non-negative integers that are mostly small, and offsets made of them.

A packed array has levels. The base level holds one code of 1, 2, 4, 8, 16 or 32 bits a value; the all-ones
code means "look in the next level", where the escaped values stand in order. To read a slice one must know
how many escapes come before it: every RANK_STEP values the count is written down, the rest is counted. The
base width is the one that gives the smallest total.

Offsets are a packed array of group lengths with the running total written down every SUM_STEP groups.
Both read any slice without touching the rest of the file. Values are at most 2**32 - 1; totals are int64.

Arrays of a packed array called x: x (base level), x.8 x.16 x.32 (the levels above it that are needed) and
x.rank, x.8.rank ... (escapes before every RANK_STEP-th value of that level); offsets add x.sum.
meta["packed"][x] is [number of values, base width].
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.codec.container import Container, ContainerWriter, corrupt
from searchkit.codec.kernels import (
    WIDTHS,
    choose_width,
    escapes_before,
    escapes_of,
    narrowest,
    pack_codes,
    starts_of,
    unpack_codes,
    unpack_codes_at,
)

RANK_STEP = 256
SUM_STEP = 64
SPARSE = 32  # values are looked up one by one when there are so many others for each
KEPT_BYTES = 1 << 20  # of an array that is written in pieces; what is more waits in a temporary file
PROMOTE_AFTER = 256  # single look-ups after which an array decodes itself once and for all

_WIDER = (8, 16, 32)
_MAX = 2**32 - 1


def write_packed(writer: ContainerWriter, name: str, values: NDArray[np.integer]) -> None:
    """Writes an array of integers from 0 to 2**32 - 1 under a name, in the cheapest width."""
    packed = PackedWriter(writer, name)
    packed.extend(values)
    packed.close()


class ArrayWriter:
    """Writes an array that comes piece by piece; until it is closed a temporary file keeps what is much.

    With `at_once` it goes to the file as it comes in; the container takes nothing else until the array is closed.
    """

    def __init__(self, writer: ContainerWriter, name: str, dtype: str, *, at_once: bool = False) -> None:
        self._writer = writer
        self._name = name
        self._dtype = dtype
        self._pieces: list[NDArray[Any]] = []
        self._kept = 0  # bytes of them
        self._aside: list[tuple[int, int]] = []  # where those before them are
        self._is_begun = at_once
        if at_once:
            writer.begin(name, dtype)

    def extend(self, piece: NDArray[Any]) -> None:
        """Takes in the next elements, which have the dtype of the array."""
        if self._is_begun:
            self._writer.append_array(piece)
            return
        if self._kept > KEPT_BYTES:
            self._aside.append(self._writer.put_aside(np.concatenate(self._pieces).tobytes()))
            self._pieces, self._kept = [], 0
        self._pieces.append(piece)
        self._kept += piece.nbytes

    def close(self) -> None:
        """Writes what is not in the file yet."""
        if not self._is_begun:
            self._writer.begin(self._name, self._dtype)
            for place in self._aside:
                self._writer.append(self._writer.read_aside(*place))
            for piece in self._pieces:
                self._writer.append_array(piece)
        self._writer.end()


class PackedWriter:
    """Writes a packed array whose values come piece by piece, as an `ArrayWriter` does.

    The base width is the one given, or the cheapest for the first piece; with `at_once` it must be given.
    """

    def __init__(
        self, writer: ContainerWriter, name: str, bits: int | None = None, *, at_once: bool = False, level_of: str = ""
    ) -> None:
        self._writer = writer
        self._name = name
        self._bits = bits
        self._array = level_of or name  # the packed array of which this is a level
        self._length = 0
        self._base = ArrayWriter(writer, name, _dtype_name(self.bits), at_once=True) if at_once else None
        self._waiting = np.zeros(0, dtype=np.uint8)  # codes that do not fill a byte yet
        self._next_level: PackedWriter | None = None
        self._ranks: list[NDArray[np.int64]] = []  # empty before the first escape

    @property
    def bits(self) -> int:
        """The base width."""
        return WIDTHS[-1] if self._bits is None else self._bits

    def extend(self, values: NDArray[np.integer]) -> None:
        """Takes in the next values; ValueError when one is not from 0 to 2**32 - 1."""
        if not len(values):
            return
        largest = int(values.max())
        if largest > _MAX or (values.dtype.kind == "i" and int(values.min()) < 0):
            raise ValueError(f"array {self._name}: values must lie between 0 and {_MAX}")
        codes = values.astype(narrowest(largest), copy=False)
        if self._bits is None:
            self._bits = choose_width(len(codes), escapes_of(codes)) if largest else 1
        bits, escape = self._bits, (1 << self._bits) - 1
        if largest >= escape and bits < WIDTHS[-1]:
            codes = self._escaping(codes, escape)
        elif self._next_level is not None:
            self._count_escapes(np.zeros(0, dtype=np.int64), len(codes))
        self._length += len(codes)
        codes = codes.astype(_dtype_name(bits), copy=False)
        if bits < 8:
            if len(self._waiting):
                codes = np.concatenate([self._waiting, codes])
            whole = len(codes) - len(codes) % (8 // bits)
            codes, self._waiting = pack_codes(codes[:whole], bits), codes[whole:]
        self._codes().extend(codes)

    def close(self) -> None:
        """Writes what is not in the file yet."""
        if self._array == self._name:
            self._writer.meta.setdefault("packed", {})[self._name] = [self._length, self.bits]
        if len(self._waiting):
            self._codes().extend(pack_codes(self._waiting, self.bits))
        self._codes().close()
        if self._next_level is not None:
            self._writer.add(f"{self._name}.rank", np.concatenate(self._ranks).astype(np.uint32))
            self._next_level.close()

    def _codes(self) -> ArrayWriter:
        if self._base is None:
            self._base = ArrayWriter(self._writer, self._name, _dtype_name(self.bits))
        return self._base

    def _escaping(self, codes: NDArray[Any], escape: int) -> NDArray[Any]:
        """The codes, with escapes for those that the base level does not hold: they go to the next level."""
        places = np.flatnonzero(codes >= escape)
        if self._next_level is None:
            wider = next(wider for wider in _WIDER if wider > self.bits)
            self._next_level = PackedWriter(self._writer, f"{self._array}.{wider}", wider, level_of=self._array)
            self._ranks.append(np.zeros(-(-self._length // RANK_STEP), dtype=np.int64))
        self._count_escapes(places, len(codes))
        self._next_level.extend(codes[places])
        return np.asarray(np.minimum(codes, escape))

    def _count_escapes(self, places: NDArray[np.int64], count: int) -> None:
        """Notes the escapes before each `RANK_STEP`-th of the next ``count`` values, given where they stand."""
        if self._next_level is not None:
            steps = np.arange(-self._length % RANK_STEP, count, RANK_STEP)
            self._ranks.append(places.searchsorted(steps) + self._next_level._length)


def _dtype_name(bits: int) -> str:
    return "u1" if bits <= 8 else f"<u{bits // 8}"


def write_offsets(writer: ContainerWriter, name: str, counts: NDArray[np.integer]) -> None:
    """Writes the offsets of groups of these lengths."""
    offsets = OffsetsWriter(writer, name)
    offsets.extend(counts)
    offsets.close()


class OffsetsWriter:
    """Writes the offsets of groups whose lengths come piece by piece; see `PackedWriter`."""

    def __init__(self, writer: ContainerWriter, name: str, bits: int | None = None) -> None:
        self._writer = writer
        self._name = name
        self._counts = PackedWriter(writer, name, bits)
        self._group_count = 0
        self._total = 0
        self._sums: list[NDArray[np.uint64]] = []

    def extend(self, counts: NDArray[np.integer]) -> None:
        """Takes in the lengths of the next groups."""
        self._counts.extend(counts)
        starts = starts_of(counts)
        steps = starts[:-1][-self._group_count % SUM_STEP :: SUM_STEP] + self._total
        self._sums.append(steps.astype(np.uint64))
        self._group_count += len(counts)
        self._total += int(starts[-1])

    def close(self) -> None:
        """Writes what is not in the file yet."""
        self._counts.close()
        self._writer.add(f"{self._name}.sum", np.concatenate([np.zeros(0, dtype=np.uint64), *self._sums]))


class PackedArray:
    """Reads a packed array; slices are uint32 arrays that the caller owns."""

    def __init__(self, container: Container, name: str) -> None:
        self._container = container
        self._name = name
        self._lookups = 0
        self._decoded: NDArray[np.uint32] | None = None
        shape = container.section("packed").get(name)
        if not (isinstance(shape, list) and len(shape) == 2 and all(type(part) is int for part in shape)):
            raise corrupt(container.name, f"packed array {name!r} is missing")
        self._length, bits = shape
        if bits not in (1, 2, 4, 8, 16, 32) or self._length < 0:
            raise corrupt(container.name, f"packed array {name!r} is described as {shape!r}")
        self._levels: list[tuple[int, NDArray[Any], NDArray[np.uint32] | None]] = []
        level_name = name
        while True:
            codes = container.array(level_name)
            expected = "u1" if bits <= 8 else f"<u{bits // 8}"
            if codes.dtype != np.dtype(expected):
                raise corrupt(container.name, f"packed array {level_name!r} has dtype {codes.dtype}")
            ranks = container.array(f"{level_name}.rank") if f"{level_name}.rank" in container else None
            self._levels.append((bits, codes, ranks))
            if ranks is None or bits == 32:
                break
            bits = next(wider for wider in _WIDER if wider > bits)
            level_name = f"{name}.{bits}"
        first_bits, first_codes, _ = self._levels[0]
        if self._length * first_bits > first_codes.nbytes * 8:
            raise corrupt(container.name, f"packed array {name!r} is cut off")

    def __len__(self) -> int:
        length: int = self._length
        return length

    @property
    def bits(self) -> int:
        """The base width."""
        return self._levels[0][0]

    def slice(self, start: int, stop: int) -> NDArray[np.uint32]:
        """Returns values start to stop; IndexCorrupt when they do not exist."""
        if not 0 <= start <= stop <= self._length:
            raise corrupt(self._container.name, f"{self._name!r} has no values {start} to {stop}")
        return np.array(self._read(0, start, stop), dtype=np.uint32)

    def narrow(self, start: int, stop: int) -> NDArray[np.unsignedinteger]:
        """Returns what `slice` does in about as few bytes as the values need; nobody may change it."""
        if not 0 <= start <= stop <= self._length:
            raise corrupt(self._container.name, f"{self._name!r} has no values {start} to {stop}")
        return self._read(0, start, stop)

    def nonzero(self, start: int, stop: int) -> tuple[NDArray[np.int64], NDArray[np.unsignedinteger]]:
        """Returns where between start and stop, counted from start, values are not 0, and these values."""
        values = self.narrow(start, stop)
        places = values.astype(np.bool_).nonzero()[0]  # as bool, because nonzero of integers takes longer
        return places, values[places]

    def value(self, index: int) -> int:
        """Returns one value; after many such questions, as an expanded prefix asks, from a decoded copy."""
        if self._decoded is None:
            self._lookups += 1
            if self._lookups < PROMOTE_AFTER:
                return int(self.slice(index, index + 1)[0])
            self._decoded = self.all()
        if not 0 <= index < self._length:
            raise corrupt(self._container.name, f"{self._name!r} has no value {index}")
        return int(self._decoded[index])

    def at(self, indexes: NDArray[np.int64]) -> NDArray[np.uint32]:
        """Returns the values at rising indexes; IndexCorrupt when they do not exist."""
        if not len(indexes):
            return np.zeros(0, dtype=np.uint32)
        first, last = int(indexes[0]), int(indexes[-1])
        if not 0 <= first <= last < self._length:
            raise corrupt(self._container.name, f"{self._name!r} has no values {first} to {last}")
        return self._read_at(0, indexes, last + 1 - first).astype(np.uint32)

    def all(self) -> NDArray[np.uint32]:
        """Returns all values."""
        return self.slice(0, self._length)

    def _read(self, level: int, start: int, stop: int) -> NDArray[np.unsignedinteger]:
        bits, packed, ranks = self._levels[level]
        begin = start if ranks is None else start - start % RANK_STEP  # from where escapes are counted
        codes = unpack_codes(packed, bits, begin, stop) if bits < 8 else packed[begin:stop]
        if len(codes) != stop - begin:
            raise corrupt(self._container.name, f"{self._name!r} is cut off")
        if ranks is None:
            return codes
        escaped = (codes == codes.dtype.type((1 << bits) - 1)).nonzero()[0]
        codes = codes[start - begin :]
        skipped = int(escaped.searchsorted(start - begin)) if start > begin else 0
        if skipped == len(escaped):
            return codes
        if begin // RANK_STEP >= len(ranks):
            raise corrupt(self._container.name, f"{self._name!r} is cut off")
        before = ranks.item(begin // RANK_STEP) + skipped
        places = escaped[skipped:] if begin == start else escaped[skipped:] - (start - begin)
        wider = self._read(level + 1, before, before + len(places))
        values = codes.astype(wider.dtype, copy=bits >= 8)  # below 8 bits they are not the file's own
        values[places] = wider
        return values

    def _read_at(self, level: int, indexes: NDArray[np.int64], stretch: int) -> NDArray[np.unsignedinteger]:
        """The values of a level at rising indexes, which lie in a stretch of so many values.

        Few far apart are looked up one by one, many are taken from the whole stretch.
        """
        bits, packed, ranks = self._levels[level]
        if stretch > len(indexes) * SPARSE:
            if int(indexes[-1]) * bits // 8 >= packed.nbytes:
                raise corrupt(self._container.name, f"{self._name!r} is cut off")
            codes = unpack_codes_at(packed, bits, indexes) if bits < 8 else packed[indexes]
            if ranks is None:
                return codes
            escaped = (codes == codes.dtype.type((1 << bits) - 1)).nonzero()[0]
            if not len(escaped):
                return codes
            if bits <= 8 and stretch > len(escaped) * RANK_STEP * bits // 8:
                places = indexes[escaped]
                steps = places // RANK_STEP
                if int(steps[-1]) >= len(ranks):
                    raise corrupt(self._container.name, f"{self._name!r} is cut off")
                places = ranks[steps] + escapes_before(packed, bits, places, RANK_STEP)
                if (places[1:] <= places[:-1]).any():
                    raise corrupt(self._container.name, f"{self._name!r} counts its escapes wrong")
                wider = self._read_at(level + 1, places, int(places[-1] - places[0]) + 1)
                values = codes.astype(wider.dtype)
                values[escaped] = wider
                return values
        first = int(indexes[0])
        return self._read(level, first, int(indexes[-1]) + 1)[indexes - first]


class Offsets:
    """Reads the offsets of consecutive groups: where group i starts and ends."""

    def __init__(self, container: Container, name: str) -> None:
        self._container = container
        self._name = name
        self._counts = PackedArray(container, name)
        self._sums = container.array(f"{name}.sum")
        self._lookups = 0
        self._kept: NDArray[np.unsignedinteger] | None = None
        if len(self._sums) != -(-len(self._counts) // SUM_STEP):
            raise corrupt(container.name, f"offsets {name!r} are cut off")

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def bits(self) -> int:
        """The base width of the lengths."""
        return self._counts.bits

    def bounds(self, group: int) -> tuple[int, int]:
        """Returns the start and end of one group."""
        if self._kept is None:
            self._lookups += 1
            if self._lookups < PROMOTE_AFTER:
                step = group // SUM_STEP
                counts = self._counts.slice(step * SUM_STEP, group + 1).tolist()
                end = int(self._sums[step]) + sum(counts)
                return end - counts[-1], end
            decoded = self.all()
            self._kept = decoded.astype(np.uint32 if int(decoded[-1]) < 2**32 else np.uint64)
        starts = self._kept
        if not 0 <= group < len(starts) - 1:
            raise corrupt(self._container.name, f"offsets {self._name!r} have no group {group}")
        return starts.item(group), starts.item(group + 1)

    def counts(self, first: int, last: int) -> NDArray[np.int64]:
        """Returns the lengths of groups first to last."""
        starts = self._kept
        if starts is None or not 0 <= first <= last < len(starts):
            return self._counts.slice(first, last).astype(np.int64)
        return np.diff(starts[first : last + 1]).astype(np.int64)

    def start(self, group: int) -> int:
        """Returns where a group starts; for the number of groups, the total length."""
        if group < len(self._counts):
            return self.bounds(group)[0]
        return self.bounds(group - 1)[1] if group else 0

    def all(self) -> NDArray[np.int64]:
        """Returns len + 1 offsets; the last is the total length."""
        if self._kept is None:
            return starts_of(self._counts.all().astype(np.int64))
        return self._kept.astype(np.int64)
