"""Markdown files with YAML front matter, as static site generators keep them.

Where a field comes from, first match wins:

    id         front matter ``id``; else the path below the source folder, without extension, as it is written
               (``2017/2017-08-23-heparin``), so that it stays the same when the article is edited
    title      front matter; else the first heading; else the file name
    published  front matter; else the date that the file name begins with; else none
    topics     front matter: topics, categories, tags and their singulars, merged in the order they stand in
    kind       front matter ``kind``; else ``type``, unless it is a generator's word for a layout
    body       the text after the front matter, rendered as plain text

`_KEYS` has the further names that generators use. What it does not name is kept in `Article.extra`. A draft
is skipped.
"""

import html
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from searchkit.article import Article
from searchkit.errors import ArticleError
from searchkit.sources.frontmatter import FrontMatter, FrontMatterError, read_front_matter
from searchkit.sources.plaintext import TextWriter, write_element
from searchkit.sources.reading import Found, Place, Skipped

if TYPE_CHECKING:
    from markdown_it.token import Token

_KEYS = {
    "title": ("title",),
    "published": (
        "published",
        "date",
        "publishDate",
        "publishdate",
        "publish_date",
        "published_at",
        "pubDate",
        "pubdate",
        "created",
    ),
    "updated": ("updated", "lastmod", "last_modified_at", "modified", "updated_at"),
    "authors": ("authors", "author"),
    "kind": ("kind",),
    "url": ("url", "permalink", "canonical_url", "canonical", "link"),
    "summary": ("summary", "description", "excerpt", "abstract"),
    "language": ("language", "lang", "locale"),
}
_TOPIC_KEYS = frozenset(("topics", "topic", "categories", "category", "tags", "tag"))
_COMMA_SEPARATED = frozenset(("tags", "categories"))
_LAYOUT_WORDS = frozenset(
    ("post", "posts", "page", "pages", "article", "articles", "blog", "default", "single", "list")
)
_DATE_PREFIX = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[-_ ]|$)")


def read_markdown(file: Path, name: str, article_id: str) -> Iterator[Found | Skipped]:
    """The article of one Markdown file, or why there is none. Raises OSError if the file cannot be read.

    ``article_id`` is the id of an article that does not name its own.
    """
    place = Place(name)
    raw = file.read_bytes()
    if not raw.strip():
        yield Skipped(place, "is empty; it holds no article")
        return
    try:
        text = _decoded(raw)
        front_matter = read_front_matter(text) or FrontMatter({}, 0)
        values = front_matter.values
        if draft := _draft_mark(values):
            yield Skipped(place, f"is a draft ({draft})")
            return
        yield Found(_article(values, text[front_matter.end :], file.stem, article_id), place)
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1 if exc.encoding == "utf-8" else None
        where = f"byte 0x{raw[exc.start]:02x} at offset {exc.start}"
        yield Skipped(Place(name, line), f"is not {exc.encoding.upper()}: {where}; save it as UTF-8")
    except FrontMatterError as exc:
        yield Skipped(Place(name, exc.line), exc.reason)
    except ArticleError as exc:
        yield Skipped(place, str(exc))
    except RecursionError:
        yield Skipped(place, "is nested too deeply to be an article")


