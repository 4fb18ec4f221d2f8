"""Caches bounded by bytes: what is kept, for how long, and that nobody changes it."""

import numpy as np
import pytest

from searchkit.plan.cache import ArrayCache, ByteCache


def test_the_least_recently_used_go_first() -> None:
    """Of values that are more than the bytes allowed those are dropped that were asked for or put the longest ago."""
    cache: ByteCache[str] = ByteCache(40, largest_share=1)
    for key in "abcd":
        cache.put(key, key.upper(), 10)
    assert cache.get("a") == "A"
    cache.put("e", "E", 15)
    assert [cache.get(key) for key in "abcde"] == ["A", None, None, "D", "E"]


def test_large_values_are_not_kept() -> None:
    """A value of more than its share of the whole drives out no others."""
    cache: ByteCache[str] = ByteCache(40, largest_share=4)
    cache.put("a", "A", 10)
    cache.put("b", "B", 11)
    assert (cache.get("a"), cache.get("b")) == ("A", None)


def test_an_array_is_kept_without_the_one_it_is_a_part_of() -> None:
    """A slice of a large array does not keep all of that."""
    cache = ArrayCache(1 << 20)
    cache.put_array("slice", np.arange(100_000)[10:12])
    kept = cache.get("slice")
    assert kept is not None
    assert kept.base is None
    assert kept.tolist() == [10, 11]


def test_nobody_can_change_a_kept_array() -> None:
    """What one search is given is what the next one gets."""
    cache = ArrayCache(1 << 20)
    array = np.arange(5)
    cache.put_array("five", array)
    with pytest.raises(ValueError, match="read-only"):
        array += 1
