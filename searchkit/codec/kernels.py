"""The arithmetic of the index format: pure functions of numpy arrays, no classes and no files.

Every function here has a slow, obvious twin in tests/codec/test_kernels.py. Shapes are one-dimensional unless
said otherwise; results are new arrays that the caller owns. Nothing here checks untrusted input: the readers
bound every slice before they call (see packed.py).
"""

import os
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Lengths of a packed code in bits. The all-ones code of every width but the last is the escape: the value
# itself stands, in order, in the next wider level. Measured on Reuters this costs 8-15 % more than bit-packed
# blocks and decodes five times faster in numpy, because one slice is one astype.
WIDTHS = (1, 2, 4, 8, 16, 32)

_NARROW = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.uint32))

_FEW = 128  # values that Python's sort is quicker on than numpy
_SALT = np.uint64(int.from_bytes(os.urandom(8)))


def _unpack_table(bits: int) -> NDArray[np.uint64]:
    """Maps a byte to its 8 // bits codes, lowest bits first, one code a byte of a wider integer."""
    per_byte = 8 // bits
    byte = np.arange(256, dtype=np.uint16)
    codes = np.stack([(byte >> (bits * i)) & ((1 << bits) - 1) for i in range(per_byte)], axis=1)
    return np.ascontiguousarray(codes.astype(np.uint8)).view(f"<u{per_byte}").reshape(-1)


_UNPACK = {bits: _unpack_table(bits) for bits in (1, 2, 4)}


def _escape_table(bits: int) -> NDArray[np.uint8]:
    """Maps a byte to how many of its 8 // bits codes are all ones."""
    byte = np.arange(256)
    escape = (1 << bits) - 1
    is_escape = np.stack([(byte >> shift) & escape == escape for shift in range(0, 8, bits)])
    return np.asarray(is_escape.sum(axis=0), dtype=np.uint8)


_ESCAPES = {bits: _escape_table(bits) for bits in (1, 2, 4, 8)}


