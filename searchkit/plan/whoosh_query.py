"""The query tree as a Whoosh query.

Whoosh's own searcher answers from it, in tests as the oracle and for embedders who work with Whoosh. Labels, dates
and exclusions restrict and never score.
"""

from collections.abc import Sequence
from datetime import date

from whoosh import query as whoosh
from whoosh.query import spans

from searchkit.analysis import Analyzer, fold, fold_label
from searchkit.dates import ArchiveCalendar, utc_datetime
from searchkit.plan.forms import Alternative, Forms, phrase_forms, word_forms
from searchkit.query.nodes import And, Everything, Label, Node, Not, Or, Phrase, Prefix, Published, Word


def to_whoosh(node: Node, analyzers: tuple[Analyzer, ...], calendar: ArchiveCalendar) -> whoosh.Query:
    """The Whoosh query that matches the same articles as ``node`` and scores them by BM25."""
    match node:
        case Word(text, field):
            return _forms_query(word_forms(text, analyzers), field or "text", slop=0)
        case Phrase(text, field, slop):
            return _forms_query(phrase_forms(text, analyzers), field or "text", slop)
        case Prefix(text, field):
            return _prefix_query(f"{field or 'text'}_exact", fold(text))
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
