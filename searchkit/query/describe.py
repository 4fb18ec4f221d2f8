"""The receipt of a tree: what was read, in lists for programs and in one plain sentence for people."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from searchkit.query.canonical import canonical, last_moment, name_of_period
from searchkit.query.dates import MONTHS
from searchkit.query.joined_words import words_apart
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
)
from searchkit.query.receipt import TOO_MUCH, Filter, Receipt, Remark

MAX_REMARKS = 20
NOTHING_SHARED = "no day lies in all of the dates asked for, so nothing can match"
_LONGEST_LIST = 12

_LABEL_WORDS = {
    "topic": "filed under", "kind": "of kind", "author": "by",
    "language": "in language", "id": "with id", "url": "at",
}  # fmt: skip


def build_receipt(text: str, node: Node, remarks: Iterable[Remark]) -> Receipt:
    """The receipt of ``text``, which was read as ``node`` with these remarks."""
    lists = _Lists()
    lists.collect(node, excluded=False, optional=False)
    spans = [part for part in _parts(node) if isinstance(part, Published)]
    ordered = _collapsed(sorted(remarks, key=lambda remark: remark.position))
    if len(spans) > 1:
        ordered.append(Remark(" ".join(canonical(span) for span in spans), -1, NOTHING_SHARED))
    if len(ordered) > MAX_REMARKS:
        more = Remark("…", ordered[MAX_REMARKS].position, "more of the query was corrected or left out")
        limits = [remark for remark in ordered[MAX_REMARKS:] if remark.reason.startswith(TOO_MUCH)]
        ordered = [*ordered[: MAX_REMARKS - len(limits)], more, *limits]
    since, until = _outer_days(spans)
    return Receipt(
        text=text,
        sentence=sentence(node),
        canonical=canonical(node),
        required=tuple(dict.fromkeys(lists.required)),
        optional=tuple(dict.fromkeys(lists.optional)),
        excluded=tuple(dict.fromkeys(lists.excluded)),
        filters=tuple(dict.fromkeys(lists.filters)),
        since=since,
        until=until,
        remarks=tuple(ordered),
    )


def _collapsed(remarks: list[Remark]) -> list[Remark]:
    """Of several remarks that say the same the first, with how often it holds."""
    times = Counter(remark.reason for remark in remarks)
    firsts = {remark.reason: remark for remark in reversed(remarks)}
    return [
        remark
        if times[remark.reason] == 1
        else replace(remark, reason=f"{remark.reason} ({times[remark.reason]} times)")
        for remark in remarks
        if firsts[remark.reason] is remark
    ]


def _parts(node: Node) -> tuple[Node, ...]:
    return node.nodes if isinstance(node, And) else (node,)


def _outer_days(spans: list[Published]) -> tuple[str | None, str | None]:
    """The first and last day of the dates asked for, the last before the first if none is in all."""
    start = spans[-1].start if spans else None
    end = spans[0].end if spans else None
    return (start.isoformat() if start else None, last_moment(end).isoformat() if end else None)


class _Lists:
    """The words and labels of a tree, by what they do."""

    def __init__(self) -> None:
        self.required: list[str] = []
        self.optional: list[str] = []
        self.excluded: list[str] = []
        self.filters: list[Filter] = []

    def collect(self, node: Node, *, excluded: bool, optional: bool) -> None:
        match node:
            case And(nodes):
                for part in nodes:
                    self.collect(part, excluded=excluded, optional=optional)
            case Or(nodes):
                for part in nodes:
                    self.collect(part, excluded=excluded, optional=True)
            case Not(inner):
                self.collect(inner, excluded=not excluded, optional=optional)
            case Label(field, value):
                self.filters.append(Filter(field, value, excluded))
            case _ if isinstance(node, TextNode):
                words = self.excluded if excluded else self.optional if optional else self.required
                words.append(canonical(node))


# ---- the sentence ------------------------------------------------------------------------------------------


def sentence(node: Node) -> str:
    """One plain English sentence saying which articles ``node`` matches."""
    if isinstance(node, Everything):
        return "All articles."
    said = f"Articles {', '.join(_clauses(list(_parts(node))))}"
    return said if said.endswith((".", '."')) else said + "."


def _clauses(parts: list[Node]) -> list[str]:
    """What all of ``parts`` ask for: words first, then what must not be there, then labels, then dates."""
    words = [part for part in parts if isinstance(part, TextNode)]
    negated = [part.node for part in parts if isinstance(part, Not)]
    # Without any of several is without each of them.
    negated = [one for node in negated for one in (node.nodes if isinstance(node, Or) else (node,))]
    unwanted = [node for node in negated if isinstance(node, TextNode)]
    labels = [part for part in parts if isinstance(part, Label)]
    unwanted_labels = [node for node in negated if isinstance(node, Label)]
    clauses = _with_words("with", words, "and")
    clauses += [_either(part) for part in parts if isinstance(part, Or)]
    clauses += [f"matching ({canonical(part)})" for part in parts if isinstance(part, And)]
    clauses += _with_words("without", unwanted, "or")
    clauses += _with_labels("", labels, "and")
    clauses += _with_labels("not ", unwanted_labels, "or")
    clauses += [_when(part) for part in parts if isinstance(part, Published)]
    clauses += [_not_when(node) for node in negated if isinstance(node, Published)]
    clauses += [f"not matching ({canonical(node)})" for node in negated if isinstance(node, And)]
    return clauses


def _either(node: Or) -> str:
    """ "with a or b" where all are words or all labels of one field, else "either … or …"."""
    words = [part for part in node.nodes if isinstance(part, TextNode)]
    labels = [part for part in node.nodes if isinstance(part, Label)]
    alike = (
        _with_words("with", words, "or") if len(words) == len(node.nodes)
        else _with_labels("", labels, "or") if len(labels) == len(node.nodes)
        else []
    )  # fmt: skip
    if len(alike) == 1:
        return alike[0]
    return "either " + _listed([_alternative(part) for part in node.nodes], "or")


def _alternative(node: Node) -> str:
    clauses = _clauses(list(_parts(node)))
    is_simple = not any(isinstance(part, Or | And) for part in _parts(node)) and len(clauses) <= 3
    return " and ".join(clauses) if is_simple else f"matching ({canonical(node)})"


def _with_words(preposition: str, words: list[TextNode], conjunction: str) -> list[str]:
    is_wanted = preposition == "with"
    anywhere = [_name(word, is_wanted) for word in words if word.field is None]
    in_title = [_name(word, is_wanted) for word in words if word.field == "title"]
    clauses = [f"{preposition} {_listed(anywhere, conjunction)}"] if anywhere else []
    if in_title:
        clauses.append(f"{preposition} {_listed(in_title, conjunction)} in the title")
    return clauses


def _name(node: TextNode, is_wanted: bool) -> str:
    match node:
        case Phrase(text, _, slop):
            return f'"{text}"' + _apart(slop)
        case Exact(text, _, slop):
            return f"exactly {text}" if text.isalnum() else f'exactly "{text}"' + _apart(slop)
        case Prefix(text):
            return f"a word beginning with {text}"
        case Pattern(text):
            return f"a word like {text}"
        case Fuzzy(text, _, edits):
            return f"{text} or a word {edits} letter{'s' if edits > 1 else ''} off"
    words = words_apart(node.text)
    if not words:
        return node.text
    return f"{node.text} ({_listed(list(words), 'and')}{', side by side first' if is_wanted else ''})"


def _apart(slop: int) -> str:
    return f" ({slop} word{'s' if slop > 1 else ''} or fewer between)" if slop else ""


def _with_labels(negation: str, labels: list[Label], conjunction: str) -> list[str]:
    clauses = []
    for field, words in _LABEL_WORDS.items():
        values = [label.value for label in labels if label.field == field]
        if values:
            clauses.append(f"{negation}{words} {_listed(values, conjunction)}")
    return clauses


def _listed(names: list[str], conjunction: str) -> str:
    if len(names) > _LONGEST_LIST:
        names = [*names[: _LONGEST_LIST - 1], f"{len(names) - _LONGEST_LIST + 1} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {conjunction} {names[-1]}"


def _when(span: Published) -> str:
    first, last = span.start, None if span.end is None else last_moment(span.end)
    if first is None and last is None:
        return "that have a date"
    if first is None or last is None:
        return f"published {_day(first)} or later" if first else f"published {_day(last)} or earlier"
    name = name_of_period(span)
    if name is None:
        return f"published from {_day(first)} to {_day(last)}" if first != last else f"published at {_day(first)}"
    if len(name) == 10:
        return f"published on {_day(first)}"
    return f"published in {name if len(name) == 4 else f'{_month(first)} {first.year}'}"


def _not_when(span: Published) -> str:
    return "without a date" if span == Published(None, None) else "not " + _when(span)


def _day(moment: date | None) -> str:
    assert moment is not None
    day = f"{moment.day} {_month(moment)} {moment.year}"
    if not isinstance(moment, datetime):
        return day
    exact = moment.timetz().isoformat()
    return f"{day} {exact.replace(':00', '', 1) if exact.count(':') == 2 and exact.endswith(':00') else exact}"


def _month(day: date) -> str:
    return MONTHS[day.month - 1].capitalize()
