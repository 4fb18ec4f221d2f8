"""A batch of articles into a segment: everything the generic writer would write, as array operations.

Articles lie in the segment in the order of publication, then id, the undated first: a span of dates is then a run of
docnums, and the newest matches are the last ones.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from whoosh.fields import DATETIME

from searchkit.analysis import fold_label
from searchkit.analysis.batch import BatchAnalyzer
from searchkit.article import Article
from searchkit.codec import ArraySegment
from searchkit.codec.columns import write_number_column
from searchkit.codec.container import ContainerWriter
from searchkit.codec.lengths import encode_lengths
from searchkit.codec.postings import PostingData
from searchkit.codec.segment import DOCUMENTS_EXTENSION, STORED, TERMS_EXTENSION, write_field, write_lengths
from searchkit.codec.stored import StoredWriter, encode_value
from searchkit.codec.values import EXISTENCE, POSITIONS
from searchkit.codec.whoosh_codec import file_writer
from searchkit.dates import UNDATED, ArchiveCalendar, utc_datetime
from searchkit.indexing.inverter import ArticleText, InvertedBatch, InvertedField, invert
from searchkit.indexing.schema import FACET_FIELDS, INDEX_NAME, LABEL_FIELDS, language_labels, written
from searchkit.settings import Settings

_SCORED = ("text", "title")
_EXACT = ("text_exact", "title_exact")


class SegmentBuilder:
    """Builds segments in one process; remembers analysed words, folded labels and dates from batch to batch."""

    def __init__(self, storage: Any, settings: Settings) -> None:
        self._storage = storage
        self._settings = settings
        self._calendar = ArchiveCalendar.of(settings.time_zone)
        self._analyzer = BatchAnalyzer()
        self._folded: dict[str, bytes] = {}
        self._instants: dict[Any, int] = {None: UNDATED}
        self._published = DATETIME()

    def build(self, articles: Sequence[Article]) -> ArraySegment:
        """Write a segment of ``articles``, whose ids all differ, and return it for the table of contents."""
        instants = [self._instant(article.published) for article in articles]
        order = sorted(range(len(articles)), key=lambda index: (instants[index], articles[index].id))
        ordered = [articles[index] for index in order]
        segment = ArraySegment(INDEX_NAME)
        segment.set_doc_count(len(ordered))
        inverted = self._invert(ordered)
        published = np.array([instants[index] for index in order], dtype=np.int64)
        with file_writer(self._storage, segment, DOCUMENTS_EXTENSION) as documents:
            self._write_documents(documents, ordered, inverted, published)
        with file_writer(self._storage, segment, TERMS_EXTENSION) as terms:
            self._write_terms(terms, ordered, inverted, published)
        return segment

    def _invert(self, articles: Sequence[Article]) -> InvertedBatch:
        default = self._settings.language
        texts = [ArticleText(a.title, a.summary, a.body, a.language or default) for a in articles]
        return invert(texts, self._analyzer, title_weight=self._settings.title_weight)

    def _write_documents(
        self,
        writer: ContainerWriter,
        articles: Sequence[Article],
        inverted: InvertedBatch,
        published: npt.NDArray[np.int64],
    ) -> None:
        stored = StoredWriter(writer, STORED)
        for article in articles:
            stored.add(stored_line(article))
        stored.close()
        for name in _SCORED:
            lengths = getattr(inverted, name).lengths
            if lengths.any():
                write_lengths(writer, name, encode_lengths(lengths), int(lengths.sum()))
        if (published != UNDATED).any():
            write_number_column(writer, "published", published)
        writer.meta["documents"] = len(articles)

    def _write_terms(
        self,
        writer: ContainerWriter,
        articles: Sequence[Article],
        inverted: InvertedBatch,
        published: npt.NDArray[np.int64],
    ) -> None:
        labels = {name: self._label_postings(articles, name, self._fold) for name in LABEL_FIELDS}
        labels |= {written(name): self._label_postings(articles, name, str.encode) for name in FACET_FIELDS}
        labels["id"] = {article.id.encode(): [docnum] for docnum, article in enumerate(articles)}
        labels["published"] = self._published_postings(published)
        for name in sorted((*labels, *_SCORED, *_EXACT)):
            if name in labels:
                write_postings_by_term(writer, name, labels[name])
            else:
                _write_text(writer, name, getattr(inverted, name))

    def _label_postings(
        self, articles: Sequence[Article], name: str, as_term: Callable[[str], bytes]
    ) -> dict[bytes, list[int]]:
        postings: dict[bytes, list[int]] = {}
        for docnum, article in enumerate(articles):
            for label in labels_of(article, name, self._settings):
                docnums = postings.setdefault(as_term(label), [])
                if not docnums or docnums[-1] != docnum:
                    docnums.append(docnum)
        postings.pop(b"", None)
        return postings

    def _published_postings(self, published: npt.NDArray[np.int64]) -> dict[bytes, list[int]]:
        instants, starts = np.unique(published, return_index=True)
        stops = [*starts[1:].tolist(), len(published)]
        return {
            self._published.to_bytes(utc_datetime(instant)): list(range(start, stop))
            for instant, start, stop in zip(instants.tolist(), starts.tolist(), stops, strict=True)
            if instant != UNDATED
        }

    def _fold(self, label: str) -> bytes:
        folded = self._folded.get(label)
        if folded is None:
            if len(self._folded) > 1_000_000:  # bounds memory
                self._folded = {}
            folded = self._folded[label] = fold_label(label).encode()
        return folded

    def _instant(self, moment: Any) -> int:
        instant = self._instants.get(moment)
        if instant is None:
            if len(self._instants) > 1_000_000:
                self._instants = {None: UNDATED}
            instant = self._instants[moment] = self._calendar.instant(moment)
        return instant


def stored_line(article: Article) -> bytes:
    """The stored fields of an article as the codec writes them."""
    return encode_value({"article": article.to_dict()})


def labels_of(article: Article, name: str, settings: Settings) -> Iterable[str]:
    """The labels of an article in one of the label fields."""
    match name:
        case "topic":
            return article.topics
        case "author":
            return article.authors
        case "kind":
            return (article.kind,)
        case "url":
            return (article.url or "",)
        case _:
            return language_labels(article.language or settings.language)


def write_postings_by_term(writer: ContainerWriter, name: str, postings: dict[bytes, list[int]]) -> None:
    """Write a field whose postings are docnums and nothing else; a field without terms is left out."""
    if not postings:
        return
    terms = sorted(postings)
    lists = [postings[term] for term in terms]
    data = PostingData(
        counts=np.fromiter(map(len, lists), dtype=np.int64, count=len(lists)),
        docs=np.array([docnum for docnums in lists for docnum in docnums], dtype=np.int32),
    )
    write_field(writer, name, terms, data, kind=EXISTENCE)


def _write_text(writer: ContainerWriter, name: str, field: InvertedField) -> None:
    if not field.terms:
        return
    is_scored = field.positions is not None
    data = PostingData(
        counts=np.diff(field.term_offsets),
        docs=field.docnums,
        occurrences=field.frequencies if is_scored else None,
        weights=field.weights.astype(np.float32) if is_scored else None,
        lengths=encode_lengths(field.lengths)[field.docnums] if is_scored else None,
        positions=field.positions.astype(np.int64) if field.positions is not None else None,
    )
    write_field(writer, name, field.terms, data, kind=POSITIONS if is_scored else EXISTENCE)
