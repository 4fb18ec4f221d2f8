"""Indexing: from JSON Lines on disk to a durable commit, each engine in a fresh process, rounds interleaved.

    python -m benchmarks.indexing --corpus ../shared/corpora/reuters.jsonl.gz --limit 5000 --rounds 3

What is measured
    articles a second and MB of text a second, median of the rounds; processor time; peak memory of the largest process
    and of all together; size of the finished index; opening it in fresh processes; commits of one article each into it;
    merging it into one segment.
Corpus
    the files named, or an evenly spread part of them (--limit; --stock-limit for stock Whoosh, which is slow).
Notes
    Python's start and the imports are not timed. The cost of syncing is what the same commits take less in memory
    (/dev/shm), which is the same measure for every engine, whatever language it is written in.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.corpus import Selection, records, select
from benchmarks.peers import ENGINES, MAKERS, UnsupportedError, installed, make_peer
from benchmarks.processes import Stopwatch, Usage, run_alone
from benchmarks.report import middle, number, ratio, table

MEMORY_DISK = Path("/dev/shm")


def build(watch: Stopwatch, engine: str, source: Path, folder: Path, workers: int) -> int:
    """Index a file; the bytes of the finished index."""
    peer = make_peer(engine)
    with watch:
        peer.build(source, folder, workers)
    return folder_bytes(folder)


def open_once(watch: Stopwatch, engine: str, folder: Path) -> None:
    """Open an index, in a process that has not opened one before."""
    peer = make_peer(engine)
    with watch:
        peer.open(folder)


def add_singly(watch: Stopwatch, engine: str, folder: Path, source: Path, count: int) -> dict[str, Any]:
    """Add articles with new ids, each in its own commit: the milliseconds of each, and how many segments there are.

    The first commit is not among them: it opens the writer and reads the index into memory.
    """
    peer = make_peer(engine)
    peer.open(folder)
    before = peer.segments()
    took = []
    with watch:
        for record in islice(records(source), count + 1):
            record["id"] = f"{record['id']}~new"
            began = time.perf_counter()
            peer.add_one(record)
            took.append((time.perf_counter() - began) * 1000)
    return {"ms": took[1:], "segments_before": before, "segments_after": peer.segments()}


def merge(watch: Stopwatch, engine: str, folder: Path) -> str:
    """Merge an index into one segment; why that cannot be asked for, or nothing."""
    peer = make_peer(engine)
    peer.open(folder)
    try:
        with watch:
            peer.optimize()
    except UnsupportedError as exc:
        return str(exc)
    return ""


def folder_bytes(folder: Path) -> int:
    """The size of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@contextmanager
def copied(folder: Path, place: Path) -> Iterator[Path]:
    """A copy of an index at another place, for as long as it is needed."""
    with tempfile.TemporaryDirectory(dir=place) as there:
        yield Path(shutil.copytree(folder, Path(there) / "index"))


