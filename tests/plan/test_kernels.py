"""Each kernel gives what sets and loops give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.plan import kernels

scored = st.dictionaries(st.integers(0, 30), st.sampled_from([0.0, 0.25, 1.0, 2.5]), max_size=15)
places = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 12)), max_size=20)


def arrays(scores: dict[int, float]) -> tuple[kernels.Docnums, kernels.Scores]:
    """Docnums ascending, and their scores."""
    return np.array(sorted(scores), dtype=np.int64), np.array([scores[d] for d in sorted(scores)], dtype=np.float64)


def as_dict(result: tuple[kernels.Docnums, kernels.Scores]) -> dict[int, float]:
    """The result by docnum, after a check that it keeps the promise of its type."""
    docnums, scores = result
    assert (docnums.dtype, scores.dtype) == (np.int64, np.float64)
    assert docnums.tolist() == sorted(set(docnums.tolist()))
    return dict(zip(docnums.tolist(), scores.tolist(), strict=True))


@given(scored, scored)
def test_set_algebra_equals_that_of_dictionaries(a: dict[int, float], b: dict[int, float]) -> None:
    """Intersection and union add scores, the best union takes the higher, subtraction keeps those of the first."""
    both = arrays(a) + arrays(b)

    assert as_dict(kernels.intersect(*both)) == {d: a[d] + b[d] for d in a.keys() & b.keys()}
    assert as_dict(kernels.unite(*both)) == {d: a.get(d, 0.0) + b.get(d, 0.0) for d in a.keys() | b.keys()}
    assert as_dict(kernels.unite_best(*both)) == {d: max(a.get(d, 0.0), b.get(d, 0.0)) for d in a.keys() | b.keys()}
    assert as_dict(kernels.subtract(*arrays(a), arrays(b)[0])) == {d: a[d] for d in a.keys() - b.keys()}


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


def test_bm25_is_whooshs() -> None:
    """The formula gives Whoosh's own numbers."""
    from whoosh.scoring import bm25

    weights, lengths = np.array([1.0, 2.0, 7.5]), np.array([3.0, 40.0, 12.0])
    ours = kernels.bm25(weights, lengths, idf=2.5, mean_length=11.5, k1=2.0, b=0.75)

    assert ours == pytest.approx([bm25(2.5, w, n, 11.5, 0.75, 2.0) for w, n in zip(weights, lengths, strict=True)])
