"""Segments of Whoosh's stock codec, as far as they are needed here: the stored articles, read without unpickling.

Whoosh's own writer leaves such segments when nobody tells it our codec. Everything in a segment follows from its
stored articles, so nothing else in it is read: not its terms and postings, which are pickles as well. The stored
fields are one pickle a document, deflated, in the column ``_stored``; that is a file, or a part of the segment's
compound file, whose directory is a pickle (whoosh/columns.py, whoosh/filedb/compound.py).
"""

import mmap
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from searchkit.article import Article
from searchkit.errors import ArticleError
from searchkit.indexing.pickles import Source, read_pickle
from searchkit.indexing.toc import corrupt

_STORED = "._stored.col"
_COMPOUND = ".seg"
_ATTRIBUTES = {"indexname", "segid", "_codec", "_doccount", "_deleted", "compound"}
_SEGMENT_ID = re.compile(r"[0-9a-z]{16}")
_DIRECTORY = struct.Struct(">qi")
_CODES: dict[bytes, np.dtype[np.integer]] = {
    b"B": np.dtype(np.uint8),
    b"H": np.dtype(">u2"),
    b"i": np.dtype(">i4"),
    b"I": np.dtype(">u4"),
}
"""Of the arrays behind the stored fields, by the type code that `array` has for them."""

_ROOM = 1 << 20
_RATIO = 100
"""No document of text is as large as `_ROOM` and this many times as large as it is packed."""

_DEEPEST = 64
_DAMAGE = (ValueError, LookupError, TypeError, OverflowError, struct.error, zlib.error, ArticleError)


@dataclass(frozen=True, slots=True)
class StockSegment:
    """What the table of contents says about a segment of Whoosh's stock codec."""

    index_name: str
    segid: str
    doc_count: int
    deleted: frozenset[int]
    is_compound: bool

    @property
    def segment_id(self) -> str:
        """The name that its files begin with."""
        return f"{self.index_name}_{self.segid}"


def stock_segment(state: Any, index_name: str) -> StockSegment:
    """The segment with these attributes. ValueError, LookupError or TypeError unless they are in order."""
    if not _ATTRIBUTES <= state.keys() <= {*_ATTRIBUTES, "_fieldlengths"}:
        raise ValueError("a stock segment has other attributes than it should")
    segid, doc_count, deleted = state["segid"], state["_doccount"], state["_deleted"]
    if state["indexname"] != index_name or type(segid) is not str or not _SEGMENT_ID.fullmatch(segid):
        raise ValueError("the name of a stock segment is not in order")
    if type(doc_count) is not int or not 0 <= doc_count < 2**31 or type(state["compound"]) is not bool:
        raise ValueError(f"a stock segment of {doc_count!r:.80} documents")
    if deleted is not None and (type(deleted) is not set or not all(0 <= docnum < doc_count for docnum in deleted)):
        raise ValueError("the deletions of a stock segment are not in order")
    return StockSegment(index_name, segid, doc_count, frozenset(deleted or ()), state["compound"])


def stock_articles(storage: Any, segment: StockSegment) -> Iterator[Article]:
    """The live articles of a segment, the last one first.

    Raises IndexCorrupt where something is damaged, or no article, and FileNotFoundError.
    """
    name = f"{segment.segment_id}{_COMPOUND if segment.is_compound else _STORED}"
    with storage.open_file(name) as file:
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as exc:  # it is empty
            raise corrupt(name, str(exc)) from exc
    with data:
        try:
            start, end = _stored_column(data, segment)
            bounds = _bounds(data, start, end, segment.doc_count)
        except _DAMAGE as exc:
            raise corrupt(name, str(exc) or type(exc).__name__) from exc
        for docnum in reversed(range(segment.doc_count)):
            if docnum in segment.deleted:
                continue
            try:
                article = _article(data[bounds.item(docnum) : bounds.item(docnum + 1)])
            except _DAMAGE as exc:
                raise corrupt(name, f"document {docnum} holds no article ({exc!r:.200})") from exc
            yield article


def _stored_column(data: mmap.mmap, segment: StockSegment) -> tuple[int, int]:
    """Where the column of stored fields begins and ends."""
    if not segment.is_compound:
        return 0, len(data)
    at, length = _DIRECTORY.unpack(data[: _DIRECTORY.size])
    if at < 0 or length < 0:
        raise ValueError("its directory lies outside it")
    directory = read_pickle(Source(data[at : at + length]))
    entry = directory[f"{segment.segment_id}{_STORED}"]
    start, size = entry["offset"], entry["length"]
    if type(start) is not int or type(size) is not int or not 0 <= start <= start + size <= len(data):
        raise ValueError("its stored fields lie outside it")
    return start, start + size


def _bounds(data: mmap.mmap, start: int, end: int, doc_count: int) -> npt.NDArray[np.int64]:
    """Where each document's stored fields begin, and the last's end: before their lengths, and perhaps offsets."""
    if data[end - 1 : end] == b"X":
        dtype = _CODES[data[end - 3 : end - 2]]
        end -= 3 + doc_count * _CODES[data[end - 2 : end - 1]].itemsize
    else:
        dtype = _CODES[data[end - 1 : end]]
        end -= 1
    lengths_at = end - doc_count * dtype.itemsize
    if lengths_at < start:
        raise ValueError("its stored fields are cut off")
    lengths = np.frombuffer(data[lengths_at:end], dtype).astype(np.int64)
    bounds = np.full(doc_count + 1, start, np.int64)
    np.cumsum(lengths, out=bounds[1:])
    bounds[1:] += start
    if lengths.min(initial=0) < 0 or int(bounds[-1]) != lengths_at:
        raise ValueError("the lengths of its stored fields are damaged")
    return bounds


def _article(packed: bytes) -> Article:
    unpacker = zlib.decompressobj()
    room = max(_ROOM, _RATIO * len(packed))
    pickled = unpacker.decompress(packed, room)
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("its stored fields are cut off, or much larger than text would be")
    source = Source(pickled)
    fields = read_pickle(source)
    if source.position != len(pickled):
        raise ValueError("something follows its stored fields")
    _check_plain(fields, room)
    return Article(**fields["article"])


def _check_plain(value: Any, room: int) -> None:
    """Raises ValueError unless this is data that JSON has, not nested deeply, and small also where it is repeated."""
    waiting = [(value, 0)]
    while waiting:
        value, depth = waiting.pop()
        kind = type(value)
        if kind is dict:
            waiting += ((item, depth + 1) for pair in value.items() for item in pair)
        elif kind is list or kind is tuple:
            waiting += ((item, depth + 1) for item in value)
        elif kind not in (str, int, float, bool, type(None)):
            raise ValueError(f"it holds a {kind.__name__}")
        room -= 1 + (len(value) if kind is str else 0)
        if depth > _DEEPEST or room < len(waiting):
            raise ValueError("it is nested or repeated too much")
