"""Line editing of the session: prompt, status line, history kept between sessions, completion with Tab."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from searchkit.cli.layout import clean
from searchkit.errors import SearchkitError
from searchkit.page.model import SORTS
from searchkit.page.model import Completion as Suggested
from searchkit.session.state import COMMAND_NAMES, State

Suggest = Callable[[str], Sequence[Suggested]]
"""What the archive offers to complete a query that was begun."""


class LineEditor:
    """Reads lines from the terminal. ``archive_name`` stands in the prompt; ``suggest`` completes queries."""

    def __init__(self, archive_name: str, suggest: Suggest) -> None:
        self._name = clean(archive_name)
        self._state = State()
        self._typed_ahead = ""
        self._question: PromptSession[str] = PromptSession(erase_when_done=True)
        self._session: PromptSession[str] = PromptSession(
            history=_history(),
            completer=SessionCompleter(lambda: self._state, suggest),
            complete_while_typing=False,
            bottom_toolbar=lambda: status(self._state),
        )

    def read(self, state: State) -> str | None:
        """The next line, or None for Ctrl-D; Ctrl-C empties the line."""
        self._state = state
        if self._typed_ahead:
            line, self._typed_ahead = self._typed_ahead, ""
            return line
        while True:
            try:
                return self._session.prompt(f"{self._name}> ")
            except KeyboardInterrupt:
                continue
            except EOFError:
                return None

    def wants_more(self, question: str) -> bool:
        """Whether Enter answers the question between two screenfuls; a command is kept as the next line."""
        try:
            answer = self._question.prompt(f"-- {question} -- ").strip()
        except (KeyboardInterrupt, EOFError):
            return False
        if answer and answer.lower() != "q":
            self._typed_ahead = answer
        return not answer


def status(state: State) -> str:
    """The line below the prompt: the query, what it is restricted to, how many articles match."""
    if state.page is None:
        return "type what to search for · help · Ctrl-D ends"
    if state.related_to is not None:
        return clean(f"related to {state.related_to} · back returns to the results")
    request = state.request
    parts = (f"{state.page.total:,} found", request.query or "every article", *request.filters())
    return clean(" · ".join(parts))


def _history() -> History:
    path = history_path()
    return InMemoryHistory() if path is None else FileHistory(path)


def history_path() -> Path | None:
    """The file that keeps what was typed, made in the user's state folder; None if that cannot be written."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    path = Path(home) / "searchkit" / "history"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        return None
    return path


class SessionCompleter(Completer):
    """Completes commands at the beginning of a line, behind a command the topics or kinds it takes, and queries."""

    def __init__(self, current_state: Callable[[], State], suggest: Suggest) -> None:
        self._current_state = current_state
        self._suggest = suggest

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """The words that can stand at the cursor."""
        typed = document.text_before_cursor.lstrip()
        start, values = completions(typed, self._current_state())
        for value in values:
            yield Completion(value, start_position=start - len(typed))
        if typed.lower().startswith("author "):
            for suggested in self._suggestions(f"author:{typed[len('author ') :]}"):
                yield Completion(
                    suggested.text, start_position=len("author ") - len(typed), display=clean(suggested.text)
                )
            return
        query = query_begun(typed)
        if query and start == 0:
            for suggested in self._suggestions(query):
                yield Completion(
                    suggested.query,
                    start_position=-len(query),
                    display=clean(suggested.text),
                    display_meta=f"{suggested.kind}, {suggested.count:,}",
                )

    def _suggestions(self, query: str) -> Sequence[Suggested]:
        try:
            return self._suggest(query)
        except SearchkitError:  # a search will say what is wrong; the prompt is no place for it
            return ()


def query_begun(typed: str) -> str:
    """The part of a line that is a query: all of it, or what stands behind the command to search."""
    return re.sub(r"^(?:/search|/?find)\s+", "", typed, flags=re.IGNORECASE)


def completions(typed: str, state: State) -> tuple[int, list[str]]:
    """Where in ``typed`` the word to complete begins, and the words it can become."""
    values_of = {
        "topic ": state.known_topics,
        "not topic ": state.known_topics,
        "kind ": state.known_kinds,
        "language ": state.known_languages,
        "sort ": SORTS,
    }
    for command, values in values_of.items():
        if typed.lower().startswith(command):
            begun = typed[len(command) :].casefold()
            return len(command), [value for value in values if begun in value.casefold()]
    return 0, [f"{name} " for name in COMMAND_NAMES if " " not in typed and name.startswith(typed.lower())]
