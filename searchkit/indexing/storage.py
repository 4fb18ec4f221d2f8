"""The files of an index in a folder, written so that a commit that returned survives a power cut.

Whoosh writes the files of a segment, then a table of contents under a temporary name, renames that, and removes
what it no longer needs. Here every file is synced when it is closed; the folder is synced before the rename, so
that no table names files that are not on disk, and after it, so that nothing is removed before the new table is
on disk. What an earlier writer that was killed has left goes at the next commit.

The files of the generation that a commit started from are held back from removal until the commit after: there
is always one to fall back to, and a reader has that long to open what it has seen. The price is disk space: what
a commit deletes, replaces or merges is freed by the next one.
"""

import builtins
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from whoosh.filedb.filestore import FileStorage
from whoosh.filedb.structfile import StructFile
from whoosh.util.filelock import FileLock

from searchkit.errors import IndexCorrupt, IndexUnwritable
from searchkit.indexing.toc import with_checksum

_TABLE = re.compile(r"_(?P<index>.+)_(?P<generation>0|[1-9][0-9]*)\.toc(?P<temporary>\..+)?", re.DOTALL)


@contextmanager
def disk_failures(storage: FileStorage) -> Iterator[None]:
    """Turns what goes wrong with the disk while something is written into IndexUnwritable."""
    try:
        yield
    except OSError as exc:
        raise IndexUnwritable(
            f"writing to {storage.folder} failed ({exc}); when that has been put right, index again: "
            f"what did arrive is replaced"
        ) from exc


class IndexStorage(FileStorage):  # type: ignore[misc]  # whoosh is untyped
    """A folder as Whoosh's storage, with durable commits.

    Every Whoosh writer on it is durable: the order is made here, where files are closed, renamed and removed.
    ``durable=False`` leaves out the syncing and nothing else, for tests and benchmarks.
    """

    def __init__(self, folder: str | os.PathLike[str], *, durable: bool = True) -> None:
        super().__init__(os.fspath(folder))
        self.durable = durable
        self._held_table = ""
        self._held_segments: frozenset[str] = frozenset()
        self.in_memory: dict[str, bytes] = {}
        """Files that are opened by their name like those in the folder: segments made anew from stock ones."""

    def generations(self, index_name: str) -> tuple[int, ...]:
        """The numbers of the generations that have a table of contents, newest first.

        Raises IndexCorrupt for a folder that cannot be read: what is in it is not known, so it is not missing.
        """
        try:
            tables = [_TABLE.fullmatch(name) for name in self.list()]
        except OSError as exc:
            raise IndexCorrupt(f"{self.folder} cannot be read ({exc}); see to its permissions and its disk") from exc
        numbers = (int(m["generation"]) for m in tables if m and m["index"] == index_name and not m["temporary"])
        return tuple(sorted(numbers, reverse=True))

    def file_state(self, name: str) -> tuple[int, int, int]:
        """Size, time of the last change and inode: another state means that the file is another."""
        state = os.stat(self._fpath(name))
        return state.st_size, state.st_mtime_ns, state.st_ino

    def hold(self, table: str, segment_ids: frozenset[str]) -> None:
        """Keep the file ``table`` and the files of these segments from being deleted, and no others."""
        self._held_table = table
        self._held_segments = segment_ids

    def list(self) -> builtins.list[str]:
        """The names in the folder; none when there is no folder. Raises OSError when it cannot be read."""
        try:
            return os.listdir(self.folder)
        except FileNotFoundError:
            return []  # Whoosh's own list is also empty for a folder that cannot be read at the moment

    def open_file(self, name: str, **kwargs: Any) -> StructFile:
        """A file for reading. Raises FileNotFoundError."""
        data = self.in_memory.get(name)
        return super().open_file(name, **kwargs) if data is None else StructFile(BytesIO(data), name=name)

    def create_file(self, name: str, excl: bool = False, mode: str = "wb", **kwargs: Any) -> StructFile:
        """A new file, which is on disk when it has been closed; a table of contents gets its checksum then."""
        if _TABLE.fullmatch(name):
            return StructFile(BytesIO(), name=name, onclose=self._write_table)
        file: StructFile = super().create_file(name, excl=excl, mode=mode, **kwargs)
        file.onclose = self._finish
        return file

    def write_file(self, name: str, data: bytes) -> None:
        """Write a whole file, durably; until it is there under its name, what had the name before stays."""
        temporary = f"{name}.tmp"
        with self.create_file(temporary) as file:
            file.write(data)
        self._rename(temporary, name)
        self._sync_folder()

    def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
        """Rename a file; under the name of a table of contents this publishes a generation, durably.

        Raises FileExistsError when ``safe`` and there is a file of the new name.
        """
        if safe and self.file_exists(newname):
            raise FileExistsError(f"there is a file {newname} in {self.folder} already")
        if _TABLE.fullmatch(newname):
            self._sync_folder()
            self._rename(oldname, newname)
            self._sync_folder()
            self._remove_temporary_tables()
        else:
            self._rename(oldname, newname)

    def delete_file(self, name: str) -> None:
        """Remove a file, unless it is held."""
        if name != self._held_table and name.split(".", 1)[0] not in self._held_segments:
            self._unlink(name)

    def lock(self, name: str) -> "FolderLock":
        """A lock that belongs to whoever acquired it until it is released or its process ends."""
        return FolderLock(self._fpath(name))

    def make_folder(self) -> None:
        """Make the folder, durably, where there is none."""
        folder = Path(os.path.abspath(self.folder))
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for path in reversed(missing):
            self._sync_folder(path.parent)

    def _write_table(self, table: StructFile) -> None:
        with StructFile(open(self._fpath(str(table)), "wb"), name=str(table), onclose=self._finish) as file:
            file.write(with_checksum(table.raw_file().getvalue()))

    def _remove_temporary_tables(self) -> None:
        for name in self.list():
            match = _TABLE.fullmatch(name)
            if match and match["temporary"]:
                try:
                    self._unlink(name)
                except OSError:  # the commit is done, and the next one tries again
                    continue

    def _finish(self, file: StructFile) -> None:
        try:
            self._sync(file.raw_file(), str(file))
        except BaseException:
            file.raw_file().close()
            raise

    # What touches the disk: everything above goes through these.

    def _sync(self, file: BinaryIO, name: str) -> None:
        file.flush()
        if self.durable:
            os.fsync(file.fileno())

    def _sync_folder(self, folder: Path | None = None) -> None:
        if self.durable and os.name != "nt":  # where folders cannot be synced, and renaming is journaled
            descriptor = os.open(folder or self.folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _rename(self, old: str, new: str) -> None:
        os.replace(self._fpath(old), self._fpath(new))

    def _unlink(self, name: str) -> None:
        os.remove(self._fpath(name))


class FolderLock(FileLock):  # type: ignore[misc]
    """Whoosh's lock on a file, for a file that can be removed with the index while somebody waits for the lock."""

    def acquire(self, blocking: bool = False) -> bool:
        """Try to get the lock; False when somebody else has it."""
        while super().acquire(blocking):
            try:
                if os.path.samestat(os.fstat(self.fd), os.stat(self.filename)):
                    return True
            except FileNotFoundError:
                pass  # removed since it was opened: a lock on it keeps nobody out
            self.release()
        return False
