"""The session as data: what is being looked at, and what a typed line makes of it.

`interpret` is a pure function from a line and a `State` to what to do about it, an `Action`; it neither reads
nor writes. `session/loop.py` carries actions out and, when that worked, moves on to the state they lead to.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from searchkit.page.model import SORTS, FacetValue, Hit, Page, Sort
from searchkit.query.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Request:
    """A search: a query and what it is restricted to. By default best first, or newest without a query.

    ``topics`` must all be there: each one chosen narrows the search by the number that stood beside it.
    """

    query: str = ""
    topics: tuple[str, ...] = ()
    exclude_topics: tuple[str, ...] = ()
    kind: str | None = None
    author: str | None = None
    since: str | None = None
    until: str | None = None
    language: str | None = None
    sort: Sort | None = None

    @property
    def effective_sort(self) -> Sort:
        """The order the results are in."""
        return self.sort or ("best" if self.query else "newest")

    def parameters(self) -> dict[str, Any]:
        """The arguments for `Engine.search`."""
        # The engine takes topics as alternatives, so those after the first become part of the query.
        query = self.query
        for topic in self.topics[1:]:
            query = f'{f"({query})" if query else ""} topic:"{topic}"'.strip()
        return {
            "query": query,
            "topics": self.topics[:1],
            "exclude_topics": self.exclude_topics,
            "kinds": (self.kind,) if self.kind else (),
            "authors": (self.author,) if self.author else (),
            "since": self.since,
            "until": self.until,
            "language": self.language,
            "sort": self.effective_sort,
        }

    def filters(self) -> tuple[str, ...]:
        """What the search is restricted to, each as the command that does it."""
        named = [("kind", self.kind), ("author", self.author), ("since", self.since), ("until", self.until)]
        named += [("language", self.language), ("sort", self.sort)]
        return (
            *(f"topic {topic}" for topic in self.topics),
            *(f"not topic {topic}" for topic in self.exclude_topics),
            *(f"{name} {value}" for name, value in named if value),
        )


@dataclass(frozen=True, slots=True)
class State:
    """Where a session stands.

    ``hits`` are all that were fetched for the request, the first ``shown`` of them listed; they keep their numbers when
    more come. ``reading`` is the id of the article opened last. ``related_to`` is that of the one whose related
    articles the ``hits`` are, which then do not answer the request. ``listed_topics`` are the ones last shown with
    numbers; the known ones are all that the archive has; ``earlier`` are the requests that ``back`` returns to.
    """

    request: Request = Request()
    page: Page | None = None
    hits: tuple[Hit, ...] = ()
    shown: int = 0
    listed_topics: tuple[str, ...] = ()
    known_topics: tuple[str, ...] = ()
    known_kinds: tuple[str, ...] = ()
    known_languages: tuple[str, ...] = ()
    earlier: tuple[Request, ...] = ()
    is_reading: bool = False
    reading: str | None = None
    related_to: str | None = None


# What to do about a line


@dataclass(frozen=True, slots=True)
class Search:
    """Answer a request and list its first page; ``earlier`` is what ``back`` then returns to."""

    request: Request
    earlier: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class More:
    """List the hits that follow, those already fetched first, then those at ``cursor``."""

    cursor: str | None


@dataclass(frozen=True, slots=True)
class Open:
    """Show the article with this id."""

    article_id: str


@dataclass(frozen=True, slots=True)
class ListRelated:
    """List the articles related to the one with this id."""

    article_id: str


@dataclass(frozen=True, slots=True)
class ListAgain:
    """List the results again from the first."""


@dataclass(frozen=True, slots=True)
class ListTopics:
    """List the topics of the results, or of the archive, with numbers."""


@dataclass(frozen=True, slots=True)
class ShowTimeline:
    """Show the timeline of the results, or of the archive."""


@dataclass(frozen=True, slots=True)
class ShowPlan:
    """Show how the request is answered: the steps with counts and times."""


@dataclass(frozen=True, slots=True)
class ShowStats:
    """Show the archive in numbers."""


@dataclass(frozen=True, slots=True)
class ShowHelp:
    """Say what can be typed."""


@dataclass(frozen=True, slots=True)
class Say:
    """Say why nothing was done, and what to do."""

    text: str


@dataclass(frozen=True, slots=True)
class Quit:
    """End the session."""


Action = (
    Search
    | More
    | Open
    | ListRelated
    | ListAgain
    | ListTopics
    | ShowTimeline
    | ShowPlan
    | ShowStats
    | ShowHelp
    | Say
    | Quit
)


# Where actions lead


def after_search(state: State, action: Search, page: Page) -> State:
    """The state once a request was answered by ``page``, before any hit is listed."""
    topics = tuple(value.value for value in page.facets.get("topics", ()))
    return replace(
        state,
        request=action.request,
        earlier=action.earlier,
        page=page,
        hits=page.hits,
        shown=0,
        listed_topics=topics,
        is_reading=False,
        related_to=None,
    )


def after_more(state: State, page: Page) -> State:
    """The state once the hits of the next page were fetched; counts stay those of the first."""
    first = state.page or page
    return replace(state, page=replace(first, next_cursor=page.next_cursor), hits=state.hits + page.hits)


def after_related(state: State, action: ListRelated, hits: tuple[Hit, ...]) -> State:
    """The state once related articles were fetched, before any is listed; ``back`` leads to the results again."""
    page = Page(len(hits), hits, {}, (), Receipt("", "", ""))
    return replace(state, page=page, hits=hits, shown=0, is_reading=False, related_to=action.article_id)


def after_topics(state: State, topics: tuple[FacetValue, ...]) -> State:
    """The state once topics were listed with numbers."""
    return replace(state, listed_topics=tuple(topic.value for topic in topics))


# From a line to an action


def interpret(line: str, state: State) -> Action:
    """What a typed line asks for. A line that is no command is a query; none is ever an error."""
    text = " ".join(line.split())
    if not text:
        return _more(state) if state.hits and not state.is_reading else _back(state) if state.is_reading else ShowHelp()
    forced = re.fullmatch(r"(?:/search|/?find)(?:\s+(.*))?", text, re.IGNORECASE)
    if forced:
        return _query(forced[1], state) if forced[1] else Say("What for? Write it behind: find blood donors")
    if text.isdecimal() and (state.hits or state.is_reading) and len(text) < 4:
        return _open_number(int(text), state)
    if text.isdecimal() and not state.hits and state.page is not None and state.page.suggestions and len(text) < 4:
        return _try_number(int(text), state)
    name, _, rest = text.removeprefix("/").partition(" ")
    name = _NAMES.get(name.lower(), "")
    if not rest and name in _WITHOUT_ARGUMENT:
        return _WITHOUT_ARGUMENT[name](state)
    if name in _WITH_ARGUMENT:
        action = _WITH_ARGUMENT[name](rest, state)
        if action is not None:
            return action
    if text.startswith("/"):
        near = get_close_matches(text[1:].split()[0] if text[1:].split() else "", _NAMES, n=1)
        return Say(f"There is no command {text.split()[0]}; " + (f"did you mean {near[0]}?" if near else "see help"))
    return _query(text, state)


def _query(query: str, state: State) -> Action:
    return _search(replace(state.request, query=query), state)


def _search(request: Request, state: State) -> Search:
    """A search for ``request``; ``back`` will return to the present one if there were results to see."""
    is_new = state.page is not None and request != state.request
    return Search(request, (*state.earlier, state.request) if is_new else state.earlier)


def _more(state: State) -> Action:
    if state.page is None:
        return Say("Nothing to continue; type a query first")
    if state.shown < len(state.hits):
        return More(None)
    if state.page.next_cursor is None:
        return Say("That is all" if state.hits else "There are no results")
    return More(state.page.next_cursor)


def _back(state: State) -> Action:
    if state.is_reading and state.page is not None:
        return ListAgain()
    if state.related_to is not None:
        return Search(state.request, state.earlier)
    if state.earlier:
        *earlier, request = state.earlier
        return Search(request, tuple(earlier))
    return Say("This is where the session began")


def _clear(state: State) -> Action:
    if state.request.filters():
        return _search(Request(query=state.request.query), state)
    return _search(Request(), state) if state.request.query else Say("Nothing to clear")


def _open(rest: str, state: State) -> Action | None:
    if not rest:
        return Say("Which one? Type its number: open 2")
    if rest.isdecimal():
        return _open_number(int(rest), state)
    return Open(rest) if any(hit.id == rest for hit in state.hits) else None


def _related(rest: str, state: State) -> Action | None:
    if not rest:
        if state.reading is None:
            return Say("Related to which one? Type its number: related 2")
        return ListRelated(state.reading)
    if rest.isdecimal():
        action = _open_number(int(rest), state)
        return ListRelated(action.article_id) if isinstance(action, Open) else action
    return ListRelated(rest) if any(hit.id == rest for hit in state.hits) else None


def _open_number(number: int, state: State) -> Action:
    if not state.hits:
        return Say(f"There are no results to open; to search for the number: find {number}")
    if 1 <= number <= len(state.hits):
        return Open(state.hits[number - 1].id)
    seen = "one result, number 1" if len(state.hits) == 1 else f"results 1 to {len(state.hits)}"
    return Say(f"So far there are {seen}; to search for the number: find {number}")


def _try(rest: str, state: State) -> Action | None:
    suggestions = () if state.page is None else state.page.suggestions
    return _try_number(int(rest or "1"), state) if suggestions and (rest.isdecimal() or not rest) else None


def _try_number(number: int, state: State) -> Action:
    """Search for a suggested query, which has the restrictions in it that it keeps."""
    suggestions = () if state.page is None else state.page.suggestions
    if 1 <= number <= len(suggestions):
        return _search(Request(query=suggestions[number - 1].query, sort=state.request.sort), state)
    return Say(f"The suggestions have the numbers 1 to {len(suggestions)}; to search for the number: find {number}")


def _topic(rest: str, state: State) -> Action | None:
    topic = _named_topic(rest, state, "topic")
    if isinstance(topic, Say):
        return topic
    if topic in state.request.topics:
        return Say(f"The results are already narrowed to {topic}; clear takes that back")
    kept = tuple(name for name in state.request.exclude_topics if name != topic)
    return _search(replace(state.request, topics=(*state.request.topics, topic), exclude_topics=kept), state)


def _not(rest: str, state: State) -> Action | None:
    word, _, name = rest.partition(" ")
    if _NAMES.get(word.lower()) != "topic":
        return None
    topic = _named_topic(name, state, "not topic")
    if isinstance(topic, Say):
        return topic
    excluded = tuple(dict.fromkeys((*state.request.exclude_topics, topic)))
    kept = tuple(name for name in state.request.topics if name != topic)
    return _search(replace(state.request, topics=kept, exclude_topics=excluded), state)


def _named_topic(text: str, state: State, command: str) -> str | Say:
    """The topic that a number, a name or an unmistakable part of a name stands for."""
    if not text:
        return Say(f"Which topic? Type its name or number; topics lists them: {command} 2")
    topics = tuple(dict.fromkeys((*state.known_topics, *state.listed_topics)))
    folded = {_folded(topic): topic for topic in topics}
    if _folded(text) in folded:
        return folded[_folded(text)]
    if text.isdecimal():
        if 1 <= int(text) <= len(state.listed_topics):
            return state.listed_topics[int(text) - 1]
        shown = f"1 to {len(state.listed_topics)} are" if state.listed_topics else "none is"
        return Say(f"There is no topic number {text}, {shown} listed; topics lists them")
    parts = [topic for name, topic in folded.items() if _folded(text) in name]
    if len(parts) == 1:
        return parts[0]
    if parts:
        return Say(f"Several topics are called like that: {'; '.join(parts[:5])}")
    near = [folded[name] for name in get_close_matches(_folded(text), folded, n=3)]
    advice = f"did you mean {' or '.join(near)}?" if near else "topics lists them"
    return Say(f"There is no topic {text!r}, {advice} To search for the words: find {command} {text}")


def _folded(text: str) -> str:
    """Without case and accents, so that topics are found however they are typed."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _label(name: str, known: Callable[[State], tuple[str, ...]]) -> Callable[[str, State], Action | None]:
    """The command that restricts the search to one of the values the archive has for ``name``."""

    def set_value(rest: str, state: State) -> Action:
        values = {_folded(value): value for value in known(state)}
        if _folded(rest) in values:
            change: dict[str, Any] = {name: values[_folded(rest)]}
            return _search(replace(state.request, **change), state)
        there_are = f"the {name}s are {', '.join(values.values())}" if values else f"the archive has no {name}s"
        problem = f"There is no {name} {rest!r}" if rest else f"Which {name}?"
        return Say(f"{problem}; {there_are}." + (f" To search for the words: find {name} {rest}" if rest else ""))

    return set_value


