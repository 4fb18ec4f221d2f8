"""One generation of an archive, opened: what a search sees from its first look to its last.

It gives the executor the postings of terms, and the page builders the columns they count over, all as arrays of
docnums that run through all segments: one array operation for the whole archive takes less time than one a segment.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterator
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from whoosh.index import FileIndex
from whoosh.reading import IndexReader

from searchkit.analysis import Analyzer, analyzers_for, fold_label
from searchkit.article import Article
from searchkit.codec.kernels import ranges
from searchkit.codec.lengths import LENGTHS
from searchkit.dates import UNDATED, ArchiveCalendar
from searchkit.plan.cache import ArrayCache, ByteCache, alone
from searchkit.plan.expansion import Vocabulary
from searchkit.plan.kernels import (
    POSITION_BITS,
    Docnums,
    Occurrences,
    bm25,
    docnums_flagged,
    first_occurrences,
    length_norms,
    places_of,
)
from searchkit.plan.labels import LabelColumn
from searchkit.plan.names import NameTable, labels_named, nearest_labels
from searchkit.plan.segments import SegmentView, view_of
from searchkit.query.nodes import Fuzzy, Node, Pattern
from searchkit.settings import Settings

__all__ = ["Docnums", "Generation"]

_Scalar = TypeVar("_Scalar", bound=np.generic)
_Integer = TypeVar("_Integer", bound=np.integer)
Note = TypeVar("Note")

_FEW = 1000
_FEW_AMONG = 4
"""Of words in more articles, and in so many times more than are in question, only the places in these are read."""

_MANY_BETWEEN = 16

_LONG = 16_384
_FEW_LEFT = 64
"""Of a long list with so many times more articles than are asked for only these are scored."""

CACHED_BYTES = 4 << 20
LEAST_CACHED_BYTES = 5 << 19
"""Bytes of decoded postings that are kept for the next searches; a word in a tenth of 100,000 articles takes 80 kB.

