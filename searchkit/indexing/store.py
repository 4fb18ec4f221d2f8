"""The index folder: making it, opening it, and the errors that say what is wrong with it.

A folder holds Whoosh's index (table of contents, segments, lock) and ``searchkit.json`` with the settings and the
analysis it was made with.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from whoosh.index import TOC

from searchkit.analysis import ANALYSIS
from searchkit.errors import IndexCorrupt, IndexExists, IndexLocked, IndexMissing, IndexTooNew, IndexTooOld
from searchkit.indexing.generations import ArchiveIndex
from searchkit.indexing.schema import INDEX_NAME, archive_schema
from searchkit.indexing.storage import IndexStorage, disk_failures
from searchkit.settings import Settings

SETTINGS_NAME = "searchkit.json"
FORMAT_VERSION = 1

_LOCK_NAME = f"{INDEX_NAME}_WRITELOCK"  # the one that Whoosh's writers take
_LOCK_TIMEOUT_SECONDS = 10.0
_PAUSE_SECONDS = 0.02


def exists(folder: Path) -> bool:
    """Whether there is an index in ``folder``."""
    return folder.is_dir() and bool(IndexStorage(folder).generations(INDEX_NAME))


def create(folder: Path, settings: Settings) -> None:
    """Make an empty index in ``folder``, which may exist but must not hold an index, not even a damaged one.

    Raises IndexExists when it does, also when another process makes one at the same time, and IndexCorrupt where
    the folder's path is a file or cannot be written.
    """
    storage = IndexStorage(folder, durable=settings.durable)
    try:
        storage.make_folder()
        with _locked(storage):
            if storage.generations(INDEX_NAME):
                raise IndexExists(f"there is an index in {folder} already; open it instead of making a new one")
            _write_settings(storage, settings)
            TOC(archive_schema(settings), [], 0).write(storage, INDEX_NAME)
    except OSError as exc:
        raise IndexCorrupt(f"no index can be made in {folder}: {exc}; choose another folder with --index") from exc


def _write_settings(storage: IndexStorage, settings: Settings) -> None:
    made_with = {"format": FORMAT_VERSION, "analysis": ANALYSIS, "settings": settings.shaping()}
    storage.write_file(SETTINGS_NAME, (json.dumps(made_with, indent=1) + "\n").encode())


def adopt(folder: Path, settings: Settings) -> None:
    """Give an index that stock Whoosh made of articles the settings that it lacks; does nothing with any other.

    All of it is made anew from the stored articles, so that any settings will do. Raises IndexLocked, and
    IndexUnwritable when the settings cannot be written.
    """
    if not exists(folder) or (folder / SETTINGS_NAME).exists():
        return
    with suppress(IndexCorrupt):  # no index of articles: `made_with` says so
        index = open_index(folder, settings)
        if index.newest().is_all_stock:
            with disk_failures(index.storage), _locked(index.storage):
                _write_settings(index.storage, settings)


def discard(folder: Path) -> None:
    """Remove an index to which nothing was ever committed, what an interrupted run left of it, and an empty folder.

    Does nothing when the index has been written to, or is being written to.
    """
    storage = IndexStorage(folder)
    lock = storage.lock(_LOCK_NAME)
    if not lock.acquire():
        return
    try:
        if storage.generations(INDEX_NAME) != (0,):
            return
        prefixes = (f"_{INDEX_NAME}_", f"{INDEX_NAME}_", f"{INDEX_NAME}.", SETTINGS_NAME)
        for path in sorted(folder.iterdir()):  # the table of contents first: without it nothing is an index
            if path.is_file() and path.name.startswith(prefixes):
                path.unlink()
        with suppress(OSError):  # something else lives in the folder
            folder.rmdir()
    finally:
        lock.release()


@contextmanager
def _locked(storage: IndexStorage) -> Iterator[None]:
    """Hold the lock of Whoosh's writers. Raises IndexLocked when another process keeps it."""
    lock = storage.lock(_LOCK_NAME)
    give_up = time.monotonic() + _LOCK_TIMEOUT_SECONDS
    while not lock.acquire():
        if time.monotonic() > give_up:
            raise IndexLocked(f"another process is writing to {storage.folder}; try again when it is done")
        time.sleep(_PAUSE_SECONDS)
    try:
        yield
    finally:
        lock.release()


def made_with(folder: Path) -> dict[str, object]:
    """The settings that the index in ``folder`` was made with.

    Raises IndexMissing, IndexTooOld, IndexTooNew or IndexCorrupt.
    """
    if not exists(folder):
        raise IndexMissing(
            f"there is no index in {str(folder)!r}; make one with: searchkit index SOURCE... --index {folder}"
        )
    path = folder / SETTINGS_NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        version, analysis, settings = data["format"], data["analysis"], dict(data["settings"])
    except FileNotFoundError as exc:
        raise IndexCorrupt(
            f"{folder} holds a Whoosh index that searchkit did not make ({SETTINGS_NAME} is missing); "
            f"index the articles into another folder"
        ) from exc
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise IndexCorrupt(f"{path} is damaged ({exc}); index the articles again into a new folder") from exc
    if version != FORMAT_VERSION or analysis != ANALYSIS:
        _refuse_version(folder, version, analysis)
    return settings


def _refuse_version(folder: Path, version: object, analysis: object) -> None:
    is_newer = isinstance(version, int) and version > FORMAT_VERSION
    error = IndexTooNew if is_newer else IndexTooOld
    step = "update searchkit" if is_newer else "index the articles again into a new folder"
    raise error(
        f"the index in {folder} has format {version!r} with analysis {analysis!r}, this version reads format "
        f"{FORMAT_VERSION} with analysis {ANALYSIS!r}; {step}"
    )


def open_index(folder: Path, settings: Settings) -> ArchiveIndex:
    """The Whoosh index in ``folder``, at the newest generation that can be used.

    Raises IndexMissing where there is none, and IndexCorrupt, IndexTooOld or IndexTooNew when none can be used.
    """
    return ArchiveIndex(IndexStorage(folder, durable=settings.durable), settings)


def size_bytes(folder: Path) -> int:
    """The size of all files in the folder."""
    size = 0
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # a commit removes files meanwhile
            size += path.stat().st_size if path.is_file() else 0
    return size
