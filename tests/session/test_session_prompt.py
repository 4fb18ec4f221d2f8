"""Completion, the status line, and the history file of the prompt."""

from dataclasses import replace

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from searchkit.errors import IndexMissing
from searchkit.page.model import Completion, Page
from searchkit.query.receipt import Receipt
from searchkit.session.prompt import SessionCompleter, completions, history_path, status
from searchkit.session.state import Request, State

STATE = State(known_topics=("News", "RBC Transfusion", "Platelet Transfusion"), known_kinds=("news", "podcast"))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("to", (0, ["topics ", "topic "])),
        ("topic ", (6, ["News", "RBC Transfusion", "Platelet Transfusion"])),
        ("topic transf", (6, ["RBC Transfusion", "Platelet Transfusion"])),
        ("not topic rbc", (10, ["RBC Transfusion"])),
        ("kind p", (5, ["podcast"])),
        ("sort o", (5, ["oldest"])),
        ("platelet to", (0, [])),
    ],
)
def test_completion(typed, expected):
    """Tab completes commands at the beginning and, behind them, the values they take."""
    assert completions(typed, STATE) == expected


def offered(typed, suggest):
    """What Tab offers: the line as it would become, and how it is shown."""
    found = SessionCompleter(lambda: STATE, suggest).get_completions(Document(typed), CompleteEvent())
    return [(typed[: len(typed) + c.start_position] + c.text, c.display_text) for c in found]


def test_queries_are_completed_by_the_archive():
    """Behind commands that fit, Tab offers what the archive has, in place of all that was typed of the query."""
    asked = []

    def suggest(query):
        asked.append(query)
        return [
            Completion("blood transfusion", "words", 3, "blood transfusion"),
            Completion("T\x1b", "title", 1, "id:t1"),
        ]

    assert offered("blood tra", suggest) == [("blood transfusion", "blood transfusion"), ("id:t1", "T␛")]
    assert offered("find blood tra", suggest)[0][0] == "find blood transfusion"
    assert offered("author Ro", suggest)[0][0] == "author blood transfusion"
    assert [line for line, _ in offered("to", suggest)] == ["topics ", "topic ", "blood transfusion", "id:t1"]
    assert asked == ["blood tra", "blood tra", "author:Ro", "to"]
    assert offered("kind p", suggest) == [("kind podcast", "podcast")]


def test_a_failing_archive_completes_nothing():
    """Tab is quiet about an index that cannot be read."""

    def suggest(query):
        raise IndexMissing("gone")

    assert offered("blood", suggest) == []


def test_status_line():
    """It says how many were found, for what, under which filters, without control characters."""
    page = Page(1234, (), {}, (), Receipt("", "", ""))
    state = State(request=Request("red \x1b", topics=("News",), since="2016"), page=page)
    assert status(state) == "1,234 found · red ␛ · topic News · since 2016"
    assert "help" in status(State())
    assert status(replace(state, related_to="a\x1b1")) == "related to a␛1 · back returns to the results"


def test_history_is_kept_in_the_state_folder(tmp_path, monkeypatch):
    """XDG_STATE_HOME decides where, and nobody else may read it; without a writable folder there is none."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = history_path()
    assert path == tmp_path / "searchkit" / "history"
    assert path.stat().st_mode & 0o077 == 0
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert history_path() is None