def _decoded(raw: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 where a byte order mark says so. Raises UnicodeDecodeError."""
    text = raw.decode("utf-16" if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8")
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


# ---- fields ----


def _article(values: dict[str, Any], markdown: str, stem: str, path_id: str) -> Article:
    """The article of front matter and text. Raises ArticleError."""
    extra = dict(values)
    own_id = _as_text(extra.pop("id", None))
    topics = [topic for key in values if key in _TOPIC_KEYS for topic in _topics(key, extra.pop(key))]
    fields = {field: _first(extra, keys) for field, keys in _KEYS.items()}
    if fields["kind"] is None and isinstance(kind := extra.get("type"), str) and kind.lower() not in _LAYOUT_WORDS:
        fields["kind"] = extra.pop("type")
    if fields["published"] is None and (prefix := _DATE_PREFIX.match(stem)):
        fields["published"] = prefix[1]
    title, body = markdown_text(markdown, title=_unescaped(fields["title"]))
    return Article(
        own_id or path_id,
        title or stem,
        body,
        published=_as_text(fields["published"]),
        topics=topics,
        authors=_names(fields["authors"]),
        kind=_as_text(fields["kind"]),
        url=_as_text(fields["url"]),
        summary=_unescaped(fields["summary"]),
        language=_as_text(fields["language"]),
        updated=_as_text(fields["updated"]),
        extra=extra,
    )


def _draft_mark(values: dict[str, Any]) -> str | None:
    """What in the front matter says that the article is not published, as it would be written there."""
    if str(values.get("draft", "")).lower() in ("true", "yes", "on"):
        return "draft: true"
    if str(values.get("published", "")).lower() in ("false", "no", "off"):
        return "published: false"
    if str(values.get("status", "")).lower() in ("draft", "hidden"):
        return f"status: {values['status']}"
    return None


def _first(values: dict[str, Any], keys: tuple[str, ...]) -> Any:
    """Take out the value of the first of ``keys`` that has one; ``published: true`` is no date and stays."""
    for key in keys:
        value = values.get(key)
        if value is not None and value != "" and not isinstance(value, bool):
            return values.pop(key)
    return None


def _as_text(value: Any) -> Any:
    """Whole numbers as text; the rest as it is, for `Article` to judge."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _unescaped(value: Any) -> Any:
    """As text, without the entities that converted archives have in their titles and summaries."""
    return html.unescape(value) if isinstance(value, str) else _as_text(value)


def _names(value: Any) -> list[Any]:
    """The texts in a text, a mapping with a name, or a list of these, however nested."""
    match value:
        case None:
            return []
        case list():
            return [name for item in value for name in _names(item)]
        case dict():
            return [_as_text(value[key]) for key in ("name", "title", "display_name") if value.get(key)][:1]
        case _:
            return [_as_text(value)]


def _topics(key: str, value: Any) -> list[Any]:
    """Topics as written; only the text of a plural that generators separate by commas is split."""
    if isinstance(value, str) and key in _COMMA_SEPARATED:
        return value.split(",")
    return _names(value)


# ---- text ----

# Code is matched first so that it is left alone: an article about templates shows them. A mark ends before
# the next one opens, so that text full of openings takes linear time.
_TEMPLATE_MARKS = re.compile(
    r"(?P<code>^(?P<fence>`{3,}|~{3,})[^\n]*\n.*?^(?P=fence)|`[^`\n]+`)"
    r"|\{%-?\s*(?P<highlight>highlight\b)[^\n%]*%\}"
    r"|\{%-?\s*(?P<endhighlight>endhighlight)\s*-?%\}"
    r"|\{%(?:(?!%\}|\{%).){0,1000}%\}"
    r"|\{\{(?:(?!\}\}|\{\{).){0,1000}\}\}"
    r"|\{:[^{}\n]{0,200}\}|[ \t]\{#[\w-]+\}(?=[ \t]*$)",
    re.MULTILINE | re.DOTALL,
)
_FOOTNOTE_LABEL = re.compile(r"^ {0,3}\[\^[^\]\s]+\]:", re.MULTILINE)
_FOOTNOTE_MARK = re.compile(r"\[\^[^\]\s]+\]")


def markdown_text(markdown: str, *, title: str | None = None) -> tuple[str | None, str]:
    """The title and the plain text of Markdown: the title given, else the first heading.

    A heading at the head of the text that says no more than the title is left out of the text. Marks of
    template languages (Liquid, Hugo shortcodes, kramdown attributes) are dropped.
    """
    source = _TEMPLATE_MARKS.sub(_without_template_mark, markdown)
    tokens = _parser().parse(_FOOTNOTE_LABEL.sub("", source))
    headings = (index for index, token in enumerate(tokens) if token.type == "heading_open")
    first = next(headings, None)
    if first is not None:
        writer = TextWriter()
        _write_inline(tokens[first + 1], writer)
        heading = str(writer)
        title = title or heading or None
        if first == 0 and isinstance(title, str) and heading.casefold() == " ".join(title.split()).casefold():
            del tokens[:3]
    writer = TextWriter()
    _write_tokens(tokens, writer)
    return title, str(writer)


def _without_template_mark(mark: re.Match[str]) -> str:
    if mark["code"]:
        return mark["code"]
    if mark["highlight"] or mark["endhighlight"]:
        return "\n~~~~~~~~\n"
    return ""


def _parser() -> Any:
    from markdown_it import MarkdownIt  # loaded only when there is Markdown to read

    global _shared_parser
    if _shared_parser is None:
        _shared_parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return _shared_parser


_shared_parser: Any = None


def _write_tokens(tokens: "list[Token]", writer: TextWriter) -> None:
    ordinals: list[int | None] = []
    for token in tokens:
        match token.type:
            case "inline":
                _write_inline(token, writer)
            case "fence" | "code_block":
                writer.paragraph()
                writer.verbatim(token.content)
                writer.paragraph()
            case "html_block":
                writer.paragraph()
                _write_html(token.content, writer)
                writer.paragraph()
            case "bullet_list_open" | "ordered_list_open":
                (writer.line if ordinals else writer.paragraph)()
                is_ordered = token.type == "ordered_list_open"
                ordinals.append(int(token.attrs.get("start", 1)) - 1 if is_ordered else None)
            case "bullet_list_close" | "ordered_list_close":
                ordinals.pop()
                (writer.line if ordinals else writer.paragraph)()
            case "list_item_open":
                if ordinals[-1] is not None:
                    ordinals[-1] += 1
                writer.begin_item("-" if ordinals[-1] is None else f"{ordinals[-1]}.")
            case "list_item_close":
                writer.end_item()
            case "paragraph_open" | "paragraph_close":
                (writer.line if token.hidden else writer.paragraph)()
            case "tr_open" | "tr_close":
                writer.line()
            case "td_open" | "th_open":
                writer.cell()
            case "heading_open" | "heading_close" | "table_open" | "table_close" | "hr" | "blockquote_open":
                writer.paragraph()


def _write_inline(token: "Token", writer: TextWriter) -> None:
    is_raised = False
    for child in token.children or ():
        match child.type:
            case "text" if is_raised:
                writer.superscript(child.content)
            case "html_inline" if child.content.lower() in ("<sup>", "</sup>"):
                is_raised = child.content.lower() == "<sup>"
            case "text" | "text_special":
                writer.text(_FOOTNOTE_MARK.sub("", child.content))
            case "code_inline":
                writer.text(child.content)
            case "softbreak":
                writer.text(" ")
            case "hardbreak":
                writer.line()
            case "image":
                _write_inline(child, writer)
            case "html_inline" if child.content[:3].lower() == "<br":
                writer.line()


def _write_html(markup: str, writer: TextWriter) -> None:
    """The text of a block of HTML inside Markdown."""
    from lxml.html import fromstring  # only a few files have such blocks

    if markup.lstrip().startswith("<!--") and markup.rstrip().endswith("-->") and markup.count("-->") == 1:
        return
    write_element(fromstring(f"<div>{markup}</div>"), writer)
