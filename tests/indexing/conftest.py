"""Fixtures of the tests of the index on disk."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from indexing_help import SETTINGS

from searchkit.article import Article
from searchkit.indexing import store, writer


@pytest.fixture
def make_index(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder with an index, one commit for each group of articles."""

    def make(*commits: Iterable[Article]) -> Path:
        folder = tmp_path / f"index{len(list(tmp_path.iterdir()))}"
        store.create(folder, SETTINGS)
        index = store.open_index(folder, SETTINGS)
        for articles in commits:
            writer.add_articles(index, articles, SETTINGS)
        return folder

    return make
