"""What a reader has asked for, as a query string says it: pure functions between the two.

`read_state` and `write_state` are each other's inverse. Every link on the pages is some state, changed by one
of the functions at the end and written. Changing anything about a search forgets the place in its results.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlencode

from searchkit.errors import RequestError
from searchkit.page.model import SORTS, Sort

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
"""More hits than this are not sent at once; a larger ``limit`` counts as this one."""

LabelName = Literal["topics", "exclude_topics", "kinds", "authors"]

_PARAMETER_OF: dict[LabelName, str] = {
    "topics": "topic",
    "exclude_topics": "not_topic",
    "kinds": "kind",
    "authors": "author",
}


@dataclass(frozen=True, slots=True)
class SearchState:
    """One search: what was typed, the filters, the order, and the place in the results.

    ``seen`` is the number of hits before ``cursor``. It comes from the link and only serves to number the
    hits. ``disjunctive`` and ``explain`` are for the JSON search: the pages always count facets disjunctively and
    never show a plan.
    """

    query: str = ""
    topics: tuple[str, ...] = ()
    exclude_topics: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    language: str | None = None
    since: str | None = None
    until: str | None = None
    sort: Sort = "best"
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    seen: int = 0
    disjunctive: bool = False
    explain: bool = False

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the words restricts the search."""
        return bool(self.topics or self.exclude_topics or self.kinds or self.authors) or any(
            value is not None for value in (self.language, self.since, self.until)
        )

    def search_arguments(self) -> dict[str, Any]:
        """The keyword arguments of `Engine.search`, but for what to count."""
        return {
            "topics": self.topics,
            "exclude_topics": self.exclude_topics,
            "kinds": self.kinds,
            "authors": self.authors,
            "language": self.language,
            "since": self.since,
            "until": self.until,
            "sort": self.sort,
            "limit": self.limit,
            "cursor": self.cursor,
            "disjunctive": self.disjunctive,
            "explain": self.explain,
        }


def read_state(parameters: Iterable[tuple[str, str]]) -> SearchState:
    """The search that the parameters of a query string ask for.

    Empty values count as absent, and parameters of other names are left to whoever put them there. Of a
    parameter that has one value the last one given counts. Raises RequestError for a sort order or a limit
    that is none; dates and cursors are for the engine to judge.
    """
    given: dict[str, list[str]] = {}
    for name, value in parameters:
        if value.strip() or name == "q":
            given.setdefault(name, []).append(value)

    def last(name: str) -> str | None:
        return given[name][-1] if name in given else None

    cursor = last("cursor")
    return SearchState(
        query=last("q") or "",
        topics=_labels(given.get("topic", ())),
        exclude_topics=_labels(given.get("not_topic", ())),
        kinds=_labels(given.get("kind", ())),
        authors=_labels(given.get("author", ())),
        language=_stripped(last("language")),
        since=_stripped(last("since")),
        until=_stripped(last("until")),
        sort=_read_sort(last("sort")),
        limit=read_limit(last("limit")),
        cursor=cursor,
        seen=_read_seen(last("seen")) if cursor else 0,
        disjunctive=_read_flag("disjunctive", last("disjunctive")),
        explain=_read_flag("explain", last("explain")),
    )


def write_state(state: SearchState) -> str:
    """The query string of a search, without the question mark; what is at its default is left out."""
    pairs: list[tuple[str, str]] = [("q", state.query)] if state.query else []
    pairs += state_fields(state)
    if state.cursor:
        pairs.append(("cursor", state.cursor))
        if state.seen:
            pairs.append(("seen", str(state.seen)))
    if state.disjunctive:
        pairs.append(("disjunctive", "1"))
    if state.explain:
        pairs.append(("explain", "1"))
    return urlencode(pairs)


def state_fields(state: SearchState, *, dates: bool = True) -> list[tuple[str, str]]:
    """Filters, order and limit as parameters, without words and place: the hidden fields of a search form."""
    pairs = [(_PARAMETER_OF[name], value) for name in _PARAMETER_OF for value in getattr(state, name)]
    singles = [("language", state.language)]
    if dates:
        singles += [("since", state.since), ("until", state.until)]
    pairs += [(name, value) for name, value in singles if value is not None]
    if state.sort != "best":
        pairs.append(("sort", state.sort))
    if state.limit != DEFAULT_LIMIT:
        pairs.append(("limit", str(state.limit)))
    return pairs


