"""Segments that another writer left in the index: Whoosh's own, with our codec or with its stock one.

With our codec their articles are in whatever order they came, and their files hold whatever that writer put there. They
are searched and deleted from through Whoosh, and made anew from the stored articles when a merge takes them in.

Of the stock codec nothing but the stored articles is read (`stock.py`). Segments are made of them in memory when such
an index is opened, and in the folder when it is written to.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from whoosh.fields import Schema
from whoosh.filedb.structfile import StructFile
from whoosh.reading import SegmentReader, TermNotFound

from searchkit.article import Article
from searchkit.codec import ArraySegment
from searchkit.codec.whoosh_codec import open_documents
from searchkit.errors import ArticleError, IndexCorrupt
from searchkit.indexing.batches import BatchLimits, batches, pieces
from searchkit.indexing.builder import SegmentBuilder
from searchkit.indexing.stock import StockSegment, stock_articles
from searchkit.settings import Settings


def is_foreign(storage: Any, segment: ArraySegment) -> bool:
    """Whether a segment was made by another writer than the archive's."""
    documents = open_documents(storage, segment)
    is_ours = documents.is_in_order
    documents.close()
    return not is_ours


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
    """Write the live articles of a segment into segments in our order, of some ten thousand articles each.

    Raises IndexCorrupt for a document without a stored article.
    """
    reader = SegmentReader(storage, schema, segment)
    try:
        yield from _built(_articles(reader, segment), builder)
    finally:
        reader.close()


class ConvertedStock:
    """Segments of ours made in memory from the live articles of a stock segment."""

    def __init__(self, storage: Any, segment: StockSegment, settings: Settings) -> None:
        """Reads the segment. Raises IndexCorrupt, and FileNotFoundError."""
        self.files: dict[str, bytes] = {}
        builder = SegmentBuilder(self, settings)
        self._made = [*_built(stock_articles(storage, segment), builder)]

    def segments(self) -> list[ArraySegment]:
        """The segments, without deletions."""
        found = []
        for made in self._made:
            segment = ArraySegment(made.index_name())
            segment.segid = made.segid
            segment.set_doc_count(made.doc_count_all())
            found.append(segment)
        return found

    # What a builder wants of a storage.

    def create_file(self, name: str) -> StructFile:
        """A new file in memory."""
        return StructFile(BytesIO(), name=name, onclose=self._keep)

    def rename_file(self, old: str, new: str) -> None:
        """Give a file another name."""
        self.files[new] = self.files.pop(old)

    def _keep(self, file: StructFile) -> None:
        self.files[str(file)] = file.raw_file().getvalue()


def _built(articles: Iterable[Article], builder: SegmentBuilder) -> Iterator[ArraySegment]:
    """Write ``articles`` into segments; of several with one id the first."""
    limits = BatchLimits()
    for batch in batches(pieces(_first_of_each_id(articles), limits), limits):
        yield builder.build([article for piece in batch if isinstance(piece.part, list) for article in piece.part])


def _first_of_each_id(articles: Iterable[Article]) -> Iterator[Article]:
    ids: set[str] = set()
    for article in articles:
        if article.id not in ids:
            ids.add(article.id)
            yield article


def _articles(reader: SegmentReader, segment: ArraySegment) -> Iterator[Article]:
    """The live articles of a segment, the last one first."""
    for docnum in reversed([*reader.all_doc_ids()]):
        fields = reader.stored_fields(docnum)
        try:
            yield Article(**fields["article"])
        except (KeyError, TypeError, ArticleError) as exc:
            raise IndexCorrupt(
                f"document {docnum} of segment {segment.segment_id()}, which another program wrote, has no stored "
                f"article ({exc!r}); delete it, or index the articles again into a new folder"
            ) from exc
