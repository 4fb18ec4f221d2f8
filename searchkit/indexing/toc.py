"""The table of contents of a generation, read without trusting it.

Whoosh writes `_MAIN_<generation>.toc`: a header, the pickled schema, and the pickled list of segments. Unpickling
runs whatever a file says, so nothing here does. The schema is skipped, as it follows from the settings of the
archive. Of the pickle language (protocol 5, described in CPython's Lib/pickletools.py) `_read_pickle` knows the
two dozen operations that a list of segments is written with, and makes lists, dictionaries, sets, texts, numbers
and `Record`s, which say the class somebody wants and its attributes. `segments.py` makes segments of the records
whose class it knows, after looking at every attribute. This is the only module that deals with pickles.

`IndexStorage` puts a checksum behind the table; Whoosh ignores it, and a table without one was written by plain
Whoosh.
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from searchkit.errors import IndexCorrupt, IndexTooNew, IndexTooOld

VERSION = -111
"""The format of the table that Whoosh 3.54 writes; its numbers count down."""

_SIZES = (4, 8, 4)  # of int, long and float where the table was written
_BYTE_ORDER_MARK = -12345
_CHECKSUM = struct.Struct("<8sI")
_CHECKSUM_MAGIC = b"\x89SKTOC\r\n"
_INT = struct.Struct(">i")
_MAX_OPERATIONS = 1_000_000  # a second or so; a segment takes 40, a deletion in a stock segment one

_NEXT_STEP = "restore it from a backup or index the articles again into a new folder"


@dataclass(eq=False, slots=True)
class Record:
    """An object as the table describes it: the module and name of its class, and its attributes."""

    kind: tuple[str, str]
    state: Any = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """What a table of contents says: its generation, the Whoosh that wrote it, and its segments, unvetted."""

    generation: int
    release: tuple[int, ...]
    segments: tuple[Record, ...]


def with_checksum(table: bytes) -> bytes:
    """The bytes of a table of contents with its checksum behind them."""
    return table + _CHECKSUM.pack(_CHECKSUM_MAGIC, zlib.crc32(table))


def read_table(data: bytes, name: str) -> Table:
    """The table of contents in ``data``, the bytes of the file ``name``.

    Raises IndexCorrupt, IndexTooOld or IndexTooNew, with the name of the file.
    """
    has_checksum = _CHECKSUM_MAGIC in data[-_CHECKSUM.size :]
    if has_checksum:
        table, checksum = data[: -_CHECKSUM.size], data[-_CHECKSUM.size :]
        if checksum != _CHECKSUM.pack(_CHECKSUM_MAGIC, zlib.crc32(table)):
            raise corrupt(name, "it does not match its checksum")
        data = table
    try:
        return _read(data, name)
    except (ValueError, LookupError, TypeError, struct.error, UnicodeDecodeError) as exc:
        raise corrupt(name, str(exc) or type(exc).__name__) from exc


def corrupt(name: str, reason: str) -> IndexCorrupt:
    """The error for a damaged file of the index."""
    return IndexCorrupt(f"{name} is damaged: {reason}; {_NEXT_STEP}")


def _read(data: bytes, name: str) -> Table:
    source = _Source(data)
    sizes = tuple(source.varint() for _ in range(3))
    if sizes != _SIZES or source.big() != _BYTE_ORDER_MARK:
        raise ValueError("it does not begin like a table of contents")
    version = source.big()
    if version != VERSION:
        _refuse_version(name, version)
    release = tuple(source.varint() for _ in range(3))
    source.take(source.varint())  # the schema
    generation = source.big()
    source.big()  # unused
    segments = _read_pickle(source)
    if source.position != len(data):
        raise ValueError(f"something follows its end at byte {source.position}")
    if type(segments) is not list or any(type(segment) is not Record for segment in segments):
        raise ValueError("it has no list of segments")
    return Table(generation, release, tuple(segments))


def _refuse_version(name: str, version: int) -> None:
    if VERSION < version <= -100:  # the first format of Whoosh 0.1 was -101
        raise IndexTooOld(f"{name} has format {version}, this version reads {VERSION}; index the articles again")
    if -200 < version < VERSION:
        raise IndexTooNew(f"{name} has format {version}, this version reads {VERSION}; update searchkit and whoosh3")
    raise ValueError(f"{version} is no format of a table of contents")


class _Source:
    """Bytes that are taken from the front; ValueError where there are not enough."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def take(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self.data):
            raise ValueError(f"it is cut off at byte {len(self.data)}")
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def varint(self) -> int:
        value = 0
        for shift in range(0, 35, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ValueError(f"a number at byte {self.position} has no end")

    def big(self) -> int:
        value: int = _INT.unpack(self.take(4))[0]
        return value

    def little(self, size: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(size), "little", signed=signed)


def _read_pickle(source: _Source) -> Any:
    """The value that a pickle describes. Time and memory are bounded by its length; ValueError for what is unknown."""
    stack: list[Any] = []
    outer: list[list[Any]] = []  # the stacks below each mark
    memo: list[Any] = []
    for _ in range(_MAX_OPERATIONS):
        operation = source.take(1)
        if operation in _LITERALS:
            stack.append(_LITERALS[operation](source))
        elif operation == b"\x94":  # MEMOIZE
            memo.append(stack[-1])
        elif operation == b"h":  # BINGET
            stack.append(memo[source.little(1)])
        elif operation == b"j":  # LONG_BINGET
            stack.append(memo[source.little(4)])
        elif operation == b"(":  # MARK
            outer.append(stack)
            stack = []
        elif operation in _GATHERINGS:
            values, stack = stack, outer.pop()
            _GATHERINGS[operation](stack[-1], values)
        elif operation in _COMBINATIONS:
            count, combine = _COMBINATIONS[operation]
            values = [stack.pop() for _ in range(count)]
            stack.append(combine(*reversed(values)))
        elif operation in (b"\x80", b"\x95"):  # PROTO, FRAME
            source.take(1 if operation == b"\x80" else 8)
        elif operation == b".":  # STOP
            return stack.pop()
        else:
            raise ValueError(f"operation {operation!r} at byte {source.position - 1} is not allowed")
    raise ValueError(f"it takes more than {_MAX_OPERATIONS:,} operations")


def _extended(target: Any, values: list[Any]) -> Any:
    _expect(list, target).extend(values)
    return target


def _set_items(target: Any, values: list[Any]) -> Any:
    keys = values[::2]
    if len(values) % 2 or any(type(key) is not str for key in keys):  # hashing a text never recurses
        raise ValueError("a dictionary has keys that are no texts")
    _expect(dict, target).update(zip(keys, values[1::2], strict=True))
    return target


def _add_items(target: Any, values: list[Any]) -> Any:
    if any(type(value) is not int for value in values):
        raise ValueError("a set has members that are no numbers")
    _expect(set, target).update(values)
    return target


def _named(module: Any, name: Any) -> Record:
    return Record((_expect(str, module), _expect(str, name)))


def _instance(kind: Any, arguments: Any) -> Record:
    if arguments != ():
        raise ValueError("an object is made with arguments")
    return Record(_expect(Record, kind).kind)


def _called(function: Any, _arguments: Any) -> dict[str, Any]:
    if _expect(Record, function).kind != ("collections", "defaultdict"):
        raise ValueError(f"{'.'.join(function.kind):.100} is called")
    return {}


def _built(target: Any, state: Any) -> Record:
    record: Record = _expect(Record, target)
    record.state = state
    return record


def _expect(kind: type, value: Any) -> Any:
    """``value``, whose type must be exactly ``kind``; what it is is not shown, as showing can take for ever."""
    if type(value) is not kind:
        raise ValueError(f"{type(value).__name__} stands where {kind.__name__} is expected")
    return value


_LITERALS: dict[bytes, Callable[[_Source], Any]] = {
    b"N": lambda source: None,
    b"\x88": lambda source: True,
    b"\x89": lambda source: False,
    b"K": lambda source: source.little(1),
    b"M": lambda source: source.little(2),
    b"J": lambda source: source.little(4, signed=True),
    b"\x8a": lambda source: source.little(source.little(1), signed=True),  # at most 255 bytes
    b"\x8c": lambda source: source.take(source.little(1)).decode(),
    b"X": lambda source: source.take(source.little(4)).decode(),
    b"C": lambda source: source.take(source.little(1)),
    b"B": lambda source: source.take(source.little(4)),
    b")": lambda source: (),
    b"]": lambda source: [],
    b"}": lambda source: {},
    b"\x8f": lambda source: set(),
}
"""NONE, NEWTRUE, NEWFALSE, BININT1, BININT2, BININT, LONG1, SHORT_BINUNICODE, BINUNICODE, SHORT_BINBYTES, BINBYTES,
EMPTY_TUPLE, EMPTY_LIST, EMPTY_DICT, EMPTY_SET."""

_GATHERINGS: dict[bytes, Callable[[Any, list[Any]], Any]] = {b"e": _extended, b"u": _set_items, b"\x90": _add_items}
"""APPENDS, SETITEMS, ADDITEMS: what stands above the last mark goes into what stands below it."""

_COMBINATIONS: dict[bytes, tuple[int, Callable[..., Any]]] = {
    b"a": (2, lambda target, value: _extended(target, [value])),
    b"s": (3, lambda target, key, value: _set_items(target, [key, value])),
    b"\x93": (2, _named),
    b"\x81": (2, _instance),
    b"\x85": (1, lambda value: (value,)),
    b"R": (2, _called),
    b"b": (2, _built),
}
"""APPEND, SETITEM, STACK_GLOBAL, NEWOBJ, TUPLE1, REDUCE, BUILD: they take values and put one back."""