def pack_codes(codes: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Packs uint8 codes below 2**bits into bytes, lowest bits first; bits is 1, 2 or 4."""
    if bits == 1:
        return np.packbits(codes, bitorder="little")
    per_byte = 8 // bits
    padded = np.zeros(-(-len(codes) // per_byte) * per_byte, dtype=np.uint8)
    padded[: len(codes)] = codes
    columns = padded.reshape(-1, per_byte)
    packed = columns[:, 0].copy()
    for i in range(1, per_byte):
        packed |= columns[:, i] << np.uint8(bits * i)
    return packed


def unpack_codes(packed: NDArray[np.uint8], bits: int, start: int, stop: int) -> NDArray[np.uint8]:
    """Returns codes start to stop (uint8) of a packed byte array; bits is 1, 2 or 4."""
    per_byte = 8 // bits
    first = start // per_byte
    wide = _UNPACK[bits].take(packed[first : -(-stop // per_byte)])  # a third quicker than [...] of bytes
    skip = start - first * per_byte
    return wide.view(np.uint8)[skip : skip + stop - start]


def unpack_codes_at(packed: NDArray[np.uint8], bits: int, indexes: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Returns the codes (uint8) at these indexes of a packed byte array; bits is 1, 2 or 4."""
    per_byte = 8 // bits
    codes: NDArray[np.uint8] = packed[indexes // per_byte] >> (indexes % per_byte * bits).astype(np.uint8)
    codes &= np.uint8((1 << bits) - 1)
    return codes


def escapes_before(packed: NDArray[np.uint8], bits: int, indexes: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    """Returns how many codes are all ones from the last multiple of step on and before each of the indexes.

    packed are codes of bits, which is 1, 2, 4 or 8, in bytes as pack_codes has them; step is a multiple of 8.
    """
    per_byte = 8 // bits
    width = step // per_byte
    first = indexes // step * width
    byte = indexes // per_byte
    columns = np.arange(width)
    counts = _ESCAPES[bits][packed.take(first[:, np.newaxis] + columns, mode="clip")]
    counts[columns >= (byte - first)[:, np.newaxis]] = 0
    last = packed[byte] & ((1 << (indexes % per_byte * bits)) - 1).astype(np.uint8)
    return np.asarray(counts.sum(axis=1, dtype=np.int64) + _ESCAPES[bits][last])


def narrowest(largest: int) -> np.dtype[np.unsignedinteger[Any]]:
    """Returns the narrowest dtype of 8, 16 or 32 bits for integers from 0 to largest, which has no more than 32."""
    return _NARROW[(largest >= 1 << 8) + (largest >= 1 << 16)]


def escapes_of(values: NDArray[np.integer]) -> list[int]:
    """Returns for each of the widths but the last how many values would be escapes in it."""
    if len(values) <= _FEW:
        ordered = sorted(values.tolist())
        return [len(ordered) - bisect_left(ordered, (1 << bits) - 1) for bits in WIDTHS[:-1]]
    most = 8 * values.dtype.itemsize
    return [int(np.count_nonzero(values >= (1 << bits) - 1)) if bits <= most else 0 for bits in WIDTHS[:-1]]


def choose_width(count: int, escapes: Sequence[int]) -> int:
    """Returns the base width in bits that stores so many values, with so many escapes, in the fewest bits."""
    left = dict(zip(WIDTHS, (*escapes, 0), strict=True))

    def cost(base: int) -> int:
        total, waiting = 0, count
        for bits in (base, *(wider for wider in (8, 16, 32) if wider > base)):
            total += waiting * bits
            waiting = left[bits]
        return total

    return min(WIDTHS, key=lambda bits: (cost(bits), -bits))


def zigzag(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Maps signed to unsigned so that small magnitudes stay small: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return (values << 1) ^ (values >> 63)


def unzigzag(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Undoes zigzag."""
    return (values >> 1) ^ -(values & 1)


def starts_of(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Returns len(counts) + 1 offsets: where each group begins in the concatenation, and its total length."""
    starts = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def differences(values: NDArray[np.integer], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns each value minus the one before it in its group; the first of a group stays as it is.

    starts are the offsets of the groups as starts_of gives them; empty groups are allowed.
    """
    gaps = values.astype(np.int64)
    gaps[1:] -= values[:-1]
    heads = starts[:-1][starts[:-1] < starts[1:]]
    gaps[heads] = values[heads]
    return gaps


def running_sums(gaps: NDArray[np.integer], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Undoes differences: the running sum of each group on its own."""
    if len(gaps) == len(starts) - 1 and (starts[1:] > starts[:-1]).all():
        return gaps.astype(np.int64)  # one a group: most words of most documents
    sums = np.cumsum(gaps, dtype=np.int64)
    filled = starts[:-1] < starts[1:]
    heads = starts[:-1][filled]
    before = np.zeros(len(heads), dtype=np.int64)
    before[1:] = sums[heads[1:] - 1]
    sums -= np.repeat(before, (starts[1:] - starts[:-1])[filled])
    return sums


def group_reduce(ufunc: np.ufunc, values: NDArray[Any], starts: NDArray[np.int64], dtype: Any = None) -> NDArray[Any]:
    """Reduces each group by a ufunc such as np.maximum, in another dtype if one is given; no group may be empty."""
    if len(starts) == 1:
        return values[:0]
    reduced: NDArray[Any] = ufunc.reduceat(values, starts[:-1], dtype=dtype)
    return reduced


def stable_order(keys: NDArray[np.integer], largest: int) -> NDArray[np.int64]:
    """The indexes that sort integers from 0 to ``largest``, those of equal ones in order: a radix sort.

    numpy sorts 16 bits at a time in a fifth of the time that whole integers take it, and there are hardly ever more
    than twice as many.
    """
    order = np.argsort(keys.astype(np.uint16), kind="stable")
    for shift in range(16, largest.bit_length(), 16):
        digits = (keys >> keys.dtype.type(shift)).astype(np.uint16)
        order = order[np.argsort(digits[order], kind="stable")]
    return order


def mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Returns a number for each number, no two the same, as if drawn at random: the finalizer of MurmurHash3.

    They are others in every process, so that nobody can write texts that sums of them do not tell apart.
    """
    bits = numbers + _SALT
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        bits ^= bits >> np.uint64(33)
        bits *= np.uint64(factor)
    bits ^= bits >> np.uint64(33)
    return bits


def ranges(starts: NDArray[np.int64], counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Concatenates range(start, start + count) for each pair: the indexes of many slices at once."""
    ends = starts_of(counts)
    return np.arange(ends[-1], dtype=np.int64) + np.repeat(starts - ends[:-1], counts)


def shared_prefixes(data: NDArray[np.uint8], starts: NDArray[np.int64], block: int) -> NDArray[np.int64]:
    """Returns how many bytes each group shares at its beginning with the first of its `block` groups, at most 254.

    data are the bytes of the groups, starts their offsets. For the first of each block itself this is 0.
    """
    count = len(starts) - 1
    heads = np.arange(count) // block * block
    lengths = starts[1:] - starts[:-1]
    limits = np.minimum(np.minimum(lengths, lengths[heads]), 254)  # what one byte of a packed array holds
    limits[::block] = 0
    shared = np.zeros(count, dtype=np.int64)
    alike = np.flatnonzero(limits)
    padded = np.concatenate((data, np.zeros(8, np.uint8)))
    words = np.ndarray(shape=len(data) + 1, dtype="<u8", buffer=padded, strides=(1,))  # the eight bytes from each on
    for place in range(0, 254, 8):
        unlike = words[starts[alike] + place] ^ words[starts[heads[alike]] + place]
        is_unlike = unlike != 0
        ends = alike[is_unlike]
        unlike_bytes = unlike[is_unlike].view(np.uint8).reshape(-1, 8)
        shared[ends] = np.minimum(place + (unlike_bytes != 0).argmax(axis=1), limits[ends])
        alike = alike[~is_unlike]
        shared[alike] = np.minimum(place + 8, limits[alike])
        alike = alike[limits[alike] > place + 8]
        if not len(alike):
            break
    return shared


def bitmap_of(docs: NDArray[np.int32], span: int) -> NDArray[np.uint8]:
    """Returns a bitmap of span bits, lowest bit first, with the bits of docs set."""
    flags = np.zeros(span, dtype=np.uint8)
    flags[docs] = 1
    return np.packbits(flags, bitorder="little")


def docs_of(bitmap: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Returns the positions of the set bits in rising order (int32)."""
    # as bool, because nonzero of bytes takes four times as long
    return np.flatnonzero(np.unpackbits(bitmap, bitorder="little").view(np.bool_)).astype(np.int32)
