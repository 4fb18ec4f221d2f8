"""Markdown files: front matter to fields, Markdown to plain text, and what is skipped."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.article import Article
from searchkit.settings import Settings
from searchkit.sources import Found, Skipped, read_sources
from searchkit.sources.markdown import markdown_text, read_markdown


def article_of(folder: Path, content: str | bytes, name: str = "post.md") -> Article:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    [found] = read_sources([path], settings=Settings())
    assert isinstance(found, Found), found
    return found.article


def skipped_of(folder: Path, content: str | bytes) -> Skipped:
    path = folder / "post.md"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    [skipped] = read_sources([path], settings=Settings())
    assert isinstance(skipped, Skipped), skipped
    return skipped


def test_front_matter_fills_the_fields(tmp_path: Path) -> None:
    """Every field of an article can stand in front matter; unknown keys are kept."""
    article = article_of(
        tmp_path,
        """---
id: 007
title: "Heparin: a review"
date: 2017-08-23 9:30:00 +0200
lastmod: 2018-01-02
categories: [Coagulation & Plasma Transfusion, "Platelets, cold"]
tags: news, Serology/Genotyping
author: {name: Jane Doe, email: j@e.org}
kind: podcast
permalink: https://e.org/heparin
description: Short.
lang: pt-BR
version: 1.10
weight: 3
---

First *paragraph*.
""",
    )

    assert article == Article(
        "007",
        "Heparin: a review",
        "First paragraph.",
        published="2017-08-23T09:30:00+02:00",
        updated="2018-01-02",
        topics=["Coagulation & Plasma Transfusion", "Platelets, cold", "news", "Serology/Genotyping"],
        authors=["Jane Doe"],
        kind="podcast",
        url="https://e.org/heparin",
        summary="Short.",
        language="pt-BR",
        extra={"version": "1.10", "weight": 3},
    )


@pytest.mark.parametrize(
    ("front_matter", "authors"),
    [
        ("author: Jane Doe", ("Jane Doe",)),
        ("authors: [Jane, John]", ("Jane", "John")),
        ("authors: [{name: Jane}, {name: John}]", ("Jane", "John")),
        ("author: Doe, Jane", ("Doe, Jane",)),
        ("author:", ()),
    ],
)
def test_authors(tmp_path: Path, front_matter: str, authors: tuple[str, ...]) -> None:
    """Authors are a text, a list, or mappings with names; a comma in a name stays."""
    assert article_of(tmp_path, f"---\n{front_matter}\n---\nx").authors == authors


@pytest.mark.parametrize(
    ("front_matter", "topics"),
    [
        ("category: Policy, Practice", ("Policy, Practice",)),
        ("topics: [B, A]\ncategory: C", ("B", "A", "C")),
        ("tags: [a]\ncategories: [b, a]", ("a", "b")),
        ("categories: [[a, b], c]", ("a", "b", "c")),
        ("tags: [2017, No, 1.10]", ("2017", "No", "1.10")),
        ("tags:", ()),
    ],
)
def test_topics(tmp_path: Path, front_matter: str, topics: tuple[str, ...]) -> None:
    """Topics of all keys are merged in their order, each as written."""
    assert article_of(tmp_path, f"---\n{front_matter}\n---\nx").topics == topics


@pytest.mark.parametrize(
    ("front_matter", "kind"),
    [("type: podcast", "podcast"), ("type: post", ""), ("kind: news\ntype: x", "news")],
)
def test_kind(tmp_path: Path, front_matter: str, kind: str) -> None:
    """A type is a kind unless it only names a layout."""
    assert article_of(tmp_path, f"---\n{front_matter}\n---\nx").kind == kind


@pytest.mark.parametrize(
    ("name", "content", "title", "published"),
    [
        ("2017-08-23-a.md", "# One\n\nText", "One", "2017-08-23"),
        ("2017-08-23-a.md", "---\ndate: 2016-01-01\n---\nText", "2017-08-23-a", "2016-01-01"),
        ("2017-08-23.md", "Text", "2017-08-23", "2017-08-23"),
        ("notes.md", "Text\n\n## Later heading", "Later heading", "None"),
        ("notes.md", "---\n\n---\nText", "notes", "None"),
        ("2017-08-231.md", "Text", "2017-08-231", "None"),
    ],
)
def test_what_stands_in_for_title_and_date(tmp_path: Path, name: str, content: str, title: str, published: str) -> None:
    """Without front matter the first heading or the file name is the title, and the name's date the date."""
    article = article_of(tmp_path, content, name)

    assert (article.title, str(article.published)) == (title, published)


