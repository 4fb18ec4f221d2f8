"""What is remembered of ids is what a dictionary would remember, in memory that does not grow with their number."""

import errno
import tracemalloc
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.sources import known_ids
from searchkit.sources.known_ids import KnownIds, hashes_of
from searchkit.sources.reading import Place
from searchkit.sources.repeats import FirstPlaces

batches = st.lists(st.lists(st.integers(-20, 20), max_size=12), max_size=12)


def check(added: list[list[int]]) -> None:
    """Add batches of hashes, each with a number of its own, and compare what is found with a dictionary of lists."""
    known, expected = KnownIds(), defaultdict[int, list[int]](list)
    number = 0
    for batch in added:
        indexes, numbers = known.find(np.array(batch, np.int64))
        found = sorted(zip(indexes.tolist(), numbers.tolist(), strict=True))
        assert found == sorted((index, one) for index, hashed in enumerate(batch) for one in expected[hashed])
        known.add(np.array(batch, np.int64), np.arange(number, number + len(batch)))
        for hashed in batch:
            expected[hashed].append(number)
            number += 1


@given(batches)
def test_every_number_of_a_hash_is_found(added: list[list[int]]) -> None:
    """As a dictionary of lists would find them."""
    check(added)


@given(batches)
def test_runs_in_files_are_as_good(added: list[list[int]]) -> None:
    """Where runs lie makes no difference."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known_ids, "IN_MEMORY", 5)
        patch.setattr(known_ids, "_PIECE", 2)
        check(added)


def test_without_room_on_disk_runs_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk for temporary files keeps nobody from indexing."""

    def no_room() -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(known_ids, "IN_MEMORY", 5)
    monkeypatch.setattr(known_ids, "TemporaryFile", no_room)
    check([[*range(number, number + 9)] for number in range(9)])


def test_memory_does_not_grow_with_the_ids() -> None:
    """Four million ids take no more memory than one million."""
    known = KnownIds()
    peaks = []
    tracemalloc.start()
    try:
        for million in range(4):
            tracemalloc.reset_peak()
            for first in range(million * 1_000_000, (million + 1) * 1_000_000, 50_000):
                hashes = np.arange(first, first + 50_000, dtype=np.int64) * 0x9E3779B97F4A7C1
                assert not len(known.find(hashes)[0])
                known.add(hashes, hashes)
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert max(peaks) < 1.1 * peaks[0] < 40_000_000


def test_hashes_are_those_of_the_texts() -> None:
    """Equal ids have equal hashes, as Python has it."""
    assert hashes_of(["a", "b"]).tolist() == [hash("a"), hash("b")]


@given(st.lists(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 9)), max_size=6), max_size=6))
def test_the_first_place_of_an_id_is_told(files: list[list[tuple[str, int]]]) -> None:
    """Of ids that come twice, in one batch or in several, the place of the first is known."""
    places, first = FirstPlaces(), dict[str, Place]()
    for number, read in enumerate(files):
        path = f"{number}.jsonl"
        expected = []
        for index, (one, line) in enumerate(read):
            if one in first:
                expected.append((index, first[one]))
            first.setdefault(one, Place(path, line))
        assert places.note_all(path, [one for one, _ in read], [line for _, line in read]) == expected


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")
def test_what_was_read_of_files_does_not_stay_in_memory() -> None:
    """Neither adding nor finding keeps the pages of the files."""
    before = mapped_bytes()
    known = KnownIds()
    for first in range(0, 1_000_000, 50_000):
        hashes = np.arange(first, first + 50_000, dtype=np.int64) * 0x9E3779B97F4A7C1
        known.add(hashes, hashes)
        known.find(hashes)
    assert mapped_bytes() < before + 6_000_000


def mapped_bytes() -> int:
    """The bytes of mapped files that are in the memory of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssFile:"))
