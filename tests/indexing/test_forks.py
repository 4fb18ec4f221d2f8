"""Forks do their work and nothing else, and end with the program that they are forks of."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from searchkit.indexing.forks import Fork, may_fork

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux there are forks")


def test_a_program_with_threads_is_not_forked() -> None:
    """What another thread holds would stay locked in the fork."""
    assert may_fork()
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    assert not may_fork()
    done.set()
    thread.join()
    assert may_fork()


def test_how_a_fork_ends(capfd: pytest.CaptureFixture[str]) -> None:
    """Its status says whether the work was done; an error is shown, and the program goes on in one process only."""
    here = os.getpid()
    assert Fork(lambda: None).wait() == 0
    assert Fork(lambda: os.kill(os.getpid(), signal.SIGTERM)).wait() == -signal.SIGTERM
    assert capfd.readouterr().err == ""
    assert Fork(lambda: [][0]).wait() == 1
    assert "IndexError" in capfd.readouterr().err
    fork = Fork(lambda: time.sleep(60))
    fork.kill()
    assert fork.wait() == -signal.SIGKILL
    fork.kill()
    assert os.getpid() == here


SCRIPT = """
import time
from searchkit.indexing.forks import Fork
fork = Fork(lambda: time.sleep(60))
print(fork._pid, flush=True)
time.sleep(60)
"""


def test_a_fork_ends_with_its_program() -> None:
    """A program that is killed leaves no process that goes on writing, however busy that is."""
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True) as program:
        pid = int(program.stdout.readline())
        program.kill()
    ends = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < ends
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
