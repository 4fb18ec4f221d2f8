"""YAML front matter: the lines between two ``---`` at the head of a text file, as plain data.

Values are what is written there: ``true`` and ``false``, ``null``, whole numbers, lists and mappings;
everything else stays the text it is, so that the title ``No``, the version ``1.10``, the id ``007`` and the
date ``2017-08-23`` arrive unharmed (YAML 1.1 would make them false, 1.1, 7 and an object).

The tree is built here from libyaml's flat stream of events. That constructs no Python objects whatever the
tags say, bounds depth and size (PyYAML's own composer overflows the C stack when nested deeply), and counts
what an alias stands for each time it is used, so that a few lines cannot expand into gigabytes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAX_CHARACTERS = 1 << 18
MAX_VALUES = 20_000
_TOO_MUCH = "the front matter is too large or too deeply nested for an article's"
MAX_DEPTH = 40

_OPENING = re.compile(r"---[ \t]*\r?\n")
_CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
_KEY = re.compile(r"[\w-]+[ \t]*:(?:\s|\Z)")
_CONSTANTS = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    spelling: spelling.lower() == "true" for spelling in ("true", "True", "TRUE", "false", "False", "FALSE")
}
_WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")


class FrontMatterError(Exception):
    """Front matter that cannot be read: the line of the file, counted from 1, and the reason."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The values at the head of a file, and where the text after them begins."""

    values: dict[str, Any]
    end: int


def read_front_matter(text: str) -> FrontMatter | None:
    """The front matter of ``text``, or None when it begins with none. Raises FrontMatterError."""
    opening = _OPENING.match(text)
    if opening is None:
        return None
    closing = _CLOSING.search(text, opening.end(), opening.end() + MAX_CHARACTERS)
    looks_like_keys = _KEY.match(text, opening.end()) is not None
    if closing is None:
        if not looks_like_keys:
            return None  # a rule drawn above ordinary text
        raise FrontMatterError(1, "the front matter that begins here does not end; close it with a line ---")
    values = _parse(text[opening.end() : closing.start()])
    if values is None:
        values = {}
    if not isinstance(values, dict):
        return None
    return FrontMatter(values, closing.end())


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not been met."""

    value: list[Any] | dict[str, Any]
    anchor: str | None
    counted_before: int
    key: str | None = None

    def add(self, item: Any) -> None:
        if isinstance(self.value, list):
            self.value.append(item)
        elif self.key is None:
            self.key = item if isinstance(item, str) else _written(item)
        else:
            self.value[self.key] = item
            self.key = None


def _parse(source: str) -> Any:
    """The one YAML document in ``source`` as plain data. Raises FrontMatterError."""
    import yaml  # loaded only when a file has front matter

    anchors: dict[str, tuple[Any, int]] = {}
    root = _Open([], None, 0)
    stack = [root]
    count = 0
    line = 0
    try:
        for event in _events(source):
            line = event.start_mark.line
            finished: _Open | None = None
            match event:
                case yaml.ScalarEvent():
                    count += 1
                    value = _scalar(event.value, plain=event.style in (None, ""))
                    stack[-1].add(value)
                    if event.anchor:
                        anchors[event.anchor] = (value, 1)
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    count += 1
                    is_list = isinstance(event, yaml.SequenceStartEvent)
                    stack.append(_Open([] if is_list else {}, event.anchor, count))
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    finished = stack.pop()
                case yaml.AliasEvent():
                    if event.anchor not in anchors:
                        raise FrontMatterError(line + 2, f"the front matter uses *{event.anchor}, which is not defined")
                    value, size = anchors[event.anchor]
                    count += size
                    stack[-1].add(value)
                case _:
                    continue
            if finished is not None:
                if finished.anchor:
                    anchors[finished.anchor] = (finished.value, count - finished.counted_before + 1)
                stack[-1].add(finished.value)
            if count > MAX_VALUES or len(stack) > MAX_DEPTH:
                raise FrontMatterError(line + 2, _TOO_MUCH)
    except yaml.MarkedYAMLError as exc:
        at = exc.problem_mark.line if exc.problem_mark else line
        raise FrontMatterError(at + 2, _yaml_reason(exc.problem or str(exc))) from exc
    except yaml.YAMLError as exc:  # a control character that YAML does not allow
        raise FrontMatterError(line + 2, f"the front matter is not YAML: {exc.args[-1] if exc.args else exc}") from exc
    assert isinstance(root.value, list)
    return root.value[0] if root.value else None


def _events(source: str) -> Iterator[Any]:
    import yaml

    return iter(yaml.parse(source, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def _yaml_reason(problem: str) -> str:
    if "nesting depth" in problem:  # newer versions of libyaml have a limit of their own
        return _TOO_MUCH
    hint = ""
    if "mapping values are not allowed" in problem or "did not find expected key" in problem:
        hint = "; put a text with a colon or quotation marks in it into quotation marks"
    elif "cannot start any token" in problem:
        hint = "; put the text into quotation marks, and indent with spaces"
    return f"the front matter is not YAML: {problem}{hint}"


def _scalar(text: str, *, plain: bool) -> Any:
    if not plain:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else text


def _written(value: Any) -> str:
    """A mapping's key that is no text, as text: ``true``, ``7``."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
