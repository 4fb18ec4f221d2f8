"""A batch of articles turned round: for each text field its terms, and for each term the articles it stands in.

The result is, posting by posting, what `TextField.index` yields article by article (`searchkit.indexing.schema` says
what the fields are), made by sorting one array of integers. Docnums count the articles of the batch from 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from searchkit.analysis.batch import AnalysedTexts, BatchAnalyzer
from searchkit.analysis.vocabulary import Ids, TermNumbers
from searchkit.indexing.schema import PART_GAP

_N_PARTS = 3  # title, summary, body: the texts of an article, in the order of their positions


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
    texts = [text for article in articles for text in article[:_N_PARTS]]
    languages = [article.language for article in articles for _ in range(_N_PARTS)]
    analysed = analyzer.analyse(texts, languages)
    text, title = _scored_fields(analysed, analyzer.vocabulary, len(articles), title_weight)
    text_exact, title_exact = _exact_fields(analysed, analyzer.vocabulary, len(articles))
    return InvertedBatch(text, text_exact, title, title_exact)


# --------------------------------------------------------------------------------------------- scored fields
# An occurrence is one integer that sorts as it should stand in the index, highest bits first:
#     rank of the term | docnum | position | 1 outside the title, 0 in it
# Sorting the integers themselves, with numpy's vector instructions, takes as long as one pass of a radix argsort, and
# nothing needs to be gathered afterwards. The positions of the title come before all others.


class _Layout(NamedTuple):
    """The width of an occurrence's parts."""

    doc_bits: int
    position_bits: int


def _scored_fields(
    analysed: AnalysedTexts, vocabulary: TermNumbers, doc_count: int, title_weight: float
) -> tuple[InvertedField, InvertedField]:
    """The fields text and title."""
    ordered, ranks = _ranked(analysed.terms, vocabulary)
    bases = _part_positions(analysed.position_counts)
    position_bits = int(bases.max(initial=0) + analysed.position_counts.max(initial=0)).bit_length()
    doc_bits = doc_count.bit_length()
    if len(ordered).bit_length() + doc_bits + position_bits > 63:
        raise ValueError(f"{doc_count} articles of up to 2**{position_bits} words are too many for one batch")
    occurrences = analysed.positions.astype(np.uint64) << np.uint64(1)
    occurrences += np.repeat(_part_keys(bases, position_bits), np.diff(analysed.term_offsets))
    occurrences |= ranks.astype(np.uint64) << np.uint64(doc_bits + position_bits + 1)
    occurrences.sort()
    in_title = occurrences[(occurrences & np.uint64(1)) == 0]
    terms = vocabulary.texts(ordered)
    part_lengths = np.diff(analysed.term_offsets).reshape(-1, _N_PARTS)
    layout = _Layout(doc_bits, position_bits)
    whole = _scored_field(occurrences, terms, part_lengths.sum(axis=1), layout, title_weight)
    return whole, _scored_field(in_title, terms, part_lengths[:, 0], layout, 1.0)


