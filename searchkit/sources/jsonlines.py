"""JSON Lines: one article an object, one object a line, plain or compressed with gzip.

Files are streamed in blocks of whole lines, 256 kB or one article at a time. Line numbers count from 1.
The keys are id, title, body (or text), published (or date), topics, authors (or author), kind, url, summary,
language (or lang) and updated; every other key is kept in `Article.extra`. Where both names of a field are
there, the first is used and the second is kept as an extra.
"""

import json
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from searchkit.article import Article
from searchkit.errors import ArticleError
from searchkit.settings import Settings
from searchkit.sources.reading import Found, LineBlock, Place, Skipped, too_large

_PIECE = 1 << 16
_BLOCK_BYTES = 1 << 18
_GZIP_MAGIC = b"\x1f\x8b"
_TO_UTF8 = "write it as UTF-8, for example with: iconv -f {} -t UTF-8"


def read_blocks(file: Path, name: str, settings: Settings) -> Iterator[LineBlock | Skipped]:
    """The lines of a JSON Lines file, called ``name`` in its places, for `read_block`; and what is wrong with it.

    Raises OSError if it cannot be read.
    """
    limit = settings.max_article_bytes
    line_count = 0
    with file.open("rb", buffering=0) as stream:
        pieces = _inflated(stream) if _starts_with(stream, _GZIP_MAGIC) else _pieces(stream)
        try:
            for lines in _whole_lines(pieces, limit):
                if line_count == 0 and lines.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
                    yield Skipped(Place(name, 1), f"is UTF-16, not UTF-8; {_TO_UTF8.format('UTF-16')}")
                    return
                block = LineBlock(name, line_count + 1, lines, limit)
                line_count += block.line_count
                yield block
        except _DamageError as exc:
            yield Skipped(
                Place(name, line_count + 1),
                f"{exc}; the articles before this line were read, copy the file again",
            )
            return
    if line_count == 0:
        yield Skipped(Place(name), "is empty; it holds no articles")


def read_block(block: LineBlock) -> Iterator[Found | Skipped]:
    """The articles of a block; a line that is no article is skipped and the lines after it are read."""
    for number, read in read_lines(block):
        place = Place(block.path, number)
        yield Found(read, place) if isinstance(read, Article) else Skipped(place, read)


def read_lines(block: LineBlock) -> Iterator[tuple[int, Article | str]]:
    """The number of each line of a block that is not blank, and its article or the reason why it is none."""
    limit = block.limit
    lines = block.lines.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, block.first_line):
        if len(line) > limit:
            yield number, too_large(limit)
            continue
        if number == 1:
            line = line.removeprefix(BOM_UTF8)
        if not line or line.isspace():
            continue
        yield number, _read_quickly(line) or _read_slowly(line)


def _read_quickly(line: bytes) -> Article | None:
    """What orjson reads in a line, in a third of the time of the standard library; None where that must be asked."""
    try:
        record = orjson.loads(line)
        return _article(record) if type(record) is dict and is_exact(record.values()) else None
    except (ArticleError, ValueError):
        return None


def _read_slowly(line: bytes) -> Article | str:
    """What the standard library reads in a line: also what orjson does not take, or says less well what is wrong."""
    try:
        record = _DECODER.decode(line.decode())
        if type(record) is not dict:
            raise ArticleError(f'holds {_json_kind(record)}; an article is an object: {{"id": …}}')
        return _article(record)
    except (ArticleError, ValueError, RecursionError) as exc:
        return _reason(exc)


_ALWAYS_EXACT = {str, int, bool, type(None)}


def is_exact(values: Iterable[Any], levels: int = 32) -> bool:
    """Whether decoded values are surely what the JSON says; False also when they are nested in more than ``levels``.

    orjson makes floats of integers that do not fit into 64 bits.
    """
    for value in values:
        kind = type(value)
        if kind in _ALWAYS_EXACT:
            continue
        if kind is float:
            if abs(value) >= 2**63:
                return False
        elif not levels or not is_exact(value if kind is list else value.values(), levels - 1):
            return False
    return True


