"""The index as its newest generation that can be used.

`ArchiveIndex` is Whoosh's index with one way to read a table of contents: `toc.py` parses it, `segments.py` vets
it, and every file it names must be there and complete. When that fails because a commit has published a newer
generation meanwhile, the newer one is read. When it fails because files are damaged, the generation before it is
taken, which every commit leaves in place, and `damage` says so.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from whoosh.fields import Schema
from whoosh.index import FileIndex
from whoosh.reading import IndexReader

from searchkit.codec import ArrayCodec, ArraySegment
from searchkit.errors import IndexCorrupt, IndexMissing
from searchkit.indexing.schema import INDEX_NAME, archive_schema
from searchkit.indexing.segments import restore_segments, validate_segment
from searchkit.indexing.stock import StockSegment
from searchkit.indexing.storage import IndexStorage
from searchkit.indexing.toc import VERSION, Table, corrupt, read_table
from searchkit.page.model import Problem
from searchkit.settings import Settings

if TYPE_CHECKING:
    from searchkit.indexing.foreign import ConvertedStock

Result = TypeVar("Result")

_MAX_TABLE_BYTES = 1 << 29
_PATIENCE_SECONDS = 30.0  # commits that follow each other this long without a pause, each at the wrong moment
_PAUSE_SECONDS = 0.001
_EMPTY_LISTINGS = 3  # a listing can miss the table that is removed and the one that is added meanwhile


@dataclass(frozen=True, slots=True)
class Contents:
    """What Whoosh wants to know of a generation.

    ``generation`` is the newest number in use, which the next commit follows; ``source`` that of the table the
    segments come from. They differ when ``damage`` says what is wrong with newer ones.
    """

    schema: Schema
    segments: list[ArraySegment]
    generation: int
    source: int
    release: tuple[int, ...]
    damage: tuple[Problem, ...] = ()
    version: int = VERSION
    stock: tuple[StockSegment, ...] = ()
    """Of Whoosh's stock codec: segments of ours made from them in memory are among ``segments``."""
    is_all_stock: bool = False


