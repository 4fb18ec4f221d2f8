"""A batch of articles into a segment: everything the generic writer would write, as array operations.

Articles lie in the segment in the order of publication, then id, the undated first: a span of dates is then a run of
docnums, and the newest matches are the last ones.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import chain
from math import isfinite
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import orjson

from searchkit.analysis import fold_label
from searchkit.analysis.batch import BatchAnalyzer
from searchkit.article import Article
from searchkit.codec import ArraySegment
from searchkit.codec.columns import write_number_column
from searchkit.codec.container import ContainerWriter
from searchkit.codec.kernels import stable_order
from searchkit.codec.lengths import encode_lengths
from searchkit.codec.posting_writer import PostingData
from searchkit.codec.segment import (
    DOCUMENTS_EXTENSION,
    ORDER,
    ORDERED_BY,
    STORED,
    TERMS_EXTENSION,
    write_field,
    write_lengths,
)
from searchkit.codec.stored import StoredWriter, encode_value
from searchkit.codec.values import EXISTENCE, POSITIONS
from searchkit.codec.whoosh_codec import file_writer
from searchkit.dates import UNDATED, ArchiveCalendar
from searchkit.indexing.inverter import ArticleText, InvertedBatch, InvertedField, invert
from searchkit.indexing.schema import INDEX_NAME, LABEL_FIELDS, language_labels
from searchkit.settings import Settings

_SCORED = ("text", "title")
_EXACT = ("text_exact", "title_exact")


class SegmentBuilder:
    """Builds segments in one process; remembers analysed words and dates from batch to batch."""

    def __init__(self, storage: Any, settings: Settings) -> None:
        self._storage = storage
        self._settings = settings
        self._calendar = ArchiveCalendar.of(settings.time_zone)
        self._analyzer = BatchAnalyzer()
        self._instants: dict[Any, int] = {None: UNDATED}
        self._languages: dict[str, tuple[str, ...]] = {}

    def build(self, articles: Sequence[Article], segment: ArraySegment | None = None) -> ArraySegment:
        """Write a segment of ``articles``, whose ids all differ, and return it for the table of contents.

        ``segment`` is one without articles that is filled, if another name than a new one is wanted.
        """
        instants = [self._instant(article.published) for article in articles]
        order = sorted(range(len(articles)), key=lambda index: (instants[index], articles[index].id))
        ordered = [articles[index] for index in order]
        segment = ArraySegment(INDEX_NAME) if segment is None else segment
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
        writer.meta[ORDER] = ORDERED_BY

    def _write_terms(
        self,
        writer: ContainerWriter,
        articles: Sequence[Article],
        inverted: InvertedBatch,
        published: npt.NDArray[np.int64],
    ) -> None:
        fields = {}
        for name in LABEL_FIELDS:
            labels = _Labels.of(self._labels(articles, name))
            fields[name] = _inverted(labels, _folded(labels.distinct))
        ids = _Labels.of([(article.id,) for article in articles])
        fields["id"] = _inverted(ids, ids.distinct)
        fields["published"] = _inverted_dates(published)
        for name in sorted((*fields, *_SCORED, *_EXACT)):
            if name not in fields:
                _write_text(writer, name, getattr(inverted, name))
            elif fields[name][0]:
                write_field(writer, name, *fields[name], kind=EXISTENCE)

    def _labels(self, articles: Sequence[Article], name: str) -> Sequence[tuple[str, ...]]:
        match name:
            case "topic":
                return [article.topics for article in articles]
            case "author":
                return [article.authors for article in articles]
            case "kind":
                return [(article.kind,) for article in articles]
            case "url":
                return [(article.url or "",) for article in articles]
            case _:
                return [self._language_labels(article.language or self._settings.language) for article in articles]

    def _language_labels(self, code: str) -> tuple[str, ...]:
        labels = self._languages.get(code)
        if labels is None:
            labels = self._languages[code] = tuple(language_labels(code))
        return labels

    def _instant(self, moment: Any) -> int:
        instant = self._instants.get(moment)
        if instant is None:
            if len(self._instants) > 1_000_000:
                self._instants = {None: UNDATED}
            instant = self._instants[moment] = self._calendar.instant(moment)
        return instant


_JSON = {str, int, float, bool, type(None)}
_PLAIN_DATES = {date, type(None)}


def stored_line(article: Article) -> bytes:
    """The stored fields of an article as the codec writes them."""
    # Only in what sources bring along can something stand that JSON does not have, or that looks like its stand-in.
    if _is_plain(article.extra) and type(article.published) in _PLAIN_DATES and type(article.updated) in _PLAIN_DATES:
        try:
            return orjson.dumps({"article": _fields(article)})
        except TypeError:  # an integer of more than 64 bits, a subclass of str
            pass
    return encode_value({"article": article.to_dict()})


def _fields(article: Article) -> dict[str, Any]:
    """What `Article.to_dict` gives, with dates and tuples, which orjson writes alike; of objects it is slower."""
    return {
        "id": article.id,
        "title": article.title,
        "body": article.body,
        "published": article.published,
        "topics": article.topics,
        "authors": article.authors,
        "kind": article.kind,
        "url": article.url,
        "summary": article.summary,
        "language": article.language,
        "updated": article.updated,
        "extra": article.extra,
    }


def _is_plain(extra: Mapping[str, Any]) -> bool:
    """Whether these are texts, finite numbers and lists of them, which every writer of JSON writes alike."""
    if len(extra) == 1 and str(next(iter(extra))).startswith("!"):
        return False
    for value in extra.values():
        kind = type(value)
        if kind is list:
            if not all(type(item) is str for item in value):
                return False
        elif kind not in _JSON or (kind is float and not isfinite(value)):
            return False
    return True


class _Labels(NamedTuple):
    """The labels of a batch, article by article."""

    distinct: list[str]
    numbers: npt.NDArray[np.int32]
    """Of each label, its place in ``distinct``."""
    docnums: npt.NDArray[np.int32]
    """Of each label; rising."""

    @classmethod
    def of(cls, rows: Sequence[tuple[str, ...]]) -> Self:
        """Those of each article in docnum order."""
        labels = list(chain.from_iterable(rows))
        number_of = {label: number for number, label in enumerate(dict.fromkeys(labels))}
        numbers = np.fromiter(map(number_of.__getitem__, labels), np.int32, len(labels))
        counts = np.fromiter(map(len, rows), np.int64, len(rows))
        return cls(list(number_of), numbers, np.repeat(np.arange(len(rows), dtype=np.int32), counts))


def _folded(labels: Sequence[str]) -> list[str]:
    """`fold_label` of labels of articles: in ASCII, where they have single spaces already, all at once."""
    joined = "\n".join(labels)
    if joined.isascii():
        return joined.lower().split("\n")
    return [label.lower() if label.isascii() else fold_label(label) for label in labels]


def _inverted(labels: _Labels, terms: Sequence[str]) -> tuple[list[bytes], PostingData]:
    """The different ``terms`` that the distinct labels stand for, "" for none, sorted, and their postings."""
    ordered = sorted({*terms} - {""})  # in the order of code points, which is that of UTF-8
    rank_of = {term: rank for rank, term in enumerate(ordered)} | {"": len(ordered)}
    ranks = np.fromiter(map(rank_of.__getitem__, terms), np.int64, len(terms)).take(labels.numbers)
    order = stable_order(ranks, len(ordered))
    ranks, docnums = ranks[order], labels.docnums[order]
    is_first = ranks < len(ordered)
    is_first[1:] &= (ranks[1:] != ranks[:-1]) | (docnums[1:] != docnums[:-1])  # two labels may be one term
    counts = np.bincount(ranks[is_first], minlength=len(ordered))
    return [term.encode() for term in ordered], PostingData(counts=counts, docs=docnums[is_first])


def _inverted_dates(published: npt.NDArray[np.int64]) -> tuple[list[bytes], PostingData]:
    """The terms of instants in rising order, which are what `DATETIME.to_bytes` gives, and their postings."""
    undated = int(np.count_nonzero(published == UNDATED))
    instants, counts = np.unique(published[undated:], return_counts=True)
    sortable = instants.view(np.uint64) ^ np.uint64(1 << 63)
    terms = [_FULL_PRECISION + instant for instant in sortable.astype(">u8").view("V8").tolist()]
    docnums = np.arange(undated, len(published), dtype=np.int32)
    return terms, PostingData(counts=counts.astype(np.int64), docs=docnums)


_FULL_PRECISION = b"\0"


def _write_text(writer: ContainerWriter, name: str, field: InvertedField) -> None:
    if not len(field.terms):
        return
    is_scored = field.positions is not None
    data = PostingData(
        counts=np.diff(field.term_offsets),
        docs=field.docnums,
        occurrences=field.frequencies.view(np.uint32) if is_scored else None,
        weights=field.weights.astype(np.float32) if is_scored else None,
        lengths=encode_lengths(field.lengths)[field.docnums] if is_scored else None,
        positions=field.positions,
    )
    write_field(
        writer, name, (field.terms.data.data, field.terms.lengths), data, kind=POSITIONS if is_scored else EXISTENCE
    )
