"""The JSON search over HTTP: the engine's own answers, one shape of errors, headers on every response."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from web_client import ARTICLES, Client

from searchkit import Engine, Page
from searchkit.errors import (
    ArchiveError,
    ArticleError,
    CursorError,
    IndexCorrupt,
    IndexMissing,
    MissingExtra,
    RequestError,
    SearchkitError,
    UnknownArticle,
)
from searchkit.web import create_app
from searchkit.web.failures import failure_of
from searchkit.web.links import Links


def answer(page: Page) -> dict[str, object]:
    return json.loads(json.dumps(replace(page, took_ms=0.0).to_dict()))


@pytest.mark.parametrize(
    ("parameters", "arguments"),
    [
        ("q=heparin", {"query": "heparin"}),
        ("", {}),
        ("q=heparin&topic=news&topic=Platelets", {"query": "heparin", "topics": ["news", "Platelets"]}),
        ("topic=Drugs,+Trials/Reviews", {"topics": ["Drugs, Trials/Reviews"]}),
        ("q=heparin&not_topic=News", {"query": "heparin", "exclude_topics": ["News"]}),
        ("kind=podcast&author=bo+sample", {"kinds": ["podcast"], "authors": ["bo sample"]}),
        ("language=de", {"language": "de"}),
        ("since=2016&until=2018-06&sort=oldest", {"since": "2016", "until": "2018-06", "sort": "oldest"}),
        ("q=report&limit=3&sort=newest", {"query": "report", "limit": 3, "sort": "newest"}),
        ("q=heparin&topic=News&disjunctive=1", {"query": "heparin", "topics": ["News"], "disjunctive": True}),
        ("limit=5000&utm_source=letter", {"limit": 100}),
    ],
)
def test_a_search_is_the_engines_page(
    client: Client, archive: Engine, parameters: str, arguments: dict[str, object]
) -> None:
    """Every parameter reaches the engine, and its page is sent exactly as to_dict gives it."""
    got = client.get(f"/api/search?{parameters}").json()
    got["took_ms"] = 0.0
    expected = answer(archive.search(**arguments))  # type: ignore[arg-type]
    assert got == expected
    assert got["total"] > 0


def test_a_plan_is_added_when_asked_for(client: Client) -> None:
    """The JSON then has the steps as well; the HTML page never does."""
    plan = client.get("/api/search?q=heparin&explain=1").json()["plan"]
    assert plan[0]["what"] == "word heparin: heparin"
    assert plan[0]["count"] == client.get("/api/search?q=heparin").json()["total"]
    assert client.get("/?q=heparin&explain=1").text.count("word heparin:") == 0


def test_suggestions(client: Client, archive: Engine) -> None:
    """What completes the words typed, as the engine gives it, also none."""
    found = [completion.to_dict() for completion in archive.suggest("hepa")]
    sent = client.get("/api/suggest?q=hepa").json()["suggestions"]
    hrefs = [suggestion.pop("href") for suggestion in sent]
    assert sent == found
    assert hrefs[0] == "/?q=heparin"
    assert hrefs[-1] == Links("").article(found[-1]["article_id"])
    assert len(client.get("/api/suggest?q=hepa&limit=1").json()["suggestions"]) == 1
    assert client.get("/api/suggest?q=hepa&limit=1000").json()["suggestions"]
    assert client.get("/api/suggest").json() == {"suggestions": []}
    assert "limit='x'" in client.get("/api/suggest?q=hepa&limit=x", 400).json()["error"]["message"]


def test_a_cursor_continues(client: Client) -> None:
    """The next cursor fetches the hits that follow."""
    first = client.get("/api/search?q=report&sort=oldest&limit=20").json()
    second = client.get(f"/api/search?q=report&sort=oldest&limit=20&cursor={first['next_cursor']}").json()
    ids = [hit["id"] for hit in first["hits"] + second["hits"]]
    assert len(set(ids)) == 25
    assert second["next_cursor"] is None


def test_the_html_page_says_the_same_as_the_json(client: Client) -> None:
    """The JSON linked from a page of results has the total of that page."""
    page = client.page("/?q=heparin&topic=News&since=2015")
    assert client.get(page.link("this page as JSON")).json()["total"] == 2


def test_every_article_is_served(client: Client, archive: Engine) -> None:
    """An article is sent as to_dict gives it, whatever its id; what JSON has no number for is null."""
    for article in ARTICLES[:8]:
        expected = archive.get(article.id).to_dict()
        if "ratio" in expected["extra"]:
            expected["extra"]["ratio"] = None
        assert client.get(Links("").api_article(article.id)).json() == expected


def test_the_other_answers(client: Client, archive: Engine) -> None:
    """Topics, timeline and latest articles are the engine's, under the names the command line uses."""
    assert client.get("/api/topics").json() == {"topics": [topic.to_dict() for topic in archive.topics()]}
    timeline = archive.timeline("heparin", interval="month")
    assert client.get("/api/timeline?q=heparin&interval=month").json() == {"timeline": [b.to_dict() for b in timeline]}
    latest = client.get("/api/latest?limit=2&topic=news").json()["hits"]
    assert [hit["id"] for hit in latest] == [hit.id for hit in archive.latest(limit=2, topics=["news"])]


