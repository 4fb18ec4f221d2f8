"""The index folder: making it, opening it, and the errors that say what is wrong with it.

A folder holds Whoosh's index (table of contents, segments, lock) and ``searchkit.json`` with the settings and the
analysis it was made with.
"""

import json
import pickle
import time
from contextlib import suppress
from pathlib import Path

from whoosh import index as whoosh_index
from whoosh.filedb.filestore import FileStorage

from searchkit.analysis import ANALYSIS
from searchkit.errors import IndexCorrupt, IndexMissing, IndexTooNew, IndexTooOld
from searchkit.indexing.schema import INDEX_NAME, archive_schema
from searchkit.settings import Settings

SETTINGS_NAME = "searchkit.json"
FORMAT_VERSION = 1

_OPENING_ATTEMPTS = 20
_PAUSE_SECONDS = 0.02


def exists(folder: Path) -> bool:
    """Whether there is an index in ``folder``."""
    return folder.is_dir() and whoosh_index.TOC._latest_generation(FileStorage(str(folder)), INDEX_NAME) >= 0


def create(folder: Path, settings: Settings) -> None:
    """Make an empty index in ``folder``, which may exist but must not hold an index.

    Raises IndexCorrupt where the folder's path is a file or cannot be written.
    """
    if exists(folder):
        raise IndexCorrupt(f"there is an index in {folder} already; open it instead of making a new one")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made_with = {"format": FORMAT_VERSION, "analysis": ANALYSIS, "settings": settings.shaping()}
        (folder / SETTINGS_NAME).write_text(json.dumps(made_with, indent=1) + "\n", encoding="utf-8")
    except OSError as exc:
        raise IndexCorrupt(f"no index can be made in {folder}: {exc}; choose another folder with --index") from exc
    whoosh_index.FileIndex.create(FileStorage(str(folder)), archive_schema(settings), INDEX_NAME)


def discard(folder: Path) -> None:
    """Remove an index without articles and what an interrupted run left of it, and the folder if that was all."""
    prefixes = (f"_{INDEX_NAME}_", f"{INDEX_NAME}_", f"{INDEX_NAME}.")
    for path in folder.iterdir():
        if path.is_file() and (path.name.startswith(prefixes) or path.name == SETTINGS_NAME):
            path.unlink()
    with suppress(OSError):  # something else lives in the folder
        folder.rmdir()


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


def open_index(folder: Path, settings: Settings) -> whoosh_index.FileIndex:
    """The Whoosh index in ``folder``. Waits out a commit of another process; raises IndexCorrupt when damaged."""
    failure: Exception | None = None
    for _ in range(_OPENING_ATTEMPTS):
        try:
            return whoosh_index.FileIndex(FileStorage(str(folder)), archive_schema(settings), INDEX_NAME)
        except (FileNotFoundError, whoosh_index.EmptyIndexError) as exc:
            failure = exc  # a commit replaced the table of contents between listing the folder and opening it
            time.sleep(_PAUSE_SECONDS)
        except (
            whoosh_index.IndexError,
            pickle.UnpicklingError,
            OSError,
            EOFError,
            TypeError,
            ValueError,
        ) as exc:
            failure = exc
            break
    raise IndexCorrupt(
        f"the index in {folder} cannot be opened ({failure}); index the articles again into a new folder"
    ) from failure


def size_bytes(folder: Path) -> int:
    """The size of all files in the folder."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
