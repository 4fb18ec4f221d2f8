"""A batch of articles turned round: for each text field its terms, and for each term the articles it stands in.

The result is, posting by posting, what `TextField.index` yields article by article (`searchkit.indexing.schema` says
what the fields are), made by sorting one array of integers. Docnums count the articles of the batch from 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from searchkit.analysis.batch import BatchAnalyzer
from searchkit.analysis.vocabulary import Ids, TermNumbers, UnitEntries
from searchkit.indexing.schema import PART_GAP

_N_PARTS = 3  # title, summary, body: the texts of an article, in the order of their positions

_RUN_CHARS = 100_000
"""Articles are analysed in runs of about so many characters, whose arrays fit the processor's cache."""

_BLOCK = 1 << 15
"""Occurrences taken apart at a time, for the same reason."""


class ArticleText(NamedTuple):
    """What is searched in an article, and the language it is written in."""

    title: str
    summary: str
    body: str
    language: str


@dataclass(frozen=True, slots=True)
class InvertedField:
    """One field of a batch. Term i has the postings from ``term_offsets[i]`` to ``term_offsets[i + 1]``.

    Posting j has the positions from ``position_offsets[j]`` to ``position_offsets[j + 1]``, as many as its frequency.
    Fields without scores have frequencies and weights of 1, and no positions (None).
    """

    terms: list[bytes]
    """Different, ascending."""
    term_offsets: npt.NDArray[np.int64]
    docnums: npt.NDArray[np.int32]
    """Of each posting; ascending within a term."""
    frequencies: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float64]
    position_offsets: npt.NDArray[np.int64] | None
    positions: npt.NDArray[np.uint32] | None
    """Ascending within a posting; one term may stand at a position twice."""
    lengths: npt.NDArray[np.int64]
    """Of each article: the sum of its frequencies; 0 in fields without scores."""


@dataclass(frozen=True, slots=True)
class InvertedBatch:
    """The four text fields of a batch of articles."""

    text: InvertedField
    text_exact: InvertedField
    title: InvertedField
    title_exact: InvertedField


def invert(articles: Sequence[ArticleText], analyzer: BatchAnalyzer, *, title_weight: float) -> InvertedBatch:
    """Analyse and invert ``articles``, best about ten million characters at a time.

    Raises ValueError for a batch whose terms, articles and positions cannot be counted together in 63 bits: far more
    than fits into memory.
    """
    analyzer.forget_too_much()
    layout = _layout(articles)
    runs = [_analyse(articles[first:last], first, analyzer, layout) for first, last in _cut(articles)]
    is_used = np.zeros(len(analyzer.position_counts), np.bool_)
    for run in runs:
        is_used[run.ids] = True
    used = np.flatnonzero(is_used)
    text, title = _fields(runs, _ranked(analyzer.terms, used, analyzer.vocabulary), layout, title_weight)
    exact_runs = [_Run(run.ids, _without_positions(run.places, layout)) for run in runs]
    words = _ranked(analyzer.words, used, analyzer.vocabulary)
    text_exact, title_exact = _fields(exact_runs, words, _Layout(layout.doc_count, layout.doc_bits, 0), title_weight)
    return InvertedBatch(text, text_exact, title, title_exact)


# An occurrence is one integer, which sorts as it should stand in the index. From its highest bits:
#     rank of the term | docnum | position | 1 outside the title, 0 in it
# Sorting the integers themselves, with numpy's vector instructions, takes as long as one pass of a radix argsort over
# 16 bits, and nothing needs to be gathered afterwards. Without the rank it is called a place. The exact fields have no
# positions: equal places then fall together and are counted once.

Integers = npt.NDArray[np.uint64]


class _Layout(NamedTuple):
    """How many articles there are, and the width of the parts of an occurrence."""

    doc_count: int
    doc_bits: int
    position_bits: int

    @property
    def posting_shift(self) -> np.uint64:
        """The bits below the docnum."""
        return np.uint64(self.position_bits + 1)

    @property
    def rank_shift(self) -> np.uint64:
        """The bits below the rank."""
        return np.uint64(self.doc_bits + self.position_bits + 1)


class _Run(NamedTuple):
    """Some successive articles of a batch: their units and the places of these."""

    ids: Ids
    places: Integers


class _Ranks(NamedTuple):
    """Terms in their order: where each stands among them, by number and by the unit it is the first of."""

    terms: list[bytes]
    by_number: npt.NDArray[np.int32]
    by_unit: npt.NDArray[np.int32]
    """As many as there are terms, for a unit without a first one."""
    entries: UnitEntries