def test_stats_do_not_tell_where_the_index_lies(client: Client, archive: Engine) -> None:
    """The numbers are sent, the server's folder is not."""
    numbers = client.get("/api/stats").json()
    assert numbers["articles"] == len(ARTICLES)
    assert archive.stats().location not in json.dumps(numbers)


@pytest.mark.parametrize(
    ("address", "kind", "status", "words"),
    [
        ("/api/search?sort=worst", "RequestError", 400, "'worst'"),
        ("/api/search?limit=ten", "RequestError", 400, "'ten'"),
        ("/api/search?since=soon", "RequestError", 400, "soon"),
        ("/api/search?cursor=damaged", "CursorError", 400, "cursor"),
        ("/api/timeline?interval=week", "RequestError", 400, "'week'"),
        ("/api/articles/no/such:id", "UnknownArticle", 404, "no/such:id"),
        ("/api/articles", "RequestError", 400, "id"),
        ("/api/nowhere", "NotFound", 404, "nothing at this address"),
        ("/api", "NotFound", 404, "nothing at this address"),
    ],
)
def test_errors_have_one_shape(client: Client, address: str, kind: str, status: int, words: str) -> None:
    """A failed request is told as type, message and status, the message with the value."""
    error = client.get(address, status).json()
    assert list(error) == ["error"]
    assert (error["error"]["type"], error["error"]["status"]) == (kind, status)
    assert words in error["error"]["message"]


def test_an_unknown_id_does_not_tell_where_the_index_lies(client: Client, archive: Engine) -> None:
    """Neither the page nor the JSON for an unknown id names the server's folder."""
    for address in ("/api/articles/nosuch", "/article/nosuch"):
        assert archive.stats().location not in client.get(address, 404).text


def test_errors_under_a_mount_are_json_too(mounted: Client) -> None:
    """Where the app is mounted does not change what counts as the JSON search."""
    assert mounted.get("/our%20site/search/api/search?sort=x", 400).json()["error"]["type"] == "RequestError"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnknownArticle("x"), 404),
        (RequestError("x"), 400),
        (CursorError("x"), 400),
        (ArticleError("x"), 400),
        (MissingExtra("x"), 501),
        (IndexMissing("x"), 503),
        (IndexCorrupt("x"), 503),
        (ArchiveError("x"), 503),
        (SearchkitError("x"), 500),
        (ValueError("x"), 500),
    ],
)
def test_each_kind_of_error_has_a_status(error: Exception, status: int) -> None:
    """The error tree maps to HTTP statuses."""
    assert failure_of(error).status == status


class BrokenEngine:
    """An engine all of whose answers fail with one error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> object:
        def fail(*args: object, **kwargs: object) -> None:
            raise self.error

        return fail


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        (IndexCorrupt("/srv/secret/index is damaged"), "IndexCorrupt", 503),
        (ValueError("/srv/secret"), "InternalError", 500),
    ],
)
def test_what_is_wrong_with_the_server_stays_in_its_log(
    error: Exception, kind: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A failing index never looks like an empty page; its path goes to the log and not to the client."""
    client = Client(create_app(BrokenEngine(error)))  # type: ignore[arg-type]
    for address in ("/api/search?q=x", "/?q=x", "/"):
        response = client.get(address, status)
        assert "/srv/secret" not in response.text
        assert response.headers["x-content-type-options"] == "nosniff"
    assert client.get("/api/stats", status).json()["error"]["type"] == kind
    assert "/srv/secret" in caplog.text


@pytest.mark.parametrize(
    "address", ["/", "/?q=heparin", "/article/plain", "/api/search", "/static/searchkit.css", "/x"]
)
def test_every_response_is_locked_down(client: Client, address: str) -> None:
    """No response lets scripts but the site's own files run, its type be guessed, or the reader's search leave it."""
    headers = client.request("GET", address).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
    assert " script-src 'self'; connect-src 'self'; " in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "strict-origin-when-cross-origin"


def test_a_site_can_have_its_own_policy(archive: Engine) -> None:
    """The policy is replaced, or left to the site."""
    own = Client(create_app(archive, content_security_policy="default-src 'self'"))
    assert own.get("/").headers["content-security-policy"] == "default-src 'self'"
    assert "content-security-policy" not in Client(create_app(archive, content_security_policy="")).get("/").headers


def test_other_methods(client: Client) -> None:
    """HEAD is answered like GET, OPTIONS says what is allowed, and nothing else is."""
    assert client.request("HEAD", "/api/search?q=heparin").status_code == 200
    options = client.request("OPTIONS", "/api/search")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    refused = client.request("POST", "/api/search")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert refused.json()["error"]["type"] == "MethodNotAllowed"
    assert client.request("DELETE", "/article/plain").status_code == 405


def test_requests_at_the_same_time(client: Client) -> None:
    """Several threads searching one archive get the answers they would get one by one."""
    addresses = [f"/api/search?q={word}" for word in ("heparin", "aspirin", "report", "platelets")] * 6
    alone = {address: client.get(address).json()["total"] for address in addresses}
    with ThreadPoolExecutor(8) as pool:
        totals = list(pool.map(lambda address: client.get(address).json()["total"], addresses))
    assert totals == [alone[address] for address in addresses]
