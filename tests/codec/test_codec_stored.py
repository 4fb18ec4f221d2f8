"""Stored fields: every value that Whoosh users store, by random access, and no other kind out of a file."""

import json
import zlib
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit.codec import stored, zstd
from searchkit.codec.container import Container, ContainerWriter
from searchkit.codec.stored import StoredMerger, StoredReader, StoredWriter, decode_value, encode_value
from searchkit.errors import ArticleError, IndexCorrupt

Open = Callable[..., Container]

plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters()),
    st.binary(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.decimals(allow_nan=False),
    st.fractions(),
    st.complex_numbers(allow_nan=False),
    st.uuids(),
)
hashable = st.one_of(st.integers(), st.text(), st.tuples(st.integers(), st.text()))
anything = st.recursive(
    st.one_of(plain, st.sets(hashable), st.frozensets(hashable)),
    lambda inner: st.one_of(
        st.lists(inner),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(st.text(), st.integers()), inner),
        st.dictionaries(st.sampled_from(["!datetime", "!dict", "!", "a"]), inner),
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(anything)
def test_values_keep_their_type(value: Any) -> None:
    """What is stored comes back equal and of the same type, on one line."""
    line = encode_value(value)
    back = decode_value(line)
    assert b"\n" not in line
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"title": "Küche", "n": 1}, '{"title":"Küche","n":1}'),
        (datetime(2017, 8, 23, 10), '{"!datetime":"2017-08-23T10:00:00"}'),
        (date(2017, 8, 23), '{"!date":"2017-08-23"}'),
        (time(10, 30), '{"!time":"10:30:00"}'),
        (timedelta(days=2), '{"!timedelta":[2,0,0]}'),
        (("a", 1), '{"!tuple":["a",1]}'),
        (b"\x00\xff", '{"!bytes":"AP8="}'),
        (Decimal("1.10"), '{"!decimal":"1.10"}'),
        (Fraction(1, 3), '{"!fraction":"1/3"}'),
        (UUID(int=5), '{"!uuid":"00000000-0000-0000-0000-000000000005"}'),
        ({"!date": 1}, '{"!dict":[["!date",1]]}'),
    ],
)
def test_the_encoding_is_readable_json(value: Any, line: str) -> None:
    """The lines are the JSON that FORMAT.md describes."""
    assert encode_value(value).decode() == line


def test_other_types_are_refused() -> None:
    """A value of a class of somebody's own is refused with its type and what can be stored."""
    with pytest.raises(ArticleError, match=r"cannot store .* of type object; store text"):
        encode_value({"a": object()})


def test_subclasses_become_their_base() -> None:
    """numpy's float and other subclasses of plain types are stored as the plain type."""
    assert decode_value(encode_value(np.float64(1.5))) == 1.5


def fill(writer: ContainerWriter, lines: list[bytes]) -> None:
    out = StoredWriter(writer, "s")
    for line in lines:
        out.add(line)
    out.close()


@settings(deadline=None, max_examples=30)
@given(sizes=st.lists(st.sampled_from([0, 1, 50, 3000, 40_000]), max_size=60), seed=st.integers(0, 99))
def test_lines_come_back_by_docnum(container: Open, sizes: list[int], seed: int) -> None:
    """Each document's line comes back in any order, small or larger than a block."""
    random = np.random.default_rng(seed)
    lines = [json.dumps(random.choice(99, size).tolist()).encode() for size in sizes]
    reader = StoredReader(container(lambda w: fill(w, lines)), "s")
    assert len(reader) == len(lines)
    for docnum in random.permutation(len(lines)).tolist():
        assert reader.line(docnum) == lines[docnum]
    assert list(reader.lines()) == lines
    for outside in (-1, len(lines)):
        with pytest.raises(IndexError):
            reader.line(outside)


def articles(count: int) -> list[bytes]:
    """Lines of some 300 bytes: an id and words in any order."""
    words = random_words(count, count)
    return [encode_value({"id": str(n), "body": " ".join(words[n])}) for n in range(count)]