def _layout(articles: Sequence[ArticleText]) -> _Layout:
    most_chars = max((len(title) + len(summary) + len(body) for title, summary, body, _ in articles), default=0)
    most_positions = most_chars + (_N_PARTS - 1) * PART_GAP
    return _Layout(len(articles), len(articles).bit_length(), most_positions.bit_length())


def _cut(articles: Sequence[ArticleText]) -> list[tuple[int, int]]:
    """Cut the articles into runs of about `_RUN_CHARS` characters: first and last + 1 of each."""
    sizes = (len(title) + len(summary) + len(body) for title, summary, body, _ in articles)
    ends = np.cumsum(np.fromiter(sizes, np.int64, len(articles)))
    cuts = np.flatnonzero(np.diff(ends // _RUN_CHARS)) + 1
    return list(pairwise([0, *cuts.tolist(), len(articles)])) if articles else []


def _analyse(articles: Sequence[ArticleText], first_docnum: int, analyzer: BatchAnalyzer, layout: _Layout) -> _Run:
    texts = [text for article in articles for text in article[:_N_PARTS]]
    languages = [article.language for article in articles for _ in range(_N_PARTS)]
    analysed = analyzer.analyse(texts, languages)
    text_starts = analysed.text_positions[:-1]
    gaps = _part_positions(np.diff(analysed.text_positions)) - text_starts.reshape(-1, _N_PARTS)
    keys = first_docnum + np.arange(len(articles), dtype=np.int64)[:, np.newaxis] << layout.position_bits + 1
    keys = keys + (gaps << 1) + np.array([0, 1, 1])
    places = analysed.positions << 1
    places += np.repeat(keys.ravel(), np.diff(analysed.bounds))
    return _Run(analysed.ids, places.view(np.uint64))


def _part_positions(position_counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where title, summary and body of each article begin, in three columns, by the positions of each text."""
    lasts = np.maximum(position_counts.reshape(-1, _N_PARTS) - 1, 0)
    starts = np.zeros_like(lasts)
    np.cumsum(lasts[:, :-1] + PART_GAP, axis=1, out=starts[:, 1:])
    return starts


def _without_positions(places: Integers, layout: _Layout) -> Integers:
    return (places >> layout.posting_shift << np.uint64(1)) | (places & np.uint64(1))


def _ranked(entries: UnitEntries, used: npt.NDArray[np.int64], vocabulary: TermNumbers) -> _Ranks:
    """The terms that the ``used`` units stand for, in order."""
    firsts = entries.firsts[used]
    is_there = np.zeros(len(vocabulary), np.bool_)
    is_there[firsts[firsts >= 0]] = True
    is_there[entries.others(used)[1]] = True
    ordered = vocabulary.in_order(np.flatnonzero(is_there))
    by_number = np.full(len(vocabulary) + 1, len(ordered), np.int32)  # the last one is what -1 gets
    by_number[ordered] = np.arange(len(ordered), dtype=np.int32)
    by_unit = np.zeros(len(entries.firsts), np.int32)
    by_unit[used] = by_number[firsts]
    return _Ranks(vocabulary.texts(ordered), by_number, by_unit, entries)


def _fields(
    runs: Sequence[_Run], ranks: _Ranks, layout: _Layout, title_weight: float
) -> tuple[InvertedField, InvertedField]:
    """The field of whole articles, and that of their titles."""
    occurrences = _sorted_occurrences(runs, ranks, layout)
    whole = _read(occurrences, layout)
    title = _read(whole.in_title, layout)
    frequencies = whole.frequencies.astype(np.float64)
    in_title = np.flatnonzero(whole.begins_in_title)
    frequencies[in_title] = _weights(title.frequencies, whole.frequencies[in_title], title_weight)
    return (
        _field(whole, frequencies, ranks.terms, layout),
        _field(title, title.frequencies.astype(np.float64), ranks.terms, layout),
    )


def _sorted_occurrences(runs: Sequence[_Run], ranks: _Ranks, layout: _Layout) -> Integers:
    """All occurrences of all terms, sorted."""
    shift = layout.rank_shift
    by_number = ranks.by_number.astype(np.uint64) << shift
    by_unit = ranks.by_unit.astype(np.uint64) << shift
    firsts = np.empty(sum(len(run.ids) for run in runs), np.uint64)
    others = [np.empty(0, np.uint64)]
    end = 0
    for ids, places in runs:
        start, end = end, end + len(ids)
        np.bitwise_or(by_unit.take(ids), places, out=firsts[start:end])
        units, numbers, positions = ranks.entries.others(ids)
        if layout.position_bits:
            places = places[units] + (positions.astype(np.uint64) << np.uint64(1))
        others.append(by_number[numbers] | (places if layout.position_bits else places[units]))
    occurrences = np.concatenate((firsts, *others))
    occurrences.sort()
    return occurrences[: np.searchsorted(occurrences, np.uint64(len(ranks.terms)) << shift)]


class _Postings(NamedTuple):
    """Sorted occurrences taken apart."""

    keys: Integers
    """Of each posting: rank of the term | docnum."""
    starts: npt.NDArray[np.int64]
    """Of each posting, its first occurrence; at last the number of occurrences."""
    positions: npt.NDArray[np.uint32]
    begins_in_title: npt.NDArray[np.bool_]
    in_title: Integers
    """The occurrences in titles."""

    @property
    def frequencies(self) -> npt.NDArray[np.int64]:
        """Of each posting, how many occurrences it has."""
        return np.diff(self.starts)


def _read(occurrences: Integers, layout: _Layout) -> _Postings:
    """Take sorted occurrences apart, block by block: arrays as long as a batch do not fit the processor's cache."""
    positions = np.empty(len(occurrences), np.uint32)
    mask = np.uint64((1 << layout.position_bits) - 1)
    keys, starts, begins_in_title, in_title = [], [], [], []
    before = np.uint64(np.iinfo(np.uint64).max)
    for first in range(0, len(occurrences), _BLOCK):
        block = occurrences[first : first + _BLOCK]
        postings = block >> layout.posting_shift
        is_start = np.empty(len(block), np.bool_)
        is_start[0] = postings[0] != before
        np.not_equal(postings[1:], postings[:-1], out=is_start[1:])
        before = postings[-1]
        starting = np.flatnonzero(is_start)
        is_title = (block & np.uint64(1)) == 0
        keys.append(postings[starting])
        starts.append(starting + first)
        begins_in_title.append(is_title[starting])
        in_title.append(block[is_title])
        positions[first : first + len(block)] = block >> np.uint64(1) & mask
    starts.append(np.array([len(occurrences)]))
    return _Postings(
        np.concatenate([np.empty(0, np.uint64), *keys]),
        np.concatenate(starts),
        positions,
        np.concatenate([np.empty(0, np.bool_), *begins_in_title]),
        np.concatenate([np.empty(0, np.uint64), *in_title]),
    )


def _field(
    postings: _Postings, weights: npt.NDArray[np.float64], terms: list[bytes], layout: _Layout
) -> InvertedField:
    """The field with these postings."""
    ranks = postings.keys >> np.uint64(layout.doc_bits)
    docnums = (postings.keys & np.uint64((1 << layout.doc_bits) - 1)).astype(np.int32)
    is_first = np.ones(len(ranks), np.bool_)
    np.not_equal(ranks[1:], ranks[:-1], out=is_first[1:])
    term_starts = np.flatnonzero(is_first)
    is_scored = layout.position_bits > 0
    frequencies = postings.frequencies.astype(np.int32)
    return InvertedField(
        terms=[terms[rank] for rank in ranks[term_starts].tolist()],
        term_offsets=np.append(term_starts, len(ranks)),
        docnums=docnums,
        frequencies=frequencies if is_scored else np.ones(len(ranks), np.int32),
        weights=weights if is_scored else np.ones(len(ranks)),
        position_offsets=postings.starts if is_scored else None,
        positions=postings.positions if is_scored else None,
        lengths=np.bincount(docnums, frequencies, layout.doc_count).astype(np.int64) if is_scored else np.zeros(layout.doc_count, np.int64),
    )


def _weights(
    in_title: npt.NDArray[np.int64], all_together: npt.NDArray[np.int64], title_weight: float
) -> npt.NDArray[np.float64]:
    """The summed weight of occurrences: ``title_weight`` for each in the title, 1 for each outside it.

    Rounded as adding one after the other rounds, which shows only where the title's weight is no binary fraction.
    """
    outside = all_together - in_title
    if float(title_weight * 1024).is_integer():
        return in_title * title_weight + outside
    pairs, which = np.unique(np.stack((in_title, outside)), axis=1, return_inverse=True)
    sums = [reduce(float.__add__, [title_weight] * title + [1.0] * rest, 0.0) for title, rest in pairs.T.tolist()]
    return np.array(sums)[which.ravel()]
