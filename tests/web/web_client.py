"""What the tests of the web app share: articles of every awkward sort, a client, and a reader of pages."""

import asyncio
from html.parser import HTMLParser

import httpx
from starlette.types import ASGIApp

from searchkit import Article

HOSTILE = '<script>alert("1")</script><img src=x onerror=alert(2)> & \'"><b>bold</b>'

ARTICLES = [
    Article(
        "2017/heparin",
        "Heparin before surgery",
        "Heparin is given before surgery.\n\nMost patients tolerate heparin well.\nSome do not.",
        published="2017-08-23",
        topics=["News", "Coagulation & Plasma"],
        authors=["Ada Example"],
        kind="news",
        url="https://example.org/2017/heparin?a=1&b=2",
        extra={"doi": "10.5555/heparin", "ratio": float("nan")},
    ),
    Article(
        "arXiv:acc-phys/9411002",
        "Aspirin and heparin compared",
        "Aspirin is not heparin, yet both thin the blood.",
        published="2018-06-30T23:30",
        topics=["News", "Drugs, Trials/Reviews"],
        authors=["Ada Example", "Bo Sample"],
        kind="podcast",
    ),
    Article(
        "plain",
        "Platelets in store",
        "Platelets keep five days.",
        published="2018-01-01",
        topics=["Platelets"],
    ),
    Article("undated", "An undated note on heparin", "Nobody wrote down when heparin came up.", topics=["News"]),
    Article("https://example.org/a//b?c=d#e", "An address for an id", "Heparin.", published="2016-02-29"),
    Article("../up and down", "A climbing id", "Heparin again.", published="2016-03-01", language="de"),
    Article("100% ü?#&+", "An odd id", "Heparin, too.", published="2015"),
    Article(
        f"hostile {HOSTILE}",
        f"Hostile {HOSTILE}",
        f"Heparin {HOSTILE} heparin",
        published="2017-01-02",
        topics=[f"Topic {HOSTILE}"],
        authors=[f"Author {HOSTILE}"],
        kind=f"kind {HOSTILE}",
        url="javascript:alert(1)",
        summary=f"Summary {HOSTILE}",
        extra={f"extra {HOSTILE}": HOSTILE},
    ),
]
ARTICLES += [
    Article(
        f"many/{n}",
        f"Report {n}",
        "A monthly report.",
        published=f"2010-{n % 12 + 1:02}-15",
        topics=["Reports"],
    )
    for n in range(25)
]


class Client:
    """Asks an ASGI app, each request in an event loop of its own. Redirects are not followed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def request(self, method: str, address: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://archive.test") as client:
                return await client.request(method, address)

        return asyncio.run(ask())

    def get(self, address: str, status: int = 200) -> httpx.Response:
        response = self.request("GET", address)
        assert response.status_code == status, f"{address}: {response.status_code} {response.text[:500]}"
        return response

    def page(self, address: str, status: int = 200) -> "PageReader":
        return PageReader(self.get(address, status).text)


VOID = {"meta", "link", "input", "br", "hr", "img"}


class PageReader(HTMLParser):
    """The elements of a page as a browser's parser finds them. Fails when tags do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self._link: list[int] = []
        self.link_texts: dict[int, str] = {}
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "a":
            self._link.append(len(self.elements) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag
        if tag == "a":
            self._link.pop()

    def handle_data(self, data: str) -> None:
        self.text += data
        for link in self._link:
            self.link_texts[link] = self.link_texts.get(link, "") + data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def hrefs(self) -> list[str]:
        return [href for _, attributes in self.elements if (href := attributes.get("href")) is not None]

    def link(self, text: str) -> str:
        """The address of the first link whose text holds ``text``."""
        for index, said in self.link_texts.items():
            if text in " ".join(said.split()):
                return self.elements[index][1]["href"] or ""
        raise AssertionError(f"no link says {text!r}; there are {sorted(set(self.link_texts.values()))}")
