"""Starting and ending a process that serves as a worker: a fork of this one where that is safe, or a new interpreter.

Neither asks anything of the program's main module.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any, Protocol

from searchkit.errors import ArchiveError
from searchkit.indexing.forks import MMAP_THRESHOLD, TRIM_THRESHOLD, Fork, may_fork
from searchkit.indexing.worker import serve, write_start
from searchkit.settings import Settings

_ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": str(MMAP_THRESHOLD),
    "MALLOC_TRIM_THRESHOLD_": str(TRIM_THRESHOLD),
    "OPENBLAS_NUM_THREADS": "1",  # the threads that numpy would start for linear algebra, of which there is none here
}

_PIPE_BYTES = 1 << 20
"""A block of lines goes through in one piece, where that can be set."""


class WorkerProcess(Protocol):
    """A running worker, seen from the process that started it."""

    requests: IO[bytes]
    replies: IO[bytes]

    def wait(self) -> int:
        """The exit status when it has ended, negative for the signal that ended it."""
        ...

    def kill(self) -> None:
        """End it now; all that it has built is in files that are complete."""
        ...

    def end_requests(self) -> None:
        """Have it end when it has built what it was asked to."""
        ...

    def close(self) -> None:
        """Let go of the pipes."""
        ...


def start_worker(storage: Any, settings: Settings, others: Sequence[WorkerProcess]) -> WorkerProcess:
    """A new worker beside ``others``. Raises ArchiveError when it cannot be started."""
    if may_fork():
        return _Fork(storage, settings, others)
    return _Interpreter(storage, settings)


class _Fork:
    """A fork of this process."""

    def __init__(self, storage: Any, settings: Settings, others: Sequence[WorkerProcess]) -> None:
        from_here, to_child = os.pipe()
        from_child, to_here = os.pipe()

        def work() -> None:
            os.close(to_child)  # a pipe ends when nobody has the side open that is written to
            os.close(from_child)
            for other in others:
                other.close()
            serve(os.fdopen(from_here, "rb"), os.fdopen(to_here, "wb"), storage, settings)

        try:
            self._fork = Fork(work)
        except OSError as exc:
            os.close(to_child)
            os.close(from_child)
            raise ArchiveError(f"this process cannot be forked ({exc}); index with one worker") from exc
        finally:
            os.close(from_here)
            os.close(to_here)
        self.requests: IO[bytes] = os.fdopen(to_child, "wb")
        self.replies: IO[bytes] = os.fdopen(from_child, "rb")
        _widen(to_child)

    def wait(self) -> int:
        return self._fork.wait()

    def kill(self) -> None:
        self._fork.kill()

    def end_requests(self) -> None:
        _end_requests(self)

    def close(self) -> None:
        self.replies.close()
        _end_requests(self)


class _Interpreter:
    """A new interpreter that runs `searchkit.indexing.worker`."""

    def __init__(self, storage: Any, settings: Settings) -> None:
        command = [sys.executable, "-P", "-m", "searchkit.indexing.worker"]  # -P: nothing from the current folder
        environment = {
            **_ENVIRONMENT,
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
        }
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                pipesize=_PIPE_BYTES,
                start_new_session=True,  # Ctrl-C is sent to the whole group of processes before they can ignore it
            )
        except OSError as exc:
            raise ArchiveError(f"{sys.executable!r} cannot be started ({exc}); index with one worker") from exc
        assert self._process.stdin is not None  # both are pipes
        assert self._process.stdout is not None
        self.requests: IO[bytes] = self._process.stdin
        self.replies: IO[bytes] = self._process.stdout
        with suppress(BrokenPipeError):  # the first request will say that it is gone
            write_start(self.requests, storage, settings)

    def wait(self) -> int:
        return self._process.wait()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def end_requests(self) -> None:
        _end_requests(self)

    def close(self) -> None:
        self.replies.close()
        _end_requests(self)


def _end_requests(process: WorkerProcess) -> None:
    with suppress(OSError):  # what was not sent to it cannot be sent any more
        process.requests.close()


def _widen(pipe: int) -> None:
    from fcntl import F_SETPIPE_SZ, fcntl  # Linux has it, and so has every process that forks

    with suppress(OSError):  # users may have so much of pipes in all
        fcntl(pipe, F_SETPIPE_SZ, _PIPE_BYTES)
