"""Damaged and hostile index files under Whoosh: one error, never a crash, a hang or code that runs.

Damage is drawn at random. The large arrays are not checked against their checksums in ordinary reading, so a
reading of damaged files may also succeed; verify() then finds what is wrong.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from whoosh import analysis, fields, formats, query
from whoosh.filedb.filestore import FileStorage, RamStorage
from whoosh.reading import TermNotFound

from searchkit.codec import ArrayCodec, container, whoosh_codec
from searchkit.codec.container import Container
from searchkit.codec.whoosh_codec import open_documents, open_terms
from searchkit.errors import ArchiveError, IndexCorrupt


def build(storage: Any) -> Any:
    """An index with every kind of array, in memory."""
    drawn = random.Random(4)
    made = storage.create_index(
        fields.Schema(
            id=fields.ID(stored=True),
            body=fields.TEXT(stored=True, field_boost=1.5),
            marked=fields.TEXT(chars=True, vector=formats.Positions()),
            raw=fields.FieldType(Odd(), analysis.SimpleAnalyzer()),
            topics=fields.KEYWORD(sortable=True),
            n=fields.NUMERIC(sortable=True),
        )
    )
    writer = made.writer(codec=ArrayCodec())
    for number in range(300):
        text = " ".join(f"w{int(drawn.paretovariate(0.6)) % 900}" for _ in range(drawn.randint(1, 80)))
        writer.add_document(id=f"a{number}", body=text, marked=text, raw=text, topics=text[:20], n=number)
    writer.commit()
    return made


class Odd(formats.Frequency):
    """A format that our codec does not know."""


def read_everything(made: Any) -> None:
    """Calls whatever reads bytes of the segment."""
    with made.searcher() as searcher:
        reader = searcher.reader()
        for _term, info in reader:
            info.max_weight()
        for docnum in reader.all_doc_ids():
            reader.stored_fields(docnum)
            reader.doc_field_length(docnum, "body")
            if reader.has_vector(docnum, "marked"):
                list(reader.vector_as("frequency", docnum, "marked"))
        for name in ("topics", "n"):
            list(reader.column_reader(name, translate=False))  # what the bytes mean is up to the field, not to us
        for field in ("body", "marked", "raw"):
            for text in list(reader.lexicon(field))[::5]:
                matcher = reader.postings(field, text)
                while matcher.is_active():
                    matcher.weight()
                    matcher.value()
                    matcher.next()
        searcher.search(query.Phrase("body", ["w1", "w2"]), limit=None)
        searcher.search(query.Or([query.Term("body", "w1"), query.Prefix("body", "w2")]), limit=5)
        list(reader.terms_within("body", "w12", 1))


@pytest.fixture(scope="module")
def good() -> dict[str, bytes]:
    storage = RamStorage()
    build(storage)
    return {name: bytes(data) for name, data in storage.files.items()}


def opened(files: dict[str, bytes]) -> Any:
    storage = RamStorage()
    storage.files.update(files)
    return storage.open_index()


def names(good: dict[str, bytes]) -> Iterator[str]:
    return (name for name in sorted(good) if name.endswith((".skd", ".skt")))


def test_undamaged_files_are_read(good: dict[str, bytes]) -> None:
    """The reading that the other tests do succeeds on good files."""
    read_everything(opened(good))


@pytest.mark.parametrize("kind", ["flip", "zero", "cut", "swap"])
def test_damaged_files_give_one_error(good: dict[str, bytes], kind: str) -> None:
    """Flipped bits, zeroed pages, lost ends and exchanged blocks end in IndexCorrupt and nothing else."""
    drawn = random.Random(kind)
    found = 0
    for _ in range(30):
        name = drawn.choice(list(names(good)))
        data = bytearray(good[name])
        place = drawn.randrange(len(data))
        if kind == "flip":
            data[place] ^= 1 << drawn.randrange(8)
        elif kind == "zero":
            data[place : place + 4096] = bytes(len(data[place : place + 4096]))
        elif kind == "cut":
            del data[place:]
        else:
            other = drawn.randrange(len(data))
            data[place : place + 64], data[other : other + 64] = (
                data[other : other + 64],
                data[place : place + 64],
            )
            del data[len(good[name]) :]
        damaged = {**good, name: bytes(data)}
        try:
            read_everything(opened(damaged))
        except ArchiveError as error:
            found += 1
            assert name in str(error)  # noqa: PT017 - reading may also succeed
    assert found > (10 if kind in ("cut", "zero") else 3)


def test_hostile_arrays_give_one_error(good: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Damage with matching checksums, as an attacker makes it, ends in IndexCorrupt or an answer."""
    drawn = random.Random(11)
    monkeypatch.setattr(container, "CHECKED_ON_READ", -1)
    found = 0
    for _ in range(60):
        name = drawn.choice(list(names(good)))
        data = bytearray(good[name])
        kind = "documents" if name.endswith(".skd") else "terms"
        layout = Container(bytes(data), name, kind=kind)
        array = drawn.choice([array for array in layout.names() if layout.size_of(array)])
        offset = layout._arrays[array][1]
        for _ in range(drawn.choice([1, 5, 50])):
            data[offset + drawn.randrange(layout.size_of(array))] = drawn.choice([0, 1, 127, 128, 255])
        try:
            read_everything(opened({**good, name: bytes(data)}))
        except (ArchiveError, TermNotFound):  # a dictionary out of order lists terms that it does not find
            found += 1
    assert found > 10


