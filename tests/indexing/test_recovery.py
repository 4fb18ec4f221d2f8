"""What happens when files of the index are damaged or missing, and that nothing is destroyed by making one."""

import json
import os
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner
from indexing_help import SETTINGS, article, open_index, stored_ids
from whoosh.writing import AsyncWriter

import searchkit
from searchkit.cli import main
from searchkit.engines.local import LocalArchive, open_local
from searchkit.errors import IndexCorrupt, IndexExists, IndexMissing, SettingsError
from searchkit.indexing import store, writer
from searchkit.indexing.generations import ArchiveIndex
from searchkit.indexing.storage import IndexStorage
from searchkit.indexing.verify import verify_index
from searchkit.settings import Settings

# Whoosh leaves the files of a writer or reader that failed to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

Damage = Callable[[Path], object]

DAMAGES: dict[str, Damage] = {
    "emptied": lambda path: path.write_bytes(b""),
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "removed": Path.unlink,
}

COMMITS = {
    "add": lambda index: writer.add_articles(index, [article(9), article(1, "changed")], SETTINGS),
    "merge": lambda index: writer.optimize(index, SETTINGS),
    "delete": lambda index: writer.delete_articles(index, ["n1"], SETTINGS),
}


def files_of(index: ArchiveIndex, generation: int) -> set[str]:
    """The files that a generation consists of."""
    segments = index.contents_of(generation).segments
    return {f"_MAIN_{generation}.toc"}.union(*(segment.list_files(index.storage) for segment in segments))


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("commit", COMMITS)
def test_damage_to_the_newest_generation_opens_the_one_before(
    make_index: Callable[..., Path], commit: str, damage: str
) -> None:
    """Whatever file of the newest commit is damaged, the commit before opens, says so, and can be added to."""
    folder = make_index([article(0)], [article(1)], [article(2)])
    index = open_index(folder)
    COMMITS[commit](index)
    newest = files_of(index, 4) - files_of(index, 3)
    assert newest
    whole = {name: (folder / name).read_bytes() for name in os.listdir(folder)}

    for name in newest:
        for path, data in whole.items():
            (folder / path).write_bytes(data)
        DAMAGES[damage](folder / name)

        for opened in (open_index(folder), index):  # one that has seen the file whole, too
            assert stored_ids(opened) == ["n0", "n1", "n2"]
            (problem,) = opened.damage if damage != "removed" or name != "_MAIN_4.toc" else (None,)
            assert problem is None or name in problem.file + problem.reason
    writer.add_articles(index, [article(3)], SETTINGS)

    again = open_index(folder)
    assert stored_ids(again) == ["n0", "n1", "n2", "n3"]
    assert again.damage == ()
    assert set(os.listdir(folder)) == files_of(again, again.latest_generation()) | files_of(again, 3) | {
        store.SETTINGS_NAME,
        "MAIN_WRITELOCK",
    }


def test_an_archive_in_use_goes_back_and_forward(make_archive: Callable[..., LocalArchive]) -> None:
    """An open archive falls back when a damaged generation appears, shows why, and moves on with the next commit."""
    archive = make_archive([article(0)])
    archive.add([article(1)])
    newest = archive.folder / "_MAIN_2.toc"
    whole = newest.read_bytes()
    newest.write_bytes(whole[:50])

    with open_local(str(archive.folder)) as other:
        assert other.count() == 1
        (problem,) = other.stats().damage
        assert problem.file == "_MAIN_2.toc"
        assert other.stats().to_dict()["damage"] == [problem.to_dict()]
        other.add([article(2)])
        assert other.count() == 2
        assert other.stats().damage == ()
    assert archive.count() == 2
    assert archive.verify().ok


def test_going_back_is_logged_once(make_index: Callable[..., Path], caplog: pytest.LogCaptureFixture) -> None:
    """Whoever runs a site finds in the log which file is damaged, and is not flooded."""
    folder = make_index([article(0)], [article(1)])
    (folder / "_MAIN_2.toc").write_bytes(b"")
    index = open_index(folder)
    for _ in range(3):
        index.newest()

    (message,) = caplog.messages
    assert "going back to generation 1" in message
    assert "_MAIN_2.toc" in message


def test_when_nothing_can_be_used_the_file_and_the_next_step_are_named(make_index: Callable[..., Path]) -> None:
    """An index without a usable generation is an error, never an empty archive."""
    folder = make_index([article(0)], [article(1)])
    for number in (1, 2):
        (folder / f"_MAIN_{number}.toc").write_bytes(b"junk")

    with pytest.raises(IndexCorrupt, match=r"no generation .* _MAIN_2\.toc is damaged: .*; restore it from a backup"):
        open_index(folder)
    with pytest.raises(IndexExists):
        store.create(folder, SETTINGS)


def test_a_missing_index_is_missing(tmp_path: Path) -> None:
    """No files are no damage."""
    with pytest.raises(IndexMissing, match="searchkit index SOURCE"):
        open_index(tmp_path / "nowhere")


