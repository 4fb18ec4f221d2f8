"""Every example of SYNTAX.md is read as the page says."""

import re
from datetime import date
from pathlib import Path

import pytest

import searchkit.query
from searchkit.query import read_query
from searchkit.query.lexer import FIELDS

PAGE = (Path(searchkit.query.__file__).parent / "SYNTAX.md").read_text(encoding="utf-8")
EXAMPLES = [
    tuple(code.replace("\\|", "|") for code in row)
    for row in re.findall(r"^\| `((?:[^`])+)` \| `([^`]+)` \|", PAGE, re.MULTILINE)
]


@pytest.mark.parametrize(("typed", "canonical"), EXAMPLES)
def test_example_is_read_as_the_page_says(typed: str, canonical: str) -> None:
    """What the page gives as the reading of an example is its canonical form."""
    assert read_query(typed, today=date(2024, 5, 15)).receipt.canonical == canonical


def test_page_has_an_example_in_every_row() -> None:
    """No table row escapes the test above."""
    rows = [
        line for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line and "You type" not in line
    ]
    assert len(EXAMPLES) == len(rows) > 50


@pytest.mark.parametrize("field", sorted(set(FIELDS.values()) - {"text"}))
def test_page_names_every_field(field: str) -> None:
    """A field that the reader knows is on the page."""
    assert re.search(rf"[` ]{field}:", PAGE)
