"""A whole session, with its commands piped in."""

import re

import pytest
from click.testing import CliRunner

from searchkit import Article, open_archive
from searchkit.cli import main


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """A small index on disk."""
    folder = str(tmp_path_factory.mktemp("session") / "archive")
    with open_archive(folder, create=True) as archive:
        archive.add(
            Article(
                id=f"a{number}",
                title=f"Platelet report {number}",
                body=f"Platelets, stored {'cold' if number % 2 else 'warm'}.",
                published=f"{2000 + number}-05-01",
                topics=["News", "RBC Transfusion" if number % 3 else "Blood, Donation"],
                kind="podcast" if number == 2 else "news",
            )
            for number in range(1, 15)
        )
    return folder


@pytest.fixture
def session(index, monkeypatch):
    """Run a session on lines and give what it prints for each."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def run(*lines):
        result = CliRunner().invoke(main, ["--index", index], input="\n".join(lines) + "\n")
        assert result.exit_code == 0, result.output
        answers = re.split(r"^> ?", result.stdout, flags=re.MULTILINE)[1:]
        assert [answer.partition("\n")[0] for answer in answers] == list(lines)
        return [answer.partition("\n")[2] for answer in answers]

    return run


def test_search_page_and_open(session):
    """A query lists ten, Enter the rest with numbers that go on, and a number opens an article."""
    found, more, end, opened, back = session("platelet", "", "more", "12", "back")
    assert found.startswith("14 articles in ")
    assert "\n10  **Platelet** report" in found
    assert "4 more articles: press Enter" in found
    assert more.startswith("11  **Platelet** report")
    assert "14  **Platelet** report" in more
    assert end == "That is all\n"
    assert opened.startswith("Platelet report ")
    assert "\nId        a" in opened
    assert back.startswith("14 articles")


def test_refining(session):
    """Each refinement narrows to the number that stood beside it, ``clear`` takes all back."""
    answers = session("platelet", "topic blood", "topic News", "until 2006", "kind news", "not topic rbc", "clear")
    assert [answer.split()[0] for answer in answers] == ["14", "4", "4", "2", "2", "2", "14"]
    assert "Blood, Donation (4)" in answers[0]
    assert "Read as: articles with platelet, filed under" in answers[1]


def test_lists(session):
    """Topics are numbered for refining; timeline and numbers are those of the archive before a search."""
    topics, refined, timeline, stats, plan = session("topics", "topic 2", "timeline", "stats", "explain")
    assert topics.startswith("1  14  News\n2  10  RBC Transfusion\n")
    assert refined.startswith("10 articles")
    assert timeline.startswith("2001 1 █")
    assert stats.startswith("Articles   14\n")
    assert plan.startswith("Plan  count        ms\n         10 ")


def test_related(session):
    """Related articles are numbered and opened like results, which ``back`` lists again."""
    _, related, opened, again, topics, back = session("platelet cold", "related 1", "2", "back", "topics", "back")
    assert related.startswith("Related to a")
    assert "\n1  Platelet report" in related
    assert opened.startswith("Platelet report ")
    assert again == related
    assert topics.startswith("1  14  News\n")
    assert back.startswith("7 articles")


def test_errors_do_not_end_the_session(session):
    """Bad parameters are explained, and the search stays what it was."""
    _, bad_since, bad_until, _, again = session(
        "platelet cold", "since time immemorial", "until whenever", "nonsense", "back"
    )
    assert bad_since == ""
    assert bad_until == ""
    assert again.startswith("7 articles")


def test_errors_go_to_standard_error(index):
    """An error names its cause and how to search for the words instead."""
    result = CliRunner().invoke(main, ["--index", index], input="since time immemorial\n")
    assert "error: " in result.stderr
    assert "hint: to search for the words: find since time immemorial" in result.stderr


def test_nothing_found_under_filters(session):
    """A search that the filters leave nothing of says how to drop them."""
    answer = session("since 2010", "report 3")[1]
    assert answer.startswith("No articles match.")
    assert "clear" in answer


def test_quit_and_help(session):
    """``help`` lists what can be typed, and nothing is read after ``quit``."""
    (answer,) = session("help")
    assert "topic 2, topic News" in answer
    assert session("quit") == [""]


def test_a_missing_index_ends_it(tmp_path):
    """Without an index there is no session: it says which command makes one."""
    result = CliRunner().invoke(main, ["--index", str(tmp_path / "none")], input="x\n")
    assert result.exit_code == 1
    assert "searchkit index" in result.stderr


def test_undecodable_and_odd_lines(index):
    """Any bytes can be piped in."""
    lines = b"\xff\xfe\n\x1b[2J\n" + b"(" * 500 + b"\n\x00\n"
    result = CliRunner(charset="utf-8").invoke(main, ["--index", index], input=lines)
    assert "\x1b" not in result.output
