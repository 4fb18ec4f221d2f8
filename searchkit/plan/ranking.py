"""The order of matches, total and stable: no two articles tie, so pages neither repeat nor miss one.

best     score descending, then newest first
newest   published descending
oldest   published ascending
fresh    as newest; which matches are relevant enough for it is decided before, in `freshness.py`
Undated articles come after all dated ones; articles of the same instant stand in order of their ids.

Nothing here sorts all matches. Of the scores only those that can be among the best are looked at, of equal scores only
as many of each segment as are wanted: a segment is in the order of publication and id already. A page deep down costs
what the first one does, because what comes before its cursor is counted and left out.
"""

from bisect import bisect_right
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from searchkit.dates import UNDATED
from searchkit.page.model import Sort
from searchkit.plan.execute import Matches
from searchkit.plan.generation import Docnums, Generation
from searchkit.plan.kernels import Scores, taken
from searchkit.plan.segments import SegmentView

_FAR_FUTURE = int(np.iinfo(np.int64).max)
_GROUP = 64
"""Scores of which the highest is taken, to find a score that enough of them reach."""


class RankKey(NamedTuple):
    """What a match is ordered by, smallest first; a cursor holds the one of the last hit shown."""

    by_score: float
    by_date: int
    article_id: str


class Ranked(NamedTuple):
    """A match in its place: docnum and score."""

    docnum: int
    score: float


def ranked(matches: Matches, generation: Generation, sort: Sort, count: int) -> list[Ranked]:
    """The first ``count`` matches in the order of ``sort``."""
    docnums, scores = matches.docnums, matches.scores
    if count <= 0 or len(docnums) == 0:
        return []
    if sort != "best" or isinstance(scores, float):
        in_order = _in_order(
            [(0.0, *dated) for dated in _first_by_date(docnums, generation, sort, count)], generation, count
        )
        if isinstance(scores, float):
            return [Ranked(docnum, scores) for _, docnum in in_order]
        chosen_docnums = [docnum for _, docnum in in_order]
        at = docnums.searchsorted(np.array(chosen_docnums, dtype=np.int32))
        return [Ranked(docnum, score) for docnum, score in zip(chosen_docnums, scores[at].tolist(), strict=True)]
    sure, tied = _best_scores(scores, count)
    chosen = list(zip((-scores[sure]).tolist(), docnums[sure].tolist(), strict=True))
    if len(tied):
        by_score = -float(scores[tied[0]])
        newest = _first_by_date(docnums[tied], generation, sort, count - len(sure))
        chosen += [(by_score, docnum) for _, docnum in newest]
    chosen.sort()
    found: list[Ranked] = []
    for by_score, same in groupby(chosen, key=itemgetter(0)):
        group = [docnum for _, docnum in same]
        if len(group) > 1:
            dated = [(0.0, _by_date(generation.published_of(docnum), sort), docnum) for docnum in group]
            group = [docnum for _, docnum in _in_order(dated, generation, count)]
        found += [Ranked(docnum, -by_score) for docnum in group]
    return found[:count]


def rank_key(match: Ranked, generation: Generation, sort: Sort, article_id: str) -> RankKey:
    """The key of a match whose article has this id."""
    segment, docnum = generation.segment_of(match.docnum)
    by_score = -match.score if sort == "best" else 0.0
    return RankKey(by_score, _by_date(int(segment.published[docnum]), sort), article_id)


def after(key: RankKey, matches: Matches, generation: Generation, sort: Sort) -> Matches:
    """The matches that come after ``key``, whether the article of the key is still there or not."""
    docnums, scores = matches.docnums, matches.scores
    if sort != "best" or isinstance(scores, float):
        score = -scores if sort == "best" and isinstance(scores, float) else 0.0
        if score != key.by_score:
            return matches if score > key.by_score else Matches(docnums[:0], 0.0)
        kept = _is_after(key, docnums, generation, sort)
        return Matches(docnums[kept], taken(scores, kept))
    exact = scores.astype(np.float64)  # in which a cursor of whatever origin has its score
    kept = exact < -key.by_score
    tied = np.flatnonzero(exact == -key.by_score)
    kept[tied[_is_after(key, docnums[tied], generation, sort)]] = True
    return Matches(docnums[kept], scores[kept])


