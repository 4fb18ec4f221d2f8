"""Stored fields: what comes back for display, one JSON line a document, each packed on its own.

JSON has no dates, bytes or tuples; such a value stands as an object with one key, "!" and the type's name
({"!datetime": "2017-08-23T10:00:00"}). An object that could be mistaken for one is {"!dict": pairs}.
Nothing but these types can come out, whatever the file says.

A line is one frame of Zstandard (RFC 8878) with a checksum; what the lines of a segment have in common stands in a
dictionary. Measured on arXiv abstracts this takes 9 % less room than zlib on blocks of 16 KiB with a dictionary, packs
twice as fast and reads one article in 20 microseconds instead of 90. Frames of two or three lines would take another
5 % less, and be slower to read and to merge.

Arrays of stored fields called x: x (the frames, without zstd's magic number), x/start (u4 or u8: where each begins,
and where the last ends), and where there are dictionaries x/dictionary, x/dictionary_end (u4) and, unless all
lines were packed with the only one, x/dictionary_of (u1 or u2: which one, from 1, or 0 for none).
"""

import json
from array import array
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise, starmap
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from searchkit.codec.container import Container, ContainerWriter, corrupt
from searchkit.codec.kernels import starts_of
from searchkit.codec.zstd import (
    CompressionParameter,
    ZstdCompressor,
    ZstdDecompressor,
    ZstdDict,
    ZstdError,
    finalize_dict,
)
from searchkit.errors import ArticleError

LARGEST_LINE = 1 << 28  # unpacked bytes; none larger is written, so none is unpacked: no zip bombs
DICTIONARY_AFTER = 1 << 24  # bytes of lines among which the dictionary is chosen
DICTIONARY_BYTES = 1 << 16  # half of it packs arXiv 3 % worse, twice as much no better
DICTIONARY_LEAST = 1 << 10
DICTIONARY_SHARE = 16  # the lines must be this many times as large as the dictionary made from them
COPIED_TOGETHER = 16  # and the frames that a merge copies with it
COPIED_ALONE = 1 << 14  # bytes of a frame that a dictionary would not make much smaller
_SAMPLE_BYTES = 1 << 21
_LEVEL = 3  # 1 packs a tenth worse, 4 and 5 worse, too, because they make less of a dictionary
_WRITTEN_AT_ONCE = 1 << 20
_MERGED_AT_ONCE = 1 << 14  # documents
_MAGIC = b"\x28\xb5\x2f\xfd"
_DICTIONARY_MAGIC = b"\x37\xa4\x30\xec"

# How the types that JSON lacks are written and read. datetime comes before date because it is one.
_ENCODERS: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (tuple, "tuple", lambda value: [_encode(item) for item in value]),
    (set, "set", lambda value: [_encode(item) for item in value]),
    (frozenset, "frozenset", lambda value: [_encode(item) for item in value]),
    (bytes, "bytes", lambda value: b2a_base64(value, newline=False).decode("ascii")),
    (bytearray, "bytearray", lambda value: b2a_base64(value, newline=False).decode("ascii")),
    (datetime, "datetime", datetime.isoformat),
    (date, "date", date.isoformat),
    (time, "time", time.isoformat),
    (timedelta, "timedelta", lambda value: [value.days, value.seconds, value.microseconds]),
    (Decimal, "decimal", str),
    (complex, "complex", lambda value: [value.real, value.imag]),
    (UUID, "uuid", str),
)
_DECODERS: dict[str, Callable[[Any], Any]] = {
    "tuple": lambda value: tuple(map(_decode, value)),
    "set": lambda value: set(map(_decode, value)),
    "frozenset": lambda value: frozenset(map(_decode, value)),
    "bytes": lambda value: a2b_base64(value, strict_mode=True),
    "bytearray": lambda value: bytearray(a2b_base64(value, strict_mode=True)),
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda value: timedelta(*value),
    "decimal": Decimal,
    "fraction": lambda value: _fraction()(value),
    "complex": lambda value: complex(*value),
    "uuid": UUID,
    "dict": lambda value: {_decode(key): _decode(item) for key, item in value},
}
_PLAIN = (str, int, float, bool, type(None))