def _free(name: str, sample: str) -> Callable[[str, State], Action | None]:
    """The command that restricts the search by a value of ``name`` that only the engine can judge."""

    def set_value(rest: str, state: State) -> Action:
        if not rest:
            return Say(f"{name.capitalize()} what? Like this: {name} {sample}")
        change: dict[str, Any] = {name: rest}
        return _search(replace(state.request, **change), state)

    return set_value


def _sort(rest: str, state: State) -> Action:
    for sort in SORTS:
        if rest.lower() == sort:
            return _search(replace(state.request, sort=sort), state)
    return Say(
        f"The orders are {', '.join(SORTS)}; like this: sort newest."
        + (f" To search for the words: find sort {rest}" if rest else "")
    )


_WITHOUT_ARGUMENT: dict[str, Callable[[State], Action]] = {
    "more": _more,
    "back": _back,
    "clear": _clear,
    "latest": lambda state: _search(Request(), state),
    "topics": lambda state: ListTopics(),
    "timeline": lambda state: ShowTimeline(),
    "stats": lambda state: ShowStats(),
    "explain": lambda state: ShowPlan(),
    "help": lambda state: ShowHelp(),
    "quit": lambda state: Quit(),
}

_WITH_ARGUMENT: dict[str, Callable[[str, State], Action | None]] = {
    "open": _open,
    "related": _related,
    "try": _try,
    "topic": _topic,
    "not": _not,
    "kind": _label("kind", lambda state: state.known_kinds),
    "author": _free("author", "Jane Roe"),
    "since": _free("since", "2016"),
    "until": _free("until", "2018-06"),
    "language": _label("language", lambda state: state.known_languages),
    "sort": _sort,
}
"""Commands with something behind their name; None means that the line is a query after all."""

