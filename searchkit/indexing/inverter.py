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

_RUN_CHARS = 300_000
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

    Raises ValueError for a batch whose terms, articles and positions cannot be counted together in 64 bits: far more
    than fits into memory.
    """
    analyzer.forget_too_much()
    chars = (len(title) + len(summary) + len(body) for title, summary, body, _ in articles)
    sizes = np.fromiter(chars, np.int64, len(articles))
    max_positions = int(sizes.max(initial=0)) + (_N_PARTS - 1) * PART_GAP
    scored = _Layout(len(articles), max_positions.bit_length())
    exact = _Layout(len(articles), 0)
    runs = [_analyse(articles[first:last], first, analyzer, scored) for first, last in _cut(sizes)]
    exact_runs = [_Run(run.ids, _without_positions(run.places, scored)) for run in runs]
    is_used = np.zeros(len(analyzer.position_counts), np.bool_)
    for run in runs:
        is_used[run.ids] = True
    used = np.flatnonzero(is_used)
    terms = _ranked(analyzer.terms, used, analyzer.vocabulary)
    words = _ranked(analyzer.words, used, analyzer.vocabulary)
    text, title = _scored_fields(_sorted_occurrences(runs, terms, scored), terms, scored, title_weight)
    text_exact, title_exact = _exact_fields(_sorted_occurrences(exact_runs, words, exact), words, exact)
    return InvertedBatch(text, text_exact, title, title_exact)


# An occurrence is one integer, which sorts as it should stand in the index. From its highest bits:
#     rank of the term | docnum | position | 1 outside the title, 0 in it
# Sorting the integers themselves, with numpy's vector instructions, takes as long as one pass of a radix argsort over
# 16 bits, and nothing needs to be gathered afterwards. Without the rank it is called a place. The exact fields have no
# positions: equal places then fall together and are counted once.

Integers = npt.NDArray[np.unsignedinteger]


class _Layout(NamedTuple):
    """How many articles there are, and how many bits of an occurrence are its position's."""

    doc_count: int
    position_bits: int

    @property
    def doc_bits(self) -> int:
        """The bits of the docnum."""
        return self.doc_count.bit_length()

    @property
    def posting_shift(self) -> int:
        """The bits below the docnum."""
        return self.position_bits + 1

    @property
    def rank_shift(self) -> int:
        """The bits below the rank."""
        return self.doc_bits + self.position_bits + 1

    def dtype(self, term_count: int) -> np.dtype[np.unsignedinteger]:
        """The narrowest integers for occurrences of so many terms: half the width sorts in a third of the time."""
        bits = self.rank_shift + term_count.bit_length()
        if bits > 64:
            raise ValueError(f"{self.doc_count} articles, one with 2**{self.position_bits} characters: cut the batch")
        return np.dtype(np.uint32 if bits <= 32 else np.uint64)


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


def stable_order(keys: npt.NDArray[np.integer], largest: int) -> npt.NDArray[np.int64]:
    """The indexes that sort integers from 0 to ``largest``, those of equal ones in order: a radix sort.

    numpy sorts 16 bits at a time in a fifth of the time that whole integers take it, and there are hardly ever more
    than twice as many.
    """
    order = np.argsort(keys.astype(np.uint16), kind="stable")
    for shift in range(16, largest.bit_length(), 16):
        digits = (keys >> keys.dtype.type(shift)).astype(np.uint16)
        order = order[np.argsort(digits[order], kind="stable")]
    return order


