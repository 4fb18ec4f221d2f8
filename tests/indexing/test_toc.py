"""The table of contents: read whole or refused, whatever its bytes are."""

import copyreg
import os
import pickle
import random
import struct
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from indexing_help import article, open_index, stored_ids
from whoosh.codec.whoosh3 import W3Codec, W3Segment

from searchkit.codec import ArraySegment
from searchkit.errors import ArchiveError, IndexCorrupt, IndexTooNew, IndexTooOld
from searchkit.indexing.segments import restore_segments
from searchkit.indexing.stock import StockSegment
from searchkit.indexing.toc import read_table, with_checksum

NAME = "_MAIN_7.toc"


def table_bytes(pickled: bytes, *, version: int = -111, generation: int = 7) -> bytes:
    """A table of contents as Whoosh writes it, around a pickle of one's own."""
    header = bytes((4, 8, 4)) + struct.pack(">ii", -12345, version) + bytes((3, 54, 0))
    return header + b"\x06schema" + struct.pack(">ii", generation, 0) + pickled


class Segment:
    """Pickles as a segment of ours with any state."""

    __class__ = ArraySegment  # what pickle looks at

    def __init__(self, **changes: Any) -> None:
        made = ArraySegment("MAIN")
        made.set_doc_count(10)
        made.delete_document(1)
        made.delete_document(9)
        self.state = made.__getstate__() | {"id": "a" * 16} | changes

    def __reduce__(self) -> tuple[Any, ...]:
        return copyreg.__newobj__, (ArraySegment,), self.state


def segment(**changes: Any) -> Segment:
    """A segment with parts of its state changed."""
    return Segment(**changes)


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def restore(pickled: bytes) -> list[Any]:
    """The segments of a table of contents around a pickle."""
    return restore_segments(read_table(table_bytes(pickled), NAME), NAME, "MAIN")


@contextmanager
def suppress_into(messages: list[str]) -> Iterator[None]:
    """Note the message of an ArchiveError; anything else is a failure."""
    try:
        yield
    except ArchiveError as error:
        messages.append(str(error))


def hostile_pickles(marker: Path) -> dict[str, bytes]:
    """Pickles that run something, or eat memory, or never end."""
    command = f"touch {marker}"
    ends = b"\x80\x05" + b"%b" + b"."
    calls = {
        f"{name}, protocol {protocol}": pickle.dumps([Calls(function, argument)], protocol)
        for name, function, argument in (
            ("system", os.system, command),
            ("eval", eval, f"open({str(marker)!r}, 'w')"),
            ("exec", exec, f"open({str(marker)!r}, 'w')"),
            ("nested call", map, Calls(os.system, command)),
            ("import", __import__, "this"),
        )
        for protocol in range(6)
    }
    shown = {
        "instance operation": b"(c%bS'%b'\no" % (b"os\nsystem\n", command.encode()),
        "inst operation": b"(S'%b'\nios\nsystem\n" % command.encode(),
        "extension": b"\x82\x01)R",
        "persistent id": b"Pevil\n",
        "called record": b"\x8c\x02os\x8c\x06system\x93\x8c\x02ls\x85R",
        "attributes of a class": b"\x8c\x14whoosh.codec.whoosh3\x8c\x09W3Segment\x93N}\x8c\x05compoundK\x01s\x86b",
        "arguments for an object": b"\x8c\x14whoosh.codec.whoosh3\x8c\x09W3Segment\x93\x8c\x01a\x85\x81",
        "far memo": b"]r\xff\xff\xff\x7f",
        "missing memo": b"j\xff\xff\xff\x7f",
        "empty stack": b"a",
        "endless marks": b"(" * 300_000,
        "nested lists": b"]" * 300_000 + b"a" * 299_999,
        "nested tuples": b")" + b"\x85" * 300_000,
        "nested tuples in a set": b"\x8f(" + b")" + b"\x85" * 300_000 + b"\x90",
        "nested tuples as a key": b"})" + b"\x85" * 300_000 + b"Ns",
        "billion laughs": b"]\x94" + b"".join(b"](" + b"h%c" % max(n - 1, 0) * 10 + b"e\x94" for n in range(60)),
        "list in itself": b"]\x94h\x00a",
        "long text": b"X\xff\xff\xff\xff",
        "long bytes": b"B\xff\xff\xff\xff",
        "longer bytes": b"\x8e" + b"\xff" * 8,
        "long number": b"\x8b\xff\xff\xff\x7f",
        "too much": b"N" * 2_000_000,
        "no text": b"\x8c\x02\xff\xfe",
        "not a list": b"N",
        "empty": b"",
    }
    return calls | {name: ends % shown[name] for name in shown}


