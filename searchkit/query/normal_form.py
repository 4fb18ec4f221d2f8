"""The one shape a meaning has: how nodes are joined so that equal queries give equal trees.

In a tree made here

- `And` and `Or` have two or more different nodes, and neither stands directly within itself;
- `Everything` stands only alone, `Not` never around another `Not`;
- an `And` has at most one `Published`, the days that all its dates share. When they share none, the two that
  exclude each other are kept, so that the reader can be told and the meaning (nothing) stays.

`canonical` writes such trees and reading that gives them back.
"""

from dataclasses import dataclass
from datetime import UTC, tzinfo

from searchkit.dates import ArchiveCalendar, Period
from searchkit.query.nodes import And, Node, Not, Or, Published, all_of, any_of


@dataclass(frozen=True, slots=True)
class NormalForm:
    """Joins nodes; dates with a time of day are compared in the archive's time ``zone``."""

    zone: tzinfo = UTC

    def conjunction(self, nodes: list[Node]) -> Node:
        """All of ``nodes``, in their order, the dates among them as one span; `Everything` of none."""
        joined = all_of(nodes)
        if not isinstance(joined, And):
            return joined
        parts = list(dict.fromkeys(joined.nodes))
        spans = [part for part in parts if isinstance(part, Published)]
        if len(spans) > 1:
            place = parts.index(spans[0])
            others = [part for part in parts if not isinstance(part, Published)]
            parts = [*others[:place], *self._shared(spans), *others[place:]]
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def disjunction(self, nodes: list[Node]) -> Node:
        """At least one of ``nodes``, of which there must be one."""
        joined = any_of(nodes)
        if not isinstance(joined, Or):
            return joined
        parts = tuple(dict.fromkeys(joined.nodes))
        return parts[0] if len(parts) == 1 else Or(parts)

    def negation(self, node: Node) -> Node:
        """What ``node`` does not match."""
        return node.node if isinstance(node, Not) else Not(node)

    def are_reversed(self, first: Period, last: Period) -> bool:
        """Whether the period that should end a span is over before the one that should begin it begins.

        From December 2015 to 2015 is in order: it ends with the year.
        """
        calendar = ArchiveCalendar(self.zone)
        return calendar.end_instant(last.end) <= calendar.instant(first.start)

    def _shared(self, spans: list[Published]) -> list[Node]:
        """The days common to all spans as one; the two that are furthest apart when there are none."""
        calendar = ArchiveCalendar(self.zone)
        latest = max(spans, key=lambda span: -1 if span.start is None else calendar.instant(span.start))
        earliest = min(spans, key=lambda span: calendar.end_instant(span.end))
        if latest.start is not None and calendar.instant(latest.start) >= calendar.end_instant(earliest.end):
            return [earliest] if earliest == latest else [earliest, latest]
        return [Published(latest.start, earliest.end)]
