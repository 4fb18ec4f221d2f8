"""Running a query tree over a generation: which articles match, and how well.

Each node becomes sorted arrays of docnums with their scores, combined by the kernels from the leaves up. Words score
by BM25; labels, dates and exclusions restrict and score nothing; a prefix scores 1 whatever words it meets, since
which of hundreds an article has says nothing about it.

A conjunction starts from its shortest list, and cuts it to the dates asked for before anything else: in segments
ordered by date these are a run of docnums.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

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


@dataclass(frozen=True, slots=True)
class Matches:
    """Articles that match: docnums, ascending, and the score beside each, or the one number that all score."""

    docnums: Docnums
    scores: AnyScores = 0.0


_NOTHING = Matches(np.empty(0, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Step:
    """What running one node of the tree took: how deep it lies, how many articles it gave, in how much time."""

    node: Node
    depth: int
    count: int
    milliseconds: float


def execute(node: Node, generation: Generation, *, scored: bool = True) -> Matches:
    """All matches of ``node``, deleted articles left out; without ``scored`` words score nothing, in less time."""
    return Execution(generation, scored=scored).run(node)


class Execution:
    """One run of a tree. With ``steps`` each node's count and time are added to that list, inner nodes first."""

    def __init__(self, generation: Generation, *, scored: bool = True, steps: list[Step] | None = None) -> None:
        self._generation = generation
        self._span = generation.doc_count_all
        self._scored = scored
        self._steps = steps
        self._depth = 0

    def run(self, node: Node) -> Matches:
        """All matches of ``node``, deleted articles left out."""
        if self._steps is None:
            return self._matches(node)
        began = time.perf_counter()
        self._depth += 1
        matches = self._matches(node)
        self._depth -= 1
        took = (time.perf_counter() - began) * 1000
        self._steps.append(Step(node, self._depth, len(matches.docnums), took))
        return matches

    def _matches(self, node: Node) -> Matches:
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
                return Matches(generation.docnums_named(field, value))
            case Label(field, value):
                return Matches(generation.docnums(field, value if field == "id" else fold_label(value)))
            case Published():
                return self._published(node, Matches(generation.live))
            case Not(inner):
                return self._subtract(Matches(generation.live), self.run(inner))
            case And(nodes):
                return self._conjunction(nodes)
            case Or(nodes) if len(nodes) < _MANY or self._scored:
                return self._unite([self.run(part) for part in nodes])
            case Or(nodes):  # counted again and again: with other filters, and within what finds more
                return Matches(
                    generation.remembered(
                        (node, "any"), lambda: self._unite([self.run(part) for part in nodes]).docnums
                    )
                )
            case Everything():
                return Matches(generation.live)

    def _conjunction(self, nodes: tuple[Node, ...]) -> Matches:
        dates = [part for part in nodes if isinstance(part, Published)]
        parts = [part for part in nodes if not isinstance(part, Not | Published)]
        wanted = [self._of_all(parts)] if len(parts) >= _MANY else [self.run(part) for part in parts]
        wanted.sort(key=lambda matches: len(matches.docnums))
        found = wanted[0] if wanted else Matches(self._generation.live)
        for span in dates:
            found = self._published(span, found)
        for matches in wanted[1:]:
            if len(found.docnums) == 0:
                break
            found = self._intersect(found, matches)
        for part in nodes:
            if isinstance(part, Not) and len(found.docnums):
                found = self._subtract(found, self.run(part.node))
        return found

    def _of_all(self, parts: Sequence[Node]) -> Matches:
        """As a conjunction of many, of which most need not be looked at: few articles have a dozen words."""
        found = self.run(parts[0])
        for part in parts[1:]:
            if len(found.docnums) == 0:
                break
            found = self._intersect(found, self.run(part))
        return found

    def _published(self, span: Published, matches: Matches) -> Matches:
        calendar = self._generation.calendar
        first = 0 if span.start is None else calendar.instant(span.start)
        kept = self._generation.published_between(matches.docnums, first, calendar.end_instant(span.end))
        return Matches(matches.docnums[kept], kernels.taken(matches.scores, kept))

    def _word(self, text: str, field: str) -> Matches:
        """Articles with the word; those that have it with the accents it was typed with come before all others."""
        forms = word_forms(text, self._generation.analyzers)
        matches = self._forms(forms, field, 0)
        if forms.apart:
            return self._side_by_side_or_apart(matches, forms.apart, field)
        if is_initialism(text):
            return self._best([matches, self._as_written(in_capitals(text, self._generation.analyzers), field, 0)])
        written = accented(text)
        if not (written and self._scored and [len(slots) for slots in forms.alternatives] == [1]):
            return matches
        is_written = kernels.contained(matches.docnums, self._generation.docnums(f"{field}_exact", written), self._span)
        bonus = sum(self._generation.highest_score(field, term) for term in forms.alternatives[0][0])
        return Matches(matches.docnums, np.where(is_written, matches.scores + bonus, matches.scores))

    def _side_by_side_or_apart(self, side_by_side: Matches, words: tuple[str, ...], field: str) -> Matches:
        """Articles with all the words; those that have them side by side come before all others."""
        found = sorted((self._word(word, field) for word in words), key=lambda matches: len(matches.docnums))
        apart = found[0]
        for matches in found[1:]:
            apart = self._intersect(apart, matches)
        bonus = float(np.max(apart.scores, initial=0.0))
        return self._best([Matches(side_by_side.docnums, side_by_side.scores + bonus), apart])

    def _beginning(self, text: str, field: str) -> Matches:
        forms = prefix_forms(text, self._generation.analyzers)
        return self._forms(forms, field if forms.prefix is None else f"{field}_exact", 0)

    def _expanded(self, node: Pattern | Fuzzy, field: str) -> Matches:
        """Articles with one of the words, which scores the less the more letters it is off."""
        vocabulary = self._generation.vocabulary(field)
        expansion = vocabulary.expand(node)
        found = []
        for edits in sorted(set(expansion.edits)):
            words = [word for word, off in zip(expansion.words, expansion.edits, strict=True) if off == edits]
            docnums = self._generation.remembered((node, edits, "words"), partial(self._with_words, vocabulary, words))
            found.append(Matches(docnums, 1 / (1 + edits) if self._scored else 0.0))
        return self._best(found)

    def _with_words(self, vocabulary: Vocabulary, words: list[str]) -> Docnums:
        return self._generation.only_live(vocabulary.docnums(words))

    def _exact(self, text: str, field: str, slop: int) -> Matches:
        alternatives = exact_forms(text, self._generation.analyzers)
        return self._best([self._as_written(alternative, field, slop) for alternative in alternatives])

    def _as_written(self, alternative: ExactAlternative, field: str, slop: int) -> Matches:
        matches = self._alternative(alternative.slots, field, slop)
        docnums = self._generation.remembered(
            (alternative, field, slop, "as written"),
            lambda: as_written(matches.docnums, alternative, field, slop, self._generation),
        )
        return Matches(docnums, kernels.taken(matches.scores, matches.docnums.searchsorted(docnums)))

    def _forms(self, forms: Forms, field: str, slop: int) -> Matches:
        if forms.prefix is not None:
            return self._prefix(field, forms.prefix)
        return self._best([self._alternative(slots, field, slop) for slots in forms.alternatives])

    def _best(self, found: list[Matches]) -> Matches:
        """The articles of any part, with the highest score of those in several."""
        if len(found) < 2:
            return found[0] if found else _NOTHING
        return Matches(*kernels.unite_best([(one.docnums, one.scores) for one in found], self._span))

    def _alternative(self, slots: Alternative, field: str, slop: int) -> Matches:
        """Articles with the slots in order, scored as if they were asked for one by one."""
        if len(slots) == 1:
            return self._slot(slots[0], field)
        found = [self._repeated(slot, times, field) for slot, times in Counter(slots).items()]
        found.sort(key=lambda matches: len(matches.docnums))
        matches = found[0]
        for other in found[1:]:
            matches = self._intersect(matches, other)
        if len(matches.docnums) == 0:
            return matches
        occurrences = cache(partial(self._occurrences, field=field, among=matches.docnums))
        docnums = kernels.phrase_docnums(map(occurrences, slots), slop)
        return Matches(docnums, kernels.taken(matches.scores, matches.docnums.searchsorted(docnums)))

    def _repeated(self, slot: Slot, times: int, field: str) -> Matches:
        """A slot that a phrase has several times, as in "to be or not to be", scored as often."""
        matches = self._slot(slot, field)
        return matches if times == 1 else Matches(matches.docnums, matches.scores * times)

    def _slot(self, slot: Slot, field: str) -> Matches:
        found = [self._term(field, term) for term in slot]
        return self._unite(found) if found else _NOTHING

    def _term(self, field: str, term: str) -> Matches:
        docnums = self._generation.docnums(field, term)
        return Matches(docnums, self._generation.scores(field, term) if self._scored else 0.0)

    def _occurrences(self, slot: Slot, field: str, among: Docnums) -> kernels.Occurrences:
        found = [self._generation.occurrences(field, term, among) for term in slot]
        return found[0] if len(found) == 1 else kernels.distinct(np.concatenate(found))

    def _prefix(self, field: str, prefix: str) -> Matches:
        if not prefix:
            return _NOTHING
        return Matches(self._generation.docnums_with_prefix(field, prefix), 1.0 if self._scored else 0.0)

    def _intersect(self, a: Matches, b: Matches) -> Matches:
        return Matches(*kernels.intersect(a.docnums, a.scores, b.docnums, b.scores, self._span))

    def _unite(self, parts: list[Matches]) -> Matches:
        if len(parts) == 1:
            return parts[0]
        return Matches(*kernels.unite([(part.docnums, part.scores) for part in parts], self._span))

    def _subtract(self, a: Matches, b: Matches) -> Matches:
        return Matches(*kernels.subtract(a.docnums, a.scores, b.docnums, self._span))
