"""Marked-up text as clean plain text, as a reader sees it: for the index, snippets and a terminal.

Paragraphs, headings and code blocks are separated by blank lines; list items and table rows have lines of
their own, the cells a tab between them. Links keep their text, images their alternative text. Runs of white
space are one space, except in code. `TextWriter` does the spacing; `write_element` feeds it HTML.
"""

from typing import Any

_WORDS, _CELL, _LINE, _PARAGRAPH = range(1, 5)
_GAPS = ("", " ", "\t", "\n", "\n\n")
_SUPERSCRIPTS = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")


class TextWriter:
    """Collects plain text; of the gaps asked for between two texts, the widest is written."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._gap = 0
        self._marker = ""

    def __str__(self) -> str:
        return "".join(self._parts)

    def __bool__(self) -> bool:
        return bool(self._parts)

    def text(self, text: str) -> None:
        """Running text, in which white space only separates words."""
        words = text.split()
        if words:
            if text[0].isspace():
                self._widen(_WORDS)
            self._write(" ".join(words))
        if text and text[-1].isspace():
            self._widen(_WORDS)

    def superscript(self, text: str) -> None:
        """A raised text; digits stay raised, so that 10⁹ does not become 109."""
        self.text(text.translate(_SUPERSCRIPTS))

    def verbatim(self, text: str) -> None:
        """Text whose lines and indentation stay as they are."""
        lines = [line.rstrip() for line in text.expandtabs(4).splitlines()]
        kept = "\n".join(lines).strip("\n")
        if kept:
            self._write(kept)

    def cell(self) -> None:
        """The next text stands in another cell of the row."""
        self._widen(_CELL)

    def line(self) -> None:
        """The next text begins a line."""
        self._widen(_LINE)

    def paragraph(self) -> None:
        """The next text begins a paragraph."""
        self._widen(_PARAGRAPH)

    def begin_item(self, marker: str) -> None:
        """The next text begins a list item, after its marker and whatever it is itself."""
        self._marker = ""
        self._widen(_LINE)
        self._marker = marker

    def end_item(self) -> None:
        """The list item is over; one without text has left nothing."""
        self._marker = ""
        self._widen(_LINE)

    def _widen(self, gap: int) -> None:
        if not self._marker:
            self._gap = max(self._gap, gap)

    def _write(self, text: str) -> None:
        if self._parts:
            self._parts.append(_GAPS[self._gap])
        if self._marker:
            self._parts.append(f"{self._marker} ")
        self._parts.append(text)
        self._gap = 0
        self._marker = ""


# The tags of HTML, and those of the simplified tree that trafilatura makes (head is its heading).
_PARAGRAPHS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "details",
        "dialog",
        "div",
        "dl",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "header",
        "hgroup",
        "hr",
        "main",
        "menu",
        "ol",
        "p",
        "pre",
        "quote",
        "section",
        "summary",
        "table",
        "ul",
        "list",
    }
)
_LINES = frozenset({"br", "caption", "dd", "dt", "lb", "optgroup", "option", "row", "tr"})
_CELLS = frozenset({"td", "th", "cell"})
_ITEMS = frozenset({"li", "item"})
_VERBATIM = frozenset({"pre", "textarea"})
_UNSEEN = frozenset(
    {
        "audio",
        "button",
        "canvas",
        "datalist",
        "embed",
        "iframe",
        "input",
        "link",
        "meta",
        "noscript",
        "object",
        "script",
        "select",
        "style",
        "svg",
        "template",
        "textarea",
        "title",
        "video",
    }
)


def write_element(element: Any, writer: TextWriter) -> None:
    """Write what a reader sees of an lxml element, its tail not included."""
    from lxml import etree

    ordinals: list[int | None] = []  # of the lists that are open: the number of the last item, None where unnumbered
    verbatim = 0
    walk = etree.iterwalk(element, events=("start", "end", "comment", "pi"))
    for event, node in walk:
        if event in ("comment", "pi"):
            _write_text(node.tail, writer, verbatim > 0)
            continue
        tag = node.tag
        if event == "start":
            if tag in _UNSEEN:
                walk.skip_subtree()
                continue
            verbatim += tag in _VERBATIM
            _begin(tag, node, writer, ordinals)
            if tag == "sup" and node.text:
                writer.superscript(node.text)
            else:
                _write_text(node.text, writer, verbatim > 0)
        else:
            if tag not in _UNSEEN:
                verbatim -= tag in _VERBATIM
                _end(tag, writer, ordinals)
            if node is not element:
                _write_text(node.tail, writer, verbatim > 0)


def _write_text(text: str | None, writer: TextWriter, verbatim: bool) -> None:
    if text and verbatim:
        writer.verbatim(text)
    elif text:
        writer.text(text)


def _begin(tag: str, node: Any, writer: TextWriter, ordinals: list[int | None]) -> None:
    if tag in _ITEMS:
        if ordinals and ordinals[-1] is not None:
            ordinals[-1] += 1
        writer.begin_item(f"{ordinals[-1]}." if ordinals and ordinals[-1] is not None else "-")
    elif tag in ("ol", "ul", "menu", "list"):
        # a list inside an item follows it on the next line
        (writer.line if ordinals else writer.paragraph)()
        ordinals.append(0 if tag == "ol" or node.get("rend") == "ol" else None)
    elif tag in _PARAGRAPHS:
        writer.paragraph()
    elif tag in _LINES:
        writer.line()
    elif tag in _CELLS:
        writer.cell()
    elif tag == "img":
        writer.text(node.get("alt", ""))


def _end(tag: str, writer: TextWriter, ordinals: list[int | None]) -> None:
    if tag in _ITEMS:
        writer.end_item()
    elif tag in ("ol", "ul", "menu", "list"):
        if ordinals:
            ordinals.pop()
        (writer.line if ordinals else writer.paragraph)()
    elif tag in _PARAGRAPHS:
        writer.paragraph()
    elif tag in _LINES:
        writer.line()
    elif tag in _CELLS:
        writer.cell()
