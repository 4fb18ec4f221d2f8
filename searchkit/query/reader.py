"""Reading a query: tokens become a tree, and whatever was typed has a reading.

`NOT` binds tightest, then `OR`, then `AND` and the simple neighbourhood of words: ``a b OR c d`` is a, and b
or c, and d, as people who search the web expect. Operators without anything to join, parentheses without a
partner and dates that are none are left out, each with a remark. `SYNTAX.md` describes the language for
readers.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, tzinfo
from typing import Literal, NamedTuple, cast

from searchkit.dates import Period
from searchkit.patterns import late_pattern
from searchkit.query.canonical import MAX_DEPTH
from searchkit.query.dates import RANGE_WORDS, Span, parse_bound, parse_span
from searchkit.query.describe import build_receipt
from searchkit.query.joined_words import is_initialism, words_apart
from searchkit.query.lexer import DATE_FIELDS, LABEL_FIELDS, OPERATORS, WHOLE, Kind, Token, lex
from searchkit.query.nodes import (
    Everything,
    Exact,
    Fuzzy,
    Label,
    LabelField,
    Node,
    Pattern,
    Phrase,
    Prefix,
    Published,
    TextField,
    Word,
)
from searchkit.query.normal_form import NormalForm
from searchkit.query.receipt import TOO_MUCH, Receipt, Remark

MAX_WIDE = 12
"""Patterns, approximate spellings and names of authors in a query, each of which stands for many words or labels.

Initials and exact phrases, for which articles may have to be read, count for several.
"""

_INITIALS_COST = 6
_EXACT_PHRASE_COST = 3

_NATURAL_START = late_pattern(r"[A-Za-z]|\d{1,2}(?:st|nd|rd|th|er|º)?\.?$|[<>≤≥]=?$")
_MAX_DATE_WORDS = 5
_DOI_ADDRESS = late_pattern(r"https?://(?:dx\.)?doi\.org/(10\.\d{4,9}/.+)", re.IGNORECASE)
_SEVERAL_WORDS = late_pattern(r"\w\W+\w")
_OPERAND_KINDS = (
    Kind.WORD, Kind.PREFIX, Kind.PATTERN, Kind.FUZZY, Kind.EXACT, Kind.PHRASE, Kind.VALUE, Kind.URL,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """A query as it was read: the tree to answer, and the receipt to show.

    ``today`` and ``zone`` are what its dates were read with. ``without_synonyms`` is the tree as it was typed, where
    synonyms have been put into the one to answer.
    """

    node: Node
    receipt: Receipt
    today: date
    zone: tzinfo = UTC
    without_synonyms: Node | None = None

    @property
    def typed(self) -> Node:
        """The tree of what was typed, which the receipt's canonical text is read as."""
        return self.node if self.without_synonyms is None else self.without_synonyms


def read_query(text: str, *, today: date, zone: tzinfo = UTC) -> Reading:
    """The reading of whatever was typed, in time linear in its length; nothing is an error.

    ``today`` is the current day in the archive's time ``zone``.
    """
    reader = _Reader(text, today, NormalForm(zone))
    node = reader.read()
    return Reading(node, build_receipt(text, node, reader.remarks), today, zone)


BoundName = Literal["since", "until", "before", "after"]

_COMPARISON = late_pattern(r"([<>]=?|[≤≥])|(since|until|before|after)\s", re.IGNORECASE)
_COMPARISONS: dict[str, BoundName] = {
    ">": "after", ">=": "since", "≥": "since", "<": "before", "<=": "until", "≤": "until",
}  # fmt: skip


class _Bound(NamedTuple):
    """A date that closes one side, as it was written; kept so that reversed pairs can be swapped."""

    node: Published
    name: BoundName
    period: Period
    token: Token


def open_span(name: BoundName, period: Period) -> Published:
    """The days since the beginning of a period, until its end, before or after it.

    Raises ValueError when nothing can be before it.
    """
    match name:
        case "since":
            return Published(period.start, None)
        case "until":
            return Published(None, period.end)
        case "after":
            return Published(period.end or date.max, None)
    if (period.start.year, period.start.month, period.start.day) == (1, 1, 1):
        raise ValueError("no date is before the year 1")
    return Published(None, period.start)