def _cut(sizes: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Cut the articles, of so many characters each, into runs of about `_RUN_CHARS`: first and last + 1 of each."""
    cuts = np.flatnonzero(np.diff(np.cumsum(sizes) // _RUN_CHARS)) + 1
    return list(pairwise([0, *cuts.tolist(), len(sizes)])) if len(sizes) else []


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
    return (places >> np.uint64(layout.posting_shift) << np.uint64(1)) | (places & np.uint64(1))


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


def _sorted_occurrences(runs: Sequence[_Run], ranks: _Ranks, layout: _Layout) -> Integers:
    """All occurrences of all terms, sorted."""
    dtype = layout.dtype(len(ranks.terms))
    by_number = ranks.by_number.astype(dtype) << dtype.type(layout.rank_shift)
    by_unit = ranks.by_unit.astype(dtype) << dtype.type(layout.rank_shift)
    found = []
    for ids, run_places in runs:
        places = run_places.astype(dtype, copy=False)
        firsts = by_unit.take(ids)
        firsts |= places
        units, numbers, positions = ranks.entries.others(ids)
        others = by_number.take(numbers)
        others |= places.take(units)
        if layout.position_bits:
            others += positions.astype(dtype) << dtype.type(1)
        found += [firsts, others]
    occurrences = np.concatenate([np.empty(0, dtype), *found])
    occurrences.sort()
    beyond = dtype.type(len(ranks.terms) << layout.rank_shift)  # units without a first term
    return occurrences[: np.searchsorted(occurrences, beyond)]


class _Postings(NamedTuple):
    """Sorted occurrences taken apart."""

    ranks: npt.NDArray[np.int32]
    docnums: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    """Of each posting, its first occurrence; at last the number of occurrences."""
    begins_in_title: npt.NDArray[np.bool_]
    in_title: Integers
    """The occurrences in titles."""

    @property
    def frequencies(self) -> npt.NDArray[np.int32]:
        """Of each posting, how many occurrences it has."""
        return np.diff(self.starts).astype(np.int32)

    @property
    def term_starts(self) -> npt.NDArray[np.int64]:
        """The first posting of each term."""
        is_first = np.ones(len(self.ranks), np.bool_)
        np.not_equal(self.ranks[1:], self.ranks[:-1], out=is_first[1:])
        return np.flatnonzero(is_first)


def _read(occurrences: Integers, layout: _Layout) -> _Postings:
    """Take sorted occurrences apart, block by block: arrays as long as a batch do not fit the processor's cache."""
    of = occurrences.dtype.type
    doc_mask = of((1 << layout.doc_bits) - 1)
    ranks, docnums = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
    starts, begins_in_title, in_title = [], [np.empty(0, np.bool_)], [occurrences[:0]]
    before = np.iinfo(occurrences.dtype).max
    for first in range(0, len(occurrences), _BLOCK):
        block = occurrences[first : first + _BLOCK]
        postings = block >> of(layout.posting_shift)
        is_start = np.empty(len(block), np.bool_)
        is_start[0] = postings[0] != before
        np.not_equal(postings[1:], postings[:-1], out=is_start[1:])
        before = postings[-1]
        starting = np.flatnonzero(is_start)
        postings = postings[starting]
        is_title = (block & of(1)) == 0
        ranks.append((postings >> of(layout.doc_bits)).astype(np.int32))
        docnums.append((postings & doc_mask).astype(np.int32))
        starts.append(starting + first)
        begins_in_title.append(is_title[starting])
        in_title.append(block[is_title])
    starts.append(np.array([len(occurrences)]))
    return _Postings(
        np.concatenate(ranks),
        np.concatenate(docnums),
        np.concatenate(starts),
        np.concatenate(begins_in_title),
        np.concatenate(in_title),
    )


def _scored_fields(
    occurrences: Integers, ranks: _Ranks, layout: _Layout, title_weight: float
) -> tuple[InvertedField, InvertedField]:
    """The field of whole articles, and that of their titles."""
    whole = _read(occurrences, layout)
    title = _read(whole.in_title, layout)
    title_weights = title.frequencies.astype(np.float64)
    weights = whole.frequencies.astype(np.float64)
    in_title = np.flatnonzero(whole.begins_in_title)
    weights[in_title] = _weights(title.frequencies, whole.frequencies[in_title], title_weight)
    return (
        _scored_field(occurrences, whole, weights, ranks.terms, layout),
        _scored_field(whole.in_title, title, title_weights, ranks.terms, layout),
    )


def _scored_field(
    occurrences: Integers,
    postings: _Postings,
    weights: npt.NDArray[np.float64],
    terms: list[bytes],
    layout: _Layout,
) -> InvertedField:
    of = occurrences.dtype.type
    mask = of((1 << layout.position_bits) - 1)
    positions = np.empty(len(occurrences), np.uint32)
    for first in range(0, len(occurrences), _BLOCK):
        positions[first : first + _BLOCK] = occurrences[first : first + _BLOCK] >> of(1) & mask
    term_starts = postings.term_starts
    frequencies = postings.frequencies
    return InvertedField(
        terms=[terms[rank] for rank in postings.ranks[term_starts].tolist()],
        term_offsets=np.append(term_starts, len(weights)),
        docnums=postings.docnums,
        frequencies=frequencies,
        weights=weights,
        position_offsets=postings.starts,
        positions=positions,
        lengths=np.bincount(postings.docnums, frequencies, layout.doc_count).astype(np.int64),
    )


def _exact_fields(occurrences: Integers, ranks: _Ranks, layout: _Layout) -> tuple[InvertedField, InvertedField]:
    """The exact field of whole articles, and that of their titles."""
    whole = _read(occurrences, layout)
    title = _read(whole.in_title, layout)
    return _exact_field(whole, ranks.terms, layout), _exact_field(title, ranks.terms, layout)


def _exact_field(postings: _Postings, terms: list[bytes], layout: _Layout) -> InvertedField:
    term_starts = postings.term_starts
    count = len(postings.docnums)
    return InvertedField(
        terms=[terms[rank] for rank in postings.ranks[term_starts].tolist()],
        term_offsets=np.append(term_starts, count),
        docnums=postings.docnums,
        frequencies=np.broadcast_to(np.int32(1), count),
        weights=np.broadcast_to(np.float64(1.0), count),
        position_offsets=None,
        positions=None,
        lengths=np.zeros(layout.doc_count, np.int64),
    )


def _weights(
    in_title: npt.NDArray[np.int32], all_together: npt.NDArray[np.int32], title_weight: float
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