def encode_value(value: Any) -> bytes:
    """Returns a value as one line of JSON in UTF-8; ArticleError when its type cannot be stored."""
    text = json.dumps(_encode(value), ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8, but an escape
        return json.dumps(_encode(value), separators=(",", ":")).encode("ascii")


def decode_value(line: bytes) -> Any:
    """Undoes encode_value; ValueError, TypeError or KeyError on anything it did not write."""
    value = json.loads(line.decode())
    return _decode(value) if b"!" in line and b'{"!' in line else value  # a single byte is found much faster


def _encode(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    if type(value) is list:
        return [_encode(item) for item in value]
    if isinstance(value, dict):
        plain_keys = all(type(key) is str for key in value)
        if not plain_keys or (len(value) == 1 and next(iter(value)).startswith("!")):
            return {"!dict": [[_encode(key), _encode(item)] for key, item in value.items()]}
        return {key: _encode(item) for key, item in value.items()}
    for kind, name, encode in _ENCODERS:
        if isinstance(value, kind):
            return {f"!{name}": encode(value)}
    for plain in (str, bool, int, float):  # subclasses: an enum member, numpy's float64
        if isinstance(value, plain):
            return plain(value)
    if isinstance(value, list):
        return [_encode(item) for item in value]
    if isinstance(value, _fraction()):
        return {"!fraction": str(value)}
    raise ArticleError(
        f"cannot store {value!r} of type {type(value).__name__}; store text, numbers, dates, bytes, "
        "or lists and dictionaries of them"
    )


def _decode(value: Any) -> Any:
    if type(value) is dict:
        if len(value) == 1:
            ((key, item),) = value.items()
            if key.startswith("!"):
                return _DECODERS[key[1:]](item)
        return {key: _decode(item) for key, item in value.items()}
    if type(value) is list:
        return [_decode(item) for item in value]
    return value


def _fraction() -> Any:
    from fractions import Fraction  # seldom stored, and longer to import than the rest of this module

    return Fraction


class StoredWriter:
    """Writes one line a document in docnum order; the container takes nothing else meanwhile."""

    def __init__(self, writer: ContainerWriter, name: str) -> None:
        self._writer = writer
        self._name = name
        # Lines from which the dictionary is yet to be made; kept as orjson gives them they hold ten times as much
        self._waiting = bytearray()
        self._waiting_sizes: list[int] = []
        self._dictionary = b""
        self._pack: Callable[[bytes | memoryview], bytes] | None = None
        self._frames: list[bytes | memoryview] = []
        self._frame_bytes = 0
        self._sizes = array("I")  # of all frames
        writer.begin(name)

    def add(self, line: bytes) -> None:
        """Adds the line of the next document; ArticleError when it is too large to be read again."""
        if len(line) > LARGEST_LINE:
            raise ArticleError(f"stored fields of {len(line):,} bytes; one document may have {LARGEST_LINE:,}")
        if self._pack is not None:
            self._append(self._pack(line))
            return
        self._waiting += line
        self._waiting_sizes.append(len(line))
        if len(self._waiting) >= DICTIONARY_AFTER:
            self._pack_waiting()

    def close(self) -> None:
        """Writes what is waiting and the places of the frames."""
        if self._pack is None:
            self._pack_waiting()
        self._finish([self._dictionary] if self._dictionary else [])

    def _pack_waiting(self) -> None:
        waiting = memoryview(self._waiting)
        starts = starts_of(np.array(self._waiting_sizes, dtype=np.int64)).tolist()
        lines = [waiting[start:end] for start, end in pairwise(starts)]
        self._dictionary = _make_dictionary(lines)
        self._pack = _packer(self._dictionary)
        for line in lines:
            self._append(self._pack(line))
        self._waiting, self._waiting_sizes = bytearray(), []

    def _append(self, frame: bytes | memoryview) -> None:
        self._frames.append(frame)
        self._sizes.append(len(frame))
        self._frame_bytes += len(frame)
        if self._frame_bytes >= _WRITTEN_AT_ONCE:
            self._write_frames()

    def _write_frames(self) -> None:
        self._writer.append(b"".join(self._frames))
        self._frames, self._frame_bytes = [], 0

    def _finish(self, dictionaries: Sequence[bytes]) -> None:
        self._write_frames()
        self._writer.end()
        sizes = np.frombuffer(self._sizes, dtype=np.uintc)
        total = int(sizes.sum(dtype=np.int64))
        starts = np.zeros(len(sizes) + 1, dtype=np.uint32 if total < 2**32 else np.uint64)
        sizes.cumsum(out=starts[1:])
        self._writer.add(f"{self._name}/start", starts)
        if dictionaries:
            self._writer.add_bytes(f"{self._name}/dictionary", b"".join(dictionaries))
            ends = np.cumsum([len(dictionary) for dictionary in dictionaries])
            self._writer.add(f"{self._name}/dictionary_end", ends.astype(np.uint32))


def _make_dictionary(lines: Sequence[bytes | memoryview]) -> bytes:
    """Returns a dictionary for lines such as these; empty when it would be as large as what it saves."""
    total = sum(map(len, lines))
    size = min(total // DICTIONARY_SHARE, DICTIONARY_BYTES)
    content = b"".join(lines[:: max(1, total // max(size, 1))])[:size]
    if len(content) < DICTIONARY_LEAST:
        return b""
    try:
        samples = lines[:: max(1, total // _SAMPLE_BYTES)]
        finished: bytes = finalize_dict(ZstdDict(content, is_raw=True), samples, size, _LEVEL).dict_content
    except ZstdError:  # too little to learn how often each byte stands where; the text alone helps, too
        return content
    return finished


def _dictionary(content: bytes) -> ZstdDict | None:
    return ZstdDict(content, is_raw=not content.startswith(_DICTIONARY_MAGIC)) if content else None


def _packer(dictionary: bytes) -> Callable[[bytes | memoryview], bytes]:
    """Returns the function from a line to its frame."""
    loaded = _dictionary(dictionary)
    compressor = ZstdCompressor(
        options={
            CompressionParameter.compression_level: _LEVEL,
            CompressionParameter.checksum_flag: 1,
            CompressionParameter.dict_id_flag: 0,
        },
        zstd_dict=loaded and loaded.as_digested_dict,
    )
    return lambda line: compressor.compress(line, ZstdCompressor.FLUSH_FRAME)[len(_MAGIC) :]


class StoredMerger(StoredWriter):
    """Writes the lines of several segments, copying frames where what they were packed with is worth keeping."""

    def __init__(self, writer: ContainerWriter, name: str, doc_count: int) -> None:
        super().__init__(writer, name)
        self._sources: list[StoredReader] = []
        self._dictionaries: dict[bytes, int] = {b"": 0}
        self._bytes_with = np.zeros(1)  # by dictionary
        # of each new docnum: its source, its docnum there, its dictionary, and whether it is large enough without one
        self._source_of = np.zeros(doc_count, dtype=np.uint16)
        self._old_docnums = np.zeros(doc_count, dtype=np.int32)
        self._dictionary_of = np.zeros(doc_count, dtype=np.uint16)
        self._is_large = np.zeros(doc_count, dtype=np.bool_)

    def add_all(self, stored: "StoredReader", new_docnums: NDArray[np.int32]) -> None:
        """Takes over the lines of a segment, each for its new docnum; those with -1 are left out."""
        known = self._dictionaries
        numbers = np.array([known.setdefault(each, len(known)) for each in stored.dictionaries()])
        self._bytes_with = np.concatenate([self._bytes_with, np.zeros(len(known) - len(self._bytes_with))])
        for first in range(0, len(new_docnums), _MERGED_AT_ONCE):
            docnums = new_docnums[first : first + _MERGED_AT_ONCE]
            last = first + len(docnums)
            kept = docnums >= 0
            docnums = docnums[kept]
            starts, ends = stored.bounds(np.arange(first, last)[kept])
            sizes = ends - starts
            dictionaries = numbers[stored.dictionary_numbers(first, last)[kept]]
            self._source_of[docnums] = len(self._sources)
            self._old_docnums[docnums] = np.arange(first, last)[kept]
            self._dictionary_of[docnums] = dictionaries
            self._is_large[docnums] = sizes >= COPIED_ALONE
            self._bytes_with += np.bincount(dictionaries, sizes, len(self._bytes_with))
        self._sources.append(stored)

    def close(self) -> None:
        """Writes all lines in the order of their new docnums."""
        is_copied = self._worth_copying()
        lines = [self._line(docnum) for docnum in np.flatnonzero(~is_copied).tolist()]
        own = _make_dictionary(lines)
        self._pack = _packer(own)
        self._dictionary_of[~is_copied] = self._dictionaries.setdefault(own, len(self._dictionaries))
        repacked = map(self._pack, lines)
        frames = [stored.frames() for stored in self._sources]
        for first in range(0, len(is_copied), _MERGED_AT_ONCE):
            docnums = slice(first, first + _MERGED_AT_ONCE)
            starts, ends = self._places(docnums)
            cuts = np.flatnonzero(np.diff(np.cumsum(ends - starts) // _WRITTEN_AT_ONCE)) + 1
            for run in starmap(slice, pairwise([0, *cuts.tolist(), len(starts)])):
                columns = (self._source_of[docnums][run], starts[run], ends[run], is_copied[docnums][run])
                self._frames = [
                    frames[source][start:end] if as_it_is else next(repacked)
                    for source, start, end, as_it_is in zip(*(column.tolist() for column in columns), strict=True)
                ]
                self._sizes.extend(map(len, self._frames))
                self._write_frames()
                for stored in self._sources:
                    stored.drop_pages()
        self._finish_copied()

    def _places(self, docnums: slice) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the frames of these new docnums begin and end in their sources."""
        sources, old_docnums = self._source_of[docnums], self._old_docnums[docnums]
        starts, ends = np.zeros((2, len(sources)), dtype=np.int64)
        for number, stored in enumerate(self._sources):
            which = np.flatnonzero(sources == number)
            if len(which):
                starts[which], ends[which] = stored.bounds(old_docnums[which])
        return starts, ends

    def _worth_copying(self) -> NDArray[np.bool_]:
        """Says of each new docnum whether its frame is copied: enough of them with one dictionary, or large alone."""
        least = np.array([len(dictionary) * COPIED_TOGETHER for dictionary in self._dictionaries])
        is_worth_it = (self._bytes_with >= least) & (least > 0)
        return np.asarray(is_worth_it[self._dictionary_of] | (self._is_large & (self._dictionary_of == 0)))

    def _line(self, docnum: int) -> bytes:
        return self._sources[int(self._source_of[docnum])].line(int(self._old_docnums[docnum]))

    def _finish_copied(self) -> None:
        used = np.zeros(len(self._dictionaries), dtype=bool)
        used[self._dictionary_of] = True
        used[0] = False  # no dictionary
        contents = [content for content, is_used in zip(self._dictionaries, used.tolist(), strict=True) if is_used]
        self._finish(contents)
        numbers = (np.cumsum(used) * used)[self._dictionary_of]
        if len(contents) > 1 or (contents and not numbers.all()):
            dtype = np.uint8 if len(contents) < 2**8 else np.uint16
            self._writer.add(f"{self._name}/dictionary_of", numbers.astype(dtype))


class StoredReader:
    """Reads lines and fields by docnum; safe to share between threads."""

    def __init__(self, container: Container, name: str) -> None:
        self._container = container
        self._frames = container.array(name).view(np.uint8).data
        self._starts = container.array(f"{name}/start")
        self._contents = [memoryview(b"")]
        self._dictionary_numbers: NDArray[Any] | None = None
        if f"{name}/dictionary" in container:
            joined = container.array(f"{name}/dictionary").view(np.uint8).data
            ends = container.array(f"{name}/dictionary_end").tolist()
            self._contents += [joined[start:end] for start, end in pairwise([0, *ends])]
        if f"{name}/dictionary_of" in container:
            self._dictionary_numbers = container.array(f"{name}/dictionary_of")
        self._loaded: list[ZstdDict | None] = [None] * len(self._contents)
        numbers = self._dictionary_numbers
        if self._starts.dtype.kind != "u" or not len(self._starts):
            raise corrupt(container.name, "the places of the stored fields are damaged")
        if numbers is None and len(self._contents) > 2:
            raise corrupt(container.name, "the dictionaries of the stored fields are damaged")
        if numbers is not None and (numbers.dtype.kind != "u" or len(numbers) != len(self)):
            raise corrupt(container.name, "the dictionaries of the stored fields are damaged")

    def __len__(self) -> int:
        return len(self._starts) - 1

    def line(self, docnum: int) -> bytes:
        """Returns the line of a document; IndexError when there is no such document.

        An unpacker is for one frame alone. In a virtual machine to make it takes most of the time, because
        Zstandard asks the processor what it can, which traps there.
        """
        frame = self.frame(docnum)
        number = len(self._contents) - 1 if self._dictionary_numbers is None else int(self._dictionary_numbers[docnum])
        try:
            unpacker = ZstdDecompressor(self._dictionary(number))
            line: bytes = unpacker.decompress(_MAGIC + frame, LARGEST_LINE)
        except (ZstdError, LookupError, ValueError, MemoryError) as exc:
            raise self._damaged(docnum) from exc
        if not unpacker.eof or unpacker.unused_data:
            raise self._damaged(docnum)
        return line

    def fields(self, docnum: int) -> Any:
        """Returns the stored value of a document."""
        line = self.line(docnum)
        try:
            return decode_value(line)
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as exc:
            raise self._damaged(docnum) from exc

    def lines(self) -> Iterator[bytes]:
        """Yields the line of every document in docnum order."""
        return map(self.line, range(len(self)))

    # What a merge copies ---------------------------------------------------------------------------------

    def frame(self, docnum: int) -> memoryview:
        """Returns the frame of a document as it stands in the file, without copying it."""
        if not 0 <= docnum < len(self):
            raise IndexError(f"no document {docnum} among {len(self)}")
        start, end = self._starts[docnum : docnum + 2].tolist()
        if not start < end <= len(self._frames):
            raise self._damaged(docnum)
        return self._frames[start:end]

    def drop_pages(self) -> None:
        """Takes what was read of the file out of the memory of this process."""
        self._container.drop_pages()

    def frames(self) -> memoryview:
        """Returns the frames of all documents as they stand in the file, without copying them."""
        return self._frames

    def bounds(self, docnums: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns where the frame of each document begins among all, and where it ends."""
        starts, ends = self._starts[docnums].astype(np.int64), self._starts[docnums + 1].astype(np.int64)
        is_damaged = (ends <= starts) | (ends > len(self._frames))
        if is_damaged.any():
            raise self._damaged(int(docnums[is_damaged.argmax()]))
        return starts, ends

    def dictionaries(self) -> list[bytes]:
        """Returns the dictionaries by their numbers; number 0 is empty: none."""
        return list(map(bytes, self._contents))

    def dictionary_numbers(self, first: int, last: int) -> NDArray[np.int64]:
        """Returns which dictionary the frame of each document from first to last (exclusive) was packed with."""
        if self._dictionary_numbers is None:
            return np.full(last - first, len(self._contents) - 1)
        numbers = self._dictionary_numbers[first:last].astype(np.int64)
        if int(numbers.max(initial=0)) >= len(self._contents):
            raise corrupt(self._container.name, "the dictionaries of the stored fields are damaged")
        return numbers

    def _dictionary(self, number: int) -> ZstdDict | None:
        loaded = self._loaded[number]
        if loaded is None and number:
            loaded = self._loaded[number] = _dictionary(bytes(self._contents[number]))
        return loaded

    def _damaged(self, docnum: int) -> Exception:
        return corrupt(self._container.name, f"the stored fields of document {docnum} are damaged")
