"""What commits merge: simulated over thousands of commits, as the policy is a pure function of sizes."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.indexing.policy import segments_to_merge

LOADED = [6_487, 6_111, 12_478, 16_642, 17_633, 13_384, 13_051, 14_214]
"""Articles of the segments that two workers make of 100,000 abstracts."""


@dataclass
class Archive:
    """The sizes of segments, and what commits have rewritten so far."""

    sizes: list[int]
    rewritten: int = 0
    largest: int = 0
    merging: int = 0
    most: int = 0

    def commit(self, *segments: int) -> None:
        """Add segments in one commit."""
        sizes = [*self.sizes, *segments]
        groups = segments_to_merge(sizes, sum(segments))
        merged = [sum(sizes[index] for index in group) for group in groups]
        gone = {index for group in groups for index in group}
        assert len(gone) == sum(map(len, groups)), "a segment is merged once"
        assert all(len(group) > 1 for group in groups), "merging one segment changes nothing"
        self.sizes = [size for index, size in enumerate(sizes) if index not in gone] + merged
        self.rewritten += sum(merged)
        self.largest = max(self.largest, sum(merged))
        self.merging += bool(merged)
        self.most = max(self.most, len(self.sizes))


def loaded(*segments: int) -> Archive:
    """An archive after one load."""
    archive = Archive([])
    archive.commit(*segments)
    return archive


@pytest.mark.parametrize(
    "before", [[], [100_000], LOADED, [14_000] * 6, [25_000] * 4, [9_000] * 2, [200_000] * 5], ids=str
)
def test_a_thousand_single_additions(before: list[int]) -> None:
    """At most 12 segments at any time, most additions merge nothing, and none rewrites more than a second's worth."""
    archive = loaded(*before)
    start = archive.rewritten
    archive.largest = archive.merging = 0
    for _ in range(1_000):
        archive.commit(1)
    assert sum(archive.sizes) == sum(before) + 1_000
    assert archive.most <= 12
    assert archive.largest <= 28_000
    assert archive.merging <= 350
    assert archive.rewritten - start <= 1_000 * 8 + 28_000


@pytest.mark.parametrize("commits", [100, 1_000, 10_000, 100_000])
def test_an_article_is_rewritten_a_logarithmic_number_of_times(commits: int) -> None:
    """Ten times as many single additions write each article three times more or so, not ten times as often."""
    archive = Archive([])
    for _ in range(commits):
        archive.commit(1)
    assert archive.rewritten <= commits * 3 * len(str(commits))
    assert archive.most <= 12
    assert archive.largest <= 70_000


def test_segments_just_below_large_are_not_rewritten_again_and_again() -> None:
    """Five of 9,999 articles, or of 999, do not make single additions dearer than an empty archive does."""
    for before in ([9_999] * 5, [999] * 5):
        archive = Archive(before)
        for _ in range(5_000):
            archive.commit(1)
        assert archive.rewritten < 5_000 * 16 + 60_000


@pytest.mark.parametrize("size", [2, 30, 500, 3_000, 9_999])
def test_regular_additions(size: int) -> None:
    """Additions of any size, three hundred of them, rewrite each article a few times."""
    archive = Archive([])
    for _ in range(300):
        archive.commit(size)
    assert archive.rewritten <= 300 * size * 8
    assert archive.most <= 12


@pytest.mark.parametrize(
    ("segments", "work"),
    [(LOADED, 0.4), ([12_500] * 8, 0.5), ([12_500] * 80, 1.0), ([5_000] * 20, 1.0), ([40_000] * 3, 0.0)],
    ids=str,
)
def test_a_load_leaves_few_segments(segments: list[int], work: float) -> None:
    """After a load there are 5 segments at most, none very large, for rewriting no more than was loaded."""
    archive = loaded(*segments)
    assert len(archive.sizes) <= 5
    assert archive.rewritten <= work * sum(segments)
    assert max(archive.sizes) <= max(50_000, sum(segments) / 4)


def test_loads_into_a_large_archive() -> None:
    """Twenty loads, each of 100,000 articles: few segments, and no load rewrites more than a quarter of all."""
    archive = Archive([])
    for _ in range(20):
        archive.commit(*LOADED)
        assert len(archive.sizes) <= 6
    assert archive.rewritten < 20 * 100_000 * 4
    assert archive.largest <= 20 * 100_000 / 4


@given(st.lists(st.integers(1, 300_000), max_size=40), st.lists(st.integers(1, 30_000), max_size=5))
def test_whatever_there_is_comes_down_to_twelve(sizes: list[int], added: list[int]) -> None:
    """From any segments, a few commits lead to at most 12, and additions keep it so."""
    archive = Archive(sizes)
    archive.commit(*added)
    for _ in range(3):
        archive.commit(1)
    for _ in range(30):
        archive.commit(1)
        assert len(archive.sizes) <= 12
