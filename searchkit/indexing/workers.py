"""Building segments in several processes at once. They are started only when there is enough to index."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from types import TracebackType
from typing import Any, NamedTuple, Self

from searchkit.article import Article
from searchkit.codec import ArraySegment
from searchkit.errors import ArchiveError
from searchkit.indexing.batches import Batch, BatchLimits, cut, head
from searchkit.indexing.storage import disk_failures
from searchkit.indexing.worker import Built, Part, PartsBuilder, read_reply, write_request
from searchkit.indexing.worker_process import WorkerProcess, start_worker
from searchkit.settings import Settings
from searchkit.sources.reading import Unread

_MOST_BY_DEFAULT = 4
_AHEAD = 1
"""Batches that wait for a process: none has to wait for the next one to be read."""


def worker_count(workers: int | None) -> int:
    """How many processes build: as many as asked for, or one for each core, at most four."""
    if workers is not None:
        return max(workers, 1)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_BY_DEFAULT)


class BuiltBatch(NamedTuple):
    """A batch and what came of it."""

    batch: Batch
    built: Built


class SegmentBuilders:
    """Builds the segments of a commit, in other processes when there is much to build. Use it in a ``with`` statement.

    When that is left no process is running any more, and none writes.
    """

    def __init__(self, storage: Any, settings: Settings, workers: int | None, limits: BatchLimits) -> None:
        self._storage = storage
        self._settings = settings
        self._workers = worker_count(workers)
        self._limits = limits
        self._processes: list[WorkerProcess] = []
        self._idle: SimpleQueue[WorkerProcess] = SimpleQueue()
        self._threads = ThreadPoolExecutor(self._workers, "searchkit-index")  # one waits for each process

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.close()

    def build(self, items: Iterator[Unread | Article], new_segment: Callable[[], ArraySegment]) -> Iterator[BuiltBatch]:
        """The segments of all ``items`` in their order, each named by ``new_segment``.

        Raises ArchiveError when a process ends unexpectedly, and IndexUnwritable when the disk is full or fails.
        """
        items, is_little = head(items, self._limits)
        if is_little or self._workers == 1:
            builder = PartsBuilder(self._storage, self._settings)
            for batch in cut(items, self._limits):
                with disk_failures(self._storage):
                    built = builder.build(new_segment(), batch.parts())
                yield BuiltBatch(batch, built)
            return
        for _ in range(self._workers):
            process = start_worker(self._storage, self._settings)
            self._processes.append(process)
            self._idle.put(process)
        waiting: deque[tuple[Batch, Future[Built]]] = deque()
        for batch in cut(items, self._limits, self._workers):
            while len(waiting) >= self._workers + _AHEAD:
                yield self._next(waiting)
            waiting.append((batch, self._threads.submit(self._build_elsewhere, new_segment(), batch.parts())))
        while waiting:
            yield self._next(waiting)

    def _next(self, waiting: deque[tuple[Batch, "Future[Built]"]]) -> BuiltBatch:
        batch, future = waiting[0]
        with disk_failures(self._storage):
            built = future.result()
        waiting.popleft()
        return BuiltBatch(batch, built)

    def _build_elsewhere(self, segment: ArraySegment, parts: list[Part]) -> Built:
        process = self._idle.get()
        try:
            return _built_by(process, segment, parts)
        finally:
            self._idle.put(process)


def _built_by(process: WorkerProcess, segment: ArraySegment, parts: list[Part]) -> Built:
    """Have ``segment`` built. Raises ArchiveError when the process is gone, OSError when it could not write."""
    try:
        write_request(process.requests, segment, parts)
        built = read_reply(process.replies, segment, parts)
    except (BrokenPipeError, ConnectionResetError):
        built = None
    if built is None:
        status = process.wait()
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        raise ArchiveError(f"a worker process {how}; the index is as it was. If memory is short, index with one worker")
    return built
