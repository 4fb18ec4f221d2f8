"""A commit is there completely or not at all: when an operation fails, the power goes, or the process is killed."""

import gc
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from indexing_help import SETTINGS, FailingStorage, article, open_index, stored_ids
from whoosh.filedb.structfile import StructFile

from searchkit.errors import ArchiveError, IndexUnwritable
from searchkit.indexing import store, writer
from searchkit.indexing.generations import ArchiveIndex
from searchkit.indexing.storage import IndexStorage
from searchkit.indexing.verify import verify_index

# Whoosh leaves the files of a writer or reader that failed to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

Change = Callable[[ArchiveIndex], object]

CHANGES: dict[str, Change] = {
    "add and replace": lambda index: writer.add_articles(index, [article(1, "changed"), article(9)], SETTINGS),
    "delete": lambda index: writer.delete_articles(index, ["n2"], SETTINGS),
    "merge": lambda index: writer.optimize(index, SETTINGS),
}
AFTER = {
    "add and replace": ["n0", "n1", "n2", "n3", "n9"],
    "delete": ["n0", "n1", "n3"],
    "merge": ["n0", "n1", "n2", "n3"],
}
BEFORE = ["n0", "n1", "n2", "n3"]


@pytest.fixture
def folder(make_index: Callable[..., Path]) -> Path:
    """An index of four articles in two commits."""
    return make_index([article(0), article(1)], [article(2), article(3)])


def generation_files(folder: Path) -> set[str]:
    """The files that the generations in the folder consist of."""
    index = open_index(folder)
    files = {store.SETTINGS_NAME, "MAIN_WRITELOCK"}
    for number in index.storage.generations("MAIN"):
        files.add(f"_MAIN_{number}.toc")
        for segment in index.contents_of(number).segments:
            files.update(segment.list_files(index.storage))
    return files


def attempt(folder: Path, change: Change, failing: int) -> FailingStorage:
    """Try a change during which one operation fails."""
    storage = FailingStorage(folder, failing)
    with suppress(ArchiveError):
        change(open_index(folder, storage))
    gc.collect()  # what the end of a process would do to a writer that has not been closed
    storage.release_files()
    return storage


@pytest.mark.parametrize("name", CHANGES)
def test_an_operation_that_fails_leaves_the_commit_before_or_after(folder: Path, name: str, tmp_path: Path) -> None:
    """Whichever operation of a commit fails, the archive is as before or as after, and the next commit works."""
    outcomes = []
    for failing in count(1):
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        storage = attempt(copy, CHANGES[name], failing)
        index = open_index(copy)

        found = stored_ids(index)
        assert index.damage == (), storage.operations[-1]
        assert found in (BEFORE, AFTER[name]), storage.operations[-1]
        outcomes.append(found == AFTER[name])
        writer.add_articles(index, [article(50)], SETTINGS)
        assert stored_ids(open_index(copy)) == sorted([*found, "n50"])
        assert set(os.listdir(copy)) == generation_files(copy)
        shutil.rmtree(copy)
        if failing > len(storage.operations):
            break

    assert len(outcomes) > 10
    assert outcomes[-1]
    assert name == "merge" or not outcomes[0]


