"""One file of named arrays: written once, opened by one mmap, every array with its checksum.

The byte layout is in FORMAT.md. A writer puts arrays one after another, each at a multiple of 64 bytes, then
a JSON directory and a trailer; it writes under a temporary name and renames when all is there, so a file
under its own name is complete. Opening checks both ends of the file and the checksum of the directory; the directory
is parsed, an entry in it checked and an array made a view of the mapping when it is first asked for.

    with ContainerWriter(create, publish, kind="documents") as writer:
        writer.add("lengths", np.array([3, 5], dtype=np.uint8))
    container = Container.open(file, name, kind="documents")
    container.array("lengths")

Small arrays are checked against their checksum when first read, large ones by verify(). Damage of any kind
raises IndexCorrupt with the file's name; readers above use `damage` to turn the arithmetic of nonsense
(a short slice, an overflow) into the same error.
"""

import json
import mmap
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType
from typing import IO, Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from searchkit.errors import IndexCorrupt, IndexTooNew, IndexTooOld

FORMAT_VERSION = 1
OLDEST_READABLE = 1

MAGIC = b"\x89SKARR\r\n"  # the high bit and the line ending show a file that a transfer has mangled
END_MAGIC = b"\x89SKEND\r\n"
HEADER = struct.Struct("<8sHH12s40x")  # magic, version, reserved, kind
TRAILER = struct.Struct("<QQII8s")  # directory offset, directory length, directory crc32, reserved, magic
ALIGNMENT = 64
_COPIED_AT_ONCE = 1 << 20
CHECKED_ON_READ = 1 << 16  # crc32 of 64 KiB takes 40 microseconds, once a file and array

# The only element types a file may name: plain numbers, little-endian.
DTYPES = ("u1", "<u2", "<u4", "<u8", "i1", "<i2", "<i4", "<i8", "<f4", "<f8")
_NAMES = {np.dtype(name): name for name in DTYPES}  # asking numpy for a name takes longer than writing a short array
_SIZES = {name: np.dtype(name).itemsize for name in DTYPES}

_RECOVERY = "restore it from a backup or build the index again with `searchkit index`"
# What decoding nonsense can raise.
ARITHMETIC = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    struct.error,
    zlib.error,
)


def corrupt(name: str, what: str) -> IndexCorrupt:
    """Builds the error for a damaged file: the file, what is wrong with it, and what to do."""
    return IndexCorrupt(f"{name}: {what}; {_RECOVERY}")


@contextmanager
def damage(name: str) -> Iterator[None]:
    """Turns what goes wrong in decoding nonsense bytes into IndexCorrupt naming the file."""
    try:
        yield
    except ARITHMETIC as exc:
        raise corrupt(name, f"damaged contents ({type(exc).__name__}: {exc})") from exc