class ArchiveIndex(FileIndex):  # type: ignore[misc]  # whoosh is untyped
    """Whoosh's index in a folder, for any Whoosh reader, searcher and writer, trusting no file in it."""

    def __init__(self, storage: IndexStorage, settings: Settings, indexname: str = INDEX_NAME) -> None:
        """Find the newest generation that can be used. Raises IndexMissing, or IndexCorrupt when there is none."""
        self.storage = storage
        self._settings = settings
        self._schema = archive_schema(settings)
        self._converted: dict[StockSegment, ConvertedStock] = {}
        self.indexname = indexname
        self._validated: dict[str, tuple[object, ...]] = {}
        self._damage: tuple[Problem, ...] = ()
        self._read_last: tuple[tuple[object, ...], Table] | None = None
        self.newest()

    @property
    def schema(self) -> Schema:
        """The schema that the settings of the archive give."""
        return self._schema

    @property
    def release(self) -> tuple[int, ...]:
        """The version of Whoosh that wrote the generation."""
        return self.newest().release

    @property
    def version(self) -> int:
        """The version of the table of contents."""
        return self.newest().version

    @property
    def damage(self) -> tuple[Problem, ...]:
        """Why the newest generations could not be used when the index was last read; empty when the newest was."""
        return self._damage

    def latest_generation(self) -> int:
        """The newest generation, damaged or not; -1 when there is no index."""
        return next(iter(self.storage.generations(self.indexname)), -1)

    def last_modified(self) -> float:
        """When the newest generation was published, in seconds since 1970."""

        def modified() -> float:
            return float(self.storage.file_modified(table_name(self.indexname, self.latest_generation())))

        return self._despite_commits(modified)

    def is_empty(self) -> bool:
        """Whether there are no segments."""
        return not self.newest().segments

    def reader(self, reuse: IndexReader | None = None) -> IndexReader:
        """A reader of the newest generation. ``reuse`` is left alone: readers that Whoosh reuses miss deletions."""

        def opened() -> IndexReader:
            contents = self.newest()
            return self._reader(self.storage, contents.schema, contents.segments, contents.generation)

        return self._despite_commits(opened)

    def writer(self, procs: int = 1, **options: Any) -> Any:
        """A writer of Whoosh's, which writes segments of our codec."""
        return super().writer(procs, **{"codec": ArrayCodec(), **options})

    def newest(self) -> Contents:
        """The newest generation that can be used. Raises IndexMissing, or IndexCorrupt when there is none."""
        contents = self._despite_commits(self._newest_listed)
        if contents.damage != self._damage and contents.damage:
            import logging  # takes as long as opening the index, and nearly never has something to say

            what = "; ".join(f"{problem.file}: {problem.reason}" for problem in contents.damage)
            log = logging.getLogger("searchkit.indexing")
            log.warning("%s: going back to generation %d, as %s", self.storage.folder, contents.source, what)
        self._damage = contents.damage
        self._forget_all_but(contents.stock)
        return contents

    def contents_of(self, generation: int) -> Contents:
        """What the table of contents of one generation says, vetted.

        Raises IndexCorrupt, FileNotFoundError, IndexTooOld or IndexTooNew.
        """
        name = table_name(self.indexname, generation)
        table = self._table(name)
        if table.generation != generation:
            raise corrupt(name, f"it is of generation {table.generation}")
        listed = restore_segments(table, name, self.indexname)
        stock = tuple(segment for segment in listed if isinstance(segment, StockSegment))
        segments: list[ArraySegment] = []
        for segment in listed:
            segments += self._conversion(segment).segments() if isinstance(segment, StockSegment) else [segment]
        is_all_stock = 0 < len(stock) == len(listed)
        return Contents(
            self._schema, segments, generation, generation, table.release, stock=stock, is_all_stock=is_all_stock
        )

    def _conversion(self, segment: StockSegment) -> "ConvertedStock":
        """What was made of a stock segment, which is kept until the index is without it."""
        if segment not in self._converted:
            from searchkit.indexing.foreign import ConvertedStock  # with all of indexing: opening seldom needs it

            self._converted[segment] = ConvertedStock(self.storage, segment, self._settings)
            self.storage.in_memory |= self._converted[segment].files
        return self._converted[segment]

    def _forget_all_but(self, stock: tuple[StockSegment, ...]) -> None:
        for gone in self._converted.keys() - set(stock):
            for name in self._converted.pop(gone).files:
                del self.storage.in_memory[name]

    def _table(self, name: str) -> Table:
        """The table of contents in a file, the one read last if that is it: opening an archive asks twice."""
        state = (name, *self.storage.file_state(name))
        last = self._read_last
        if last is not None and last[0] == state:
            return last[1]
        if self.storage.file_length(name) > _MAX_TABLE_BYTES:
            raise corrupt(name, "it is too long")
        with self.storage.open_file(name) as file:
            table = read_table(file.read(), name)
        self._read_last = (state, table)
        return table

    def _read_toc(self) -> Contents:
        """What a writer, which has the lock, starts from; it stays until the commit after the writer's."""
        contents = self.newest()
        ids = frozenset(segment.segment_id() for segment in contents.segments)
        self.storage.hold(table_name(self.indexname, contents.source), ids | {one.segment_id for one in contents.stock})
        for segment in contents.stock:  # what the writer lists must be in the folder
            for name, data in self._conversion(segment).files.items():
                self.storage.write_file(name, data)
        return contents

    def _segments(self) -> list[ArraySegment]:
        """What Whoosh asks for where it only reads."""
        return self.newest().segments

    def _newest_listed(self) -> Contents:
        numbers = self._listed()
        damage: list[Problem] = []
        for number in numbers:
            name = table_name(self.indexname, number)
            try:
                found = self.contents_of(number)
                self._validate(found.segments)
            except (IndexCorrupt, FileNotFoundError) as exc:
                if self.storage.generations(self.indexname)[:1] != numbers[:1]:
                    raise FileNotFoundError(name) from exc  # a commit came between
                damage.append(Problem(name, str(exc)))
                continue
            return replace(found, generation=numbers[0], damage=tuple(damage))
        raise IndexCorrupt(f"no generation of the index in {self.storage.folder} can be used: {damage[0].reason}")

    def _listed(self) -> tuple[int, ...]:
        for _ in range(_EMPTY_LISTINGS):
            numbers: tuple[int, ...] = self.storage.generations(self.indexname)
            if numbers:
                return numbers
        raise IndexMissing(f"there is no index in {self.storage.folder!r}; make one with: searchkit index SOURCE...")

    def _despite_commits(self, read: Callable[[], Result]) -> Result:
        """What ``read`` gives, again and again while files vanish because a commit publishes another generation."""
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while True:
            before = self.latest_generation()
            try:
                return read()
            except FileNotFoundError as exc:
                if self.latest_generation() == before or time.monotonic() > give_up:
                    raise IndexCorrupt(
                        f"the index in {self.storage.folder} cannot be opened ({exc}); "
                        f"restore it from a backup or index the articles again into a new folder"
                    ) from exc
                time.sleep(_PAUSE_SECONDS)
            except OSError as exc:  # too many open files, a failing disk: no reason to go back a generation
                raise IndexCorrupt(
                    f"the index in {self.storage.folder} cannot be read at the moment ({exc}); try again when "
                    f"that has been put right"
                ) from exc

    def _validate(self, segments: list[ArraySegment]) -> None:
        """Validate the segments whose files are not as they were when they were validated last."""
        files: dict[str, list[str]] = {segment.segment_id(): [] for segment in segments}
        for name in self.storage.list() if segments else ():
            files.get(name.split(".", 1)[0], []).append(name)
        validated: dict[str, tuple[object, ...]] = {}
        for segment in segments:
            segment_id = segment.segment_id()
            state = tuple((name, *self.storage.file_state(name)) for name in sorted(files[segment_id]))
            if not state or self._validated.get(segment_id) != state:
                validate_segment(self.storage, segment)
            validated[segment_id] = state
        self._validated = validated


def table_name(index_name: str, generation: int) -> str:
    """The name of the file with a generation's table of contents."""
    return f"_{index_name}_{generation}.toc"
