"""How good the best ten are: nDCG@10 on collections of queries with judged answers, beside other engines.

    python -m benchmarks.relevance --collections ../shared/eval

What is measured
    the mean nDCG@10 (Järvelin and Kekäläinen 2002: gain as judged, discount log2(rank + 1)) over all queries with a
    judged answer, for searchkit without and with the setting ``nearness``, tantivy and SQLite FTS5; and the median
    milliseconds of a query's best ten without facets, timeline and snippets.
Collections
    a folder each, in the form of BEIR: ``corpus.jsonl`` and ``queries.jsonl`` with ``_id``, ``title``, ``text``, and
    ``qrels.tsv``.
Notes
    A query is asked for any of its words, as those who ask in sentences are answered. No engine is told which words
    carry no meaning.
"""

import argparse
import json
import math
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

from benchmarks.peers import HITS, Fts5Peer, SearchkitPeer, TantivyPeer, installed, make_peer
from benchmarks.queries import Query
from benchmarks.report import number, table

WORD = re.compile(r"\w+")

Judgements = dict[str, dict[str, int]]
Ranker = Callable[[Query], list[str]]
"""The ids of the best ten."""


@dataclass(frozen=True)
class Measured:
    """One engine on one collection."""

    ndcg: float
    milliseconds: float


def load(folder: Path) -> tuple[list[dict[str, Any]], dict[str, Query], Judgements]:
    """The articles, the queries and the judgements of a collection."""
    articles = [
        {"id": record["_id"], "title": record["title"], "body": record["text"]}
        for record in _records(folder / "corpus.jsonl")
    ]
    queries = {
        record["_id"]: Query("judged", some=tuple(dict.fromkeys(WORD.findall(record["text"].lower()))))
        for record in _records(folder / "queries.jsonl")
    }
    judged: Judgements = defaultdict(dict)
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, article, grade = line.split("\t")
        if int(grade) > 0:
            judged[query][article] = int(grade)
    return articles, {name: query for name, query in queries.items() if judged.get(name)}, judged


def _records(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def ndcg(ranked: Sequence[str], grades: dict[str, int]) -> float:
    """The normalised discounted cumulative gain of the first ten of a ranking."""
    ideal = _gain(sorted(grades.values(), reverse=True)[:HITS])
    return _gain([grades.get(article, 0) for article in ranked[:HITS]]) / ideal if ideal else 0.0


def _gain(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(rank + 2) for rank, grade in enumerate(grades))


def rankers(source: Path, work: Path) -> dict[str, Ranker]:
    """What ranks the articles of ``source``, built anew, by name."""
    found: dict[str, Ranker] = {}
    for name in installed(("searchkit", "tantivy", "fts5"))[0]:
        folder = work / name
        folder.mkdir()
        peer = make_peer(name)
        peer.build(source, folder, 1)
        peer.open(folder)
        match peer:
            case SearchkitPeer():
                found["searchkit"] = _searchkit(folder, nearness=False)
                found["with nearness"] = _searchkit(folder, nearness=True)
            case TantivyPeer():
                found["tantivy"] = _tantivy(peer)
            case Fts5Peer():
                found["fts5"] = _fts5(peer)
    return found


def _searchkit(folder: Path, *, nearness: bool) -> Ranker:
    import searchkit

    archive = searchkit.open_archive(folder, settings=searchkit.Settings(nearness=nearness))

    def rank(query: Query) -> list[str]:
        page = archive.search(" OR ".join(query.some), limit=HITS, facets=(), timeline=None, snippets=False)
        return [hit.id for hit in page.hits]

    return rank


def _tantivy(peer: TantivyPeer) -> Ranker:
    return lambda query: [peer.searcher.doc(address)["id"][0] for _, address in peer._search(query)[1].hits]


def _fts5(peer: Fts5Peer) -> Ranker:
    return lambda query: [row[0] for row in peer._best(query, "articles.id")]


def measure(folder: Path, work: Path) -> dict[str, Measured]:
    """Every engine on one collection."""
    articles, queries, judged = load(folder)
    work.mkdir()
    source = work / "articles.jsonl"
    source.write_text("".join(json.dumps(article) + "\n" for article in articles), encoding="utf-8")
    measured = {}
    for name, rank in rankers(source, work).items():
        gains, times = [], []
        for number_of, query in queries.items():
            began = time.perf_counter()
            ranked = rank(query)
            times.append((time.perf_counter() - began) * 1000)
            gains.append(ndcg(ranked, judged[number_of]))
        measured[name] = Measured(mean(gains), median(times))
    return measured


def show(results: dict[str, dict[str, Measured]]) -> str:
    """The table of all collections, with their means."""
    names = list(next(iter(results.values())))
    rows = [
        [collection, *(number(measured[name].ndcg, 4) for name in names)] for collection, measured in results.items()
    ]
    rows.append(["mean", *(number(mean(measured[name].ndcg for measured in results.values()), 4) for name in names)])
    rows.append(
        [
            "median ms",
            *(number(mean(measured[name].milliseconds for measured in results.values()), 2) for name in names),
        ]
    )
    return table(("nDCG@10", *names), rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measures nDCG@10 on judged collections, beside other engines.")
    parser.add_argument("--collections", type=Path, required=True, help="a folder with one folder a collection")
    parser.add_argument("--only", nargs="+", help="names of collections; default: all")
    options = parser.parse_args(arguments)
    results = {}
    with tempfile.TemporaryDirectory() as temporary:
        for folder in sorted(options.collections.iterdir()):
            if (folder / "qrels.tsv").exists() and (not options.only or folder.name in options.only):
                results[folder.name] = measure(folder, Path(temporary) / folder.name)
    print(show(results))


if __name__ == "__main__":
    main()