@pytest.mark.parametrize("keep", [0, 10, 64, 0.5, 0.999])
def test_a_real_file_cut_off_is_found(tmp_path: Path, keep: float) -> None:
    """A truncated file on disk is found when it is opened."""
    made = build(FileStorage(str(tmp_path)))
    for path in sorted(tmp_path.glob("*.sk?")):  # the .skt, cut second, is opened first
        os.truncate(path, int(path.stat().st_size * keep) if isinstance(keep, float) else keep)
        with pytest.raises(IndexCorrupt, match=path.name):
            read_everything(made)


def test_verify_finds_what_reading_need_not(good: dict[str, bytes]) -> None:
    """Every byte of every array is under a checksum that verify() looks at."""
    for name in names(good):
        kind = "documents" if name.endswith(".skd") else "terms"
        layout = Container(good[name], name, kind=kind)
        for array in layout.names():
            if layout.size_of(array):
                data = bytearray(good[name])
                data[layout._arrays[array][1] + layout.size_of(array) - 1] ^= 1
                with pytest.raises(IndexCorrupt, match=f"'{array}' does not match"):
                    Container(bytes(data), name, kind=kind).verify()


class Evil:
    ran = False


EVIL = b"\x80\x02cbuiltins\nsetattr\nc%b\nEvil\nX\3\0\0\0ran\x88\x87R." % __name__.encode()
"""A pickle that calls setattr(Evil, "ran", True) where it is unpickled."""


def test_a_pickled_value_runs_no_code(tmp_path: Path) -> None:
    """A raw posting value that pickles a call is refused, not executed, however it is asked for."""
    storage = RamStorage()
    codec = ArrayCodec()
    segment = codec.new_segment(storage, "MAIN")
    bomb = b"\0\0\0\1" + EVIL
    field = fields.TEXT()
    writer = codec.field_writer(storage, segment)
    writer.start_field("body", field)
    writer.start_term(b"blood")
    writer.add(0, 1.0, bomb, 1)
    writer.finish_term()
    writer.finish_field()
    writer.close()
    matcher = codec.terms_reader(storage, segment).matcher("body", b"blood", field.format)
    for ask in (
        matcher.value,
        lambda: matcher.value_as("positions"),
        lambda: list(matcher.items_as("positions")),
    ):
        with pytest.raises(IndexCorrupt, match="would run code"):
            ask()
    assert not Evil.ran


def test_files_hold_no_pickles(good: dict[str, bytes]) -> None:
    """No pickle stands in the files of a segment, and only the module for values imports pickle."""
    for name in names(good):
        assert b"\x80\x02}" not in good[name]
        assert b"\x80\x04" + b"\x95" not in good[name]
    assert "pickle" not in vars(whoosh_codec)
    assert "pickle" not in vars(container)


def test_missing_files_stay_os_errors(tmp_path: Path) -> None:
    """A file that is gone is an OSError, on which Whoosh reads the table of contents again."""
    made = build(FileStorage(str(tmp_path)))
    (segment,) = made._segments()
    for path in tmp_path.glob("*.sk?"):
        path.unlink()
    for reader in (open_terms, open_documents):
        with pytest.raises(FileNotFoundError):
            reader(made.storage, segment)
