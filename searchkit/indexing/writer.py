"""Articles into the index: one atomic commit each for adding and deleting.

Articles are taken in batches; each batch becomes a segment of its own, complete on disk but unknown to readers until a
new table of contents, renamed into place, publishes all of them at once. When anything interrupts the writing,
readers go on seeing the index as it was. `IndexStorage` makes commits durable.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakKeyDictionary

from whoosh.index import TOC, FileIndex, clean_files
from whoosh.util.filelock import try_for

from searchkit.article import Article
from searchkit.codec import ArraySegment
from searchkit.codec.segment import FieldTerms, TermFile
from searchkit.codec.whoosh_codec import open_terms
from searchkit.errors import IndexLocked
from searchkit.indexing.added_ids import AddedIds
from searchkit.indexing.batches import BatchLimits, Intake
from searchkit.indexing.builder import SegmentBuilder
from searchkit.indexing.foreign import converted, find_foreign, is_foreign
from searchkit.indexing.merge import merge_segments
from searchkit.indexing.policy import AT_ONCE, segments_to_merge
from searchkit.indexing.schema import INDEX_NAME
from searchkit.indexing.storage import disk_failures
from searchkit.indexing.workers import SegmentBuilders, worker_count
from searchkit.page.model import AddReport
from searchkit.settings import Settings

_LOCK_TIMEOUT_SECONDS = 10.0

_IDS_AT_ONCE = 250_000
"""Ids of added articles that are held until the ones they replace are looked for."""

_OPENED: WeakKeyDictionary[FileIndex, dict[str, TermFile]] = WeakKeyDictionary()
"""The terms of the segments of an index, kept from commit to commit: their files never change.