class ContainerWriter:
    """Writes one container; `publish` gets the finished file, still open, to sync, close and rename it."""

    def __init__(self, create: Callable[[], BinaryIO], publish: Callable[[BinaryIO], None], *, kind: str) -> None:
        self._publish = publish
        self._file = create()
        self._position = 0
        self._arrays: dict[str, list[Any]] = {}
        self._open: tuple[str, str, int, int] | None = None  # name, dtype, offset, crc32 so far
        self._aside: IO[bytes] | None = None
        self.meta: dict[str, Any] = {}
        self._write(HEADER.pack(MAGIC, FORMAT_VERSION, 0, kind.encode("ascii")))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._file.close()
            self._drop_aside()

    def add(self, name: str, array: NDArray[Any]) -> None:
        """Writes one array; its dtype must be one of DTYPES, its byte order is made little-endian."""
        dtype = _NAMES.get(array.dtype) or array.dtype.newbyteorder("<").str.replace("|", "")
        if dtype not in DTYPES:
            raise TypeError(f"array {name}: {array.dtype} is not a dtype of the index format")
        self.begin(name, dtype)
        self.append_array(array if array.dtype in _NAMES else array.astype(dtype))
        self.end()

    def add_bytes(self, name: str, data: bytes | bytearray | memoryview) -> None:
        """Writes an array of bytes."""
        self.begin(name, "u1")
        self.append(data)
        self.end()

    def begin(self, name: str, dtype: str = "u1") -> None:
        """Starts an array that is written in pieces by append; one at a time."""
        if self._open is not None or name in self._arrays:
            raise ValueError(f"array {name} begun twice or inside {self._open}")
        self._write(b"\0" * (-self._position % ALIGNMENT))
        self._open = (name, dtype, self._position, 0)

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Writes the next bytes of the array begun."""
        if self._open is None:
            raise ValueError("append without begin")
        name, dtype, offset, crc = self._open
        self._open = (name, dtype, offset, zlib.crc32(data, crc))
        self._write(data)

    def append_array(self, array: NDArray[Any]) -> None:
        """Writes the elements of an array as the next bytes of the array begun; they are little-endian already."""
        if array.nbytes <= ALIGNMENT:
            self.append(array.tobytes())  # in a quarter of the time of a view
        else:
            self.append(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)

    def end(self) -> None:
        """Finishes the array begun."""
        if self._open is None:
            raise ValueError("end without begin")
        name, dtype, offset, crc = self._open
        count = (self._position - offset) // _SIZES[dtype]
        self._arrays[name] = [dtype, offset, count, crc]
        self._open = None

    def add_from(self, container: "Container", name: str, new_name: str) -> None:
        """Copies an array of another container, under a name of its own."""
        dtype, offset, count, _ = container.entry(name)
        end = offset + count * _SIZES[dtype]
        self.begin(new_name, dtype)
        for start in range(offset, end, _COPIED_AT_ONCE):
            self.append(container.bytes_at(start, min(start + _COPIED_AT_ONCE, end)))
            container.drop_pages()
        self.end()

    def put_aside(self, data: bytes) -> tuple[int, int]:
        """Keeps bytes in a temporary file until an array is begun that takes them; returns their place there."""
        if self._aside is None:
            from tempfile import TemporaryFile  # what is small never needs one

            self._aside = TemporaryFile()  # noqa: SIM115 - closed with the container
        place = self._aside.seek(0, os.SEEK_END)
        self._aside.write(data)
        return place, len(data)

    def read_aside(self, place: int, size: int) -> bytes:
        """Returns bytes that were put aside."""
        if self._aside is None:
            raise ValueError("nothing was put aside")
        self._aside.seek(place)
        return self._aside.read(size)

    def _drop_aside(self) -> None:
        if self._aside is not None:
            self._aside.close()

    def close(self) -> None:
        """Writes the directory and the trailer and publishes the file."""
        self._drop_aside()
        directory = json.dumps(
            {"arrays": self._arrays, "meta": self.meta}, separators=(",", ":"), ensure_ascii=True
        ).encode("ascii")
        offset = self._position
        self._write(directory)
        self._write(TRAILER.pack(offset, len(directory), zlib.crc32(directory), 0, END_MAGIC))
        self._publish(self._file)

    def _write(self, data: bytes | bytearray | memoryview) -> None:
        self._file.write(data)
        self._position += len(data)


class Container:
    """A container opened for reading; its arrays are read-only views that keep the mapping alive."""

    def __init__(self, buffer: mmap.mmap | bytes, name: str, *, kind: str) -> None:
        self.name = name
        self.kind = kind
        self._buffer = buffer
        self._views: dict[str, NDArray[Any]] = {}
        size = len(buffer)
        head, tail = buffer[: HEADER.size], buffer[max(size - TRAILER.size, 0) :]
        self._directory_at, length, crc = _read_ends(head, tail, size, name, kind)
        self._encoded = buffer[self._directory_at : self._directory_at + length]
        if zlib.crc32(self._encoded) != crc:
            raise corrupt(name, "the directory of arrays does not match its checksum")

    @classmethod
    def open(cls, file: BinaryIO, name: str, *, kind: str) -> "Container":
        """Opens a real file by mmap and anything else by reading it; the file may be closed afterwards."""
        try:
            descriptor = file.fileno()
        except (AttributeError, OSError):
            return cls(file.read(), name, kind=kind)
        try:
            return cls(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ), name, kind=kind)
        except ValueError as exc:  # mmap refuses an empty file
            raise corrupt(name, "the file is empty") from exc

    @property
    def meta(self) -> dict[str, Any]:
        """What the writer put beside the arrays."""
        return self._directory[1]

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def names(self) -> list[str]:
        """Returns the names of all arrays in the order they were written."""
        return list(self._arrays)

    def size_of(self, name: str) -> int:
        """Returns the bytes an array takes in the file."""
        dtype, _, count, _ = self.entry(name)
        return count * _SIZES[dtype]

    def array(self, name: str) -> NDArray[Any]:
        """Returns an array as a read-only view of the file; IndexCorrupt when it is missing or damaged."""
        view = self._views.get(name)
        if view is None:
            dtype, offset, count, crc = self.entry(name)
            view = np.frombuffer(self._buffer, dtype=dtype, count=count, offset=offset)
            if view.nbytes <= CHECKED_ON_READ and zlib.crc32(view.view(np.uint8).data) != crc:
                raise corrupt(self.name, f"array {name!r} does not match its checksum")
            self._views[name] = view
        return view

    def verify(self) -> None:
        """Checks every array against its checksum; raises IndexCorrupt at the first damage."""
        for name in self._arrays:
            dtype, offset, count, crc = self.entry(name)
            size = count * _SIZES[dtype]
            if zlib.crc32(memoryview(self._buffer)[offset : offset + size]) != crc:
                raise corrupt(self.name, f"array {name!r} does not match its checksum")

    def bytes_at(self, start: int, end: int) -> bytes:
        """Returns some bytes of the file."""
        return self._buffer[start:end]

    def section(self, name: str) -> dict[str, Any]:
        """Returns an object in meta, empty when there is none; IndexCorrupt when it is not an object."""
        section = self.meta.get(name, {})
        if not isinstance(section, dict):
            raise corrupt(self.name, f"the directory says {name} is {section!r}")
        return section

    def drop_pages(self) -> None:
        """Takes what was read of the file out of the memory of this process, where it is mapped; it is read again."""
        if isinstance(self._buffer, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            self._buffer.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Lets go of the file; views handed out stay valid until they are dropped."""
        self._views = {}
        self._directory = ({}, {})
        self._buffer = b""

    @cached_property
    def _directory(self) -> tuple[dict[str, list[Any]], dict[str, Any]]:
        """The entries of the arrays, unchecked, and meta; parsed when first asked for, as opening needs neither."""
        try:
            directory = json.loads(self._encoded)
            arrays, meta = directory["arrays"], directory["meta"]
        except (ValueError, TypeError, KeyError, RecursionError) as exc:
            raise corrupt(self.name, f"the directory of arrays is not usable ({exc})") from exc
        if not isinstance(arrays, dict) or not isinstance(meta, dict):
            raise corrupt(self.name, "the directory of arrays is not usable (arrays or meta is not an object)")
        return arrays, meta

    @property
    def _arrays(self) -> dict[str, list[Any]]:
        return self._directory[0]

    def entry(self, name: str) -> tuple[str, int, int, int]:
        """Returns dtype, offset, count and checksum of an array; IndexCorrupt when they cannot be."""
        if name not in self._arrays:
            raise corrupt(self.name, f"array {name!r} is missing")
        try:
            return _checked_entry(name, self._arrays[name], self._directory_at)
        except (ValueError, TypeError) as exc:
            raise corrupt(self.name, f"the directory of arrays is not usable ({exc})") from exc


