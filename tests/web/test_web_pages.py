"""The pages as a browser without script gets them, over a real tiny index."""

import re
from dataclasses import fields
from pathlib import Path
from urllib.parse import quote_plus, urlencode, urljoin, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import Environment, meta
from starlette.applications import Starlette
from starlette.routing import Mount
from web_client import ARTICLES, HOSTILE, Client, PageReader

from searchkit import Article, Engine, open_archive
from searchkit.web import create_app, routes
from searchkit.web.links import Links
from searchkit.web.routes import TEMPLATES
from searchkit.web.wording import count_text

LANDMARKS = ("main", "header", "form", "h1", "title")


def total_of(page: PageReader) -> int:
    found = re.search(r"([\d,]+) articles?", page.text[page.text.index("Skip to the content") :])
    assert found
    return int(found[1].replace(",", ""))


def test_the_front_page_shows_the_archive(client: Client) -> None:
    """Without a search there are the number of articles, the latest ones, topics to browse, and the years."""
    page = client.page("/")
    assert total_of(page) == len(ARTICLES)
    assert page.link("Aspirin and heparin compared") == "/article/arXiv:acc-phys/9411002"
    assert page.link("Coagulation & Plasma") == "/?topic=Coagulation+%26+Plasma"
    assert len(page.all("svg")) == 1


def test_a_search_shows_total_receipt_hits_and_marks(client: Client, archive: Engine) -> None:
    """A page of results has the total, what was understood, and hits whose matching words are marked."""
    page = client.page("/?q=aspirin")
    assert total_of(page) == archive.search("aspirin").total == 1
    assert archive.search("aspirin").receipt.sentence in page.text
    assert page.all("mark")
    assert page.link("Aspirin and heparin compared")
    assert {"class": "author", "href": "/?author=Bo+Sample", "dir": "auto"} in page.all("a")


def test_the_order_fresh_says_what_it_leaves_out(tmp_path: Path) -> None:
    """The newest relevant articles, the number of the others, and the way to them."""
    passing = [Article(f"p{n}", "Report", "heparin" + " word" * 300, published="2020") for n in range(20)]
    about = [Article(f"a{n}", "Heparin heparin", "Heparin.", published=f"20{n}") for n in range(10, 21)]
    with open_archive(tmp_path / "index", create=True) as archive:
        archive.add([*passing, *about])
        page = Client(create_app(archive)).page("/?q=heparin&sort=fresh")
    assert total_of(page) == 11
    assert "20 less relevant articles left out." in page.text
    assert page.link("See all, best first") == "/?q=heparin"


def test_json_counts_facets_disjunctively_when_asked(client: Client, archive: Engine) -> None:
    """The parameter does what that of the engine does, and the link to a page's JSON has it."""
    answered = client.get("/api/search?q=heparin&topic=News&disjunctive=1").json()
    page = archive.search("heparin", topics=["News"], disjunctive=True)
    assert answered["facets"] == page.to_dict()["facets"]
    assert answered["facets"] != client.get("/api/search?q=heparin&topic=News").json()["facets"]
    assert "disjunctive=1" in client.page("/?q=heparin&topic=News").link("this page as JSON")


@pytest.mark.parametrize("address", ["/", "/?q=heparin", "/?q=nothinghere", "/article/plain", "/nowhere", "/?limit=x"])
def test_every_page_is_whole(client: Client, address: str) -> None:
    """Every page has a title, landmarks, one heading of the first level, a language, and unique ids."""
    response = client.request("GET", address)
    page = PageReader(response.text)
    for landmark in LANDMARKS:
        assert len(page.all(landmark)) == 1 or (landmark == "title" and page.all("svg")), landmark
    assert page.all("html") == [{"lang": "en"}]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    labels = {attributes["for"] for attributes in page.all("label")}
    assert labels == {a["id"] for a in page.all("input") if a.get("type") != "hidden"}


def test_result_pages_stay_out_of_search_engines(client: Client) -> None:
    """Results are not to be indexed; the front page and articles are, under one address each."""
    robots = {"name": "robots", "content": "noindex, nofollow"}
    assert robots in client.page("/?q=heparin").all("meta")
    assert robots in client.page("/nowhere", 404).all("meta")
    assert robots not in client.page("/").all("meta")
    article = client.page("/article/2017/heparin")
    assert robots not in article.all("meta")
    assert {"rel": "canonical", "href": "https://example.org/2017/heparin?a=1&b=2"} in article.all("link")
    assert {"rel": "canonical", "href": "/article/plain"} in client.page("/article/plain").all("link")


