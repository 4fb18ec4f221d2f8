"""Which article ids were met before, with a number for each: sixteen bytes an id, however long it is, most on disk.

Of an id only 64 bits of its hash are kept. Two different ids among ten million share those with a probability of 3 in a
million: whoever must be sure looks the id up.
"""

import mmap
import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from tempfile import TemporaryFile
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]

IN_MEMORY = 1 << 18
"""Ids in a run from which on it lies in a temporary file."""

_PIECE = 1 << 17


class KnownIds:
    """Hashes of ids with numbers, in sorted runs that double in length as in a log-structured merge tree."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []

    def find(self, hashes: Numbers) -> tuple[Numbers, Numbers]:
        """What is known of these hashes: an index into ``hashes`` and a number for each time one was added."""
        order = np.argsort(hashes)
        ordered = hashes[order]
        found = [(np.empty(0, np.int64), np.empty(0, np.int64))]
        for run in self._runs:
            firsts, lasts = np.searchsorted(run.hashes, ordered), np.searchsorted(run.hashes, ordered, side="right")
            hits = np.flatnonzero(firsts < lasts)
            counts = (lasts - firsts)[hits]
            places = np.repeat(lasts[hits] - np.cumsum(counts), counts) + np.arange(counts.sum())
            found.append((order[np.repeat(hits, counts)], run.numbers[places]))
            run.let_go()
        indexes, numbers = (np.concatenate(column) for column in zip(*found, strict=True))
        return indexes, numbers

    def add(self, hashes: Numbers, numbers: Numbers) -> None:
        """Keep a number for each hash."""
        order = np.argsort(hashes, kind="stable")
        self._runs.append(_Run(hashes[order], numbers[order]))
        while len(self._runs) > 1 and len(self._runs[-2].hashes) <= 2 * len(self._runs[-1].hashes):
            last, before = self._runs.pop(), self._runs.pop()
            self._runs.append(_merged(before, last))


def hashes_of(ids: Sequence[str]) -> Numbers:
    """The hash of each id."""
    return np.fromiter(map(hash, ids), np.int64, len(ids))


class _Run:
    """Rising hashes and their numbers, in memory or in a file."""

    def __init__(self, hashes: Numbers, numbers: Numbers, mapped: mmap.mmap | None = None) -> None:
        self.hashes = hashes
        self.numbers = numbers
        self._mapped = mapped

    @classmethod
    def in_file(cls, file: BinaryIO, count: int) -> "_Run":
        """What lies in a file: so many hashes, then as many numbers."""
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        values = np.frombuffer(mapped, np.int64)
        return cls(values[:count], values[count:], mapped)

    def let_go(self) -> None:
        """Take what was read of the file out of the memory of this process."""
        if self._mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._mapped.madvise(mmap.MADV_DONTNEED)


def _merged(one: _Run, other: _Run) -> _Run:
    count = len(one.hashes) + len(other.hashes)
    if count > IN_MEMORY:
        with suppress(OSError), TemporaryFile() as file:  # without room on disk they stay in memory
            os.truncate(file.fileno(), 16 * count)
            done = 0
            for first, last in zip(_pieces(one, one), _pieces(one, other), strict=True):
                hashes, numbers = _sorted(one, first, other, last)
                for column, values in enumerate((hashes, numbers)):
                    file.seek(8 * (column * count + done))
                    file.write(values.data)
                done += len(hashes)
                one.let_go()
                other.let_go()
            return _Run.in_file(file, count)
    return _Run(*_sorted(one, slice(None), other, slice(None)))


def _pieces(one: _Run, run: _Run) -> list[slice]:
    """Slices of ``run`` between the hashes that cut ``one`` into pieces."""
    inner = run.hashes.searchsorted(one.hashes[_PIECE::_PIECE]).tolist()
    return [slice(first, last) for first, last in pairwise([0, *inner, len(run.hashes)])]


def _sorted(one: _Run, first: slice, other: _Run, last: slice) -> tuple[Numbers, Numbers]:
    """A part of each of two runs as one."""
    hashes = np.concatenate((one.hashes[first], other.hashes[last]))
    order = np.argsort(hashes, kind="stable")
    return hashes[order], np.concatenate((one.numbers[first], other.numbers[last]))[order]
