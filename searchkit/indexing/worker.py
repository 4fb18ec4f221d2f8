"""A process that builds segments: batches come in by one pipe, what was built goes out by another.

Both ways data goes in frames, a length of eight bytes and as many bytes. A batch is a frame with the id of its segment,
two frames for each part as it comes, and an empty one. Of the two the first is JSON that says what the part is, the
second has lines of JSON Lines as they stand in their file, or articles, one a line as in the index. Each batch has one
reply, in JSON. Nothing is pickled. When the batches end, so does the process.

A process that runs this module has its pipes as standard input and output, and gets one frame before the batches: the
folder and the settings, as JSON.
"""

import gc
import json
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from struct import Struct
from typing import IO, Any

import orjson

from searchkit.article import Article
from searchkit.codec import ArraySegment
from searchkit.codec.stored import decode_value
from searchkit.indexing.batches import Part
from searchkit.indexing.builder import SegmentBuilder, stored_line
from searchkit.indexing.schema import INDEX_NAME
from searchkit.indexing.storage import IndexStorage
from searchkit.settings import Settings
from searchkit.sources.jsonlines import is_exact, read_lines
from searchkit.sources.reading import BlockReadings, LineBlock

_LENGTH = Struct("<Q")


@dataclass(frozen=True, slots=True)
class Built:
    """What came of a batch: the segment, unless there was no article, and how its blocks were read."""

    segment: ArraySegment | None
    of_blocks: list[BlockReadings]


class PartsBuilder:
    """Reads what has not been read yet and builds segments, in this process."""

    def __init__(self, storage: Any, settings: Settings) -> None:
        self._builder = SegmentBuilder(storage, settings)

    def build(self, segment: ArraySegment, parts: Iterable[Part]) -> Built:
        """Write ``segment`` with the articles of ``parts``; of several with one id the last."""
        with _no_garbage_collection():
            return self._build(segment, parts)

    def _build(self, segment: ArraySegment, parts: Iterable[Part]) -> Built:
        articles: dict[str, Article] = {}
        of_blocks = []
        for part in parts:
            if isinstance(part, LineBlock):
                of_blocks.append(_read(part, articles))
            else:
                articles.update((article.id, article) for article in part)
        if not articles:
            return Built(None, of_blocks)
        self._builder.build(list(articles.values()), segment)
        return Built(segment, of_blocks)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Thousands of articles are made in a row, and looking through them for cycles takes a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read(block: LineBlock, articles: dict[str, Article]) -> BlockReadings:
    ids: list[str] = []
    lines: list[int | None] = []
    skipped: list[tuple[int | None, str]] = []
    title = ""
    for number, read in read_lines(block):
        if isinstance(read, str):
            skipped.append((number, read))
        else:
            articles[read.id] = read
            ids.append(read.id)
            lines.append(number)
            title = title or read.title
    return BlockReadings(block.path, ids, lines, skipped, title)


# ---- frames ----


def write_frame(stream: IO[bytes], data: bytes) -> None:
    """Send one frame."""
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The next frame, or None when the other side is gone."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = stream.read(length)
    return data if len(data) == length else None


def write_start(stream: IO[bytes], storage: Any, settings: Settings) -> None:
    """Tell a new process where it works."""
    start = {"folder": str(storage.folder), "durable": storage.durable, "settings": asdict(settings)}
    write_frame(stream, json.dumps(start).encode())
    stream.flush()


def write_batch(stream: IO[bytes], segment: ArraySegment, parts: Iterable[Part]) -> list[str]:
    """Send a batch to be built, each part as it comes; the paths of the blocks that it has."""
    paths = []
    write_frame(stream, segment.segid.encode())
    for part in parts:
        if isinstance(part, LineBlock):
            paths.append(part.path)
            write_frame(stream, json.dumps([part.first_line, part.limit]).encode())
            write_frame(stream, part.lines)
        else:
            write_frame(stream, b"null")
            write_frame(stream, b"\n".join(map(stored_line, part)))
        stream.flush()
    write_frame(stream, b"")
    stream.flush()
    return paths


def read_reply(stream: IO[bytes], segment: ArraySegment, paths: Sequence[str]) -> Built | None:
    """What came of a batch with blocks of these paths, or None when the other side is gone.

    Raises the OSError that it met.
    """
    frame = read_frame(stream)
    if frame is None:
        return None
    reply = json.loads(frame)
    if "error" in reply:
        raise OSError(*reply["error"])
    of_blocks = [
        BlockReadings(path, ids, lines, [(line, reason) for line, reason in skipped], title)
        for path, (ids, lines, skipped, title) in zip(paths, reply["blocks"], strict=True)
    ]
    segment.set_doc_count(reply["articles"])
    return Built(segment if reply["articles"] else None, of_blocks)


def _read_batch(stream: IO[bytes]) -> tuple[ArraySegment, Iterator[Part]] | None:
    """The next batch, whose parts are read when they are asked for; EOFError then when the other side is gone."""
    frame = read_frame(stream)
    if frame is None:
        return None
    segment = ArraySegment(INDEX_NAME)
    segment.segid = frame.decode()
    return segment, _read_parts(stream)


def _read_parts(stream: IO[bytes]) -> Iterator[Part]:
    while described := _frame_of_batch(stream):
        data = _frame_of_batch(stream)
        match json.loads(described):
            case [first_line, limit]:
                yield LineBlock("", first_line, data, limit)
            case _:
                yield [Article(**_stored(line)["article"]) for line in data.split(b"\n")]


def _frame_of_batch(stream: IO[bytes]) -> bytes:
    frame = read_frame(stream)
    if frame is None:
        raise EOFError
    return frame


def _stored(line: bytes) -> Any:
    """The stored fields in a line."""
    if b'"!' not in line:  # no value that JSON lacks
        with suppress(ValueError):  # half a UTF-16 pair
            fields = orjson.loads(line)
            if is_exact(fields["article"]["extra"].values()):
                return fields
    return decode_value(line)


def _reply(builder: PartsBuilder, segment: ArraySegment, parts: Iterator[Part]) -> dict[str, object]:
    try:
        built = builder.build(segment, parts)
    except OSError as exc:  # a full disk is no fault of this process
        return {"error": [exc.errno, exc.strerror, exc.filename]}
    blocks = [[read.ids, read.lines, read.skipped, read.title] for read in built.of_blocks]
    return {"articles": built.segment.doc_count_all() if built.segment else 0, "blocks": blocks}


def serve(requests: IO[bytes], replies: IO[bytes], storage: Any, settings: Settings) -> None:
    """Build segments until there are no more batches, or nobody to hear of it."""
    gc.freeze()  # what has been imported stays
    builder = PartsBuilder(storage, settings)
    with suppress(BrokenPipeError, EOFError):
        while (batch := _read_batch(requests)) is not None:
            write_frame(replies, json.dumps(_reply(builder, *batch)).encode())
            replies.flush()


def main() -> None:
    """Build segments until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one, which ends it
    frame = read_frame(sys.stdin.buffer)
    if frame is None:
        return
    start = json.loads(frame)
    storage = IndexStorage(start["folder"], durable=start["durable"])
    serve(sys.stdin.buffer, sys.stdout.buffer, storage, Settings(**start["settings"]))
    sys.stdout = None  # or the interpreter would try to flush it once more, for nobody


if __name__ == "__main__":
    main()
