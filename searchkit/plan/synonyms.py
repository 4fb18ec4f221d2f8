"""Synonyms: a plain text file of words that stand for each other, and a query tree with them put in.

    # one rule a line; what follows a hash is a comment
    rbc, red blood cell, erythrocyte        any of these finds all of them
    tx => transfusion, transplant           tx finds these too, but they do not find tx

Words are compared by their stems, so that a rule for cell holds for cells. Words given exactly (``="…"``), patterns
and approximate spellings are left as they are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from searchkit.analysis import Analyzer, Kind, fold, tokenize
from searchkit.errors import SettingsError
from searchkit.query.joined_words import words_apart
from searchkit.query.nodes import And, Node, Not, Or, Phrase, TextField, Word
from searchkit.query.normal_form import NormalForm

MOST_RULES = 100_000
_LONGEST = 8
"""Words of a synonym; longer ones are sentences."""


class Rule(NamedTuple):
    """What is found (``then``) besides any of ``given``."""

    given: tuple[str, ...]
    then: tuple[str, ...]


@dataclass(frozen=True)
class Synonyms:
    """The rules of a file."""

    rules: tuple[Rule, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rules)

    @cached_property
    def _tables(self) -> dict[tuple[str, ...], dict[tuple[str, ...], tuple[str, ...]]]:
        return {}

    def table(self, analyzers: tuple[Analyzer, ...]) -> dict[tuple[str, ...], tuple[str, ...]]:
        """For the stems of each synonym what else it finds."""
        languages = tuple(analyzer.language for analyzer in analyzers)
        known = self._tables.get(languages)
        if known is None:
            found: dict[tuple[str, ...], dict[str, None]] = {}
            for rule in self.rules:
                for given in rule.given:
                    others = (then for then in rule.then if _key(then, analyzers) != _key(given, analyzers))
                    found.setdefault(_key(given, analyzers), {}).update(dict.fromkeys(others))
            known = self._tables[languages] = {key: tuple(then) for key, then in found.items() if key and then}
        return known


NO_SYNONYMS = Synonyms()


def load_synonyms(path: Path) -> Synonyms:
    """The synonyms of a file. Raises SettingsError that names file and line for a rule that says nothing."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError(f"the synonyms in {path} cannot be read: {exc}") from exc
    rules: list[Rule] = []
    for number, line in enumerate(lines, 1):
        text = line.split("#", 1)[0].strip()
        if text:
            rules.append(_rule(text, f"{path}:{number}"))
    if len(rules) > MOST_RULES:
        raise SettingsError(f"{path} has {len(rules):,} rules; at most {MOST_RULES:,} are read")
    return Synonyms(tuple(rules))


def _rule(text: str, place: str) -> Rule:
    sides = text.split("=>")
    if len(sides) > 2:
        raise SettingsError(f"{place}: a rule has one arrow; write it like: tx => transfusion, transplant")
    given = _listed(sides[0], place)
    if len(sides) == 1:
        if len(given) < 2:
            raise SettingsError(f"{place}: nothing means the same as {text!r}; write it like: rbc, red blood cell")
        return Rule(given, given)
    return Rule(given, _listed(sides[1], place))


def _listed(side: str, place: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(" ".join(word.split()) for word in side.split(",") if word.strip()))
    if not words:
        raise SettingsError(f"{place}: there is no word on one side of the arrow; write it like: tx => transfusion")
    for word in words:
        count = sum(token.kind is Kind.WORD or token.kind is Kind.PAIR for token in tokenize(word))
        if count > _LONGEST:
            raise SettingsError(f"{place}: {word!r} is too long; a synonym has at most {_LONGEST} words")
        if not any(character.isalnum() for character in word) or '"' in word:
            raise SettingsError(f"{place}: {word!r} is no word; write words or several of them with spaces")
    return words


def with_synonyms(node: Node, synonyms: Synonyms, analyzers: tuple[Analyzer, ...]) -> Node:
    """The tree in which a word, a phrase or words side by side may also be what the rules say they mean."""
    if not synonyms:
        return node
    table = synonyms.table(analyzers)
    return _expanded(node, table, analyzers) if table else node


_Table = dict[tuple[str, ...], tuple[str, ...]]


def _expanded(node: Node, table: _Table, analyzers: tuple[Analyzer, ...]) -> Node:
    match node:
        case Word(text, field):
            others = table.get(_key(text, analyzers), ())
            apart = [Word(word, field) for word in words_apart(text)]
            if apart and not others:
                meant = _FORM.conjunction([_expanded(word, table, analyzers) for word in apart])
                return node if meant == And(tuple(apart)) else _FORM.disjunction([node, meant])
            return _either(node, others, field)
        case Phrase(text, field, 0):
            return _either(node, table.get(_key(text, analyzers), ()), field)
        case Not(inner):
            return Not(_expanded(inner, table, analyzers))
        case Or(nodes):
            return _FORM.disjunction([_expanded(part, table, analyzers) for part in nodes])
        case And(nodes):
            return _FORM.conjunction(list(_conjuncts(nodes, table, analyzers)))
        case _:
            return node


def _conjuncts(nodes: tuple[Node, ...], table: _Table, analyzers: tuple[Analyzer, ...]) -> Iterable[Node]:
    """Each part expanded; words side by side that together have synonyms become one part, the longest run first."""
    at = 0
    while at < len(nodes):
        for count in range(min(_LONGEST, len(nodes) - at), 1, -1):
            run = [part for part in nodes[at : at + count] if isinstance(part, Word)]
            if len(run) < count or len({part.field for part in run}) > 1:
                continue
            others = table.get(_key(" ".join(part.text for part in run), analyzers), ())
            if others:
                yield _either(And(tuple(run)), others, run[0].field)
                at += count
                break
        else:
            yield _expanded(nodes[at], table, analyzers)
            at += 1


def _either(node: Node, others: tuple[str, ...], field: TextField | None) -> Node:
    if not others:
        return node
    alternatives = [Phrase(other, field) if _is_several(other) else Word(other, field) for other in others]
    return _FORM.disjunction([node, *alternatives])


def _is_several(text: str) -> bool:
    return len(text.split()) > 1


def _key(text: str, analyzers: tuple[Analyzer, ...]) -> tuple[str, ...]:
    """The stems of the words, in the archive's first language."""
    tokens = [token for token in tokenize(text) if token.kind not in (Kind.JOINED, Kind.LAST)]
    symbols = {token.position for token in tokens if token.kind is Kind.SYMBOL}
    kept = [token for token in tokens if token.kind is Kind.SYMBOL or token.position not in symbols]
    forms = analyzers[0].forms if analyzers else (lambda text, _kind: (fold(text),))
    return tuple(found[0] for token in kept if (found := forms(token.text, token.kind)))


_FORM = NormalForm()
