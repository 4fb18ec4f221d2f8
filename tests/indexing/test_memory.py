"""Indexing and merging a larger archive takes hardly more memory than a smaller one."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="memory is read from Linux's /proc")

SCRIPT = """
import sys
from pathlib import Path
from searchkit.indexing import store
from searchkit.indexing.batches import BatchLimits
from searchkit.indexing.writer import add_articles, optimize
from searchkit.settings import Settings
from searchkit.sources.articles import SourceArticles

folder = Path(sys.argv[2])
settings = Settings(durable=False)
store.create(folder, settings)
index = store.open_index(folder, settings)
limits = BatchLimits(characters=3_000_000)
print(add_articles(index, SourceArticles([sys.argv[1]]), settings, workers=2, limits=limits).added)
optimize(index, settings)
"""


def write_archive(path: Path, count: int) -> Path:
    """Articles of 50,000 words that come as often as words do."""
    rng = random.Random(5)
    with path.open("w") as lines:
        for number in range(count):
            words = [f"w{int(rng.paretovariate(0.6)) % 50_000:x}" for _ in range(60)]
            url = f"https://example.org/articles/{number:08}.html"
            lines.write(json.dumps({"id": f"article-{number:08}", "body": " ".join(words), "url": url}) + "\n")
    return path


def peaks(source: Path, folder: Path) -> tuple[int, int]:
    """The most memory that a process took that merges, and a worker, in MB."""
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(source), str(folder)], stdout=subprocess.PIPE)
    highest: dict[int, int] = {}
    while process.poll() is None:
        for pid in (process.pid, *children(process.pid)):
            highest[pid] = max(highest.get(pid, 0), peak_of(pid))
        time.sleep(0.01)
    assert process.wait() == 0
    process.stdout.close()
    parent = highest.pop(process.pid)
    first, second, *later = highest.values()  # two workers, then those that merge with the first process
    return max(parent, *later), max(first, second)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        return [int(one) for task in tasks for one in Path(f"/proc/{pid}/task/{task}/children").read_text().split()]
    except OSError:
        return []  # it has just ended


def peak_of(pid: int) -> int:
    """The most memory a process has taken so far, in MB; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:")), 0)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_archive(tmp_path: Path) -> None:
    """Four times as many articles take workers no more memory, and who merges them some 50 bytes an article."""
    small, large = 60_000, 240_000
    small_merge, small_worker = peaks(write_archive(tmp_path / "small.jsonl", small), tmp_path / "small")
    large_merge, large_worker = peaks(write_archive(tmp_path / "large.jsonl", large), tmp_path / "large")
    print(f"merging {small_merge} -> {large_merge} MB, worker {small_worker} -> {large_worker} MB")
    assert large_worker <= small_worker + 15
    assert large_merge <= small_merge + (large - small) * 100 / 1e6
