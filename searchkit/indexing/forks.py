"""Work in a fork of this process.

A fork is at work in a few milliseconds, where a new interpreter takes a quarter of a second of a processor to start and
import, but a lock that another thread holds stays locked in it for ever. So only a program without other threads is
forked, and only on Linux: the system libraries of others do not allow it.
"""

import os
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from ctypes import CDLL
from signal import SIG_IGN, SIGINT, SIGKILL, set_wakeup_fd, signal
from typing import NoReturn

MMAP_THRESHOLD, TRIM_THRESHOLD = 1 << 28, 1 << 29
"""For glibc: arrays that come and go with each batch stay with the process, which need not clear their pages again."""


def may_fork() -> bool:
    """Whether a fork of this process is safe."""
    return sys.platform == "linux" and threading.active_count() == 1


class Fork:
    """A fork that does some work and ends, seen from the process that it is a fork of."""

    def __init__(self, work: Callable[[], object]) -> None:
        """Have ``work`` done; its exit status is 0 if it returns. Raises OSError when no process can be added."""
        self._pid = os.fork()
        if self._pid == 0:
            _work_as_fork(work)
        self._status: int | None = None
        self._waiting = threading.Lock()

    def wait(self) -> int:
        """The exit status when it has ended, negative for the signal that ended it."""
        with self._waiting:  # it can be waited for once
            if self._status is None:
                self._status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
            return self._status

    def kill(self) -> None:
        """End it now, and wait for it."""
        if self._status is None:
            with suppress(ProcessLookupError):  # somebody has just waited for it
                os.kill(self._pid, SIGKILL)
            self.wait()


def _work_as_fork(work: Callable[[], object]) -> NoReturn:
    """All that a fork does: nothing of the program that it was may run in it, not even when it ends."""
    status = 1
    try:
        os.setsid()  # Ctrl-C is sent to the whole group of processes
        set_wakeup_fd(-1)
        signal(SIGINT, SIG_IGN)
        _keep_memory()
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _keep_memory() -> None:
    with suppress(OSError, AttributeError):  # another C library
        libc = CDLL(None)
        libc.mallopt(-3, MMAP_THRESHOLD)
        libc.mallopt(-1, TRIM_THRESHOLD)