_LANGUAGE_NAMES = {
    "ar": "arabic", "ca": "catalan català", "cs": "czech čeština", "da": "danish dansk", "de": "german deutsch",
    "el": "greek ελληνικά", "en": "english", "es": "spanish español", "fi": "finnish suomi", "fr": "french français",
    "hu": "hungarian magyar", "it": "italian italiano", "ja": "japanese 日本語", "ko": "korean 한국어",
    "nl": "dutch nederlands", "no": "norwegian norsk", "pl": "polish polski", "pt": "portuguese português",
    "ro": "romanian română", "ru": "russian русский", "sv": "swedish svenska", "tr": "turkish türkçe",
    "uk": "ukrainian українська", "zh": "chinese 中文",
}  # fmt: skip
_LANGUAGE_CODES = {name: code for code, names in _LANGUAGE_NAMES.items() for name in names.split()}


def label_value(name: LabelField, text: str) -> str:
    """The value without space around it, and in all but ids and addresses without runs of space in it.

    A language by its name, in English or in itself, is given its code.
    """
    if name in ("id", "url"):
        return text.strip()
    value = " ".join(text.split())
    return _LANGUAGE_CODES.get(value.lower(), value) if name == "language" else value


@dataclass(slots=True)
class _Group:
    """What has been read of a pair of parentheses, or of the whole query."""

    opened: Token | None = None
    scope: str | None = None
    is_negated: bool = False
    conjuncts: list[Node] = field(default_factory=list)
    alternatives: list[Node] = field(default_factory=list)
    joiner: Token | None = None
    negation: Token | None = None
    is_negating: bool = False
    is_left_dropped: bool = False

    def drop_operand(self) -> None:
        """What stands here has no reading, so an operator on either side of it has nothing to join."""
        self.is_left_dropped = self.joiner is None
        self.forget_operators()

    def forget_operators(self) -> None:
        """Those before the operand just read have done their work."""
        self.joiner, self.negation, self.is_negating = None, None, False