def test_a_folder_that_cannot_be_listed_is_not_an_empty_one(tmp_path: Path) -> None:
    """What cannot be read is never taken for absent, or a new index would replace it."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(IndexCorrupt, match=r"file cannot be read \(.+\); see to"):
        IndexStorage(tmp_path / "file").generations("MAIN")


def test_creating_twice_destroys_nothing(make_index: Callable[..., Path]) -> None:
    """Making an index where one is says so and leaves it alone."""
    folder = make_index([article(0)])
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    with pytest.raises(IndexExists, match="open it instead"):
        store.create(folder, SETTINGS)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_of_many_creators_one_creates(tmp_path: Path) -> None:
    """However many make an index at the same time, one does, and what it adds stays."""
    together = threading.Barrier(6)

    def make(number: int) -> bool:
        together.wait()
        try:
            store.create(tmp_path / "index", SETTINGS)
        except IndexExists:
            return False
        writer.add_articles(store.open_index(tmp_path / "index", SETTINGS), [article(number)], SETTINGS)
        return True

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(make, range(6)))

    assert made.count(True) == 1
    assert stored_ids(store.open_index(tmp_path / "index", SETTINGS)) == [f"n{made.index(True)}"]


def test_two_archives_made_at_the_same_place_are_one(tmp_path: Path) -> None:
    """`create=True` twice before anything is added gives the same archive, unless it is to be made differently."""
    first, second = (LocalArchive(tmp_path / "index", SETTINGS) for _ in range(2))
    store.create(tmp_path / "index", SETTINGS)
    third = LocalArchive(tmp_path / "index", Settings(language="de"))

    second._make()
    first.add([article(1)])
    assert second.count() == 1
    with pytest.raises(SettingsError, match="'de', but the index"):
        third._make()


def test_discarding_leaves_an_index_that_somebody_uses(make_index: Callable[..., Path], tmp_path: Path) -> None:
    """Only an index to which nothing was committed, and which nobody is writing to, is removed."""
    used = make_index([article(0)])
    store.discard(used)
    assert store.exists(used)

    new = make_index()
    writing = store.open_index(new, SETTINGS).writer()
    store.discard(new)
    assert store.exists(new)
    writing.cancel()

    store.discard(new)
    assert not new.exists()


def test_a_lock_on_a_removed_file_keeps_nobody_out(tmp_path: Path) -> None:
    """Of two who wait for the lock of an index that is removed, both do not get it."""
    storage = IndexStorage(tmp_path)
    first = storage.lock("L")
    assert first.acquire()
    late = storage.lock("L")
    assert not late.acquire()
    (tmp_path / "L").unlink()

    second = storage.lock("L")
    assert second.acquire()
    assert not late.acquire()
    first.release()
    second.release()
    assert late.acquire()
    late.release()


@pytest.mark.parametrize("procs", [1, 2])
def test_every_whoosh_writer_is_durable(make_index: Callable[..., Path], procs: int) -> None:
    """Whoosh's own writers, in several processes or in a thread, keep the generation before and leave a checksum."""
    folder = make_index([article(0)])
    index = open_index(folder)
    whoosh_writer = index.writer(procs=procs) if procs > 1 else AsyncWriter(index)
    whoosh_writer.add_document(id="n5", title="x", article=json.dumps({"id": "n5"}))
    whoosh_writer.commit()

    assert index.storage.generations("MAIN") == (2, 1)
    assert b"SKTOC" in (folder / "_MAIN_2.toc").read_bytes()
    assert index.doc_count() == 2
    (folder / "_MAIN_2.toc").write_bytes(b"")
    assert open_index(folder).doc_count() == 1


def test_verify_finds_damage_wherever_it_is(make_index: Callable[..., Path]) -> None:
    """A whole index is in order; with any file damaged the problem names the file."""
    folder = make_index([article(0), article(1)], [article(2)])
    index = open_index(folder)
    found = verify_index(index)
    assert found.ok
    assert (found.articles, found.files) == (3, 1 + len(files_of(index, 2) | files_of(index, 1)))

    whole = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "MAIN_WRITELOCK"}
    for name, data in whole.items():
        (folder / name).write_bytes(data[: len(data) // 2])
        problems = verify_index(index).problems
        assert any(name in problem.file for problem in problems), name
        assert all(problem.reason for problem in problems)
        (folder / name).write_bytes(data)
    assert verify_index(index).ok


def test_verify_finds_an_article_that_is_there_twice(make_index: Callable[..., Path]) -> None:
    """An id that two documents have is a problem, though every file is whole."""
    folder = make_index([article(0)])
    whoosh_writer = open_index(folder).writer()
    whoosh_writer.add_document(id="n0", article={"id": "n0"})
    whoosh_writer.add_document(id="n7", article=[])
    whoosh_writer.commit()

    reasons = [problem.reason for problem in verify_index(open_index(folder)).problems]

    assert len(reasons) == 2
    assert any("'n0' is there twice" in reason for reason in reasons)
    assert any("holds no article" in reason for reason in reasons)


def test_the_command_verify_says_what_is_damaged(make_index: Callable[..., Path]) -> None:
    """Exit code 0 and the counts when all is well, else 1 and the file; with --json the same as data."""
    folder = make_index([article(0)], [article(1)])
    run = CliRunner()

    fine = run.invoke(main, ["verify", "--index", str(folder)])
    assert fine.exit_code == 0
    assert re.fullmatch(r"\d files, 2 articles: nothing is damaged\.\n", fine.stdout)

    (folder / "_MAIN_1.toc").write_bytes(b"")
    damaged = run.invoke(main, ["verify", "--index", str(folder), "--json"])
    data = json.loads(damaged.stdout)
    assert damaged.exit_code == 1
    assert data["ok"] is False
    assert data["problems"][0]["file"] == "_MAIN_1.toc"
    text = run.invoke(main, ["verify", "--index", str(folder)])
    assert (text.exit_code, text.stdout.startswith("_MAIN_1.toc: ")) == (1, True)


def test_an_archive_without_syncing_works_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`durable` false leaves out the waiting for the disk and nothing else."""
    calls = []
    monkeypatch.setattr(os, "fsync", calls.append)
    for durable in (False, True):
        settings = Settings(durable=durable)
        with open_local(str(tmp_path / str(durable)), create=True, settings=settings) as archive:
            archive.add([article(1)])
            assert archive.count() == 1
        assert bool(calls) is durable
    assert searchkit.Settings().durable