def _part_positions(position_counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where title, summary and body of each article begin: an array of three columns."""
    lasts = np.maximum(position_counts.reshape(-1, _N_PARTS) - 1, 0)
    bases = np.zeros_like(lasts)
    np.cumsum(lasts[:, :-1] + PART_GAP, axis=1, out=bases[:, 1:])
    return bases


def _part_keys(bases: npt.NDArray[np.int64], position_bits: int) -> npt.NDArray[np.uint64]:
    """For each part of each article the low bits of its occurrences: docnum, first position, outside the title."""
    docnums = np.arange(len(bases), dtype=np.int64)[:, np.newaxis]
    keys = docnums << (position_bits + 1) | bases << 1
    keys[:, 1:] |= 1
    return keys.ravel().view(np.uint64)


def _scored_field(
    occurrences: npt.NDArray[np.uint64],
    terms: list[bytes],
    lengths: npt.NDArray[np.int64],
    layout: _Layout,
    title_weight: float,
) -> InvertedField:
    """The field with these sorted occurrences of ``terms``."""
    doc_bits, position_bits = layout
    starts = _run_starts(occurrences >> np.uint64(position_bits + 1))
    position_offsets = np.append(starts, len(occurrences))
    frequencies = np.diff(position_offsets).astype(np.int32)
    outside = np.add.reduceat(occurrences & np.uint64(1), starts) if len(starts) else starts
    postings = occurrences[starts] >> np.uint64(position_bits + 1)
    ranks = postings >> np.uint64(doc_bits)
    term_starts = _run_starts(ranks)
    positions = (occurrences >> np.uint64(1)) & np.uint64((1 << position_bits) - 1)
    return InvertedField(
        terms=[terms[rank] for rank in ranks[term_starts].tolist()],
        term_offsets=np.append(term_starts, len(postings)),
        docnums=(postings & np.uint64((1 << doc_bits) - 1)).astype(np.int32),
        frequencies=frequencies,
        weights=_weights(frequencies - outside.astype(np.int32), outside.astype(np.int32), title_weight),
        position_offsets=position_offsets,
        positions=positions.astype(np.uint32),
        lengths=lengths,
    )


def _weights(
    in_title: npt.NDArray[np.int32], outside: npt.NDArray[np.int32], title_weight: float
) -> npt.NDArray[np.float64]:
    """The summed weight of occurrences: ``title_weight`` for each in the title, 1 for each outside it.

    Rounded as adding one after the other rounds, which shows only where the title's weight is no binary fraction.
    """
    weights = in_title * title_weight + outside
    if float(title_weight * 1024).is_integer():
        return weights
    heavy = np.flatnonzero(in_title)
    pairs, which = np.unique(np.stack((in_title[heavy], outside[heavy])), axis=1, return_inverse=True)
    sums = [sum([title_weight] * title + [1.0] * rest) for title, rest in pairs.T.tolist()]
    weights[heavy] = np.array(sums)[which]
    return weights


# --------------------------------------------------------------------------------------------- exact fields
# Here a word's posting is all there is: rank of the word | docnum | 1 outside the title, 0 in it. What stands in an
# article several times stays once, and as its occurrence in the title is sorted first, the title's field falls out.


def _exact_fields(
    analysed: AnalysedTexts, vocabulary: TermNumbers, doc_count: int
) -> tuple[InvertedField, InvertedField]:
    """The fields text_exact and title_exact."""
    ordered, ranks = _ranked(analysed.words, vocabulary)
    doc_bits = doc_count.bit_length()
    bits = len(ordered).bit_length() + doc_bits + 1
    dtype = np.dtype(np.uint32 if bits <= 32 else np.uint64)  # half the bits sort in half the time
    part_keys = np.arange(doc_count * _N_PARTS, dtype=dtype) // dtype.type(_N_PARTS) << dtype.type(1)
    part_keys.reshape(-1, _N_PARTS)[:, 1:] |= dtype.type(1)
    postings = ranks.astype(dtype) << dtype.type(doc_bits + 1)
    postings |= np.repeat(part_keys, np.diff(analysed.word_offsets))
    postings.sort()
    postings = postings[_run_starts(postings >> dtype.type(1))]
    in_title = postings[(postings & dtype.type(1)) == 0]
    terms = vocabulary.texts(ordered)
    whole, title = (_exact_field(part >> dtype.type(1), terms, doc_count, doc_bits) for part in (postings, in_title))
    return whole, title


def _exact_field(
    postings: npt.NDArray[np.unsignedinteger], terms: list[bytes], doc_count: int, doc_bits: int
) -> InvertedField:
    """The field with these sorted postings, each a rank of ``terms`` and a docnum."""
    of_bits = postings.dtype.type
    ranks = postings >> of_bits(doc_bits)
    term_starts = _run_starts(ranks)
    return InvertedField(
        terms=[terms[rank] for rank in ranks[term_starts].tolist()],
        term_offsets=np.append(term_starts, len(postings)),
        docnums=(postings & of_bits((1 << doc_bits) - 1)).astype(np.int32),
        frequencies=np.ones(len(postings), np.int32),
        weights=np.ones(len(postings)),
        position_offsets=None,
        positions=None,
        lengths=np.zeros(doc_count, np.int64),
    )


# --------------------------------------------------------------------------------------------- both


def _ranked(numbers: Ids, vocabulary: TermNumbers) -> tuple[npt.NDArray[np.integer], Ids]:
    """The different numbers in the order of their terms, and for each of ``numbers`` its rank among them."""
    is_there = np.zeros(len(vocabulary), np.bool_)
    is_there[numbers] = True
    ordered = vocabulary.in_order(np.flatnonzero(is_there))
    ranks = np.empty(len(vocabulary), np.int32)
    ranks[ordered] = np.arange(len(ordered), dtype=np.int32)
    return ordered, ranks.take(numbers)


def _run_starts(values: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Where runs of equal values begin."""
    is_start = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=is_start[1:])
    return np.flatnonzero(is_start)