class _Reader:
    def __init__(self, text: str, today: date, normal_form: NormalForm) -> None:
        self.lexed = lex(text)
        self.today = today
        self.normal_form = normal_form
        self.stack = [_Group()]
        self.ignored_openings = 0
        self.bounds: dict[int, _Bound] = {}
        self.wide_left = MAX_WIDE

    @property
    def remarks(self) -> list[Remark]:
        return self.lexed.remarks

    def read(self) -> Node:
        tokens = self.lexed.tokens
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token.kind in _OPERAND_KINDS:
                at = self._operand(at)
                continue
            match token.kind:
                case Kind.OPEN:
                    self._open(token)
                case Kind.CLOSE:
                    self._close(token)
                case Kind.AND | Kind.OR:
                    self._join(token)
                case Kind.NOT:
                    group = self.stack[-1]
                    group.negation, group.is_negating = token, not group.is_negating
                case Kind.STAR:
                    self._star(token)
                case Kind.DROPPED:
                    self.stack[-1].drop_operand()
            at += 1
        while len(self.stack) > 1:
            self._remark(cast(Token, self.stack[-1].opened), "not closed; read as if it were at the end")
            self._end_group()
        return self._finished(self.stack[0]) or Everything()

    def _remark(self, token: Token, reason: str) -> None:
        self.lexed.remark(token.start, token.end, reason)

    # ---- operators and groups ------------------------------------------------------------------------------

    def _join(self, token: Token) -> None:
        group = self.stack[-1]
        if group.negation:
            self._remark(group.negation, "left out: there is no word after it to exclude")
            group.negation, group.is_negating = None, False
        if not group.alternatives or (group.is_left_dropped and token.kind is Kind.OR):
            self._remark(token, "left out: there is nothing before it to join")
        elif group.joiner:
            self._remark(token, "left out: it follows another operator")
        else:
            group.joiner = token

    def _star(self, token: Token) -> None:
        if len(self.lexed.tokens) > 1:
            self._remark(token, "a star alone stands for every article and changes nothing")
        self.stack[-1].drop_operand()

    def _open(self, token: Token) -> None:
        group = self.stack[-1]
        if len(self.stack) > MAX_DEPTH:
            if not self.ignored_openings:
                self._remark(token, f"left out: parentheses are read {MAX_DEPTH} deep")
            self.ignored_openings += 1
            return
        self.stack.append(_Group(token, token.field or group.scope, group.is_negating))
        group.negation, group.is_negating = None, False

    def _close(self, token: Token) -> None:
        if self.ignored_openings:
            self.ignored_openings -= 1
        elif len(self.stack) == 1:
            self._remark(token, "left out: no parenthesis was opened before it")
        else:
            self._end_group()

    def _end_group(self) -> None:
        group = self.stack.pop()
        node = self._finished(group)
        if node is None:
            self._remark(cast(Token, group.opened), "there is nothing to search for in these parentheses")
            self.stack[-1].drop_operand()
        else:
            self._add(self.normal_form.negation(node) if group.is_negated else node)

    def _add(self, node: Node) -> None:
        group = self.stack[-1]
        if group.is_negating:
            node = self.normal_form.negation(node)
        if group.joiner is None or group.joiner.kind is not Kind.OR:
            self._end_alternatives(group)
        group.alternatives.append(node)
        group.is_left_dropped = False
        group.forget_operators()

    def _end_alternatives(self, group: _Group) -> None:
        if group.alternatives:
            group.conjuncts.append(self.normal_form.disjunction(group.alternatives))
            group.alternatives = []

    def _finished(self, group: _Group) -> Node | None:
        for token in (group.joiner, group.negation):
            if token:
                self._remark(token, "left out: there is nothing after it")
        self._end_alternatives(group)
        if not group.conjuncts:
            return None
        if len(self.bounds) > 1:
            self._swap_reversed(group.conjuncts)
        return self.normal_form.conjunction(group.conjuncts)

    # ---- words, labels and dates ---------------------------------------------------------------------------

    def _operand(self, at: int) -> int:
        """Read the operand at token ``at`` and say which token comes after it."""
        token = self.lexed.tokens[at]
        name = token.field or self.stack[-1].scope
        if name in DATE_FIELDS:
            return self._date(at, name)
        if name in LABEL_FIELDS:
            last = at if token.field else self._last_of_value(at)
            self._label(token, self.lexed.tokens[last], cast(LabelField, name))
            return last + 1
        text_field: TextField | None = "title" if name == "title" else None
        match token.kind:
            case Kind.PREFIX:
                parts = words_apart(token.text)
                if not all(part.isalnum() and part not in OPERATORS for part in parts):
                    parts = ()
                *words, beginning = parts or (token.text,)
                whole: list[Node] = [Word(word, text_field) for word in words]
                self._add(self.normal_form.conjunction([*whole, Prefix(beginning, text_field)]))
            case Kind.PATTERN:
                self._add_wide(token, Pattern(token.text, text_field))
            case Kind.FUZZY:
                self._add_wide(token, Fuzzy(token.text, text_field, token.number))
            case Kind.EXACT if _SEVERAL_WORDS.search(token.text) and not self._affords(_EXACT_PHRASE_COST):
                self._remark(token, "read in any form: a query has room for a few words as written")
                self._add(Phrase(token.text, text_field, token.number))
            case Kind.EXACT:
                self._add(Exact(token.text, text_field, token.number))
            case Kind.PHRASE:
                self._add(Phrase(token.text, text_field, token.number))
            case Kind.URL if text_field is None:
                # The article at this address, or those that mention it, or the DOI that it leads to.
                mentioned: list[Node] = [Label("url", token.text), Phrase(token.text)]
                if doi := _DOI_ADDRESS.fullmatch(token.text):
                    mentioned.append(Phrase(doi[1]))
                self._add(self.normal_form.disjunction(mentioned))
            case Kind.URL:
                self._add(Phrase(token.text, text_field))
            case _ if is_initialism(token.text) and not self._affords(_INITIALS_COST):
                self._remark(token, "read as typed, with points: a query has room for a few initials")
                self._add(Phrase(token.text, text_field))
            case _:
                self._add(Word(token.text, text_field))
        return at + 1

    def _add_wide(self, token: Token, node: Node) -> None:
        if self._affords(1):
            self._add(node)
        else:
            self._remark(token, f"{TOO_MUCH} {MAX_WIDE} patterns, approximate spellings and authors")
            self.stack[-1].drop_operand()

    def _affords(self, cost: int) -> bool:
        """Whether what is left of `MAX_WIDE` suffices; it is used up then."""
        if cost > self.wide_left:
            return False
        self.wide_left -= cost
        return True

    def _last_of_value(self, at: int) -> int:
        """In ``topic:(RBC Transfusion OR News)`` words that stand together are one value, ampersands too."""
        tokens = self.lexed.tokens
        last = at
        while last + 1 < len(tokens) and tokens[last].kind is not Kind.PHRASE:
            following = tokens[last + 1]
            step = 2 if following.text == "&" and last + 2 < len(tokens) else 1
            following = tokens[last + step]
            if following.kind is not Kind.WORD or following.field:
                break
            last += step
        return last

    def _label(self, first: Token, last: Token, name: LabelField) -> None:
        if first.kind is Kind.PREFIX:
            self._remark(first, f"a {name} is compared as a whole; a star is read only after words")
        text = first.text if first is last else self.lexed.text[first.start : last.start] + last.text
        value = label_value(name, text)
        if value:
            label = Label(name, value, first.number == WHOLE)
            if label.is_name:
                self._add_wide(first, label)
            else:
                self._add(label)
        else:
            self._remark(first, f"left out: {name} needs a value between the quotation marks")
            self.stack[-1].drop_operand()

    def _date(self, at: int, name: str) -> int:
        """Read a date of one word, or of as many as make sense together: ``since:last month``."""
        tokens, text = self.lexed.tokens, self.lexed.text
        first = tokens[at]
        ends = [at]
        following = tokens[at + 1].text.lower() if at + 1 < len(tokens) else ""
        if first.kind is not Kind.PHRASE and (_NATURAL_START.match(first.text) or following in RANGE_WORDS):
            while len(ends) < _MAX_DATE_WORDS and self._continues(ends[-1]):
                ends.append(ends[-1] + 1)
        problem = ""
        for last in reversed(ends):
            value = first.text
            if last > at:
                value += text[first.end : tokens[last].start] + tokens[last].text
            try:
                self._published(first, name, value)
            except ValueError as exc:
                problem = str(exc)
            else:
                return last + 1
        self._remark(first, f"left out: {problem}")  # the last one tried was the single word
        self.stack[-1].drop_operand()
        return at + 1

    def _continues(self, at: int) -> bool:
        tokens = self.lexed.tokens
        return (
            at + 1 < len(tokens)
            and tokens[at + 1].kind is Kind.WORD
            and tokens[at + 1].field is None
            and self.lexed.text[tokens[at].end : tokens[at + 1].start].isspace()
        )

    def _published(self, token: Token, name: str, value: str) -> None:
        """Add the restriction ``name:value``. Raises ValueError with a sentence when the value is no date."""
        if name == "date":
            compared = _COMPARISON.match(value)
            if compared is None:
                self._add(self._span(token, parse_span(value, today=self.today)))
                return
            sign, word = compared.groups()
            name, value = _COMPARISONS[sign] if sign else word.lower(), value[compared.end() :].strip()
        period = parse_bound(value, today=self.today)
        bound = open_span(cast(BoundName, name), period)
        self.bounds[id(bound)] = _Bound(bound, cast(BoundName, name), period, token)
        self._add(bound)

    def _span(self, token: Token, span: Span) -> Published:
        first, last = span.first, span.last
        is_after, is_before = span.is_after_first, span.is_before_last
        if first and last and self.normal_form.are_reversed(first, last):
            self._remark(token, "the later date came first; the two were swapped")
            first, last, is_after, is_before = last, first, is_before, is_after
        start = end = None
        if first:
            start = first.end or date.max if is_after else first.start
        if last:
            end = last.start if is_before else last.end
        if start and end and self.normal_form.are_reversed(Period(start, None), Period(start, end)):
            raise ValueError("no day lies between the two dates in braces")
        return Published(start, end)

    def _swap_reversed(self, conjuncts: list[Node]) -> None:
        """Swap ``since:2018 until:2016``, side by side in one group."""
        bounds = [self.bounds[id(node)] for node in conjuncts if id(node) in self.bounds]
        lower = [bound for bound in bounds if bound.name in ("since", "after")]
        upper = [bound for bound in bounds if bound.name in ("until", "before")]
        if len(lower) != 1 or len(upper) != 1:
            return
        since, until = lower[0], upper[0]
        if self.normal_form.are_reversed(since.period, until.period):
            self._remark(since.token, f"the later date came first; it was swapped with that of {until.name}:")
            for place, node in enumerate(conjuncts):
                if node is since.node:
                    conjuncts[place] = open_span(since.name, until.period)
                elif node is until.node:
                    conjuncts[place] = open_span(until.name, since.period)