def check_ends(file: BinaryIO, name: str, *, kind: str) -> None:
    """Raises IndexCorrupt, IndexTooOld or IndexTooNew unless a file begins and ends as a complete one does."""
    head = file.read(HEADER.size)
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - TRAILER.size, 0))
    _read_ends(head, file.read(TRAILER.size), size, name, kind)


def _read_ends(head: bytes, tail: bytes, size: int, name: str, expected: str) -> tuple[int, int, int]:
    """Offset, length and checksum of the directory of a file of ``size`` bytes."""
    if size < HEADER.size + TRAILER.size:
        raise corrupt(name, f"only {size} bytes long, the file has been cut off")
    magic, version, reserved, kind = HEADER.unpack(head)
    if magic != MAGIC:
        raise corrupt(name, f"starts with {magic!r}, which is not an index file of searchkit")
    if version > FORMAT_VERSION:
        raise IndexTooNew(
            f"{name}: format {version} is newer than {FORMAT_VERSION}, the newest that is read; "
            "upgrade searchkit or build the index again with `searchkit index`"
        )
    if version < OLDEST_READABLE:
        raise IndexTooOld(
            f"{name}: format {version} is older than {OLDEST_READABLE}, the oldest that is read; "
            "build the index again with `searchkit index`"
        )
    if kind.rstrip(b"\0") != expected.encode("ascii") or reserved or any(head[24:]):
        raise corrupt(name, f"its header says {kind!r}, expected {expected!r}")
    offset, length, crc, reserved, end = TRAILER.unpack(tail)
    if end != END_MAGIC or reserved or offset + length + TRAILER.size != size:
        raise corrupt(name, "the end of the file is missing or damaged")
    return offset, length, crc


def _checked_entry(name: str, entry: list[Any], end: int) -> tuple[str, int, int, int]:
    dtype, offset, count, crc = entry
    numbers = (offset, count, crc)
    if dtype not in DTYPES or any(type(number) is not int or number < 0 for number in numbers):
        raise ValueError(f"array {name!r} is described as {entry!r}")
    if offset % ALIGNMENT or offset < HEADER.size or offset + count * _SIZES[dtype] > end:
        raise ValueError(f"array {name!r} lies outside the file")
    return dtype, offset, count, crc
