"""Filters given beside a query, as parameters, folded into what was read of it."""

from collections.abc import Iterable
from datetime import date

from searchkit.dates import Period
from searchkit.errors import RequestError
from searchkit.query.dates import parse_bound
from searchkit.query.describe import NOTHING_SHARED, build_receipt
from searchkit.query.nodes import Label, LabelField, Node, Published
from searchkit.query.normal_form import NormalForm
from searchkit.query.reader import Reading, label_value
from searchkit.query.receipt import Remark

BESIDE_THE_QUERY = -1
"""The position of a remark on something that does not stand in the query's text."""


def with_filters(
    reading: Reading,
    *,
    topics: Iterable[str] = (),
    exclude_topics: Iterable[str] = (),
    kinds: Iterable[str] = (),
    authors: Iterable[str] = (),
    language: str | None = None,
    since: str | int | date | None = None,
    until: str | int | date | None = None,
) -> Reading:
    """The reading restricted to any of the topics, kinds and authors, no excluded topic, and to a time.

    ``since`` and ``until`` are inclusive; given the wrong way round they are swapped, with a remark. Blank
    values restrict nothing. Raises RequestError when one of the two is no date.
    """
    normal_form = NormalForm(reading.zone)
    nodes: list[Node] = [reading.node]
    choices: tuple[tuple[LabelField, Iterable[str]], ...] = (
        ("topic", topics),
        ("kind", kinds),
        ("author", authors),
        ("language", (language or "",)),
    )
    for field, values in choices:
        labels = _labels(field, values)
        if labels:
            nodes.append(normal_form.disjunction(labels))
    nodes += [normal_form.negation(label) for label in _labels("topic", exclude_topics)]
    remarks = [remark for remark in reading.receipt.remarks if remark.reason != NOTHING_SHARED]
    first, last = _bound("since", since, reading.today), _bound("until", until, reading.today)
    if first and last and normal_form.are_reversed(first, last):
        remarks.append(
            Remark(
                f"since {since}, until {until}",
                BESIDE_THE_QUERY,
                "the later date came first; they were swapped",
            )
        )
        first, last = last, first
    if first or last:
        nodes.append(Published(first.start if first else None, last.end if last else None))
    if len(nodes) == 1:
        return reading
    node = normal_form.conjunction(nodes)
    return Reading(node, build_receipt(reading.receipt.text, node, remarks), reading.today, reading.zone)


def _labels(field: LabelField, values: Iterable[str]) -> list[Node]:
    named = (values,) if isinstance(values, str) else values
    return [Label(field, value, field == "author") for value in (label_value(field, one) for one in named) if value]


def _bound(name: str, value: str | int | date | None, today: date) -> Period | None:
    if value is None or value == "":
        return None
    try:
        return parse_bound(value, today=today)
    except ValueError as exc:
        raise RequestError(f"{name}: {exc}") from exc
