"""The readers on archives that others wrote; needs the data folder."""

import os
from pathlib import Path

import pytest

from searchkit.settings import Settings
from searchkit.sources import Found, read_sources

DATA = Path(os.environ.get("SEARCHKIT_DATA", Path(__file__).parents[2] / ".." / "shared"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("corpora/reuters.jsonl.gz", 20_841),
        ("raw/md_hexo_site", 58),
        ("raw/html_readability/yahoo-3", 1),
        ("raw/html_readability/wikipedia", 1),
    ],
)
def test_every_article_of_an_archive_is_found(path: str, expected: int) -> None:
    """Each article is read once, with title and text, and nothing is skipped."""
    if not (DATA / path).exists():
        pytest.skip(f"{DATA / path} is not there; set SEARCHKIT_DATA to the data folder")

    readings = list(read_sources([DATA / path], settings=Settings()))

    assert all(isinstance(reading, Found) for reading in readings)
    assert len(readings) == expected
    assert all(reading.article.title for reading in readings if isinstance(reading, Found))
