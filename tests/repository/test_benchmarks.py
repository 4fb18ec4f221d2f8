"""The benchmarks run, on a few articles, and measure every engine that is installed."""

import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.corpus import multiply, records
from benchmarks.peers import ENGINES
from benchmarks.queries import KINDS
from benchmarks.relevance import ndcg

REPOSITORY = Path(__file__).resolve().parents[2]
CORPUS = REPOSITORY / "sample_corpus" / "briefs.jsonl"
LIMIT = 10


def run(module: str, folder: Path, *options: str) -> tuple[str, dict[str, Any]]:
    """What a benchmark printed and wrote."""
    out = folder / "numbers.json"
    command = [sys.executable, "-m", f"benchmarks.{module}", "--corpus", str(CORPUS), "--limit", str(LIMIT)]
    command += ["--rounds", "1", "--work", str(folder), "--json", str(out), *options]
    printed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert printed.returncode == 0, printed.stderr
    return printed.stdout, json.loads(out.read_text(encoding="utf-8"))[0]


@pytest.fixture(scope="module")
def indexing(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """One run of benchmarks.indexing."""
    return run("indexing", tmp_path_factory.mktemp("indexing"), "--openings", "1", "--adds", "2")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """One run of benchmarks.pages."""
    return run("pages", tmp_path_factory.mktemp("pages"))


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine that is measured by default."""
    if request.param == "tantivy" and not importlib.util.find_spec("tantivy"):
        pytest.skip("tantivy is not installed; pip install -e '.[bench]' to measure against it")
    return str(request.param)


def test_indexing_measures_every_engine(engine: str, indexing: tuple[str, dict[str, Any]]) -> None:
    """Speed, size, memory and opening time of each engine are there, and a row of the table."""
    printed, measured = indexing
    numbers = measured["engines"][engine]

    assert numbers["articles"] == LIMIT
    for name in ("articles_per_second", "index_bytes", "peak_process_bytes", "open_ms", "add_median_ms"):
        assert numbers[name] > 0, name
    assert numbers["segments_after"] >= 1
    assert f"| {engine} " in printed


def test_pages_measures_every_kind_of_query(engine: str, pages: tuple[str, dict[str, Any]]) -> None:
    """Every query has a time in each engine, and each kind a row."""
    printed, measured = pages
    n_queries = sum(KINDS.values())

    for part in ("page", "titles"):
        assert len([ms for ms in measured["ms"][engine][part] if ms > 0]) == n_queries
    assert all(f"| {kind} " in printed for kind in KINDS)


def test_engines_answer_the_same_question(engine: str, pages: tuple[str, dict[str, Any]]) -> None:
    """Where words need no stemming to be equal, the engines find as many articles, with snippets and counts."""
    _, measured = pages
    ours, theirs = measured["answers"]["searchkit"], measured["answers"][engine]
    same = [a["total"] == b["total"] for a, b in zip(ours, theirs, strict=True)]

    assert sum(same) >= 0.95 * len(same)
    assert any(answer["snippets"] and answer["topics"] and answer["buckets"] for answer in theirs)


def test_relevance_is_measured_for_every_engine(tmp_path: Path) -> None:
    """A collection has a row, an engine a column, and what ranks the judged articles first has an nDCG of 1."""
    folder = tmp_path / "collections" / "tiny"
    folder.mkdir(parents=True)
    texts = {"d1": "ash trees", "d2": "bank notes", "d3": "ash on a bank, notes of ash"}
    corpus = [{"_id": name, "title": "", "text": text} for name, text in texts.items()]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(record) + "\n" for record in corpus))
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "Trees?"}) + "\n")
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\td1\t2\nq\td2\t0\n")
    command = [sys.executable, "-m", "benchmarks.relevance", "--collections", str(folder.parent)]
    printed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout

    heading, _, row, *_ = (line.split("|")[1:-1] for line in printed.splitlines())
    assert [cell.strip() for cell in heading][:3] == ["nDCG@10", "searchkit", "with nearness"]
    assert [cell.strip() for cell in row] == ["tiny", *["1.0000"] * (len(heading) - 1)]


def test_ndcg_is_that_of_the_definition() -> None:
    """Gains are discounted by rank and divided by those of the best order."""
    assert ndcg(["a", "x", "b"], {"a": 1, "b": 3}) == pytest.approx((1 + 3 / 2) / (3 + 1 / math.log2(3)))
    assert ndcg([], {"a": 1}) == 0
    assert ndcg(["b", "a"], {"a": 1, "b": 3}) == 1


def test_a_multiplied_corpus_has_new_articles_with_the_same_words(tmp_path: Path) -> None:
    """Ids differ, words and topics are those of the original, whatever their order."""
    out = tmp_path / "more.jsonl"
    assert multiply(CORPUS, out, 3) == 36
    articles = list(records(out))

    assert len({article["id"] for article in articles}) == 36
    for original, *changed in zip(articles[::3], articles[1::3], articles[2::3], strict=True):
        for copy in changed:
            assert sorted(copy["body"].split()) == sorted(original["body"].split())
            assert copy["topics"] == original["topics"]


def test_cold_searches_are_measured(tmp_path: Path) -> None:
    """Each search has its row, and one that fails ends the run."""
    command = [sys.executable, "-m", "searchkit", "index", str(CORPUS), "--index", str(tmp_path / "index")]
    subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True)
    command = [sys.executable, "-m", "benchmarks.cold", "--index", str(tmp_path / "index"), "--rounds", "1"]
    printed = subprocess.run(
        [*command, "heparin", "heparin --json"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert [line.split("|")[1].strip() for line in printed.stdout.splitlines()[2:]] == ["heparin", "heparin --json"]
    refused = subprocess.run([*command, "--", "--sort sideways"], cwd=REPOSITORY, capture_output=True, check=False)
    assert refused.returncode == 1