In a larger archive, whose other arrays take more room, 4 bytes less for each article.
"""

CACHED_MATCH_BYTES = 3 << 20
"""Bytes of matches that are kept for the next searches, at 8 bytes an article."""

_MATCHES_BYTES = 300
_LARGEST_MATCHES = 16
"""Matches of more than this part of the whole are not kept: they are those of common words, which are, and quickly
put together again. What many words have in common is little and takes as long to find."""

_RUNS_BYTES = 1 << 18

CACHED_ARTICLE_BYTES = 1 << 20
"""Bytes of articles that are kept unpacked, some hundred abstracts: readers go back and forth among few."""

_ARTICLE_BYTES = 2500
"""What an article takes beside its text: the names of its fields are half of it."""
_NOTES = 256


class Generation:
    """An opened generation, safe to share between threads. Its arrays are made when first needed and shared.

    Segments that the generation ``before`` has as well are taken over from it, with what has been worked out for them:
    as a rule a commit adds a small one and leaves the others alone.

    Two threads that need the same array at the same time may both make it; either is as good as the other.
    """

    def __init__(self, index: FileIndex, settings: Settings, before: "Generation | None" = None) -> None:
        self.number: int = index.latest_generation()
        self.calendar = ArchiveCalendar.of(settings.time_zone)
        self.language = settings.language
        self.nearness = settings.nearness
        self._settings = settings
        self.segments: list[tuple[SegmentView, int]] = []
        """Each segment, and the docnum here of its docnum 0."""
        reader: IndexReader = index.reader()  # never closed: what it has open lasts as long as somebody uses it
        if reader.doc_count_all():
            known = {segment.segment_id: segment for segment, _ in before.segments} if before else {}
            self.segments = [(view_of(leaf, known), base) for leaf, base in reader.leaf_readers()]
        self.doc_count_all = sum(segment.doc_count for segment, _ in self.segments)
        """How many docnums there are, deleted ones included."""
        self.has_deletions = any(segment.has_deletions for segment, _ in self.segments)
        self.bases: Docnums = np.array([*(base for _, base in self.segments), self.doc_count_all], dtype=np.int32)
        """Where each segment begins, and the end of the last."""
        self._starts: list[int] = self.bases[:-1].tolist()
        self._columns: dict[str, LabelColumn] = {}
        self._lengths: dict[str, tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]] = {}
        self._cache = ArrayCache(max(CACHED_BYTES - 4 * self.doc_count_all, LEAST_CACHED_BYTES))
        self._runs = ArrayCache(_RUNS_BYTES)
        self._matches: ByteCache[tuple[Docnums, npt.NDArray[np.float32] | float]] = ByteCache(
            CACHED_MATCH_BYTES, _LARGEST_MATCHES
        )
        self._notes: ByteCache[Any] = ByteCache(_NOTES)
        self._articles: ByteCache[dict[str, Any]] = ByteCache(CACHED_ARTICLE_BYTES)
        self._vocabularies: dict[str, Vocabulary] = {}
        self._names: dict[str, list[NameTable]] = {}

    @cached_property
    def doc_count(self) -> int:
        """How many articles there are, deleted ones left out."""
        if not self.has_deletions:
            return self.doc_count_all
        return int(self.is_live.sum())

    @property
    def segment_count(self) -> int:
        """How many segments the index has."""
        return len(self.segments)

    @cached_property
    def is_live(self) -> npt.NDArray[np.bool_]:
        """One flag a docnum: False for the deleted."""
        return _joined([segment.live for segment, _ in self.segments], np.bool_)

    @property
    def live(self) -> Docnums:
        """The docnums of all articles that are not deleted; not kept, as making them takes little time."""
        return docnums_flagged(self.is_live) if self.has_deletions else np.arange(self.doc_count_all, dtype=np.int32)

    @cached_property
    def analyzers(self) -> tuple[Analyzer, ...]:
        """The analysis of each language that articles are in: a query word means its form in any of them."""
        found = sorted({term for segment, _ in self.segments for term in segment.all_terms("language")})
        return analyzers_for([self.language, *(term.decode() for term in found)])

    @cached_property
    def is_ordered_by_date(self) -> bool:
        """Whether the docnums of every segment are in order of publication."""
        return all(segment.is_ordered_by_date for segment, _ in self.segments)

    @cached_property
    def dated_runs(self) -> Docnums:
        """For each segment, when all are ordered by date, the first docnum with a date and the end of its docnums."""
        runs = [
            (base + int(segment.published.searchsorted(UNDATED, side="right")), base + segment.doc_count)
            for segment, base in self.segments
        ]
        return np.array(runs, dtype=np.int32).reshape(-1)

    # What the executor asks for --------------------------------------------------------------------------

    def docnums(self, field: str, term: str) -> Docnums:
        """The live docnums that have ``term``, ascending; empty for an unknown term. They are kept."""
        found = self._cache.get((field, term, "docnums"))
        if found is None:
            key = term.encode()
            found = self.only_live(
                _joined([segment.docnums(field, key) + base for segment, base in self.segments], np.int32)
            )
            self._cache.put_array((field, term, "docnums"), found)
        return found

    def scores(self, field: str, term: str, docnums: Docnums) -> npt.NDArray[np.float32]:
        """The BM25 score of each of ``docnums``, which are all or some of those that have ``term``.

        They are kept: nobody may change them.
        """
        having = self.docnums(field, term)
        kept = self._cache.get((field, term, "scores"))
        if kept is None:
            if len(having) > _LONG and len(docnums) * _FEW_LEFT < len(having) and not self.has_deletions:
                weights = self._weights_at(field, term, places_of(docnums, having, self.doc_count_all))
                return self._bm25(field, weights, docnums, self.idf(field, term))
            weights = self._weights(field, term)
            kept = self._bm25(field, weights, having, self.idf(field, term)) if len(having) else weights
            self._cache.put_array((field, term, "scores"), kept)
        if len(docnums) < len(having):
            kept = kept[places_of(docnums, having, self.doc_count_all)]
        return kept

    def highest_score(self, field: str, term: str) -> float:
        """What no article scores more than by ``term``; 0 for an unknown term."""
        if not self.doc_frequency(field, term):
            return 0.0
        return self.idf(field, term) * (self._settings.k1 + 1)

    def score_frequencies(
        self, field: str, docnums: Docnums, frequencies: npt.NDArray[np.int64], *, idf: float
    ) -> npt.NDArray[np.float32]:
        """BM25 of what stands so often in the field of each of the docnums, and is as rare as ``idf`` says."""
        return self._bm25(field, frequencies.astype(np.float32), docnums, idf)

    def idf(self, field: str, term: str) -> float:
        """The weight of a term by its rarity as Whoosh has it: deleted articles count until they are merged away."""
        return math.log(self.doc_count_all / (self.doc_frequency(field, term) + 1)) + 1

    def doc_frequency(self, field: str, term: str) -> int:
        """How many docnums have ``term``, deleted ones included until they are merged away."""
        key = term.encode()
        return sum(segment.doc_frequency(field, key) for segment, _ in self.segments)

    def occurrences(self, field: str, term: str, among: Docnums) -> Occurrences:
        """Every place where ``term`` stands in the articles ``among``, and maybe in others."""
        kept = self._cache.get((field, term, "occurrences"))
        if kept is None:
            having = self.doc_frequency(field, term)
            if having > _FEW and having > len(among) * _FEW_AMONG:
                key = term.encode()
                found = [
                    segment.occurrences(field, key, part) + (base << POSITION_BITS)
                    for segment, base, part in self.by_segment(among)
                ]
                return _joined(found, np.int64)
            kept = self._all_occurrences(field, term)
        return _near(kept, among)

    def docnums_with_prefix(self, field: str, prefix: str) -> Docnums:
        """The live docnums that have a term of the field that begins with ``prefix``."""
        found = self._cache.get((field, prefix, "prefix"))
        if found is None:
            key = prefix.encode()
            parts = [segment.docnums_with_prefix(field, key) + base for segment, base in self.segments]
            found = self.only_live(_joined(parts, np.int32))
            self._cache.put_array((field, prefix, "prefix"), found)
        return found

    def docnums_named(self, field: str, name: str) -> Docnums:
        """The live docnums with a label that has all the words of ``name``."""

        def found() -> Docnums:
            parts = [
                segment.docnums_of_terms(field, table.named(name)) + base
                for (segment, base), table in zip(self.segments, self._name_tables(field), strict=True)
            ]
            return self.only_live(_joined(parts, np.int32))

        return self.remembered((field, name, "named"), found)

    def names(self, field: str, name: str) -> tuple[str, ...]:
        """The folded labels of live articles that have all the words of ``name``, those of most articles first."""

        def found() -> tuple[str, ...]:
            labels = labels_named(self._name_tables(field), name)
            return tuple(label for label in labels if not self.has_deletions or len(self.docnums(field, label)))

        return self.noted((field, name, "names"), found)

    def nearest_labels(self, field: str, value: str) -> list[str]:
        """The labels, as they are shown, of live articles that ``value`` may be a misspelling of, the nearest first."""

        def found() -> list[str]:
            nearest = nearest_labels(fold_label(value), self._name_tables(field))
            return self.labels(field).shown([label for label in nearest if len(self.docnums(field, label))])

        return self.noted((field, value, "nearest"), found)

    def published_between(self, docnums: Docnums, first: int, end: int) -> npt.NDArray[np.bool_] | slice:
        """Which of the ascending ``docnums`` were published from the instant ``first`` up to ``end``, exclusive.

        In ordered segments these are runs of docnums. Undated ones are never among them while ``first`` is 0 or more.
        """
        if not self.is_ordered_by_date:
            published = self.published_at(docnums)
            return (first <= published) & (published < end)
        runs: list[tuple[int, int]] = []
        for segment, base in self.segments:
            low, high = segment.published.searchsorted((first, end)).tolist()
            if low < high:
                runs.append((base + low, base + high))
        bounds = docnums.searchsorted(np.array(runs, dtype=np.int32).reshape(-1)).reshape(-1, 2)
        bounds = bounds[bounds[:, 0] < bounds[:, 1]]
        if len(bounds) == 0:
            return slice(0)
        if len(bounds) == 1:
            return slice(int(bounds[0, 0]), int(bounds[0, 1]))
        flags = np.zeros(len(docnums), dtype=np.bool_)
        for low, high in bounds.tolist():
            flags[low:high] = True
        return flags

    # What the page asks for ------------------------------------------------------------------------------

    def by_segment(self, docnums: Docnums) -> Iterator[tuple[SegmentView, int, Docnums]]:
        """Of ascending docnums those of each segment that has any: segment, its base, docnums inside it."""
        if len(self.segments) == 1 and len(docnums):
            yield *self.segments[0], docnums
            return
        bounds = docnums.searchsorted(self.bases).tolist()
        for number, (segment, base) in enumerate(self.segments):
            if bounds[number] < bounds[number + 1]:
                yield segment, base, docnums[bounds[number] : bounds[number + 1]] - base

    def published_at(self, docnums: Docnums) -> npt.NDArray[np.int64]:
        """The instant at which each of the docnums, in any order, was published, or UNDATED."""
        if len(self.segments) == 1:
            return self.segments[0][0].published[docnums]
        found = np.empty(len(docnums), dtype=np.int64)
        numbers = self.bases.searchsorted(docnums, side="right") - 1
        for number in np.flatnonzero(np.bincount(numbers)).tolist():
            segment, base = self.segments[number]
            here = numbers == number
            found[here] = segment.published[docnums[here] - base]
        return found

    def segment_of(self, docnum: int) -> tuple[SegmentView, int]:
        """The segment of a docnum, and its docnum inside it."""
        segment, base = self.segments[bisect_right(self._starts, docnum) - 1]
        return segment, docnum - base

    def published_of(self, docnum: int) -> int:
        """The instant at which a docnum was published, or UNDATED."""
        segment, inside = self.segment_of(docnum)
        return segment.published.item(inside)

    def runs_between(self, bounds: npt.NDArray[np.int64]) -> Docnums:
        """Where, in segments ordered by date, the articles of each time begin: a row a segment, a column a bound.

        The last column is the end of the segment. Searches ask for the same few years again and again.
        """
        key = bounds.tobytes()
        found = self._runs.get(key)
        if found is None:
            cuts = [
                np.append(segment.published.searchsorted(bounds), segment.doc_count) + base
                for segment, base in self.segments
            ]
            found = np.array(cuts, dtype=np.int32)
            self._runs.put_array(key, found)
        return found

    def article_id(self, docnum: int) -> str:
        """The id of the article with this docnum."""
        segment, inside = self.segment_of(docnum)
        return segment.ids((inside,))[0].decode()

    def labels(self, field: str) -> LabelColumn:
        """The labels of a field such as "topic"."""
        column = self._columns.get(field)
        if column is None:
            is_live = self.is_live if self.has_deletions else None
            column = self._columns[field] = LabelColumn(self.segments, self.bases, field, is_live)
        return column

    def kept_matches(self, node: Node, *, scored: bool) -> tuple[Docnums, npt.NDArray[np.float32] | float] | None:
        """What `keep_matches` kept for ``node``, if it is still there."""
        kept = self._matches.get((node, scored))
        if kept is None:
            return None
        return kept

    def keep_matches(
        self, node: Node, docnums: Docnums, scores: npt.NDArray[np.float32] | float, *, scored: bool
    ) -> None:
        """Keep the matches of ``node`` for the next searches."""
        size = docnums.nbytes + (0 if isinstance(scores, float) else scores.nbytes) + _MATCHES_BYTES
        if self._matches.takes(size):
            kept = alone(docnums), scores if isinstance(scores, float) else alone(scores)
            self._matches.put((node, scored), kept, size)

    def remembered(self, key: Hashable, make: Callable[[], Docnums]) -> Docnums:
        """What ``make`` gives, kept under ``key`` for the next searches."""
        found = self._cache.get(key)
        if found is None:
            found = make()
            self._cache.put_array(key, found)
        return found

    def noted(self, key: Hashable, make: Callable[[], Note]) -> Note:
        """What ``make`` gives, which is small and nobody may change, kept under ``key`` for the next searches."""
        found: Note | None = self._notes.get(key)
        if found is None:
            found = make()
            self._notes.put(key, found, 1)
        return found

    def vocabulary(self, field: str) -> Vocabulary:
        """The words of an exact field, such as "text_exact"."""
        return self._vocabularies.setdefault(field, Vocabulary(field, self.segments, self.doc_count_all))

    def expand(self, node: Pattern | Fuzzy) -> tuple[str, ...]:
        """The words that ``node`` stands for."""
        return self.vocabulary(f"{node.field or 'text'}_exact").expand(node).words

    def docnum(self, article_id: str) -> int | None:
        """The docnum of an article, or None when there is none with this id."""
        docnums = self.docnums("id", article_id)
        return int(docnums[-1]) if len(docnums) else None

    def stored(self, docnum: int) -> dict[str, Any]:
        """The stored article as `Article.to_dict` gave it, which nobody may change; those read last are kept."""
        found = self._articles.get(docnum)
        if found is None:
            segment, inside = self.segment_of(docnum)
            found = segment.stored(inside)["article"]
            self._articles.put(docnum, found, len(found["body"]) + _ARTICLE_BYTES)
        return found

    def stored_line(self, docnum: int) -> bytes:
        """The stored article unpacked, but not read: JSON in UTF-8, in which plain letters stand as they are."""
        segment, inside = self.segment_of(docnum)
        return segment.stored_line(inside)

    def article(self, docnum: int) -> Article:
        """The stored article."""
        return Article(**self.stored(docnum))

    def close(self) -> None:
        """Let go of the files."""
        self.segments = []

    def _name_tables(self, field: str) -> list[NameTable]:
        """The labels of a field and the words in them, segment by segment."""
        found = self._names.get(field)
        if found is None:
            found = self._names[field] = [NameTable(segment, field) for segment, _ in self.segments]
        return found

    def _all_occurrences(self, field: str, term: str) -> Occurrences:
        """Every place where ``term`` stands in a live article."""
        key = term.encode()
        parts = [segment.all_occurrences(field, key) + (base << POSITION_BITS) for segment, base in self.segments]
        found = _joined(parts, np.int64)
        if self.has_deletions:
            found = found[self.is_live[found >> POSITION_BITS]]
        self._cache.put_array((field, term, "occurrences"), found)
        return found

    def only_live(self, docnums: npt.NDArray[_Integer]) -> npt.NDArray[_Integer]:
        """The docnums without the deleted ones."""
        return docnums[self.is_live[docnums]] if self.has_deletions else docnums

    def _weights(self, field: str, term: str) -> npt.NDArray[np.float32]:
        """The weighted frequency of the term in each of its live docnums."""
        key = term.encode()
        weights = _joined([segment.weights(field, key) for segment, _ in self.segments], np.float32)
        if self.has_deletions:
            docnums = _joined([segment.docnums(field, key) + base for segment, base in self.segments], np.int32)
            return weights[self.is_live[docnums]]
        return weights

    def _weights_at(self, field: str, term: str, places: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The weighted frequency at these ascending places among the docnums of the term, where none is deleted."""
        key = term.encode()
        weights = np.empty(len(places), dtype=np.float32)
        done = begin = 0
        for segment, _ in self.segments:
            end = begin + segment.doc_frequency(field, key)
            last = int(places.searchsorted(end))
            if last > done:
                weights[done:last] = segment.weights(field, key, places[done:last] - begin)
            done, begin = last, end
        return weights

    def _bm25(
        self, field: str, weights: npt.NDArray[np.float32], docnums: npt.NDArray[np.integer], idf: float
    ) -> npt.NDArray[np.float32]:
        """The scores of docnums that have something of this rarity with these weights."""
        codes, norms = self._length_norms(field)
        scores: npt.NDArray[np.float32] = bm25(weights, norms.take(codes.take(docnums)), idf=idf, k1=self._settings.k1)
        return scores

    def _length_norms(self, field: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """The length code of the field in each docnum, and by length code what BM25 adds for the length."""
        found = self._lengths.get(field)
        if found is None:
            total = sum(segment.total_length(field) for segment, _ in self.segments)
            mean = total / max(self.doc_count_all, 1)
            norms = length_norms(LENGTHS, mean_length=mean or 1.0, k1=self._settings.k1, b=self._settings.b)
            codes = _joined([segment.length_codes(field) for segment, _ in self.segments], np.uint8)
            found = self._lengths[field] = codes, norms.astype(np.float32)
        return found


def _near(occurrences: Occurrences, among: Docnums) -> Occurrences:
    """The occurrences in ``among``, with others between them where leaving those out would take longer."""
    if len(among) * _MANY_BETWEEN > len(occurrences):
        return occurrences
    firsts = occurrences.searchsorted(first_occurrences(among))
    ends = occurrences.searchsorted(first_occurrences(among + 1))
    return occurrences[ranges(firsts, ends - firsts)]


def _joined(parts: list[npt.NDArray[_Scalar]], dtype: type[_Scalar]) -> npt.NDArray[_Scalar]:
    """The parts of all segments as one array, empty where there is no segment."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)
