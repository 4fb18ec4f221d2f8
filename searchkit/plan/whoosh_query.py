"""The query tree as a Whoosh query.

Whoosh's own searcher answers from it, in tests as the oracle and for embedders who work with Whoosh. Labels, dates
and exclusions restrict and never score.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from whoosh import query as whoosh
from whoosh.matching import ListMatcher
from whoosh.query import spans
from whoosh.query.wrappers import WrappingQuery

from searchkit.analysis import Analyzer, accented, fold, fold_label
from searchkit.dates import ArchiveCalendar, utc_datetime
from searchkit.plan.expansion import MOST_FUZZY_WORDS, MOST_PATTERN_WORDS, pattern_expression, pattern_key
from searchkit.plan.forms import (
    Alternative,
    ExactAlternative,
    Forms,
    exact_forms,
    in_capitals,
    phrase_forms,
    prefix_forms,
    word_forms,
    word_key,
)
from searchkit.plan.names import named
from searchkit.plan.written import exact_term, has_written
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


def to_whoosh(node: Node, analyzers: tuple[Analyzer, ...], calendar: ArchiveCalendar) -> whoosh.Query:
    """The Whoosh query that matches the same articles as ``node`` and scores them by BM25."""
    match node:
        case Word(text, field):
            return _word_query(text, field or "text", analyzers)
        case Phrase(text, field, slop):
            return _forms_query(phrase_forms(text, analyzers), field or "text", slop)
        case Prefix(text, field):
            forms = prefix_forms(text, analyzers)
            if forms.prefix is not None:
                return _prefix_query(f"{field or 'text'}_exact", forms.prefix)
            return _forms_query(forms, field or "text", slop=0)
        case Pattern(text, field):
            expression = pattern_expression(pattern_key(text))
            fitting = ExpandedWords(f"{field or 'text'}_exact", expression.pattern, MOST_PATTERN_WORDS)
            fitting.edits_off = lambda word: 0 if expression.fullmatch(word) else None
            return whoosh.ConstantScoreQuery(fitting)
        case Fuzzy(text, field, edits):
            near = ExpandedWords(f"{field or 'text'}_exact", f"{text}~{edits}", MOST_FUZZY_WORDS)
            key = word_key(text)
            near.edits_off = lambda word: off if (off := edit_distance(key, word)) <= edits else None
            return whoosh.ConstantScoreQuery(near)
        case Exact(text, field, slop):
            exact = [AsWritten(one, field or "text", slop) for one in exact_forms(text, analyzers)]
            return whoosh.Or(exact) if exact else whoosh.NullQuery
        case Label(field, value) if node.is_name:
            return _unscored(NamedLabels(field, value))
        case Label(field, value):
            return _unscored(whoosh.Term(field, value if field == "id" else fold_label(value)))
        case Published(start, end):
            return _unscored(_published_query(calendar, start, end))
        case Not(inner):
            return _and_not(_everything(), [to_whoosh(inner, analyzers, calendar)])
        case And(nodes):
            wanted = [to_whoosh(n, analyzers, calendar) for n in nodes if not isinstance(n, Not)]
            unwanted = [to_whoosh(n.node, analyzers, calendar) for n in nodes if isinstance(n, Not)]
            positive = _and(wanted) if wanted else _everything()
            return _and_not(positive, unwanted) if unwanted else positive
        case Or(nodes):
            return whoosh.Or([to_whoosh(n, analyzers, calendar) for n in nodes])
        case Everything():
            return _everything()


class ExpandedWords(whoosh.MultiTerm):  # type: ignore[misc]  # whoosh is untyped
    """The folded words of an exact field for which `edits_off` gives a number, the lowest and most frequent ones."""

    def __init__(self, fieldname: str, text: str, most: int) -> None:
        self.fieldname = fieldname
        self.text = text
        self.boost = 1.0
        self.constantscore = True
        self.most = most
        self.edits_off: Callable[[str], int | None] = lambda _word: None

    def field(self) -> str:
        """The name of the field."""
        return self.fieldname

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.fieldname!r}, {self.text!r})"

    def _btexts(self, ixreader: Any) -> Iterable[bytes]:
        found = []
        for term in ixreader.lexicon(self.fieldname):
            word = term.decode()
            edits = self.edits_off(word) if fold(word) == word else None
            if edits is not None:
                found.append((edits, -ixreader.doc_frequency(self.fieldname, term), term))
        return [term for _, _, term in sorted(found)[: self.most]]


class NamedLabels(whoosh.MultiTerm):  # type: ignore[misc]
    """The labels of a field that have all the words of a name."""

    def __init__(self, fieldname: str, text: str) -> None:
        self.fieldname = fieldname
        self.text = text
        self.boost = 1.0
        self.constantscore = True

    def field(self) -> str:
        """The name of the field."""
        return self.fieldname

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.fieldname!r}, {self.text!r})"

    def _btexts(self, ixreader: Any) -> Iterable[bytes]:
        has_name = named(self.text)
        return [term for term in ixreader.lexicon(self.fieldname) if has_name(term.decode())]


class AsWritten(WrappingQuery):  # type: ignore[misc]
    """Articles with words in a row as they are written: the stems' places, then the stored text, decide."""

    def __init__(self, alternative: ExactAlternative, fieldname: str, slop: int) -> None:
        words = [whoosh.Term(f"{fieldname}_exact", exact_term(word)) for word in dict.fromkeys(alternative.words)]
        stems = _alternative_query(alternative.slots, fieldname, slop)
        super().__init__(whoosh.And([stems, *(_unscored(word) for word in words)]))
        self.alternative = alternative
        self.fieldname = fieldname
        self.slop = slop

    def _rewrap(self, _child: whoosh.Query) -> whoosh.Query:
        return AsWritten(self.alternative, self.fieldname, self.slop)

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        """Those articles of the query within that have the words."""
        matcher = self.child.matcher(searcher, context)
        docnums, scores = array("I"), []
        while matcher.is_active():
            article = searcher.stored_fields(matcher.id())["article"]
            names = ("title",) if self.fieldname == "title" else ("title", "summary", "body")
            texts = [str(article.get(name) or "") for name in names]
            if has_written(texts, self.alternative.words, self.slop):
                docnums.append(matcher.id())
                scores.append(matcher.score())
            matcher.next()
        return ListMatcher(docnums, scores)


