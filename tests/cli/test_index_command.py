"""``searchkit index``: what is read, reported, committed and left alone."""

import json
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from searchkit import open_archive
from searchkit.cli import main
from searchkit.errors import SourceError
from searchkit.settings import Settings
from searchkit.sources.articles import SourceArticles


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the program in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEARCHKIT_INDEX", raising=False)
    return lambda *args: CliRunner().invoke(main, args)


def write(path, *articles):
    """Write JSON Lines: records as JSON, text as it is."""
    lines = (article if isinstance(article, str) else json.dumps(article) for article in articles)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def article(number, **fields):
    """An article as a line has it."""
    return {"id": f"a{number}", "title": f"Title {number}", "body": "Some text.", **fields}


def count():
    """How many articles the index of the folder has."""
    with open_archive("index") as archive:
        return archive.stats().articles


def test_makes_an_index_and_says_what_to_do_next(run, tmp_path):
    """The first run makes the index; its summary ends with a command that finds something."""
    result = run("index", write(tmp_path / "a.jsonl", article(1, title="About haemoglobin"), article(2)))
    assert result.exit_code == 0
    assert result.stdout.startswith("2 read, 2 added, 0 replaced, 0 skipped in ")
    assert result.stdout.endswith("Try: searchkit search haemoglobin\n")
    assert result.stderr == "Indexing into index ...\n"
    assert run("search", "haemoglobin").stdout.startswith("1 article ")


def test_replaces_articles_with_the_same_id(run, tmp_path):
    """A second run brings the index up to date."""
    run("index", write(tmp_path / "a.jsonl", article(1), article(2)))
    result = run("index", write(tmp_path / "a.jsonl", article(2, title="Changed"), article(3)))
    assert "2 read, 1 added, 1 replaced, 0 skipped" in result.stdout
    assert count() == 3
    assert run("show", "a2").stdout.startswith("Changed\n")


def test_reports_what_cannot_be_read(run, tmp_path):
    """Broken lines are listed with file, line and reason, everything else is indexed."""
    path = write(tmp_path / "a.jsonl", article(1), "{broken", article(2, published="someday"), article(3))
    result = run("index", path, str(tmp_path / "missing"))
    assert result.exit_code == 0
    assert "2 read, 2 added, 0 replaced, 3 skipped" in result.stdout
    lines = result.stderr.splitlines()
    assert any(line.startswith(f"{path}:2: ") for line in lines)
    assert any(line.startswith(f"{path}:3: ") and "someday" in line for line in lines)
    assert any(line.startswith(f"{tmp_path / 'missing'}: ") for line in lines)
    assert count() == 2


def test_reports_two_articles_with_one_id(run, tmp_path):
    """The later article wins, and both places are named."""
    path = write(tmp_path / "a.jsonl", article(1), article(1, title="Later"))
    result = run("index", path)
    assert f"{path}:2: " in result.stderr
    assert f"{path}:1" in result.stderr
    assert count() == 1
    assert run("show", "a1").stdout.startswith("Later\n")


def test_long_lists_are_cut(run, tmp_path):
    """Twenty of the skipped are listed, -v lists all."""
    path = write(tmp_path / "a.jsonl", article(1), *["{broken"] * 30)
    short, full = run("index", path), run("index", path, "-v")
    assert short.stderr.splitlines()[-1] == "... and 10 more skipped; -v lists all"
    assert short.stderr.count("a.jsonl:") == 20
    assert full.stderr.count("a.jsonl:") == 30


def test_strict_changes_nothing(run, tmp_path):
    """With --strict anything skipped is an error, and the index is as it was."""
    run("index", write(tmp_path / "a.jsonl", article(1)))
    result = run("index", write(tmp_path / "b.jsonl", article(2), "{broken"), "--strict")
    assert result.exit_code == 1
    assert "b.jsonl:2: " in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: 1 of 2 could not be read")
    assert result.stdout == ""
    assert count() == 1


