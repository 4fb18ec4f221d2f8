"""The session's input and output: reads lines, carries out their actions, writes what a reader sees.

An error ends an action, never the session.
"""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from searchkit.cli.layout import Line, Span, clean, wrap
from searchkit.cli.output import Look, current_look, note, write_error, write_lines
from searchkit.cli.render import (
    BLANK,
    article_lines,
    facet_lines,
    hit_lines,
    nothing_found_lines,
    plan_lines,
    show_count,
    stats_lines,
    suggestion_lines,
    timeline_lines,
    timeline_summary,
    topic_lines,
    total_lines,
)
from searchkit.engines import Engine, open_archive
from searchkit.errors import RequestError, SearchkitError
from searchkit.page.model import FacetName, Page
from searchkit.session.state import (
    HELP,
    Action,
    ListAgain,
    ListRelated,
    ListTopics,
    More,
    Open,
    Quit,
    Say,
    Search,
    ShowHelp,
    ShowPlan,
    ShowStats,
    ShowTimeline,
    State,
    after_more,
    after_related,
    after_search,
    after_topics,
    interpret,
)

_FETCHED = 10
_TOPICS_SHOWN = 5
_FACETS: tuple[FacetName, ...] = ("topics", "kind")
_HELP_WIDTH = 27


@dataclass(frozen=True, slots=True)
class Session:
    """An archive, whether somebody sits at a screen, and how to ask them whether to go on."""

    archive: Engine
    is_interactive: bool = False
    wants_more: Callable[[str], bool] = lambda question: True


def run_session(location: str) -> None:
    """Run a session on the index at ``location`` until the reader quits or the input ends.

    On a terminal lines are edited and remembered; otherwise standard input is read line by line. Raises the
    errors of `open_archive`.
    """
    with open_archive(location) as archive:
        name = Path(location).resolve().name or location
        stats = archive.stats()
        state = State(
            known_topics=tuple(topic.value for topic in archive.topics()),
            known_kinds=tuple(kind.value for kind in stats.kinds),
            known_languages=tuple(language.value for language in stats.languages),
        )
        if sys.stdin.isatty() and sys.stdout.isatty():
            from searchkit.session.prompt import LineEditor  # line editing takes 100 ms to import

            editor = LineEditor(name, archive.suggest)
            note(f"{name}: {show_count(stats.articles, 'article')}. Type what to search for, or help.")
            _run(Session(archive, True, editor.wants_more), state, editor.read)
        else:
            _run(Session(archive), state, _read_plainly)


def _read_plainly(state: State) -> str | None:
    """The next line of standard input, shown before its answer; None at the end."""
    line = sys.stdin.readline()
    if not line:
        return None
    line = line.encode("utf-8", "replace").decode("utf-8").strip()
    write_lines([(Span(f"> {clean(line)}", "command"),)], current_look())
    return line


def _run(session: Session, state: State, read: Callable[[State], str | None]) -> None:
    while (line := read(state)) is not None:
        action = interpret(line, state)
        if isinstance(action, Quit):
            return
        try:
            state = perform(session, action, state)
        except SearchkitError as error:
            write_error(error)
            if isinstance(error, RequestError) and " " in line:
                note(f"hint: to search for the words: find {line}")
        except KeyboardInterrupt:
            note("Interrupted.")
        except Exception as error:  # a mistake of ours must not cost a reader the session
            note(f"error: {type(error).__name__}: {error}; this is a mistake in searchkit, please report it")


