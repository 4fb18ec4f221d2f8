"""Articles into the index: one atomic commit each for adding and deleting.

Whoosh publishes a commit by renaming a new table of contents into place: until then readers see the index as it
was, and when anything interrupts the writing, they go on seeing it. `IndexStorage` makes that durable.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from whoosh.index import FileIndex, LockError
from whoosh.writing import SegmentWriter

from searchkit.article import Article
from searchkit.dates import ArchiveCalendar
from searchkit.errors import ArticleError, IndexLocked, IndexUnwritable
from searchkit.indexing.schema import index_fields
from searchkit.page.model import AddReport
from searchkit.settings import Settings

_LOCK_TIMEOUT_SECONDS = 10.0


def add_articles(
    index: FileIndex,
    articles: Iterable[Article],
    settings: Settings,
    on_progress: Callable[[int], None] | None = None,
) -> AddReport:
    """Add articles in one commit; the last of several with one id stays, and replaces the one in the index.

    Raises IndexLocked when another process keeps writing, IndexUnwritable when the disk is full or fails,
    ArticleError for something that is no article, and whatever ``articles`` raises; nothing is added then.
    """
    calendar = ArchiveCalendar.of(settings.time_zone)
    writer = _writer(index)
    try:
        docnums: dict[str, int] = {}
        superseded: list[int] = []
        for taken, article in enumerate(articles, 1):
            if not isinstance(article, Article):
                raise ArticleError(f"item {taken} is no Article but {type(article).__name__}: {article!r:.80}")
            earlier = docnums.get(article.id)
            if earlier is not None:
                superseded.append(earlier)
            docnums[article.id] = writer.docnum
            with _disk_failures(index):
                writer.add_document(**index_fields(article, settings, calendar))
            if on_progress is not None:
                on_progress(taken)
        with _disk_failures(index):
            replaced = _delete_ids(index, writer, docnums)
        for docnum in superseded:
            writer.newsegment.delete_document(docnum)
    except BaseException:  # Ctrl-C too must leave the index as it was, and unlocked
        writer.cancel()
        raise
    if docnums:
        with _disk_failures(index):
            writer.commit()
    else:
        writer.cancel()
    return AddReport(added=len(docnums) - len(replaced), replaced=len(replaced) + len(superseded))


def delete_articles(index: FileIndex, article_ids: Iterable[str]) -> int:
    """Remove articles in one commit and say how many were there."""
    writer = _writer(index)
    try:
        deleted = _delete_ids(index, writer, article_ids)
    except BaseException:
        writer.cancel()
        raise
    if deleted:
        with _disk_failures(index):
            writer.commit()
    else:
        writer.cancel()
    return len(deleted)


def optimize(index: FileIndex) -> None:
    """Merge everything into one segment, dropping what was deleted; the commit after this one frees its room."""
    with _disk_failures(index):
        _writer(index).commit(optimize=True)


def _writer(index: FileIndex) -> SegmentWriter:
    try:
        with _disk_failures(index):
            return index.writer(timeout=_LOCK_TIMEOUT_SECONDS, limitmb=256)
    except LockError as exc:
        folder = Path(index.storage.folder)
        raise IndexLocked(
            f"another process has been writing to {folder} for {_LOCK_TIMEOUT_SECONDS:.0f} seconds; "
            f"try again when it is done"
        ) from exc


@contextmanager
def _disk_failures(index: FileIndex) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise IndexUnwritable(
            f"writing to {index.storage.folder} failed ({exc}); when that has been put right, index again: "
            f"what did arrive is replaced"
        ) from exc


def _delete_ids(index: FileIndex, writer: SegmentWriter, article_ids: Iterable[str]) -> set[str]:
    """Mark the articles of the last commit with these ids deleted; the ids that were there."""
    deleted = set()
    with index.reader() as reader:
        for article_id in article_ids:
            if ("id", article_id.encode()) not in reader:
                continue
            matcher = reader.postings("id", article_id.encode())
            while matcher.is_active():
                writer.delete_document(matcher.id())
                deleted.add(article_id)
                matcher.next()
    return deleted