class Bonus(WrappingQuery):  # type: ignore[misc]
    """What ranks above all other matches of some terms: scores what no article scores more than by them."""

    def __init__(self, query: whoosh.Query, fieldname: str, terms: tuple[str, ...]) -> None:
        super().__init__(query)
        self.fieldname = fieldname
        self.terms = terms

    def _rewrap(self, child: whoosh.Query) -> whoosh.Query:
        return Bonus(child, self.fieldname, self.terms)

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        """All articles of the query within, at the same score."""
        known = [term for term in self.terms if searcher.parent().doc_frequency(self.fieldname, term)]
        score = sum(searcher.idf(self.fieldname, term) for term in known) * (searcher.weighting.K1 + 1)
        return whoosh.ConstantScoreQuery(self.child, score).matcher(searcher, context)


def edit_distance(one: str, other: str) -> int:
    """How many letters two words are apart, a swap of neighbours counting once; the twin of `spelling.distances`."""
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, facing in enumerate(other, 1):
            row.append(min(last[j - 1] + (letter != facing), last[j] + 1, row[j - 1] + 1))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == facing:
                row[j] = min(row[j], before_last[j - 2] + 1)
        before_last, last = last, row
    return last[-1]


def _word_query(text: str, field: str, analyzers: tuple[Analyzer, ...]) -> whoosh.Query:
    forms = word_forms(text, analyzers)
    query = _forms_query(forms, field, slop=0)
    if forms.apart:
        apart = whoosh.And([_word_query(word, field, analyzers) for word in forms.apart])
        terms = tuple(term for slots in forms.alternatives for slot in slots for term in slot)
        return whoosh.AndMaybe(whoosh.DisjunctionMax([query, apart]), Bonus(query, field, terms))
    if is_initialism(text):
        return whoosh.Or([query, AsWritten(in_capitals(text, analyzers), field, 0)])
    written = accented(text)
    if written and len(forms.alternatives) == 1 and len(forms.alternatives[0]) == 1:
        as_typed = whoosh.Term(f"{field}_exact", written)
        return whoosh.AndMaybe(query, Bonus(as_typed, field, forms.alternatives[0][0]))
    return query


def _forms_query(forms: Forms, field: str, slop: int) -> whoosh.Query:
    if forms.prefix is not None:
        return _prefix_query(field, forms.prefix)
    queries = [_alternative_query(alternative, field, slop) for alternative in forms.alternatives]
    if len(queries) < 2:
        return queries[0] if queries else whoosh.NullQuery
    return whoosh.DisjunctionMax(queries)


def _alternative_query(alternative: Alternative, field: str, slop: int) -> whoosh.Query:
    slots = [_any([whoosh.Term(field, term) for term in slot]) for slot in alternative]
    if len(slots) == 1:
        return slots[0]
    return spans.SpanNear2(slots, slop=slop + 1, ordered=True)


def _prefix_query(field: str, prefix: str) -> whoosh.Query:
    """Scores 1 for any number of words: which of hundreds of words an article has says nothing about the prefix."""
    return whoosh.ConstantScoreQuery(whoosh.Prefix(field, prefix), score=1.0) if prefix else whoosh.NullQuery


def _any(queries: list[whoosh.Query]) -> whoosh.Query:
    return queries[0] if len(queries) == 1 else whoosh.Or(queries)


def _and(queries: Sequence[whoosh.Query]) -> whoosh.Query:
    return queries[0] if len(queries) == 1 else whoosh.And(list(queries))


def _and_not(positive: whoosh.Query, unwanted: list[whoosh.Query]) -> whoosh.Query:
    """Whoosh 3.54's AndNot lets its first match through unchecked, and a bare Not adds 1 to every score."""
    return whoosh.And([positive, _unscored(whoosh.Not(_any(unwanted)))])


def _everything() -> whoosh.Query:
    return _unscored(whoosh.Every())


def _unscored(query: whoosh.Query) -> whoosh.Query:
    return whoosh.ConstantScoreQuery(query, score=0.0)


def _published_query(calendar: ArchiveCalendar, start: date | None, end: date | None) -> whoosh.Query:
    first = calendar.instant(start) if start is not None else 0
    stop = calendar.end_instant(end)
    if stop <= first:
        return whoosh.NullQuery
    return whoosh.DateRange("published", utc_datetime(first), utc_datetime(stop - 1))
