"""JSON Lines: one article an object, one object a line, plain or compressed with gzip.

Files are streamed in pieces; nothing larger than one article is ever held. Line numbers count from 1. The
keys are id, title, body (or text), published (or date), topics, authors (or author), kind, url, summary,
language (or lang) and updated; every other key is kept in `Article.extra`. Where both names of a field are
there, the first is used and the second is kept as an extra.
"""

import json
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO

from searchkit.article import Article
from searchkit.errors import ArticleError
from searchkit.settings import Settings
from searchkit.sources.reading import Found, Place, Reading, Skipped, too_large

_PIECE = 1 << 16
_GZIP_MAGIC = b"\x1f\x8b"
_TO_UTF8 = "write it as UTF-8, for example with: iconv -f {} -t UTF-8"


def read_jsonlines(file: Path, name: str, settings: Settings) -> Iterator[Reading]:
    """The articles of a JSON Lines file, called ``name`` in its places. Raises OSError if it cannot be read.

    A line that is no article is skipped and the lines after it are read.
    """
    limit = settings.max_article_bytes
    number = 0
    article_of, decode = _article, _DECODER.decode  # local names: this loop runs once an article
    with file.open("rb", buffering=0) as stream:
        pieces = _inflated(stream) if _starts_with(stream, _GZIP_MAGIC) else _pieces(stream)
        try:
            for number, line in enumerate(_lines(pieces, limit), 1):
                if line is None:
                    yield Skipped(Place(name, number), too_large(limit))
                    continue
                if number == 1:
                    if line.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
                        yield Skipped(Place(name), f"is UTF-16, not UTF-8; {_TO_UTF8.format('UTF-16')}")
                        return
                    line = line.removeprefix(BOM_UTF8)
                if not line or line.isspace():
                    continue
                try:
                    record = decode(line.decode())
                    if type(record) is not dict:
                        raise ArticleError(f'holds {_json_kind(record)}; an article is an object: {{"id": …}}')
                    found = Found(article_of(record), Place(name, number))
                except (ArticleError, ValueError, RecursionError) as exc:
                    yield Skipped(Place(name, number), _reason(exc))
                else:
                    yield found
        except _DamageError as exc:
            yield Skipped(
                Place(name, number + 1),
                f"{exc}; the articles before this line were read, copy the file again",
            )
    if number == 0:
        yield Skipped(Place(name), "is empty; it holds no articles")


def _article(record: dict[str, Any]) -> Article:
    """The article that a decoded line describes. Raises ArticleError."""
    pop = record.pop
    url = pop("url", None)
    article_id = pop("id", None)
    if article_id is None or article_id == "":
        if not isinstance(url, str) or not url:
            raise ArticleError("has no id; give it one that stays the same when the article is edited, or a url")
        article_id = url
    elif isinstance(article_id, int | float) and not isinstance(article_id, bool):
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


def _lines(pieces: Iterator[bytes], limit: int) -> Iterator[bytes | None]:
    """The lines of a stream without their newlines; None stands for a line longer than ``limit`` bytes."""
    begun: list[bytes] = []
    size = 0
    for piece in pieces:
        first, *complete = piece.split(b"\n")
        if size <= limit:
            begun.append(first)
        size += len(first)
        if not complete:
            continue
        yield b"".join(begun) if size <= limit else None
        last = complete.pop()
        for line in complete:
            yield line if len(line) <= limit else None
        begun, size = [last], len(last)
    if size:
        yield b"".join(begun) if size <= limit else None


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
