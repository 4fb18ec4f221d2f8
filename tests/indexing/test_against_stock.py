"""The index of the bulk path and the one of Whoosh's generic writer with its stock codec hold the same."""

import os
import random
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from whoosh import query as whoosh
from whoosh.codec.whoosh3 import W3Codec
from whoosh.filedb.filestore import FileStorage
from whoosh.index import FileIndex
from whoosh.query import spans
from whoosh.reading import IndexReader
from whoosh.scoring import BM25F
from whoosh.writing import SegmentWriter

from searchkit.article import Article
from searchkit.dates import ArchiveCalendar
from searchkit.engines.local import open_local
from searchkit.indexing.schema import INDEX_NAME, archive_schema, index_fields
from searchkit.settings import Settings
from searchkit.sources import read_sources
from searchkit.sources.reading import Found

SETTINGS = Settings()

MOST = int(os.environ.get("STOCK_ARTICLES", "5000"))
"""Articles of each corpus that are compared; the stock writer takes two minutes for all of Reuters."""

ARTICLES = [
    Article(
        "a", "Naïve café", "COVID-19 e-mail C++ .NET U.S.", published="2017-03-01", topics=["News", "news", "A, b"]
    ),
    Article("b", "東京都", "東京 2020年 東京", published="2017-03-01T10:00Z", authors=["Ann O'Brien"], language="ja"),
    Article("c", "Undated", "the the the of", summary="café the", kind="podcast", url="https://example.org/c"),
    Article("d", "Häuser", "Das Haus der Häuser", published="2016-01-01", language="de", extra={"x": [1, {"!set": 2}]}),
    Article("e", "", "only a body", published="2016-01-01", language="pt-BR"),
    Article("f", "Only a title"),
]


def stock_index(folder: Path, articles: list[Article]) -> FileIndex:
    """The articles, in the order of a segment, through Whoosh's own writer and codec."""
    calendar = ArchiveCalendar.of(SETTINGS.time_zone)
    index = FileIndex.create(FileStorage(str(folder)), archive_schema(SETTINGS), INDEX_NAME)
    writer = SegmentWriter(index, codec=W3Codec(), limitmb=256)
    for article in sorted(articles, key=lambda a: (calendar.instant(a.published), a.id)):
        writer.add_document(**index_fields(article, SETTINGS, calendar))
    writer.commit()
    return index


def readers(articles: list[Article]) -> Iterator[tuple[FileIndex, FileIndex]]:
    """The stock index and ours of the same articles."""
    with tempfile.TemporaryDirectory() as folder:
        stock_folder = Path(folder) / "stock"
        stock_folder.mkdir()
        with open_local(f"{folder}/ours", create=True, settings=SETTINGS) as archive:
            archive.add(articles)
            archive.optimize()
            ours = FileIndex(FileStorage(f"{folder}/ours"), archive_schema(SETTINGS), INDEX_NAME)
            yield stock_index(stock_folder, articles), ours


def found(data_folder: Path, name: str, most: int) -> list[Article]:
    """The first articles of a corpus."""
    readings = read_sources([data_folder / "corpora" / name], settings=SETTINGS)
    articles = (reading.article for reading in readings if isinstance(reading, Found))
    return [article for article, _ in zip(articles, range(most), strict=False)]


@pytest.fixture(scope="module")
def small() -> Iterator[tuple[FileIndex, FileIndex]]:
    """A handful of articles with something of everything."""
    yield from readers(ARTICLES)


@pytest.fixture(scope="module")
def languages(data_folder: Path) -> Iterator[tuple[FileIndex, FileIndex]]:
    """An archive in 17 languages."""
    yield from readers(found(data_folder, "ruby_news_17_languages.jsonl.gz", MOST))


@pytest.fixture(scope="module")
def reuters(data_folder: Path) -> Iterator[tuple[FileIndex, FileIndex]]:
    """Reuters."""
    yield from readers(found(data_folder, "reuters.jsonl.gz", MOST))


