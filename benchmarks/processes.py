"""Work in processes of its own, with the time, processor time and memory it took.

Memory is read from /proc (Linux). Each process is judged by its own high-water mark; of a tree of processes the largest
sum seen is kept too, which counts pages that several of them share more than once.
"""

import multiprocessing
import os
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

SAMPLE_SECONDS = 0.05
_SPAWN = multiprocessing.get_context("spawn")  # nothing inherited: neither memory nor imported modules


@dataclass(frozen=True)
class Usage:
    """What a process took: seconds on the clock and of the processors, bytes of its largest process and of all."""

    seconds: float
    cpu_seconds: float
    peak_process: int
    peak_tree: int


class WorkerError(RuntimeError):
    """A measured process failed; the message is its traceback."""


class Stopwatch:
    """Times a stretch of work within a process, its finished children included."""

    def __enter__(self) -> "Stopwatch":
        self._began, self._cpu = time.perf_counter(), _cpu_seconds()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds, self.cpu_seconds = time.perf_counter() - self._began, _cpu_seconds() - self._cpu


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def run_alone(work: Callable[..., Any], *args: Any) -> tuple[Any, Usage]:
    """The result of ``work(stopwatch, *args)`` in a fresh process, and what it took.

    ``work`` enters the stopwatch around what is to be timed, after its imports. Raises WorkerError.
    """
    here, there = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=_answer_once, args=(there, work, args))
    process.start()
    there.close()
    peak_process = peak_tree = 0
    while not here.poll(SAMPLE_SECONDS):
        sizes = [_memory(pid) for pid in _family(process.pid or 0)]
        peak_process = max(peak_process, *(high for _, high in sizes), 0)
        peak_tree = max(peak_tree, sum(now for now, _ in sizes))
    try:
        failure, result, seconds, cpu_seconds, own_peak = here.recv()
    except EOFError:
        process.join()
        raise WorkerError(f"a measured process ended with exit code {process.exitcode} and no answer") from None
    process.join()
    if failure:
        raise WorkerError(failure)
    return result, Usage(seconds, cpu_seconds, max(peak_process, own_peak), max(peak_tree, own_peak))


def _answer_once(there: Connection, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
    watch = Stopwatch()
    try:
        result, failure = work(watch, *args), ""
    except Exception:  # whatever it is, the process that waits must hear of it
        result, failure = None, traceback.format_exc()
    seconds, cpu = getattr(watch, "seconds", 0.0), getattr(watch, "cpu_seconds", 0.0)
    there.send((failure, result, seconds, cpu, _memory(os.getpid())[1]))


class Worker:
    """A process that holds one object and calls its methods on demand, such as an open archive."""

    def __init__(self, make: Callable[..., Any], *args: Any) -> None:
        self._here, there = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(there, make, args))
        self._process.start()
        there.close()
        self._receive()

    def call(self, method: str, *args: Any) -> Any:
        """What the method gives. Raises WorkerError."""
        self._here.send((method, args))
        return self._receive()

    def close(self) -> None:
        """End the process, at the latest with the request it is working on."""
        with suppress(BrokenPipeError):  # it failed and is gone
            self._here.send(None)
        self._process.join()

    def _receive(self) -> Any:
        try:
            failure, result = self._here.recv()
        except EOFError:
            self._process.join()
            raise WorkerError(f"a measured process ended with exit code {self._process.exitcode}") from None
        if failure:
            raise WorkerError(failure)
        return result


def _serve(there: Connection, make: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        held = make(*args)
        there.send(("", None))
        while (request := there.recv()) is not None:
            method, arguments = request
            there.send(("", getattr(held, method)(*arguments)))
    except EOFError:
        return  # the measuring process is gone
    except Exception:  # whatever it is, the process that waits must hear of it
        there.send((traceback.format_exc(), None))


def private_bytes() -> int:
    """The memory of this process that is its own: without the pages of mapped files."""
    return _status(os.getpid(), "RssAnon")


def _family(pid: int) -> list[int]:
    """A process and everything below it."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                continue  # the thread ended meanwhile
    return found


def _memory(pid: int) -> tuple[int, int]:
    """The resident bytes of a process now, and at most since it began."""
    return _status(pid, "VmRSS"), _status(pid, "VmHWM")


def _status(pid: int, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0  # it ended meanwhile, or this is not Linux
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)
