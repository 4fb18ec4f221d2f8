"""Set algebra, phrases and BM25 as pure functions of arrays.

Docnums are int64, ascending and unique; scores float64, one beside each docnum. Occurrences are int64 keys
``docnum << 32 | position``, ascending and unique, so that one sorted array holds every place a term stands.
Nothing here is changed in place, and every result is a new array.
"""

from functools import reduce

import numpy as np
import numpy.typing as npt

Docnums = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
Occurrences = npt.NDArray[np.int64]

POSITION_BITS = 32


def intersect(a: Docnums, a_scores: Scores, b: Docnums, b_scores: Scores) -> tuple[Docnums, Scores]:
    """The docnums in both, their scores added."""
    if len(b) < len(a):
        a, a_scores, b, b_scores = b, b_scores, a, a_scores
    if len(a) == 0:
        return a, a_scores
    at = np.searchsorted(b, a)
    at[at == len(b)] = 0
    both = b[at] == a
    return a[both], a_scores[both] + b_scores[at[both]]


def unite(a: Docnums, a_scores: Scores, b: Docnums, b_scores: Scores) -> tuple[Docnums, Scores]:
    """The docnums in either, the scores of those in both added."""
    docnums, slots = np.unique(np.concatenate((a, b)), return_inverse=True)
    scores = np.zeros(len(docnums))
    np.add.at(scores, slots, np.concatenate((a_scores, b_scores)))
    return docnums, scores


def unite_best(a: Docnums, a_scores: Scores, b: Docnums, b_scores: Scores) -> tuple[Docnums, Scores]:
    """The docnums in either, with the higher score of those in both."""
    docnums, slots = np.unique(np.concatenate((a, b)), return_inverse=True)
    scores = np.full(len(docnums), -np.inf)
    np.maximum.at(scores, slots, np.concatenate((a_scores, b_scores)))
    return docnums, scores


def subtract(a: Docnums, a_scores: Scores, b: Docnums) -> tuple[Docnums, Scores]:
    """The docnums of ``a`` that are not in ``b``, with their scores."""
    kept = ~np.isin(a, b, assume_unique=True)
    return a[kept], a_scores[kept]


def phrase_docnums(slots: list[Occurrences], slop: int = 0) -> Docnums:
    """The docnums in which the slots stand one after the other, up to ``slop`` words between neighbours."""
    reached = slots[0]
    for slot in slots[1:]:
        nearby = [np.intersect1d(reached + distance, slot, assume_unique=True) for distance in range(1, slop + 2)]
        reached = reduce(np.union1d, nearby)
    return np.unique(reached >> POSITION_BITS)


def bm25(weights: Scores, lengths: Scores, *, idf: float, mean_length: float, k1: float, b: float) -> Scores:
    """Robertson's BM25 of one term, as Whoosh's BM25F computes it for one field.

    ``weights`` are the weighted frequencies of the term and ``lengths`` the lengths of the field, one beside each
    docnum. See Robertson and Zaragoza, The Probabilistic Relevance Framework (2009), section 3.4.
    """
    return idf * (weights * (k1 + 1)) / (weights + k1 * ((1 - b) + b * lengths / mean_length))


def flags_of(docnums: Docnums, span: int) -> npt.NDArray[np.bool_]:
    """One flag for each docnum below ``span``: whether it is among ``docnums``."""
    flags = np.zeros(span, dtype=np.bool_)
    flags[docnums] = True
    return flags
