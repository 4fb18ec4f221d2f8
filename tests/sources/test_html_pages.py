"""HTML pages: what they state, what is found in them, and what stays out."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.article import Article
from searchkit.settings import Settings
from searchkit.sources import Found, Skipped, read_sources
from searchkit.sources.html import decode_page, read_html

SENTENCES = [
    f"Sentence {word} of the text tells something about blood donors and the plasma that they gave."
    for word in ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
]
PARAGRAPHS = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)


def reading_of(folder: Path, page: str | bytes) -> Any:
    path = folder / "page.html"
    path.write_bytes(page if isinstance(page, bytes) else page.encode())
    [reading] = read_sources([folder], settings=Settings())
    return reading


def article_of(folder: Path, page: str | bytes) -> Article:
    reading = reading_of(folder, page)
    assert isinstance(reading, Found), reading
    return reading.article


def page(head: str = "", header: str = "", footer: str = "", text: str = PARAGRAPHS) -> str:
    return f"""<!doctype html><html lang="en"><head>{head}</head><body class="content-sidebar">
<nav><ul><li><a href="/">Menu entry</a></li><li><a href="/t" rel="tag">Menu topic</a></li></ul></nav>
<article><header>{header}</header><div class="entry-content">{text}</div><footer>{footer}</footer></article>
<aside class="sidebar"><h3>Most read</h3><a rel="category tag" href="/x">Sidebar topic</a></aside>
<footer><p>Imprint and copyright 2031</p></footer></body></html>"""


def linked(**data: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps(data)}</script>'


def test_a_page_states_its_fields_in_json_ld(tmp_path: Path) -> None:
    """JSON-LD inside a @graph fills the article, references between its things included."""
    head = linked(
        **{
            "@context": "https://schema.org",
            "@graph": [
                {"@type": "WebSite", "@id": "#site", "name": "The Digest"},
                {"@type": "Person", "@id": "#jane", "name": "Jane Doe"},
                {
                    "@type": ["BlogPosting"],
                    "headline": "Plasma &amp; Heparin",
                    "identifier": {"@type": "PropertyValue", "name": "The Digest", "value": "p-17"},
                    "datePublished": "2017-08-23T09:30:00+02:00",
                    "dateModified": "2017-08-25",
                    "author": [{"@id": "#jane"}, {"@type": "Person", "name": "John Roe"}],
                    "articleSection": ["News", "Policy, Practice"],
                    "keywords": ["Serology/Genotyping", "Coagulation & Plasma Transfusion"],
                    "genre": "question of the day",
                    "inLanguage": "en-GB",
                    "description": "What to know.",
                    "publisher": {"@id": "#site"},
                    "url": "https://e.org/p-17/",
                },
            ],
        }
    )

    article = article_of(tmp_path, page(head))

    assert (article.id, article.title) == ("p-17", "Plasma & Heparin")
    assert str(article.published) == "2017-08-23 09:30:00+02:00"
    assert str(article.updated) == "2017-08-25"
    assert article.authors == ("Jane Doe", "John Roe")
    assert article.topics == (
        "News", "Policy, Practice", "Serology/Genotyping", "Coagulation & Plasma Transfusion"
    )  # fmt: skip
    assert (article.kind, article.language) == ("question of the day", "en-GB")
    assert (article.summary, article.url) == ("What to know.", "https://e.org/p-17/")
    assert article.extra == {"site": "The Digest"}


def test_a_page_states_its_fields_in_meta_tags(tmp_path: Path) -> None:
    """Open Graph, article: and link tags fill what JSON-LD does not; broken JSON is passed over."""
    article = article_of(
        tmp_path,
        page(
            """<script type="application/ld+json">{"@type": "NewsArticle", </script>
<title>Plasma | The Digest</title><link rel="canonical" href="/2017/plasma/">
<meta property="og:title" content="Plasma - The Digest"><meta property="og:site_name" content="The Digest">
<meta property="og:url" content="https://e.org/?p=17"><meta name="author" content="Jane Doe">
<meta property="article:author" content="https://social.example/jane">
<meta property="article:published_time" content="2017-08-23T09:30:00Z">
<meta property="article:section" content="News"><meta property="article:tag" content="Platelets, cold">"""
        ),
    )

    assert (article.id, article.title) == ("page", "Plasma")
    assert (article.url, article.authors) == ("https://e.org/2017/plasma/", ("Jane Doe",))
    assert (str(article.published), article.language) == ("2017-08-23 09:30:00+00:00", "en")
    assert article.topics == ("News", "Platelets, cold")


def test_marks_in_the_article_are_read(tmp_path: Path) -> None:
    """Where the head is silent the article's own marks count; menu and sidebar do not."""
    article = article_of(
        tmp_path,
        page(
            "<title>Plasma &raquo; The Digest</title>",
            header='<h1>Plasma</h1><p>By <a rel="author" href="/j">Jane Doe</a> on '
            '<time datetime="2017-08-23T09:30:00-05:00">23 August</time></p>',
            footer='<p>Filed Under: <a rel="category tag" href="/n">News</a>, '
            '<a rel="category tag" href="/p">Coagulation &amp; Plasma, Transfusion</a></p>',
        ),
    )

    assert (article.title, article.authors) == ("Plasma", ("Jane Doe",))
    assert str(article.published) == "2017-08-23 09:30:00-05:00"
    assert article.topics == ("News", "Coagulation & Plasma, Transfusion")


@pytest.mark.parametrize(
    ("line", "topics"),
    [
        ("<p>Filed Under: News, RBC Transfusion</p>", ("News", "RBC Transfusion")),
        (
            "<p>Posted in <a href='/a'>Policy, Practice</a> | <a href='/b'>News</a></p>",
            ("Policy, Practice", "News"),
        ),
        ("<div><span>Tags:</span> <a href='/a'>a/b</a></div>", ("a/b",)),
        ("<p>Tags are a way to sort articles.</p>", ()),
    ],
)
def test_visible_topic_lines(tmp_path: Path, line: str, topics: tuple[str, ...]) -> None:
    """A line of topics is read, link by link or at its commas, and is not part of the text."""
    article = article_of(tmp_path, page(text=PARAGRAPHS + line))

    assert article.topics == topics
    assert article.body.endswith(SENTENCES[-1]) is bool(topics)


def test_a_text_of_keywords_is_split_only_when_nothing_lists_them(tmp_path: Path) -> None:
    """One text of several topics is split at commas, but never beside topics that are listed."""
    keywords = {"@type": "Article", "headline": "x", "keywords": "News, Plasma"}

    assert article_of(tmp_path, page(linked(**keywords))).topics == ("News", "Plasma")
    listed = page(linked(**keywords, articleSection="Plasma, fresh"))
    assert article_of(tmp_path, listed).topics == ("Plasma, fresh",)


@pytest.mark.parametrize("mark", ['class="entry-content"', 'itemprop="articleBody"', 'class="plain"'])
def test_the_text_is_the_articles_alone(tmp_path: Path, mark: str) -> None:
    """Menu, sidebar, footer, byline, title and share links stay out, whether or not the text is marked."""
    source = page("<title>Plasma</title>", header="<h1>Plasma</h1><p class='byline'>By Jane</p>").replace(
        'class="entry-content"', mark
    )

    article = article_of(tmp_path, source.replace("</div>", "<div class='sharedaddy'>Share this</div></div>", 1))

    assert article.body.split("\n\n") == SENTENCES


def test_a_short_text_is_read_whole(tmp_path: Path) -> None:
    """An article of one sentence in an unmarked element is that sentence."""
    source = page("<title>Brief</title>", header="<h1>Brief</h1>", text="<p>Donors wanted.</p><ul><li>O</li></ul>")

    assert article_of(tmp_path, source.replace("entry-content", "x")).body == "Donors wanted.\n\n- O"


def test_a_teaser_cut_from_the_text_is_no_summary(tmp_path: Path) -> None:
    """A description that only repeats the beginning of the text is dropped."""
    teaser = '<meta name="description" content="Sentence one of the text tells [&hellip;]">'

    assert article_of(tmp_path, page(teaser)).summary == ""


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("<html><body><nav><a href='/'>Home</a></nav></body></html>", "no text that reads as an article"),
        ("<!-- nothing -->", ""),
        ("\0\1\2", ""),
        (page('<meta property="article:published_time" content="one day">'), "'one day' is not a date"),
    ],
)
def test_what_is_no_article_is_reported(tmp_path: Path, source: str, reason: str) -> None:
    """A page without text, or with nothing but a nonsense date, is skipped with the reason."""
    reading = reading_of(tmp_path, source)

    assert isinstance(reading, Skipped)
    assert reason in reading.reason