def test_ids_are_paths_below_the_source(tmp_path: Path) -> None:
    """An article without id is named by its path as written, without extension, accents composed."""
    path = tmp_path / "2017" / "2017-08-23-cafe\u0301.md"
    path.parent.mkdir()
    path.write_text("x")

    [found] = read_sources([tmp_path], settings=Settings())

    assert isinstance(found, Found)
    assert found.article.id == "2017/2017-08-23-café"


@pytest.mark.parametrize(
    ("front_matter", "reason"),
    [
        ("draft: true", "is a draft (draft: true)"),
        ("draft: yes", "is a draft (draft: true)"),
        ("published: false", "is a draft (published: false)"),
        ("status: draft", "is a draft (status: draft)"),
    ],
)
def test_drafts_are_skipped(tmp_path: Path, front_matter: str, reason: str) -> None:
    """What its front matter calls unpublished is not read."""
    assert skipped_of(tmp_path, f"---\ntitle: x\n{front_matter}\n---\nx").reason == reason


def test_entities_in_front_matter_are_decoded(tmp_path: Path) -> None:
    """Titles and summaries that were converted from HTML lose its entities."""
    article = article_of(tmp_path, "---\ntitle: A &amp; B\nsummary: It&#8217;s here\n---\nx")

    assert (article.title, article.summary) == ("A & B", "It’s here")


def test_published_true_is_no_date(tmp_path: Path) -> None:
    """Beside a date, `published: true` only says that it is no draft."""
    article = article_of(tmp_path, "---\npublished: true\ndate: 2017-08-23\ndraft: false\n---\nx")

    assert str(article.published) == "2017-08-23"


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("---\ntitle: a: b\n---\nx", 2, "into quotation marks"),
        ("---\nx: 1\ntitle: 'open\n---\nx", 4, "the front matter is not YAML"),
        ("---\ntitle: x\n", 1, "close it with a line ---"),
        ("---\nx: *nothing\n---\nx", 2, "*nothing, which is not defined"),
        ("---\nx: " + "[" * 100_000 + "\n---\nx", 2, "too deeply nested"),
        ("---\ntitle: \x01\n---\nx", 2, "control characters"),
        ("---\ndate: soon\n---\nx", None, "'soon' is not a date"),
        ("---\ntitle: [a]\n---\nx", None, "title must be text"),
        (b"---\ntitle: x\n---\n\ncaf\xe9", 5, "is not UTF-8: byte 0xe9"),
    ],
)
def test_what_cannot_be_read_is_reported(tmp_path: Path, content: str | bytes, line: int | None, reason: str) -> None:
    """Broken front matter and text are reported with the line in the file."""
    skipped = skipped_of(tmp_path, content)

    assert reason in skipped.reason
    assert skipped.place.line == line


def test_aliases_work_and_cannot_explode(tmp_path: Path) -> None:
    """Anchors and aliases are read; a few lines that stand for a billion values are refused at once."""
    assert article_of(tmp_path, "---\ntags: &t [a, b]\ncategories: *t\n---\nx").topics == ("a", "b")
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
    )

    started = time.perf_counter()
    skipped = skipped_of(tmp_path, f"---\n{bomb}---\nx")

    assert "too large" in skipped.reason
    assert time.perf_counter() - started < 1