def random_words(count: int, seed: int) -> Any:
    return np.char.add("word", np.random.default_rng(seed).integers(2000, size=(count, 40)).astype(str))


def test_a_dictionary_is_used_when_it_pays(container: Open) -> None:
    """Many similar lines share a dictionary, and take less room for it; a few do without."""
    lines = articles(4000)
    opened = container(lambda w: fill(w, lines))
    assert "s/dictionary" in opened
    assert "s/dictionary_of" not in opened
    assert opened.size_of("s") + opened.size_of("s/dictionary") < sum(len(zlib.compress(line)) for line in lines)
    assert "s/dictionary" not in container(lambda w: fill(w, lines[:30]))


@pytest.mark.parametrize("lines", [[b"{}"] * 20_000, [b"1" * 16] * 2000, [bytes([n % 9 + 48]) for n in range(30_000)]])
def test_dull_lines_need_no_dictionary_of_zstd(container: Open, lines: list[bytes]) -> None:
    """Lines from which nothing can be learned are packed all the same."""
    assert list(StoredReader(container(lambda w: fill(w, lines)), "s").lines()) == lines


def test_lines_are_frames_of_zstandard(container: Open) -> None:
    """With its magic number in front, a line is what any zstd decompressor reads."""
    opened = container(lambda w: fill(w, [b"first", b"second"]))
    start, end, _ = opened.array("s/start").tolist()
    assert zstd.ZstdDecompressor().decompress(b"\x28\xb5\x2f\xfd" + opened.array("s")[start:end].tobytes()) == b"first"