def check_same_contents(stock: IndexReader, ours: IndexReader, *, every: int = 1) -> None:
    """Lexicons, statistics, postings, positions, lengths, columns and stored fields are equal.

    Of the postings those of every ``every``-th term are compared.
    """
    assert sorted(stock.indexed_field_names()) == sorted(ours.indexed_field_names())
    for field in stock.indexed_field_names():
        lexicon = list(stock.lexicon(field))
        assert lexicon == list(ours.lexicon(field)), field
        assert stock.field_length(field) == ours.field_length(field), field
        for term in lexicon[::every]:
            check_same_postings(stock, ours, field, term)
    assert stock.doc_count_all() == ours.doc_count_all()
    for docnum in range(stock.doc_count_all()):
        assert stock.stored_fields(docnum) == ours.stored_fields(docnum)
        for field in ("text", "title"):
            length = stock.doc_field_length(docnum, field) or 0  # the stock codec says None after the last that has one
            assert length == ours.doc_field_length(docnum, field)
    dates = [list(reader.column_reader("published", translate=False)) for reader in (stock, ours)]
    assert dates[0] == dates[1]


def check_same_postings(stock: IndexReader, ours: IndexReader, field: str, term: bytes) -> None:
    """One term's statistics and postings are equal."""
    infos = [reader.term_info(field, term) for reader in (stock, ours)]
    for statistic in ("doc_frequency", "weight", "min_length", "max_length", "max_weight", "min_id", "max_id"):
        values = [getattr(info, statistic)() for info in infos]
        assert values[0] == pytest.approx(values[1]), (field, term, statistic)
    matchers = [reader.postings(field, term) for reader in (stock, ours)]
    while matchers[0].is_active():
        assert matchers[1].is_active()
        rows = []
        for matcher in matchers:
            positions = matcher.value_as("positions") if field in ("text", "title") else None
            rows.append((matcher.id(), matcher.weight(), positions))
            matcher.next()
        assert rows[0] == rows[1], (field, term)
    assert not matchers[1].is_active()


def drawn_queries(reader: IndexReader, count: int) -> Iterator[whoosh.Query]:
    """Queries of all kinds over the words of the archive."""
    draw = random.Random(17)
    words = [term for term in reader.lexicon("text") if reader.doc_frequency("text", term) > 1] or list(
        reader.lexicon("text")
    )
    for number in range(count):
        a, b, c = (whoosh.Term("text", draw.choice(words)) for _ in range(3))
        yield [
            a,
            whoosh.And([a, b]),
            whoosh.Or([a, b, c]),
            whoosh.And([whoosh.Or([a, b]), whoosh.Term("title", draw.choice(list(reader.lexicon("title"))))]),
            spans.SpanNear2([a, b], slop=draw.choice([1, 3])),
            whoosh.Prefix("text_exact", draw.choice(words).decode()[:2]),
            whoosh.And([a, whoosh.Not(b)]),
            whoosh.And([a, whoosh.DateRange("published", None, None)]),
        ][number % 8]


def check_same_answers(stock: FileIndex, ours: FileIndex, count: int) -> None:
    """Whoosh's own searcher gives the same hits, in the same order, with the same scores."""
    weighting = BM25F(K1=2.0)
    with stock.searcher(weighting=weighting) as a, ours.searcher(weighting=weighting) as b:
        for query in drawn_queries(a.reader(), count):
            expected = [(hit.docnum, hit.score) for hit in a.search(query, limit=None)]
            assert [(hit.docnum, hit.score) for hit in b.search(query, limit=None)] == expected, query


def test_every_kind_of_article_is_indexed_the_same(small: tuple[FileIndex, FileIndex]) -> None:
    """Names and codes, languages, undated articles, labels and unknown keys give equal indexes."""
    with small[0].reader() as stock, small[1].reader() as ours:
        check_same_contents(stock, ours)
        assert date(2017, 3, 1).isoformat() in str(ours.stored_fields(4))
    check_same_answers(*small, 80)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("corpus", ["languages", "reuters"])
def test_corpora_are_indexed_the_same(corpus: str, request: pytest.FixtureRequest) -> None:
    """On real archives lexicons, postings, stored fields, and the answers to 200 queries are equal."""
    stock, ours = request.getfixturevalue(corpus)
    with stock.reader() as a, ours.reader() as b:
        check_same_contents(a, b, every=7)
    check_same_answers(stock, ours, 200)
