"""The documents say what the program does."""

import re
from pathlib import Path

import pytest

import searchkit
from searchkit.cli import COMMANDS
from searchkit.settings import SETTINGS

REPOSITORY = Path(__file__).resolve().parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
DOCUMENTS = (
    sorted(REPOSITORY.glob("*.md")) + sorted(REPOSITORY.glob("docs/*.md")) + sorted(REPOSITORY.glob("*/README.md"))
)


def test_the_readme_names_every_command() -> None:
    """Somebody who reads the README knows all commands."""
    missing = [name for name in COMMANDS if f"searchkit {name}" not in README]
    assert missing == []


def test_the_readme_explains_every_setting() -> None:
    """Each setting stands in the README's table with its default and its help."""
    for setting in SETTINGS:
        assert f"| `{setting.name}` | `{setting.default}` | {setting.help} |" in README


def test_the_changelog_has_this_version() -> None:
    """What a version brings is written down with it."""
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {searchkit.__version__}" in changelog


def test_every_dependency_has_its_reason() -> None:
    """A line of pyproject.toml that names a dependency says what it is for."""
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    block = text[text.index("\ndependencies = [") : text.index("\ntest = [")]
    lines = [line for line in block.splitlines() if re.match(r'\s+"[A-Za-z]', line)]

    assert len(lines) > 8
    assert [line for line in lines if "#" not in line] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link and picture in a document is a file of the repository."""
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def test_the_python_example_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first Python block can be pasted as it is."""
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block
    monkeypatch.chdir(tmp_path)
    exec(compile(block[1], "README.md", "exec"), {})