Only who holds the write lock of the index uses its entry.
"""


def add_articles(
    index: FileIndex,
    articles: Iterable[Article],
    settings: Settings,
    on_progress: Callable[[int], None] | None = None,
    *,
    workers: int | None = None,
    limits: BatchLimits = BatchLimits(),  # noqa: B008 - immutable
) -> AddReport:
    """Add articles in one commit; the last of several with one id stays, and replaces the one in the index.

    Articles beyond the first few thousand are indexed in ``workers`` processes, None for as many as there are cores;
    those of an `UnreadArticles` are read there, too.

    Raises IndexLocked when another process keeps writing, IndexUnwritable when the disk is full or fails, ArchiveError
    when a worker process is killed, and whatever ``articles`` raises; nothing is added then.
    """
    intake = Intake(articles, on_progress)
    added_ids = AddedIds()
    waiting: dict[str, None] = {}  # ids that the segments from before have not been searched for yet
    added = 0
    with _writing(index, settings, workers) as commit:
        with SegmentBuilders(index.storage, settings, workers, limits) as builders:
            for pieces, built in builders.build(intake.items(), commit.new_segment):
                intake.note(pieces)
                for segment, ids in built:
                    added += len(ids)
                    commit.added.append(segment)
                    with disk_failures(index.storage):
                        for place, replaced in added_ids.add(ids, len(commit.added) - 1).items():
                            added -= commit.delete_from(commit.added[place], replaced)
                        if commit.segments:
                            waiting.update(dict.fromkeys(ids))
                        if len(waiting) >= _IDS_AT_ONCE:
                            added -= commit.delete(list(waiting))
                            waiting.clear()
        intake.finish()
        with disk_failures(index.storage):
            added -= commit.delete(list(waiting))
            if commit.added:
                commit.publish()
    return AddReport(added=added, replaced=intake.taken - added)


def delete_articles(index: FileIndex, article_ids: Iterable[str], settings: Settings) -> int:
    """Remove articles in one commit and say how many were there."""
    with _writing(index, settings) as commit, disk_failures(index.storage):
        deleted = commit.delete(list(dict.fromkeys(article_ids)))
        if deleted:
            commit.publish()
    return deleted


def optimize(index: FileIndex, settings: Settings) -> None:
    """Merge everything into one segment, dropping what was deleted; the commit after this one frees its room."""
    with _writing(index, settings) as commit, disk_failures(index.storage):
        commit.merge(commit.segments)
        commit.publish()


class _Commit:
    """What the next table of contents will say."""

    def __init__(self, index: FileIndex, settings: Settings, workers: int | None) -> None:
        toc = index._read_toc()
        self._processes = worker_count(workers)
        self._latest_generation = index.latest_generation
        self._storage = index.storage
        self._schema = toc.schema
        self._index_name = index.indexname
        self._generation = toc.generation + 1
        self._opened = _OPENED.setdefault(index, {})
        self._settings = settings
        self.segments: list[ArraySegment] = list(toc.segments)
        self.added: list[ArraySegment] = []
        self._made: list[ArraySegment] = []

    def new_segment(self) -> ArraySegment:
        """A segment for this commit, to be built and then added: its files go when the commit is abandoned."""
        segment = ArraySegment(INDEX_NAME)
        self._made.append(segment)
        return segment

    def delete(self, article_ids: Sequence[str]) -> int:
        """Mark articles of the last commit deleted; how many were there."""
        return sum(self.delete_from(segment, article_ids) for segment in self.segments)

    def delete_from(self, segment: ArraySegment, article_ids: Sequence[str]) -> int:
        """Mark articles of one segment deleted; how many were there."""
        field = self._ids_of(segment)
        if field is not None and len(field.terms) == field.lists.posting_count:
            docnums = _docnums_of(field, [article_id.encode() for article_id in article_ids])
        else:
            docnums = find_foreign(self._storage, self._schema, segment, article_ids)
        found = [docnum for docnum in docnums if not segment.is_deleted(docnum)]
        for docnum in found:
            segment.delete_document(docnum)
        return len(found)

    def _ids_of(self, segment: ArraySegment) -> FieldTerms | None:
        name = segment.segment_id()
        if name not in self._opened:
            self._opened[name] = open_terms(self._storage, segment)
        return self._opened[name].field("id")

    def merge(self, chosen: Sequence[ArraySegment]) -> None:
        """Replace the chosen segments by one, and with them those of other writers that are not too large."""
        foreign = [segment for segment in self.segments if is_foreign(self._storage, segment)]
        taken = [*chosen, *(one for one in foreign if one not in chosen and _live_count(one) <= AT_ONCE)]
        sources = []
        for segment in taken:
            sources += self._converted(segment) if segment in foreign else [segment]
        merged = merge_segments(self._storage, sources, self._processes) if sources else None
        self.segments = [segment for segment in self.segments if segment not in taken]
        if merged is not None:
            self._made.append(merged)
            if merged.doc_count_all():
                self.segments.append(merged)

    def _converted(self, segment: ArraySegment) -> list[ArraySegment]:
        made = []
        builder = SegmentBuilder(self._storage, self._settings)
        for part in converted(self._storage, self._schema, segment, builder):
            self._made.append(part)
            made.append(part)
        return made

    def publish(self) -> None:
        """Write the table of contents, after the merges that keep the number of segments small."""
        self.segments += self.added
        self.segments = [segment for segment in self.segments if _live_count(segment)]
        sizes = [_live_count(segment) for segment in self.segments]
        added = sum(_live_count(segment) for segment in self.added)
        for group in [[self.segments[index] for index in group] for group in segments_to_merge(sizes, added)]:
            self.merge(group)
        TOC(self._schema, self.segments, self._generation).write(self._storage, self._index_name)
        self._close_all_but({segment.segment_id() for segment in self.segments})
        clean_files(self._storage, self._index_name, self._generation, self.segments)

    def abandon(self) -> None:
        """Remove what was built for a commit that is not to be.

        Does nothing once the table of contents is there, even if what comes after it failed.
        """
        if self._generation <= self._latest_generation():
            return
        self._close_all_but(set())
        for segment in self._made:
            for name in segment.list_files(self._storage):
                self._storage.delete_file(name)

    def _close_all_but(self, kept: set[str]) -> None:
        for name in self._opened.keys() - kept:
            self._opened.pop(name).close()


@contextmanager
def _writing(index: FileIndex, settings: Settings, workers: int | None = None) -> Iterator[_Commit]:
    with disk_failures(index.storage):
        lock = index.lock("WRITELOCK")
        is_mine = try_for(lock.acquire, timeout=_LOCK_TIMEOUT_SECONDS, delay=0.05)
    if not is_mine:
        folder = Path(index.storage.folder)
        raise IndexLocked(
            f"another process has been writing to {folder} for {_LOCK_TIMEOUT_SECONDS:.0f} seconds; "
            f"try again when it is done"
        )
    try:
        with disk_failures(index.storage):
            commit = _Commit(index, settings, workers)
        try:
            yield commit
        finally:
            commit.abandon()  # Ctrl-C too must leave no files behind
    finally:
        lock.release()


def _docnums_of(field: FieldTerms, article_ids: list[bytes]) -> list[int]:
    """The docnums of those ids that the segment has."""
    if len(article_ids) * 8 < len(field.terms):
        ordinals = [ordinal for article_id in article_ids if (ordinal := field.terms.find(article_id)) is not None]
        return [int(field.lists.docs(ordinal)[0]) for ordinal in ordinals]
    wanted = set(article_ids)
    docnums = field.lists.docs_of_lists(0, len(field.terms)).tolist()
    terms = field.terms.terms(0, len(field.terms))
    return [docnum for term, docnum in zip(terms, docnums, strict=True) if term in wanted]


def _live_count(segment: ArraySegment) -> int:
    return segment.doc_count_all() - segment.deleted_count()
