"""Files as one stream of articles for an archive."""

import json
from pathlib import Path

import pytest

import searchkit
from searchkit.errors import SourceError
from searchkit.page.model import AddReport
from searchkit.sources.articles import SourceArticles


def lines_in(folder: Path) -> Path:
    """Three articles, two of one id, and a line that is none."""
    path = folder / "a.jsonl"
    records = [{"id": "a", "title": "One"}, {"id": "b", "title": "Two"}, {"id": "a", "title": "Three"}]
    path.write_text("\n".join([*map(json.dumps, records), "{broken"]))
    return path


def test_an_archive_takes_in_files(tmp_path: Path) -> None:
    """Added as one iterable, files give their articles, and say what was read, skipped and repeated."""
    path = lines_in(tmp_path)
    articles = SourceArticles([path])
    with searchkit.open_archive(str(tmp_path / "index"), create=True) as archive:
        assert archive.add(articles) == AddReport(added=2, replaced=1)
        assert archive.get("a").title == "Three"

    assert articles.read == 3
    assert articles.sample_title == "One"
    assert [str(skipped).partition(" ")[0] for skipped in articles.skipped] == [f"{path}:4:"]
    assert [(str(repeated.place), repeated.article_id) for repeated in articles.repeated] == [(f"{path}:3", "a")]


def test_articles_read_one_by_one_are_noted_alike(tmp_path: Path) -> None:
    """Whoever iterates gets every article, and afterwards the same notes."""
    articles = SourceArticles([lines_in(tmp_path)])

    assert [article.title for article in articles] == ["One", "Two", "Three"]
    assert (articles.read, len(articles.skipped), len(articles.repeated)) == (3, 1, 1)


def test_strict_refuses_at_the_end(tmp_path: Path) -> None:
    """With strict nothing is added when anything was skipped."""
    index = str(tmp_path / "index")
    with searchkit.open_archive(index, create=True) as archive:
        archive.add([searchkit.Article("z", "Before")])
        with pytest.raises(SourceError, match="1 of 4 could not be read"):
            archive.add(SourceArticles([lines_in(tmp_path)], strict=True))

        assert archive.stats().articles == 1
