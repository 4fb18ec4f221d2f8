"""Segments that another writer left in the index: Whoosh's own, with our codec.

Their articles are in whatever order they came, and their files hold whatever that writer put there. They are searched
and deleted from through Whoosh, and made anew from the stored articles when a merge takes them in.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from whoosh.fields import Schema
from whoosh.reading import SegmentReader, TermNotFound

from searchkit.article import Article
from searchkit.codec import ArraySegment
from searchkit.codec.whoosh_codec import open_documents
from searchkit.errors import IndexCorrupt
from searchkit.indexing.builder import ORDER, ORDERED_BY, SegmentBuilder

_AT_ONCE = 5_000


def is_foreign(storage: Any, segment: ArraySegment) -> bool:
    """Whether a segment was made by another writer than the archive's."""
    documents = open_documents(storage, segment)
    order = documents.container.meta.get(ORDER)
    documents.close()
    return bool(order != ORDERED_BY)


def find_foreign(storage: Any, schema: Schema, segment: ArraySegment, article_ids: Iterable[str]) -> list[int]:
    """The docnums of the articles with these ids in a segment where an id may stand twice."""
    reader = SegmentReader(storage, schema, segment)
    try:
        return [docnum for article_id in article_ids for docnum in _docnums(reader, article_id)]
    finally:
        reader.close()


def _docnums(reader: SegmentReader, article_id: str) -> list[int]:
    try:
        return list(reader.postings("id", article_id).all_ids())
    except TermNotFound:
        return []


def converted(storage: Any, schema: Schema, segment: ArraySegment, builder: SegmentBuilder) -> Iterator[ArraySegment]:
    """Write the live articles of a segment into segments in our order, of some thousand articles each.

    Raises IndexCorrupt for a document without a stored article.
    """
    reader = SegmentReader(storage, schema, segment)
    try:
        batch: dict[str, Article] = {}
        for article in _articles(reader, segment):
            if len(batch) >= _AT_ONCE:
                yield builder.build(list(batch.values()))
                batch = {}
            batch[article.id] = article
        if batch:
            yield builder.build(list(batch.values()))
    finally:
        reader.close()


def _articles(reader: SegmentReader, segment: ArraySegment) -> Iterator[Article]:
    for docnum in reader.all_doc_ids():
        fields = reader.stored_fields(docnum)
        try:
            yield Article(**fields["article"])
        except (KeyError, TypeError) as exc:
            raise IndexCorrupt(
                f"document {docnum} of segment {segment.segment_id()}, which another program wrote, has no stored "
                f"article ({exc!r}); delete it, or index the articles again into a new folder"
            ) from exc