_NAMES = {name: name for name in (*_WITHOUT_ARGUMENT, *_WITH_ARGUMENT)}
_NAMES |= {"next": "more", "exit": "quit", "q": "quit", "?": "help", "show": "open"}

COMMAND_NAMES = ("find", *_WITHOUT_ARGUMENT, *_WITH_ARGUMENT)
"""The commands as they are offered for completion."""

HELP = (
    ("heparin -aspirin", "search: all words, none after a dash"),
    ('"red cells" OR plasma', "a phrase, alternatives"),
    ("2  or  open 2", "read result 2"),
    ("related, related 2", "articles related to the one just read, or to result 2"),
    ("more  or  Enter", "the next results"),
    ("try 1", "run a suggested query, where little was found"),
    ("back", "from an article to the results, to the search before"),
    ("topic 2, topic News", "narrow to a topic, by its number or name"),
    ("not topic News", "leave a topic out"),
    ("since 2016, until 2018-06", "narrow to dates, both included"),
    ("kind podcast, author Roe", "narrow to a kind, an author"),
    ("sort newest", "or oldest, best, fresh"),
    ("clear", "take back all of these; again: the query too"),
    ("topics, timeline, stats", "of the results; of the archive"),
    ("explain", "how the results were found, and in how much time"),
    ("latest", "the newest articles"),
    ("find open access", "search for words that begin like a command"),
    ("quit", "or Ctrl-D"),
)
"""What can be typed, and what it does."""