@pytest.mark.parametrize("article", ARTICLES[:9], ids=lambda article: article.id)
def test_every_article_has_a_page(client: Client, article: Article) -> None:
    """An article is found under its address, whatever its id, with title and body as they are."""
    page = client.page(Links("").article(article.id))
    assert article.title in page.text
    for paragraph in article.body.split("\n\n"):
        assert paragraph in page.text


def test_the_article_page_tells_all_about_it(client: Client) -> None:
    """Date, kind, authors, topics, the link to the original, and what else the source had."""
    page = client.page("/article/2017/heparin")
    assert "23 August 2017" in page.text
    assert page.link("Ada Example") == "/?author=Ada+Example"
    assert page.link("Read the original") == "https://example.org/2017/heparin?a=1&b=2"
    assert "10.5555/heparin" in page.text
    assert page.all("article")[0].get("lang") is None
    assert client.page("/article?id=..%2Fup+and+down").all("article")[0]["lang"] == "de"


def test_the_search_box_knows_where_suggestions_are(mounted: Client) -> None:
    """Under any mount the box names the address that the script asks, and the script is there."""
    page = mounted.page("/our%20site/search/")
    (box,) = [attributes for attributes in page.all("input") if attributes.get("name") == "q"]
    assert mounted.get(f"{box['data-suggest']}?q=hepa").json()["suggestions"]
    (script,) = page.all("script")
    assert "javascript" in mounted.get(script["src"] or "").headers["content-type"]


def test_an_article_recommends_others(client: Client, archive: Engine) -> None:
    """Below an article stand those related to it, closest first, each a link."""
    hits = archive.related("2017/heparin")
    page = client.page(Links("").article("2017/heparin"))
    assert hits
    assert "Recommended" in page.text
    assert [page.link(hit.title) for hit in hits] == [Links("").article(hit.id) for hit in hits]
    assert client.get("/api/related/2017/heparin?limit=2").json() == {"hits": [hit.to_dict() for hit in hits[:2]]}
    many = archive.related("2017/heparin", limit=50)
    assert client.get("/api/related?id=2017/heparin&limit=100").json() == {"hits": [hit.to_dict() for hit in many]}
    assert client.get("/api/related/nowhere", 404).json()["error"]["type"] == "UnknownArticle"


def test_hostile_text_stays_text(client: Client) -> None:
    """Markup in any field of an article is shown as text on every page, its javascript: URL not linked."""
    hostile = next(article for article in ARTICLES if article.id.startswith("hostile"))
    for address in (
        "/",
        "/?q=heparin&limit=50",
        f"/?topic={quote_plus(hostile.topics[0])}&kind={quote_plus(hostile.kind)}",
        Links("").article(hostile.id),
        f"/?{urlencode({'q': HOSTILE, 'since': HOSTILE})}",
        f"/?{urlencode({'q': HOSTILE, 'author': HOSTILE})}",
    ):
        page = PageReader(client.request("GET", address).text)
        assert "<script>alert" in page.text, address
        assert not {"img", "b", "style"} & {tag for tag, _ in page.elements}
        assert page.all("script") == [{"src": "/static/suggest.js", "defer": None}]
        for _, attributes in page.elements:
            assert not any(name.startswith("on") or name == "style" for name in attributes)
            assert "javascript:" not in (attributes.get("href") or "")


@pytest.mark.parametrize(
    "query",
    [
        HOSTILE,
        '"',
        "((((",
        "-",
        "a AND OR NOT",
        "topic:",
        "*",
        "\x00\x01",
        "heparin\u202e",
        "{{ frame.site }}",
        "%",
        "~" * 500,
        "( " * 1000,
        "x " * 2000,
    ],
)
def test_no_query_text_is_an_error(client: Client, query: str) -> None:
    """Whatever a reader types is answered with a page that has the text in its search box."""
    page = client.page(f"/?{urlencode({'q': query})}")
    shown = next(a["value"] for a in page.all("input") if a.get("name") == "q")
    assert (shown or "").replace("\ufffd", "\x00") == query or "\x00" in query


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_query_text_gives_a_whole_page(client: Client, query: str) -> None:
    """Page and JSON answer any text."""
    client.page(f"/?{urlencode({'q': query})}")
    client.get(f"/api/search?{urlencode({'q': query})}")


