"""The table of contents of a generation, read without trusting it.

Whoosh writes `_MAIN_<generation>.toc`: a header, the pickled schema, and the pickled list of segments. The schema is
skipped, as it follows from the settings of the archive. Of the list `pickles.py` makes `Record`s, which say the class
somebody wants and its attributes; `segments.py` makes segments of the records whose class it knows, after looking at
every attribute.

`IndexStorage` puts a checksum behind the table; Whoosh ignores it, and a table without one was written by plain
Whoosh.
"""

import struct
import zlib
from typing import NamedTuple

from searchkit.errors import IndexCorrupt, IndexTooNew, IndexTooOld
from searchkit.indexing.pickles import Record, Source, read_pickle

VERSION = -111
"""The format of the table that Whoosh 3.54 writes; its numbers count down."""

_SIZES = (4, 8, 4)  # of int, long and float where the table was written
_BYTE_ORDER_MARK = -12345
_CHECKSUM = struct.Struct("<8sI")
_CHECKSUM_MAGIC = b"\x89SKTOC\r\n"

_NEXT_STEP = "restore it from a backup or index the articles again into a new folder"


class Table(NamedTuple):
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
    source = Source(data)
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
    segments = read_pickle(source)
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
