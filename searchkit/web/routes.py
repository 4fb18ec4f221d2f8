"""The addresses of the app: each handler turns a request into a search, the answer into a page or JSON.

Handlers are plain functions, which Starlette runs in a thread each, since engines are synchronous. Errors are
left to fly; `on_failure` turns them into responses, JSON below ``/api`` and a page elsewhere.
"""

import json
import math
from dataclasses import dataclass, fields
from typing import Any

from jinja2 import Environment
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from searchkit.article import Article
from searchkit.engines import Engine
from searchkit.errors import RequestError, UnknownArticle
from searchkit.page.model import INTERVALS, Completion, Interval
from searchkit.web.contexts import ArticleContext, ErrorContext, FrontContext, ResultsContext
from searchkit.web.failures import failure_of
from searchkit.web.links import Links
from searchkit.web.pages import PageMaker, Site
from searchkit.web.state import SearchState, read_limit, read_state

ALLOWED_METHODS = "GET, HEAD, OPTIONS"
_LATEST_SHOWN = 5
_SUGGESTED = 8
MAX_SUGGESTED = 50
"""More suggestions than this no engine gives; a larger ``limit`` counts as this one."""
MAX_RELATED = 50
"""More related articles than this no engine gives; a larger ``limit`` counts as this one."""

TEMPLATES = {
    FrontContext: "front.html",
    ResultsContext: "results.html",
    ArticleContext: "article.html",
    ErrorContext: "error.html",
}
"""Which template shows which context."""


