"""Stored fields: every value that Whoosh users store, by random access, and no other kind out of a file."""

import json
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

from searchkit.codec import stored
from searchkit.codec.container import Container, ContainerWriter
from searchkit.codec.stored import StoredReader, StoredWriter, decode_value, encode_value
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


def test_a_dictionary_is_used_when_it_pays(container: Open) -> None:
    """Many similar lines share a dictionary; a few do without."""
    lines = [encode_value({"title": f"Article number {n}", "body": "platelet " * 20}) for n in range(4000)]
    assert "s/dictionary" in container(lambda w: fill(w, lines))
    assert "s/dictionary" not in container(lambda w: fill(w, lines[:50]))


def test_a_bomb_is_refused(container: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that unpacks to more than a block may hold is corrupt, not a full memory."""
    opened = container(lambda w: fill(w, [b"1" * 100_000]))
    monkeypatch.setattr(stored, "LARGEST_BLOCK", 50_000)
    with pytest.raises(IndexCorrupt, match="block 0"):
        StoredReader(opened, "s").line(0)


@pytest.mark.parametrize(
    "line", [b'{"!os.system":"ls"}', b'{"!date":"x"}', b"{", b'{"!bytes":5}', b"\xff", b"9" * 9999]
)
def test_nonsense_is_corrupt(container: Open, line: bytes) -> None:
    """A line that is not one of ours is corrupt, and names no code to run."""
    with pytest.raises(IndexCorrupt, match="document 0"):
        StoredReader(container(lambda w: fill(w, [line])), "s").fields(0)


def test_a_document_too_large_to_read_is_not_written(container: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be unpacked again is refused when it is written."""
    monkeypatch.setattr(stored, "LARGEST_BLOCK", 50_000)
    with pytest.raises(ArticleError, match="one document may have 50,000"):
        container(lambda w: fill(w, [b"1" * 100_000]))
