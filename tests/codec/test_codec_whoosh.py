"""Whoosh on our codec against Whoosh on its own: the same index, the same answers.

Whoosh's stock codec is the oracle. Archives are small and generated; each holds every kind of field,
deletions and several segments.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from whoosh import analysis, columns, fields, formats, index, query, sorting
from whoosh.codec.whoosh3 import W3Codec
from whoosh.filedb.filestore import FileStorage, RamStorage
from whoosh.qparser import FuzzyTermPlugin, QueryParser

from searchkit.codec import ArrayCodec
from searchkit.codec.whoosh_codec import NumberColumnReader

WORDS = [
    *("blood", "platelet", "plasma", "donor", "donation", "the", "a", "of", "in", "and", "transfusion"),
    *("reaction", "anti-D", "Rh", "haemolysis", "Ärzte", "naïve", "東京", "antibody", "antigen", "screen"),
    *("match", "unit", "red", "cell", "cells", "celled", "store", "storage", "stored", "O'Brien"),
]


def schema() -> fields.Schema:
    return fields.Schema(
        id=fields.ID(stored=True, unique=True),
        title=fields.TEXT(stored=True, field_boost=2.0),
        body=fields.TEXT(analyzer=analysis.StandardAnalyzer(stoplist=None, minsize=1), stored=True),
        plain=fields.TEXT(phrase=False, vector=formats.Frequency()),
        marked=fields.TEXT(chars=True, vector=formats.Positions()),
        boosted=fields.FieldType(
            formats.PositionBoosts(), analysis.RegexTokenizer(r"[^ ]+") | analysis.DelimitedAttributeFilter()
        ),
        cut=fields.NGRAM(minsize=2, maxsize=3),
        spelled=fields.TEXT(spelling=True, analyzer=analysis.StemmingAnalyzer()),
        topics=fields.KEYWORD(stored=True, commas=True, scorable=True, sortable=True),
        date=fields.DATETIME(stored=True, sortable=True),
        size=fields.NUMERIC(int, sortable=True, signed=False),
        weight=fields.NUMERIC(float, sortable=True, stored=True),
        news=fields.BOOLEAN(stored=True),
        note=fields.STORED,
        flag=fields.COLUMN(columns.BitColumn()),
        thing=fields.COLUMN(columns.PickleColumn(columns.VarBytesColumn())),
        blocks=fields.COLUMN(columns.CompressedBlockColumn()),
    )


def document(number: int, random: Random) -> dict[str, Any]:
    def text(least: int, most: int) -> str:
        return " ".join(random.choices(WORDS, k=random.randint(least, most)))

    made = {
        "id": f"a{number}",
        "title": text(1, 6),
        "body": text(0, 300 if number % 50 == 0 else 40),
        "plain": text(1, 20),
        "marked": text(1, 20),
        "boosted": " ".join(f"{word}^{random.choice(['1', '2.5'])}" for word in text(1, 9).split()),
        "cut": text(1, 3),
        "spelled": text(1, 10),
        "topics": ",".join(random.sample(["News", "R&D, misc", "RBC/Transfusion", "Q"], k=random.randint(1, 3))),
        "date": datetime(2010, 1, 1) + timedelta(hours=random.randint(0, 99_999)),
        "size": random.choice([0, 1, 300, 2**31]),
        "weight": random.random() * 100 - 50,
        "news": random.random() < 0.5,
        "note": random.choice([None, ("a", 1), {"x": [1.5, None]}, b"\x00\n", {3, 4}]),
        "flag": random.random() < 0.3,
        "thing": {"n": number},
        "blocks": text(1, 3).encode(),
        "_boost": random.choice([1.0, 1.0, 1.5]),
    }
    return {key: value for key, value in made.items() if key in ("id", "_boost", "blocks") or random.random() < 0.85}


def build(storage: Any, codec: Any, seed: int, documents: int, *, segments: int, merge: bool) -> index.FileIndex:
    random = Random(seed)
    made = storage.create_index(schema())
    for part in range(segments):
        writer = made.writer(codec=codec)
        for number in range(part, documents, segments):
            writer.update_document(**document(number, random))
        for number in random.sample(range(documents), documents // 9):
            writer.delete_by_term("id", f"a{number}")
        writer.commit(merge=merge)
    return made


@pytest.fixture(
    scope="module",
    params=[(1, 400, 1, False), (2, 90, 4, False), (3, 60, 3, True)],
    ids=["one segment", "four segments", "merged"],
)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The same archive in Whoosh's codec and in ours."""
    seed, documents, segments, merge = request.param
    stock = build(RamStorage(), W3Codec(), seed, documents, segments=segments, merge=merge)
    folder = tmp_path_factory.mktemp("ours")
    ours = build(
        FileStorage(str(folder)),
        ArrayCodec(),
        seed,
        documents,
        segments=segments,
        merge=merge,
    )
    with stock.searcher() as a, ours.searcher() as b:
        yield a, b