def read_limit(text: str | None) -> int:
    """The number of hits asked for, at most `MAX_LIMIT`. Raises RequestError when it is not a number."""
    if text is None:
        return DEFAULT_LIMIT
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()):
        raise RequestError(f"limit={text!r} is not a number of hits; give one from 0 to {MAX_LIMIT}")
    return min(int(digits), MAX_LIMIT) if len(digits) < 10 else MAX_LIMIT  # huge numbers are slow to read


def has_label(state: SearchState, name: LabelName, value: str) -> bool:
    """Whether a filter is on, compared as engines compare labels: without regard to case and accents."""
    return fold_label(value) in map(fold_label, getattr(state, name))


def toggle_label(state: SearchState, name: LabelName, value: str) -> SearchState:
    """The search with one filter switched over. A topic cannot be asked for and excluded at once."""
    without = drop_label(state, name, value)
    if has_label(state, name, value):
        return without
    opposite: dict[LabelName, LabelName] = {"topics": "exclude_topics", "exclude_topics": "topics"}
    if name in opposite:
        without = drop_label(without, opposite[name], value)
    return _changed(without, **{name: (*getattr(without, name), value)})


def drop_label(state: SearchState, name: LabelName, value: str) -> SearchState:
    """The search without one filter."""
    kept = tuple(label for label in getattr(state, name) if fold_label(label) != fold_label(value))
    return _changed(state, **{name: kept})


def drop_labels(state: SearchState, name: LabelName) -> SearchState:
    """The search without any filter of one sort."""
    return _changed(state, **{name: ()})


def with_dates(state: SearchState, since: str | None, until: str | None) -> SearchState:
    """The search within other dates."""
    return _changed(state, since=since, until=until)


def with_sort(state: SearchState, sort: Sort) -> SearchState:
    """The search in another order."""
    return _changed(state, sort=sort)


def with_query(state: SearchState, query: str) -> SearchState:
    """The search for other words."""
    return _changed(state, query=query)


def without_language(state: SearchState) -> SearchState:
    """The search in any language."""
    return _changed(state, language=None)


def without_filters(state: SearchState) -> SearchState:
    """The search for the same words, in the same order, through the whole archive."""
    return SearchState(query=state.query, sort=state.sort, limit=state.limit)


def at_start(state: SearchState) -> SearchState:
    """The first hits of the search."""
    return _changed(state)


def at_cursor(state: SearchState, cursor: str, seen: int) -> SearchState:
    """The hits that follow the ``seen`` ones."""
    return replace(state, cursor=cursor, seen=seen)


def fold_label(text: str) -> str:
    """A label without case, accents and spare blanks."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def _changed(state: SearchState, **changes: Any) -> SearchState:
    return replace(state, **{"cursor": None, "seen": 0, **changes})


def _labels(values: Iterable[str]) -> tuple[str, ...]:
    stripped = (value.strip() for value in values)
    return tuple({fold_label(value): value for value in stripped if value}.values())


def _stripped(value: str | None) -> str | None:
    return value.strip() if value else None


def _read_sort(text: str | None) -> Sort:
    if text is None:
        return "best"
    for sort in SORTS:
        if text.strip().lower() == sort:
            return sort
    raise RequestError(f"sort={text!r} is not an order; it can be {', '.join(SORTS[:-1])} or {SORTS[-1]}")


def _read_flag(name: str, text: str | None) -> bool:
    """Whether a parameter is 1. Raises RequestError when it is neither that nor 0."""
    if text is not None and text.strip() not in ("0", "1"):
        raise RequestError(f"{name}={text!r} is neither 0 nor 1")
    return text is not None and text.strip() == "1"


def _read_seen(text: str | None) -> int:
    """A number of hits from a link anybody can edit: what is not one is 0, as it only numbers the hits."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0