def _is_after(key: RankKey, docnums: Docnums, generation: Generation, sort: Sort) -> npt.NDArray[np.bool_]:
    """Which of docnums with the score of ``key`` come after it, by date and id."""
    kept = np.zeros(len(docnums), dtype=np.bool_)
    done = 0
    wanted_id = key.article_id.encode()
    for segment, _, inside in generation.by_segment(docnums):
        published = segment.published[inside]
        is_undated = published == UNDATED
        by_date = np.where(is_undated, _FAR_FUTURE, published if sort == "oldest" else -published)
        here = by_date > key.by_date
        tied = np.flatnonzero(by_date == key.by_date)
        if segment.is_ordered:
            first = bisect_right(tied, wanted_id, key=lambda at: segment.ids((int(inside[at]),))[0])
            here[tied[first:]] = True
        else:
            ids = segment.ids(inside[tied].tolist())
            here[[at for at, one in zip(tied.tolist(), ids, strict=True) if one > wanted_id]] = True
        kept[done : done + len(inside)] = here
        done += len(inside)
    return kept


def _by_date(instant: int, sort: Sort) -> int:
    if instant == UNDATED:
        return _FAR_FUTURE
    return instant if sort == "oldest" else -instant


def _best_scores(scores: Scores, count: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The places of the scores that are among the first ``count`` for sure, and of those tied for what is left."""
    if len(scores) <= count:
        return np.arange(len(scores)), np.empty(0, dtype=np.intp)
    places = np.arange(0)
    groups = len(scores) // _GROUP
    if groups > count:  # at least `count` scores reach what the highest of so many groups reach
        highest = scores[: groups * _GROUP].reshape(groups, _GROUP).max(axis=1)
        places = np.flatnonzero(scores >= np.partition(highest, -count)[-count])
        scores = scores[places]
    last = np.partition(scores, -count)[-count]
    sure, tied = np.flatnonzero(scores > last), np.flatnonzero(scores == last)
    if len(sure) + len(tied) == count:
        sure, tied = np.concatenate((sure, tied)), tied[:0]
    return (places[sure], places[tied]) if groups > count else (sure, tied)


def _first_by_date(docnums: Docnums, generation: Generation, sort: Sort, count: int) -> list[tuple[int, int]]:
    """Date keys and docnums of which the first ``count`` by date and id are some; not in that order."""
    chosen: list[tuple[int, int]] = []
    for segment, base, inside in generation.by_segment(docnums):
        if len(inside) > count:
            first_of = _first_of_ordered if segment.is_ordered else _first_of_unordered
            inside = first_of(segment, inside, sort, count)
        dates = [_by_date(instant, sort) for instant in segment.published[inside].tolist()]
        chosen += zip(dates, (inside + base).tolist(), strict=True)
    return chosen


def _first_of_ordered(segment: SegmentView, docnums: Docnums, sort: Sort, count: int) -> Docnums:
    undated = 0
    if segment.published.item(int(docnums[0])) == UNDATED:
        undated = int(docnums.searchsorted(np.int32(segment.published.searchsorted(UNDATED, side="right"))))
    dated = docnums[undated:]
    if len(dated) <= count:
        return np.concatenate((dated, docnums[: min(undated, count - len(dated))]))
    if sort == "oldest":
        return dated[:count]
    instant = segment.published[dated[-count]]
    run = segment.published.searchsorted(instant), segment.published.searchsorted(instant, side="right")
    first, end = dated.searchsorted(np.array(run, dtype=np.int32))
    newer = dated[end:]
    return np.concatenate((newer, dated[first : min(first + count - len(newer), end)]))


def _first_of_unordered(segment: SegmentView, docnums: Docnums, sort: Sort, count: int) -> Docnums:
    ids = segment.ids(docnums.tolist())
    dates = [_by_date(instant, sort) for instant in segment.published[docnums].tolist()]
    keys = list(zip(dates, ids, strict=True))
    return docnums[sorted(range(len(keys)), key=keys.__getitem__)[:count]]


def _in_order(candidates: list[tuple[float, int, int]], generation: Generation, count: int) -> list[tuple[float, int]]:
    """Of keys of score and date with docnums the first ``count``: score key and docnum.

    Ids are read only where score and date are the same.
    """
    in_order: list[tuple[float, int]] = []
    for (by_score, _), tied in groupby(sorted(candidates), key=itemgetter(0, 1)):
        in_order += [(by_score, docnum) for docnum in _by_id([docnum for _, _, docnum in tied], generation)]
        if len(in_order) >= count:
            break
    return in_order[:count]


def _by_id(docnums: list[int], generation: Generation) -> list[int]:
    """Ascending docnums in the order of their ids, which inside an ordered segment they have already."""
    if len(docnums) == 1:
        return docnums
    segment, _ = generation.segment_of(docnums[0])
    if segment is generation.segment_of(docnums[-1])[0] and segment.is_ordered:
        return docnums
    return sorted(docnums, key=generation.article_id)
