"""A cold `searchkit search`, in a process of its own, beside `python -c "import numpy, click"`.

    python -m benchmarks.cold --index index field '"neural network"' '--topic math equation' 'field --json'

What is measured
    for each command line the median ratio of the two over pairs that take turns, by the clock and by processor time,
    and the median milliseconds of both. The index is warm in the disk cache, modules are compiled.
Notes
    Threads that numpy starts and lets spin count as processor time, on either side. A command that fails ends the run.
"""

import argparse
import os
import resource
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.report import table

BARE = [sys.executable, "-c", "import numpy, click"]
_SEARCH = [sys.executable, "-c", "from searchkit.cli import main; main()", "search"]


def seconds(command: Sequence[str]) -> tuple[float, float]:
    """How long a command takes, by the clock and by processor time. Raises CalledProcessError when it fails."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, env=environment, check=True)
    clock = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(arguments: Sequence[str], rounds: int) -> list[float]:
    """Ratio by the clock, ratio by processor time, milliseconds of the search and of the imports; all medians."""
    search = [*_SEARCH, *arguments]
    seconds(search)  # the first run compiles modules and is not counted
    pairs = [(seconds(search), seconds(BARE)) for _ in range(rounds)]
    return [
        median(ours[0] / bare[0] for ours, bare in pairs),
        median(ours[1] / bare[1] for ours, bare in pairs),
        median(ours[0] for ours, _ in pairs) * 1000,
        median(bare[0] for _, bare in pairs) * 1000,
    ]


def main() -> None:
    """Measure the searches of the command line and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("searches", nargs="+", metavar="SEARCH", help="what follows `searchkit search`, as one text")
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=15, help="pairs a search (default: %(default)s)")
    options = parser.parse_args()
    rows = []
    for search in options.searches:
        by_clock, by_processor, search_ms, bare_ms = measure(
            [*shlex.split(search), "--index", str(options.index)], options.rounds
        )
        rows.append([search, f"{by_clock:.2f} ×", f"{by_processor:.2f} ×", f"{search_ms:.0f}", f"{bare_ms:.0f}"])
    print(table(["search", "clock", "CPU", "search ms", "imports ms"], rows))


if __name__ == "__main__":
    main()
