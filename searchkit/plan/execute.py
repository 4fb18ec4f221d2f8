"""Running a query tree over a generation: which articles match, and how well.

Each node becomes a sorted array of docnums, combined by the kernels from the leaves up, and what gives their scores.
Only the articles that match the whole tree are scored: of two words required together, most articles of the commoner
one have no score worth knowing. Words score by BM25; labels, dates and exclusions restrict and score nothing; a prefix
scores 1 whatever words it meets, since which of hundreds an article has says nothing about it.

A conjunction starts from its shortest list, and cuts it to the dates asked for before anything else: in segments
ordered by date these are a run of docnums.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from searchkit.analysis import accented, fold_label
from searchkit.plan import kernels
from searchkit.plan.expansion import Vocabulary
from searchkit.plan.forms import (
    Alternative,
    ExactAlternative,
    Forms,
    Slot,
    exact_forms,
    in_capitals,
    phrase_forms,
    prefix_forms,
    word_forms,
)
from searchkit.plan.generation import Docnums, Generation
from searchkit.plan.kernels import AnyScores
from searchkit.plan.written import as_written
from searchkit.query.joined_words import is_initialism
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

_MANY = 16
"""Parts of a disjunction from which on its articles are kept for the other counts of a page, and of a conjunction from
which on they are looked at one after the other, while there is an article with all."""


class Matches(NamedTuple):
    """Articles that match: docnums, ascending, and the score beside each, or the one number that all score."""

    docnums: Docnums
    scores: AnyScores = 0.0


def _none(_docnums: Docnums) -> float:
    return 0.0


class Found(NamedTuple):
    """What a node finds: docnums, ascending, and what gives the scores of any of them, ascending, too."""

    docnums: Docnums
    scores: Callable[[Docnums], AnyScores] = _none


_NOTHING = Found(np.empty(0, dtype=np.int32))


@dataclass(frozen=True, slots=True)
class Step:
    """What running one node of the tree took: how deep it lies, how many articles it gave, in how much time."""

    node: Node
    depth: int
    count: int
    milliseconds: float


def execute(node: Node, generation: Generation, *, scored: bool = True) -> Matches:
    """All matches of ``node``, deleted articles left out; without ``scored`` words score nothing, in less time.

    Scores are rounded to float32, as which those of the last searches are kept: the next page of a search, another
    order and its other facets ask for the same.
    """
    kept = generation.kept_matches(node, scored=scored)
    if kept is not None:
        return Matches(*kept)
    found = Execution(generation).run(node)
    scores: npt.NDArray[np.float32] | float = 0.0
    if scored:
        exact = found.scores(found.docnums)
        scores = exact if isinstance(exact, float) else exact.astype(np.float32, copy=False)
    generation.keep_matches(node, found.docnums, scores, scored=scored)
    return Matches(found.docnums, scores)


class Execution:
    """One run of a tree. With ``steps`` each node's count and time are added to that list, inner nodes first."""

    def __init__(self, generation: Generation, *, steps: list[Step] | None = None) -> None:
        self._generation = generation
        self._span = generation.doc_count_all
        self._steps = steps
        self._depth = 0

    def run(self, node: Node) -> Found:
        """What ``node`` finds, deleted articles left out."""
        if self._steps is None:
            return self._found(node)
        began = time.perf_counter()
        self._depth += 1
        found = self._found(node)
        self._depth -= 1
        took = (time.perf_counter() - began) * 1000
        self._steps.append(Step(node, self._depth, len(found.docnums), took))
        return found

    def _found(self, node: Node) -> Found:
        generation = self._generation
        match node:
            case Word(text, field):
                return self._word(text, field or "text")
            case Phrase(text, field, slop):
                return self._forms(phrase_forms(text, generation.analyzers), field or "text", slop)
            case Prefix(text, field):
                return self._beginning(text, field or "text")
            case Pattern(_, field) | Fuzzy(_, field):
                return self._expanded(node, f"{field or 'text'}_exact")
            case Exact(text, field, slop):
                return self._exact(text, field or "text", slop)
            case Label(field, value) if node.is_name:
                return Found(generation.docnums_named(field, value))
            case Label(field, value):
                return Found(generation.docnums(field, value if field == "id" else fold_label(value)))
            case Published():
                return self._published(node, Found(generation.live))
            case Not(inner):
                return self._subtract(Found(generation.live), self.run(inner))
            case And(nodes):
                return self._conjunction(nodes)
            case Or(nodes) if len(nodes) >= _MANY and self._steps is None:
                return self._any_of_many(node)
            case Or(nodes):
                return self._unite([self.run(part) for part in nodes])
            case Everything():
                return Found(generation.live)

    def _any_of_many(self, node: Or) -> Found:
        """As `_unite`; the docnums are kept for other counts of the same page, with other filters and within others."""
        united: list[Found] = []

        def whole() -> Found:
            if not united:
                united.append(self._unite([self.run(part) for part in node.nodes]))
            return united[0]

        docnums = self._generation.remembered((node, "any"), lambda: whole().docnums)
        return Found(docnums, lambda asked: whole().scores(asked))

    def _conjunction(self, nodes: tuple[Node, ...]) -> Found:
        dates = [part for part in nodes if isinstance(part, Published)]
        parts = [part for part in nodes if not isinstance(part, Not | Published)]
        if len(parts) >= _MANY:  # of which most need not be looked at: few articles have a dozen words
            wanted = [self._intersect(map(self.run, parts))]
        else:
            wanted = sorted(map(self.run, parts), key=lambda found: len(found.docnums))
        found = wanted[0] if wanted else Found(self._generation.live)
        for span in dates:
            found = self._published(span, found)
        found = self._intersect([found, *wanted[1:]])
        for part in nodes:
            if isinstance(part, Not) and len(found.docnums):
                found = self._subtract(found, self.run(part.node))
        return found

    def _published(self, span: Published, found: Found) -> Found:
        calendar = self._generation.calendar
        first = 0 if span.start is None else calendar.instant(span.start)
        kept = self._generation.published_between(found.docnums, first, calendar.end_instant(span.end))
        return Found(found.docnums[kept], found.scores)

    def _word(self, text: str, field: str) -> Found:
        """Articles with the word; those that have it with the accents it was typed with come before all others."""
        forms = word_forms(text, self._generation.analyzers)
        found = self._forms(forms, field, 0)
        if forms.apart:
            return self._side_by_side_or_apart(found, forms.apart, field)
        if is_initialism(text):
            return self._best([found, self._as_written(in_capitals(text, self._generation.analyzers), field, 0)])
        written = accented(text)
        if not (written and [len(slots) for slots in forms.alternatives] == [1]):
            return found
        terms = forms.alternatives[0][0]

        def scores(docnums: Docnums) -> AnyScores:
            in_writing = self._generation.docnums(f"{field}_exact", written)
            is_written = kernels.contained(docnums, in_writing, self._span)
            bonus = sum(self._generation.highest_score(field, term) for term in terms)
            folded = found.scores(docnums)
            return np.where(is_written, np.add(folded, bonus, dtype=np.float64), folded)

        return Found(found.docnums, scores)

    def _side_by_side_or_apart(self, side_by_side: Found, words: tuple[str, ...], field: str) -> Found:
        """Articles with all the words; those that have them side by side come before all others."""
        apart = self._intersect(sorted((self._word(word, field) for word in words), key=lambda one: len(one.docnums)))

        def scores(docnums: Docnums) -> AnyScores:
            bonus = float(np.max(apart.scores(apart.docnums), initial=0.0))
            return np.add(side_by_side.scores(docnums), bonus, dtype=np.float64)

        return self._best([Found(side_by_side.docnums, scores), apart])

    def _beginning(self, text: str, field: str) -> Found:
        forms = prefix_forms(text, self._generation.analyzers)
        return self._forms(forms, field if forms.prefix is None else f"{field}_exact", 0)

    def _expanded(self, node: Pattern | Fuzzy, field: str) -> Found:
        """Articles with one of the words, which scores the less the more letters it is off."""
        vocabulary = self._generation.vocabulary(field)
        expansion = vocabulary.expand(node)
        found = []
        for edits in sorted(set(expansion.edits)):
            words = [word for word, off in zip(expansion.words, expansion.edits, strict=True) if off == edits]
            docnums = self._generation.remembered((node, edits, "words"), partial(self._with_words, vocabulary, words))
            found.append(Found(docnums, _each(1 / (1 + edits))))
        return self._best(found)

    def _with_words(self, vocabulary: Vocabulary, words: list[str]) -> Docnums:
        return self._generation.only_live(vocabulary.docnums(words))

    def _exact(self, text: str, field: str, slop: int) -> Found:
        alternatives = exact_forms(text, self._generation.analyzers)
        return self._best([self._as_written(alternative, field, slop) for alternative in alternatives])

    def _as_written(self, alternative: ExactAlternative, field: str, slop: int) -> Found:
        found = self._alternative(alternative.slots, field, slop)
        docnums = self._generation.remembered(
            (alternative, field, slop, "as written"),
            lambda: as_written(found.docnums, alternative, field, slop, self._generation),
        )
        return Found(docnums, found.scores)

    def _forms(self, forms: Forms, field: str, slop: int) -> Found:
        if forms.prefix is not None:
            return self._prefix(field, forms.prefix)
        return self._best([self._alternative(slots, field, slop) for slots in forms.alternatives])

    def _alternative(self, slots: Alternative, field: str, slop: int) -> Found:
        """Articles with the slots in order, scored as if they were asked for one by one."""
        if len(slots) == 1:
            return self._slot(slots[0], field)
        found = [self._repeated(slot, times, field) for slot, times in Counter(slots).items()]
        together = self._intersect(sorted(found, key=lambda one: len(one.docnums)))
        if len(together.docnums) == 0:
            return together
        return Found(self._in_order(slots, field, slop, together.docnums), together.scores)

    def _in_order(self, slots: Alternative, field: str, slop: int, docnums: Docnums) -> Docnums:
        """Those of the docnums, which have all slots, that have them one behind the other.

        Without words between them, where the phrase can begin is cut down from the rarest slot to the commonest, of
        which only places in the articles left are read.
        """
        if slop:
            occurrences = cache(partial(self._occurrences, field=field, among=docnums))
            return kernels.phrase_docnums(map(occurrences, slots), slop)
        frequencies = {slot: sum(len(self._generation.docnums(field, term)) for term in slot) for slot in set(slots)}
        read: dict[Slot, kernels.Occurrences] = {}
        begins: kernels.Occurrences | None = None
        for at in sorted(range(len(slots)), key=lambda at: frequencies[slots[at]]):
            slot = slots[at]
            if slot not in read:
                read[slot] = self._occurrences(slot, field, docnums)
            possible = read[slot] - at if at else read[slot]
            begins = possible if begins is None else kernels.common(begins, possible)
            docnums = kernels.docnums_of(begins)
            if len(docnums) == 0:
                break
        return docnums

    def _repeated(self, slot: Slot, times: int, field: str) -> Found:
        """A slot that a phrase has several times, as in "to be or not to be", scored as often."""
        found = self._slot(slot, field)
        if times == 1:
            return found
        return Found(found.docnums, lambda docnums: np.multiply(found.scores(docnums), times, dtype=np.float64))

    def _slot(self, slot: Slot, field: str) -> Found:
        return self._unite([self._term(field, term) for term in slot])

    def _term(self, field: str, term: str) -> Found:
        return Found(self._generation.docnums(field, term), partial(self._generation.scores, field, term))

    def _occurrences(self, slot: Slot, field: str, among: Docnums) -> kernels.Occurrences:
        found = [self._generation.occurrences(field, term, among) for term in slot]
        return found[0] if len(found) == 1 else kernels.distinct(np.concatenate(found))

    def _prefix(self, field: str, prefix: str) -> Found:
        if not prefix:
            return _NOTHING
        return Found(self._generation.docnums_with_prefix(field, prefix), _each(1.0))

    # Several as one --------------------------------------------------------------------------------------

    def _intersect(self, parts: Iterable[Found]) -> Found:
        """What all parts find, with the scores of each added; best given the shortest first.

        Of the parts, of which there is at least one, no more are asked for than it takes to see that there is nothing.
        """
        remaining = iter(parts)
        first = next(remaining)
        docnums = first.docnums
        scoring = [first.scores]
        while len(docnums) and (part := next(remaining, None)) is not None:
            docnums = kernels.intersect(docnums, part.docnums, self._span)
            scoring.append(part.scores)
        scoring = [scores for scores in scoring if scores is not _none]
        return Found(docnums, scoring[0] if len(scoring) == 1 else partial(_added, scoring))

    def _unite(self, parts: list[Found]) -> Found:
        """What any part finds, the scores of several added."""
        return self._any_of(parts, kernels.sums)

    def _best(self, parts: list[Found]) -> Found:
        """What any part finds, with the highest score of several."""
        return self._any_of(parts, kernels.highest)

    def _any_of(
        self, parts: list[Found], joined: Callable[[Docnums, list[tuple[Docnums, AnyScores]], int], AnyScores]
    ) -> Found:
        if len(parts) < 2:
            return parts[0] if parts else _NOTHING
        docnums = kernels.unite([part.docnums for part in parts], self._span)

        def scores(asked: Docnums) -> AnyScores:
            scored = []
            for part in parts:
                among = part.docnums
                if len(asked) < len(docnums):  # else all are asked for
                    among = asked[kernels.contained(asked, among, self._span)]
                scored.append((among, part.scores(among)))
            return joined(asked, scored, self._span)

        return Found(docnums, scores)

    def _subtract(self, found: Found, unwanted: Found) -> Found:
        return Found(kernels.subtract(found.docnums, unwanted.docnums, self._span), found.scores)


def _each(score: float) -> Callable[[Docnums], float]:
    return lambda _docnums: score


def _added(scoring: Sequence[Callable[[Docnums], AnyScores]], docnums: Docnums) -> AnyScores:
    total: AnyScores = 0.0
    for scores in scoring:
        total = np.add(total, scores(docnums), dtype=np.float64)
    return total