class RecordingStorage(IndexStorage):
    """Remembers everything that is done to the disk, in order."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        super().__init__(folder, durable=durable)
        self.events: list[tuple[str, ...]] = []
        self.contents: list[bytes] = []

    def _sync(self, file: BinaryIO, name: str) -> None:
        file.flush()
        self.contents.append(Path(self.folder, name).read_bytes())
        self.events.append(("write", name, str(len(self.contents) - 1)))
        if self.durable:
            self.events.append(("sync", name))

    def _sync_folder(self, folder: Path | None = None) -> None:
        if self.durable:
            self.events.append(("sync folder",))

    def _rename(self, old: str, new: str) -> None:
        super()._rename(old, new)
        self.events.append(("rename", old, new))

    def _unlink(self, name: str) -> None:
        super()._unlink(name)
        self.events.append(("unlink", name))


class Disk:
    """A disk that keeps, when the power goes, what was synced, and of everything else whatever it likes.

    A file that was not synced may be empty, cut off, or zeros; an entry of the folder that was made, renamed or
    removed since the folder was synced may or may not be.
    """

    def __init__(self, folder: Path) -> None:
        self.data = {name: (folder / name).read_bytes() for name in sorted(os.listdir(folder))}  # by inode
        self.entries = {name: name for name in self.data}  # in memory: name to inode
        self.synced_entries = dict(self.entries)
        self.unsynced_data: set[str] = set()
        self.changes: list[tuple[tuple[str, str | None], ...]] = []

    def apply(self, event: tuple[str, ...], contents: list[bytes]) -> None:
        """Do what a recorded event does."""
        match event:
            case ("write", name, number):
                inode = f"{name} {number}"
                self.data[inode] = contents[int(number)]
                self.unsynced_data.add(inode)
                self._change((name, inode))
            case ("sync", name):
                self.unsynced_data.discard(self.entries[name])
            case ("rename", old, new):
                self._change((new, self.entries[old]), (old, None))
            case ("unlink", name):
                self._change((name, None))
            case ("sync folder",):
                self.synced_entries = dict(self.entries)
                self.changes = []

    def _change(self, *entries: tuple[str, str | None]) -> None:
        self.changes.append(entries)
        _put(self.entries, entries)

    def after_power_cut(self, folder: Path, rng: random.Random) -> None:
        """Write to ``folder`` what is found when the power is back."""
        entries = dict(self.synced_entries)
        survives = rng.choice((0.0, 0.5, 1.0))
        for change in self.changes:
            if rng.random() < survives:
                _put(entries, change)
        for name, inode in entries.items():
            data = self.data[inode]
            if inode in self.unsynced_data:
                data = rng.choice((b"", data[: len(data) // 2], bytes(len(data)), data))
            (folder / name).write_bytes(data)


def _put(entries: dict[str, str], changes: tuple[tuple[str, str | None], ...]) -> None:
    for name, inode in changes:
        if inode is None:
            entries.pop(name, None)
        else:
            entries[name] = inode


def archives_after_power_cuts(folder: Path, scratch: Path, *, durable: bool) -> tuple[int, int, int]:
    """Cut the power at every moment of four commits; how many archives were right, went back, and lost articles."""
    storage = RecordingStorage(folder, durable=durable)
    disk = Disk(folder)
    index = open_index(folder, storage)
    states = [(0, BEFORE)]
    writer.add_articles(index, [article(1, "changed"), article(9)], SETTINGS)
    states.append((len(storage.events), ["n0", "n1", "n2", "n3", "n9"]))
    writer.delete_articles(index, ["n0"], SETTINGS)
    states.append((len(storage.events), ["n1", "n2", "n3", "n9"]))
    writer.optimize(index, SETTINGS)
    states.append((len(storage.events), ["n1", "n2", "n3", "n9"]))
    writer.add_articles(index, [article(10)], SETTINGS)
    states.append((len(storage.events), ["n1", "n10", "n2", "n3", "n9"]))

    rng = random.Random(11)
    right = back = lost = 0
    for moment in range(len(storage.events) + 1):
        acknowledged = max(number for number, (end, _) in enumerate(states) if end <= moment)
        allowed = [ids for _, ids in states[acknowledged : acknowledged + 2]]
        published = moment > 0 and storage.events[moment - 1][-1].endswith(".toc")
        for _ in range(20 if published else 2):
            found_folder = scratch / "found"
            found_folder.mkdir()
            disk.after_power_cut(found_folder, rng)
            try:
                opened = open_index(found_folder)
                back += bool(opened.damage)
                found = stored_ids(opened)
            except ArchiveError:
                found = []
            right += found in allowed
            lost += found not in allowed
            shutil.rmtree(found_folder)
        if moment < len(storage.events):
            disk.apply(storage.events[moment], storage.contents)
    return right, back, lost


def test_a_power_cut_loses_no_commit_that_returned(folder: Path, tmp_path: Path) -> None:
    """Wherever the power goes, the archive opens at the last commit that returned or at the one under way."""
    right, back, lost = archives_after_power_cuts(folder, tmp_path, durable=True)

    assert right > 100
    assert (back, lost) == (0, 0)


def test_the_model_of_a_power_cut_sees_what_is_not_synced(folder: Path, tmp_path: Path) -> None:
    """Without syncing, the same power cuts lose articles: the test above can fail."""
    _, back, lost = archives_after_power_cuts(folder, tmp_path, durable=False)

    assert back > 10
    assert lost > 50


def write_until_killed(folder: Path, first: int, acknowledge: int) -> None:
    """Commit one article after the other, and now and then merge; say on a pipe which have been committed."""
    index = store.open_index(folder, SETTINGS)
    for number in range(first, first + 10_000):
        writer.add_articles(index, [article(number)], SETTINGS)
        os.write(acknowledge, number.to_bytes(4, "little"))
        if number % 5 == 0:
            writer.optimize(index, SETTINGS)


def start_writer(folder: Path, first: int) -> tuple[int, int]:
    """Start a process that writes; its id, and the pipe on which it acknowledges."""
    acknowledged, acknowledge = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.close(acknowledged)
            write_until_killed(folder, first, acknowledge)
        finally:
            os._exit(1)
    os.close(acknowledge)
    return process, acknowledged


def kill(process: int, pipe: int) -> int:
    """Kill the writer; the last number it acknowledged, or -1."""
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    last = -1
    while data := os.read(pipe, 4):
        last = int.from_bytes(data, "little")
    os.close(pipe)
    return last


@pytest.mark.skipif(os.name == "nt", reason="processes are killed by signals")
@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_killed_writers_lose_nothing_that_they_acknowledged(kills: int, make_index: Callable[..., Path]) -> None:
    """After kill -9 at any moment every acknowledged article is there, once, and the archive is in order."""
    folder = make_index()
    rng = random.Random(kills)
    first = 0
    for _ in range(kills):
        process, pipe = start_writer(folder, first)
        begun = -1
        if rng.random() < 0.7:  # on a busy machine few writers would get anywhere
            begun = int.from_bytes(os.read(pipe, 4), "little")
        time.sleep(rng.uniform(0.0, 0.1))
        last = max(kill(process, pipe), begun, first - 1)

        index = store.open_index(folder, SETTINGS)
        assert index.damage == ()
        numbers = sorted(int(name[1:]) for name in stored_ids(index))
        assert numbers in (list(range(last + 1)), list(range(last + 2)))
        first = len(numbers)
    assert first > kills / 2
    assert verify_index(index).ok
    for number in (first, first + 1):
        writer.add_articles(index, [article(number)], SETTINGS)
    assert set(os.listdir(folder)) - {"MAIN.tmp"} == generation_files(folder)


@pytest.mark.skipif(os.name == "nt", reason="processes are killed by signals")
@pytest.mark.parametrize("seconds", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_opening_and_searching_never_fail_during_commits(seconds: int, make_index: Callable[..., Path]) -> None:
    """While another process commits and merges, every opening sees a whole generation, never an older one."""
    folder = make_index([article(0)])
    process, pipe = start_writer(folder, 1)
    opens = seen = 0
    try:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            index = store.open_index(folder, SETTINGS)
            with index.searcher() as searcher:
                total = searcher.doc_count()
                assert searcher.document_number(id=f"n{total - 1}") is not None
            assert index.damage == ()
            assert total >= seen
            assert store.exists(folder)
            assert store.size_bytes(folder) > 0
            seen = total
            opens += 1
    finally:
        last = kill(process, pipe)
    assert opens > 20 * seconds
    assert seen > 3
    assert last + 1 >= seen - 1


class BusyStorage(IndexStorage):
    """Commits twice, as another process would, when a file is about to be opened."""

    def __init__(self, folder: Path, suffix: str) -> None:
        super().__init__(folder)
        self.suffix = suffix

    def open_file(self, name: str, **kwargs: Any) -> StructFile:
        """Open a file that the commits may have removed."""
        if name.endswith(self.suffix):
            self.suffix = "nothing more"
            for number in (20, 21):
                writer.add_articles(store.open_index(Path(self.folder), SETTINGS), [article(number)], SETTINGS)
                writer.optimize(store.open_index(Path(self.folder), SETTINGS), SETTINGS)
        return super().open_file(name, **kwargs)


def test_a_generation_that_vanishes_while_it_is_opened_is_no_damage(folder: Path) -> None:
    """Whichever file commits have removed since the folder was listed, the newer generation opens."""
    suffixes = {"." + name.rsplit(".", 1)[1] for name in os.listdir(folder) if "MAIN" in name and "." in name}
    assert ".toc" in suffixes
    for suffix in suffixes:
        index = open_index(folder, BusyStorage(folder, suffix))

        assert stored_ids(index) == ["n0", "n1", "n2", "n20", "n21", "n3"]
        assert index.damage == ()


def test_a_reader_follows_commits_that_remove_its_files(folder: Path) -> None:
    """A generation that vanishes between its table and its segments is no damage either."""
    storage = BusyStorage(folder, "nothing yet")
    index = open_index(folder, storage)
    storage.suffix = next(
        "." + name.rsplit(".", 1)[1] for name in os.listdir(folder) if name.startswith("MAIN_") and "." in name
    )

    assert stored_ids(index) == ["n0", "n1", "n2", "n20", "n21", "n3"]


def test_a_disk_that_fails_is_said(folder: Path) -> None:
    """Whoever adds articles is told that the disk failed, what to do, and can go on afterwards."""
    storage = FailingStorage(folder)
    index = open_index(folder, storage)
    storage.failing = len(storage.operations) + 8
    with pytest.raises(IndexUnwritable, match=r"no space for operation .+ index again"):
        writer.add_articles(index, [article(9)], SETTINGS)

    writer.add_articles(index, [article(9)], SETTINGS)
    assert stored_ids(index) == [*BEFORE, "n9"]
    storage.release_files()
