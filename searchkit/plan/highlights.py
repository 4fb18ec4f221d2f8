"""What to mark in an article that matches: the words and phrases a query asks for, as terms.

Only what is asked for is marked: nothing inside an exclusion, no labels, no dates.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from searchkit.analysis import Analyzer
from searchkit.plan.forms import (
    Alternative,
    exact_forms,
    in_capitals,
    phrase_forms,
    prefix_forms,
    word_forms,
)
from searchkit.query.joined_words import is_initialism
from searchkit.query.nodes import And, Exact, Fuzzy, Node, Or, Pattern, Phrase, Prefix, Word


class Highlight(NamedTuple):
    """One thing to mark, in text of any field or (``title_only``) in titles.

    Either the ``slots`` of a word or phrase, up to ``slop`` words between each of them, or a ``prefix`` of folded
    words. With ``as_written`` the slots hold words of the exact fields instead of stems.
    """

    slots: Alternative = ()
    slop: int = 0
    prefix: str | None = None
    title_only: bool = False
    as_written: bool = False


Expand = Callable[[Pattern | Fuzzy], tuple[str, ...]]
"""Gives the words of the exact fields that a node stands for."""


def highlights(node: Node, analyzers: tuple[Analyzer, ...], expand: Expand = lambda _node: ()) -> tuple[Highlight, ...]:
    """Everything in ``node`` that is to be marked, in the order it was typed."""
    return tuple(dict.fromkeys(_highlights(node, analyzers, expand)))


def _highlights(node: Node, analyzers: tuple[Analyzer, ...], expand: Expand) -> Iterator[Highlight]:
    match node:
        case Word(text, field):
            forms = word_forms(text, analyzers)
            if forms.prefix is not None:
                yield Highlight(prefix=forms.prefix, title_only=field == "title")
            for slots in forms.alternatives:
                yield Highlight(slots, title_only=field == "title")
            for word in forms.apart:
                yield from _highlights(Word(word, field), analyzers, expand)
            if is_initialism(text):
                letters = in_capitals(text, analyzers).words
                yield Highlight((letters,), title_only=field == "title", as_written=True)
        case Phrase(text, field, slop):
            for slots in phrase_forms(text, analyzers).alternatives:
                yield Highlight(slots, slop, title_only=field == "title")
        case Prefix(text, field):
            forms = prefix_forms(text, analyzers)
            if forms.prefix is not None:
                yield Highlight(prefix=forms.prefix, title_only=field == "title")
            for slots in forms.alternatives:
                yield Highlight(slots, title_only=field == "title")
        case Pattern(_, field) | Fuzzy(_, field):
            yield Highlight((expand(node),), title_only=field == "title", as_written=True)
        case Exact(text, field, slop):
            for alternative in exact_forms(text, analyzers):
                words = tuple((word,) for word in alternative.words)
                yield Highlight(words, slop, title_only=field == "title", as_written=True)
        case And(nodes) | Or(nodes):
            for part in nodes:
                yield from _highlights(part, analyzers, expand)
