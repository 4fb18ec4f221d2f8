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

_PARENT_DEATH_SIGNAL = 1  # linux/prctl.h
_SET_MMAP_THRESHOLD, _SET_TRIM_THRESHOLD = -3, -1  # malloc.h


def may_fork() -> bool:
    """Whether a fork of this process is safe."""
    return sys.platform == "linux" and threading.active_count() == 1


class Fork:
    """A fork that does some work and ends, seen from the process that it is a fork of."""

    def __init__(self, work: Callable[[], object]) -> None:
        """Have ``work`` done; its exit status is 0 if it returns. Raises OSError when no process can be added."""
        here = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            _work_as_fork(work, here)
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


def _work_as_fork(work: Callable[[], object], parent: int) -> NoReturn:
    """All that a fork does: nothing of the program that it was may run in it, not even when it ends."""
    status = 1
    try:
        os.setsid()  # Ctrl-C is sent to the whole group of processes
        set_wakeup_fd(-1)
        signal(SIGINT, SIG_IGN)
        _prepare()
        if os.getppid() == parent:
            work()
            status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _prepare() -> None:
    """Have the system end this process with the one that it is a fork of, and the C library keep its memory."""
    libc = CDLL(None)
    libc.prctl(_PARENT_DEATH_SIGNAL, SIGKILL)
    with suppress(AttributeError):  # another C library than glibc
        libc.mallopt(_SET_MMAP_THRESHOLD, MMAP_THRESHOLD)
        libc.mallopt(_SET_TRIM_THRESHOLD, TRIM_THRESHOLD)