def test_no_code_runs_from_tags(tmp_path: Path) -> None:
    """A YAML tag that names a Python function is only text."""
    article = article_of(tmp_path, "---\nx: !!python/object/apply:os.mkdir [made]\n---\nx")

    assert article.extra == {"x": ["made"]}
    assert not os.path.exists("made")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    """UTF-8 with and without byte order mark and UTF-16 with one are read, with CRLF too."""
    article = article_of(tmp_path, "---\r\ntitle: Café\r\n---\r\n\r\nOne\r\ntwo\r\n".encode(encoding))

    assert (article.title, article.body) == ("Café", "One two")


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("One\ntwo.\n\nThree.", "One two.\n\nThree."),
        ("a  \nb", "a\nb"),
        ("*a* **b** `c  d` ~~e~~ [f](https://e.org \"t\") <https://g.org>", "a b c d e f https://g.org"),
        ("![An image](x.png) after", "An image after"),
        ("Tom &amp; J&eacute;r&ocirc;me &#8212; x", "Tom & Jérôme — x"),
        ("- a\n- b\n  - c\n- d\n\nx", "- a\n- b\n- c\n- d\n\nx"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("- a\n\n  more\n\n- b", "- a\n\nmore\n\n- b"),
        ("- \n- b", "- b"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n", "a\tb\n1\t2"),
        ("```python\nif x:\n    y\n```\n\nz", "if x:\n    y\n\nz"),
        ("> quoted\n\nx", "quoted\n\nx"),
        ("a\n\n---\n\nb", "a\n\nb"),
        ("H\n=\n\nx\n\n## H2 {#id}\ny", "H\n\nx\n\nH2\n\ny"),
        ("a<br>b <span class='x'>c</span> d", "a\nb c d"),
        ("10<sup>9</sup>/L", "10⁹/L"),
        ("<div><p>One <b>two</b></p><script>x()</script><p>Three</p></div>\n\nx", "One two\n\nThree\n\nx"),
        ("<!-- more -->\n\nx <!-- y -->", "x"),
        ("A claim.[^1]\n\n[^1]: The source.", "A claim.\n\nThe source."),
        ("{% include x.html %}\nText {{ site.name }} {{< ref \"a\" >}}{:.lead}", "Text"),
        ("[a]({{ \"/x y/\" | url }})", "a"),
        ("{% highlight ruby %}\nputs *1*\n{% endhighlight %}", "puts *1*"),
        ("Write `{{ name }}` or\n\n```\n{% if x %}\n```", "Write {{ name }} or\n\n{% if x %}"),
        ("x\x00y", "x\ufffdy"),
        ("", ""),
    ],
)  # fmt: skip
def test_markdown_becomes_plain_text(markdown: str, text: str) -> None:
    """What a reader would see, paragraph by paragraph, and nothing of the markup."""
    assert markdown_text(markdown, title="-")[1] == text


def test_the_title_is_not_repeated() -> None:
    """A heading that only repeats the title is left out of the text, another one is not."""
    assert markdown_text("# The  *Title*\n\nText", title="The title") == ("The title", "Text")
    assert markdown_text("# Other\n\nText", title="Title") == ("Title", "Other\n\nText")
    assert markdown_text("# Found\n\nText") == ("Found", "Text")


@pytest.mark.parametrize("text", ["{{" * 20_000, "{%" * 20_000, "[" * 20_000, "`" * 20_000, "> " * 2000, "- " * 2000])
def test_hostile_text_takes_no_time(text: str) -> None:
    """Marks that are opened and never closed are read in bounded time."""
    started = time.perf_counter()
    markdown_text(text)

    assert time.perf_counter() - started < 5


@given(st.text(alphabet="ab -:#*>`|[](){}%<!/&;'\"\n\t\x00~_=^1é", max_size=80), st.booleans())
def test_no_text_raises(tmp_path_factory: pytest.TempPathFactory, text: str, has_front_matter: bool) -> None:
    """Any text gives readings, never an error."""
    path = tmp_path_factory.mktemp("any") / "a.md"
    path.write_text(f"---\n{text}\n---\n{text}" if has_front_matter else text, encoding="utf-8")
    list(read_markdown(path, "a.md", "a"))
