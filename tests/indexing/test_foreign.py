"""Segments of other writers in an index: searched, deleted from, and made anew at their next merge."""

from pathlib import Path
from typing import Any

import pytest

from searchkit.article import Article
from searchkit.dates import ArchiveCalendar
from searchkit.errors import IndexCorrupt
from searchkit.indexing import foreign, store, writer
from searchkit.indexing.batches import BatchLimits
from searchkit.indexing.foreign import is_foreign
from searchkit.indexing.schema import index_fields
from searchkit.settings import Settings

SETTINGS = Settings()


def made(names: str, text: str = "Platelets") -> list[Article]:
    """An article for each letter, the later ones published earlier."""
    return [Article(id=name, title=f"{text} {name}", published=f"2018-01-{26 - ord(name) + 97:02}") for name in names]


def add_with_whoosh(index: Any, articles: list[Article], **options: Any) -> None:
    """Add articles as a program does that knows only Whoosh."""
    whoosh_writer = index.writer(**options)
    for article in articles:
        whoosh_writer.add_document(**index_fields(article, SETTINGS, ArchiveCalendar.of(SETTINGS.time_zone)))
    whoosh_writer.commit(merge=False)


def titles(index: Any) -> dict[str, str]:
    """The titles in the index, by id."""
    with index.reader() as reader:
        stored = [reader.stored_fields(docnum)["article"] for docnum in reader.all_doc_ids()]
    found = {fields["id"]: fields["title"] for fields in stored}
    assert len(found) == len(stored), "an id stands in the index twice"
    return found


def test_foreign_segments_live_until_a_merge(tmp_path: Path) -> None:
    """Articles that Whoosh's writer left are replaced and deleted like ours, and are ours after a merge."""
    store.create(tmp_path / "index", SETTINGS)
    index = store.open_index(tmp_path / "index", SETTINGS)
    writer.add_articles(index, made("ab"), SETTINGS)
    add_with_whoosh(index, made("cdef"))
    assert writer.add_articles(index, made("ax", "Plasma") + made("c", "Plasma"), SETTINGS).replaced == 2
    assert writer.delete_articles(index, ["d", "b", "nobody"], SETTINGS) == 2
    expected = {"a": "Plasma a", "x": "Plasma x", "c": "Plasma c", "e": "Platelets e", "f": "Platelets f"}
    assert titles(index) == expected
    assert sorted(is_foreign(index.storage, segment) for segment in index._segments()) == [False, True]
    writer.optimize(index, SETTINGS)
    assert titles(index) == expected
    (segment,) = index._segments()
    assert not is_foreign(index.storage, segment)
    names = {path.name for path in (tmp_path / "index").glob("searchkit_*.*")}
    assert all(segment.segment_id() in name for name in names if name.endswith((".skd", ".skt", ".seg")))


def test_an_id_twice_in_a_foreign_segment(tmp_path: Path) -> None:
    """Of two documents with one id both are deleted; when one must stay it is the later one."""
    store.create(tmp_path / "index", SETTINGS)
    index = store.open_index(tmp_path / "index", SETTINGS)
    add_with_whoosh(index, made("aab") + made("b", "Later"))
    assert writer.delete_articles(index, ["a"], SETTINGS) == 2
    writer.optimize(index, SETTINGS)
    assert titles(index) == {"b": "Later b"}


def test_a_due_merge_takes_foreign_segments_along(tmp_path: Path) -> None:
    """When single additions make a merge due, what Whoosh's writer left is converted with it."""
    store.create(tmp_path / "index", SETTINGS)
    index = store.open_index(tmp_path / "index", SETTINGS)
    add_with_whoosh(index, made("abcdefgh"))
    for article in made("ijklmnop"):
        writer.add_articles(index, [article], SETTINGS)
    assert titles(index).keys() == set("abcdefghijklmnop")
    assert not any(is_foreign(index.storage, segment) for segment in index._segments())


def test_a_document_that_is_no_article(tmp_path: Path) -> None:
    """A document without a stored article is named when a merge meets it, and nothing is lost."""
    store.create(tmp_path / "index", SETTINGS)
    index = store.open_index(tmp_path / "index", SETTINGS)
    add_with_whoosh(index, made("ab"))
    whoosh_writer = index.writer()
    whoosh_writer.add_document(id="bare")
    whoosh_writer.commit(merge=False)
    with pytest.raises(IndexCorrupt, match="has no stored article"):
        writer.optimize(index, SETTINGS)
    assert writer.delete_articles(index, ["bare"], SETTINGS) == 1
    writer.optimize(index, SETTINGS)
    assert titles(index).keys() == set("ab")


def test_an_id_twice_in_two_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The later of two documents with one id stays also when they are converted into different segments."""
    monkeypatch.setattr(foreign, "BatchLimits", lambda: BatchLimits(articles=2))
    store.create(tmp_path / "index", SETTINGS)
    index = store.open_index(tmp_path / "index", SETTINGS)
    add_with_whoosh(index, made("abcde") + made("a", "Later"))
    writer.optimize(index, SETTINGS)
    assert titles(index) == {"a": "Later a"} | {name: f"Platelets {name}" for name in "bcde"}
