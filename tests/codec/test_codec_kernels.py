"""The kernels of the index format against slow, obvious twins."""

import subprocess
import sys
from itertools import accumulate, takewhile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.codec import kernels
from searchkit.codec.lengths import LENGTHS, decode_lengths, encode_lengths

groups = st.lists(st.lists(st.integers(0, 10_000), max_size=6), max_size=8)


def flat(lists: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.array([number for numbers in lists for number in numbers], dtype=np.int64),
        kernels.starts_of(np.array([len(numbers) for numbers in lists], dtype=np.int64)),
    )


@pytest.mark.parametrize("bits", [1, 2, 4])
@given(data=st.data())
def test_codes_survive_packing(bits: int, data: st.DataObject) -> None:
    """Any slice of packed codes equals that slice of the codes."""
    codes = data.draw(st.lists(st.integers(0, 2**bits - 1), max_size=40))
    start = data.draw(st.integers(0, len(codes)))
    stop = data.draw(st.integers(start, len(codes)))
    packed = kernels.pack_codes(np.array(codes, dtype=np.uint8), bits)
    assert len(packed) == -(-len(codes) * bits // 8)
    assert kernels.unpack_codes(packed, bits, start, stop).tolist() == codes[start:stop]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@given(data=st.data())
def test_single_codes_and_escapes_before_them(bits: int, data: st.DataObject) -> None:
    """Codes looked up one by one are those of the list, and so are the all-ones codes from the last step on."""
    step = 16
    largest = 2**bits - 1
    codes = data.draw(st.lists(st.sampled_from([0, largest]) | st.integers(0, largest), min_size=1, max_size=90))
    indexes = sorted(data.draw(st.sets(st.integers(0, len(codes) - 1), min_size=1)))
    packed = np.array(codes, dtype=np.uint8) if bits == 8 else kernels.pack_codes(np.array(codes, np.uint8), bits)
    found = kernels.escapes_before(packed, bits, np.array(indexes, dtype=np.int64), step)
    assert found.tolist() == [codes[index - index % step : index].count(largest) for index in indexes]
    if bits < 8:
        singles = kernels.unpack_codes_at(packed, bits, np.array(indexes, dtype=np.int64))
        assert singles.tolist() == [codes[index] for index in indexes]


@given(st.lists(st.one_of(st.integers(0, 20), st.integers(0, 2**32 - 1)), max_size=50))
def test_the_chosen_width_is_the_cheapest(values: list[int]) -> None:
    """No other base width would take fewer bits."""

    def cost(bits: int) -> int:
        total, waiting = 0, values
        for width in (bits, *(wider for wider in (8, 16, 32) if wider > bits)):
            total += len(waiting) * width
            waiting = [value for value in waiting if value >= 2**width - 1]
        return total

    chosen = kernels.choose_width(len(values), kernels.escapes_of(np.array(values, dtype=np.uint32)))
    assert cost(chosen) == min(map(cost, kernels.WIDTHS))


@given(st.lists(st.integers(-(2**40), 2**40)))
def test_zigzag_is_undone(numbers: list[int]) -> None:
    """Signed numbers come back, and none is negative in between."""
    coded = kernels.zigzag(np.array(numbers, dtype=np.int64))
    assert (coded >= 0).all()
    assert kernels.unzigzag(coded).tolist() == numbers


@given(groups)
def test_differences_start_afresh_in_each_group(lists: list[list[int]]) -> None:
    """differences is the difference to the number before in the same group; running_sums undoes it."""
    values, starts = flat(lists)
    expected = [b - a for numbers in lists for a, b in zip([0, *numbers], numbers, strict=False)]
    gaps = kernels.differences(values, starts)
    assert gaps.tolist() == expected
    assert kernels.running_sums(gaps, starts).tolist() == values.tolist()
    assert kernels.running_sums(values, starts).tolist() == [n for ns in lists for n in accumulate(ns)]


@given(groups)
def test_ranges_concatenates_ranges(lists: list[list[int]]) -> None:
    """ranges is what chaining range() gives."""
    pairs = [(numbers[0], len(numbers)) for numbers in lists if numbers]
    starts = np.array([start for start, _ in pairs], dtype=np.int64)
    counts = np.array([count for _, count in pairs], dtype=np.int64)
    expected = [number for start, count in pairs for number in range(start, start + count)]
    assert kernels.ranges(starts, counts).tolist() == expected


@given(words=st.lists(st.text("ab", max_size=5).map(str.encode), max_size=20), long=st.sampled_from([0, 250, 300]))
def test_shared_prefixes_are_counted_by_byte(words: list[bytes], long: int) -> None:
    """Each group is compared with the first of its three, byte by byte, up to 254."""
    words = [b"x" * long + word for word in words]
    starts = kernels.starts_of(np.array([len(word) for word in words], dtype=np.int64))
    expected = []
    for place, word in enumerate(words):
        alike = takewhile(bool, (a == b for a, b in zip(word, words[place // 3 * 3], strict=False)))
        expected.append(min(sum(alike), 254) if place % 3 else 0)
    data = np.frombuffer(b"".join(words), dtype=np.uint8)
    assert kernels.shared_prefixes(data, starts, 3).tolist() == expected


@given(st.sets(st.integers(0, 300), min_size=1))
def test_bitmaps_hold_sets(docs: set[int]) -> None:
    """The documents of a bitmap are the documents it was made of, in order."""
    bitmap = kernels.bitmap_of(np.array(sorted(docs), dtype=np.int32), max(docs) + 1)
    assert kernels.docs_of(bitmap).tolist() == sorted(docs)


def test_lengths_are_whoosh_lengths() -> None:
    """Every length has the code that Whoosh gives it, so scores are equal to the last bit."""
    numeric = pytest.importorskip("whoosh.util.numeric")
    lengths = np.concatenate([np.arange(3000), np.arange(3000, 120_000, 37)])
    assert encode_lengths(lengths).tolist() == [numeric.length_to_byte(int(length)) for length in lengths]
    assert decode_lengths(np.arange(256, dtype=np.uint8)).tolist() == [
        numeric.byte_to_length(code) for code in range(256)
    ]
    assert len(LENGTHS) == 256


@pytest.mark.parametrize(("largest", "bits"), [(0, 8), (255, 8), (256, 16), (65535, 16), (65536, 32), (2**32 - 1, 32)])
def test_the_narrowest_integers_hold_the_largest(largest: int, bits: int) -> None:
    """The dtype holds the largest value, and the next narrower one would not."""
    dtype = kernels.narrowest(largest)
    assert dtype.itemsize * 8 == bits
    assert np.array(largest).astype(dtype) == largest


def test_numbers_are_mixed_otherwise_in_every_process() -> None:
    """What is told apart by mixed numbers is so also where somebody writes it who knows how they are made."""
    program = (
        "import numpy as np; from searchkit.codec.kernels import mixed; print(mixed(np.arange(3, dtype=np.uint64)))"
    )
    first, second = (subprocess.run([sys.executable, "-c", program], capture_output=True, check=True) for _ in "ab")
    assert first.stdout != second.stdout
    numbers = kernels.mixed(np.arange(1000, dtype=np.uint64))
    assert len(set(numbers.tolist())) == 1000
