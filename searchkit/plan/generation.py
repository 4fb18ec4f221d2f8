"""One generation of an archive, opened: what a search sees from its first look to its last.

It gives the executor the postings of terms, and the page builders the columns they count over, all as arrays of
docnums that run through all segments: when each article was published, which labels it has, where its id ranks.
"""

import math
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from whoosh.index import FileIndex
from whoosh.reading import IndexReader

from searchkit.analysis import Analyzer, analyzers_for, fold_label
from searchkit.article import Article
from searchkit.dates import ArchiveCalendar
from searchkit.indexing.schema import FACET_FIELDS, written
from searchkit.plan.kernels import POSITION_BITS, Docnums, Occurrences, Scores, bm25
from searchkit.plan.segments import SegmentView, view_of
from searchkit.settings import Settings

__all__ = ["Docnums", "Generation", "LabelColumn"]

_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """The labels of every article, in the commonest spelling.

    ``values`` are the different labels in alphabetical order. The ordinals (int32, into ``values``) of docnum d's
    labels are ``ordinals[offsets[d]:offsets[d + 1]]``; ``offsets`` is int64 and has one entry more than docnums.
    """

    values: tuple[str, ...]
    offsets: npt.NDArray[np.int64]
    ordinals: npt.NDArray[np.int32]


