"""Fixtures shared by all tests: where the measured data lies, and small archives."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import searchkit
from searchkit.engines.local import LocalArchive, open_local
from searchkit.settings import Settings

settings.register_profile("ci", derandomize=True)  # the same examples on every run: red means the change is at fault
if os.environ.get("CI"):
    settings.load_profile("ci")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of corpora and judged collections; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("SEARCHKIT_DATA", REPOSITORY.parent / "shared"))
    if not (folder / "corpora").is_dir():
        assert not os.environ.get("CI"), f"CI must have the corpora, and there are none in {folder}"
        pytest.skip(f"no corpora in {folder}; set SEARCHKIT_DATA to the folder that has them")
    return folder


@pytest.fixture
def make_archive(tmp_path: Path) -> Iterator[Callable[..., LocalArchive]]:
    """Make an archive of the given articles; several in one test get folders of their own."""
    opened: list[LocalArchive] = []

    def make(articles: Iterable[searchkit.Article] = (), **settings: object) -> LocalArchive:
        archive = open_local(str(tmp_path / f"index{len(opened)}"), create=True, settings=Settings(**settings))
        opened.append(archive)
        archive.add(articles)
        return archive

    yield make
    for archive in opened:
        archive.close()