def _article(record: dict[str, Any]) -> Article:
    """The article that a decoded line describes. Raises ArticleError."""
    pop = record.pop
    url = pop("url", None)
    article_id = pop("id", None)
    if article_id is None or article_id == "":
        if not isinstance(url, str) or not url:
            raise ArticleError("has no id; give it one that stays the same when the article is edited, or a url")
        article_id = url
    elif isinstance(article_id, (int, float)) and not isinstance(article_id, bool):
        article_id = str(article_id)
    body = pop("body", None)
    published = pop("published", None)
    authors = pop("authors", None)
    language = pop("language", None)
    return Article(
        article_id,
        pop("title", ""),
        pop("text", "") if body is None else body,
        published=pop("date", None) if published is None else published,
        topics=pop("topics", ()),
        authors=pop("author", ()) if authors is None else authors,
        kind=pop("kind", ""),
        url=url,
        summary=pop("summary", ""),
        language=pop("lang", None) if language is None else language,
        updated=pop("updated", None),
        extra=record,
    )


def _reason(error: ArticleError | ValueError | RecursionError) -> str:
    match error:
        case ArticleError():
            return str(error)
        case json.JSONDecodeError():
            return f"is not valid JSON: {_lowered(error.msg)} at column {error.colno}"
        case UnicodeDecodeError():
            where = f"byte 0x{error.object[error.start]:02x} at column {error.start + 1}"
            return f"is not UTF-8: {where}; {_TO_UTF8.format('WINDOWS-1252')}"
        case RecursionError():
            return "is nested too deeply to be an article"
        case _:  # an integer of thousands of digits
            return f"cannot be read: {_lowered(str(error))}"


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _json_kind(value: object) -> str:
    match value:
        case list():
            return "a list"
        case str():
            return "a text"
        case None | bool():
            return f"only {json.dumps(value)}"
        case _:
            return "a number"


def _finite(text: str) -> float | None:
    value = float(text)
    return value if isfinite(value) else None


# NaN and Infinity are what some exporters write for a missing number; kept as null, since extras must be
# JSON.
_DECODER = json.JSONDecoder(parse_constant=lambda _: None, parse_float=_finite)


# ---- bytes ----


def _starts_with(stream: BinaryIO, magic: bytes) -> bool:
    head = stream.read(len(magic))
    stream.seek(0)
    return head == magic


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(_PIECE):
        yield piece


def _whole_lines(pieces: Iterator[bytes], limit: int, block_bytes: int = _BLOCK_BYTES) -> Iterator[bytes]:
    """The bytes of a stream in blocks of whole lines, of at least ``block_bytes`` but for the last.

    Lines longer than ``limit`` bytes may be cut, but stay longer than that. When the stream fails, the whole lines
    before that come first.
    """
    held: list[bytes] = []
    size = begun = 0  # bytes held, and those of them that are the last line's, which is not complete
    try:
        for piece in pieces:
            newline = piece.find(b"\n")
            rest_of_line = len(piece) if newline < 0 else newline
            if begun + rest_of_line > limit:
                piece = piece[: max(limit + 1 - begun, 0)] + piece[rest_of_line:]
            held.append(piece)
            size += len(piece)
            last = piece.rfind(b"\n") + 1
            begun = len(piece) - last if last else begun + len(piece)
            if last and size >= block_bytes:
                held[-1] = piece[:last]
                yield b"".join(held)
                held, size = [piece[last:]], begun
    except (_DamageError, OSError):
        lines = b"".join(held)
        if begun < size:
            yield lines[: size - begun]
        raise
    if size:
        yield b"".join(held)


class _DamageError(Exception):
    """A gzip stream ends early or does not decompress."""


def _inflated(stream: BinaryIO) -> Iterator[bytes]:
    """The decompressed bytes of a gzip file of one or more members, everything before a damage included.

    zlib itself is called rather than the gzip module, whose reader drops what it had decompressed when it
    meets the damage. Raises _DamageError.
    """
    unpacker = zlib.decompressobj(wbits=31)  # 31: a gzip header and checksum around the data
    begun = False
    for packed in _pieces(stream):
        while packed:
            if not begun:
                packed = packed.lstrip(b"\0")  # padding after a member, as tape archives have it
                begun = bool(packed)
            before = unpacker.copy()
            try:
                piece = unpacker.decompress(packed, _PIECE)
            except zlib.error as exc:
                yield from _before_damage(before, packed)
                raise _DamageError("is damaged and does not decompress from here on") from exc
            if piece:
                yield piece
            packed = unpacker.unconsumed_tail
            if unpacker.eof:
                packed, unpacker, begun = unpacker.unused_data, zlib.decompressobj(wbits=31), False
    if begun:
        yield unpacker.flush()
    if begun and not unpacker.eof:
        raise _DamageError("ends in the middle of its compressed data")


def _before_damage(unpacker: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
    for position in range(len(packed)):
        try:
            yield unpacker.decompress(packed[position : position + 1])
        except zlib.error:
            return
