"""Segments written by every format version that must still be read.

To add the current version after a change: call write() on a storage over a new folder format_<version>.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from whoosh import fields, formats
from whoosh.filedb.filestore import FileStorage

import searchkit.codec.posting_writer
from searchkit.codec import FORMAT_VERSION, OLDEST_READABLE, ArrayCodec, ArraySegment
from searchkit.codec.container import Container

HERE = Path(__file__).parent
SEGMENT = "0123456789abcdef"
TITLES = ["Platelet refractoriness", "Anti-D prophylaxis", "Refractoriness revisited"]
TITLE = fields.TEXT(stored=True, vector=formats.Positions())
DATE = fields.DATETIME(stored=True, sortable=True)


def write(storage: Any) -> None:
    """Writes one small segment with every part of the format that is in common use."""
    codec = ArrayCodec()
    segment = segment_of(storage)
    documents = codec.per_document_writer(storage, segment)
    postings = []
    for docnum, title in enumerate(TITLES):
        documents.start_doc(docnum)
        words = list(TITLE.index(title))
        postings += [("title", word, docnum, weight, value) for word, _, weight, value in words]
        documents.add_field("title", TITLE, title, sum(count for _, count, _, _ in words))
        vector = TITLE.vector.word_values(title, TITLE.analyzer, mode="index")
        documents.add_vector_items("title", TITLE, [(word, weight, value) for word, _, weight, value in vector])
        published = datetime(2017, 8, docnum + 1)
        documents.add_field("date", DATE, published, 0)
        documents.add_column_value("date", DATE.column_type, DATE.to_column_value(published))
        documents.finish_doc()
    documents.close()
    terms = codec.field_writer(storage, segment)
    lengths = codec.per_document_reader(storage, segment)
    terms.add_postings(fields.Schema(title=TITLE, date=DATE), lengths, sorted(postings))
    terms.close()


def segment_of(storage: Any) -> ArraySegment:
    segment = ArraySegment("MAIN")
    segment.segid = SEGMENT
    segment.set_doc_count(len(TITLES))
    return segment


@pytest.mark.parametrize("version", range(OLDEST_READABLE, FORMAT_VERSION + 1))
def test_every_supported_version_is_read(version: int) -> None:
    """A segment of each readable version gives its documents, words, positions, vectors and dates."""
    storage = FileStorage(str(HERE / f"format_{version}"))
    codec, segment = ArrayCodec(), segment_of(storage)
    documents = codec.per_document_reader(storage, segment)
    terms = codec.terms_reader(storage, segment)
    documents.documents.container.verify()
    terms.file.container.verify()
    assert [documents.stored_fields(docnum) for docnum in range(3)] == [
        {"title": title, "date": datetime(2017, 8, docnum + 1)} for docnum, title in enumerate(TITLES)
    ]
    assert [term for _, term in terms.terms()] == sorted(
        {word for title in TITLES for word, _, _, _ in TITLE.index(title)}
    )
    matcher = terms.matcher("title", b"refractoriness", TITLE.format)
    assert list(matcher.items_as("positions")) == [(0, [1]), (2, [0])]
    assert documents.doc_field_length(0, "title") == 2
    assert list(documents.vector(1, "title", TITLE.vector).all_ids()) == ["anti", "prophylaxis"]
    dates = documents.column_reader("date", DATE.column_type)
    assert [DATE.from_column_value(value) for value in dates] == [datetime(2017, 8, day) for day in (1, 2, 3)]


def test_the_format_did_not_change_by_accident(tmp_path: Path) -> None:
    """Writing the same segment today gives the same arrays; a change needs a new version and folder."""
    write(FileStorage(str(tmp_path)))
    for path in sorted(tmp_path.iterdir()):
        today, kept = (opened(folder / path.name) for folder in (tmp_path, HERE / f"format_{FORMAT_VERSION}"))
        assert today.names() == kept.names()
        assert today.meta == kept.meta
        for name in set(today.names()) - {"stored", "stored/start"}:  # zstd's own bytes
            assert today.array(name).dtype == kept.array(name).dtype
            assert today.array(name).tolist() == kept.array(name).tolist(), name


def opened(path: Path) -> Container:
    kind = "documents" if path.suffix == ".skd" else "terms"
    return Container(path.read_bytes(), path.name, kind=kind)


def test_the_manual_names_every_array(tmp_path: Path) -> None:
    """FORMAT.md tells of each array that a segment may hold."""
    manual = (Path(searchkit.codec.__file__).parent / "FORMAT.md").read_text(encoding="utf-8")
    source = Path(searchkit.codec.posting_writer.__file__).read_text(encoding="utf-8")
    arrays = set(re.findall(r'(?:f"\{(?:self\._)?name\}/|_(?:packed|bytes)\(")(\w+)"', source))
    assert {"gap", "occurrence", "bitmap_list", "block_min_length", "value_size"} <= arrays
    for name in arrays:
        assert f"`x/{name}`" in manual, name
    write(FileStorage(str(tmp_path)))
    for path in tmp_path.iterdir():
        for name in opened(path).names():
            if "/list/" not in name:
                general = re.sub(r"/\d+", "/<i>", name.split(".")[0]).removesuffix("/length").removesuffix("/prefix")
                assert f"`{general}`" in manual, general
