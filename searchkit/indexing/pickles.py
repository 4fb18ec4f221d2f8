"""Pickles read as data: lists, dictionaries, sets, tuples, texts and numbers. Nothing is imported, called or made.

Unpickling runs whatever a file says, so nothing in searchkit does. Of the pickle language (described in CPython's
Lib/pickletools.py) `read_pickle` knows the operations that Whoosh's tables of contents and stored fields are written
with, and makes of an object a `Record`, which says the class somebody wants and its attributes. Whoever asked looks at
it. This is the only module that deals with pickles.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_INT = struct.Struct(">i")
_FLOAT = struct.Struct(">d")
_MAX_OPERATIONS = 1_000_000  # a second or so; a segment takes 40, a deletion in a stock segment one


@dataclass(eq=False, slots=True)
class Record:
    """An object as a pickle describes it: the module and name of its class, and its attributes."""

    kind: tuple[str, str]
    state: Any = field(default_factory=dict)


class Source:
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


def read_pickle(source: Source) -> Any:
    """The value that a pickle describes. Time and memory are bounded by its length; ValueError for what is unknown.

    What it names twice is there once: values may hold each other, and themselves. Nonsense may also raise LookupError,
    TypeError or struct.error.
    """
    stack: list[Any] = []
    outer: list[list[Any]] = []  # the stacks below each mark
    memo: dict[int, Any] = {}
    for _ in range(_MAX_OPERATIONS):
        operation = source.take(1)
        if operation in _LITERALS:
            stack.append(_LITERALS[operation](source))
        elif operation == b"\x94":  # MEMOIZE
            memo[len(memo)] = stack[-1]
        elif operation in (b"q", b"r"):  # BINPUT, LONG_BINPUT
            place = source.little(1 if operation == b"q" else 4)
            if place > len(memo):
                raise ValueError(f"it keeps something as number {place} after {len(memo)} others")
            memo[place] = stack[-1]
        elif operation == b"h":  # BINGET
            stack.append(memo[source.little(1)])
        elif operation == b"j":  # LONG_BINGET
            stack.append(memo[source.little(4)])
        elif operation == b"(":  # MARK
            outer.append(stack)
            stack = []
        elif operation == b"t":  # TUPLE
            values, stack = stack, outer.pop()
            stack.append(tuple(values))
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


_LITERALS: dict[bytes, Callable[[Source], Any]] = {
    b"N": lambda source: None,
    b"\x88": lambda source: True,
    b"\x89": lambda source: False,
    b"K": lambda source: source.little(1),
    b"M": lambda source: source.little(2),
    b"J": lambda source: source.little(4, signed=True),
    b"\x8a": lambda source: source.little(source.little(1), signed=True),  # at most 255 bytes
    b"G": lambda source: _FLOAT.unpack(source.take(8))[0],
    b"\x8c": lambda source: source.take(source.little(1)).decode(),
    b"X": lambda source: source.take(source.little(4)).decode(),
    b"C": lambda source: source.take(source.little(1)),
    b"B": lambda source: source.take(source.little(4)),
    b")": lambda source: (),
    b"]": lambda source: [],
    b"}": lambda source: {},
    b"\x8f": lambda source: set(),
}
"""NONE, NEWTRUE, NEWFALSE, BININT1, BININT2, BININT, LONG1, BINFLOAT, SHORT_BINUNICODE, BINUNICODE, SHORT_BINBYTES,
BINBYTES, EMPTY_TUPLE, EMPTY_LIST, EMPTY_DICT, EMPTY_SET."""

_GATHERINGS: dict[bytes, Callable[[Any, list[Any]], Any]] = {b"e": _extended, b"u": _set_items, b"\x90": _add_items}
"""APPENDS, SETITEMS, ADDITEMS: what stands above the last mark goes into what stands below it."""

_COMBINATIONS: dict[bytes, tuple[int, Callable[..., Any]]] = {
    b"a": (2, lambda target, value: _extended(target, [value])),
    b"s": (3, lambda target, key, value: _set_items(target, [key, value])),
    b"\x93": (2, _named),
    b"\x81": (2, _instance),
    b"\x85": (1, lambda value: (value,)),
    b"\x86": (2, lambda first, second: (first, second)),
    b"\x87": (3, lambda first, second, third: (first, second, third)),
    b"R": (2, _called),
    b"b": (2, _built),
}
"""APPEND, SETITEM, STACK_GLOBAL, NEWOBJ, TUPLE1, TUPLE2, TUPLE3, REDUCE, BUILD: they take values and put one back."""
