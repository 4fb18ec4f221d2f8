"""A small index that the commands are tried on, and a way to run them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from searchkit.cli import main

ARTICLES = [
    {
        "id": f"a{number}",
        "title": f"Platelet report {number}",
        "body": f"Number {number}: stored cold, heparin was {'absent' if number % 2 else 'given'}.",
        "published": f"{2010 + number}-03-0{number % 9 + 1}",
        "topics": ["News", "Blood, Donation" if number % 3 else "RBC Transfusion"],
        "authors": ["Jane Roe"],
        "kind": "podcast" if number == 5 else "news",
        "url": f"https://example.org/{number}",
    }
    for number in range(1, 13)
]
ARTICLES.append(
    {
        "id": "undated",
        "title": "Aspirin und Müller",
        "body": "Ein Bericht \x1b[2J ohne Tag.",
        "language": "de",
    }
)


def write_articles(path: Path, articles) -> Path:
    """Write articles as JSON Lines."""
    path.write_text("".join(json.dumps(article) + "\n" for article in articles), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def filled_index(tmp_path_factory) -> Path:
    """An index of `ARTICLES`, made by the command."""
    folder = tmp_path_factory.mktemp("commands")
    source = write_articles(folder / "articles.jsonl", ARTICLES)
    result = CliRunner().invoke(main, ["index", str(source), "--index", str(folder / "index")])
    assert result.exit_code == 0, result.output
    return folder / "index"


@pytest.fixture
def run(filled_index, tmp_path, monkeypatch):
    """Run the program on the small index, in an empty folder, 80 columns wide."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEARCHKIT_INDEX", str(filled_index))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def invoke(*args: str, lines: str | None = None):
        return CliRunner().invoke(main, args, input=lines, prog_name="searchkit", env={})

    return invoke
