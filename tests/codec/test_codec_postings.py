"""Posting lists: what is written comes back, list by list, in runs and in part."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from searchkit.codec.container import Container, ContainerWriter
from searchkit.codec.kernels import differences, narrowest
from searchkit.codec.posting_writer import BLOCK, PostingData, PostingRun, PostingsWriter, write_postings
from searchkit.codec.postings import PostingLists

Open = Callable[..., Container]


def drawn(seed: int, span: int, lists: int, weights: str, repeats: bool) -> tuple[PostingData, list[int]]:
    """Posting lists of all densities with every array there is, and where each list starts."""
    random = np.random.default_rng(seed)
    counts, docs = [], []
    for _ in range(lists):
        count = int(random.integers(1, max(2, int(span * random.random() ** 3) + 2)))
        chosen = np.sort(random.choice(span, min(count, span), replace=False))
        if repeats:
            chosen = np.sort(np.append(chosen, chosen[:1]))
        counts.append(len(chosen))
        docs.append(chosen)
    n = sum(counts)
    occurrences = np.minimum(random.zipf(1.6, n), 500).astype(np.int64)
    total = int(occurrences.sum())
    positions = np.concatenate([np.cumsum(random.zipf(1.3, k) % 70_000) for k in occurrences.tolist()])
    starts = random.integers(0, 10_000, total)
    data = PostingData(
        counts=np.array(counts, dtype=np.int64),
        docs=np.concatenate(docs).astype(np.int32),
        occurrences=occurrences,
        weights={
            "occurrences": None,
            "constant": np.full(n, 2.5, dtype=np.float32),
            "excess": (occurrences + random.integers(0, 5, n) * 2).astype(np.float32),
            "float": random.random(n).astype(np.float32),
        }[weights],
        lengths=random.integers(0, 256, n).astype(np.uint8),
        positions=positions.astype(np.int64),
        char_starts=starts,
        char_ends=starts + random.integers(0, 30, total),
        boosts=random.random(total),
        values=[random.bytes(int(size)) for size in random.integers(0, 5, n)],
    )
    return data, np.concatenate([[0], np.cumsum(counts)]).tolist()


def listed(arrays: Iterable[NDArray[Any]] | None) -> list[list[Any]] | None:
    """Arrays as lists, which compare as a whole."""
    return None if arrays is None else [array.tolist() for array in arrays]


def written_in_runs(
    writer: ContainerWriter, data: PostingData, starts: list[int], cuts: list[int], weights: str, bits: dict[str, int]
) -> None:
    """The lists of a field through a PostingsWriter, cut into runs of lists."""
    assert data.occurrences is not None
    assert data.positions is not None
    places = np.concatenate([[0], np.cumsum(data.occurrences)])
    gaps = differences(data.positions, places)
    lists = PostingsWriter(
        writer,
        "f/l",
        span=int(data.docs.max()) + 1,
        weights=weights,
        has_occurrences=True,
        has_positions=True,
        is_signed=bool((gaps < 0).any()),
        bits=bits,
    )
    for first, last in pairwise([0, *sorted(cuts), len(data.counts)]):
        if first == last:
            continue
        run = slice(starts[first], starts[last])
        of_run = None if data.weights is None else data.weights[run]
        occurrences = data.occurrences[run]
        lists.extend(
            PostingRun(
                data.counts[first:last],
                data.docs[run],
                occurrences.astype(narrowest(int(occurrences.max()))),
                of_run.astype(np.uint16) if of_run is not None and weights == "excess" else of_run,
                data.lengths[run] if data.lengths is not None else None,
                gaps[places[run.start] : places[run.stop]],
            )
        )
    lists.close()


shapes = {
    "seed": st.integers(0, 2**32 - 1),
    "span": st.sampled_from([1, 3, 60, 700, 3000]),
    "lists": st.integers(1, 12),
    "weights": st.sampled_from(["occurrences", "constant", "excess", "float"]),
    "repeats": st.booleans(),
}


@settings(deadline=None, max_examples=60)
@given(**shapes)
def test_lists_come_back(container: Open, seed: int, span: int, lists: int, weights: str, repeats: bool) -> None:
    """Documents, occurrences, weights, positions, characters, boosts and values of each list come back."""
    data, starts = drawn(seed, span, lists, weights, repeats)
    opened = PostingLists(container(lambda w: write_postings(w, "f/l", data)), "f/l")
    occurrences = data.occurrences
    assert occurrences is not None
    expected_weights = occurrences.astype(np.float32) if data.weights is None else data.weights
    places = np.concatenate([[0], np.cumsum(occurrences)])
    assert len(opened) == lists
    for ordinal, (start, end) in enumerate(pairwise(starts)):
        run = slice(start, end)
        here = slice(places[start], places[end])
        assert opened.bounds(ordinal) == (start, end)
        assert opened.docs(ordinal).dtype == np.int32
        assert opened.docs(ordinal).tolist() == data.docs[run].tolist()
        assert opened.occurrences(ordinal).tolist() == occurrences[run].tolist()
        assert opened.weights(ordinal).tolist() == expected_weights[run].tolist()
        offsets, positions = opened.positions(ordinal)
        assert offsets.tolist() == (places[start : end + 1] - places[start]).tolist()
        assert positions.tolist() == data.positions[here].tolist()
        _, first, last = opened.characters(ordinal)
        assert first.tolist() == data.char_starts[here].tolist()
        assert last.tolist() == data.char_ends[here].tolist()
        assert opened.boosts(ordinal).tolist() == data.boosts[here].tolist()
        assert opened.values(ordinal) == data.values[run]


@settings(deadline=None, max_examples=60)
@given(**shapes, data=st.data())
def test_parts_and_runs_agree_with_lists(
    container: Open, seed: int, span: int, lists: int, weights: str, repeats: bool, data: st.DataObject
) -> None:
    """A run of lists is the lists one after another; a part of a list is that part."""
    postings, starts = drawn(seed, span, lists, weights, repeats)
    opened = PostingLists(container(lambda w: write_postings(w, "f/l", postings)), "f/l")
    first = data.draw(st.integers(0, lists))
    last = data.draw(st.integers(first, lists))
    run = slice(starts[first], starts[last])
    assert opened.docs_of_lists(first, last).tolist() == postings.docs[run].tolist()
    for times in (1, 200):  # few lists, and many
        found = np.flatnonzero(opened.documents_of([*range(first, last)] * times))
        assert found.tolist() == sorted(set(postings.docs[run].tolist()))
    assert opened.starts().tolist() == starts
    assert opened.weights_of(run.start, run.stop).tolist() == [
        weight for ordinal in range(first, last) for weight in opened.weights(ordinal).tolist()
    ]
    assert opened.positions_of_lists(first, last).tolist() == [
        position for ordinal in range(first, last) for position in opened.positions(ordinal)[1].tolist()
    ]
    ordinal = data.draw(st.integers(0, lists - 1))
    offsets, positions = opened.positions(ordinal)
    count = len(offsets) - 1
    which = sorted(data.draw(st.sets(st.integers(0, count - 1), max_size=5)))
    part_offsets, part = opened.positions(ordinal, np.array(which, dtype=np.int64))
    assert [part[a:b].tolist() for a, b in pairwise(part_offsets)] == [
        positions[offsets[i] : offsets[i + 1]].tolist() for i in which
    ]
    bitmap = opened.bitmap(ordinal)
    if bitmap is not None:
        assert np.flatnonzero(np.unpackbits(bitmap, bitorder="little")).tolist() == opened.docs(ordinal).tolist()


@settings(deadline=None, max_examples=60)
@given(**shapes)
def test_statistics_are_what_counting_gives(
    container: Open, seed: int, span: int, lists: int, weights: str, repeats: bool
) -> None:
    """Statistics of lists and blocks equal those computed from the postings, alone or in a run."""
    data, starts = drawn(seed, span, lists, weights, repeats)
    opened = PostingLists(container(lambda w: write_postings(w, "f/l", data)), "f/l")
    for ordinal, (start, end) in enumerate(pairwise(starts)):
        found = opened.statistics(ordinal)
        docs, own = opened.docs(ordinal), opened.weights(ordinal)
        lengths = data.lengths[start:end]
        known = lengths[lengths > 0].tolist()
        assert found.doc_frequency == end - start
        assert found.weight == pytest.approx(float(own.astype(np.float64).sum()), rel=1e-6)
        assert found.max_weight == own.max()
        assert (found.min_length, found.max_length) == (min(known, default=0), max(known, default=0))
        assert (found.first_doc, found.last_doc) == (docs[0], docs[-1])
        blocks = opened.blocks(ordinal)
        assert (blocks is None) == (end - start <= BLOCK)
        if blocks is not None:
            pieces = range(0, end - start, BLOCK)
            assert blocks[0].tolist() == [own[i : i + BLOCK].max() for i in pieces]
            assert blocks[2].tolist() == [lengths[i : i + BLOCK].max() for i in pieces]
    assert opened.statistics_of_lists(0, lists) == [opened.statistics(ordinal) for ordinal in range(lists)]


def test_dense_lists_are_bitmaps(container: Open) -> None:
    """A list with an eighth of the documents is a bitmap; one with fewer is not."""
    dense, sparse = np.arange(0, 1000, 8), np.arange(0, 1000, 9)
    docs = np.concatenate([dense, sparse]).astype(np.int32)
    data = PostingData(counts=np.array([len(dense), len(sparse)]), docs=docs)
    opened = PostingLists(container(lambda w: write_postings(w, "f/l", data)), "f/l")
    assert opened.bitmap(0) is not None
    assert opened.bitmap(1) is None
    assert opened.docs_of_lists(0, 2).tolist() == docs.tolist()


def test_a_title_weight_costs_little(container: Open) -> None:
    """Weights that are whole numbers are kept as their small excess over the occurrences, not as floats."""
    n = 10_000
    weights = np.where(np.arange(n) % 10 == 0, 3.0, 1.0).astype(np.float32)
    data = PostingData(counts=np.array([n]), docs=np.arange(n, dtype=np.int32), weights=weights)
    opened = container(lambda w: write_postings(w, "f/l", data))
    assert PostingLists(opened, "f/l").weights(0).tolist() == weights.tolist()
    assert opened.size_of("f/l/excess") <= n // 4
    assert "f/l/weight" not in opened


@settings(deadline=None, max_examples=60)
@given(
    **shapes,
    cuts=st.lists(st.integers(0, 12), max_size=4),
    bits=st.dictionaries(
        st.sampled_from(["gap", "occurrence", "excess", "position"]), st.sampled_from([1, 2, 4, 8, 16, 32])
    ),
)
def test_runs_are_the_lists_at_once(
    container: Open,
    seed: int,
    span: int,
    lists: int,
    weights: str,
    repeats: bool,
    cuts: list[int],
    bits: dict[str, int],
) -> None:
    """Lists written some at a time, in whatever widths, read as those written at once: bitmaps, blocks and all."""
    data, starts = drawn(seed, span, lists, weights, repeats)
    cuts = [min(cut, lists) for cut in cuts]
    whole = PostingLists(container(lambda w: write_postings(w, "f/l", data)), "f/l")
    runs = PostingLists(container(lambda w: written_in_runs(w, data, starts, cuts, weights, bits)), "f/l")
    count = len(data.docs)
    assert (runs.span, runs.posting_count, runs.occurrence_count) == (whole.span, count, whole.occurrence_count)
    assert runs.docs_of_lists(0, lists).tolist() == data.docs.tolist()
    assert runs.occurrences_of(0, count).tolist() == whole.occurrences_of(0, count).tolist()
    assert runs.occurrence_totals(0, lists).tolist() == whole.occurrence_totals(0, lists).tolist()
    assert runs.weights_of(0, count).tolist() == whole.weights_of(0, count).tolist()
    assert runs.positions_of_lists(0, lists).tolist() == whole.positions_of_lists(0, lists).tolist()
    assert runs.statistics_of_lists(0, lists) == whole.statistics_of_lists(0, lists)
    for ordinal in range(lists):
        assert runs.statistics(ordinal) == whole.statistics(ordinal)
        assert (runs.bitmap(ordinal) is None) == (whole.bitmap(ordinal) is None)
        assert listed(runs.blocks(ordinal)) == listed(whole.blocks(ordinal))


def test_what_turns_out_to_be_one_is_left_out(container: Open) -> None:
    """Occurrences and weights that could be more, and are not, take no room."""
    ones = np.ones(3, dtype=np.uint8)

    def write(writer: ContainerWriter) -> None:
        lists = PostingsWriter(writer, "f/l", span=3, weights="excess", has_occurrences=True, has_positions=False)
        lists.extend(PostingRun(np.array([3]), np.arange(3, dtype=np.int32), ones, ones, None, None))
        lists.close()

    opened = PostingLists(container(write), "f/l")
    assert not any(opened.has(array) for array in ("occurrence", "total", "excess", "excess_total"))
    assert opened.weights(0).tolist() == [1, 1, 1]
    assert opened.weights_are_occurrences()


@pytest.mark.parametrize(
    ("weights", "occurrences", "expected"),
    [
        ([3, 3], [1, 1], True),
        ([3, 3], [4, 1], False),
        ([2.5, 2.5], [1, 1], False),
        ([3, 4], [1, 1], True),
        ([1, 2], [1, 2], True),
        ([1.5, 2], [1, 2], False),
    ],
)
def test_whole_weights_are_known(container: Open, weights: list[float], occurrences: list[int], expected: bool) -> None:
    """A field says whether its weights are whole numbers that are at least the occurrences."""
    data = PostingData(
        counts=np.array([2]),
        docs=np.arange(2, dtype=np.int32),
        occurrences=np.array(occurrences),
        weights=np.array(weights, dtype=np.float32),
    )
    assert PostingLists(container(lambda w: write_postings(w, "f/l", data)), "f/l").weights_are_whole() is expected
