"""A tiny archive behind the web app, alone and mounted."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from web_client import ARTICLES, Client

from searchkit import Engine, open_archive
from searchkit.web import create_app


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with open_archive(tmp_path_factory.mktemp("web") / "index", create=True) as engine:
        engine.add(ARTICLES)
        yield engine


@pytest.fixture(scope="session")
def client(archive: Engine) -> Client:
    return Client(create_app(archive, title="The Archive"))


@pytest.fixture(scope="session")
def mounted(archive: Engine) -> Client:
    return Client(Starlette(routes=[Mount("/our site/search", create_app(archive))]))
