"""Where output goes and what it can show there: a `Look`, lines written plainly or styled, JSON, errors.

Results go to standard output, everything else to standard error. On a terminal roles become styles; with
NO_COLOR set only bold and underline remain. Piped, or on a terminal that knows no styles, text is plain and
marks are written ``**so**``. rich is imported only where styles are written: it costs more time than a
search.
"""

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from searchkit.cli.layout import Line, clean
from searchkit.errors import IndexMissing, SearchkitError

if TYPE_CHECKING:
    from rich.text import Text

STYLES = {
    "": "",
    "title": "bold",
    "mark": "bold underline yellow",
    "number": "bold cyan",
    "meta": "",
    "summary": "italic",
    "quiet": "dim",
    "topic": "green",
    "heading": "bold",
    "bar": "cyan",
    "count": "cyan",
    "total": "bold green",
    "remark": "yellow",
    "command": "bold",
}
"""The rich style of each role."""

_WIDTH = 80
_NARROWEST = 20
_LITTLE_TERMINALS = ("", "dumb", "unknown")


@dataclass(frozen=True, slots=True)
class Look:
    """What the place of output can show: its width in cells, whether styles, and whether more than ASCII."""

    width: int = 80
    styled: bool = False
    unicode: bool = True

    @property
    def separator(self) -> str:
        """What stands between the parts of a line."""
        return " · " if self.unicode else " - "

    @property
    def space(self) -> str:
        """A space at which no line breaks, where that can be written."""
        return "\N{NO-BREAK SPACE}" if self.unicode else " "

    @property
    def ellipsis(self) -> str:
        """What stands for text left out."""
        return "…" if self.unicode else "..."


def current_look() -> Look:
    """The look of standard output: the terminal's, or that of a plain file 80 (or ``COLUMNS``) cells wide."""
    is_terminal = sys.stdout.isatty() and os.environ.get("TERM", "") not in _LITTLE_TERMINALS
    return Look(
        width=max(_columns(), _NARROWEST),
        styled=is_terminal or bool(os.environ.get("FORCE_COLOR")),
        unicode=_can_encode("·…█▁", sys.stdout.encoding),
    )


def _columns() -> int:
    """The cells of a line as `shutil.get_terminal_size` says; to import that takes about as long as a search."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or _WIDTH  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):  # there is none, it is closed, or it is no terminal
        return _WIDTH


def _can_encode(text: str, encoding: str | None) -> bool:
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def write_lines(lines: Iterable[Line], look: Look) -> None:
    """Write lines to standard output, in the look given."""
    if look.styled:
        _write_styled(lines, look)
        return
    text = "".join("".join(span.text for span in line).rstrip() + "\n" for line in lines)
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding), nl=False)


def _write_styled(lines: Iterable[Line], look: Look) -> None:
    from rich.console import Console  # takes 50 ms to import

    console = Console(
        force_terminal=True,
        width=look.width,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    for line in lines:
        console.print(rich_text(line), soft_wrap=True)


def rich_text(line: Line) -> "Text":
    """The line as rich text, its roles as styles and its links as links."""
    from rich.style import Style  # takes 50 ms to import
    from rich.text import Text

    text = Text()
    for span in line:
        text.append(span.text, Style.parse(STYLES[span.role]) + Style(link=span.link))
    return text


def write_json(data: object) -> None:
    """Write one JSON document in UTF-8 to standard output."""
    text = json.dumps(data, ensure_ascii=False, indent=2)
    click.echo(text.encode("utf-8", "replace"))


def error_data(error: SearchkitError) -> dict[str, Any]:
    """The error as JSON-able data."""
    return {"error": {"type": type(error).__name__, "message": str(error)}}


def write_error(error: SearchkitError, *, as_json: bool = False) -> None:
    """Write an error to standard error: one line and perhaps a hint, or one line of JSON."""
    if as_json:
        click.echo(json.dumps(error_data(error), ensure_ascii=False).encode("utf-8", "replace"), err=True)
        return
    note(f"error: {error}")
    if isinstance(error, IndexMissing) and "searchkit index" not in str(error):
        note("hint: make an index from a folder of articles: searchkit index FOLDER")


def note(text: str) -> None:
    """Write one line to standard error."""
    encoding = sys.stderr.encoding or "utf-8"
    click.echo(clean(text).encode(encoding, "replace").decode(encoding), err=True)
