"""Finding the files of a source: one file, or a folder and everything below it in sorted order.

Hidden files and folders, files of other kinds, and a README without front matter (it is about the folder) are
passed over silently. A file that several names or arguments lead to is read once, so links that go in circles
end.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from unicodedata import normalize

from searchkit.sources.reading import Place, Skipped


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read: its path, the path that ids are made of, and its size in bytes."""

    path: str
    relative: str
    size: int

    @property
    def article_id(self) -> str:
        """The path below the source folder without extension, the same on every system."""
        return normalize("NFC", shown(os.path.splitext(self.relative)[0].replace(os.sep, "/")))


def source_files(
    path: str, endings: tuple[str, ...], seen: set[tuple[int, int]], *, kinds: str
) -> Iterator[SourceFile | Skipped]:
    """The files below ``path`` whose names end in one of ``endings``, or what is wrong.

    ``seen`` has the device and number of what was met before and is added to. ``kinds`` says in words what is
    read.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        target = "is a link to something that does not exist" if os.path.islink(path) else "does not exist"
        yield Skipped(Place(shown(path)), f"{target}; check the path")
        return
    except (OSError, ValueError) as exc:
        yield Skipped(Place(shown(path)), unreadable(exc))
        return
    if stat.S_ISDIR(status.st_mode):
        yield from _below(path, endings, seen, kinds)
    elif not path.lower().endswith(endings):
        advice = (
            "; write one article a line: jq -c '.[]' FILE.json > FILE.jsonl" if path.lower().endswith(".json") else ""
        )
        yield Skipped(Place(shown(path)), f"is not of a kind that is read: {kinds}{advice}")
    else:
        yield from _unless_seen(path, os.path.basename(path), status, seen)


def unreadable(error: OSError | ValueError) -> str:
    """The reason given for a file or folder that the system does not let us read."""
    described = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"cannot be read: {described[:1].lower()}{described[1:]}"


def shown(path: str) -> str:
    """A path as text that can be written anywhere: bytes of a file name that are not UTF-8 become U+FFFD."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "replace")


def _below(
    folder: str, endings: tuple[str, ...], seen: set[tuple[int, int]], kinds: str
) -> Iterator[SourceFile | Skipped]:
    is_met = False
    waiting = [folder]  # a stack instead of recursion: folders may nest deeper than Python does
    while waiting:
        path = waiting.pop()
        is_of_kind = path != folder and path.lower().endswith(endings)
        try:
            status = os.stat(path)
            if stat.S_ISDIR(status.st_mode):
                if _is_new(status, seen):
                    names = sorted((name for name in os.listdir(path) if not name.startswith(".")), reverse=True)
                    waiting += (os.path.join(path, name) for name in names)
                else:
                    is_met = True
            elif is_of_kind and not _is_plain_readme(path):
                is_met = True
                yield from _unless_seen(path, os.path.relpath(path, folder), status, seen)
        except OSError as exc:
            if is_of_kind or not isinstance(exc, FileNotFoundError):
                is_met = True
                yield Skipped(Place(shown(path)), unreadable(exc))
    if not is_met:
        yield Skipped(Place(shown(folder)), f"holds nothing of a kind that is read: {kinds}")


def _unless_seen(
    path: str, relative: str, status: os.stat_result, seen: set[tuple[int, int]]
) -> Iterator[SourceFile | Skipped]:
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
        yield Skipped(Place(shown(path)), "is not an ordinary file")
    elif _is_new(status, seen):
        yield SourceFile(path, relative, status.st_size)


def _is_new(status: os.stat_result, seen: set[tuple[int, int]]) -> bool:
    identity = (status.st_dev, status.st_ino)
    is_new = identity not in seen
    seen.add(identity)
    return is_new


def _is_plain_readme(path: str) -> bool:
    name = PurePath(path)
    if name.stem.lower() != "readme" or name.suffix.lower() not in (".md", ".markdown"):
        return False
    with open(path, "rb") as stream:
        return not stream.read(6).removeprefix(b"\xef\xbb\xbf").startswith(b"---")