@pytest.mark.parametrize("name", hostile_pickles(Path("x")))
def test_a_hostile_table_runs_nothing(tmp_path: Path, name: str) -> None:
    """Every gadget is refused at once, naming the file and the next step, and nothing ran."""
    data = table_bytes(hostile_pickles(tmp_path / "ran")[name])
    (tmp_path / NAME).write_bytes(data)
    began = time.monotonic()

    with pytest.raises(IndexCorrupt, match=r"_MAIN_7\.toc is damaged: .+; restore it from a backup or index"):
        open_index(tmp_path)

    assert time.monotonic() - began < 10
    assert not (tmp_path / "ran").exists()
    assert not hasattr(W3Segment, "compound")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"id": "../../../etc/pass"}, "segment id"),
        ({"id": "A" * 16}, "segment id"),
        ({"id": "a" * 16 + "\n"}, "segment id"),
        ({"id": 7}, "segment id"),
        ({"index": "../MAIN"}, "index name"),
        ({"index": "OTHER"}, "another index"),
        ({"documents": -1}, "-1 documents"),
        ({"documents": 2**31}, "documents"),
        ({"documents": True}, "True documents"),
        ({"documents": 9}, "beyond the last"),
        ({"deleted": b"n" + bytes(3)}, "buffer|size"),
        ({"deleted": b"n" + bytes(8)}, "repeated"),
        ({"deleted": b"b\xff"}, "bitmap"),
        ({"deleted": b"x"}, "begin with"),
        ({"deleted": [1]}, "type list"),
        ({"more": 1}, "unknown fields"),
    ],
)
def test_a_segment_with_unusable_attributes_is_refused(changes: dict[str, Any], what: str) -> None:
    """What becomes a path or the length of an array is looked at before it is used."""
    with pytest.raises(IndexCorrupt, match=what):
        restore(pickle.dumps([segment(**changes)], -1))


def test_a_segment_of_another_class_is_refused() -> None:
    """Only the class of our segments becomes one."""
    with pytest.raises(IndexCorrupt, match=r"whoosh\.codec\.whoosh3\.W3Codec is no kind of segment"):
        restore(pickle.dumps([W3Codec()], -1))


def stock_state(**changes: Any) -> bytes:
    """A list with a segment of the stock codec, as Whoosh pickles it."""
    made = W3Segment(W3Codec(), "MAIN", doccount=10, segid="a" * 16, deleted={1, 9})
    vars(made).update(changes)
    return pickle.dumps([made], -1)


def test_a_stock_segment_is_known() -> None:
    """Of a segment of the stock codec the table says what is needed to read its articles."""
    expected = StockSegment("MAIN", "a" * 16, 10, frozenset({1, 9}), is_compound=False)
    assert restore(stock_state()) == [expected]
    assert restore(stock_state(_deleted=None, _fieldlengths=defaultdict(int, text=5))) == [
        replace(expected, deleted=frozenset())
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"segid": "../../../etc/pass"},
        {"segid": 7},
        {"indexname": "OTHER"},
        {"_doccount": -1},
        {"_doccount": 2**31},
        {"_doccount": True},
        {"_doccount": 9},
        {"_deleted": [1]},
        {"_deleted": {-1}},
        {"compound": 1},
        {"more": 1},
    ],
)
def test_a_stock_segment_with_unusable_attributes_is_refused(changes: dict[str, Any]) -> None:
    """What becomes a path or a count is looked at for segments of the stock codec, too."""
    with pytest.raises(IndexCorrupt, match=r"_MAIN_7\.toc is damaged: .*stock segment"):
        restore(stock_state(**changes))


