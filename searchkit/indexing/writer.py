"""Articles into the index: one atomic commit each for adding and deleting.

Articles are taken in batches; each batch becomes a segment of its own, complete on disk but unknown to readers until a
new table of contents, renamed into place, publishes all of them at once. When anything interrupts the writing,
readers go on seeing the index as it was.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from whoosh.index import TOC, FileIndex, clean_files
from whoosh.util.filelock import try_for

from searchkit.article import Article
from searchkit.codec import ArraySegment
from searchkit.codec.segment import FieldTerms, TermFile
from searchkit.codec.whoosh_codec import open_terms
from searchkit.errors import ArticleError, IndexLocked
from searchkit.indexing.builder import SegmentBuilder
from searchkit.indexing.foreign import converted, find_foreign, is_foreign
from searchkit.indexing.merge import FULL, merge_segments, segments_to_merge
from searchkit.page.model import AddReport
from searchkit.settings import Settings

BATCH_CHARACTERS = 16_000_000
"""Text of a batch: large enough that few segments come of it, small enough to be a hundred megabytes of arrays."""

BATCH_ARTICLES = 20_000

_LOCK_TIMEOUT_SECONDS = 10.0

_OPENED: WeakKeyDictionary[FileIndex, dict[str, TermFile]] = WeakKeyDictionary()
"""The terms of the segments of an index, kept from commit to commit: their files never change.