def test_a_readable_date_beats_an_unreadable_one(tmp_path: Path) -> None:
    """A nonsense date does not hide a good one elsewhere on the page."""
    source = page('<meta property="article:published_time" content="one day">', header="<time datetime='2017-08-23'>")

    assert str(article_of(tmp_path, source).published) == "2017-08-23"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("caf\u00e9".encode(), "café"),
        (b'<meta charset="iso-8859-1">caf\xe9 \x93x\x94', '<meta charset="iso-8859-1">café “x”'),
        ('<meta charset="iso-8859-1">café'.encode(), '<meta charset="iso-8859-1">café'),
        (b"caf\xe9", "café"),
        ("東京".encode("utf-16"), "東京"),
        (b"\xef\xbb\xbfcaf\xc3\xa9", "café"),
        (b'<meta charset="Shift_JIS">' + "東京".encode("cp932"), '<meta charset="Shift_JIS">東京'),
        (b'<meta charset="iso-2022-jp">' + "東京".encode("iso2022_jp"), '<meta charset="iso-2022-jp">東京'),
        ("ééééé".encode() + b"\xff", "ééééé\ufffd"),
        (b'<meta charset="base64">x\xe9', '<meta charset="base64">xé'),
    ],
)
def test_characters(raw: bytes, text: str) -> None:
    """The byte order mark, valid UTF-8 and the declared charset decide in this order."""
    assert decode_page(raw) == text


@given(st.text(alphabet="ab<>/=\"' !-[]{}&;\x00\n", max_size=60))
def test_no_page_raises(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Any markup gives one reading, never an error."""
    path = tmp_path_factory.mktemp("any") / "a.html"
    path.write_text(f"<html><head>{text}</head><article><p>{text}</article>", encoding="utf-8")
    assert len(list(read_html(path, "a.html", "a"))) == 1


@pytest.mark.parametrize("depth", [300, 100_000])
def test_deep_nesting_is_read_or_reported(tmp_path: Path, depth: int) -> None:
    """However deep elements or JSON-LD nest, there is a reading."""
    deep_json = f'<script type="application/ld+json">{"[" * depth}</script>'
    reading_of(tmp_path, page(deep_json, text="<div>" * depth + "text" + "</div>" * depth))
