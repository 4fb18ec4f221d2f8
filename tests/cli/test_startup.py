"""What a command imports, as far as it costs time."""

import subprocess
import sys

import pytest

HEAVY = (
    "rich",
    "prompt_toolkit",
    "yaml",
    "trafilatura",
    "markdown_it",
    "starlette",
    "uvicorn",
    "searchkit.indexing.writer",
    "searchkit.indexing.builder",
    "searchkit.page.suggest",
    "searchkit.page.related",
    "searchkit.page.explain",
    "whoosh.query",
    "whoosh.qparser",
    "whoosh.writing",
    "numpy.ma",
    "numpy.random",
    "asyncio",
    "concurrent.futures",
    "email",
    "hashlib",
    "logging",
    "multiprocessing",
    "socket",
    "ssl",
    "subprocess",
    "tomllib",
)

SCRIPT = """
import sys
from searchkit.cli import main
main(sys.argv[1:], standalone_mode=False)
print(*(name for name in {heavy!r} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "args",
    [
        ["search", "heparin"],
        ["search", "heparin", "--json"],
        ["search", "blood", "transfusion"],
        ["search", '"blood transfusion"', "-n", "1"],
        ["search", "blood", "--topic", "News"],
        ["--help"],
    ],
)
def test_reading_commands_start_light(filled_index, args):
    """A search whose output is not for a terminal imports nothing for terminals, sources, other commands or the web."""
    command = [sys.executable, "-c", SCRIPT.format(heavy=HEAVY), "--index", str(filled_index), *args]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout
    assert result.stderr.split() == []


def test_a_closed_pipe_is_quiet(filled_index):
    """``searchkit ... | head -1`` ends without a complaint."""
    command = f"{sys.executable} -m searchkit --index {filled_index} search heparin --json -n 100"
    result = subprocess.run(
        f"({command}; {command}) | head -c 1", shell=True, capture_output=True, text=True, check=True
    )
    assert (result.stdout, result.stderr) == ("{", "")


def test_a_search_leaves_garbage_alone(filled_index):
    """What a search makes is looked through for garbage a few times at most, and not when it ends."""
    script = (
        "import atexit, gc, sys; before = sum(s['collections'] for s in gc.get_stats())\n"
        "ended = lambda: print(sum(s['collections'] for s in gc.get_stats()) - before, gc.get_freeze_count())\n"
        "atexit.register(ended)\n"
        "from searchkit.cli import main\n"
        "main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", script, "--index", str(filled_index), "search", "heparin"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    collections, frozen = map(int, result.stdout.split()[-2:])
    assert collections < 60
    assert frozen > 10_000
