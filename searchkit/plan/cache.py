"""A cache of arrays, bounded by their bytes: the least recently used are dropped."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

import numpy.typing as npt

_LARGEST_SHARE = 4
"""An array of more than this part of the whole is not kept: it would drive out many that are asked for more often."""


class ArrayCache:
    """Arrays by key, safe to share between threads. Nobody may change what is in it."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._arrays: OrderedDict[Hashable, npt.NDArray[Any]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> npt.NDArray[Any] | None:
        """The array of this key, or None."""
        with self._lock:
            found = self._arrays.get(key)
            if found is not None:
                self._arrays.move_to_end(key)
            return found

    def put(self, key: Hashable, array: npt.NDArray[Any]) -> None:
        """Keep an array, unless it is too large."""
        if array.nbytes * _LARGEST_SHARE > self._max_bytes:
            return
        with self._lock:
            before = self._arrays.pop(key, None)
            self._bytes += array.nbytes - (before.nbytes if before is not None else 0)
            self._arrays[key] = array
            while self._bytes > self._max_bytes:
                _, dropped = self._arrays.popitem(last=False)
                self._bytes -= dropped.nbytes
