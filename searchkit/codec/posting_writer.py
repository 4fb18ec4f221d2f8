"""Writing posting lists: all lists of a field at once (write_postings), or some after others (PostingsWriter).

How the arrays are coded is told in postings.py, which reads them, and array by array in FORMAT.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from searchkit.codec.container import ContainerWriter
from searchkit.codec.kernels import bitmap_of, differences, group_reduce, starts_of, zigzag
from searchkit.codec.packed import ArrayWriter, PackedWriter, write_offsets, write_packed

BLOCK = 128
DENSE = 8  # a list with at least span / DENSE documents is stored as a bitmap
DENSE_LEAST = 64


class PostingData(NamedTuple):
    """All posting lists of one field, list after list; n is the number of postings."""

    counts: NDArray[np.int64]  # postings of each list, at least 1
    docs: NDArray[np.int32]  # n docnums, not falling within a list
    occurrences: NDArray[np.integer] | None = None  # n, at least 1; None: 1 each
    weights: NDArray[np.float32] | None = None  # n; None: the occurrences
    lengths: NDArray[np.uint8] | None = None  # n length codes (lengths.py), 0 for none; None: no lengths
    positions: NDArray[np.integer] | None = None  # one an occurrence
    char_starts: NDArray[np.int64] | None = None  # one an occurrence
    char_ends: NDArray[np.int64] | None = None  # one an occurrence
    boosts: NDArray[np.float64] | None = None  # one an occurrence
    values: list[bytes] | None = None  # n opaque values, for formats that are none of the above


class PostingRun(NamedTuple):
    """Some successive posting lists of a field, whole ones; n is the number of postings, at least 1."""

    counts: NDArray[np.int64]  # postings of each list, at least 1
    docs: NDArray[np.int32]  # n docnums, not falling within a list
    occurrences: NDArray[np.integer] | None  # n, at least 1; None: 1 each
    weights: NDArray[Any] | None  # n, integers unless the writer is told "float"; None: the occurrences
    lengths: NDArray[np.uint8] | None  # n length codes, 0 for none; None: no lengths
    position_gaps: NDArray[np.integer] | None  # one an occurrence: position - position before it in the posting


def write_postings(writer: ContainerWriter, name: str, data: PostingData) -> None:
    """Writes the posting lists of a field under a name."""
    occurrences = data.occurrences
    if occurrences is not None and not (occurrences != 1).any():
        occurrences = None
    places = starts_of(np.ones(len(data.docs), dtype=np.int64) if occurrences is None else occurrences)
    gaps = None if data.positions is None else differences(data.positions, places)
    mode = _weight_mode(data.weights, occurrences)
    weights = None if mode == "occurrences" else data.weights
    if mode == "excess" and weights is not None:
        weights = weights.astype(np.int64)
    lists = PostingsWriter(
        writer,
        name,
        span=int(data.docs.max(initial=-1)) + 1,
        weights=mode,
        has_occurrences=occurrences is not None,
        has_positions=gaps is not None,
        is_signed=gaps is not None and int(gaps.min(initial=0)) < 0,
    )
    if len(data.docs):
        lists.extend(PostingRun(data.counts, data.docs, occurrences, weights, data.lengths, gaps))
    lists.close()
    signed = writer.meta["postings"][name]["signed"]
    if data.char_starts is not None and data.char_ends is not None:
        before = np.zeros(len(data.char_ends), dtype=np.int64)
        before[1:] = data.char_ends[:-1]
        before[places[:-1]] = 0
        numbers = {"char_gap": data.char_starts - before, "char_size": data.char_ends - data.char_starts}
        for array, of_occurrences in numbers.items():
            if int(of_occurrences.min(initial=0)) < 0:
                signed.append(array)
                of_occurrences = zigzag(of_occurrences)
            write_packed(writer, f"{name}/{array}", of_occurrences)
    if data.boosts is not None:
        writer.add(f"{name}/boost", data.boosts.astype(np.float64))
    if data.values is not None:
        writer.add_bytes(f"{name}/value", b"".join(data.values))
        sizes = np.fromiter(map(len, data.values), dtype=np.int64, count=len(data.values))
        write_offsets(writer, f"{name}/value_size", sizes)


def _weight_mode(weights: NDArray[np.float32] | None, occurrences: NDArray[np.integer] | None) -> str:
    if weights is None:
        return "occurrences"
    excess = weights - (1 if occurrences is None else occurrences)
    if not excess.any():
        return "occurrences"
    if np.all(weights == weights[0]):
        return "constant"
    # Beyond 2**24 a float32 no longer tells one whole number from the next; NaN fails every comparison.
    return "excess" if np.all((excess >= 0) & (excess < 2**24) & (excess == np.rint(excess))) else "float"


class PostingsWriter:
    """Writes the posting lists of a field as they come, some at a time, in the order of their ordinals.

    Until it is closed it keeps some bytes a list and a block; numbers of postings wait in a temporary file. With `bits`
    for "position" positions go to the file at once, and the container takes nothing else until the field is closed.
    """

    def __init__(
        self,
        writer: ContainerWriter,
        name: str,
        *,
        span: int,
        weights: str,
        has_occurrences: bool,
        has_positions: bool,
        is_signed: bool = False,
        bits: Mapping[str, int] | None = None,
    ) -> None:
        """Starts a field whose docnums are below `span`.

        weights is "occurrences", "constant", "excess" or "float" (FORMAT.md); "excess" becomes "occurrences" when that
        is what all turn out to be. is_signed says that positions fall within a posting. bits are the base widths of
        packed arrays, where they are known before the values.
        """
        self._writer = writer
        self._name = name
        self._span = span
        self._mode = weights
        self._is_signed = is_signed
        self._list_count = 0
        self._posting_count = 0
        self._occurrence_count = 0
        self._dense_count = 0
        self._bits = bits or {}
        self._positions = self._packed("position") if has_positions else None
        self._gaps = self._packed("gap")
        self._occurrences = self._packed("occurrence") if has_occurrences else None
        self._excess = self._packed("excess") if weights == "excess" else None
        self._columns: dict[str, list[NDArray[Any]]] = {}
        self._bitmaps = self._bytes("bitmap")
        self._block_shortest = self._bytes("block_min_length")
        self._block_longest = self._bytes("block_max_length")

    def _packed(self, array: str) -> PackedWriter:
        bits = self._bits.get(array)
        at_once = array == "position" and bits is not None
        return PackedWriter(self._writer, f"{self._name}/{array}", bits, at_once=at_once)

    def _bytes(self, array: str) -> ArrayWriter:
        return ArrayWriter(self._writer, f"{self._name}/{array}", "u1")

    def extend(self, run: PostingRun) -> None:
        """Takes in the next lists."""
        starts = starts_of(run.counts)
        self._extend_docs(run, starts)
        self._note_lists(self._written(run, _Blocks(run.counts, starts, BLOCK)))

    def extend_list(self, count: int, parts: Iterable[PostingRun]) -> None:
        """Takes in the next list, which has more than one block of postings and no document twice, part by part.

        `count` is the number of its postings. Each part is a run of one list and has whole blocks, but for the last.
        """
        is_dense = count >= DENSE_LEAST and count * DENSE >= self._span
        flags = np.zeros(self._span if is_dense else 0, dtype=np.bool_)
        last_doc = 0
        written = []
        for part in parts:
            if is_dense:
                flags[part.docs] = True
            else:
                self._gaps.extend(np.diff(part.docs, prepend=np.int32(last_doc)))
                last_doc = int(part.docs[-1])
            written.append(self._written(part, _Blocks(part.counts, starts_of(part.counts), 0)))
        if is_dense:
            self._extend_bitmap(np.packbits(flags, bitorder="little"), self._list_count, count)
        self._note_lists(_one_list(written))

    def _written(self, run: PostingRun, blocks: "_Blocks") -> "_Lists":
        """Writes what does not depend on the postings before those of a run; what is to be noted of its lists."""
        starts = starts_of(run.counts)
        totals = self._extend_occurrences(run, starts)
        weights = self._extend_weights(run, starts, blocks)
        lengths = None if run.lengths is None else self._extend_lengths(run.lengths, blocks)
        if self._positions is not None and run.position_gaps is not None:
            gaps = run.position_gaps
            self._positions.extend(zigzag(gaps.astype(np.int64, copy=False)) if self._is_signed else gaps)
        return _Lists(run.counts, run.docs[starts[1:] - 1], blocks.counts, totals, *weights, lengths)

    def _note_lists(self, lists: "_Lists") -> None:
        self._note("count", lists.counts)
        long_lists = np.flatnonzero(lists.counts > BLOCK)
        if len(long_lists):
            self._note("long_list", long_lists + self._list_count)
            self._note("last_doc", lists.last_docs[long_lists])
            self._note("block_count", lists.block_counts[long_lists])
        if lists.totals is not None:
            self._note("total", lists.totals)
        self._note("max_weight", lists.max_weights)
        if lists.weight_totals is not None:
            self._note("weight_total", lists.weight_totals)
        if lists.lengths is not None:
            shortest, longest = lists.lengths
            shortest = np.minimum(shortest, longest)  # 0 means no length and is not a shortest
            self._note("min_length", shortest)
            self._note("length_spread", longest - shortest)
        postings = int(lists.counts.sum())
        self._list_count += len(lists.counts)
        self._posting_count += postings
        self._occurrence_count += postings if lists.totals is None else int(lists.totals.sum())

    def _note(self, column: str, values: NDArray[Any]) -> None:
        self._columns.setdefault(column, []).append(values)

    def _noted(self, column: str) -> NDArray[Any]:
        pieces = self._columns.pop(column, [])
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces or [np.zeros(0, dtype=np.int64)])

    def _extend_docs(self, run: PostingRun, starts: NDArray[np.int64]) -> None:
        docs, counts = run.docs, run.counts
        gaps = differences(docs, starts)
        is_dense = (counts >= DENSE_LEAST) & (counts * DENSE >= self._span)
        if is_dense.any():
            is_repeat = gaps == 0
            is_repeat[starts[:-1]] = False
            if is_repeat.any():  # a bitmap cannot hold a document twice
                is_dense &= ~np.logical_or.reduceat(is_repeat, starts[:-1])
        lists = np.flatnonzero(is_dense)
        if len(lists):
            gaps = gaps[np.repeat(~is_dense, counts)]
            for number, first, last in zip(
                *(of.tolist() for of in (lists, starts[lists], starts[lists + 1])), strict=True
            ):
                self._extend_bitmap(bitmap_of(docs[first:last], self._span), self._list_count + number, last - first)
        self._gaps.extend(gaps)

    def _extend_bitmap(self, bitmap: NDArray[np.uint8], number: int, count: int) -> None:
        self._bitmaps.extend(bitmap)
        self._note("bitmap_list", np.array([number]))
        self._note("bitmap_count", np.array([count]))
        self._dense_count += 1

    def _extend_occurrences(self, run: PostingRun, starts: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Returns the sum of the occurrences of each list, where they are counted."""
        if self._occurrences is None or run.occurrences is None:
            return None
        self._occurrences.extend(run.occurrences - 1)
        return group_reduce(np.add, run.occurrences, starts, np.int64)

    def _extend_weights(
        self, run: PostingRun, starts: NDArray[np.int64], blocks: "_Blocks"
    ) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Returns the greatest weight of each list, and the sum of what is written of them."""
        occurrences = np.ones(len(run.docs), dtype=np.uint8) if run.occurrences is None else run.occurrences
        weights = occurrences if run.weights is None else run.weights
        totals = None
        if self._excess is not None:
            excess = weights - occurrences
            self._excess.extend(excess)
            totals = group_reduce(np.add, excess, starts, np.int64)
        elif self._mode == "float":
            self._note("weight", weights.astype(np.float32, copy=False))
            totals = group_reduce(np.add, weights, starts, np.float64)
        elif self._mode == "constant":
            self._note("constant", weights[:1])
        of_lists, of_blocks = blocks.reduced(np.maximum, weights)
        self._note("block_weight", of_blocks)
        return of_lists, totals

    def _extend_lengths(self, lengths: NDArray[np.uint8], blocks: "_Blocks") -> tuple[NDArray[Any], NDArray[Any]]:
        """Returns the shortest length of each list, 255 where none is known, and the longest."""
        longest = blocks.reduced(np.maximum, lengths)
        known = lengths if lengths.all() else np.where(lengths == 0, np.uint8(255), lengths)
        shortest = blocks.reduced(np.minimum, known)
        self._block_shortest.extend(np.minimum(shortest[1], longest[1]))
        self._block_longest.extend(longest[1])
        return shortest[0], longest[0]

    def close(self) -> None:
        """Writes what is not in the file yet."""
        writer, name = self._writer, self._name
        if self._positions is not None and "position" in self._bits:
            self._positions.close()
        write_offsets(writer, f"{name}/count", self._noted("count"))
        if self._dense_count:
            self._bitmaps.close()
            writer.add(f"{name}/bitmap_list", self._noted("bitmap_list").astype(np.uint32))
            writer.add(f"{name}/bitmap_start", starts_of(self._noted("bitmap_count")).astype(np.uint64))
        self._gaps.close()
        if self._occurrences is not None and self._occurrence_count > self._posting_count:
            self._occurrences.close()
            write_offsets(writer, f"{name}/total", self._noted("total"))
        mode = self._close_weights()
        has_lengths = self._close_lengths()
        if "long_list" in self._columns:
            self._close_blocks(has_lengths=has_lengths)
        if self._positions is not None and "position" not in self._bits:
            self._positions.close()
        writer.meta.setdefault("postings", {})[name] = {
            "postings": self._posting_count,
            "occurrences": self._occurrence_count,
            "span": self._span,
            "dense": self._dense_count,
            "signed": ["position"] if self._is_signed else [],
            **mode,
        }

    def _close_weights(self) -> dict[str, Any]:
        writer, name = self._writer, self._name
        heaviest = self._noted("max_weight")
        if self._mode == "constant":
            return {"weights": "constant", "weight": float(self._noted("constant")[0])}
        if self._mode == "float":
            writer.add(f"{name}/weight", self._noted("weight"))
            writer.add(f"{name}/weight_total", self._noted("weight_total").astype(np.float32))
            writer.add(f"{name}/max_weight", heaviest.astype(np.float32, copy=False))
            return {"weights": "float"}
        totals = self._noted("weight_total") if self._excess is not None else np.zeros(0, dtype=np.int64)
        is_excess = bool(totals.any())
        if self._excess is not None and is_excess:
            self._excess.close()
            write_packed(writer, f"{name}/excess_total", totals)
        write_packed(writer, f"{name}/max_weight", heaviest)
        return {"weights": "excess" if is_excess else "occurrences"}

    def _close_lengths(self) -> bool:
        shortest, spread = self._noted("min_length"), self._noted("length_spread")
        if not (shortest.any() or spread.any()):
            return False
        self._writer.add(f"{self._name}/min_length", shortest)
        write_packed(self._writer, f"{self._name}/length_spread", spread)
        return True

    def _close_blocks(self, *, has_lengths: bool) -> None:
        writer, name = self._writer, self._name
        writer.add(f"{name}/long_list", self._noted("long_list").astype(np.uint32))
        writer.add(f"{name}/first_block", starts_of(self._noted("block_count")).astype(np.uint64))
        writer.add(f"{name}/last_doc", self._noted("last_doc").astype(np.uint32))
        heaviest = self._noted("block_weight")
        for dtype in (np.uint8, np.uint16, np.float32):
            if np.array_equal(heaviest.astype(dtype), heaviest):
                break
        writer.add(f"{name}/block_weight", heaviest.astype(dtype))
        if has_lengths:
            self._block_shortest.close()
            self._block_longest.close()


class _Lists(NamedTuple):
    """What is noted of each of some lists."""

    counts: NDArray[np.int64]
    last_docs: NDArray[np.int32]
    block_counts: NDArray[np.int64]
    totals: NDArray[np.int64] | None
    max_weights: NDArray[Any]
    weight_totals: NDArray[Any] | None
    lengths: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None  # the shortest that is known, or 255, and the longest


def _one_list(parts: Sequence[_Lists]) -> _Lists:
    """What is noted of a list, given that of its parts."""

    def total(values: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
        known = [value for value in values if value is not None]
        return np.add.reduce(known) if known else None

    lengths = [part.lengths for part in parts if part.lengths is not None]
    return _Lists(
        np.add.reduce([part.counts for part in parts]),
        parts[-1].last_docs,
        np.add.reduce([part.block_counts for part in parts]),
        total([part.totals for part in parts]),
        np.maximum.reduce([part.max_weights for part in parts]),
        total([part.weight_totals for part in parts]),
        (np.minimum.reduce([one for one, _ in lengths]), np.maximum.reduce([one for _, one in lengths]))
        if lengths
        else None,
    )


class _Blocks:
    """The lists of a run, cut into blocks of up to `BLOCK` postings."""

    def __init__(self, counts: NDArray[np.int64], starts: NDArray[np.int64], least: int) -> None:
        """Takes the postings of each list, and where the lists start; those of more than `least` are long."""
        self.long_lists = np.flatnonzero(counts > least)
        self.counts = np.ones(len(counts), dtype=np.int64)
        self._starts = self._firsts = starts
        if len(self.long_lists):
            self.counts = -(-counts // BLOCK)
            self._firsts = starts_of(self.counts)
            within = np.arange(self._firsts[-1]) - np.repeat(self._firsts[:-1], self.counts)
            self._starts = np.append(np.repeat(starts[:-1], self.counts) + within * BLOCK, starts[-1])
            self._is_of_long = np.repeat(counts > least, self.counts)

    def reduced(self, ufunc: np.ufunc, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Reduces one value a posting by a ufunc such as np.maximum: of each list, of each block of the long lists."""
        of_blocks = group_reduce(ufunc, values, self._starts)
        if not len(self.long_lists):
            return of_blocks, of_blocks[:0]
        return group_reduce(ufunc, of_blocks, self._firsts), of_blocks[self._is_of_long]
