"""What a commit remembers of the ids it has added is enough to replace each of them."""

from collections.abc import Mapping
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

SMALL = BatchLimits(characters=1_000, articles=7, articles_at_once=3)


@given(st.lists(st.lists(st.integers(0, 12), max_size=6), max_size=12), st.data())
def test_all_but_the_last_of_an_id_are_found(pieces: list[list[int]], data: st.DataObject) -> None:
    """Whatever batches the pieces lie in and whatever their order, only the last article of each id is left."""
    batch_of = [data.draw(st.integers(0, 3)) for _ in pieces]
    added, left = AddedIds(), set[tuple[str, int]]()
    order = data.draw(st.permutations(range(4)))
    for place, batch in enumerate(order):
        last = {
            f"id {one}": number for number, piece in enumerate(pieces) if batch_of[number] == batch for one in piece
        }
        left |= {(one, place) for one in last}
        for where, ids in added.add(last, place).items():
            left -= {(one, where) for one in ids}
    last = {f"id {one}": number for number, piece in enumerate(pieces) for one in piece}
    assert left == {(one, order.index(batch_of[number])) for one, number in last.items()}


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
    def add(self, pieces: Mapping[str, int], place: int) -> dict[int, list[str]]:
        return super().add({Colliding(one): number for one, number in pieces.items()}, place)