def leaves(searcher: Any) -> list[Any]:
    return [reader for reader, _ in searcher.reader().leaf_readers()]


def test_lexicons_and_statistics_are_equal(pair: Any) -> None:
    """Every term of every segment has the same statistics, in the same order."""
    for stock, ours in zip(*map(leaves, pair), strict=True):
        assert sorted(stock.indexed_field_names()) == sorted(ours.indexed_field_names())
        mine = [(term, vars_of(info)) for term, info in ours]
        assert mine == [(term, vars_of(info)) for term, info in stock]
        assert mine == [(term, vars_of(ours.term_info(*term))) for term, _ in mine]
        for field, text in [term for term, _ in mine][::37]:
            assert ours.frequency(field, text) == stock.frequency(field, text)
            assert ours.doc_frequency(field, text) == stock.doc_frequency(field, text)
            assert list(ours.terms_from(field, text[:1])) == list(stock.terms_from(field, text[:1]))
        assert ours.doc_frequency("body", b"absent") == 0


def vars_of(info: Any) -> tuple[Any, ...]:
    return (
        pytest.approx(info.weight(), rel=1e-6),
        info.doc_frequency(),
        info.min_length(),
        info.max_length(),
        info.max_weight(),
        info.min_id(),
        info.max_id(),
    )


def test_postings_are_equal(pair: Any) -> None:
    """Every posting has the same document, weight, value and every shape its format gives."""
    for stock, ours in zip(*map(leaves, pair), strict=True):
        for field, text in stock.all_terms():
            shapes = [
                shape
                for shape in ("frequency", "weight", "positions", "characters", "position_boosts")
                if stock.schema[field].format.supports(shape)
            ]
            foreign = field.startswith("spell_")  # Whoosh writes the values of another field here, and cuts them
            rows = [walk(reader.postings(field, text), [] if foreign else shapes) for reader in (ours, stock)]
            if foreign:
                rows = [[row[:2] for row in found] for found in rows]
            assert rows[0] == rows[1]


def walk(matcher: Any, shapes: list[str]) -> list[Any]:
    found = []
    while matcher.is_active():
        values = [matcher.value_as(shape) for shape in shapes]
        found.append((matcher.id(), matcher.weight(), matcher.value() or b"", values))
        matcher.next()
    return found


def test_documents_are_equal(pair: Any) -> None:
    """Stored fields, lengths, deletions and vectors of every document are the same."""
    for stock, ours in zip(*map(leaves, pair), strict=True):
        assert ours.doc_count_all() == stock.doc_count_all()
        assert list(ours.all_doc_ids()) == list(stock.all_doc_ids())
        assert ours.has_deletions() == stock.has_deletions()
        for name in ("title", "body", "topics", "spelled"):
            assert ours.field_length(name) == stock.field_length(name)
            assert ours.min_field_length(name) == stock.min_field_length(name)
            assert ours.max_field_length(name) == stock.max_field_length(name)
        for docnum in range(stock.doc_count_all()):
            assert ours.stored_fields(docnum) == stock.stored_fields(docnum)
            for name in ("title", "body", "topics", "id"):
                assert (ours.doc_field_length(docnum, name) or 0) == (stock.doc_field_length(docnum, name) or 0)
            for name, shape in (("plain", "frequency"), ("marked", "positions")):
                assert ours.has_vector(docnum, name) == stock.has_vector(docnum, name)
                if stock.has_vector(docnum, name):
                    assert walk(ours.vector(docnum, name), [shape]) == walk(stock.vector(docnum, name), [shape])


