"""Running a query tree over a generation: which articles match, and how well.

Each node becomes sorted arrays of docnums with a score beside each, combined by the kernels from the leaves up.
Words score by BM25; labels, dates and exclusions restrict and score nothing; a prefix scores 1 whatever words it
meets, since which of hundreds an article has says nothing about it.
"""

from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from searchkit.analysis import accented, fold_label
from searchkit.plan import kernels
from searchkit.plan.forms import Alternative, Forms, Slot, exact_forms, phrase_forms, prefix_forms, word_forms
from searchkit.plan.generation import Docnums, Generation
from searchkit.plan.written import as_written
from searchkit.query.nodes import (
    And,
    Everything,
    Exact,
    Fuzzy,
    Label,
    Node,
    Not,
    Or,
    Pattern,
    Phrase,
    Prefix,
    Published,
    Word,
)


@dataclass(frozen=True, slots=True)
class Matches:
    """Articles that match: docnums, ascending, and beside each its score as float64, 0 where nothing scores."""

    docnums: Docnums
    scores: npt.NDArray[np.float64]


def execute(node: Node, generation: Generation) -> Matches:
    """All matches of ``node``, deleted articles left out."""
    match node:
        case Word(text, field):
            return _word(text, field or "text", generation)
        case Phrase(text, field, slop):
            return _forms(phrase_forms(text, generation.analyzers), field or "text", slop, generation)
        case Prefix(text, field):
            return _beginning(text, field or "text", generation)
        case Pattern(_, field) | Fuzzy(_, field):
            return _expanded(node, f"{field or 'text'}_exact", generation)
        case Exact(text, field, slop):
            return _exact(text, field or "text", slop, generation)
        case Label(field, value):
            term = value if field == "id" else fold_label(value)
            return _unscored(generation.postings(field, term)[0])
        case Published(start, end):
            calendar = generation.calendar
            first = 0 if start is None else calendar.instant(start)
            published = generation.published[generation.live]
            return _unscored(generation.live[(first <= published) & (published < calendar.end_instant(end))])
        case Not(inner):
            return _subtract(_unscored(generation.live), execute(inner, generation))
        case And(nodes):
            wanted = [execute(part, generation) for part in nodes if not isinstance(part, Not)]
            unwanted = [execute(part.node, generation) for part in nodes if isinstance(part, Not)]
            positive = reduce(_intersect, wanted) if wanted else _unscored(generation.live)
            return reduce(_subtract, unwanted, positive)
        case Or(nodes):
            return reduce(_unite, (execute(part, generation) for part in nodes))
        case Everything():
            return _unscored(generation.live)


def _word(text: str, field: str, generation: Generation) -> Matches:
    """Articles with the word; those that have it with the accents it was typed with come before all others."""
    forms = word_forms(text, generation.analyzers)
    matches = _forms(forms, field, 0, generation)
    written = accented(text)
    if written and len(forms.alternatives) == 1 and len(forms.alternatives[0]) == 1:
        docnums = generation.postings(f"{field}_exact", written)[0]
        bonus = sum(generation.highest_score(field, term) for term in forms.alternatives[0][0])
        matches.scores[np.isin(matches.docnums, docnums, assume_unique=True)] += bonus
    return matches


def _beginning(text: str, field: str, generation: Generation) -> Matches:
    forms = prefix_forms(text, generation.analyzers)
    if forms.prefix is not None:
        return _prefix(f"{field}_exact", forms.prefix, generation)
    return _forms(forms, field, 0, generation)


def _expanded(node: Pattern | Fuzzy, field: str, generation: Generation) -> Matches:
    """Articles with one of the words, which scores the less the more letters it is off."""
    vocabulary = generation.vocabulary(field)
    expansion = vocabulary.expand(node)
    found = _unscored(np.empty(0, dtype=np.int64))
    for edits in sorted(set(expansion.edits)):
        words = [word for word, off in zip(expansion.words, expansion.edits, strict=True) if off == edits]
        docnums = generation.only_live(vocabulary.docnums(words))
        found = _unite_best(found, Matches(docnums, np.full(len(docnums), 1 / (1 + edits))))
    return found


def _exact(text: str, field: str, slop: int, generation: Generation) -> Matches:
    found = _unscored(np.empty(0, dtype=np.int64))
    for alternative in exact_forms(text, generation.analyzers):
        matches = _alternative(alternative.slots, field, slop, generation)
        docnums = as_written(matches.docnums, alternative, field, slop, generation)
        found = _unite_best(found, _intersect(matches, _unscored(docnums)))
    return found


def _forms(forms: Forms, field: str, slop: int, generation: Generation) -> Matches:
    if forms.prefix is not None:
        return _prefix(field, forms.prefix, generation)
    found = [_alternative(slots, field, slop, generation) for slots in forms.alternatives]
    return reduce(_unite_best, found, _unscored(np.empty(0, dtype=np.int64)))


def _alternative(slots: Alternative, field: str, slop: int, generation: Generation) -> Matches:
    """Articles with the slots in order, scored as if they were asked for one by one."""
    matches = reduce(_intersect, (_slot(slot, field, generation) for slot in slots))
    if len(slots) == 1 or len(matches.docnums) == 0:
        return matches
    occurrences = [
        reduce(np.union1d, (generation.occurrences(field, term, matches.docnums) for term in slot)) for slot in slots
    ]
    return _intersect(matches, _unscored(kernels.phrase_docnums(occurrences, slop)))


def _slot(slot: Slot, field: str, generation: Generation) -> Matches:
    return reduce(_unite, (Matches(*generation.scored_postings(field, term)) for term in slot))


def _prefix(field: str, prefix: str, generation: Generation) -> Matches:
    docnums = generation.docnums_with_prefix(field, prefix) if prefix else np.empty(0, dtype=np.int64)
    return Matches(docnums, np.ones(len(docnums)))


def _unscored(docnums: Docnums) -> Matches:
    return Matches(docnums, np.zeros(len(docnums)))


def _intersect(a: Matches, b: Matches) -> Matches:
    return Matches(*kernels.intersect(a.docnums, a.scores, b.docnums, b.scores))


def _unite(a: Matches, b: Matches) -> Matches:
    return Matches(*kernels.unite(a.docnums, a.scores, b.docnums, b.scores))


def _unite_best(a: Matches, b: Matches) -> Matches:
    return Matches(*kernels.unite_best(a.docnums, a.scores, b.docnums, b.scores))


def _subtract(a: Matches, b: Matches) -> Matches:
    return Matches(*kernels.subtract(a.docnums, a.scores, b.docnums))
