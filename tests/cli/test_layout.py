"""Text in terminal cells: what is cleaned, how wide it is, where lines break."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.cli.layout import (
    Span,
    cell_width,
    clean,
    flow,
    line_width,
    marked,
    spell_marks,
    web_address,
    wrap,
)

TEXT = st.text(st.sampled_from("abc  é東京。e\u0301-"), max_size=60)
SPANS = st.lists(st.builds(Span, TEXT, st.sampled_from(["", "mark", "title"])), max_size=5)


def text_of(lines):
    """The lines as a terminal shows them without styles."""
    return ["".join(span.text for span in line) for line in lines]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", "plain text"),
        ("\x1b[31mred", "␛[31mred"),
        ("bell\x07", "bell␇"),
        ("csi\x9b0m", "csi\ufffd0m"),
        ("del\x7f", "del\ufffd"),
        ("two\nlines\tand\u2028more", "two lines and more"),
        ("abc\u202etxt.exe", "abc\ufffdtxt.exe"),
        ("undecodable \udc80", "undecodable \ufffd"),
        ("東京 é", "東京 é"),
    ],
)
def test_control_characters_become_visible(text, expected):
    """Nothing that a terminal would obey is left, and every character keeps its place."""
    assert clean(text) == expected
    assert len(clean(text)) == len(text)


@given(st.text(max_size=200))
def test_clean_text_has_no_control_characters(text):
    """Whatever an article says, none of the control blocks comes through."""
    assert not set(clean(text)) & {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))}
    assert len(clean(text)) == len(text)


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("東京", 4), ("e\u0301", 1), ("ﾊﾝ", 2), ("", 0), ("ＡＢ", 4)])
def test_width_in_cells(text, width):
    """Wide characters take two cells, combining ones none."""
    assert cell_width(text) == width


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("one two three", 8, ["one two", "three"]),
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 6, ["one", "two", "three"]),
        ("incomprehensible", 6, ["incomp", "rehens", "ible"]),
        ("a incomprehensible", 6, ["a", "incomp", "rehens", "ible"]),
        ("東京の輸血", 6, ["東京の", "輸血"]),
        ("ab東京の輸血", 5, ["ab東", "京の", "輸血"]),
        ("", 5, [""]),
        ("one  two", 4, ["one", "two"]),
    ],
)
def test_lines_break_at_spaces_and_beside_wide_characters(text, width, expected):
    """A line holds as many words as fit; only a word longer than a line is cut."""
    assert text_of(wrap([Span(text)], width)) == expected


def test_roles_survive_line_breaks():
    """A marked passage that is broken stays marked on both lines."""
    lines = wrap([Span("see "), Span("red cells", "mark"), Span(" here")], 8)
    assert lines == [(Span("see "), Span("red", "mark")), (Span("cells", "mark"),), (Span("here"),)]


def test_hanging_indent():
    """The first line begins with its label, the others below the text."""
    lines = wrap([Span("one two three")], 10, indent=4, first=[Span("12", "number")])
    assert text_of(lines) == ["12  one", "    two", "    three"]


@given(SPANS, st.integers(8, 40), st.integers(0, 4))
def test_wrapped_lines_fit_and_lose_only_spaces(spans, width, indent):
    """No line is wider than asked for, and all that is not a space is there in order."""
    lines = wrap(spans, width, indent=indent)
    assert all(line_width(line) <= width for line in lines)
    whole = "".join(span.text for span in spans)
    assert "".join(text_of(lines)).replace(" ", "") == whole.replace(" ", "")


@given(st.lists(SPANS.filter(bool), min_size=1, max_size=6), st.integers(12, 40))
def test_flowing_items_fit_and_lose_only_spaces(items, width):
    """Items with separators never make a line too wide."""
    lines = flow(items, width, between=Span(" | "), indent=3, first=[Span("#")])
    assert all(line_width(line) <= width for line in lines)
    whole = "#" + "|".join("".join(span.text for span in item) for item in items)
    assert "".join(text_of(lines)).replace(" ", "").replace("|", "") == whole.replace(" ", "").replace("|", "")


def test_items_stay_whole_where_they_can():
    """A line breaks between items rather than within one."""
    items = [[Span(text)] for text in ("News (60)", "Blood Donation (8)", "RBC (5)")]
    lines = flow(items, 24, between=Span(" · "), indent=2, first=[])
    assert text_of(lines) == ["  News (60) ·", "  Blood Donation (8) ·", "  RBC (5)"]


def test_marks_of_an_article_text():
    """Marks are offsets into the raw text, whatever is cleaned or closed up on the way."""
    spans = marked("the\n\nred  cells\x1b!", [(5, 8), (10, 15)], "title")
    assert "".join(span.text for span in spans) == "the red cells␛!"
    assert [span.text for span in spans if span.role == "mark"] == ["red", "cells"]
    assert "".join(span.text for span in spell_marks(spans)) == "the **red** **cells**␛!"


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://example.org/a?b=1", True),
        ("http://example.org", True),
        ("javascript:alert(1)", False),
        ("https://example.org/\x1b]8;;evil", False),
        ("https://example.org/a b", False),
        ("file:///etc/passwd", False),
        (None, False),
    ],
)
def test_only_plain_web_addresses_become_links(url, is_safe):
    """An address goes into an escape sequence only if it cannot end it."""
    assert web_address(url) == (url if is_safe else None)
