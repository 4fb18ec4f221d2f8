"""Other queries worth running when a query finds nothing or very little, each with its exact count.

A relaxation changes one thing: a spelling, a label that nothing has, the quotation marks, the dates, a filter, a word.
They come in the order of how likely they say what was meant, are counted by running them, and are kept when they find
more than the query itself.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property, partial
from typing import NamedTuple

from searchkit.analysis import Kind, tokenize
from searchkit.page.model import Suggestion
from searchkit.patterns import late_pattern
from searchkit.plan.execute import execute
from searchkit.plan.forms import word_key
from searchkit.plan.generation import Generation
from searchkit.plan.meanings import is_known
from searchkit.plan.numbered import with_numbered_names
from searchkit.plan.synonyms import NO_SYNONYMS, Synonyms, with_synonyms
from searchkit.query import Reading, canonical, named_period, read_query
from searchkit.query.joined_words import MOST_WORDS, words_apart
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
    TextNode,
    Word,
)
from searchkit.query.normal_form import NormalForm

FEW = 3
"""A search that finds fewer articles than this is answered with relaxations, too."""

MOST_COUNTED = 12
MOST_SHOWN = 6
_FREQUENT = 100
"""How many times as many articles another spelling of a word has when a few articles have the word as typed."""

_MOST_LEFT_OUT = 4
_MOST_LEAVES = 24
"""Words and labels of a query for which others are looked up; of queries with more, fewer relaxations are counted."""

_FEWEST_COUNTED = 2
_LONG = 48
_SHORTEST_PREFIX = 3
_LONGEST_QUERY = 8000
_LONGEST_DATE = 4
_SMALL_OPERATOR = late_pattern(r"(?<=\w )(?:or|and not|not)(?= [\w\"(])")


class Candidate(NamedTuple):
    """A tree to run instead, and what is different about it."""

    node: Node
    reason: str


def relaxations(
    reading: Reading, total: int, generation: Generation, synonyms: Synonyms = NO_SYNONYMS
) -> tuple[Suggestion, ...]:
    """Queries that find more than the ``total`` of ``reading``, most useful first; none where that is no trouble."""
    if total >= FEW or generation.doc_count <= total or isinstance(reading.typed, Everything):
        return ()
    relaxer = _Relaxer(reading, total, generation)
    seen = {canonical(reading.typed)}
    most = max(MOST_COUNTED * _MOST_LEAVES // max(len(relaxer.leaves), _MOST_LEAVES), _FEWEST_COUNTED)
    found = _counted(relaxer.candidates(), most, seen, reading, total, generation, synonyms)
    if not found and not total and relaxer.is_short:
        most = max(most // 2, _FEWEST_COUNTED)
        found = _counted(relaxer.all_together(), most, seen, reading, total, generation, synonyms)
    return tuple(found)


def _counted(
    candidates: Iterator[Candidate],
    most: int,
    seen: set[str],
    reading: Reading,
    total: int,
    generation: Generation,
    synonyms: Synonyms,
) -> list[Suggestion]:
    """Those of the candidates that find more than ``total``; ``most`` of them are run, and those ``seen`` are not."""
    found: list[Suggestion] = []
    for candidate in candidates:
        query = canonical(candidate.node)
        if query in seen or isinstance(candidate.node, Everything) or len(query) > _LONGEST_QUERY:
            continue
        seen.add(query)
        again = read_query(query, today=reading.today, zone=reading.zone)
        if again.node != candidate.node:  # beyond the reader's limits
            continue
        most -= 1
        meant = with_synonyms(with_numbered_names(candidate.node, generation), synonyms, generation.analyzers)
        count = len(execute(meant, generation, scored=False).docnums)
        if count > total:
            found.append(Suggestion(query, candidate.reason, count))
        if most == 0 or len(found) == MOST_SHOWN:
            break
    return found


class _Relaxer:
    def __init__(self, reading: Reading, total: int, generation: Generation) -> None:
        self.reading = reading
        self.total = total
        self.generation = generation
        self.normal_form = NormalForm(reading.zone)
        self.node = self._changed(reading.typed, self._apart)
        self.leaves = list(dict.fromkeys(_leaves(self.node)))
        self.is_short = len(self.leaves) <= _LONG
        self.parts: list[Node] = list(self.node.nodes) if isinstance(self.node, And) else [self.node]
        self.words: list[Node] = [part for part in self.parts if isinstance(part, TextNode | Or)]

    def candidates(self) -> Iterator[Candidate]:
        """All relaxations, most useful first; of a query of fifty words only those that leave something out."""
        if self.is_short:
            yield from self._spellings()
            yield from self._fields()
            yield from self._operators()
            yield from self._labels()
            yield from self._words_as_dates()
            yield from self._marks()
        else:
            yield from self._any_word()
        yield from self._without_dates()
        yield from self._without_filters()
        yield from self._without_words()
        yield from self._any_word()
        yield from self._words_only()

    # ---- other words ---------------------------------------------------------------------------------------

    def _spellings(self) -> Iterator[Candidate]:
        """The query with the words that are hardly in the archive spelled as it spells them."""
        better = self._better_spellings
        if sum(map(bool, better.values())) > 1:
            best = {word: spellings[0] for word, spellings in better.items() if spellings}
            yield Candidate(self._respelled(best), "spelling " + ", ".join(best.values()))
        for word, spellings in better.items():
            for spelling in spellings:
                yield Candidate(self._respelled({word: spelling}), f"spelling {spelling}")
        for word in better:
            key = word_key(word)
            if self.generation.vocabulary("text_exact").beginning_with(key, most=1).words:
                begun = self._changed(self.node, partial(_begun, word))
                yield Candidate(begun, f"words that begin with {word}")
        for leaf in self.leaves[:_MOST_LEAVES]:
            wider = self._wider(leaf)
            if wider is not None:
                yield Candidate(self._replaced(leaf, wider), f"{canonical(wider)} instead of {canonical(leaf)}")

    def _wider(self, leaf: Node) -> Node | None:
        """For a pattern, prefix or approximate spelling that no word is like, one that some are; None where it fits."""
        if not isinstance(leaf, Pattern | Prefix | Fuzzy):
            return None
        vocabulary = self.generation.vocabulary(f"{leaf.field or 'text'}_exact")
        if isinstance(leaf, Prefix):
            key = word_key(leaf.text)
        elif vocabulary.expand(leaf).words:
            return None
        elif isinstance(leaf, Fuzzy):
            return replace(leaf, edits=2) if leaf.edits == 1 else None
        else:
            key = word_key(re.split(r"[*?]", leaf.text, maxsplit=1)[0])
        for end in range(len(key), _SHORTEST_PREFIX - 1, -1):
            if vocabulary.beginning_with(key[:end], most=1).words:
                return Prefix(key[:end], leaf.field) if end < len(key) or isinstance(leaf, Pattern) else None
        return None

    @cached_property
    def _filters(self) -> list[Node]:
        return [part for part in self.parts if isinstance(part, Label | Published)]

    @cached_property
    def _better_spellings(self) -> dict[str, list[str]]:
        """For each word that no article has, or few have, how it may have been meant."""
        found = {}
        for word in list(dict.fromkeys(self._typed_words()))[:_MOST_LEAVES]:
            spellings = self._better(word)
            if spellings is not None:
                found[word] = spellings
        return found

    def _typed_words(self) -> Iterator[str]:
        for leaf in self.leaves:
            if isinstance(leaf, Word | Phrase | Exact):
                yield from leaf.text.split()

    def _better(self, word: str) -> list[str] | None:
        """Spellings of a word that no article has, or few have, the likeliest first; None for a word that many have."""
        frequency = self._count(Word(word))
        if frequency > self.total + FEW:
            return None
        key = word_key(word)
        tokens = list(tokenize(word))
        if not key.isalnum() or not tokens or not all(char.isalpha() for char in key) or len(key) < 3:
            return None
        vocabulary = self.generation.vocabulary("text_exact")
        nearby = vocabulary.near(key, 1 if len(key) < 5 else 2, most=60)
        worth: dict[str, float] = {}
        for other, edits in zip(nearby.words, nearby.edits, strict=True):
            count = vocabulary.frequency(other)
            is_doubtful = frequency == 0 or (edits == 1 and len(key) > 4 and count >= frequency * _FREQUENT)
            if edits and count and other.isalpha() and is_doubtful:
                worth[other] = count / 100 ** (edits - 1) / (1 if other[0] == key[0] else 20)
        spellings = sorted(worth, key=lambda other: (-worth[other], other))[:2]
        return spellings + self._split(key)

    def _split(self, key: str) -> list[str]:
        """The word as two, where the archive has both: the pair whose rarer word is most frequent."""
        vocabulary = self.generation.vocabulary("text_exact")
        halves = [(key[:at], key[at:]) for at in range(2, len(key) - 1)]
        known = [(min(vocabulary.frequency(half) for half in pair), pair) for pair in halves]
        count, pair = max(known, default=(0, ("", "")))
        return [" ".join(pair)] if count else []

    def _respelled(self, spellings: dict[str, str]) -> Node:
        def change(leaf: Node) -> Node:
            match leaf:
                case Word(text, field) if text in spellings:
                    words: list[Node] = [Word(part, field) for part in spellings[text].split()]
                    return self.normal_form.conjunction(words)
                case Phrase(text, field, slop):
                    return Phrase(" ".join(spellings.get(word, word) for word in text.split()), field, slop)
                case Exact(text, field, slop):
                    return Exact(" ".join(spellings.get(word, word) for word in text.split()), field, slop)
            return leaf

        return self._changed(self.node, change)

    # ---- fields and labels that do not exist ---------------------------------------------------------------

    def _fields(self) -> Iterator[Candidate]:
        """The query with an unknown field as the nearest that there is."""
        text = self.reading.receipt.text
        for remark in self.reading.receipt.remarks:
            end = remark.position + len(remark.text)
            if remark.instead is None or text[remark.position : end] != remark.text:
                continue
            meant = text[: remark.position] + remark.instead + text[end:]
            node = read_query(meant, today=self.reading.today, zone=self.reading.zone).node
            whole = self.normal_form.conjunction([node, *self._filters])
            yield Candidate(whole, f"with the field {remark.instead[:-1]}")

    def _operators(self) -> Iterator[Candidate]:
        """The query with ``or`` and ``not`` in small letters read as operators."""
        meant = _SMALL_OPERATOR.sub(lambda word: word[0].upper(), self.reading.receipt.text)
        if meant != self.reading.receipt.text:
            node = read_query(meant, today=self.reading.today, zone=self.reading.zone).node
            yield Candidate(self.normal_form.conjunction([node, *self._filters]), "with the operators in capitals")

    def _labels(self) -> Iterator[Candidate]:
        """A label that no article has as the nearest that some have, or as words."""
        for leaf in self.leaves[:_MOST_LEAVES]:
            if not isinstance(leaf, Label) or self._count(leaf):
                continue
            for value in self._nearest_labels(leaf):
                real = self._replaced(leaf, Label(leaf.field, value))
                yield Candidate(real, f"with {_article(leaf.field)} that there is")
            if leaf.field not in ("id", "url", "language") and is_known(Word(leaf.value), self.generation):
                words: list[Node] = [Word(word) for word in leaf.value.split() if any(map(str.isalnum, word))]
                if words:
                    as_text = self._replaced(leaf, self.normal_form.conjunction(words))
                    yield Candidate(as_text, f"{leaf.value} as words instead of {_article(leaf.field)}")

    def _nearest_labels(self, label: Label) -> list[str]:
        """Real labels with all the words of this one, or all of theirs in it; else spelled nearly so."""
        if label.field in ("id", "url"):
            return []
        return self.generation.nearest_labels(label.field, label.value)

    def _words_as_dates(self) -> Iterator[Candidate]:
        """Words side by side that name a time (``spring 2019``) as the time of publication."""
        count = min(len(self.parts), _MOST_LEAVES)
        for length in range(min(_LONGEST_DATE, count), 0, -1):
            for at in range(count - length + 1):
                run = self.parts[at : at + length]
                words = [part.text for part in run if isinstance(part, Word) and part.field is None]
                if len(words) < length:
                    continue
                if period := named_period(" ".join(words), today=self.reading.today):
                    parts = [*self.parts[:at], *self.parts[at + length :], Published(period.start, period.end)]
                    yield Candidate(self.normal_form.conjunction(parts), f"published {' '.join(words)}")
                    return

    # ---- less asked for ------------------------------------------------------------------------------------

    def _marks(self) -> Iterator[Candidate]:
        """Phrases as words, words as written in any form, words of the title anywhere."""

        def inflected(leaf: Node) -> Node:
            if isinstance(leaf, Exact):
                several = len(leaf.text.split()) > 1
                return Phrase(leaf.text, leaf.field, leaf.slop) if several else Word(leaf.text, leaf.field)
            return leaf

        def anywhere(leaf: Node) -> Node:
            return replace(leaf, field=None) if isinstance(leaf, TextNode) else leaf

        def in_parts(leaf: Node) -> Node:
            if isinstance(leaf, Word):
                parts = [token.text for token in tokenize(leaf.text) if token.kind is Kind.WORD]
                if 1 < len(parts) <= MOST_WORDS:
                    return self.normal_form.conjunction([Word(part, leaf.field) for part in parts])
            return leaf

        yield Candidate(self._changed_wanted(inflected), "the words in any form")
        yield Candidate(self._changed_wanted(in_parts), "the parts of a name anywhere")
        yield Candidate(self._changed_wanted(self._unmarked), "without the quotation marks")
        yield Candidate(self._changed_wanted(anywhere), "anywhere instead of in the title")

    def _apart(self, leaf: Node) -> Node:
        """The words of ``his/her`` one by one, so that each can be respelled or left out."""
        if not isinstance(leaf, Word) or not words_apart(leaf.text):
            return leaf
        return self.normal_form.conjunction([Word(word, leaf.field) for word in words_apart(leaf.text)])

    def _unmarked(self, leaf: Node) -> Node:
        if isinstance(leaf, Phrase | Exact) and len(leaf.text.split()) > 1:
            kind = Word if isinstance(leaf, Phrase) else Exact
            words = [word for word in leaf.text.split() if any(map(str.isalnum, word))]
            return self.normal_form.conjunction([kind(word, leaf.field) for word in words])
        return leaf

    def all_together(self) -> Iterator[Candidate]:
        """Where no single change helps: all that can be corrected corrected, then without marks, filters and words."""
        best = {word: spellings[0] for word, spellings in self._better_spellings.items() if spellings}
        node = self._respelled(best)
        for word, spellings in self._better_spellings.items():
            if not spellings:
                node = self._changed(node, partial(_begun, word))
        for leaf in self.leaves[:_MOST_LEAVES]:
            if isinstance(leaf, Label) and not self._count(leaf):
                nearest = self._nearest_labels(leaf)
                if nearest:
                    label = Label(leaf.field, nearest[0])
                    node = self._changed(node, partial(_exchanged, leaf, label))
        yield Candidate(node, "all of it corrected")
        node = self._changed(node, self._unmarked, exclusions=False)
        yield Candidate(node, "corrected, without the quotation marks")
        parts = list(node.nodes) if isinstance(node, And) else [node]
        words: list[Node] = [part for part in parts if isinstance(part, TextNode | Or)]
        if words:
            yield Candidate(self.normal_form.conjunction(words), "corrected, without filters")
            for part in words[:_MOST_LEFT_OUT] if len(words) > 1 else ():
                yield Candidate(part, f"only {canonical(part)}")
            yield Candidate(self.normal_form.disjunction(words), "any of the words, without filters")

    def _without_dates(self) -> Iterator[Candidate]:
        rest = [part for part in self.parts if not _is_date(part)]
        if len(rest) < len(self.parts):
            yield Candidate(self.normal_form.conjunction(rest), "without the dates")

    def _without_filters(self) -> Iterator[Candidate]:
        for part in self.parts:
            labels = [part] if isinstance(part, Label) else list(part.nodes) if isinstance(part, Or) else []
            if labels and all(isinstance(label, Label) for label in labels):
                names = " or ".join(f"{label.field} {label.value}" for label in labels if isinstance(label, Label))
                yield Candidate(self._without(part), f"without {names}")

    def _without_words(self) -> Iterator[Candidate]:
        """The query without each of its words, the rarest first, then without each exclusion."""
        if len(self.words) > 1:
            counts = {part: self._count(part) for part in self.words[:MOST_COUNTED]}
            unknown = [part for part, count in counts.items() if not count]
            if 1 < len(unknown) < len(self.words):
                rest = [part for part in self.parts if part not in unknown]
                names = " and ".join(canonical(part) for part in unknown)
                yield Candidate(self.normal_form.conjunction(rest), f"without {names}, which no article has")
            for part in sorted(counts, key=lambda part: counts[part])[:_MOST_LEFT_OUT]:
                yield Candidate(self._without(part), f"without {canonical(part)}")
        for part in self.parts:
            if isinstance(part, Not) and not _is_date(part):
                yield Candidate(self._without(part), f"with {canonical(part.node)} allowed")

    def _any_word(self) -> Iterator[Candidate]:
        if len(self.words) > 1:
            rest = [part for part in self.parts if part not in self.words]
            either = self.normal_form.disjunction(list(self.words))
            yield Candidate(self.normal_form.conjunction([either, *rest]), "any of the words instead of all")

    def _words_only(self) -> Iterator[Candidate]:
        if self.words and len(self.words) < len(self.parts):
            yield Candidate(self.normal_form.conjunction(list(self.words)), "only the words, without filters")

    def _count(self, node: Node) -> int:
        return len(execute(node, self.generation, scored=False).docnums)

    # ---- trees ---------------------------------------------------------------------------------------------

    def _without(self, unwanted: Node) -> Node:
        return self.normal_form.conjunction([part for part in self.parts if part != unwanted])

    def _replaced(self, old: Node, new: Node) -> Node:
        return self._changed(self.node, partial(_exchanged, old, new))

    def _changed_wanted(self, change: Callable[[Node], Node]) -> Node:
        """The tree with its leaves changed but for those that are excluded."""
        return self._changed(self.node, change, exclusions=False)

    def _changed(self, node: Node, change: Callable[[Node], Node], *, exclusions: bool = True) -> Node:
        match node:
            case And(nodes):
                return self.normal_form.conjunction([self._changed(n, change, exclusions=exclusions) for n in nodes])
            case Or(nodes):
                return self.normal_form.disjunction([self._changed(n, change, exclusions=exclusions) for n in nodes])
            case Not(inner):
                changed = self._changed(inner, change, exclusions=exclusions) if exclusions else inner
                return self.normal_form.negation(changed)
        return change(node)


def _leaves(node: Node) -> Iterator[Node]:
    match node:
        case And(nodes) | Or(nodes):
            for part in nodes:
                yield from _leaves(part)
        case Not(inner):
            yield from _leaves(inner)
        case _:
            yield node


def _article(field: str) -> str:
    return f"an {field}" if field == "author" else f"a {field}"


def _exchanged(old: Node, new: Node, leaf: Node) -> Node:
    return new if leaf == old else leaf


def _begun(text: str, leaf: Node) -> Node:
    return Prefix(leaf.text, leaf.field) if isinstance(leaf, Word) and leaf.text == text else leaf


def _is_date(part: Node) -> bool:
    return isinstance(part, Published) or (isinstance(part, Not) and isinstance(part.node, Published))
