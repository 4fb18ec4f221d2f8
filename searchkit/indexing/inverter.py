"""A batch of articles turned round: for each text field its terms, and for each term the articles it stands in.

The result is, posting by posting, what `TextField.index` yields article by article (`searchkit.indexing.schema` says
what the fields are), made by sorting the ranks of the terms. Docnums count the articles of the batch from 0.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from searchkit.analysis.batch import BatchAnalyzer
from searchkit.analysis.vocabulary import Ids, TermNumbers, Terms, UnitEntries
from searchkit.codec.kernels import stable_order, starts_of
from searchkit.indexing.schema import PART_GAP

_N_PARTS = 3  # title, summary, body: the texts of an article, in the order of their positions

_RUN_CHARS = 300_000
"""Articles are analysed in runs of about so many characters, whose arrays fit the processor's cache."""


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

    terms: Terms
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
    """Analyse and invert ``articles``, best about ten million characters at a time."""
    analyzer.forget_too_much()
    chars = (len(title) + len(summary) + len(body) for title, summary, body, _ in articles)
    sizes = np.fromiter(chars, np.int64, len(articles))
    max_positions = int(sizes.max(initial=0)) + (_N_PARTS - 1) * PART_GAP
    layout = _Layout(len(articles), max_positions.bit_length())
    runs = [_analyse(articles[first:last], first, analyzer, layout) for first, last in _cut(sizes)]
    is_used = np.zeros(len(analyzer.position_counts), np.bool_)
    for run in runs:
        is_used[run.ids] = True
    used = np.flatnonzero(is_used)
    terms = _ranked(analyzer.terms, used, analyzer.vocabulary)
    text, title = _scored_fields(_sorted_occurrences(runs, terms), terms.terms, layout, title_weight)
    words = _ranked(analyzer.words, used, analyzer.vocabulary)
    text_exact, title_exact = _exact_fields(_sorted_occurrences(_taken(runs), words), words.terms, layout)
    return InvertedBatch(text, text_exact, title, title_exact)


# Where a term occurs is one integer, a place. From its highest bits:
#     docnum | position | 1 outside the title, 0 in it
# Places are found in rising order, so that sorting them by the rank of their term, equal ranks left in order, puts them
# as they should stand in the index. Ranks are small integers, which a radix sort orders several times faster than numpy
# sorts ranks and places joined in 64 bits.

Places = npt.NDArray[np.unsignedinteger]


class _Layout(NamedTuple):
    """How many articles there are, and how many bits of a place are its position's."""

    doc_count: int
    position_bits: int

    @property
    def doc_shift(self) -> int:
        """The bits below the docnum."""
        return self.position_bits + 1

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger]:
        """The narrowest integers for places."""
        return np.dtype(np.uint32 if self.doc_count.bit_length() + self.doc_shift <= 32 else np.uint64)


class _Run(NamedTuple):
    """Some successive articles of a batch: their units and the places of these."""

    ids: Ids
    places: Places


class _Ranks(NamedTuple):
    """Terms in their order: where each stands among them, by number and by the unit it is the first of."""

    terms: Terms
    by_number: npt.NDArray[np.int32]
    by_unit: npt.NDArray[np.int32]
    """As many as there are terms, for a unit without a first one."""
    entries: UnitEntries


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
    keys = first_docnum + np.arange(len(articles), dtype=np.int64)[:, np.newaxis] << layout.doc_shift
    keys = keys + (gaps << 1) + np.array([0, 1, 1])
    places = analysed.positions << 1
    places += np.repeat(keys.ravel(), np.diff(analysed.bounds))
    return _Run(analysed.ids, places.astype(layout.dtype))