def test_columns_are_equal(pair: Any) -> None:
    """Columns of every kind hold the same values; numbers are numpy arrays."""
    for stock, ours in zip(*map(leaves, pair), strict=True):
        docs = range(stock.doc_count_all())
        for name in ("topics", "date", "size", "weight", "flag", "thing", "blocks"):
            assert ours.has_column(name)
            reader, expected = (one.column_reader(name, translate=False) for one in (ours, stock))
            assert [reader[docnum] for docnum in docs] == [expected[docnum] for docnum in docs]
            assert list(reader) == [expected[docnum] for docnum in docs]
            if name == "thing":  # sorts by its bytes: pickles there, JSON here
                continue
            assert [reader.sort_key(docnum) for docnum in docs] == [expected.sort_key(docnum) for docnum in docs]
        numbers = ours.column_reader("date", translate=False)
        assert isinstance(numbers, NumberColumnReader)
        assert numbers.numbers.dtype == "<u8"
        assert numbers.numbers.tolist() == list(stock.column_reader("date", translate=False))
        assert not ours.has_column("body")


QUERIES = [
    "blood",
    "the",
    "blood platelet",
    "blood OR platelet OR plasma",
    "blood NOT donor",
    '"blood platelet"',
    '"the blood"~3',
    "cell*",
    "c?lls",
    "topics:News plasma",
    "title:blood^3 donor",
    "date:[20120101 TO 20150101]",
    "size:300",
    "weight:[0 TO]",
    "news:true (donor OR donation)",
    "marked:plasma",
    "blod~",
    "naïve 東京",
    "*:*",
]


@pytest.mark.parametrize("text", QUERIES)
def test_searches_are_equal(pair: Any, text: str) -> None:
    """Whoosh's searcher gives the same hits in the same order with the same scores."""
    stock, ours = pair
    parser = QueryParser("body", stock.schema)
    parser.add_plugin(FuzzyTermPlugin())
    parsed = parser.parse(text)
    hits = [(hit["id"], hit.score) for hit in ours.search(parsed, limit=None)]
    assert hits == [(hit["id"], hit.score) for hit in stock.search(parsed, limit=None)]


def test_generated_searches_are_equal(pair: Any) -> None:
    """So do 100 drawn trees of words, phrases and operators."""
    stock, ours = pair
    random = Random(7)

    def tree(depth: int) -> query.Query:
        word = random.choice(WORDS).lower()
        if depth == 0:
            return query.Term(random.choice(["title", "body", "plain"]), word)
        return random.choice(
            [
                lambda: query.And([tree(depth - 1), tree(depth - 1)]),
                lambda: query.Or([tree(depth - 1), tree(depth - 1), tree(0)]),
                lambda: query.AndMaybe(tree(depth - 1), tree(0)),
                lambda: query.Phrase("body", random.choices(WORDS, k=2), slop=random.randint(1, 3)),
                lambda: query.Prefix("body", word[:2]),
            ]
        )()

    for _ in range(100):
        drawn = tree(random.randint(0, 3))
        if random.random() < 0.2:  # only at the top: inside an And, Whoosh's AndNot reads past its end
            drawn = query.AndNot(drawn, tree(0))
        hits = [(hit["id"], hit.score) for hit in ours.search(drawn, limit=None)]
        assert hits == [(hit["id"], hit.score) for hit in stock.search(drawn, limit=None)], drawn


