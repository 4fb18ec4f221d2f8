"""Whole archive pages: total, ten hits with snippets, topic counts and timeline, and the best ten titles alone.

    python -m benchmarks.pages --corpus ../shared/corpora/reuters.jsonl.gz --limit 5000 --rounds 5

What is measured
    the median milliseconds of each kind of query, asked for the first time and again and again; the ratio of
    searchkit's to each peer's; the memory that a searching process has to itself, beyond the pages of mapped files;
    with --threads the pages a second of the first engine.
Corpus
    the files named, or an evenly spread part of them. The queries are drawn from the corpus' own words by `queries.py`;
    for whole corpora they lie beside this file, so that two versions are asked the same.
Notes
    One process an engine, all open at once. They take turns: one kind of query here, then there. First come new
    queries, asked once each: half of them do not count, as an engine is warmed up by them, the other half is the table
    of new queries, since engines keep what they have decoded. Then come the others, round after round, after a round
    that does not count.
    "differs" beside a ratio: the peer's totals are more than a tenth away from
    searchkit's, so it answered another question.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.corpus import Selection, select
from benchmarks.indexing import build
from benchmarks.peers import ENGINES, MAKERS, Answer, installed, make_peer
from benchmarks.processes import Worker, private_bytes, run_alone
from benchmarks.queries import KINDS, Query, make_queries, read_queries, write_queries
from benchmarks.report import middle, number, ratio, table

HERE = Path(__file__).parent
PARTS = ("page", "titles")
THREAD_SECONDS = 3.0
NEW_DRAWS = range(1, 5)
"""Sets of queries that are asked once, the first half of them to warm up."""
SLOW = "whoosh"
"""Takes up to seconds a page: it has rounds of its own number."""
SAME_TOTAL = 0.1
REMARKS = {
    "tantivy": (
        "tantivy-py searches and aggregates in two passes, its timeline has buckets of 365 days instead of years, "
        "and its prefixes are those of stems (it has no unstemmed field here) and are not marked in snippets."
    ),
    "fts5": "FTS5 has no facets or timeline of its own: they are SQL, one statement each.",
    "whoosh": "Stock Whoosh counts topics folded and marks no prefixes.",
}


class OpenArchive:
    """An engine with an index open, in its own process."""

    def __init__(self, engine: str, folder: Path) -> None:
        self.peer = make_peer(engine)
        self.peer.open(folder)

    def ask(self, part: str, queries: Sequence[Query]) -> list[tuple[float, Answer]]:
        """Milliseconds and answer of each query, ``part`` being page or titles."""
        method: Callable[[Query], Answer] = getattr(self.peer, part)
        return [self._timed(method, query) for query in queries]

    @staticmethod
    def _timed(method: Callable[[Query], Answer], query: Query) -> tuple[float, Answer]:
        began = time.perf_counter()
        answer = method(query)
        return (time.perf_counter() - began) * 1000, answer

    def throughput(self, queries: Sequence[Query], threads: int) -> float:
        """Pages a second that so many threads make of one opened archive."""
        until = time.perf_counter() + THREAD_SECONDS

        def ask_on(first: int) -> int:
            asked = 0
            while time.perf_counter() < until:
                self.peer.page(queries[(first + asked) % len(queries)])
                asked += 1
            return asked

        with ThreadPoolExecutor(threads) as pool:
            return sum(pool.map(ask_on, range(0, threads * 7, 7))) / THREAD_SECONDS

    def memory(self) -> int:
        """Private bytes of the process."""
        return private_bytes()


def queries_for(selection: Selection, options: argparse.Namespace) -> list[Query]:
    """The queries to ask: those of a file, or for a part of a corpus fresh ones from that part."""
    return _queries(options.queries, f"queries_{selection.name}.jsonl", selection, options, (0,))


def new_queries_for(selection: Selection, options: argparse.Namespace) -> list[Query]:
    """The queries that are asked only once, from where `queries_for` has its own."""
    return _queries(options.new, f"queries_{selection.name}_new.jsonl", selection, options, NEW_DRAWS)


def _queries(
    given: Path | None, name: str, selection: Selection, options: argparse.Namespace, draws: Iterable[int]
) -> list[Query]:
    if given:
        return read_queries(given)
    if options.limit:
        return make_queries(selection.path, draws)
    path = HERE / name
    if not path.exists():
        write_queries(make_queries(selection.path, draws), path)
    return read_queries(path)


def measure(corpus: Path, options: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Milliseconds of every query by engine, part and query, and what the pages held."""
    selection = select(corpus, options.limit, work)
    queries = queries_for(selection, options)
    new = new_queries_for(selection, options)
    folders = {}
    for name in options.engines:
        folder = work / f"{selection.name}-{selection.articles}-{name}"
        finished = folder.with_suffix(".built")
        if not finished.exists():
            folder.mkdir(parents=True)
            run_alone(build, name, selection.path, folder, options.workers)
            finished.touch()
        folders[name] = folder
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(closing(Worker(OpenArchive, name, folder))) for name, folder in folders.items()
        }
        new_times = _ask_once(workers, new)
        times, answers = _ask_in_turns(workers, queries, options)
        memory = {name: worker.call("memory") for name, worker in workers.items()}
        counts = (1, options.threads) if options.threads else ()
        rates = {str(count): workers[options.engines[0]].call("throughput", queries, count) for count in counts}
    return {
        "corpus": selection.name,
        "articles": selection.articles,
        "queries": [asdict(query) for query in queries],
        "ms": {name: {p: [middle(took) for took in parts[p]] for p in PARTS} for name, parts in times.items()},
        "new_queries": [asdict(query) for query in new[len(new) // 2 :]],
        "new_ms": new_times,
        "answers": {name: [asdict(found[i]) for i in range(len(queries))] for name, found in answers.items()},
        "private_bytes": memory,
        "pages_per_second": rates,
    }


def _ask_once(workers: dict[str, Worker], queries: Sequence[Query]) -> dict[str, list[float]]:
    """Milliseconds of the pages of the second half of the queries, which nobody has asked before."""
    times: dict[str, list[float]] = {name: [] for name in workers if name != SLOW}
    half = len(queries) // 2
    for asked in (queries[:half], queries[half:]):
        for name in times:
            times[name] = [took for took, _ in workers[name].call("ask", "page", asked)]
    return times


def _ask_in_turns(
    workers: dict[str, Worker], queries: Sequence[Query], options: argparse.Namespace
) -> tuple[dict[str, dict[str, list[list[float]]]], dict[str, dict[int, Answer]]]:
    """Milliseconds of every query by engine and part, without those of a first round; the pages."""
    times: dict[str, dict[str, list[list[float]]]] = {
        name: {part: [[] for _ in queries] for part in PARTS} for name in workers
    }
    answers: dict[str, dict[int, Answer]] = {name: {} for name in workers}
    kinds = [kind for kind in KINDS if any(query.kind == kind for query in queries)]
    for turn in range(options.rounds + 1):
        for kind in kinds:
            asked = [i for i, query in enumerate(queries) if query.kind == kind]
            for part in PARTS:
                for name, worker in workers.items():
                    if name == SLOW and turn > options.stock_rounds:
                        continue
                    chosen = asked[:1] if name == SLOW and turn == 0 else asked  # enough to warm it up
                    for i, (took, answer) in zip(
                        chosen, worker.call("ask", part, [queries[i] for i in chosen]), strict=True
                    ):
                        if turn:
                            times[name][part][i].append(took)
                        if part == "page":
                            answers[name][i] = answer
    return times, answers


def show(measured: dict[str, Any]) -> str:
    """The tables of one corpus."""
    lines = [f"## {measured['corpus']}, {measured['articles']:,} articles, {len(measured['queries'])} queries"]
    for part, title in (("page", "Whole pages asked again"), ("titles", "Titles of the best ten, asked again")):
        lines += ["", f"{title}, median ms", "", _part_table(measured, part)]
    lines += ["", "Whole pages of new queries, median ms", "", _new_table(measured)]
    memory = ", ".join(f"{name} {number(size / 1e6, 0)} MB" for name, size in measured["private_bytes"].items())
    lines += ["", f"Private memory of the searching process: {memory}."]
    rates = [f"{number(rate, 0)} by {threads}" for threads, rate in measured["pages_per_second"].items()]
    lines += [f"Pages a second of {next(iter(measured['ms']))} by threads: {', '.join(rates)}."] if rates else []
    lines += [REMARKS[name] for name in measured["ms"] if name in REMARKS]
    return "\n".join(lines)


def _part_table(measured: dict[str, Any], part: str) -> str:
    names = list(measured["ms"])
    peers = [name for name in names if name != names[0]]
    by_kind: dict[str, list[int]] = {}
    for i, query in enumerate(measured["queries"]):
        by_kind.setdefault(query["kind"], []).append(i)
    everything = list(range(len(measured["queries"])))
    rows = []
    for kind, chosen in [*by_kind.items(), ("all queries", everything)]:
        medians = {name: median(measured["ms"][name][part][i] for i in chosen) for name in names}
        matching = median(measured["answers"][names[0]][i]["total"] for i in chosen)
        cells = [kind, str(len(chosen)), number(matching, 0), *(number(medians[name], 2) for name in names)]
        for name in peers:
            differs = "" if kind == "all queries" or _same_totals(measured, names[0], name, chosen) else " (differs)"
            cells.append(ratio(medians[names[0]], medians[name]) + differs)
        rows.append(cells)
    return table(("kind", "queries", "matches", *names, *(f"{names[0]} : {name}" for name in peers)), rows)


def _new_table(measured: dict[str, Any]) -> str:
    names = list(measured["new_ms"])
    kinds = [query["kind"] for query in measured["new_queries"]]
    rows = []
    for kind in [*dict.fromkeys(kinds), "all queries"]:
        chosen = [i for i, one in enumerate(kinds) if kind in (one, "all queries")]
        medians = {name: median(measured["new_ms"][name][i] for i in chosen) for name in names}
        ratios = [ratio(medians[names[0]], medians[name]) for name in names[1:]]
        rows.append([kind, str(len(chosen)), *(number(medians[name], 2) for name in names), *ratios])
    return table(("kind", "queries", *names, *(f"{names[0]} : {name}" for name in names[1:])), rows)


def _same_totals(measured: dict[str, Any], one: str, other: str, chosen: Sequence[int]) -> bool:
    """Whether two engines found about as many articles, over the queries of a kind."""
    totals = [[measured["answers"][name][i]["total"] for i in chosen] for name in (one, other)]
    return abs(sum(totals[0]) - sum(totals[1])) <= SAME_TOTAL * max(sum(totals[0]), 1)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measures whole archive pages, beside other engines.")
    parser.add_argument("--corpus", type=Path, nargs="+", required=True, help="JSON Lines, also .gz")
    parser.add_argument("--limit", type=int, help="articles of each corpus, spread evenly; default: all")
    parser.add_argument("--queries", type=Path, help="a file of queries; default: the corpus' own")
    parser.add_argument("--new", type=Path, help="a file of queries that are asked once; default: the corpus' own")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stock-rounds", type=int, default=1, help="rounds for stock Whoosh (%(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="for building searchkit's index")
    parser.add_argument("--engines", nargs="+", choices=list(MAKERS), default=list(ENGINES))
    parser.add_argument("--threads", type=int, default=0, help="also count the pages a second of so many threads")
    parser.add_argument("--work", type=Path, help="keep the indexes here and use those found here again")
    parser.add_argument("--json", type=Path, help="write every number here too")
    options = parser.parse_args(arguments)
    options.engines, absent = installed(tuple(options.engines))
    if absent:
        print(absent)
    results = []
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        for corpus in options.corpus:
            results.append(measure(corpus, options, work))
            print(show(results[-1]), end="\n\n", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
