"""One generation of an archive, opened: what a search sees from its first look to its last.

It gives the executor the postings of terms, and the page builders the columns they count over, all as arrays of
docnums that run through all segments: when each article was published, which labels it has, where its id ranks.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from whoosh.index import FileIndex
from whoosh.scoring import BM25F
from whoosh.searching import Searcher

from searchkit.analysis import Analyzer, analyzers_for, fold_label
from searchkit.article import Article
from searchkit.dates import UNDATED, ArchiveCalendar
from searchkit.indexing.schema import LABEL_SEPARATOR
from searchkit.plan.kernels import POSITION_BITS, Docnums, Occurrences, Scores, bm25
from searchkit.settings import Settings

__all__ = ["Docnums", "Generation", "LabelColumn"]


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """The labels of every article, as written in the commonest spelling.

    ``values`` are the different labels; the ordinals (int32, into ``values``) of docnum d's labels are
    ``ordinals[offsets[d]:offsets[d + 1]]``, ``offsets`` being int64 with one entry more than there are docnums.
    """

    values: tuple[str, ...]
    offsets: npt.NDArray[np.int64]
    ordinals: npt.NDArray[np.int32]


class Generation:
    """An opened generation. Its arrays are made when first needed and shared by every search on it."""

    def __init__(self, index: FileIndex, settings: Settings) -> None:
        self.number: int = index.latest_generation()
        self.searcher: Searcher = index.searcher(weighting=BM25F(B=settings.b, K1=settings.k1))
        self.calendar = ArchiveCalendar.of(settings.time_zone)
        self.language = settings.language
        self._settings = settings
        self._columns: dict[str, LabelColumn] = {}
        self._lengths: dict[str, Scores] = {}
        self._lock = threading.Lock()

    @property
    def doc_count(self) -> int:
        """How many articles there are, deleted ones left out."""
        return int(self.searcher.reader().doc_count())

    @property
    def segment_count(self) -> int:
        """How many segments the index has."""
        return len(self.searcher.reader().leaf_readers()) if self.doc_count_all else 0

    @property
    def doc_count_all(self) -> int:
        """How many docnums there are, deleted ones included."""
        return int(self.searcher.reader().doc_count_all())

    @cached_property
    def live(self) -> Docnums:
        """The docnums of all articles that are not deleted."""
        return np.fromiter(self.searcher.reader().all_doc_ids(), dtype=np.int64)

    @cached_property
    def published(self) -> npt.NDArray[np.int64]:
        """The instant at which each docnum was published, or UNDATED."""
        return np.fromiter(self._column("published", UNDATED), dtype=np.int64, count=self.doc_count_all)

    @cached_property
    def id_rank(self) -> npt.NDArray[np.int64]:
        """Where each docnum's article id stands among all ids in ascending order of code points."""
        ids = self._ids
        rank = np.empty(len(ids), dtype=np.int64)
        rank[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))
        return rank

    def article_id(self, docnum: int) -> str:
        """The id of the article with this docnum."""
        return self._ids[docnum].decode()

    @cached_property
    def _ids(self) -> list[bytes]:
        return list(self._column("id", b""))

    @cached_property
    def analyzers(self) -> tuple[Analyzer, ...]:
        """The analysis of each language that articles are in: a query word means its form in any of them."""
        found = [term.decode() for term in self.searcher.reader().lexicon("language")]
        return analyzers_for([self._settings.language, *found])

    def postings(self, field: str, term: str) -> tuple[Docnums, Scores]:
        """The live docnums that have ``term``, and its weighted frequency in each; empty for an unknown term."""
        key = term.encode()
        docnums: list[int] = []
        weights: list[float] = []
        for reader, base in self.searcher.reader().leaf_readers():
            if (field, key) in reader:
                matcher = reader.postings(field, key)
                while matcher.is_active():
                    docnums.append(base + matcher.id())
                    weights.append(matcher.weight())
                    matcher.next()
        return np.array(docnums, dtype=np.int64), np.array(weights, dtype=np.float64)

    def scored_postings(self, field: str, term: str) -> tuple[Docnums, Scores]:
        """The live docnums that have ``term``, and the BM25 score of each."""
        docnums, weights = self.postings(field, term)
        if len(docnums) == 0:
            return docnums, weights
        scores = bm25(
            weights,
            self.lengths(field)[docnums],
            idf=self.searcher.idf(field, term.encode()),
            mean_length=self.searcher.avg_field_length(field),
            k1=self._settings.k1,
            b=self._settings.b,
        )
        return docnums, scores

    def occurrences(self, field: str, term: str, among: Docnums) -> Occurrences:
        """Every place where ``term`` stands in the articles ``among``."""
        key = term.encode()
        wanted = set(among.tolist())
        places: list[int] = []
        for reader, base in self.searcher.reader().leaf_readers():
            if (field, key) in reader:
                matcher = reader.postings(field, key)
                while matcher.is_active():
                    docnum = base + matcher.id()
                    if docnum in wanted:
                        places += [docnum << POSITION_BITS | position for position in matcher.value_as("positions")]
                    matcher.next()
        return np.array(places, dtype=np.int64)

    def terms_with_prefix(self, field: str, prefix: str) -> list[str]:
        """The terms of a field that begin with ``prefix``."""
        return [term.decode() for term in self.searcher.reader().expand_prefix(field, prefix)]

    def lengths(self, field: str) -> Scores:
        """How many terms the field of each docnum has, as Whoosh rounds it."""
        with self._lock:
            if field not in self._lengths:
                reader = self.searcher.reader()
                found = (reader.doc_field_length(docnum, field) for docnum in range(self.doc_count_all))
                self._lengths[field] = np.fromiter(found, dtype=np.float64, count=self.doc_count_all)
            return self._lengths[field]

    def labels(self, field: str) -> LabelColumn:
        """The column of a label field such as "topic"."""
        with self._lock:
            if field not in self._columns:
                self._columns[field] = _label_column(list(self._column(field, b"")))
            return self._columns[field]

    def docnum(self, article_id: str) -> int | None:
        """The docnum of an article, or None when there is none with this id."""
        docnum: int | None = self.searcher.document_number(id=article_id)
        return docnum

    def article(self, docnum: int) -> Article:
        """The stored article."""
        return Article(**json.loads(self.searcher.stored_fields(docnum)["article"]))

    def close(self) -> None:
        """Release the files."""
        self.searcher.close()

    def _column(self, field: str, missing: object) -> Iterator[Any]:
        """The values of a Whoosh column for every docnum, ``missing`` where a segment has no such column."""
        for reader, _ in self.searcher.reader().leaf_readers():
            if reader.has_column(field):
                yield from reader.column_reader(field, translate=False)
            else:
                yield from [missing] * reader.doc_count_all()


def _label_column(rows: list[bytes]) -> LabelColumn:
    """Spellings that fold to one key share an ordinal; the commonest of them, on a tie the first, is shown."""
    spellings: dict[str, dict[str, int]] = {}
    split_rows: dict[bytes, list[str]] = {}
    row_labels = []
    for row in rows:
        labels = split_rows.get(row)
        if labels is None:
            labels = split_rows[row] = row.decode().split(LABEL_SEPARATOR) if row else []
        row_labels.append(labels)
        for label in labels:
            counts = spellings.setdefault(fold_label(label), {})
            counts[label] = counts.get(label, 0) + 1
    ordinal_of = {key: ordinal for ordinal, key in enumerate(spellings)}
    row_ordinals = [list(dict.fromkeys(ordinal_of[fold_label(label)] for label in labels)) for labels in row_labels]
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(ordinals) for ordinals in row_ordinals], out=offsets[1:])
    ordinals = np.fromiter((o for row in row_ordinals for o in row), dtype=np.int32, count=int(offsets[-1]))
    shown = tuple(max(counts, key=counts.__getitem__) for counts in spellings.values())
    return LabelColumn(shown, offsets, ordinals)
