"""The order of matches, total and stable: no two articles tie, so pages neither repeat nor miss one.

best     score descending, then newest first
newest   published descending
oldest   published ascending
fresh    as newest; which matches are relevant enough for it is decided before, in `freshness.py`
Undated articles come after all dated ones; articles of the same instant stand in order of their ids.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from searchkit.dates import UNDATED
from searchkit.page.model import Sort
from searchkit.plan.execute import Matches
from searchkit.plan.generation import Docnums, Generation

_FAR_FUTURE = np.iinfo(np.int64).max


class RankKey(NamedTuple):
    """What a match is ordered by, smallest first; a cursor holds the one of the last hit shown."""

    by_score: float
    by_date: int
    article_id: str


def ranked(matches: Matches, generation: Generation, sort: Sort) -> npt.NDArray[np.intp]:
    """Indices into ``matches`` in the order of ``sort``."""
    by_score, by_date = _keys(matches, generation, sort)
    return np.lexsort((generation.id_rank[matches.docnums], by_date, by_score))


def rank_key(index: int, matches: Matches, generation: Generation, sort: Sort, article_id: str) -> RankKey:
    """The key of the match at ``index``, whose article has this id."""
    by_score, by_date = _keys(matches, generation, sort)
    return RankKey(float(by_score[index]), int(by_date[index]), article_id)


def count_up_to(key: RankKey, matches: Matches, generation: Generation, sort: Sort) -> int:
    """How many of the matches come up to ``key``, whether the article of the key is still there or not."""
    by_score, by_date = _keys(matches, generation, sort)
    before = (by_score < key.by_score) | ((by_score == key.by_score) & (by_date < key.by_date))
    tied = np.flatnonzero((by_score == key.by_score) & (by_date == key.by_date))
    not_after = [index for index in tied if generation.article_id(int(matches.docnums[index])) <= key.article_id]
    return int(before.sum()) + len(not_after)


def _keys(matches: Matches, generation: Generation, sort: Sort) -> tuple[npt.NDArray[np.float64], Docnums]:
    published = generation.published[matches.docnums]
    is_undated = published == UNDATED
    by_date = np.where(is_undated, _FAR_FUTURE, published if sort == "oldest" else -published)
    by_score = -matches.scores if sort == "best" else np.zeros(len(published))
    return by_score, by_date
