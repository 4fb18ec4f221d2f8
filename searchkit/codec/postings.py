"""Posting lists: for every term the documents, how often, with which weight, where, and what scoring asks.

posting_writer.py writes them; PostingLists reads them back: one list, a run of lists (a prefix, a merge), or a few
postings of a list (a phrase). The same structure holds term vectors, with documents in the place of terms and term
ordinals in the place of documents.

How the arrays are coded (FORMAT.md has each by name):
- documents as differences, in a packed array; a list with at least an eighth of all documents is a bitmap;
- occurrences minus one, positions as differences within a document, lengths as Whoosh's one-byte code;
- weights not at all when they are the occurrences or a constant, as the small excess over the occurrences
  when they are whole (a title term of weight 3), as float32 otherwise;
- lists longer than BLOCK postings have maximum weight and extreme lengths for each block.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from searchkit.codec.container import Container, corrupt
from searchkit.codec.kernels import (
    docs_of,
    ranges,
    running_sums,
    starts_of,
    unzigzag,
)
from searchkit.codec.packed import Offsets, PackedArray
from searchkit.codec.posting_writer import BLOCK

_MANY_LISTS = 128


class ListStatistics(NamedTuple):
    """What is known of a posting list without reading it."""

    doc_frequency: int
    weight: float
    max_weight: float
    min_length: int  # length code, 0 when no posting has a length
    max_length: int  # length code
    first_doc: int
    last_doc: int


class PostingLists:
    """Reads the posting lists of a field; lists have ordinals, postings a place in the field."""

    def __init__(self, container: Container, name: str) -> None:
        self._container = container
        self._name = name
        meta = container.section("postings").get(name)
        if not isinstance(meta, dict):
            raise corrupt(container.name, f"posting lists {name!r} are missing")
        self.span = self._number(meta, "span")
        self.posting_count = self._number(meta, "postings")
        self.occurrence_count = self._number(meta, "occurrences")
        self._weight_mode = meta.get("weights")
        self._constant = float(meta.get("weight", 1.0))
        self._signed = frozenset(meta.get("signed", []))
        if self.has("position") and len(self._packed("position")) != self.occurrence_count:
            raise corrupt(container.name, f"positions of {name!r} are cut off")
        self._counts = Offsets(container, f"{name}/count")
        # Few lists are dense, and bisect in a list of Python numbers is quicker than numpy on one number.
        has_dense = bool(meta.get("dense", 0))
        self._dense_lists: list[int] = self._array("bitmap_list").tolist() if has_dense else []
        self._dense_starts: list[int] = self._array("bitmap_start").tolist() if has_dense else [0]
        if len(self._dense_starts) != len(self._dense_lists) + 1:
            raise corrupt(container.name, f"bitmaps of {name!r} are damaged")

    def __len__(self) -> int:
        return len(self._counts)

    # Which arrays there are ------------------------------------------------------------------------------

    def has(self, array: str) -> bool:
        """Says whether the field stores an array: occurrence, position, char_gap, boost, value, ..."""
        return f"{self._name}/{array}" in self._container

    # One list --------------------------------------------------------------------------------------------

    def bounds(self, ordinal: int) -> tuple[int, int]:
        """Returns the first and the end posting of a list."""
        return self._counts.bounds(ordinal)

    def doc_frequency(self, ordinal: int) -> int:
        """Returns the number of postings of a list."""
        start, end = self._counts.bounds(ordinal)
        return end - start

    def docs(self, ordinal: int) -> NDArray[np.int32]:
        """Returns the docnums of a list in rising order (int32)."""
        start, end = self._counts.bounds(ordinal)
        row, is_dense = self._dense_row(ordinal)
        if is_dense:
            return self._checked_docs(ordinal, docs_of(self._bitmap_row(row)), end - start)
        before = self._dense_starts[row]
        docs = self._packed("gap").narrow(start - before, end - before).cumsum(dtype=np.int64)
        if len(docs) and docs.item(-1) >= self.span:  # they rise
            raise self._damaged(ordinal)
        return docs.astype(np.int32)

    def documents_of(self, ordinals: Sequence[int]) -> NDArray[np.bool_]:
        """Says of each document whether it is in any of these lists; of many, all lists are decoded at once."""
        flags = np.zeros(self.span, dtype=np.bool_)
        if len(ordinals) < _MANY_LISTS:
            for ordinal in ordinals:
                flags[self.docs(ordinal)] = True
            return flags
        gaps = self._packed("gap").all()
        for ordinal in ordinals:
            start, end = self._counts.bounds(ordinal)
            row, is_dense = self._dense_row(ordinal)
            if is_dense:
                flags[docs_of(self._bitmap_row(row))] = True
            else:
                before = self._dense_starts[row]
                docs = gaps[start - before : end - before].cumsum(dtype=np.int64)
                flags[self._checked_docs(ordinal, docs, end - start)] = True
        return flags

    def bitmap(self, ordinal: int) -> NDArray[np.uint8] | None:
        """Returns a dense list as a zero-copy bitmap of span bits, lowest bit first; None for other lists."""
        row, is_dense = self._dense_row(ordinal)
        return self._bitmap_row(row) if is_dense else None

    def occurrences(self, ordinal: int) -> NDArray[np.int64]:
        """Returns how often the term occurs in each document of a list."""
        return self.occurrences_of(*self.bounds(ordinal))

    def weights(self, ordinal: int, which: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """Returns the weight of each posting of a list (float32), or of those at rising indexes into the list."""
        start, end = self.bounds(ordinal)
        if which is None:
            return self.weights_of(start, end)
        if self._weight_mode == "constant":
            return np.full(len(which), self._constant, dtype=np.float32)
        if self._weight_mode == "float":
            return self.weights_of(start, end)[which]
        weights = np.ones(len(which), dtype=np.float32)
        for array in ("occurrence", "excess"):
            if self.has(array):
                weights += self._packed(array).at(which + start)
        return weights

    def positions(
        self, ordinal: int, which: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns (starts, positions) of a list: posting i has positions[starts[i]:starts[i + 1]].

        With `which`, rising indexes into the list, only those postings, in that order.
        """
        starts, places = self._occurrence_places(ordinal, which)
        return starts, running_sums(self._numbers("position", places), starts)

    def characters(
        self, ordinal: int, which: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Returns (starts, first character, end character) of a list, shaped as positions are."""
        starts, places = self._occurrence_places(ordinal, which)
        sizes = self._numbers("char_size", places)
        ends = running_sums(self._numbers("char_gap", places) + sizes, starts)
        return starts, ends - sizes, ends

    def boosts(self, ordinal: int, which: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """Returns the boost of each occurrence of a list (float64)."""
        _, places = self._occurrence_places(ordinal, which)
        stored: NDArray[np.float64] = self._array("boost")[places]
        return stored

    def values(self, ordinal: int) -> list[bytes]:
        """Returns the opaque values of a list."""
        first, last = self.bounds(ordinal)
        place = self._value_sizes.start(first)
        data = self._array("value")
        found = []
        for size in self._value_sizes.counts(first, last).tolist():
            found.append(data[place : place + size].tobytes())
            place += size
        return found

    def statistics(self, ordinal: int) -> ListStatistics:
        """Returns what scoring needs to know of a list."""
        start, end = self.bounds(ordinal)
        count = end - start
        shortest = longest = 0
        if self.has("min_length"):
            shortest = int(self._array("min_length")[ordinal])
            longest = shortest + self._packed("length_spread").value(ordinal)
        long_list = self._long_row(ordinal)
        if long_list is None:
            docs = self.docs(ordinal)
            first, last = int(docs[0]), int(docs[-1])
        else:
            last = int(self._array("last_doc")[long_list])
            first = self._first_doc(ordinal, start)
        return ListStatistics(
            count, self.total_weight(ordinal), self.max_weight(ordinal), shortest, longest, first, last
        )

    def statistics_of_lists(self, first: int, last: int) -> list[ListStatistics]:
        """Returns the statistics of lists first to last, all decoded at once."""
        counts = self.counts(first, last)
        starts = starts_of(counts)
        docs = self.docs_of_lists(first, last)
        shortest = np.zeros(last - first, dtype=np.int64)
        longest = shortest
        if self.has("min_length"):
            shortest = self._array("min_length")[first:last].astype(np.int64)
            longest = shortest + self._packed("length_spread").slice(first, last)
        columns = (
            counts,
            self.total_weights(first, last),
            self.max_weights(first, last),
            shortest,
            longest,
            docs[starts[:-1]],
            docs[starts[1:] - 1],
        )
        return [ListStatistics(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]

    def total_weight(self, ordinal: int) -> float:
        """Returns the sum of the weights of a list."""
        if self._weight_mode in ("constant", "float"):
            return float(self.total_weights(ordinal, ordinal + 1)[0])
        start, end = self._totals.bounds(ordinal) if self.has("occurrence") else self.bounds(ordinal)
        excess = self._packed("excess_total").value(ordinal) if self._weight_mode == "excess" else 0
        return float(end - start + excess)

    def max_weight(self, ordinal: int) -> float:
        """Returns the greatest weight of a list."""
        if self._weight_mode in ("constant", "float"):
            return float(self.max_weights(ordinal, ordinal + 1)[0])
        return float(self._packed("max_weight").value(ordinal))

    def blocks(self, ordinal: int) -> tuple[NDArray[Any], NDArray[np.uint8] | None, NDArray[np.uint8] | None] | None:
        """Returns (maximum weight, shortest, longest length code) of each block of BLOCK postings.

        None for a list of one block, whose statistics are those of the list; lengths are None when the field
        has none.
        """
        row = self._long_row(ordinal)
        if row is None:
            if self.doc_frequency(ordinal) > BLOCK:
                raise self._damaged_blocks(ordinal)
            return None
        first, last = self._array("first_block")[row : row + 2].tolist()
        weights = self._array("block_weight")[first:last]
        if len(weights) != last - first or last - first != -(-self.doc_frequency(ordinal) // BLOCK):
            raise self._damaged_blocks(ordinal)
        if not self.has("block_min_length"):
            return weights, None, None
        shortest = self._array("block_min_length")[first:last]
        longest = self._array("block_max_length")[first:last]
        if not len(weights) == len(shortest) == len(longest):
            raise self._damaged_blocks(ordinal)
        return weights, shortest, longest

    # Runs of lists and postings --------------------------------------------------------------------------

    def counts(self, first: int, last: int) -> NDArray[np.int64]:
        """Returns the number of postings of lists first to last."""
        return self._counts.counts(first, last)

    def starts(self) -> NDArray[np.int64]:
        """Returns where each list starts among the postings of the field, and their number at the end."""
        return self._counts.all()

    def bounds_of_lists(self, first: int, last: int) -> tuple[int, int]:
        """Returns the first posting of list first, and the end of those of the list before last."""
        return self._counts.start(first), self._counts.start(last)

    def docs_of_lists(self, first: int, last: int) -> NDArray[np.int32]:
        """Returns the docnums of lists first to last, list after list (int32)."""
        start, end = self._counts.start(first), self._counts.start(last)
        rows = self._dense_row(first)[0], self._dense_row(last)[0]
        before, through = self._dense_starts[rows[0]], self._dense_starts[rows[1]]
        gaps = self._packed("gap").slice(start - before, end - through)
        if rows[0] == rows[1]:
            docs = running_sums(gaps, starts_of(self.counts(first, last)))
        else:
            docs = self._mixed_docs(first, last, rows, gaps)
        return self._checked_docs(first, docs, end - start)

    def occurrences_of(self, start: int, end: int) -> NDArray[np.int64]:
        """Returns the occurrences of postings start to end of the field."""
        if not self.has("occurrence"):
            return np.ones(end - start, dtype=np.int64)
        return self._packed("occurrence").slice(start, end).astype(np.int64) + 1

    def occurrence_totals(self, first: int, last: int) -> NDArray[np.int64]:
        """Returns the sum of the occurrences of each of lists first to last."""
        return self._totals.counts(first, last) if self.has("occurrence") else self.counts(first, last)

    def weights_of(self, start: int, end: int) -> NDArray[np.float32]:
        """Returns the weights of postings start to end of the field (float32)."""
        if self._weight_mode == "constant":
            return np.full(end - start, self._constant, dtype=np.float32)
        if self._weight_mode == "float":
            stored: NDArray[np.float32] = self._array("weight")[start:end]
            if len(stored) != end - start:
                raise corrupt(self._container.name, f"weights of {self._name!r} are cut off")
            return stored
        if not self.has("occurrence"):
            weights = np.ones(end - start, dtype=np.float32)
        else:
            weights = self._packed("occurrence").narrow(start, end).astype(np.float32)
            weights += 1
        if self._weight_mode == "excess":  # few terms stand in titles
            places, excess = self._packed("excess").nonzero(start, end)
            weights[places] += excess
        return weights

    def total_weights(self, first: int, last: int) -> NDArray[np.float64]:
        """Returns the sum of the weights of each of lists first to last."""
        counts = self.counts(first, last)
        if self._weight_mode == "constant":
            return np.asarray((counts * self._constant).astype(np.float32), dtype=np.float64)
        if self._weight_mode == "float":
            return np.asarray(self._array("weight_total")[first:last], dtype=np.float64)
        totals = self.occurrence_totals(first, last)
        if self._weight_mode == "excess":
            totals = totals + self._packed("excess_total").slice(first, last)
        return totals.astype(np.float64)

    def max_weights(self, first: int, last: int) -> NDArray[np.float64]:
        """Returns the greatest weight of each of lists first to last."""
        if self._weight_mode == "constant":
            return np.full(last - first, self._constant)
        if self._weight_mode == "float":
            return np.asarray(self._array("max_weight")[first:last], dtype=np.float64)
        return self._packed("max_weight").slice(first, last).astype(np.float64)

    def positions_of_lists(self, first: int, last: int) -> NDArray[np.int64]:
        """Returns the positions of lists first to last, occurrence after occurrence."""
        starts = starts_of(self.occurrences_of(self._counts.start(first), self._counts.start(last)))
        begin = self._occurrence_start(first)
        gaps = self._numbers("position", slice(begin, begin + int(starts[-1])))
        return running_sums(gaps, starts)

    def occurrence_bounds_of_lists(self, first: int, last: int) -> tuple[int, int]:
        """Returns the first occurrence of list first, and the end of those of the list before last."""
        return self._occurrence_start(first), self._occurrence_start(last)

    def position_gaps_of(self, start: int, end: int) -> NDArray[np.int64] | NDArray[np.uint32]:
        """Returns of occurrences start to end of the field each position minus the one before it in the posting.

        int64 where positions fall.
        """
        gaps = self._packed("position").slice(start, end)
        return unzigzag(gaps.astype(np.int64)) if "position" in self._signed else gaps

    # What a merge makes of it ----------------------------------------------------------------------------

    def is_signed(self, array: str) -> bool:
        """Says whether an array of occurrences holds negative numbers."""
        return array in self._signed

    def weights_are_occurrences(self) -> bool:
        """Says whether all weights are the occurrences."""
        return self._weight_mode == "occurrences"

    def weights_are_whole(self) -> bool:
        """Says whether all weights are whole numbers and none is less than the occurrences."""
        if self._weight_mode == "constant":
            most = int(self.occurrences_of(0, self.posting_count).max(initial=1))
            return self._constant.is_integer() and self._constant >= most
        return self._weight_mode != "float"

    def widths(self) -> dict[str, int]:
        """Returns the base widths in bits of the packed arrays that have an element for each posting or occurrence."""
        arrays = ("gap", "occurrence", "excess", "position")
        return {array: self._packed(array).bits for array in arrays if self.has(array)}

    # How it is found -------------------------------------------------------------------------------------

    def _number(self, meta: dict[str, Any], key: str) -> int:
        number = meta.get(key)
        if type(number) is not int or not 0 <= number < 2**48:
            raise corrupt(self._container.name, f"posting lists {self._name!r} say {key} is {number!r}")
        return number

    def _array(self, array: str) -> NDArray[Any]:
        return self._container.array(f"{self._name}/{array}")

    def _packed(self, array: str) -> PackedArray:
        packed = self._packed_arrays.get(array)
        if packed is None:
            packed = self._packed_arrays[array] = PackedArray(self._container, f"{self._name}/{array}")
        return packed

    @cached_property
    def _packed_arrays(self) -> dict[str, PackedArray]:
        return {}

    @cached_property
    def _totals(self) -> Offsets:
        return Offsets(self._container, f"{self._name}/total")

    @cached_property
    def _value_sizes(self) -> Offsets:
        return Offsets(self._container, f"{self._name}/value_size")

    def _row(self, array: str, ordinal: int) -> int | None:
        rows = self._array(array)
        row = int(rows.searchsorted(np.uint32(ordinal)))  # another dtype would convert the array
        return row if row < len(rows) and rows[row] == ordinal else None

    def _dense_row(self, ordinal: int) -> tuple[int, bool]:
        """Returns how many bitmaps stand before a list, and whether it is one."""
        row = bisect_left(self._dense_lists, ordinal)
        return row, row < len(self._dense_lists) and self._dense_lists[row] == ordinal

    def _checked_docs(self, ordinal: int, docs: NDArray[Any], count: int) -> NDArray[np.int32]:
        if len(docs) != count or (count and int(docs.max()) >= self.span):
            raise self._damaged(ordinal)
        return docs.astype(np.int32, copy=False)

    def _damaged(self, ordinal: int) -> Exception:
        return corrupt(self._container.name, f"posting list {ordinal} of {self._name!r} is damaged")

    def _long_row(self, ordinal: int) -> int | None:
        return self._row("long_list", ordinal) if self.has("long_list") else None

    def _bitmap_row(self, row: int) -> NDArray[np.uint8]:
        width = -(-self.span // 8)
        bitmap: NDArray[np.uint8] = self._array("bitmap")[row * width : (row + 1) * width]
        if len(bitmap) != width:
            raise corrupt(self._container.name, f"bitmaps of {self._name!r} are cut off")
        return bitmap

    def _damaged_blocks(self, ordinal: int) -> Exception:
        return corrupt(self._container.name, f"blocks of posting list {ordinal} of {self._name!r} are damaged")

    def _first_doc(self, ordinal: int, start: int) -> int:
        row, is_dense = self._dense_row(ordinal)
        if is_dense:
            bitmap = self._bitmap_row(row)
            byte = int(np.argmax(bitmap != 0))
            return byte * 8 + int(docs_of(bitmap[byte : byte + 1])[0])
        place = start - self._dense_starts[row]
        return int(self._packed("gap").slice(place, place + 1)[0])

    def _mixed_docs(self, first: int, last: int, rows: tuple[int, int], gaps: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Docnums of a run of lists of which some are bitmaps."""
        counts = self.counts(first, last)
        starts = starts_of(counts)
        dense = np.zeros(last - first, dtype=bool)
        dense[np.array(self._dense_lists[rows[0] : rows[1]], dtype=np.int64) - first] = True
        docs = np.zeros(int(starts[-1]), dtype=np.int64)
        docs[np.repeat(~dense, counts)] = running_sums(gaps, starts_of(counts[~dense]))
        for row, ordinal in zip(range(*rows), np.flatnonzero(dense), strict=True):
            docs[starts[ordinal] : starts[ordinal + 1]] = docs_of(self._bitmap_row(row))
        return docs

    def _occurrence_start(self, ordinal: int) -> int:
        return self._totals.start(ordinal) if self.has("occurrence") else self._counts.start(ordinal)

    def _occurrence_places(
        self, ordinal: int, which: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64] | slice]:
        """Returns the starts of the postings asked for, and where their occurrences stand in the field."""
        begin = self._occurrence_start(ordinal)
        first, end = self.bounds(ordinal)
        if not self.has("occurrence"):
            ends = np.arange(1, end - first + 1)
        else:
            ends = self._packed("occurrence").narrow(first, end).cumsum(dtype=np.int64)
            ends += np.arange(1, end - first + 1)  # what is kept is one less than there are
        if len(ends) and begin + ends.item(-1) > self.occurrence_count:  # before anything of that size is made
            raise self._damaged(ordinal)
        if which is None:
            starts = np.append(0, ends)
            return starts, slice(begin, begin + starts.item(-1))
        begins = ends[which - 1]
        begins[which == 0] = 0
        counts = ends[which] - begins
        return starts_of(counts), ranges(begins, counts) + begin

    def _numbers(self, array: str, places: NDArray[np.int64] | slice) -> NDArray[np.int64]:
        packed = self._packed(array)
        codes = packed.slice(places.start, places.stop) if isinstance(places, slice) else packed.at(places)
        numbers = codes.astype(np.int64)
        return unzigzag(numbers) if array in self._signed else numbers