HOSTILE_TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
    st.lists(
        st.sampled_from(
            ["<", ">", "</", "&", "'", '"', "/>", "<!--", "script", "img src=x onerror=a()", "]]>", "{{", "%}"]
        ),
        min_size=1,
        max_size=12,
    ).map("".join),
)


@settings(max_examples=25, deadline=None)
@given(title=HOSTILE_TEXT, topic=HOSTILE_TEXT, author=HOSTILE_TEXT, body=HOSTILE_TEXT, name=HOSTILE_TEXT)
def test_no_article_text_comes_out_as_markup(tmp_path_factory, title, topic, author, body, name) -> None:
    """Whatever articles hold, results, recommendations, suggestions and plans have only the elements of plain ones."""
    texts = [(title, topic, author, body, name), ("A title", "Topic", "Author", "Some text.", "a1")]
    found = []
    for title, topic, author, body, name in texts:
        with open_archive(tmp_path_factory.mktemp("hostile") / "index", create=True) as archive:
            archive.add(
                Article(
                    f"{number} {name}".strip(),
                    f"x {title}",
                    f"heparin {body} {number}",
                    topics=[f"t {topic}"],
                    authors=[author],
                )
                for number in range(3)
            )
            client = Client(create_app(archive))
            pages = [client.page(f"/article?{urlencode({'id': f'0 {name}'.strip()})}"), client.page("/?q=heparin")]
            found.append([{tag for tag, _ in page.elements} | {"mark"} for page in pages])
            related = client.get(f"/api/related?{urlencode({'id': f'0 {name}'.strip()})}")
            for response in (related, client.get("/api/suggest?q=hepa"), client.get("/api/search?q=heparin&explain=1")):
                assert response.headers["content-type"] == "application/json"
                assert response.headers["x-content-type-options"] == "nosniff"
    ours = found[1]
    assert [tags - plain for tags, plain in zip(found[0], ours, strict=True)] == [set(), set()]


def test_the_script_puts_text_in_as_text() -> None:
    """Nothing in it makes markup or code of what it is sent."""
    script = (Path(routes.__file__).parent / "static" / "suggest.js").read_text(encoding="utf-8")
    for unsafe in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "srcdoc"):
        assert unsafe not in script
    assert "textContent" in script


def crawl(client: Client, start: str, levels: int, most: int) -> dict[str, PageReader]:
    """The pages reached by links, level by level, each of them answered with 200."""
    seen: dict[str, PageReader] = {}
    level = [start]
    for _ in range(levels):
        following: list[str] = []
        for address in level:
            if address in seen or len(seen) >= most:
                continue
            response = client.get(address)
            if response.headers["content-type"].startswith("text/html"):
                seen[address] = PageReader(response.text)
                following += [urljoin(address, href) for href in seen[address].hrefs if is_ours(href)]
        level = following
    return seen


def is_ours(href: str) -> bool:
    return not urlsplit(href).netloc and not href.startswith("#")


@pytest.mark.parametrize("start", ["/", "/?q=heparin"])
def test_every_link_leads_somewhere(client: Client, start: str) -> None:
    """Following links from the front page or from results never ends in an error."""
    assert len(crawl(client, start, levels=3, most=60)) > 30


def test_every_link_stays_under_the_mount(mounted: Client) -> None:
    """Mounted under a path, the app links only to pages under that path, and they are there."""
    pages = crawl(mounted, "/our%20site/search/?q=heparin", levels=2, most=40)
    for page in pages.values():
        assert all(href.startswith("/our%20site/search/") for href in page.hrefs if is_ours(href))
        assert {form["action"] for form in page.all("form")} == {"/our%20site/search/"}
    article = "/our%20site/search/article/arXiv:acc-phys/9411002"
    assert article in pages
    assert mounted.get("/our%20site/search", 307).headers["location"].endswith("/our%20site/search/")


def test_mounted_in_a_mounted_app(archive: Engine) -> None:
    """Mounts within mounts add up."""
    inner = Starlette(routes=[Mount("/b", create_app(archive))])
    page = Client(Starlette(routes=[Mount("/a", inner)])).page("/a/b/?q=heparin")
    assert page.link("Heparin before surgery") == "/a/b/article/2017/heparin"


def counted_links(page: PageReader) -> list[tuple[str, int]]:
    """Addresses of facet values and bars that are not chosen yet, with the number of articles beside them."""
    links = []
    for tag, attributes in page.elements:
        label = attributes.get("aria-label") or ""
        if tag == "a" and (found := re.search(r": ([\d,]+) articles?$", label)):
            links.append((attributes["href"] or "", int(found[1])))
    return links


