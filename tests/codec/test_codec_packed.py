"""Packed integers and offsets: every slice of every array."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit.codec import packed
from searchkit.codec.container import Container, ContainerWriter
from searchkit.codec.packed import (
    PROMOTE_AFTER,
    Offsets,
    PackedArray,
    PackedWriter,
    write_offsets,
    write_packed,
)
from searchkit.errors import IndexCorrupt

Open = Callable[..., Container]

values = st.one_of(
    st.lists(st.integers(0, 2), max_size=700),
    st.lists(st.integers(0, 300), max_size=700),
    st.lists(st.one_of(st.integers(0, 3), st.integers(250, 260), st.integers(65530, 2**32 - 1)), max_size=700),
    st.integers(0, 2000).map(lambda n: [1] * n + [2**32 - 1] + [254, 255, 256, 65534, 65535, 65536]),
)


@settings(deadline=None)
@given(numbers=values, data=st.data())
def test_every_slice_comes_back(container: Open, numbers: list[int], data: st.DataObject) -> None:
    """A slice of the packed array is the slice of the array."""
    array = PackedArray(container(lambda w: write_packed(w, "p/x", np.array(numbers, dtype=np.int64))), "p/x")
    start = data.draw(st.integers(0, len(numbers)))
    stop = data.draw(st.integers(start, len(numbers)))
    assert array.slice(start, stop).tolist() == numbers[start:stop]
    assert array.all().tolist() == numbers
    assert len(array) == len(numbers)
    for _ in range(2):  # before and after it decodes itself
        assert [array.value(index) for index in range(len(numbers))] == numbers
    chosen = sorted(data.draw(st.sets(st.integers(0, max(0, len(numbers) - 1)), max_size=5))) if numbers else []
    assert array.at(np.array(chosen, dtype=np.int64)).tolist() == [numbers[i] for i in chosen]


@settings(deadline=None)
@given(
    numbers=st.lists(st.sampled_from([0, 1, 2, 3, 15, 254, 255, 300, 65535, 2**20]), min_size=1, max_size=40),
    repeats=st.integers(20, 200),
    bits=st.sampled_from([1, 2, 4, 8, 16, 32]),
    data=st.data(),
)
def test_values_far_apart_come_back(
    container: Open, numbers: list[int], repeats: int, bits: int, data: st.DataObject
) -> None:
    """A few values of a long array are those of the list, whatever levels they are on."""
    every = numbers * repeats

    def write(writer: ContainerWriter) -> None:
        packed = PackedWriter(writer, "p/x", bits)
        packed.extend(np.array(every, dtype=np.int64))
        packed.close()

    chosen = sorted(data.draw(st.sets(st.integers(0, len(every) - 1), max_size=6)))
    packed = PackedArray(container(write), "p/x")
    assert packed.at(np.array(chosen, dtype=np.int64)).tolist() == [every[index] for index in chosen]
    places, nonzero = packed.nonzero(len(numbers), len(every))
    expected = [(index, number) for index, number in enumerate(every[len(numbers) :]) if number]
    assert list(zip(places.tolist(), nonzero.tolist(), strict=True)) == expected


@settings(deadline=None)
@given(ranks=st.lists(st.integers(0, 2**32 - 1), min_size=8, max_size=8), data=st.data())
def test_damaged_ranks_never_crash(container: Open, ranks: list[int], data: st.DataObject) -> None:
    """Of values far apart, whatever the counts of escapes before them say, there is an answer or IndexCorrupt."""
    every = [1, 1, 1, 3] * 500

    def write(writer: ContainerWriter) -> None:
        packed = PackedWriter(writer, "p/x", 2)
        packed.extend(np.array(every, dtype=np.int64))
        packed.close()

    packed = PackedArray(container(write), "p/x")
    bits, codes, _ = packed._levels[0]
    packed._levels[0] = bits, codes, np.array(ranks, dtype=np.uint32)
    chosen = sorted(data.draw(st.sets(st.integers(0, 499), min_size=1, max_size=4)))
    try:
        found = packed.at(np.array(chosen, dtype=np.int64) * 4 + 3)
    except IndexCorrupt:
        return
    assert len(found) == len(chosen)


@settings(deadline=None)
@given(
    numbers=values,
    cuts=st.lists(st.integers(0, 700), max_size=6),
    bits=st.sampled_from([None, 1, 2, 4, 8, 16, 32]),
    at_once=st.booleans(),
    kept=st.sampled_from([0, 40, packed.KEPT_BYTES]),
    data=st.data(),
)
def test_pieces_make_the_array(
    container: Open, numbers: list[int], cuts: list[int], bits: int | None, at_once: bool, kept: int, data: Any
) -> None:
    """However the values are cut, kept until the end, put aside or neither, they are coded byte for byte as at once.

    In another base width than that, too, every slice comes back.
    """
    whole = container(lambda w: write_packed(w, "p/x", np.array(numbers, dtype=np.int64)))
    if bits is None:
        bits = PackedArray(whole, "p/x").bits

    def write(writer: ContainerWriter) -> None:
        pieces = PackedWriter(writer, "p/x", bits, at_once=at_once)
        for first, last in pairwise([0, *sorted(min(cut, len(numbers)) for cut in cuts), len(numbers)]):
            pieces.extend(np.array(numbers[first:last], dtype=np.int64))
        pieces.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "KEPT_BYTES", kept)
        in_pieces = container(write)
    opened = PackedArray(in_pieces, "p/x")
    if bits == PackedArray(whole, "p/x").bits:
        assert in_pieces.meta == whole.meta
        assert {name: in_pieces.array(name).tobytes() for name in in_pieces.names()} == {
            name: whole.array(name).tobytes() for name in whole.names()
        }
    assert opened.bits == bits
    assert opened.all().tolist() == numbers
    start = data.draw(st.integers(0, len(numbers)))
    stop = data.draw(st.integers(start, len(numbers)))
    assert opened.slice(start, stop).tolist() == numbers[start:stop]


@settings(deadline=None)
@given(counts=st.lists(st.integers(0, 400), min_size=1, max_size=300))
def test_offsets_are_running_totals(container: Open, counts: list[int]) -> None:
    """bounds, counts, start and all agree with the running totals, before and after promotion."""
    totals = np.concatenate([[0], np.cumsum(counts)]).tolist()
    offsets = Offsets(container(lambda w: write_offsets(w, "o", np.array(counts))), "o")
    found = [offsets.bounds(group) for group in range(len(counts))]
    assert found == list(pairwise(totals))
    assert [offsets.start(group) for group in range(len(counts) + 1)] == totals
    assert offsets.counts(0, len(counts)).tolist() == counts
    assert offsets.all().tolist() == totals


def test_offsets_promote_themselves(container: Open) -> None:
    """After many single look-ups the answers stay the same."""
    offsets = Offsets(container(lambda w: write_offsets(w, "o", np.arange(1000))), "o")
    for _ in range(PROMOTE_AFTER + 5):
        assert offsets.bounds(999) == (498501, 499500)


@pytest.mark.parametrize("numbers", [[-1], [2**32]])
def test_numbers_out_of_range_are_refused(container: Open, numbers: list[int]) -> None:
    """A number that 32 bits cannot hold is an error, not another number."""
    with pytest.raises(ValueError, match="between 0 and"):
        container(lambda w: write_packed(w, "x", np.array(numbers, dtype=np.int64)))


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (0, 11), (5, 4), (11, 11)])
def test_slices_outside_are_corrupt(container: Open, start: int, stop: int) -> None:
    """A slice outside the array is damage: whoever asks has it from the file."""
    array = PackedArray(container(lambda w: write_packed(w, "x", np.arange(10))), "x")
    with pytest.raises(IndexCorrupt, match="has no values"):
        array.slice(start, stop)


@pytest.mark.parametrize("shape", [None, [5], [5, 3], ["5", 8], [-1, 8], [10**9, 8], [5, 8, 8]])
def test_a_hostile_shape_is_corrupt(container: Open, shape: object) -> None:
    """A packed array described as longer than its bytes, or in another width, is corrupt."""
    opened = container(lambda w: write_packed(w, "x", np.arange(200, 210)))
    opened.meta["packed"]["x"] = shape
    with pytest.raises(IndexCorrupt):
        PackedArray(opened, "x").all()
