"""What a commit remembers of the ids it has added is enough to replace each of them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from indexing_help import SETTINGS

from searchkit.article import Article
from searchkit.engines import open_archive
from searchkit.indexing import store, writer
from searchkit.indexing.added_ids import AddedIds
from searchkit.indexing.batches import BatchLimits
from searchkit.indexing.writer import add_articles
from searchkit.page.model import AddReport

SMALL = BatchLimits(characters=1_000, articles=7)


@given(st.lists(st.lists(st.integers(0, 30), unique=True, max_size=12), max_size=9))
def test_every_earlier_place_of_an_id_is_found(batches: list[list[int]]) -> None:
    """As a dictionary of sets would, whatever the sizes of the batches."""
    added, places = AddedIds(), dict[str, set[int]]()
    for place, batch in enumerate(batches):
        ids = [f"id {number}" for number in batch]
        found = {(earlier, one) for earlier, some in added.add(ids, place).items() for one in some}
        assert found == {(earlier, one) for one in ids for earlier in places.get(one, ())}
        for one in ids:
            places.setdefault(one, set()).add(place)


class Colliding(str):
    """A text that has the hash of all others of its kind."""

    def __hash__(self) -> int:
        return 7


def test_ids_of_one_hash_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Different ids are all kept even if no hash tells them apart, and repeated ones are replaced, last one first."""
    monkeypatch.setattr(writer, "AddedIds", lambda: _AllAlike())
    monkeypatch.setattr(writer, "_IDS_AT_ONCE", 10)
    store.create(tmp_path / "index", SETTINGS)
    index = store.open_index(tmp_path / "index", SETTINGS)
    articles = [Article(f"a{number % 40}", f"Title {number}") for number in range(100)]

    report = add_articles(index, articles, SETTINGS, workers=1, limits=SMALL)
    assert report == AddReport(added=40, replaced=60)
    again = add_articles(index, articles[:60], SETTINGS, workers=1, limits=SMALL)
    assert again == AddReport(added=0, replaced=60)
    with open_archive(str(tmp_path / "index")) as archive:
        assert archive.stats().articles == 40
        assert archive.get("a3").title == "Title 43"
        assert archive.get("a30").title == "Title 30"


class _AllAlike(AddedIds):
    def add(self, ids: list[str], place: int) -> dict[int, list[str]]:  # type: ignore[override]
        return super().add([Colliding(one) for one in ids], place)
