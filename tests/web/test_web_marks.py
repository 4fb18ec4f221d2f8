"""Text and marks into HTML: whatever a text holds stays text, and exactly the marked parts are marked."""

from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.web.marks import mark_html, merge_marks

TEXTS = st.one_of(st.text(), st.text(alphabet="<>&\"'/!-mark script=abc;#x"))
MARKS = st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60)), max_size=8)


class MarkReader(HTMLParser):
    """What a browser makes of marked text: the text, and where the marks lie in it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.marks: list[tuple[int, int]] = []
        self.other: list[str] = []
        self.start = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.start = len(self.text)
        if tag != "mark" or attrs:
            self.other.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.marks.append((self.start, len(self.text)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.other.append("comment")


@given(TEXTS, MARKS)
def test_no_text_comes_out_as_markup_and_marks_are_kept(text: str, marks: list[tuple[int, int]]) -> None:
    """A browser reads back the very text, the marked characters, and no element but mark."""
    read = MarkReader(str(mark_html(text, marks)))
    assert (read.text, read.other) == (text, [])
    inside = {i for start, end in marks for i in range(max(start, 0), min(end, len(text)))}
    assert {i for start, end in read.marks for i in range(start, end)} == inside


@given(MARKS, st.integers(0, 60))
def test_merged_marks_are_apart_and_in_order(marks: list[tuple[int, int]], length: int) -> None:
    """Merged marks are not empty, lie within the text, and leave something between each other."""
    merged = merge_marks(marks, length)
    assert all(0 <= start < end <= length for start, end in merged)
    assert all(before[1] < after[0] for before, after in pairwise(merged))


@pytest.mark.parametrize(
    ("text", "marks", "html"),
    [
        ("a<b", [], "a&lt;b"),
        ("heparin", [(0, 7)], "<mark>heparin</mark>"),
        ("a & b", [(2, 3)], "a <mark>&amp;</mark> b"),
        ("abcdef", [(3, 5), (0, 2)], "<mark>ab</mark>c<mark>de</mark>f"),
        ("abcdef", [(0, 3), (2, 5)], "<mark>abcde</mark>f"),
        ("abcdef", [(0, 2), (2, 4)], "<mark>abcd</mark>ef"),
        ("abc", [(2, 99), (1, 1), (-3, -1)], "ab<mark>c</mark>"),
    ],
)
def test_marked_text(text: str, marks: list[tuple[int, int]], html: str) -> None:
    """Marks go around the parts they name, in the text's order."""
    assert str(mark_html(text, marks)) == html
