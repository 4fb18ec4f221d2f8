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
)

SCRIPT = """
import sys
from searchkit.cli import main
main(sys.argv[1:], standalone_mode=False)
print(*(name for name in {heavy!r} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize("args", [["search", "heparin"], ["search", "heparin", "--json"], ["--help"]])
def test_reading_commands_start_light(filled_index, args):
    """A search whose output is not for a terminal imports nothing for terminals, sources or the web."""
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
