"""Caches bounded by bytes: the least recently used are dropped. Safe to share between threads."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

Element = TypeVar("Element", bound=np.generic)
Value = TypeVar("Value")

LARGEST_SHARE = 4
"""A value of more than this part of the whole is not kept: it would drive out many that are asked for more often."""


class ByteCache(Generic[Value]):
    """Values by key, each with the bytes it counts for. Nobody may change what is in it."""

    def __init__(self, max_bytes: int, largest_share: int = LARGEST_SHARE) -> None:
        self._max_bytes = max_bytes
        self._largest = max_bytes // largest_share
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        """The value of this key, or None."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def takes(self, size: int) -> bool:
        """Whether a value of so many bytes is small enough to be kept."""
        return size <= self._largest

    def put(self, key: Hashable, value: Value, size: int) -> None:
        """Keep a value of so many bytes, unless it is too large."""
        if not self.takes(size):
            return
        with self._lock:
            _, before = self._values.pop(key, (None, 0))
            self._values[key] = value, size
            self._bytes += size - before
            while self._bytes > self._max_bytes:
                _, (_, dropped) = self._values.popitem(last=False)
                self._bytes -= dropped


class ArrayCache(ByteCache[npt.NDArray[Any]]):
    """Arrays by key."""

    def put_array(self, key: Hashable, array: npt.NDArray[Any]) -> None:
        """Keep an array, unless it is too large."""
        if self.takes(array.nbytes):
            self.put(key, alone(array), array.nbytes)


def alone(array: npt.NDArray[Element]) -> npt.NDArray[Element]:
    """The array for keeping: not as a part of a larger one, which would be kept with it; nobody may change it."""
    kept = array if array.base is None else array.copy()
    kept.flags.writeable = False
    return kept
