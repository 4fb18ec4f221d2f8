"""What a process that searches keeps for itself, beside the pages of mapped files."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="memory is read from Linux's /proc"),
]

MB = 1_000_000
AN_ARTICLE = 8

BUILD = """
import sys
from benchmarks.peers import make_peer
make_peer("searchkit").build(sys.argv[1], sys.argv[2], 2)
"""

SEARCH = """
import sys
from pathlib import Path
from benchmarks.peers import make_peer
from benchmarks.processes import private_bytes
from benchmarks.queries import read_queries

peer = make_peer("searchkit")
peer.open(sys.argv[1])
highest = 0
for path in sys.argv[2:]:
    for query in read_queries(Path(path)):
        for ask in (peer.page, peer.titles):
            ask(query)
            highest = max(highest, private_bytes())
print(highest)
"""


def run(script: str, *arguments: object) -> str:
    """What a script prints that runs in a fresh interpreter."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(("corpus", "articles"), [("arxiv_100k", 100_000), ("reuters", 20_841)])
def test_searching_takes_sixty_megabytes(tmp_path: Path, data_folder: Path, corpus: str, articles: int) -> None:
    """While it answers hundreds of pages, a process has less than 60 MB and 8 bytes an article of its own."""
    run(BUILD, data_folder / "corpora" / f"{corpus}.jsonl.gz", tmp_path / "index")
    queries = [REPOSITORY / "benchmarks" / f"queries_{corpus}{which}.jsonl" for which in ("_new", "")]
    assert int(run(SEARCH, tmp_path / "index", *queries)) < 60 * MB + AN_ARTICLE * articles