@pytest.mark.parametrize("content", ["", "{broken\n"])
def test_nothing_readable(run, tmp_path, content):
    """Without a single article there is an error and no index."""
    (tmp_path / "a.jsonl").write_text(content)
    result = run("index", str(tmp_path / "a.jsonl"))
    assert result.exit_code == 1
    assert "error: no articles in" in result.stderr
    assert not (tmp_path / "index").exists()


def test_json_summary(run, tmp_path):
    """With --json the summary is one document on standard output."""
    path = write(tmp_path / "a.jsonl", article(1), "{broken", article(1))
    summary = json.loads(run("index", path, "--json").stdout)
    assert summary["read"] == 2
    assert (summary["added"], summary["replaced"]) in ((1, 1), (2, 0), (1, 0))
    assert summary["skipped"][0]["path"] == path
    assert summary["skipped"][0]["line"] == 2
    assert summary["repeated"][0]["id"] == "a1"


def test_quiet(run, tmp_path):
    """--quiet says nothing but what went wrong."""
    result = run("index", write(tmp_path / "a.jsonl", article(1)), "-q")
    assert (result.stdout, result.stderr, result.exit_code) == ("", "", 0)


def test_settings_of_a_new_index(run, tmp_path):
    """Language and time zone are kept by the index; asking for others later is an error."""
    path = write(tmp_path / "a.jsonl", article(1))
    assert run("index", path, "--time-zone", "Europe/Vienna", "--language", "de").exit_code == 0
    assert "Europe/Vienna" in run("stats").stdout
    assert run("index", path).exit_code == 0
    result = run("index", path, "--time-zone", "Asia/Tokyo")
    assert result.exit_code == 1
    assert "Europe/Vienna" in result.stderr
    assert "time_zone" in run("index", path, "--time-zone", "Vienna", "--index", "other").stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_workers_change_nothing_but_the_time(run, tmp_path, workers):
    """With worker processes the summary counts and lists what it does without; --strict holds, too."""
    lines = [article(number) for number in range(4_500)]
    path = write(tmp_path / "a.jsonl", "{first", *lines, "{last", article(3, title="Later"))
    strict = run("index", path, "--workers", workers, "--strict")
    assert strict.exit_code == 1
    assert "error: 2 of 4,503 could not be read" in strict.stderr
    assert not (tmp_path / "index").exists()
    summary = json.loads(run("index", path, "--workers", workers, "--json").stdout)
    assert (summary["read"], summary["added"], summary["replaced"]) == (4_501, 4_500, 1)
    assert [note["line"] for note in summary["skipped"]] == [1, 4_502]
    assert [(note["line"], note["id"]) for note in summary["repeated"]] == [(4_503, "a3")]
    assert run("show", "a3").stdout.startswith("Later\n")


def test_an_engine_may_read_the_sources_itself(tmp_path):
    """The intake is also plain articles, with the same notes."""
    first = write(tmp_path / "a.jsonl", "{broken", article(1), article(2), article(1, title="Later"))
    missing = str(tmp_path / "missing")
    intake = SourceArticles((missing, first), Settings(), strict=True)
    assert intake.has_articles()
    articles = iter(intake)
    assert [next(articles).title for _ in range(3)] == ["Title 1", "Title 2", "Later"]
    with pytest.raises(SourceError, match="2 of 5 could not be read"):
        next(articles)
    assert [note.place.path for note in intake.skipped] == [missing, first]
    assert (intake.read, intake.sample_title) == (3, "Title 1")
    assert [str(note) for note in intake.repeated] == [f"{first}:4: replaces the article 'a1' of {first}:2"]


def test_interrupted(run, tmp_path):
    """Ctrl-C leaves the index as it was, says so, and exits with 130."""
    run("index", write(tmp_path / "a.jsonl", article(0)))
    many = write(tmp_path / "b.jsonl", *(article(number) for number in range(1, 30_000)))
    command = [sys.executable, "-m", "searchkit", "index", many]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr.readline() == "Indexing into index ...\n"
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "Interrupted: the index is as it was.\n"
    assert output == ""
    assert count() == 1
