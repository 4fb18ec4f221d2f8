"""Names with a number that are typed in two words: `covid 19` also finds covid19 and COVID-19.

Only names that the archive has are put into a tree, so that most queries stay as they are.
"""

from itertools import pairwise

from searchkit.plan.forms import word_forms
from searchkit.plan.generation import Generation
from searchkit.query.nodes import And, Node, Not, Or, Word
from searchkit.query.normal_form import NormalForm

_FORM = NormalForm()


def with_numbered_names(node: Node, generation: Generation) -> Node:
    """The tree in which a word and the number behind it may also be the one name that they make together."""
    match node:
        case And(nodes):
            return _conjunction(nodes, generation)
        case Or(nodes):
            return Or(tuple(with_numbered_names(part, generation) for part in nodes))
        case Not(inner):
            return Not(with_numbered_names(inner, generation))
        case _:
            return node


def _conjunction(nodes: tuple[Node, ...], generation: Generation) -> Node:
    parts = [with_numbered_names(part, generation) for part in nodes]
    for at, (word, number) in reversed(list(enumerate(pairwise(nodes)))):
        if (name := _name(word, number)) and _is_known(name, generation):
            parts[at : at + 2] = [_FORM.disjunction([And((word, number)), name])]
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _name(word: Node, number: Node) -> Word | None:
    if not isinstance(word, Word) or not isinstance(number, Word) or word.field != number.field:
        return None
    is_name = word.text.isalpha() and number.text.isdecimal()
    return Word(word.text + number.text, word.field) if is_name else None


def _is_known(name: Word, generation: Generation) -> bool:
    ((slot, *_), *_) = word_forms(name.text, generation.analyzers).alternatives
    return any(len(generation.docnums(name.field or "text", term)) for term in slot)