class Generation:
    """An opened generation. Its arrays are made when first needed and shared by every search on it."""

    def __init__(self, index: FileIndex, settings: Settings) -> None:
        self.number: int = index.latest_generation()
        self.reader: IndexReader = index.reader()
        self.calendar = ArchiveCalendar.of(settings.time_zone)
        self.language = settings.language
        self._settings = settings
        self._segments: list[tuple[SegmentView, int]] = []
        if self.reader.doc_count_all():
            self._segments = [(view_of(leaf), base) for leaf, base in self.reader.leaf_readers()]
        self._columns: dict[str, LabelColumn] = {}
        self._lengths: dict[str, Scores] = {}
        self._lock = threading.Lock()

    @property
    def doc_count(self) -> int:
        """How many articles there are, deleted ones left out."""
        return len(self.live)

    @property
    def segment_count(self) -> int:
        """How many segments the index has."""
        return len(self._segments)

    @property
    def doc_count_all(self) -> int:
        """How many docnums there are, deleted ones included."""
        return sum(segment.doc_count for segment, _ in self._segments)

    @cached_property
    def live(self) -> Docnums:
        """The docnums of all articles that are not deleted."""
        return np.flatnonzero(self._is_live)

    @cached_property
    def published(self) -> npt.NDArray[np.int64]:
        """The instant at which each docnum was published, or UNDATED."""
        return _joined([segment.published() for segment, _ in self._segments], np.int64)

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
    def analyzers(self) -> tuple[Analyzer, ...]:
        """The analysis of each language that articles are in: a query word means its form in any of them."""
        found = [term.decode() for term in self.reader.lexicon("language")]
        return analyzers_for([self.language, *found])

    def postings(self, field: str, term: str) -> tuple[Docnums, Scores]:
        """The live docnums that have ``term``, and its weighted frequency in each; empty for an unknown term."""
        key = term.encode()
        found = [(segment.postings(field, key), base) for segment, base in self._segments]
        docnums = _joined([docnums + base for (docnums, _), base in found], np.int64)
        weights = _joined([weights for (_, weights), _ in found], np.float64)
        if self._has_deletions:
            is_live = self._is_live[docnums]
            return docnums[is_live], weights[is_live]
        return docnums, weights

    def scored_postings(self, field: str, term: str) -> tuple[Docnums, Scores]:
        """The live docnums that have ``term``, and the BM25 score of each."""
        docnums, weights = self.postings(field, term)
        if len(docnums) == 0:
            return docnums, weights
        scores = bm25(
            weights,
            self.lengths(field)[docnums],
            idf=self._idf(field, term),
            mean_length=self._mean_length(field),
            k1=self._settings.k1,
            b=self._settings.b,
        )
        return docnums, scores

    def occurrences(self, field: str, term: str, among: Docnums) -> Occurrences:
        """Every place where ``term`` stands in the articles ``among``."""
        key = term.encode()
        found = []
        for segment, base in self._segments:
            first, last = np.searchsorted(among, (base, base + segment.doc_count))
            if first < last:
                found.append(segment.occurrences(field, key, among[first:last] - base) + (base << POSITION_BITS))
        return _joined(found, np.int64)

    def docnums_with_prefix(self, field: str, prefix: str) -> Docnums:
        """The live docnums that have a term of the field that begins with ``prefix``."""
        key = prefix.encode()
        found = [segment.docnums_with_prefix(field, key) + base for segment, base in self._segments]
        docnums = _joined(found, np.int64)
        return docnums[self._is_live[docnums]] if self._has_deletions else docnums

    def lengths(self, field: str) -> Scores:
        """How many terms the field of each docnum has, as Whoosh rounds it."""
        with self._lock:
            if field not in self._lengths:
                lengths = [segment.lengths(field) for segment, _ in self._segments]
                self._lengths[field] = _joined(lengths, np.int32).astype(np.float64)
            return self._lengths[field]

    def labels(self, field: str) -> LabelColumn:
        """The column of a label field such as "topic"."""
        with self._lock:
            if field not in self._columns:
                self._columns[field] = self._label_column(written(field) if field in FACET_FIELDS else field)
            return self._columns[field]

    def docnum(self, article_id: str) -> int | None:
        """The docnum of an article, or None when there is none with this id."""
        docnums, _ = self.postings("id", article_id)
        return int(docnums[-1]) if len(docnums) else None

    def article(self, docnum: int) -> Article:
        """The stored article."""
        return Article(**self.reader.stored_fields(docnum)["article"])

    def close(self) -> None:
        """Release the files."""
        self._segments = []
        self.reader.close()

    @cached_property
    def _is_live(self) -> npt.NDArray[np.bool_]:
        return _joined([segment.live for segment, _ in self._segments], np.bool_)

    @cached_property
    def _has_deletions(self) -> bool:
        return not self._is_live.all()

    @cached_property
    def _ids(self) -> list[bytes]:
        ids = [b""] * self.doc_count_all
        for segment, base in self._segments:
            terms, docnums, ordinals = segment.labels("id")
            for docnum, ordinal in zip(docnums.tolist(), ordinals.tolist(), strict=True):
                ids[base + docnum] = terms[ordinal]
        return ids

    def _idf(self, field: str, term: str) -> float:
        """As Whoosh has it: deleted articles count until they are merged away."""
        key = term.encode()
        doc_frequency = sum(segment.doc_frequency(field, key) for segment, _ in self._segments)
        return math.log(self.doc_count_all / (doc_frequency + 1)) + 1

    def _mean_length(self, field: str) -> float:
        return sum(segment.total_length(field) for segment, _ in self._segments) / self.doc_count_all

    def _label_column(self, field: str) -> LabelColumn:
        """Spellings that fold to one key share an ordinal; the commonest of them, on a tie the first, is shown."""
        spellings: dict[bytes, int] = {}
        docnums, numbers = [], []
        for segment, base in self._segments:
            terms, found, ordinals = segment.labels(field)
            number_of = np.fromiter((spellings.setdefault(t, len(spellings)) for t in terms), np.int64, len(terms))
            docnums.append(found + base)
            numbers.append(number_of[ordinals])
        all_docnums, all_numbers = _joined(docnums, np.int64), _joined(numbers, np.int64)
        counts = np.bincount(all_numbers[self._is_live[all_docnums]], minlength=len(spellings))
        texts = [spelling.decode() for spelling in spellings]
        keys: dict[str, int] = {}
        key_of = np.fromiter((keys.setdefault(fold_label(t), len(keys)) for t in texts), np.int32, len(texts))
        shown: dict[int, str] = {}
        for number in np.argsort(-counts, kind="stable").tolist():
            shown.setdefault(int(key_of[number]), texts[number])
        alphabetical = sorted(range(len(keys)), key=lambda key: (shown[key].casefold(), shown[key]))
        ordinal_of = np.empty(len(keys), dtype=np.int64)
        ordinal_of[alphabetical] = np.arange(len(keys))
        labels = ordinal_of[key_of[all_numbers]]
        pairs = np.unique(all_docnums * max(len(keys), 1) + labels)  # one of each label an article
        offsets = np.searchsorted(pairs, np.arange(self.doc_count_all + 1) * max(len(keys), 1))
        ordinals = (pairs % max(len(keys), 1)).astype(np.int32)
        return LabelColumn(tuple(shown[key] for key in alphabetical), offsets, ordinals)


def _joined(parts: list[npt.NDArray[_Scalar]], dtype: type[_Scalar]) -> npt.NDArray[_Scalar]:
    """The parts of all segments as one array, empty where there is no segment."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)
