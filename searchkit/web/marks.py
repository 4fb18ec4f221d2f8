"""Text and marks into HTML, the only place where markup is put around an article's words."""

from collections.abc import Iterable

from markupsafe import Markup, escape

from searchkit.page.model import Mark


def mark_html(text: str, marks: Iterable[Mark] = ()) -> Markup:
    """``text`` escaped, with each marked part in a ``<mark>`` element.

    Whatever the text holds comes out as text. Marks may come in any order; those that overlap or touch become
    one, and what lies outside the text is left out.
    """
    parts: list[Markup] = []
    done = 0
    for start, end in merge_marks(marks, len(text)):
        parts += [escape(text[done:start]), Markup("<mark>"), escape(text[start:end]), Markup("</mark>")]
        done = end
    parts.append(escape(text[done:]))
    return Markup("").join(parts)


def merge_marks(marks: Iterable[Mark], length: int) -> list[Mark]:
    """The marks within a text of ``length`` characters, in order and apart from each other."""
    merged: list[Mark] = []
    for start, end in sorted((max(start, 0), min(end, length)) for start, end in marks):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