@dataclass(frozen=True)
class Handlers:
    """The handlers of one app, over one archive."""

    archive: Engine
    site: Site
    templates: Environment

    def routes(self) -> list[BaseRoute]:
        """Every address but that of the static files."""
        return [
            Route("/", self.search_page, name="search"),
            Route("/article", self.article_page, name="article_by_id"),
            Route("/article/{id:path}", self.article_page, name="article"),
            Route("/api/search", self.api_search, name="api_search"),
            Route("/api/articles", self.api_article, name="api_article_by_id"),
            Route("/api/articles/{id:path}", self.api_article, name="api_article"),
            Route("/api/related", self.api_related, name="api_related_by_id"),
            Route("/api/related/{id:path}", self.api_related, name="api_related"),
            Route("/api/suggest", self.api_suggest, name="api_suggest"),
            Route("/api/topics", self.api_topics, name="api_topics"),
            Route("/api/timeline", self.api_timeline, name="api_timeline"),
            Route("/api/latest", self.api_latest, name="api_latest"),
            Route("/api/stats", self.api_stats, name="api_stats"),
        ]

    def search_page(self, request: Request) -> Response:
        """The page of hits, or the front page when nothing is asked for."""
        state = _read_state(request)
        maker = self._maker(request)
        if state == SearchState():
            archive = self.archive
            latest = archive.latest(limit=_LATEST_SHOWN)
            return self._page(maker.front(archive.stats(), latest, archive.topics(), archive.timeline()))
        page = self.archive.search(state.query, **{**state.search_arguments(), "disjunctive": True, "explain": False})
        return self._page(maker.results(page, state))

    def article_page(self, request: Request) -> Response:
        """The page of one article, with those related to it."""
        article = self._article(request)
        return self._page(self._maker(request).article(article, self.archive.related(article.id)))

    def api_search(self, request: Request) -> Response:
        """A page of hits as JSON, exactly `Page.to_dict`."""
        state = _read_state(request)
        return SafeJSONResponse(self.archive.search(state.query, **state.search_arguments()).to_dict())

    def api_article(self, request: Request) -> Response:
        """One article as JSON, exactly `Article.to_dict`."""
        return SafeJSONResponse(self._article(request).to_dict())

    def api_related(self, request: Request) -> Response:
        """The articles related to one, as JSON."""
        limit = min(_read_state(request).limit, MAX_RELATED)
        hits = self.archive.related(self._article(request).id, limit=limit)
        return SafeJSONResponse({"hits": [hit.to_dict() for hit in hits]})

    def api_suggest(self, request: Request) -> Response:
        """What completes ``q``, as JSON."""
        limit = request.query_params.get("limit") or str(_SUGGESTED)
        found = self.archive.suggest(request.query_params.get("q", ""), limit=min(read_limit(limit), MAX_SUGGESTED))
        links = self._maker(request).links
        return SafeJSONResponse(
            {"suggestions": [{**completion.to_dict(), "href": _address_of(completion, links)} for completion in found]}
        )

    def api_topics(self, request: Request) -> Response:
        """Every topic with its number of articles, as JSON."""
        return SafeJSONResponse({"topics": [topic.to_dict() for topic in self.archive.topics()]})

    def api_timeline(self, request: Request) -> Response:
        """How many articles that match ``q`` were published in each ``interval``, as JSON."""
        query = request.query_params.get("q", "")
        buckets = self.archive.timeline(query, interval=_read_interval(request.query_params.get("interval")))
        return SafeJSONResponse({"timeline": [bucket.to_dict() for bucket in buckets]})

    def api_latest(self, request: Request) -> Response:
        """The newest articles, of any topic or of those given, as JSON."""
        state = _read_state(request)
        hits = self.archive.latest(limit=state.limit, topics=state.topics)
        return SafeJSONResponse({"hits": [hit.to_dict() for hit in hits]})

    def api_stats(self, request: Request) -> Response:
        """The archive in numbers, as JSON; where it lies on the server stays with the server."""
        numbers = self.archive.stats().to_dict()
        del numbers["location"]
        return SafeJSONResponse(numbers)

    def on_failure(self, request: Request, error: Exception) -> Response:
        """The response to a request that raised."""
        allowed = {"Allow": ALLOWED_METHODS}
        if isinstance(error, HTTPException) and error.status_code == 405:
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=allowed)
            error = HTTPException(405, headers=allowed)
        failure = failure_of(error)
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        if _is_api(request):
            return SafeJSONResponse(failure.to_dict(), failure.status, headers)
        context = self._maker(request).error(failure, _read_state_leniently(request))
        return self._page(context, failure.status, headers)

    def _article(self, request: Request) -> Article:
        article_id = request.path_params.get("id") or request.query_params.get("id")
        if not article_id:
            raise RequestError(
                "no article is named; put its id into the address, as in /articles/a1 or /articles?id=a1"
            )
        try:
            return self.archive.get(article_id)
        except UnknownArticle as exc:  # its own message names the folder of the index
            raise UnknownArticle(f"there is no article {article_id!r} in the archive; a search shows ids") from exc

    def _maker(self, request: Request) -> PageMaker:
        return PageMaker(self.site, Links.under(request.scope.get("root_path", "")))

    def _page(
        self,
        context: FrontContext | ResultsContext | ArticleContext | ErrorContext,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Response:
        template = self.templates.get_template(TEMPLATES[type(context)])
        values = {part.name: getattr(context, part.name) for part in fields(context)}
        return HTMLResponse(template.render(values).encode("utf-8", "replace"), status, headers)


class SafeJSONResponse(JSONResponse):
    """JSON that any client can read, whatever an article's ``extra`` holds: no NaN, no half characters."""

    def render(self, content: Any) -> bytes:
        """The body in UTF-8. What JSON has no number for is null."""
        try:
            text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except ValueError:
            text = json.dumps(_finite(content), ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list | tuple) else value


def _address_of(completion: Completion, links: Links) -> str:
    """Where a completion leads: the page of an article, or of a search."""
    if completion.article_id is not None:
        return links.article(completion.article_id)
    return links.search(SearchState(query=completion.query))


def _is_api(request: Request) -> bool:
    path: str = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    return path == "/api" or path.startswith("/api/")


def _read_state(request: Request) -> SearchState:
    return read_state(request.query_params.multi_items())


def _read_state_leniently(request: Request) -> SearchState:
    """The search for the form of an error page: as asked for, or its words where the rest is unreadable."""
    try:
        return _read_state(request)
    except RequestError:
        return SearchState(query=request.query_params.get("q", ""))


def _read_interval(text: str | None) -> Interval:
    for interval in INTERVALS:
        if (text or "auto") == interval:
            return interval
    raise RequestError(f"interval={text!r} is not one of {', '.join(INTERVALS)}")
