"""Facets count what loops over the articles count, and a limit keeps the commonest."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from searchkit.page.facets import count_labels
from searchkit.plan.generation import LabelColumn

VALUES = ("aster", "Birch", "cedar", "Dill", "elm")
rows = st.lists(st.lists(st.integers(0, len(VALUES) - 1), unique=True, max_size=4), max_size=12)


@given(rows, st.data(), st.none() | st.integers(1, 6))
def test_labels_are_counted_and_the_commonest_kept(
    labels: list[list[int]], data: st.DataObject, limit: int | None
) -> None:
    """Values come by count, then by alphabet; with a limit the first so many of them, ties included in order."""
    docnums = sorted(data.draw(st.sets(st.integers(0, len(labels) - 1)))) if labels else []
    offsets = np.cumsum([0, *map(len, labels)])
    ordinals = np.array([ordinal for row in labels for ordinal in row], dtype=np.int32)
    column = LabelColumn(VALUES, offsets, ordinals)

    counts = Counter(VALUES[ordinal] for docnum in docnums for ordinal in labels[docnum])
    expected = sorted(counts.items(), key=lambda item: (-item[1], VALUES.index(item[0])))[:limit]
    found = count_labels(column, np.array(docnums, dtype=np.int64), limit=limit)
    assert [(value.value, value.count) for value in found] == expected