def perform(session: Session, action: Action, state: State) -> State:
    """Carry out an action, write what comes of it, give the state it leads to. Raises the engine's errors."""
    archive = session.archive
    results = state.page if state.related_to is None else None
    match action:
        case Search(request=request):
            page = archive.search(**request.parameters(), limit=_FETCHED, facets=_FACETS)
            state = after_search(state, action, page)
            return _list_results(session, state, _summary_lines(page, state, current_look()))
        case More(cursor=cursor):
            if cursor is not None:
                parameters = state.request.parameters()
                page = archive.search(**parameters, limit=_FETCHED, cursor=cursor, facets=(), timeline=None)
                state = after_more(state, page)
            return _list_results(session, state, [])
        case ListAgain():
            state = replace(state, is_reading=False, shown=0)
            return _list_results(session, state, _summary_of(state))
        case Open(article_id=article_id):
            _show(session, article_lines(archive.get(article_id), current_look()))
            return replace(state, is_reading=True, reading=article_id)
        case ListRelated(article_id=article_id):
            state = after_related(state, action, archive.related(article_id))
            return _list_results(session, state, _summary_of(state))
        case ListTopics():
            topics = archive.topics() if results is None else results.facets.get("topics", ())
            _show(session, topic_lines(topics, current_look(), is_numbered=True))
            return after_topics(state, topics)
        case ShowTimeline():
            buckets = archive.timeline() if results is None else results.timeline
            _show(session, timeline_lines(buckets, current_look()))
        case ShowPlan():
            page = archive.search(**state.request.parameters(), limit=_FETCHED, facets=_FACETS, explain=True)
            _show(session, plan_lines(page.plan, current_look()))
        case ShowStats():
            _show(session, stats_lines(archive.stats(), current_look()))
        case ShowHelp():
            _show(session, _help_lines(current_look()))
        case Say(text=text):
            look = current_look()
            write_lines(wrap([Span(clean(text), "remark")], look.width), look)
        case Quit():
            pass
    return state


def _summary_of(state: State) -> list[Line]:
    """What stands above the hits of the state."""
    look = current_look()
    if state.related_to is not None:
        heading = f"Related to {state.related_to}" if state.hits else f"Nothing is related to {state.related_to}."
        return [*wrap([Span(clean(heading), "heading")], look.width), BLANK]
    return [] if state.page is None else _summary_lines(state.page, state, look)


def _summary_lines(page: Page, state: State, look: Look) -> list[Line]:
    """What stands above the hits: not below them, where the screen would have to be scrolled to see it."""
    if page.total == 0:
        advice = Span("Type clear to search without the restrictions.", "quiet")
        return nothing_found_lines(page, look, numbered=True) + (
            wrap([advice], look.width) if state.request.filters() else []
        )
    return [
        *total_lines(page, look),
        *facet_lines(page, look, numbered_topics=True, most=_TOPICS_SHOWN),
        *timeline_summary(page.timeline, look),
        *suggestion_lines(page, look, numbered=True),
        BLANK,
    ]


def _list_results(session: Session, state: State, above: list[Line]) -> State:
    """List hits below the lines ``above``: all of them, or on a screen as many as it has room for."""
    look = current_look()
    lines, number = list(above), state.shown
    for hit in state.hits[state.shown :]:
        more = hit_lines([hit], look, first_number=number + 1, passages=1)
        if session.is_interactive and number > state.shown and len(lines) + len(more) > _screen_lines() - 1:
            break
        lines += more
        number += 1
    rest = (0 if state.page is None else state.page.total) - number
    if rest:
        lines.append((Span(f"{show_count(rest, 'more article')}: press Enter", "quiet"),))
    write_lines(lines, look)
    return replace(state, shown=number, is_reading=False)


def _help_lines(look: Look) -> list[Line]:
    lines: list[Line] = []
    for typed, meaning in HELP:
        lines += wrap([Span(meaning)], look.width, indent=_HELP_WIDTH, first=[Span(typed, "command")])
    return lines


def _show(session: Session, lines: list[Line]) -> None:
    """Write lines and an empty one, a screenful at a time where there is somebody to press Enter."""
    look = current_look()
    rest = [*lines, BLANK]
    height = _screen_lines() if session.is_interactive else len(rest)
    while rest:
        shown, rest = rest[:height], rest[height:]
        write_lines(shown, look)
        if rest and not session.wants_more(f"{len(rest)} more lines: Enter, or q"):
            return


def _screen_lines() -> int:
    """The lines of the screen that are free for output, beside prompt and status line."""
    return max(shutil.get_terminal_size().lines - 3, 5)
