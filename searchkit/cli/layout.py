"""Text laid out in terminal cells: spans with a role, cleaned of control characters and broken into lines.

Nothing here writes anything or knows a colour. A `Span` names its role ("title", "mark", …); `cli/output.py`
decides what a role looks like. Everything that comes from an article goes through `clean`, so that it cannot
send the terminal an escape sequence.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

Role = str
"""What a span is: one of the keys of `searchkit.cli.output.STYLES`, or "" for ordinary text."""


class Span(NamedTuple):
    """A run of text in one role, with the address it leads to if it is a link."""

    text: str
    role: Role = ""
    link: str | None = None


Line = tuple[Span, ...]

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_UNSAFE = {code: chr(0x2400 + code) for code in range(0x20)}  # ESC is shown as the picture of itself
_UNSAFE |= dict.fromkeys([0x7F, *range(0x80, 0xA0)], _REPLACEMENT)
_UNSAFE |= dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], _REPLACEMENT)  # reorder what follows
_UNSAFE |= dict.fromkeys(range(0xD800, 0xE000), _REPLACEMENT)  # undecodable bytes of the command line
_UNSAFE |= dict.fromkeys([0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029], " ")

_WEB_ADDRESS = re.compile(r"https?://[!-~]+", re.ASCII)


def clean(text: str) -> str:
    """``text`` with every control character replaced, one for one, so that offsets into it stay true."""
    return text if text.isascii() and text.isprintable() else text.translate(_UNSAFE)


def web_address(url: str | None) -> str | None:
    """``url`` if it is a plain web address that is safe inside an escape sequence, otherwise None."""
    return url if url and _WEB_ADDRESS.fullmatch(url) else None


def marked(text: str, marks: Iterable[tuple[int, int]], role: Role = "", link: str | None = None) -> list[Span]:
    """``text`` on one line, with its marks as spans of role "mark"; whitespace runs become one space."""
    cleaned, spans, at = clean(text), [], 0
    for start, end in marks:
        spans += [Span(cleaned[at:start], role, link), Span(cleaned[start:end], "mark", link)]
        at = end
    spans.append(Span(cleaned[at:], role, link))
    return [Span(re.sub(r" {2,}", " ", span.text), *span[1:]) for span in spans if span.text]


def spell_marks(spans: Iterable[Span]) -> list[Span]:
    """Spans with the marked ones written as ``**word**``, for output that has no styles."""
    return [Span(f"**{span.text}**") if span.role == "mark" else span for span in spans]


@lru_cache(maxsize=4096)
def _character_width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cell_width(text: str) -> int:
    """How many terminal cells ``text`` takes: two for wide East Asian characters, none for combining ones."""
    return len(text) if text.isascii() else sum(map(_character_width, text))


def line_width(line: Sequence[Span]) -> int:
    """How many cells a line takes."""
    return sum(cell_width(span.text) for span in line)


def wrap(spans: Iterable[Span], width: int, *, indent: int = 0, first: Sequence[Span] = ()) -> list[Line]:
    """Break spans into lines of at most ``width`` cells at spaces, and anywhere beside wide characters.

    Lines are indented by ``indent`` cells; on the first one ``first`` takes the place of the indentation. A
    word longer than a line is cut.
    """
    spans = list(spans)
    text = "".join(span.text for span in spans)
    lead = [*first, Span(" " * max(indent - line_width(first), 0))] if first else [Span(" " * indent)]
    room_first = max(width - line_width(lead), 1)
    lines: list[Line] = []
    for start, end in _line_bounds(text, room_first, max(width - indent, 1)):
        lines.append(tuple(span for span in (*lead, *_cut(spans, start, end)) if span.text))
        lead = [Span(" " * indent)]
    return lines


def flow(
    items: Sequence[Sequence[Span]], width: int, *, between: Span, indent: int = 0, first: Sequence[Span] = ()
) -> list[Line]:
    """Put items one after the other, ``between`` in the middle, breaking lines between items if possible."""
    lines: list[list[Span]] = []
    margin = Span(" " * indent)
    current = [*first, Span(" " * max(indent - line_width(first), 0))]
    is_empty = True
    for number, item in enumerate(items):
        spans = [*item, between] if number < len(items) - 1 else list(item)
        needed = line_width(item) + cell_width(between.text.rstrip())
        if not is_empty and line_width(current) + needed > width:
            lines.append(current)
            current, is_empty = [margin], True
        if line_width(current) + needed > width:
            *full, last = wrap(item, width, indent=indent, first=current)
            lines += map(list, full)
            current = [*last, *spans[len(item) :]]
            if line_width(last) + cell_width(between.text.rstrip()) > width:
                lines.append(list(last))
                current, is_empty = [margin], True
                continue
        else:
            current += spans
        is_empty = False
    return [_trimmed(line) for line in (lines if is_empty else [*lines, current])]


def _trimmed(line: list[Span]) -> Line:
    spans = [span for span in line if span.text]
    while spans and not spans[-1].text.rstrip():
        spans.pop()
    if spans:
        spans[-1] = spans[-1]._replace(text=spans[-1].text.rstrip())
    return tuple(spans)


def _line_bounds(text: str, room_first: int, room: int) -> list[tuple[int, int]]:
    """Start and end of each line of ``text``, without the spaces at the breaks; at least one line."""
    bounds: list[tuple[int, int]] = []
    start = break_at = used = position = 0
    available = room_first
    while position < len(text):
        character = text[position]
        size = _character_width(character)
        if character == " " or (size == 2 and position > start):
            break_at = position
        if used + size <= available or used == 0 or character == " ":
            used += size
            position += 1
            if size == 2 and used <= available:
                break_at = position
            continue
        end = break_at if break_at > start else position
        bounds.append((start, start + len(text[start:end].rstrip(" "))))
        start = end + len(text[end:]) - len(text[end:].lstrip(" "))
        position, break_at, used, available = start, start, 0, room
    if start < len(text) or not bounds:
        bounds.append((start, start + len(text[start:].rstrip(" "))))
    return bounds


def _cut(spans: Iterable[Span], start: int, end: int) -> list[Span]:
    """The part of the spans between two offsets into their joined text."""
    found, offset = [], 0
    for span in spans:
        piece = span.text[max(start - offset, 0) : max(end - offset, 0)]
        if piece:
            found.append(span._replace(text=piece))
        offset += len(span.text)
    return found
