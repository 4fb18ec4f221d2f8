"""One file of named arrays, and what happens when it is damaged."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit.codec import container as container_module
from searchkit.codec.container import DTYPES, FORMAT_VERSION, Container, ContainerWriter
from searchkit.errors import IndexCorrupt, IndexTooNew, IndexTooOld

Pack = Callable[..., bytes]


def sample(writer: ContainerWriter) -> None:
    for number, dtype in enumerate(DTYPES):
        writer.add(f"a{number}", np.arange(number * 5, dtype=dtype))
    writer.begin("pieces")
    writer.append(b"some ")
    writer.append(b"bytes")
    writer.end()
    writer.meta["note"] = {"title": "Ärzteblatt", "n": 3}


def read_all(data: bytes) -> dict[str, Any]:
    opened = Container(data, "x.skd", kind="test")
    opened.verify()
    return {name: opened.array(name).tolist() for name in opened.names()}


def test_arrays_come_back(pack: Pack) -> None:
    """Every allowed dtype comes back with its values, 64-byte aligned and read-only."""
    opened = Container(pack(sample), "x.skd", kind="test")
    opened.verify()
    for number, dtype in enumerate(DTYPES):
        array = opened.array(f"a{number}")
        assert array.dtype == np.dtype(dtype)
        assert array.tolist() == list(range(number * 5))
        assert not array.flags.writeable
    assert opened.array("pieces").tobytes() == b"some bytes"
    assert opened.meta["note"] == {"title": "Ärzteblatt", "n": 3}
    assert "pieces" in opened
    assert "other" not in opened


def test_a_file_is_mapped(pack: Pack, tmp_path: Path) -> None:
    """A real file is opened by mmap and its arrays outlive close()."""
    path = tmp_path / "x.skd"
    path.write_bytes(pack(sample))
    with path.open("rb") as file:
        opened = Container.open(file, path.name, kind="test")
    array = opened.array("a5")
    opened.close()
    assert array.tolist() == list(range(25))


def test_big_endian_is_written_little_endian(pack: Pack) -> None:
    """The byte order of the caller does not reach the file."""
    data = pack(lambda writer: writer.add("a", np.array([1, 2], dtype=">u8")))
    assert Container(data, "x", kind="test").array("a").tolist() == [1, 2]


@pytest.mark.parametrize("dtype", ["O", "U3", "V4", "c16", "?"])
def test_other_dtypes_are_refused(dtype: str, pack: Pack) -> None:
    """Objects, text, records and complex numbers have no place in the format."""
    with pytest.raises(TypeError, match="not a dtype of the index format"):
        pack(lambda writer: writer.add("a", np.zeros(3, dtype=dtype)))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_flipped_bit_is_found(pack: Pack, data: st.DataObject) -> None:
    """A bit flipped anywhere is either reported or in the padding, never a different answer."""
    good = pack(sample)
    bad = bytearray(good)
    bad[data.draw(st.integers(0, len(good) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        contents = read_all(bytes(bad))
    except (IndexCorrupt, IndexTooNew, IndexTooOld) as error:
        assert "x.skd" in str(error)  # noqa: PT017 - both outcomes are allowed
    else:
        assert contents == read_all(good)


@pytest.mark.parametrize("keep", [0, 1, 63, 64, 100, 0.5, 0.99, -1])
def test_a_cut_file_is_found(keep: float, pack: Pack) -> None:
    """A file cut off anywhere is corrupt, and the message names it and the next step."""
    good = pack(sample)
    size = int(len(good) * keep) if isinstance(keep, float) else keep
    with pytest.raises(IndexCorrupt, match=r"x\.skd: .*searchkit index"):
        Container(good[:size], "x.skd", kind="test")


def test_an_empty_file_is_found(tmp_path: Path) -> None:
    """A file of no bytes, as a power cut leaves it, is corrupt."""
    (tmp_path / "x.skd").touch()
    with (tmp_path / "x.skd").open("rb") as file, pytest.raises(IndexCorrupt, match="empty"):
        Container.open(file, "x.skd", kind="test")


def test_zeros_are_found(pack: Pack) -> None:
    """A file of the right size full of zeros is corrupt."""
    with pytest.raises(IndexCorrupt, match="not an index file"):
        Container(bytes(len(pack(sample))), "x.skd", kind="test")


@pytest.mark.parametrize(("version", "error"), [(FORMAT_VERSION + 1, IndexTooNew), (0, IndexTooOld)])
def test_other_versions_are_named(version: int, error: type[Exception], pack: Pack) -> None:
    """A file of a later or an unreadably old format gives its own error with both numbers."""
    data = bytearray(pack(sample))
    struct.pack_into("<H", data, 8, version)
    with pytest.raises(error, match=rf"x\.skd: format {version} is"):
        Container(bytes(data), "x.skd", kind="test")


def test_the_kind_is_checked(pack: Pack) -> None:
    """A terms file under the name of a documents file is corrupt."""
    with pytest.raises(IndexCorrupt, match="expected 'documents'"):
        Container(pack(sample), "x.skd", kind="documents")


@pytest.mark.parametrize(
    "entry",
    [
        ["O", 64, 1, 0],
        ["u1", 65, 1, 0],
        ["u1", 0, 1, 0],
        ["u1", 64, 10**9, 0],
        ["u1", -64, 1, 0],
        ["<u8", 64, 2**62, 0],
        ["u1", 64.0, 1, 0],
        ["u1", True, 1, 0],
        ["u1", 64, 1],
        "u1",
        None,
        {},
    ],
)
def test_a_hostile_directory_is_refused(entry: Any, pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry with another dtype, place, size or shape is corrupt, whatever its checksums say."""

    def hostile(writer: ContainerWriter) -> None:
        writer.add_bytes("a", b"abc")
        writer._arrays["a"] = entry

    with pytest.raises(IndexCorrupt, match="directory"):
        Container(pack(hostile), "x.skd", kind="test").array("a")


def test_a_deep_directory_is_refused(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory nested ten thousand deep gives the error, not a recursion."""
    deep = "[" * 100_000 + "]" * 100_000
    monkeypatch.setattr(container_module.json, "dumps", lambda *args, **options: deep)
    data = pack(sample)
    monkeypatch.undo()
    with pytest.raises(IndexCorrupt, match="directory"):
        Container(data, "x.skd", kind="test").names()


def test_dropped_pages_are_read_again(tmp_path: Path) -> None:
    """What a reader has taken out of its memory reads the same afterwards, mapped or not."""
    numbers = np.arange(100_000)
    path = tmp_path / "x.skd"

    def publish(file: BinaryIO) -> None:
        file.close()

    with ContainerWriter(lambda: open(path, "wb"), publish, kind="documents") as writer:
        writer.add("x", numbers)
    with open(path, "rb") as file:
        mapped = Container.open(file, "x.skd", kind="documents")
    for opened in (mapped, Container(path.read_bytes(), "x.skd", kind="documents")):
        view = opened.array("x")
        opened.drop_pages()
        assert view.tolist() == opened.array("x").tolist() == numbers.tolist()
