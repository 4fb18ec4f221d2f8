"""A storage whose disk operations can be watched and made to fail, and what tests compare an index with."""

from pathlib import Path
from typing import Any, BinaryIO

from whoosh.filedb.structfile import StructFile
from whoosh.query import Every

from searchkit.article import Article
from searchkit.indexing.generations import ArchiveIndex
from searchkit.indexing.storage import IndexStorage
from searchkit.settings import Settings

SETTINGS = Settings(durable=False)


def article(number: int, body: str = "plasma") -> Article:
    """A small article that says its number."""
    return Article(f"n{number}", f"Article {number}", body, published=f"2020-01-{number % 28 + 1:02}", topics=["News"])


def stored_ids(index: ArchiveIndex) -> list[str]:
    """The ids of all articles, sorted, read through a search, the id column and the stored fields alike."""
    with index.searcher() as searcher:
        found = sorted(hit["article"]["id"] for hit in searcher.search(Every(), limit=None))
        terms = [name for name in found if searcher.document_number(id=name) is not None]
        assert terms == found
        return found


def open_index(folder: Path, storage: IndexStorage | None = None) -> ArchiveIndex:
    """The index in a folder, on a storage of one's own if one likes."""
    return ArchiveIndex(storage or IndexStorage(folder, durable=False), SETTINGS)


class FailingStorage(IndexStorage):
    """Counts the operations that touch the disk, and raises an OSError instead of the one numbered ``failing``."""

    def __init__(self, folder: Path, failing: int = 0) -> None:
        super().__init__(folder)
        self.failing = failing
        self.operations: list[str] = []
        self._handles: list[StructFile] = []

    def create_file(self, name: str, excl: bool = False, mode: str = "wb", **kwargs: Any) -> StructFile:
        """Create, and watch every write."""
        self._step(f"create {name}")
        file = super().create_file(name, excl=excl, mode=mode, **kwargs)
        self._handles.append(file)
        return file

    def open_file(self, name: str, **kwargs: Any) -> StructFile:
        """Open for reading."""
        self._step(f"open {name}")
        return super().open_file(name, **kwargs)

    def release_files(self) -> None:
        """Close what a writer that failed has left open, as the end of its process would."""
        for handle in self._handles:
            handle.raw_file().close()

    def _step(self, what: str) -> None:
        self.operations.append(what)
        if len(self.operations) == self.failing:
            raise OSError(28, f"no space for operation {self.failing}: {what}")

    def _sync(self, file: BinaryIO, name: str) -> None:
        self._step(f"write {name}")
        file.flush()
        self._step(f"sync {name}")

    def _sync_folder(self, folder: Path | None = None) -> None:
        self._step("sync folder")

    def _rename(self, old: str, new: str) -> None:
        self._step(f"rename {old}")
        super()._rename(old, new)

    def _unlink(self, name: str) -> None:
        self._step(f"unlink {name}")
        super()._unlink(name)
