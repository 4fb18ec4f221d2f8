"""Puts the app together: routes, templates, static files, and the headers that go with every response."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import jinja2
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from searchkit.engines import Engine
from searchkit.errors import SearchkitError
from searchkit.web.pages import Site
from searchkit.web.routes import Handlers
from searchkit.web.wording import count_text

_HERE = Path(__file__).parent


def create_app(
    archive: Engine,
    *,
    title: str = "Archive search",
    language: str = "en",
    templates: str | os.PathLike[str] | None = None,
    stylesheets: Sequence[str] = (),
    link_originals: bool = False,
    content_security_policy: str | None = None,
) -> Starlette:
    """An ASGI app with the search page and the JSON search of ``archive``, to serve or mount under any path.

    ``title`` names the site, ``language`` is that of its pages. Templates in the folder ``templates`` take
    the place of those of the same name (`contexts.py` says what they are given; ``searchkit/base.html`` is
    the original to extend). ``stylesheets`` are addresses of style sheets that come after ours. With
    ``link_originals`` hits lead to the articles' own addresses where they have one.
    ``content_security_policy`` replaces the strict default; an empty one leaves that header to the site. The
    archive stays open; closing it is up to the caller.
    """
    site = Site(title, language, tuple(stylesheets), link_originals)
    handlers = Handlers(archive, site, _environment(templates))
    headers = _response_headers(stylesheets, content_security_policy)

    def on_failure(request: Request, error: Exception) -> Response:
        response = handlers.on_failure(request, error)
        response.headers.update(headers)  # an unforeseen error is answered outside of the middleware
        return response

    return Starlette(
        routes=[
            *handlers.routes(),
            Mount("/static", StaticFiles(directory=_HERE / "static"), name="static"),
        ],
        middleware=[Middleware(_ResponseHeaders, headers=headers)],
        exception_handlers={SearchkitError: on_failure, HTTPException: on_failure, Exception: on_failure},
    )


def _environment(folder: str | os.PathLike[str] | None) -> jinja2.Environment:
    ours = jinja2.FileSystemLoader(_HERE / "templates")
    loaders: list[jinja2.BaseLoader] = [ours, jinja2.PrefixLoader({"searchkit": ours})]
    if folder is not None:
        loaders.insert(0, jinja2.FileSystemLoader(folder))
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["articles"] = count_text
    return environment


def _response_headers(stylesheets: Sequence[str], policy: str | None) -> dict[str, str]:
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Content-Security-Policy": _strict_policy(stylesheets) if policy is None else policy,
    }
    return {name: value for name, value in headers.items() if value}


def _strict_policy(stylesheets: Sequence[str]) -> str:
    """Nothing runs or loads but our own script and style sheets: ours, and those of the hosts that the site named."""
    hosts = {f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, stylesheets) if parts.netloc}
    styles = " ".join(["'self'", *sorted(hosts)])
    return (
        f"default-src 'none'; style-src {styles}; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    )


class _ResponseHeaders:
    """Middleware that puts headers on every response, where the response has not set them itself."""

    def __init__(self, app: ASGIApp, headers: dict[str, str]) -> None:
        self.app = app
        self.headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)
