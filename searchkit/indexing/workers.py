"""Building segments in several processes at once.

They are new interpreters that run `searchkit.indexing.worker`, not forks, so that this is safe in a program with
threads and asks nothing of its main module. They are started only when there is enough to index.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from types import TracebackType
from typing import Any, NamedTuple, Self

from searchkit.article import Article
from searchkit.codec import ArraySegment
from searchkit.errors import ArchiveError
from searchkit.indexing.batches import Batch, BatchLimits, cut, head
from searchkit.indexing.storage import disk_failures
from searchkit.indexing.worker import Built, Part, PartsBuilder, read_reply, write_request, write_start
from searchkit.settings import Settings
from searchkit.sources.reading import Unread

_MOST_BY_DEFAULT = 4
_AHEAD = 1
"""Batches that wait for a process: none has to wait for the next one to be read."""

_ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": str(1 << 28), "MALLOC_TRIM_THRESHOLD_": str(1 << 29)}
"""For glibc: arrays that come and go with each batch stay with the process, which need not clear their pages again."""


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
        self._processes: list[_Process] = []
        self._idle: SimpleQueue[_Process] = SimpleQueue()
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
            process = _Process(self._storage, self._settings)
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
            return process.build(segment, parts)
        finally:
            self._idle.put(process)


class _Process:
    """A running `searchkit.indexing.worker`, seen from the process that started it."""

    def __init__(self, storage: Any, settings: Settings) -> None:
        command = [sys.executable, "-P", "-m", "searchkit.indexing.worker"]  # -P: nothing from the current folder
        environment = {
            **_ALLOCATOR,
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
        }
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                pipesize=1 << 20,  # a block of lines in one piece, where that can be set
                start_new_session=True,  # Ctrl-C is sent to the whole group of processes before they can ignore it
            )
        except OSError as exc:
            raise ArchiveError(f"{sys.executable!r} cannot be started ({exc}); index with one worker") from exc
        assert self._process.stdin is not None  # both are pipes
        assert self._process.stdout is not None
        self._requests, self._replies = self._process.stdin, self._process.stdout
        with suppress(BrokenPipeError):  # the first request will say that it is gone
            write_start(self._requests, storage, settings)

    def build(self, segment: ArraySegment, parts: list[Part]) -> Built:
        """Have ``segment`` built. Raises ArchiveError when the process is gone, OSError when it could not write."""
        try:
            write_request(self._requests, segment, parts)
            built = read_reply(self._replies, segment, parts)
        except (BrokenPipeError, ConnectionResetError):
            built = None
        if built is None:
            status = self._process.wait()
            how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            raise ArchiveError(
                f"a worker process {how}; the index is as it was. If memory is short, index with one worker"
            )
        return built

    def kill(self) -> None:
        """End the process now; all that it has built is in files that are complete."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Let go of the pipes."""
        self._replies.close()
        with suppress(OSError):  # what was not sent to it cannot be sent any more
            self._requests.close()
