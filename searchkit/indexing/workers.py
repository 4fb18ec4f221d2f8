"""Building segments in several processes at once. They are started only when there is enough to index."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Full, Queue
from threading import Thread
from types import TracebackType
from typing import Any, NamedTuple, Self

from searchkit.article import Article
from searchkit.codec import ArraySegment
from searchkit.errors import ArchiveError
from searchkit.indexing.batches import BatchLimits, Part, Piece, batches, dealt, head, pieces
from searchkit.indexing.storage import disk_failures
from searchkit.indexing.worker import Built, PartsBuilder, read_reply, write_batch
from searchkit.indexing.worker_process import WorkerProcess, start_worker
from searchkit.settings import Settings
from searchkit.sources.reading import Unread

_MOST_BY_DEFAULT = 4
_AHEAD = 32
"""Pieces that wait for each process: none has to wait for what the others read first."""

_MOST_ROUNDS = 2
"""Rounds that are at work at a time: while the last batch of one is built, the next one is dealt out."""


def worker_count(workers: int | None) -> int:
    """How many processes build: as many as asked for, or one for each core, at most four."""
    if workers is not None:
        return max(workers, 1)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_BY_DEFAULT)


class BuiltSegment(NamedTuple):
    """A segment, and for each id in it the number of the last piece that has it."""

    segment: ArraySegment
    pieces: dict[str, int]


class BuiltRound(NamedTuple):
    """What came of the batches that were filled together."""

    pieces: list[Piece]
    """All pieces in their order, with what was read."""
    segments: list[BuiltSegment]


class SegmentBuilders:
    """Builds the segments of a commit, in other processes when there is much to build. Use it in a ``with`` statement.

    When that is left no process is running any more, and none writes.
    """

    def __init__(self, storage: Any, settings: Settings, workers: int | None, limits: BatchLimits) -> None:
        self._storage = storage
        self._settings = settings
        self._worker_count = worker_count(workers)
        self._limits = limits
        self._processes: list[WorkerProcess] = []
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
        for worker in self._workers:
            worker.end()
        for process in self._processes:
            process.close()

    def build(self, items: Iterator[Unread | Article], new_segment: Callable[[], ArraySegment]) -> Iterator[BuiltRound]:
        """The segments of all ``items``, round by round, each named by ``new_segment``.

        Raises ArchiveError when a process ends unexpectedly, and IndexUnwritable when the disk is full or fails.
        """
        all_pieces, is_little = head(pieces(items, self._limits), self._limits)
        if is_little or self._worker_count == 1:
            builder = PartsBuilder(self._storage, self._settings)
            for batch in batches(all_pieces, self._limits):
                with disk_failures(self._storage):
                    built = builder.build(new_segment(), [piece.taken() for piece in batch])
                yield BuiltRound(batch, _segments_of(built, batch))
            return
        for _ in range(self._worker_count):
            self._processes.append(start_worker(self._storage, self._settings, self._processes))
        self._workers += map(_Worker, self._processes)  # with a thread each, when all processes are there
        rounds: deque[_Round] = deque()
        for number, index, piece in dealt(all_pieces, self._limits, self._worker_count):
            if not rounds or rounds[-1].number != number:
                if rounds:
                    rounds[-1].close()
                if len(rounds) == _MOST_ROUNDS:
                    yield self._finished(rounds.popleft())
                rounds.append(_Round(number, self._workers, new_segment))
            if not rounds[-1].deal(index, piece):
                break
        if rounds:
            rounds[-1].close()
        for worker in self._workers:
            worker.put(None)  # so it ends while its last segment is looked at here
        for one in rounds:
            yield self._finished(one)

    def _finished(self, one: "_Round") -> BuiltRound:
        with disk_failures(self._storage):
            return one.result()


class _Worker:
    """A process, and the thread that hands over to it what is dealt."""

    def __init__(self, process: WorkerProcess) -> None:
        self.process = process
        self.has_failed = False
        self._waiting: Queue[_Batch | Part | None] = Queue(_AHEAD)
        self._thread = Thread(target=self._hand_over, name="searchkit-index")
        self._thread.start()

    def put(self, what: "_Batch | Part | None") -> None:
        """Hand over a batch, then its parts, then None; after the last batch None once more."""
        self._waiting.put(what)

    def end(self) -> None:
        """Have the thread end, when the process has been killed."""
        while self._thread.is_alive():
            with suppress(Full):
                self._waiting.put(None, timeout=0.01)
            self._thread.join(0.01)

    def _hand_over(self) -> None:
        while isinstance(batch := self._waiting.get(), _Batch):
            parts: Iterator[Any] = iter(self._waiting.get, None)
            try:
                batch.built.set_result(_built_by(self.process, batch.segment, parts))
            except BaseException as exc:  # raised again for whoever asks for the result
                self.has_failed = True
                batch.built.set_exception(exc)
                deque(parts, 0)
        self.process.end_requests()


@dataclass(slots=True)
class _Batch:
    """What a worker makes a segment of."""

    segment: ArraySegment
    pieces: list[Piece] = field(default_factory=list)
    built: "Future[Built]" = field(default_factory=Future)


class _Round:
    """The batches that are filled at the same time, one for each worker."""

    def __init__(self, number: int, workers: list[_Worker], new_segment: Callable[[], ArraySegment]) -> None:
        self.number = number
        self._workers = workers
        self._new_segment = new_segment
        self._batches: dict[int, _Batch] = {}
        self._pieces: list[Piece] = []

    def deal(self, index: int, piece: Piece) -> bool:
        """Give a worker a piece; False when it has failed, as the result will say."""
        worker = self._workers[index]
        self._pieces.append(piece)
        if piece.articles:
            if index not in self._batches:
                batch = self._batches[index] = _Batch(self._new_segment())
                worker.put(batch)
            self._batches[index].pieces.append(piece)
            worker.put(piece.taken())
        return not worker.has_failed

    def close(self) -> None:
        """Say that there is no more."""
        for index in self._batches:
            self._workers[index].put(None)

    def result(self) -> BuiltRound:
        """What came of it, when that is known."""
        segments = []
        for batch in self._batches.values():
            segments += _segments_of(batch.built.result(), batch.pieces)
        return BuiltRound(self._pieces, segments)


def _segments_of(built: Built, batch: Iterable[Piece]) -> list[BuiltSegment]:
    """The segment of a batch, if it has articles; its pieces are told how they were read."""
    of_blocks = iter(built.of_blocks)
    last: dict[str, int] = {}
    for piece in batch:
        if piece.is_block:
            piece.readings.append(next(of_blocks))
        for of_block in piece.readings:
            last.update(dict.fromkeys(of_block.ids, piece.number))
    return [] if built.segment is None else [BuiltSegment(built.segment, last)]


def _built_by(process: WorkerProcess, segment: ArraySegment, parts: Iterable[Part]) -> Built:
    """Have ``segment`` built. Raises ArchiveError when the process is gone, OSError when it could not write."""
    try:
        paths = write_batch(process.requests, segment, parts)
        built = read_reply(process.replies, segment, paths)
    except (BrokenPipeError, ConnectionResetError):
        built = None
    if built is None:
        status = process.wait()
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        raise ArchiveError(f"a worker process {how}; the index is as it was. If memory is short, index with one worker")
    return built