def test_a_segment_listed_twice_is_refused() -> None:
    """No article is found twice because the table repeats a segment."""
    with pytest.raises(IndexCorrupt, match="twice"):
        restore(pickle.dumps([segment(), segment()], -1))


def test_segments_come_back_as_they_went_in() -> None:
    """What Whoosh pickles is what is restored, with many segments and many deletions."""
    rng = random.Random(3)
    made = []
    for n in range(40):
        one = ArraySegment("MAIN")
        one.set_doc_count(5000)
        for docnum in rng.sample(range(5000), n * 50):
            one.delete_document(docnum)
        made.append(one)

    found = restore(pickle.dumps(made, -1))

    assert [vars(one) for one in found] == [vars(one) for one in made]


@pytest.mark.parametrize(
    ("version", "error"), [(-110, IndexTooOld), (-112, IndexTooNew), (5, IndexCorrupt), (-9999, IndexCorrupt)]
)
def test_other_formats_have_errors_of_their_own(version: int, error: type[ArchiveError]) -> None:
    """Too old, too new and nonsense are told apart."""
    with pytest.raises(error, match=NAME):
        read_table(table_bytes(pickle.dumps([], -1), version=version), NAME)


def test_every_cut_and_every_flipped_bit_is_found(make_index: Callable[..., Path]) -> None:
    """A table that is not as it was written is refused, wherever the damage is."""
    folder = make_index([article(1)], [article(2)])
    data = (folder / "_MAIN_2.toc").read_bytes()
    whole = read_table(data, NAME)
    plain = len(data) - 12  # where the checksum begins; cut off exactly, this is a table of plain Whoosh

    for cut in range(len(data)):
        if cut != plain:
            with pytest.raises(IndexCorrupt, match=NAME):
                read_table(data[:cut], NAME)
    assert read_table(data[:plain], NAME).generation == whole.generation
    for position in range(len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 1 << position % 8
        with pytest.raises(IndexCorrupt, match=NAME):
            read_table(bytes(flipped), NAME)


def test_damage_without_a_checksum_gives_our_errors_only() -> None:
    """A table of plain Whoosh has no checksum; damaged, it is refused or read, and nothing else happens."""
    data = table_bytes(pickle.dumps([segment(), segment(id="b" * 16)], -1))
    rng = random.Random(5)
    refusals = []
    for _ in range(20_000):
        damaged = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 5))):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        with suppress_into(refusals):
            restore_segments(
                read_table(bytes(damaged[: rng.choice((None, rng.randrange(len(data))))]), NAME), NAME, "MAIN"
            )

    assert 10_000 < len(refusals) < 20_000
    assert all(NAME in message and len(message) < 400 for message in refusals)


def test_plain_whoosh_reads_our_table(make_index: Callable[..., Path]) -> None:
    """The checksum is in nobody's way: Whoosh's own open_dir works on an archive."""
    from whoosh.index import open_dir

    folder = make_index([article(1)], [article(2)])

    assert open_dir(str(folder)).doc_count() == 2
    assert stored_ids(open_index(folder)) == ["n1", "n2"]


def test_a_table_with_a_checksum_of_other_bytes_is_refused() -> None:
    """The checksum is of the table it follows."""
    data = with_checksum(table_bytes(pickle.dumps([], -1)))
    assert read_table(data, NAME).segments == ()
    with pytest.raises(IndexCorrupt, match="checksum"):
        read_table(data[:-1] + bytes((data[-1] ^ 1,)), NAME)
