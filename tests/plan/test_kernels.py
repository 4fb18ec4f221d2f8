"""Each kernel gives what sets and loops give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.plan import kernels

SPAN = 400

scored = st.tuples(
    st.dictionaries(st.integers(0, SPAN - 1), st.sampled_from([0.0, 0.25, 1.0, 2.5]), max_size=60)
    | st.dictionaries(st.integers(0, 30), st.sampled_from([0.0, 0.25, 1.0, 2.5]), max_size=15),
    st.none() | st.sampled_from([0.0, 1.0]),
).map(lambda drawn: drawn[0] if drawn[1] is None else dict.fromkeys(drawn[0], drawn[1]))
"""Scores by docnum: few or many docnums, each with its own score or all with one."""
places = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 12)), max_size=20)


def arrays(scores: dict[int, float]) -> tuple[kernels.Docnums, kernels.AnyScores]:
    """Docnums ascending, and their scores, as one number where all have the same."""
    docnums = np.array(sorted(scores), dtype=np.int32)
    if scores and len(set(scores.values())) == 1:
        return docnums, next(iter(scores.values()))
    return docnums, np.array([scores[d] for d in sorted(scores)], dtype=np.float64)


def as_dict(result: tuple[kernels.Docnums, kernels.AnyScores]) -> dict[int, float]:
    """The result by docnum, after a check that it keeps the promise of its type."""
    docnums, scores = result
    assert docnums.dtype == np.int32
    assert docnums.tolist() == sorted(set(docnums.tolist()))
    if isinstance(scores, float):
        return dict.fromkeys(docnums.tolist(), scores)
    assert scores.dtype == np.float64
    return dict(zip(docnums.tolist(), scores.tolist(), strict=True))


@given(scored, scored)
def test_set_algebra_equals_that_of_dictionaries(a: dict[int, float], b: dict[int, float]) -> None:
    """Intersection, subtraction, membership and places are those of sets, and leave their arguments as they are."""
    both = arrays(a) + arrays(b)
    common = kernels.intersect(both[0], both[2], SPAN)

    assert common.tolist() == sorted(a.keys() & b.keys())
    assert kernels.subtract(both[0], both[2], SPAN).tolist() == sorted(a.keys() - b.keys())
    assert kernels.contained(both[0], both[2], SPAN).tolist() == [d in b for d in sorted(a)]
    assert both[0][kernels.places_of(common, both[0], SPAN)].tolist() == common.tolist()
    assert (as_dict(both[:2]), as_dict(both[2:])) == (a, b)


@given(st.lists(scored, min_size=2, max_size=4))
def test_unions_equal_those_of_dictionaries(parts: list[dict[int, float]]) -> None:
    """A union has the docnums of all parts; their scores are added in the order of the parts, or the highest taken."""
    everything = set().union(*parts)
    added = {d: sum(part.get(d, 0.0) for part in parts) for d in everything}
    highest = {d: max(part[d] for part in parts if d in part) for d in everything}

    found = [arrays(part) for part in parts]
    docnums = kernels.unite([part for part, _ in found], SPAN)
    assert docnums.tolist() == sorted(everything)
    assert as_dict((docnums, kernels.sums(docnums, found, SPAN))) == added
    assert as_dict((docnums, kernels.highest(docnums, found, SPAN))) == highest


@given(st.lists(scored, min_size=2, max_size=4), st.integers(1, SPAN))
def test_sums_are_the_same_however_many_at_once(parts: list[dict[int, float]], at_once: int) -> None:
    """Adding the scores of some docnums after those of others gives what adding all at once does."""
    found = [arrays(part) for part in parts]
    docnums = kernels.unite([part for part, _ in found], SPAN)
    expected = [sum(part.get(d, 0.0) for part in parts) for d in docnums.tolist()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "_AT_ONCE", at_once)
        assert kernels._sums_by_docnum(docnums, found, SPAN).tolist() == expected


def occurrences(standing: list[tuple[int, int]]) -> kernels.Occurrences:
    """Places as keys."""
    return np.array(sorted({d << kernels.POSITION_BITS | p for d, p in standing}), dtype=np.int64)


def stands(slots: list[set[int]], slop: int) -> bool:
    """Whether each slot can be filled in order with at most ``slop`` words between neighbours."""
    reached = slots[0]
    for slot in slots[1:]:
        reached = {there for there in slot for here in reached if 1 <= there - here <= slop + 1}
    return bool(reached)


@given(st.lists(places, min_size=1, max_size=4), st.integers(0, 3))
def test_phrases_stand_where_loops_find_them(slots: list[list[tuple[int, int]]], slop: int) -> None:
    """A phrase matches the docnums in which its slots follow one another within the slop."""
    expected = [d for d in range(5) if stands([{p for doc, p in slot if doc == d} for slot in slots], slop)]

    assert kernels.phrase_docnums([occurrences(slot) for slot in slots], slop).tolist() == expected


@pytest.mark.parametrize("slop", [0, 1, 2, 5])
def test_the_slop_is_the_most_words_between(slop: int) -> None:
    """As many words as the slop may stand between two slots, and not one more."""
    first, near, far = occurrences([(3, 10)]), occurrences([(3, 11 + slop)]), occurrences([(3, 12 + slop)])

    assert kernels.phrase_docnums([first, near], slop).tolist() == [3]
    assert kernels.phrase_docnums([first, far], slop).tolist() == []


@given(st.lists(st.integers(-5, 5)))
def test_distinct_values_are_a_sorted_set(values: list[int]) -> None:
    """Each value is there once, in order."""
    assert kernels.distinct(np.array(values, dtype=np.int64)).tolist() == sorted(set(values))


def test_bm25_is_whooshs() -> None:
    """The formula gives Whoosh's own numbers."""
    from whoosh.scoring import bm25

    weights, lengths = np.array([1.0, 2.0, 7.5]), np.array([3, 40, 12], dtype=np.int32)
    norms = kernels.length_norms(lengths, mean_length=11.5, k1=2.0, b=0.75)
    ours = kernels.bm25(weights, norms, idf=2.5, k1=2.0)

    assert ours == pytest.approx([bm25(2.5, w, n, 11.5, 0.75, 2.0) for w, n in zip(weights, lengths, strict=True)])


def test_no_more_of_a_phrase_is_looked_at_than_it_takes() -> None:
    """After two words that never stand in a row the places of the third are not asked for."""
    asked = []

    def places(word: int) -> kernels.Occurrences:
        asked.append(word)
        return np.array([word * 10], dtype=np.int64)

    assert kernels.phrase_docnums(map(places, range(5))).tolist() == []
    assert asked == [0, 1]
