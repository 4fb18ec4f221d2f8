"""Addresses: what may be linked to, and that an article's address leads back to its id."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.web.links import Links, safe_href
from searchkit.web.state import SearchState


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a?b=c&d=e#f",
        "http://example.org",
        "HTTPS://EXAMPLE.ORG/",
        "/2017/08/article.html",
        "https://example.org/ünïcode",
        " https://example.org/blank-around ",
    ],
)
def test_web_addresses_are_linked(url: str) -> None:
    """http, https and paths from the root are links."""
    assert safe_href(url) == url.strip()


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://example.org/",
        "//example.org/elsewhere",
        "/\\example.org",
        "https:example.org",
        "https://",
        "http://[broken",
        "article.html",
        "mailto:ada@example.org",
        "https://example.org/a b",
    ],
)
def test_anything_else_is_not_linked(url: str | None) -> None:
    """Schemes that run code or leave the web, control characters, and relative paths are no links."""
    assert safe_href(url) is None


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_an_article_address_holds_its_id(article_id: str) -> None:
    """The id comes back from the address, and no browser would rewrite the address on the way."""
    address = Links.under("/search").article(article_id)
    parts = urlsplit(address)
    if parts.query:
        assert parse_qs(parts.query, keep_blank_values=True) == {"id": [article_id]}
    else:
        assert unquote(parts.path.removeprefix("/search/article/")) == article_id
        assert not {"", ".", ".."} & set(unquote(parts.path)[1:].split("/"))
    assert "\\" not in address
    assert not parts.fragment


@pytest.mark.parametrize(
    ("article_id", "address"),
    [
        ("arXiv:acc-phys/9411002", "/article/arXiv:acc-phys/9411002"),
        ("50% of ü?#", "/article/50%25%20of%20%C3%BC%3F%23"),
        ("https://example.org/", "/article?id=https%3A%2F%2Fexample.org%2F"),
        ("..", "/article?id=.."),
        ("a/../b", "/article?id=a%2F..%2Fb"),
        ("./a", "/article?id=.%2Fa"),
        ("a\\b", "/article?id=a%5Cb"),
        ("a\nb", "/article?id=a%0Ab"),
    ],
)
def test_article_addresses(article_id: str, address: str) -> None:
    """An id stands in the path as far as browsers leave it alone there, else in the query."""
    assert Links("").article(article_id) == address


@pytest.mark.parametrize(
    ("root_path", "root"),
    [("", "/"), ("/", "/"), ("/search", "/search/"), ("/our site/sück", "/our%20site/s%C3%BCck/")],
)
def test_addresses_lie_under_the_root_path(root_path: str, root: str) -> None:
    """Every address begins where the app is mounted, percent-encoded."""
    links = Links.under(root_path)
    assert links.search() == root
    assert links.search(SearchState("a b")) == f"{root}?q=a+b"
    assert links.static("x.css") == f"{root}static/x.css"
    assert links.article("a/b:c") == f"{root}article/a/b:c"