def test_a_bomb_is_refused(container: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that unpacks to more than a line may have is corrupt, not a full memory."""
    opened = container(lambda w: fill(w, [b"1" * 100_000]))
    monkeypatch.setattr(stored, "LARGEST_LINE", 50_000)
    with pytest.raises(IndexCorrupt, match="document 0"):
        StoredReader(opened, "s").line(0)


def test_any_flipped_byte_is_found(pack: Callable[..., bytes]) -> None:
    """A changed byte of a frame is corrupt or changes nothing, never another article."""
    lines = [encode_value({"title": f"Article {n}", "body": "red cells " * 9}) for n in range(3)]
    data = bytearray(pack(lambda w: fill(w, lines)))
    frames = Container(bytes(data), "t", kind="test").array("s").tobytes()
    at = data.index(frames)
    found = 0
    for place in range(at, at + len(frames)):
        data[place] ^= 1
        opened = Container(bytes(data), "t", kind="test")
        monkeyed = opened._arrays["s"]
        opened._arrays["s"] = (*monkeyed[:3], zlib.crc32(data[at : at + len(frames)]))  # as for an array never checked
        try:
            assert list(StoredReader(opened, "s").lines()) == lines
        except IndexCorrupt:
            found += 1
        data[place] ^= 1
    assert found > len(frames) * 0.9


@pytest.mark.parametrize("change", ["start", "dictionary_end", "dictionary_of", "short"])
def test_places_outside_are_corrupt(container: Open, change: str) -> None:
    """Places and numbers of dictionaries that a file cannot have are corrupt, wherever they lead."""
    frame = StoredReader(container(lambda w: fill(w, [b"a", b"b"])), "s").frame(0).tobytes()

    def write(writer: ContainerWriter) -> None:
        writer.add_bytes("s", frame * 2)
        ends = {"start": [0, 2**32 - 1, len(frame)], "short": [0]}.get(change, [0, len(frame), 2 * len(frame)])
        writer.add("s/start", np.array(ends, dtype=np.uint32))
        writer.add_bytes("s/dictionary", b"x" * 1024)
        ends = [2000] if change == "dictionary_end" else [1024]
        writer.add("s/dictionary_end", np.array(ends, dtype=np.uint32))
        writer.add("s/dictionary_of", np.array([0, 9 if change == "dictionary_of" else 0], dtype=np.uint8))

    if change == "dictionary_end":  # no place in it is used
        assert list(StoredReader(container(write), "s").lines()) == [b"a", b"a"]
        return
    with pytest.raises(IndexCorrupt):
        list(StoredReader(container(write), "s").lines())


@pytest.mark.parametrize(
    "line", [b'{"!os.system":"ls"}', b'{"!date":"x"}', b"{", b'{"!bytes":5}', b"\xff", b"9" * 9999]
)
def test_nonsense_is_corrupt(container: Open, line: bytes) -> None:
    """A line that is not one of ours is corrupt, and names no code to run."""
    with pytest.raises(IndexCorrupt, match="document 0"):
        StoredReader(container(lambda w: fill(w, [line])), "s").fields(0)


def test_a_document_too_large_to_read_is_not_written(container: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be unpacked again is refused when it is written."""
    monkeypatch.setattr(stored, "LARGEST_LINE", 50_000)
    with pytest.raises(ArticleError, match="one document may have 50,000"):
        container(lambda w: fill(w, [b"1" * 100_000]))


@settings(deadline=None, max_examples=40)
@given(
    sizes=st.lists(st.sampled_from([0, 1, 40, 300, 3000]), max_size=4),
    seed=st.integers(0, 99),
    deleted=st.sampled_from([0.0, 0.1, 1.0]),
    together=st.sampled_from([1, 16]),
)
def test_merging_is_writing_the_lines_anew(
    container: Open, sizes: list[int], seed: int, deleted: float, together: int
) -> None:
    """Merged lines, and merged again, are those of the sources in the new order; deleted ones are left out."""
    random = np.random.default_rng(seed)

    sources = [[*articles(size), *([encode_value(random.random(3000).tolist())] if size > 1 else [])] for size in sizes]
    readers = [StoredReader(container(lambda w, lines=lines: fill(w, lines)), "s") for lines in sources]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored, "COPIED_TOGETHER", together)
        for _ in range(2):
            lines = [line for reader in readers for line in reader.lines()]
            is_live = random.random(len(lines)) >= deleted
            new_docnums = np.full(len(lines), -1, dtype=np.int32)
            new_docnums[is_live] = random.permutation(int(is_live.sum()))
            expected = [b""] * int(is_live.sum())
            for line, docnum in zip(lines, new_docnums.tolist(), strict=True):
                if docnum >= 0:
                    expected[docnum] = line
            merged = StoredReader(container(lambda w: merge(w, readers, new_docnums)), "s")  # noqa: B023
            assert list(merged.lines()) == expected
            readers = [merged]


def merge(writer: ContainerWriter, readers: list[StoredReader], new_docnums: np.ndarray[Any, Any]) -> None:
    merger = StoredMerger(writer, "s", int((new_docnums >= 0).sum()))
    bounds = np.cumsum([len(reader) for reader in readers])[:-1]
    for reader, mapped in zip(readers, np.split(new_docnums, bounds), strict=False):
        merger.add_all(reader, mapped)
    merger.close()


def test_a_merge_copies_frames_and_packs_small_ones_anew(container: Open) -> None:
    """Frames with a dictionary worth keeping stay as they are; many small segments get a dictionary together."""
    lines = articles(12_000)
    large = StoredReader(container(lambda w: fill(w, lines)), "s")
    small = [StoredReader(container(lambda w, n=n: fill(w, lines[n : n + 40])), "s") for n in range(0, 2000, 40)]
    merged = StoredReader(container(lambda w: merge(w, [large, *small], np.arange(14_000, dtype=np.int32)[::-1])), "s")
    assert [len(each) > 0 for each in merged.dictionaries()] == [False, True, True]
    assert large.dictionaries()[1] in merged.dictionaries()
    assert merged.frame(13_999) == large.frame(0)
    assert set(merged.dictionary_numbers(0, 2000).tolist()) == {2}
    assert merged.line(0) == lines[1999]