def facet_links(html: str) -> list[tuple[str, int]]:
    values = re.findall(
        r'<li>\s*<a class="value" href="([^"]+)">.*?<span class="count">([\d,]+)<', html, flags=re.DOTALL
    )
    return [(href.replace("&amp;", "&"), int(count)) for href, count in values]


@pytest.mark.parametrize("address", ["/?q=heparin", "/", "/?q=heparin&since=2016"])
def test_a_count_is_the_number_of_articles_its_link_finds(client: Client, address: str) -> None:
    """Clicking a facet value or a bar gives exactly as many articles as it says."""
    html = client.get(address).text
    links = counted_links(PageReader(html)) + facet_links(html)
    assert len(links) > 5
    for href, count in links:
        assert total_of(client.page(href)) == count, href


def test_a_chosen_value_can_be_taken_off_and_others_still_added(client: Client) -> None:
    """With a topic chosen the others are offered, counted as they would add, and a chip takes it off."""
    page = client.page("/?q=heparin&topic=coagulation+%26+plasma")
    assert total_of(page) == 1
    assert page.link("Topic: coagulation & plasma") == "/?q=heparin"
    assert page.link("Coagulation & Plasma (chosen") == "/?q=heparin"
    both = client.page(page.link("Drugs, Trials/Reviews"))
    assert total_of(both) == 2
    assert client.page(page.link("Clear all filters")).link("Heparin before surgery")


def test_a_chosen_value_without_articles_can_be_taken_off(client: Client) -> None:
    """A filter that nothing carries is shown with 0 and leads back."""
    page = client.page("/?q=heparin&kind=nosuchkind")
    assert total_of(page) == 0
    assert page.link("nosuchkind (chosen") == "/?q=heparin"


def test_topics_can_be_excluded(client: Client) -> None:
    """Beside a topic is the search without it."""
    page = client.page("/?q=heparin")
    without = client.page(page.link("Without News"))
    assert total_of(without) == total_of(page) - 3
    assert without.link("Not topic: News") == "/?q=heparin"


def test_the_form_keeps_filters_and_order(client: Client) -> None:
    """Searching for other words keeps what was chosen, as hidden fields."""
    page = client.page("/?q=heparin&topic=News&not_topic=Platelets&sort=newest&limit=5&since=2015")
    fields = [(a["name"], a["value"]) for a in page.all("input")]
    assert fields == [
        ("q", "heparin"),
        ("since", "2015"),
        ("until", ""),
        ("topic", "News"),
        ("not_topic", "Platelets"),
        ("sort", "newest"),
        ("limit", "5"),
    ]


def test_paging_walks_through_every_hit_once(client: Client) -> None:
    """Next page after next page shows each hit once, numbered on, and the last has no next."""
    address, ids, pages = "/?q=report&sort=oldest", [], 0
    while address:
        page = client.page(address)
        ids += [href for href in page.hrefs if href.startswith("/article/many/")]
        pages += 1
        if pages == 2:
            assert "25 articles, 11–20" in " ".join(page.text.split())
            assert page.all("ol")[-1]["start"] == "11"
            assert page.link("First page") == "/?q=report&sort=oldest"
        following = [a["href"] for a in page.all("a") if a.get("rel") == "next"]
        address = following[0] if following else ""
    assert pages == 3
    assert sorted(ids) == sorted(f"/article/many/{n}" for n in range(25))


def test_nothing_found_says_so_and_offers_ways_on(client: Client) -> None:
    """Without hits there are a way to drop the filters, and the front page to browse."""
    page = client.page("/?q=heparin&since=1990&until=1991")
    assert total_of(page) == 0
    assert page.link("Search the whole archive") == "/?q=heparin"
    assert page.link("Browse the topics") == "/"
    assert "No article matches" in page.text


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/?q=heparin&since=soon", 400, "soon"),
        ("/?sort=worst", 400, "worst"),
        ("/?q=heparin&cursor=damaged", 400, "cursor"),
        ("/article/nosuch", 404, "nosuch"),
        ("/nowhere", 404, "nothing at this address"),
    ],
)
def test_failures_are_pages_too(client: Client, address: str, status: int, words: str) -> None:
    """A request that cannot be answered gives a page that says why, with the search box as it was."""
    page = client.page(address, status)
    assert words in page.text
    if "q=" in address:
        assert page.all("input")[0]["value"] == "heparin"


