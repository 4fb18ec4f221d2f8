"""Segments of Whoosh's stock codec: read without running anything, searched, made ours when the index is written."""

import random
import struct
import time
import tracemalloc
import zlib
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest
from indexing_help import stored_ids
from test_against_stock import ARTICLES, SETTINGS, check_same_contents, stock_index
from test_toc import hostile_pickles
from whoosh.codec.whoosh3 import STORED_COLUMN, W3Codec, W3Segment
from whoosh.columns import VarBytesColumn
from whoosh.filedb.filestore import FileStorage
from whoosh.index import FileIndex, open_dir

from searchkit import open_archive
from searchkit.article import Article
from searchkit.dates import ArchiveCalendar
from searchkit.errors import IndexCorrupt
from searchkit.indexing import store, writer
from searchkit.indexing.schema import INDEX_NAME, archive_schema, index_fields
from searchkit.indexing.stock import StockSegment, stock_articles
from searchkit.indexing.storage import IndexStorage

MANY = [Article(f"n{number}", f"Article {number}", "plasma", extra={"x": number / 8}) for number in range(300)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for an index."""
    made = tmp_path / "index"
    made.mkdir()
    return made


def add_with_stock(folder: Path, articles: list[Article], *, replacing: bool = False) -> None:
    """Add articles as a program does that knows only Whoosh and its codec."""
    whoosh_writer = open_dir(folder).writer()
    add = whoosh_writer.update_document if replacing else whoosh_writer.add_document
    for article in articles:
        add(**index_fields(article, SETTINGS, ArchiveCalendar.of(SETTINGS.time_zone)))
    whoosh_writer.commit(merge=False)


def stock_segment_in(folder: Path) -> StockSegment:
    """The one stock segment of an index."""
    (segment,) = store.open_index(folder, SETTINGS).newest().stock
    return segment


def file_kinds(folder: Path) -> set[str]:
    """The endings of the files of segments."""
    return {path.suffix for path in folder.glob(f"{INDEX_NAME}_*.*")}


def test_an_index_of_stock_whoosh_is_an_archive(folder: Path) -> None:
    """It opens, is searched, and after writing to it twice consists of our segments, with the same contents."""
    stock_index(folder, ARTICLES)
    assert {".seg"} <= file_kinds(folder)
    with open_archive(folder) as archive:
        assert [hit.id for hit in archive.search("the -only").hits] == ["c"]
        assert archive.get("d") == ARTICLES[3]
        assert archive.stats().articles == len(ARTICLES)
        assert archive.verify().ok
    with open_archive(folder) as archive:
        assert archive.add([Article("new", "New"), Article("a", "Changed")]).replaced == 1
        archive.add([ARTICLES[0]])
        assert archive.delete(["new"]) == 1
        archive.optimize()
        archive.optimize()
    assert file_kinds(folder) == {".skd", ".skt"}
    other = folder.parent / "stock"
    other.mkdir()
    with (
        store.open_index(folder, SETTINGS).reader() as ours,
        stock_index(other, ARTICLES).reader() as stock,
    ):
        check_same_contents(stock, ours)


def test_a_stock_writer_adds_to_an_archive(folder: Path) -> None:
    """What `index.writer()` of plain Whoosh adds, replaces and deletes is there, before and after a merge."""
    store.create(folder, SETTINGS)
    with open_archive(folder) as archive:
        archive.add(MANY[:20])
        add_with_stock(folder, [Article("n3", "Replaced"), *MANY[20:30]], replacing=True)
        add_with_stock(folder, MANY[30:40])
        plain = open_dir(folder).writer()
        plain.delete_by_term("id", "n5")
        plain.delete_by_term("id", "n25")
        plain.commit(merge=False)
        expected = sorted({article.id for article in MANY[:40]} - {"n5", "n25"})
        for _ in range(2):
            assert stored_ids(store.open_index(folder, SETTINGS)) == expected
            assert archive.search("replaced").total == 1
            assert archive.search("plasma").total == len(expected) - 1
            assert archive.stats().articles == len(expected)
            archive.optimize()
        assert file_kinds(folder) == {".skd", ".skt"}


def test_reading_writes_nothing(folder: Path) -> None:
    """An archive with stock segments is read without changing a file; a writer that gives up leaves them listed."""
    store.create(folder, SETTINGS)
    add_with_stock(folder, MANY[:10])
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    index = store.open_index(folder, SETTINGS)
    assert len(stored_ids(index)) == 10
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    index.writer().cancel()
    assert len(stored_ids(store.open_index(folder, SETTINGS))) == 10
    writer.add_articles(index, MANY[10:12], SETTINGS)
    writer.add_articles(index, MANY[12:13], SETTINGS)
    assert len(stored_ids(store.open_index(folder, SETTINGS))) == 13
    assert file_kinds(folder) == {".skd", ".skt"}
    assert index.storage.in_memory == {}


def test_whoosh_writes_on_from_a_stock_segment(folder: Path) -> None:
    """A writer of Whoosh's on our index, too, starts from segments that are in the folder."""
    store.create(folder, SETTINGS)
    add_with_stock(folder, MANY[:10])
    whoosh_writer = store.open_index(folder, SETTINGS).writer()
    whoosh_writer.delete_by_term("id", "n4")
    whoosh_writer.commit(merge=False)
    assert len(stored_ids(store.open_index(folder, SETTINGS))) == 9
    assert stock_segments(folder) == ()


def stock_segments(folder: Path) -> tuple[StockSegment, ...]:
    """The stock segments that the newest generation lists."""
    return store.open_index(folder, SETTINGS).newest().stock


@pytest.mark.parametrize("is_compound", [True, False])
@pytest.mark.parametrize("cutoff", [1 << 15, 10])
def test_both_forms_of_files_and_columns(
    folder: Path, monkeypatch: pytest.MonkeyPatch, is_compound: bool, cutoff: int
) -> None:
    """Compound and loose files, and columns with and without offsets, as Whoosh writes them for many documents."""
    monkeypatch.setattr(VarBytesColumn.Writer, "__init__", partialmethod(VarBytesColumn.Writer.__init__, cutoff=cutoff))
    monkeypatch.setattr(W3Segment, "should_assemble", lambda _: is_compound)
    store.create(folder, SETTINGS)
    add_with_stock(folder, MANY)
    assert (".seg" in file_kinds(folder)) == is_compound
    found = list(stock_articles(IndexStorage(folder), stock_segment_in(folder)))
    assert found == MANY[::-1]


def test_another_index_of_whoosh_is_no_archive(folder: Path) -> None:
    """A stock index without stored articles is refused as before, and stays as it is."""
    whoosh_writer = FileIndex.create(FileStorage(str(folder)), archive_schema(SETTINGS), INDEX_NAME).writer()
    whoosh_writer.add_document(id="bare")
    whoosh_writer.commit()
    before = sorted(folder.iterdir())
    with pytest.raises(IndexCorrupt, match=r"searchkit did not make \(searchkit\.json is missing\)"):
        open_archive(folder)
    assert sorted(folder.iterdir()) == before


# Hostile files


def text(value: str) -> bytes:
    """A text in the pickle language."""
    return b"X" + struct.pack("<I", len(value)) + value.encode()


class Loose:
    """A stock segment in loose files, whose stored fields are what a test wants."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *, is_compound: bool) -> None:
        monkeypatch.setattr(W3Segment, "should_assemble", lambda _: is_compound)
        self.folder = folder
        store.create(folder, SETTINGS)
        add_with_stock(folder, MANY[:3])
        self.segment = stock_segment_in(folder)

    def path(self, ending: str) -> Path:
        """A file of the segment."""
        return self.folder / f"{self.segment.segment_id}{ending}"

    def store(self, packed: list[bytes]) -> None:
        """Write stored fields for its three documents."""
        lengths = struct.pack(f">{len(packed)}I", *map(len, packed))
        self.path("._stored.col").write_bytes(b"".join(packed) + lengths + b"I")

    def opened(self) -> Any:
        """What opening the index says; going back a generation is no way out, as that has no articles."""
        (self.folder / f"_{INDEX_NAME}_0.toc").unlink(missing_ok=True)
        return store.open_index(self.folder, SETTINGS)


@pytest.fixture
def loose(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Loose:
    """A stock segment in loose files."""
    return Loose(folder, monkeypatch, is_compound=False)


@pytest.mark.parametrize("name", hostile_pickles(Path("x")))
@pytest.mark.parametrize("place", ["whole", "article", "extra"])
def test_hostile_stored_fields_run_nothing(loose: Loose, tmp_path: Path, name: str, place: str) -> None:
    """A pickle in the place of the stored fields, or within them, is the error of a damaged index, soon."""
    hostile = hostile_pickles(tmp_path / "ran")[name]
    if place != "whole":
        inner = hostile.removesuffix(b".")[2 if hostile[:1] == b"\x80" else 0 :]
        before, after = b"\x80\x02}" + text("article"), b"s."
        if place == "extra":
            before, after = before + b"}" + text("id") + text("a") + b"s" + text("extra"), b"ss."
        hostile = before + inner + after
    packed = zlib.compress(hostile)
    loose.store([packed] * 3)
    began = time.monotonic()
    with pytest.raises(IndexCorrupt, match=r"_stored\.col is damaged: document 2 holds no article"):
        loose.opened()
    assert time.monotonic() - began < 10
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", hostile_pickles(Path("x")))
def test_a_hostile_directory_runs_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """A pickle in the place of a compound file's directory is the error of a damaged index."""
    compound = Loose(folder, monkeypatch, is_compound=True)
    data = bytearray(compound.path(".seg").read_bytes())
    hostile = hostile_pickles(tmp_path / "ran")[name]
    data[:12] = struct.pack(">qi", len(data), len(hostile))
    compound.path(".seg").write_bytes(data + hostile)
    with pytest.raises(IndexCorrupt, match=r"\.seg is damaged"):
        compound.opened()
    assert not (tmp_path / "ran").exists()


def test_terms_and_postings_are_not_looked_at(loose: Loose) -> None:
    """The files that Whoosh would unpickle when it searches may hold anything."""
    others = [path for path in loose.folder.glob(f"{loose.segment.segment_id}.*") if "_stored" not in path.name]
    assert {path.suffix for path in others} >= {".trm", ".pst", ".col"}
    for path in others:
        path.write_bytes(b"cos\nsystem\n")
    assert stored_ids(loose.opened()) == ["n0", "n1", "n2"]


BOMBS = {
    "deflated": (0, b"X\xff\xff\xff\x0f" + bytes((1 << 28) - 1)),
    "repeated text": (1, text("x" * 100_000) + b"q\0](" + b"h\0" * 100_000 + b"e"),
    "repeated lists": (61, b"]q\0" + b"".join(b"](" + b"h%c" % n * 50 + b"eq%c" % (n + 1) for n in range(60))),
    "in itself": (1, b"}q\0" + text("article") + b"h\0s"),
    "deep": (0, b"]" * 10_000 + b"a" * 9_999),
    "an object": (0, text("datetime") + text("date") + b"\x93"),
    "bytes": (0, b"C\1x"),
}
"""Values that are small in the file only, or none that JSON has, and how many values they have kept by number."""


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("place", ["whole", "extra"])
def test_bombs_do_not_go_off(loose: Loose, name: str, place: str) -> None:
    """What would fill memory, or never end, when it is spread out is the error of a damaged index, soon."""
    kept, bomb = BOMBS[name]
    if place == "extra":  # of what is an article otherwise
        extra = b"}" + text("x") + b"h%c" % kept + b"s"
        article = b"}(" + text("id") + text("a") + text("title") + text("A") + text("extra") + extra + b"u"
        bomb += b"\x94}" + text("article") + article + b"s"
    article = b"}(" + text("id") + text("a") + text("title") + text("A") + b"u"
    harmless = b"\x80\x02}" + text("article") + article + b"s."
    loose.store([zlib.compress(pickled) for pickled in (harmless, harmless, b"\x80\x02" + bomb + b".")])
    began = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(IndexCorrupt, match="document 2 holds no article"):
            loose.opened()
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("is_compound", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_damaged_stock_segments(folder: Path, monkeypatch: pytest.MonkeyPatch, is_compound: bool, seed: int) -> None:
    """Whatever is changed in a file, its articles are there, or it is the error of a damaged index."""
    loose = Loose(folder, monkeypatch, is_compound=is_compound)
    path = loose.path(".seg" if is_compound else "._stored.col")
    whole = path.read_bytes()
    rng = random.Random(seed)
    messages = []
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            data[rng.choice((rng.randrange(len(data)), rng.randrange(min(16, len(data))), -rng.randint(1, 60)))] = (
                rng.randrange(256)
            )
        path.write_bytes(data[: rng.choice((len(data), rng.randrange(len(data))))])
        try:
            assert len(list(stock_articles(IndexStorage(folder), loose.segment))) == 3
        except IndexCorrupt as error:
            messages.append(str(error))
    assert len(messages) > 20
    assert all(path.name in message for message in messages)


def test_the_stored_column_is_the_one_read_here() -> None:
    """Whoosh still writes stored fields as deflated pickles of protocol 2, one a document."""
    assert repr(STORED_COLUMN).startswith("<PickleColumn") or type(STORED_COLUMN).__name__ == "PickleColumn"
    assert type(STORED_COLUMN._child).__name__ == "CompressedBytesColumn"
    assert (
        W3Codec.column_filename(W3Segment(W3Codec(), "MAIN", segid="a" * 16), "_stored")
        == f"MAIN_{'a' * 16}._stored.col"
    )


def test_a_damaged_commit_falls_back_on_the_stock_segment(folder: Path) -> None:
    """The files of a stock segment stay until the commit after the one that has made it ours."""
    stock_index(folder, ARTICLES)
    with open_archive(folder) as archive:
        archive.add([Article("new", "New")])
    newest = max(folder.glob("*.toc"), key=lambda path: path.stat().st_mtime_ns)
    newest.write_bytes(newest.read_bytes()[:-1])
    with open_archive(folder) as archive:
        assert archive.stats().articles == len(ARTICLES)
        assert archive.stats().damage