def measure(corpus: Path, options: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Every number for one corpus, by engine."""
    selection = select(corpus, options.limit, work)
    short = select(corpus, min(options.stock_limit, selection.articles), work)
    selections = {name: short if name == "whoosh" else selection for name in options.engines}
    builds: dict[str, list[tuple[int, Usage]]] = {name: [] for name in options.engines}
    for turn in range(options.rounds):
        for name in _rotated(options.engines, turn):  # nobody always comes first after a pause
            folder = work / selection.name / name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            builds[name].append(run_alone(build, name, selections[name].path, folder, options.workers))
    openings: dict[str, list[float]] = {name: [] for name in options.engines}
    for _ in range(options.openings):
        for name in options.engines:
            usage = run_alone(open_once, name, work / selection.name / name)[1]
            openings[name].append(usage.seconds * 1000)
    engines = {}
    for name in options.engines:
        results = _build_numbers(selections[name], builds[name])
        results["open_ms"] = median(openings[name])
        results |= _later_numbers(name, work / selection.name / name, selections[name], options, results["seconds"])
        engines[name] = results
    return {"corpus": selection.name, "articles": selection.articles, "engines": engines}


def _rotated(names: Sequence[str], turn: int) -> list[str]:
    start = turn % len(names)
    return [*names[start:], *names[:start]]


def _build_numbers(selection: Selection, builds: Sequence[tuple[int, Usage]]) -> dict[str, Any]:
    seconds = median(usage.seconds for _, usage in builds)
    return {
        "articles": selection.articles,
        "rounds": [usage.seconds for _, usage in builds],
        "seconds": seconds,
        "articles_per_second": selection.articles / seconds,
        "text_mb_per_second": selection.text_bytes / seconds / 1e6,
        "cpu_seconds": median(usage.cpu_seconds for _, usage in builds),
        "index_bytes": builds[-1][0],
        "index_to_text": builds[-1][0] / selection.text_bytes,
        "peak_process_bytes": max(usage.peak_process for _, usage in builds),
        "peak_tree_bytes": max(usage.peak_tree for _, usage in builds),
    }


def _later_numbers(
    name: str, folder: Path, selection: Selection, options: argparse.Namespace, build_seconds: float
) -> dict[str, Any]:
    """What happens to a finished index: single articles, then one merge."""
    added = synced_free = None
    if options.adds:
        if MEMORY_DISK.is_dir():
            with copied(folder, MEMORY_DISK) as copy:
                synced_free = run_alone(add_singly, name, copy, selection.path, options.adds)[0]
        added = run_alone(add_singly, name, folder, selection.path, options.adds)[0]
    obstacle, usage = run_alone(merge, name, folder)
    results: dict[str, Any] = {
        "merge_seconds": None if obstacle else usage.seconds,
        "merge_to_indexing": None if obstacle else usage.seconds / build_seconds,
        "merge_note": obstacle,
    }
    if added:
        results |= {
            "add_median_ms": median(added["ms"]),
            "add_max_ms": max(added["ms"]),
            "segments_before": added["segments_before"],
            "segments_after": added["segments_after"],
        }
    if added and synced_free:
        unsynced = median(synced_free["ms"])
        results["add_unsynced_ms"] = unsynced
        results["add_sync_share"] = max(0.0, 1 - unsynced / results["add_median_ms"])
    return results


def show(measured: dict[str, Any]) -> str:
    """The tables of one corpus."""
    engines = measured["engines"]
    rates = {name: numbers["articles_per_second"] for name, numbers in engines.items()}
    sizes = {name: numbers["index_to_text"] for name, numbers in engines.items()}
    building = [
        (
            _row_name(name, numbers, measured["articles"]),
            number(rates[name], 0),
            ratio(rates[name], rates.get("tantivy")),
            ratio(rates[name], rates.get("whoosh")),
            number(numbers["text_mb_per_second"], 2),
            number(numbers["cpu_seconds"] / numbers["articles"] * 1000, 2),
            number(numbers["index_bytes"] / 1e6),
            ratio(sizes[name], sizes.get("tantivy")),
            number(numbers["peak_process_bytes"] / 1e6, 0),
            number(numbers["peak_tree_bytes"] / 1e6, 0),
        )
        for name, numbers in engines.items()
    ]
    living = [
        (
            _row_name(name, numbers, measured["articles"]),
            number(numbers["open_ms"], 2),
            number(numbers.get("add_median_ms"), 2),
            number(numbers.get("add_max_ms"), 1),
            number(numbers.get("add_unsynced_ms"), 2),
            number(_percent(numbers.get("add_sync_share")), 0),
            f"{numbers.get('segments_before', '–')} → {numbers.get('segments_after', '–')}",
            number(numbers["merge_seconds"], 2),
            number(numbers["merge_to_indexing"], 2),
        )
        for name, numbers in engines.items()
    ]
    notes = [f"{name}: {numbers['merge_note']}." for name, numbers in engines.items() if numbers["merge_note"]]
    return "\n".join(
        [
            f"## {measured['corpus']}, {measured['articles']:,} articles",
            "",
            table(
                (
                    "",
                    "articles/s",
                    ": tantivy",
                    ": whoosh",
                    "text MB/s",
                    "CPU ms each",
                    "index MB",
                    ": tantivy",
                    "peak MB",
                    "all MB",
                ),
                building,
            ),
            "",
            table(
                ("", "open ms", "add ms", "max ms", "unsynced ms", "sync %", "segments", "merge s", "of indexing"),
                living,
            ),
            *notes,
        ]
    )


def _row_name(name: str, numbers: dict[str, Any], articles: int) -> str:
    return name if numbers["articles"] == articles else f"{name} ({numbers['articles']:,} articles only)"


def _percent(share: float | None) -> float | None:
    return middle([] if share is None else [share * 100])


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measures how fast articles are indexed, beside other engines.")
    parser.add_argument("--corpus", type=Path, nargs="+", required=True, help="JSON Lines, also .gz")
    parser.add_argument("--limit", type=int, help="articles of each corpus, spread evenly; default: all")
    parser.add_argument(
        "--stock-limit", type=int, default=5000, help="articles for stock Whoosh, at most (%(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--openings", type=int, default=7, help="fresh processes that open the index")
    parser.add_argument("--adds", type=int, default=200, help="single articles added to the finished index")
    parser.add_argument("--workers", type=int, default=2, help="passed to searchkit, where its add() has workers")
    parser.add_argument("--engines", nargs="+", choices=list(MAKERS), default=list(ENGINES))
    parser.add_argument("--work", type=Path, help="where the indexes are built; default: a temporary folder")
    parser.add_argument("--json", type=Path, help="write every number here too")
    options = parser.parse_args(arguments)
    options.engines, absent = installed(tuple(options.engines))
    if absent:
        print(absent)
    results = []
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        for corpus in options.corpus:
            results.append(measure(corpus, options, Path(work)))
            print(show(results[-1]), end="\n\n", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