Only who holds the write lock of the index uses its entry.
"""


def add_articles(
    index: FileIndex, articles: Iterable[Article], settings: Settings, on_progress: Callable[[int], None] | None = None
) -> AddReport:
    """Add articles in one commit; the last of several with one id stays, and replaces the one in the index.

    Raises IndexLocked when another process keeps writing, ArticleError for something that is no article, and
    whatever ``articles`` raises; nothing is added then.
    """
    with _writing(index, settings) as commit:
        builder = commit.builder
        place_of: dict[str, int] = {}
        taken = 0
        for batch, count in _batches(articles, on_progress):
            taken += count
            repeated: dict[int, list[str]] = {}
            for article in batch:
                place = place_of.get(article.id)
                if place is not None:
                    repeated.setdefault(place, []).append(article.id)
                place_of[article.id] = len(commit.added)
            for place, ids in repeated.items():
                commit.delete_from(commit.added[place], ids)
            commit.add(builder.build(batch))
        replaced = commit.delete(list(place_of))
        added = len(place_of) - replaced
        if taken:
            commit.publish()
    return AddReport(added=added, replaced=taken - added)


def delete_articles(index: FileIndex, article_ids: Iterable[str], settings: Settings) -> int:
    """Remove articles in one commit and say how many were there."""
    with _writing(index, settings) as commit:
        deleted = commit.delete(list(dict.fromkeys(article_ids)))
        if deleted:
            commit.publish()
    return deleted


def optimize(index: FileIndex, settings: Settings) -> None:
    """Merge everything into one segment, dropping what was deleted."""
    with _writing(index, settings) as commit:
        commit.merge(list(range(len(commit.segments))))
        commit.publish()


class _Commit:
    """What the next table of contents will say."""

    def __init__(self, index: FileIndex, settings: Settings) -> None:
        toc = index._read_toc()
        self._storage = index.storage
        self._schema = toc.schema
        self._index_name = index.indexname
        self._generation = toc.generation + 1
        self._opened = _OPENED.setdefault(index, {})
        self.builder = SegmentBuilder(index.storage, settings)
        self.segments: list[Any] = list(toc.segments)  # ours, and what another writer of Whoosh's left
        self.added: list[ArraySegment] = []
        self._made: list[ArraySegment] = []
        self._is_published = False

    def add(self, segment: ArraySegment) -> None:
        """Take in a segment that has been built for this commit."""
        self.added.append(segment)
        self._made.append(segment)

    def delete(self, article_ids: Sequence[str]) -> int:
        """Mark articles of the last commit deleted; how many were there."""
        return sum(self.delete_from(segment, article_ids) for segment in self.segments)

    def delete_from(self, segment: Any, article_ids: Sequence[str]) -> int:
        """Mark articles of one segment deleted; how many were there."""
        field = self._ids_of(segment) if isinstance(segment, ArraySegment) else None
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

    def merge(self, chosen: Sequence[int]) -> None:
        """Replace the chosen segments by one, and with them those of other writers that are not full."""
        is_foreign_at = [is_foreign(self._storage, segment) for segment in self.segments]
        taken = {
            index
            for index, segment in enumerate(self.segments)
            if index in chosen or (is_foreign_at[index] and _live_count(segment) < FULL)
        }
        sources = []
        for index in sorted(taken):
            if is_foreign_at[index]:
                sources += self._converted(self.segments[index])
            else:
                sources.append(self.segments[index])
        merged = merge_segments(self._storage, sources) if sources else None
        self.segments = [segment for index, segment in enumerate(self.segments) if index not in taken]
        if merged is not None:
            self._made.append(merged)
            if merged.doc_count_all():
                self.segments.append(merged)

    def _converted(self, segment: Any) -> list[ArraySegment]:
        made = []
        for part in converted(self._storage, self._schema, segment, self.builder):
            self._made.append(part)
            made.append(part)
        return made

    def publish(self) -> None:
        """Write the table of contents, after the merges that keep the number of segments small."""
        self.segments += self.added
        self.segments = [segment for segment in self.segments if _live_count(segment)]
        while chosen := segments_to_merge([_live_count(segment) for segment in self.segments]):
            self.merge(chosen)
        TOC(self._schema, self.segments, self._generation).write(self._storage, self._index_name)
        self._is_published = True
        self._close_all_but({segment.segment_id() for segment in self.segments})
        clean_files(self._storage, self._index_name, self._generation, self.segments)

    def abandon(self) -> None:
        """Remove what was built for a commit that is not to be; does nothing after `publish`."""
        if self._is_published:
            return
        self._close_all_but(set())
        for segment in self._made:
            for name in segment.list_files(self._storage):
                self._storage.delete_file(name)

    def _close_all_but(self, kept: set[str]) -> None:
        for name in self._opened.keys() - kept:
            self._opened.pop(name).close()


@contextmanager
def _writing(index: FileIndex, settings: Settings) -> Iterator[_Commit]:
    lock = index.lock("WRITELOCK")
    if not try_for(lock.acquire, timeout=_LOCK_TIMEOUT_SECONDS, delay=0.05):
        folder = Path(index.storage.folder)
        raise IndexLocked(
            f"another process has been writing to {folder} for {_LOCK_TIMEOUT_SECONDS:.0f} seconds; "
            f"try again when it is done"
        )
    try:
        commit = _Commit(index, settings)
        try:
            yield commit
        finally:
            commit.abandon()  # Ctrl-C too must leave no files behind
    finally:
        lock.release()


def _batches(
    articles: Iterable[Article], on_progress: Callable[[int], None] | None
) -> Iterator[tuple[list[Article], int]]:
    """Batches of articles whose ids differ, the last of each id kept, and how many articles went into each."""
    batch: dict[str, Article] = {}
    characters = count = 0
    for taken, article in enumerate(articles, 1):
        if not isinstance(article, Article):
            raise ArticleError(f"item {taken} is no Article but {type(article).__name__}: {article!r:.80}")
        batch[article.id] = article
        count += 1
        characters += len(article.body) + len(article.title)
        if on_progress is not None:
            on_progress(taken)
        if characters >= BATCH_CHARACTERS or count >= BATCH_ARTICLES:
            yield list(batch.values()), count
            batch = {}
            characters = count = 0
    if batch:
        yield list(batch.values()), count


def _docnums_of(field: FieldTerms, article_ids: list[bytes]) -> list[int]:
    """The docnums of those ids that the segment has."""
    if len(article_ids) * 8 < len(field.terms):
        ordinals = [ordinal for article_id in article_ids if (ordinal := field.terms.find(article_id)) is not None]
        return [int(field.lists.docs(ordinal)[0]) for ordinal in ordinals]
    wanted = set(article_ids)
    docnums = field.lists.docs_of_lists(0, len(field.terms)).tolist()
    terms = field.terms.terms(0, len(field.terms))
    return [docnum for term, docnum in zip(terms, docnums, strict=True) if term in wanted]


def _live_count(segment: Any) -> int:
    return int(segment.doc_count_all() - segment.deleted_count())