def test_sorting_grouping_and_spelling_are_equal(pair: Any) -> None:
    """Sorted results, groups, suggestions and similar documents are the same."""
    stock, ours = pair
    both = []
    for searcher in (stock, ours):
        every = query.Every()
        by_date = [hit["id"] for hit in searcher.search(every, limit=None, sortedby="date")]
        newest = [hit["id"] for hit in searcher.search(every, limit=None, sortedby="date", reverse=True)]
        facet = sorting.FieldFacet("topics", allow_overlap=True)
        groups = searcher.search(every, limit=None, groupedby={"topic": facet}).groups("topic")
        corrected = searcher.reader().corrector("spelled").suggest("donnation", limit=3)
        near = sorted(searcher.reader().terms_within("body", "cels", 2))
        reader = searcher.reader()
        vectored = [docnum for docnum in reader.all_doc_ids() if reader.has_vector(docnum, "plain")][:5]
        keys = searcher.key_terms(vectored, "plain")
        both.append((by_date, newest, groups, corrected, near, [key for key, _ in keys]))
    assert both[0] == both[1]


def test_our_segments_merge_with_stock_ones(tmp_path: Path) -> None:
    """An index written partly by the stock codec is read as one and becomes ours when merged by us."""
    mixed = FileStorage(str(tmp_path)).create_index(schema())
    random = Random(5)
    for number, codec in enumerate((W3Codec(), ArrayCodec(), W3Codec())):
        writer = mixed.writer(codec=codec)
        for document_number in range(number * 20, number * 20 + 20):
            writer.add_document(**document(document_number, random))
        writer.commit(merge=False)
    with mixed.searcher() as searcher:
        before = sorted(found["id"] for found in searcher.documents())
    mixed.writer(codec=ArrayCodec()).commit(optimize=True)
    assert sorted({path.suffix for path in tmp_path.iterdir()} & {".skd", ".skt", ".seg", ".trm"}) == [
        ".skd",
        ".skt",
    ]
    with mixed.searcher() as searcher:
        assert sorted(fields_["id"] for fields_ in searcher.documents()) == before


@pytest.mark.parametrize("options", [{"procs": 2}, {"procs": 2, "multisegment": True}])
def test_several_processes_write_one_index(tmp_path: Path, options: dict[str, Any]) -> None:
    """Whoosh's multiprocessing writer gives the documents and terms of a single writer."""
    made = FileStorage(str(tmp_path)).create_index(schema())
    random = Random(3)
    documents = [document(number, random) for number in range(60)]
    writer = made.writer(codec=ArrayCodec(), batchsize=10, **options)
    for one in documents:
        writer.add_document(**one)
    writer.commit()
    with made.searcher() as searcher:
        assert sorted(found["id"] for found in searcher.documents()) == sorted(one["id"] for one in documents)
        hits = {hit["id"] for hit in searcher.search(query.Term("plain", "plasma"), limit=None)}
        assert hits == {one["id"] for one in documents if "plasma" in one.get("plain", "").split()}


def test_a_column_added_later_is_read(tmp_path: Path) -> None:
    """Whoosh's add_sortable on an index of ours gives a column to sort by."""
    made = FileStorage(str(tmp_path)).create_index(
        fields.Schema(id=fields.ID(stored=True), n=fields.NUMERIC(stored=True))
    )
    writer = made.writer(codec=ArrayCodec())
    for number in (5, 3, 9):
        writer.add_document(id=f"a{number}", n=number)
    writer.commit()
    writer = made.writer(codec=ArrayCodec())
    sorting.add_sortable(writer, "n", sorting.FieldFacet("n"))
    writer.commit(merge=False)
    with made.searcher() as searcher:
        assert searcher.reader().has_column("n")
        assert [hit["id"] for hit in searcher.search(query.Every(), sortedby="n")] == ["a3", "a5", "a9"]


def test_a_cancelled_document_leaves_nothing(tmp_path: Path) -> None:
    """A document that fails half-way leaves no stored fields, lengths or column values behind."""
    made = FileStorage(str(tmp_path)).create_index(
        fields.Schema(a=fields.TEXT(stored=True), n=fields.NUMERIC(sortable=True), z=fields.NUMERIC)
    )
    writer = made.writer(codec=ArrayCodec())
    with pytest.raises(ValueError, match="not a number"):
        writer.add_document(a="ghost ghost", n=7, z="not a number")
    writer.add_document(a="real")
    writer.commit()
    with made.reader() as reader:
        assert list(reader.all_stored_fields()) == [{"a": "real"}]
        assert reader.field_length("a") == 1
        assert not reader.has_column("n")