def test_a_lost_cursor_leads_back_to_the_first_results(client: Client) -> None:
    """Whoever comes back to a page of results that is no more gets to the beginning of the same search."""
    assert client.page("/?q=heparin&topic=News&cursor=old", 400).link("Back to the first") == "/?q=heparin&topic=News"


def test_templates_use_only_what_contexts_document() -> None:
    """Each variable of a template is a field of its context: contexts.py is the whole list."""
    folder = Path(routes.__file__).parent / "templates"
    base = template_variables(folder / "base.html")
    for context, name in TEMPLATES.items():
        known = {part.name for part in fields(context)}
        used = base | template_variables(folder / name) - {"parts"}  # the macros of parts.html
        assert used <= known, name


def template_variables(path: Path) -> set[str]:
    environment = Environment()
    environment.filters["articles"] = count_text
    return meta.find_undeclared_variables(environment.parse(path.read_text(encoding="utf-8")))


def test_an_empty_archive_says_how_to_fill_it(tmp_path) -> None:
    """The front page of an archive without articles names the command, and a search finds nothing."""
    with open_archive(tmp_path / "index", create=True) as engine:
        client = Client(create_app(engine))
        assert "searchkit index" in client.page("/").text
        assert "No article matches" in client.page("/?q=heparin").text


def test_hits_can_lead_to_the_originals(archive: Engine) -> None:
    """With link_originals a hit leads to the article's own address where that is safe, else to our page."""
    page = Client(create_app(archive, link_originals=True)).page("/?q=heparin&limit=50")
    assert page.link("Heparin before surgery") == "https://example.org/2017/heparin?a=1&b=2"
    assert page.link("Hostile").startswith("/article")


def test_a_site_can_put_in_its_own_templates_and_styles(archive: Engine, tmp_path) -> None:
    """A template of the same name takes our place and can extend ours; style sheets come after ours."""
    (tmp_path / "base.html").write_text(
        '{% extends "searchkit/base.html" %}{% block footer %}<p>Imprint: {{ frame.site }}</p>{% endblock %}'
    )
    app = create_app(
        archive,
        title="Blood & Co",
        templates=tmp_path,
        stylesheets=["/site.css", "https://cdn.example/x.css"],
    )
    response = Client(app).get("/")
    page = PageReader(response.text)
    assert "Imprint: Blood & Co" in page.text
    sheets = [link["href"] for link in page.all("link") if link["rel"] == "stylesheet"]
    assert sheets == ["/static/searchkit.css", "/site.css", "https://cdn.example/x.css"]
    assert "style-src 'self' https://cdn.example;" in response.headers["content-security-policy"]


def test_suggestions_are_links_without_the_filters_they_replace(client: Client, archive: Engine) -> None:
    """What finds more is linked as a query of its own: the filters it keeps are in it, the others are gone."""
    page = client.page("/?q=aspirn&topic=Nowhere&since=1800")
    (first, *_) = archive.search("aspirn", topics=["Nowhere"], since="1800").suggestions
    href = page.link(first.query)
    assert "topic=" not in href
    assert "since=" not in href
    assert total_of(client.page(href)) == first.count


def test_what_a_pattern_found_is_on_the_page(client: Client) -> None:
    """The words that a pattern stands for stand below the sentence."""
    assert "asp?rin is aspirin" in client.page("/?q=asp%3Frin").text


def test_further_passages_are_counted(tmp_path: Path) -> None:
    """A hit says how many passages match beside those shown, and one whose passages are all shown says nothing."""
    with open_archive(tmp_path / "index", create=True) as archive:
        archive.add(
            [
                Article("long", "A", "heparin " + ("word " * 100 + "heparin ") * 3, published="2020"),
                Article("short", "B", "heparin once", published="2019"),
            ]
        )
        (long, short) = archive.search("heparin", sort="newest").hits
        page = Client(create_app(archive)).page("/?q=heparin&sort=newest")
    assert long.more_passages == 3
    assert not short.more_passages
    assert page.text.count("more passage") == 1
    assert "and 3 more passages" in page.text


def test_a_remark_on_several_words_is_made_once(client: Client) -> None:
    """Words that no article has are named side by side."""
    text = client.page("/?q=qwertz+asdfg").text
    assert text.count("no article has this word") == 1
    assert "qwertz" in text
    assert "asdfg" in text
