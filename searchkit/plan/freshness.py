"""Which matches are relevant enough to be listed newest first: the order ``fresh``.

The floor is a share of the score of the tenth best match, the last of a first page. Measured against the best match
instead, one article with every word of an OR query in its title would leave out nearly all others: of 145 articles
for ``supernova OR pulsar`` in arxiv_100k the tenth has 0.49 of the best score, for ``dark matter`` 0.90. Looked at in
arxiv_100k and Reuters, articles between 0.5 and 0.65 of the tenth score mention the words in passing ("Saudi riyal
deposit rates remain firm" for ``opec``), those above 0.75 are about them, and in between both are found.

The floor comes from the words alone. Labels, dates and exclusions choose among the relevant articles and never change
which are, so the counts of topics and of the timeline are those that a reader gets who narrows the search by them.
"""

import numpy as np
import numpy.typing as npt

from searchkit.plan.execute import Matches, execute
from searchkit.plan.generation import Generation
from searchkit.query.nodes import And, Everything, Label, Node, Not, Or, Published, all_of

SHARE = 0.7
"""The share of the reference score that a relevant match has at least."""

REFERENCE = 10
"""Which of the best matches the reference score is that of; among fewer matches all are relevant."""


def relevance_floor(scores: npt.NDArray[np.floating]) -> float:
    """The least score of a relevant match, given the scores (any order) of all; 0 where none is left out."""
    if len(scores) <= REFERENCE:
        return 0.0
    return SHARE * float(np.partition(scores, -REFERENCE)[-REFERENCE])


def relevant(node: Node, matches: Matches, generation: Generation) -> tuple[Matches, int]:
    """Those of the ``matches`` of ``node`` that are relevant, without their scores, and how many were left out."""
    words = scored_part(node)
    found = matches if words == node else execute(words, generation)
    if isinstance(found.scores, float) or isinstance(matches.scores, float):
        return Matches(matches.docnums), 0
    kept = matches.scores.astype(np.float64) >= relevance_floor(found.scores)
    return Matches(matches.docnums[kept]), int(len(kept) - np.count_nonzero(kept))


def scored_part(node: Node) -> Node:
    """``node`` without what restricts and scores nothing: `Everything` where that is all there is."""
    if not isinstance(node, And):
        return Everything() if _scores_nothing(node) else node
    return all_of([part for part in node.nodes if not _scores_nothing(part)])


def _scores_nothing(node: Node) -> bool:
    if isinstance(node, And | Or):
        return all(_scores_nothing(part) for part in node.nodes)
    return isinstance(node, Label | Published | Not | Everything)
