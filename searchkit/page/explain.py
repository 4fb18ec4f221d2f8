"""How a page is answered: the steps with the number of articles and the time of each.

The steps are run for the account, apart from the page itself, so that pages pay nothing for being explainable. Their
times are those of this run: words looked up shortly before are still at hand.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from searchkit.page.builder import PageRequest, count_facet
from searchkit.page.model import PlanStep
from searchkit.page.timeline import build_timeline
from searchkit.plan.execute import Execution, Matches, Step
from searchkit.plan.forms import Forms, phrase_forms, prefix_forms, word_forms
from searchkit.plan.freshness import relevant
from searchkit.plan.generation import Generation
from searchkit.plan.instants import instants_of
from searchkit.plan.ranking import ranked
from searchkit.query.canonical import canonical
from searchkit.query.nodes import And, Everything, Fuzzy, Node, Not, Or, Pattern, Phrase, Prefix, Published, Word

_TERMS_SHOWN = 8

_Result = TypeVar("_Result")


@dataclass(slots=True)
class _Branch:
    """A step of the execution with those that were run for it, in their order."""

    step: Step
    inner: list["_Branch"] = field(default_factory=list)


def explain(node: Node, request: PageRequest, generation: Generation) -> tuple[PlanStep, ...]:
    """The steps that answer ``node``: the tree that finds the articles, then what is made of them."""
    steps: list[Step] = []
    scored = request.sort == "fresh" or (request.sort == "best" and request.limit > 0)
    found = Execution(generation, steps=steps).run(node)
    plan = list(_described(_as_tree(steps), generation))
    matches = Matches(found.docnums)
    if scored:
        scores, took = _timed(lambda: found.scores(found.docnums))
        matches = Matches(found.docnums, scores)
        plan.append(PlanStep("scores by BM25", 0, len(found.docnums), took))
    if request.sort == "fresh":
        (matches, _), took = _timed(lambda: relevant(node, matches, generation))
        plan.append(PlanStep("relevant enough to be listed", 0, len(matches.docnums), took))
    listed, took = _timed(lambda: ranked(matches, generation, request.sort, request.limit))
    plan.append(PlanStep(f"first {request.limit:,} in the order {request.sort}", 0, len(listed), took))
    return (*plan, *_counts(matches, request, generation))


def _counts(matches: Matches, request: PageRequest, generation: Generation) -> Iterator[PlanStep]:
    for name in request.facets:
        values, took = _timed(lambda name=name: count_facet(name, matches, generation))  # type: ignore[misc]
        yield PlanStep(f"counts of {name}", 0, len(values), took)
    interval = request.timeline
    if interval is not None:
        buckets, took = _timed(
            lambda: build_timeline(instants_of(matches.docnums, generation), generation.calendar, interval)
        )
        yield PlanStep(f"timeline by {interval}", 0, len(buckets), took)


def _timed(run: Callable[[], _Result]) -> tuple[_Result, float]:
    began = time.perf_counter()
    result = run()
    return result, round((time.perf_counter() - began) * 1000, 3)


def _as_tree(steps: list[Step]) -> _Branch:
    """Steps given inner ones first as the tree they are."""
    forest: list[_Branch] = []
    for step in steps:
        first = len(forest)
        while first and forest[first - 1].step.depth > step.depth:
            first -= 1
        forest[first:] = [_Branch(step, forest[first:])]
    return forest[0]


def _described(branch: _Branch, generation: Generation, *, excluded: bool = False) -> Iterator[PlanStep]:
    step = branch.step
    what = describe(step.node, generation)
    yield PlanStep(f"without: {what}" if excluded else what, step.depth, step.count, round(step.milliseconds, 3))
    parts = step.node.nodes if isinstance(step.node, And) else ()
    excluded_parts = [part.node for part in parts if isinstance(part, Not)]
    wanted_parts = [part for part in parts if not isinstance(part, Not)]
    for inner in branch.inner:
        is_excluded = inner.step.node in excluded_parts and inner.step.node not in wanted_parts
        yield from _described(inner, generation, excluded=is_excluded)


def describe(node: Node, generation: Generation) -> str:
    """A node in words, with the terms it stands for."""
    match node:
        case And(nodes):
            dates = [canonical(part).removeprefix("date:") for part in nodes if isinstance(part, Published)]
            return f"all of these, published {' and '.join(dates)}" if dates else "all of these"
        case Or():
            return "any of these"
        case Not():
            return "all but these"
        case Everything():
            return "every article"
        case Word(text):
            return f"word {canonical(node)}: {_terms(word_forms(text, generation.analyzers))}"
        case Phrase(text):
            return f"phrase {canonical(node)}: {_terms(phrase_forms(text, generation.analyzers))}"
        case Prefix(text):
            return f"beginning {canonical(node)}: {_terms(prefix_forms(text, generation.analyzers))}"
        case Pattern() | Fuzzy():
            return f"words like {canonical(node)}: {_listed(list(generation.expand(node)), ', ')}"
        case _:
            return canonical(node)


def _terms(forms: Forms) -> str:
    """The terms of each way to match: those of a place with a stroke between, places with a space."""
    if forms.prefix is not None:
        return f"{forms.prefix}*"
    ways = [_listed(["|".join(slot) for slot in slots], " ") for slots in forms.alternatives]
    if forms.apart:
        ways.append(f"{' and '.join(forms.apart)} apart")
    return " or ".join(ways) or "no term"


def _listed(words: list[str], between: str) -> str:
    more = [f"and {len(words) - _TERMS_SHOWN:,} more"] if len(words) > _TERMS_SHOWN else []
    return between.join([*words[:_TERMS_SHOWN], *more]) or "none"