def _part_positions(position_counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where title, summary and body of each article begin, in three columns, by the positions of each text."""
    lasts = np.maximum(position_counts.reshape(-1, _N_PARTS) - 1, 0)
    starts = np.zeros_like(lasts)
    np.cumsum(lasts[:, :-1] + PART_GAP, axis=1, out=starts[:, 1:])
    return starts


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


class _Occurrences(NamedTuple):
    """Where the terms of a field occur: term i from ``starts[i]`` to ``starts[i + 1]``."""

    places: Places
    starts: npt.NDArray[np.int64]
    """One more than there are terms."""


def _taken(runs: list[_Run]) -> Iterator[_Run]:
    """Each of ``runs``, which are let go of one by one, as sorting takes much room."""
    runs.reverse()
    while runs:
        yield runs.pop()


def _sorted_occurrences(runs: Iterable[_Run], ranks: _Ranks) -> _Occurrences:
    """All occurrences of all terms, sorted."""
    found = [_occurrences(run, ranks) for run in runs]
    term_ranks = np.concatenate([np.empty(0, np.int32), *(of_run for of_run, _ in found)])
    places = np.concatenate([np.empty(0, np.uint32), *(of_run for _, of_run in found)])
    del found
    counts = np.bincount(term_ranks, minlength=len(ranks.terms) + 1)[:-1]  # the last: units without a first term
    starts = starts_of(counts)
    return _Occurrences(places[stable_order(term_ranks, len(ranks.terms))[: starts[-1]]], starts)


def _occurrences(run: _Run, ranks: _Ranks) -> tuple[npt.NDArray[np.int32], Places]:
    """Rank and place of all terms in a run, in the order of the places."""
    firsts = ranks.by_unit.take(run.ids)
    units, numbers, positions = ranks.entries.others(run.ids)
    if not len(units):
        return firsts, run.places
    slots = units + np.arange(1, len(units) + 1)  # behind the first of its unit and all others before
    is_first = np.ones(len(firsts) + len(units), np.bool_)
    is_first[slots] = False
    term_ranks = np.empty(len(is_first), np.int32)
    term_ranks[is_first] = firsts
    term_ranks[slots] = ranks.by_number.take(numbers)
    places = np.empty(len(is_first), run.places.dtype)
    places[is_first] = run.places
    places[slots] = run.places.take(units) + (positions << 1).astype(places.dtype)
    return term_ranks, places


class _Postings(NamedTuple):
    """The postings of sorted occurrences."""

    docnums: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    """Of each posting, its first occurrence; at last the number of occurrences."""
    term_starts: npt.NDArray[np.int64]
    """Of each term, its first posting; at last the number of postings."""

    @property
    def frequencies(self) -> npt.NDArray[np.int32]:
        """Of each posting, how many occurrences it has."""
        return np.diff(self.starts).astype(np.int32)


def _postings(occurrences: _Occurrences, layout: _Layout) -> _Postings:
    docnums = occurrences.places >> occurrences.places.dtype.type(layout.doc_shift)
    is_start = np.ones(len(docnums) + 1, np.bool_)
    np.not_equal(docnums[1:], docnums[:-1], out=is_start[1:-1])
    is_start[occurrences.starts] = True
    starts = np.flatnonzero(is_start)
    return _Postings(docnums[starts[:-1]].astype(np.int32), starts, np.searchsorted(starts, occurrences.starts))


def _in_titles(occurrences: _Occurrences) -> tuple[_Occurrences, npt.NDArray[np.int64]]:
    """The occurrences in titles, of those terms that have any; and which terms these are."""
    in_title = np.flatnonzero((occurrences.places & occurrences.places.dtype.type(1)) == 0)
    starts = np.searchsorted(in_title, occurrences.starts)
    terms = np.flatnonzero(starts[1:] > starts[:-1])
    return _Occurrences(occurrences.places[in_title], np.append(starts[terms], len(in_title))), terms


def _scored_fields(
    occurrences: _Occurrences, terms: Terms, layout: _Layout, title_weight: float
) -> tuple[InvertedField, InvertedField]:
    """The field of whole articles, and that of their titles."""
    whole = _postings(occurrences, layout)
    title_occurrences, title_terms = _in_titles(occurrences)
    title = _postings(title_occurrences, layout)
    frequencies, title_frequencies = whole.frequencies, title.frequencies
    weights = frequencies.astype(np.float64)
    begin_in_title = np.flatnonzero((occurrences.places[whole.starts[:-1]] & 1) == 0)
    weights[begin_in_title] = _weights(title_frequencies, frequencies[begin_in_title], title_weight)
    title_weights = title_frequencies.astype(np.float64)
    return (
        _scored_field(occurrences, whole, weights, terms, layout),
        _scored_field(title_occurrences, title, title_weights, terms.at(title_terms), layout),
    )


def _scored_field(
    occurrences: _Occurrences,
    postings: _Postings,
    weights: npt.NDArray[np.float64],
    terms: Terms,
    layout: _Layout,
) -> InvertedField:
    of = occurrences.places.dtype.type
    positions = occurrences.places >> of(1)
    positions &= of((1 << layout.position_bits) - 1)
    frequencies = postings.frequencies
    return InvertedField(
        terms=terms,
        term_offsets=postings.term_starts,
        docnums=postings.docnums,
        frequencies=frequencies,
        weights=weights,
        position_offsets=postings.starts,
        positions=positions.astype(np.uint32, copy=False),
        lengths=np.bincount(postings.docnums, frequencies, layout.doc_count).astype(np.int64),
    )


def _exact_fields(occurrences: _Occurrences, terms: Terms, layout: _Layout) -> tuple[InvertedField, InvertedField]:
    """The exact field of whole articles, and that of their titles."""
    in_titles, title_terms = _in_titles(occurrences)
    return (
        _exact_field(_postings(occurrences, layout), terms, layout),
        _exact_field(_postings(in_titles, layout), terms.at(title_terms), layout),
    )


def _exact_field(postings: _Postings, terms: Terms, layout: _Layout) -> InvertedField:
    count = len(postings.docnums)
    return InvertedField(
        terms=terms,
        term_offsets=postings.term_starts,
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
