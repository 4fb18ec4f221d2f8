"""The engines that are measured, each the way its own users would build and ask it.

All hold the same articles: id, title, text (title and body, stemmed in English, accents folded, with positions),
topics as whole values, the day of publication, and the article itself, stored once. Stock Whoosh has the very
schema of a searchkit archive; searchkit itself is used through its public interface only. searchkit and stock Whoosh
index author, kind, language, URL and the unstemmed words besides; `tantivy-labels` is tantivy with those labels too.

A commit is durable in the way the engine offers: tantivy syncs its files, SQLite runs with synchronous=FULL. Stock
Whoosh never syncs.
"""

import importlib.util
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from benchmarks.corpus import records
from benchmarks.queries import Query

HITS = 10
TOPICS_SHOWN = 20
SNIPPET_CHARACTERS = 200
TANTIVY_HEAP_BYTES = 128_000_000
"""tantivy-py's own default; twice of it made no difference that could be measured."""


@dataclass(frozen=True)
class Answer:
    """What a page had on it: enough to see that every engine answered the same question."""

    total: int
    titles: tuple[str, ...]
    topics: int = 0
    buckets: int = 0
    snippets: int = 0


class UnsupportedError(Exception):
    """The engine, or its Python package, cannot do this; the message says what is missing."""


class Peer(Protocol):
    """One engine. `prepare` imports what it needs, so that imports are not timed."""

    def prepare(self) -> None: ...

    def build(self, source: Path, folder: Path, workers: int) -> None:
        """Index a JSON Lines file into an empty folder, up to a durable commit."""
        ...

    def open(self, folder: Path) -> None: ...

    def add_one(self, record: dict[str, Any]) -> None:
        """Add or replace one article in a commit of its own."""
        ...

    def segments(self) -> int: ...

    def optimize(self) -> None:
        """Merge into one segment. Raises UnsupportedError."""
        ...

    def page(self, query: Query) -> Answer:
        """The whole page: total, ten hits with snippets, topic counts, articles by year."""
        ...

    def titles(self, query: Query) -> Answer:
        """The total and the titles of the best ten only."""
        ...


class SearchkitPeer:
    """searchkit through `open_archive`."""

    def prepare(self) -> None:
        import searchkit.engines.local
        import searchkit.indexing.writer
        import searchkit.sources.articles  # noqa: F401 - loaded ahead of the clock

    def build(self, source: Path, folder: Path, workers: int) -> None:
        import searchkit
        from searchkit.sources.articles import SourceArticles

        with searchkit.open_archive(folder, create=True, settings=searchkit.Settings()) as archive:
            archive.add(SourceArticles([source]), workers=workers)

    def open(self, folder: Path) -> None:
        import searchkit

        self.archive = searchkit.open_archive(folder, settings=searchkit.Settings())

    def add_one(self, record: dict[str, Any]) -> None:
        self.archive.add([_article(record)])

    def segments(self) -> int:
        return self.archive.stats().segments

    def optimize(self) -> None:
        optimize = getattr(self.archive, "optimize", None)
        if optimize is None:
            raise UnsupportedError("merges by itself")
        optimize()

    def page(self, query: Query) -> Answer:
        page = self._search(query, facets=("topics",), timeline="year")
        return Answer(
            page.total,
            tuple(hit.title for hit in page.hits),
            len(page.facets["topics"]),
            len(page.timeline),
            sum(bool(hit.snippets) for hit in page.hits),
        )

    def titles(self, query: Query) -> Answer:
        page = self._search(query, facets=(), timeline=None, snippets=False)
        return Answer(page.total, tuple(hit.title for hit in page.hits))

    def _search(self, query: Query, **wanted: Any) -> Any:
        return self.archive.search(
            searchkit_text(query),
            topics=(query.topic,) if query.topic else (),
            since=query.since or None,
            until=query.until or None,
            sort="newest" if query.newest else "best",
            limit=HITS,
            **wanted,
        )


def searchkit_text(query: Query) -> str:
    """The query as a reader types it."""
    parts = [*query.every, *(f"-{word}" for word in query.none)]
    if query.some:
        parts.append(" OR ".join(query.some))
    if query.phrase:
        parts.append(f'"{" ".join(query.phrase)}"')
    if query.prefix:
        parts.append(f"{query.prefix}*")
    return " ".join(parts)


def _articles(source: Path) -> Iterator[Any]:
    from searchkit.settings import Settings
    from searchkit.sources import Found, read_sources

    for reading in read_sources([source], settings=Settings()):
        if isinstance(reading, Found):
            yield reading.article


def _article(record: dict[str, Any]) -> Any:
    from searchkit import Article

    return Article(
        record["id"],
        record.get("title", ""),
        record.get("body", ""),
        published=record.get("date"),
        topics=record.get("topics", ()),
        authors=record.get("author", ()),
        url=record.get("url"),
        language=record.get("lang"),
    )


class StockWhooshPeer:
    """Whoosh with its own codec, writer and searcher, and the schema of a searchkit archive."""

    def prepare(self) -> None:
        import whoosh.highlight
        import whoosh.index
        import whoosh.sorting  # noqa: F401 - loaded ahead of the clock

    def build(self, source: Path, folder: Path, workers: int) -> None:
        from whoosh import index

        from searchkit.indexing.schema import archive_schema
        from searchkit.settings import Settings

        writer = index.create_in(folder, archive_schema(Settings())).writer(limitmb=256)
        for article in _articles(source):
            writer.add_document(**_whoosh_fields(article))
        writer.commit()

    def open(self, folder: Path) -> None:
        from whoosh import index

        self.index = index.open_dir(folder)
        self.searcher = self.index.searcher()

    def add_one(self, record: dict[str, Any]) -> None:
        writer = self.index.writer()
        writer.update_document(**_whoosh_fields(_article(record)))
        writer.commit()

    def segments(self) -> int:
        return len(self.index._segments())

    def optimize(self) -> None:
        self.index.writer(limitmb=256).commit(optimize=True)

    def page(self, query: Query) -> Answer:
        from whoosh import sorting
        from whoosh.highlight import PinpointFragmenter

        facets = sorting.Facets()
        facets.add_facet("topics", sorting.FieldFacet("topic", allow_overlap=True, maptype=sorting.Count))
        # By moment, summed to years below: 70 times faster than Whoosh's own DateRangeFacet over a century.
        facets.add_facet("published", sorting.FieldFacet("published", maptype=sorting.Count))
        results = self._search(query, groupedby=facets)
        results.fragmenter = PinpointFragmenter(maxchars=SNIPPET_CHARACTERS, autotrim=True)
        years: Counter[int] = Counter()
        for moment, count in results.groups("published").items():
            years[getattr(moment, "year", 0)] += count
        hits = [(hit, hit["article"]) for hit in islice(results, HITS)]  # all, once there are facets
        snippets = [hit.highlights("text", text=article["body"], top=1) for hit, article in hits]
        return Answer(
            len(results),
            tuple(article["title"] for _, article in hits),
            len(results.groups("topics")),
            len(years),
            sum(map(bool, snippets)),
        )

    def titles(self, query: Query) -> Answer:
        results = self._search(query)
        return Answer(len(results), tuple(hit["article"]["title"] for hit in results))

    def _search(self, query: Query, **wanted: Any) -> Any:
        from whoosh import query as q

        if query.newest:
            wanted |= {"sortedby": "published", "reverse": True}
        filters = []
        if query.topic:
            filters.append(q.Term("topic", query.topic.casefold()))
        if query.since:
            filters.append(q.DateRange("published", _instant(query.since), _instant(query.until, end=True)))
        if filters:
            wanted["filter"] = q.And(filters)
        return self.searcher.search(self._query(query), limit=HITS, **wanted)

    def _query(self, query: Query) -> Any:
        from whoosh import query as q

        if query.prefix:
            return q.Prefix("text_exact", query.prefix)
        if query.phrase:
            return q.Phrase("text", [self._stem(word) for word in query.phrase])
        if query.some:
            return q.Or([q.Term("text", self._stem(word)) for word in query.some])
        wanted = [q.Term("text", self._stem(word)) for word in query.every]
        found = q.And(wanted) if len(wanted) > 1 else wanted[0]
        return q.AndNot(found, q.Term("text", self._stem(query.none[0]))) if query.none else found

    def _stem(self, word: str) -> str:
        return next(token.text for token in self.index.schema["text"].analyzer(word, mode="query"))


def _whoosh_fields(article: Any) -> dict[str, Any]:
    from searchkit.dates import ArchiveCalendar
    from searchkit.indexing.schema import index_fields
    from searchkit.settings import Settings

    settings = Settings()
    return index_fields(article, settings, ArchiveCalendar.of(settings.time_zone))


class TantivyPeer:
    """tantivy through tantivy-py, two indexing threads. ``labels`` adds the label fields that an archive has."""

    def __init__(self, labels: bool = False) -> None:
        self.labels = ("author", "kind", "lang", "url") if labels else ()

    def prepare(self) -> None:
        import tantivy  # noqa: F401 - loaded ahead of the clock

    def build(self, source: Path, folder: Path, workers: int) -> None:
        import tantivy

        builder = tantivy.SchemaBuilder()
        builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
        builder.add_text_field("title", tokenizer_name="folded_stems")
        builder.add_text_field("text", stored=True, tokenizer_name="folded_stems")
        builder.add_text_field("topics", stored=True, fast=True, tokenizer_name="raw", index_option="basic")
        builder.add_date_field("published", stored=True, indexed=True, fast=True)
        builder.add_bytes_field("rest", stored=True)
        for name in self.labels:
            builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
        self.index = tantivy.Index(builder.build(), path=str(folder))
        self.index.register_tokenizer("folded_stems", _folded_stems())
        writer = self.index.writer(heap_size=TANTIVY_HEAP_BYTES, num_threads=2)
        for record in records(source):
            writer.add_document(self._document(record))
        writer.commit()
        writer.wait_merging_threads()

    def _document(self, record: dict[str, Any]) -> Any:
        import tantivy

        rest = dict(record)
        article_id, title, body = rest.pop("id"), rest.pop("title", ""), rest.pop("body", "")
        day, topics = rest.pop("date", None), rest.pop("topics", [])
        fields: dict[str, Any] = {"id": article_id, "title": title, "text": [title, body], "topics": topics}
        if day:
            fields["published"] = _instant(day)
        for name in self.labels:
            if record.get(name):
                fields[name] = record[name]
        return tantivy.Document(**fields, rest=json.dumps(rest, ensure_ascii=False).encode())

    def open(self, folder: Path) -> None:
        import tantivy

        self.index = tantivy.Index.open(str(folder))
        self.index.register_tokenizer("folded_stems", _folded_stems())
        self.searcher = self.index.searcher()
        self.writer: Any = None

    def add_one(self, record: dict[str, Any]) -> None:
        if self.writer is None:
            self.writer = self.index.writer(heap_size=TANTIVY_HEAP_BYTES, num_threads=2)
        self.writer.delete_documents_by_term("id", record["id"])
        self.writer.add_document(self._document(record))
        self.writer.commit()

    def segments(self) -> int:
        if self.writer is not None:
            self.writer.wait_merging_threads()
            self.writer = None
        self.index.reload()
        return int(self.index.searcher().num_segments)

    def optimize(self) -> None:
        raise UnsupportedError("tantivy-py cannot be asked to merge; it merges while it writes")

    def page(self, query: Query) -> Answer:
        import tantivy

        parsed, result = self._search(query)
        counts = self.searcher.aggregate(
            parsed,
            {
                "topics": {"terms": {"field": "topics", "size": TOPICS_SHOWN}},
                "years": {"date_histogram": {"field": "published", "fixed_interval": "365d", "min_doc_count": 1}},
            },
        )
        generator = tantivy.SnippetGenerator.create(self.searcher, parsed, self.index.schema, "text")
        generator.set_max_num_chars(SNIPPET_CHARACTERS)
        documents = [self.searcher.doc(address) for _, address in result.hits]
        snippets = [generator.snippet_from_doc(document) for document in documents]
        marks = [(snippet.fragment(), snippet.highlighted()) for snippet in snippets]
        return Answer(
            result.count,
            tuple(document["text"][0] for document in documents),
            len(counts["topics"]["buckets"]),
            len(counts["years"]["buckets"]),
            sum(bool(text) for text, _ in marks),
        )

    def titles(self, query: Query) -> Answer:
        _, result = self._search(query)
        return Answer(result.count, tuple(self.searcher.doc(address)["text"][0] for _, address in result.hits))

    def _search(self, query: Query) -> tuple[Any, Any]:
        parsed = self._query(query)
        order = {"order_by_field": "published"} if query.newest else {}
        return parsed, self.searcher.search(parsed, HITS, count=True, **order)

    def _query(self, query: Query) -> Any:
        import tantivy

        schema = self.index.schema
        if query.prefix:
            parsed = tantivy.Query.regex_query(schema, "text", f"{query.prefix}.*")
        else:
            parsed = self.index.parse_query(_tantivy_text(query), ["text"], conjunction_by_default=True)
        filters = []
        if query.topic:
            filters.append(tantivy.Query.term_query(schema, "topics", query.topic, "basic"))
        if query.since:
            bounds = (_instant(query.since), _instant(query.until, end=True))
            filters.append(tantivy.Query.range_query(schema, "published", tantivy.FieldType.Date, *bounds))
        if not filters:
            return parsed
        unscored = [(tantivy.Occur.Must, tantivy.Query.const_score_query(each, 0.0)) for each in filters]
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, parsed), *unscored])


def _folded_stems() -> Any:
    """tantivy's en_stem, with accents folded as the others do."""
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    builder = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.remove_long(255)).filter(Filter.lowercase())
    return builder.filter(Filter.ascii_fold()).filter(Filter.stemmer("english")).build()


def _tantivy_text(query: Query) -> str:
    if query.phrase:
        return f'"{" ".join(query.phrase)}"'
    if query.some:
        return " OR ".join(query.some)
    return " ".join((*query.every, *(f"-{word}" for word in query.none)))


class Fts5Peer:
    """SQLite FTS5 over a content table, topics in a table of their own."""

    TABLES = """
        CREATE TABLE articles
            (docid INTEGER PRIMARY KEY, id TEXT UNIQUE, published TEXT, title TEXT, body TEXT, rest TEXT);
        CREATE TABLE topics (topic TEXT, docid INTEGER, PRIMARY KEY (topic, docid)) WITHOUT ROWID;
        CREATE VIRTUAL TABLE words USING fts5(title, body, content='articles', content_rowid='docid',
            tokenize='porter unicode61 remove_diacritics 2');
    """
    INDEXES = """
        CREATE INDEX topics_by_article ON topics (docid, topic);
        CREATE INDEX articles_by_day ON articles (published);
        INSERT INTO words(words) VALUES ('rebuild');
    """
    DATABASE = "archive.db"

    def prepare(self) -> None:
        pass

    def build(self, source: Path, folder: Path, workers: int) -> None:
        self._connect(folder)
        self.database.executescript(self.TABLES)
        self.database.execute("BEGIN")
        for docid, record in enumerate(records(source), 1):
            self._insert(docid, record)
        for statement in filter(str.strip, self.INDEXES.split(";")):
            self.database.execute(statement)
        self.database.execute("COMMIT")
        self.database.close()

    def _connect(self, folder: Path) -> None:
        self.database = sqlite3.connect(folder / self.DATABASE, isolation_level=None)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute("PRAGMA synchronous=FULL")

    def _insert(self, docid: int, record: dict[str, Any]) -> None:
        rest = dict(record)
        row = [rest.pop(name, None) for name in ("id", "date", "title", "body")]
        topics = rest.pop("topics", [])
        values = (docid, *row, json.dumps(rest, ensure_ascii=False))
        self.database.execute("INSERT OR REPLACE INTO articles VALUES (?, ?, ?, ?, ?, ?)", values)
        self.database.executemany("INSERT OR IGNORE INTO topics VALUES (?, ?)", [(topic, docid) for topic in topics])

    def open(self, folder: Path) -> None:
        self._connect(folder)
        self.database.execute("SELECT rowid FROM words WHERE words MATCH 'a' LIMIT 1").fetchone()

    def add_one(self, record: dict[str, Any]) -> None:
        run = self.database.execute
        run("BEGIN IMMEDIATE")
        old = run("SELECT docid, title, body FROM articles WHERE id = ?", (record["id"],)).fetchone()
        if old:
            run("INSERT INTO words(words, rowid, title, body) VALUES ('delete', ?, ?, ?)", old)
            run("DELETE FROM topics WHERE docid = ?", old[:1])
        docid = old[0] if old else (run("SELECT max(docid) FROM articles").fetchone()[0] or 0) + 1
        self._insert(docid, record)
        run("INSERT INTO words(rowid, title, body) VALUES (?, ?, ?)", (docid, record.get("title"), record.get("body")))
        run("COMMIT")

    def segments(self) -> int:
        return int(self.database.execute("SELECT count(DISTINCT segid) FROM words_idx").fetchone()[0])

    def optimize(self) -> None:
        self.database.execute("INSERT INTO words(words) VALUES ('optimize')")

    def page(self, query: Query) -> Answer:
        match, values = self._condition(query)
        run = self.database.execute
        rows = self._best(query, "articles.title, published, snippet(words, 1, '[', ']', '…', 30)")
        years = run(
            f"SELECT substr(published, 1, 4), count(*) FROM words CROSS JOIN articles ON docid = words.rowid "
            f"WHERE {match} GROUP BY 1",
            values,
        ).fetchall()
        topics = run(
            f"SELECT topic, count(*) FROM words CROSS JOIN topics ON topics.docid = words.rowid "
            f"WHERE {match} GROUP BY topic ORDER BY 2 DESC LIMIT {TOPICS_SHOWN}",
            values,
        ).fetchall()
        return Answer(
            sum(count for _, count in years),
            tuple(row[0] for row in rows),
            len(topics),
            len(years),
            sum(bool(row[2]) for row in rows),
        )

    def titles(self, query: Query) -> Answer:
        match, values = self._condition(query)
        total = self.database.execute(f"SELECT count(*) FROM words WHERE {match}", values).fetchone()[0]
        return Answer(total, tuple(row[0] for row in self._best(query, "articles.title")))

    def _best(self, query: Query, columns: str) -> list[Any]:
        match, values = self._condition(query)
        order = "words.rank"
        if query.newest:  # found first: else SQLite cuts a snippet from everything before it sorts
            newest = self.database.execute(
                f"SELECT docid FROM words CROSS JOIN articles ON docid = words.rowid "
                f"WHERE {match} ORDER BY published DESC LIMIT {HITS}",
                values,
            ).fetchall()
            match += f" AND words.rowid IN ({', '.join(str(docid) for (docid,) in newest)})"
            order = "published DESC"
        statement = (
            f"SELECT {columns} FROM words CROSS JOIN articles ON docid = words.rowid "
            f"WHERE {match} ORDER BY {order} LIMIT {HITS}"
        )
        return self.database.execute(statement, values).fetchall()

    def _condition(self, query: Query) -> tuple[str, dict[str, str]]:
        conditions = ["words MATCH :match"]  # the + keeps SQLite from running the match once for every rowid below
        if query.topic:
            conditions.append("+words.rowid IN (SELECT docid FROM topics WHERE topic = :topic)")
        if query.since:
            conditions.append(
                "+words.rowid IN (SELECT docid FROM articles WHERE published BETWEEN :since AND :until || 'T99')"
            )
        values = {"match": _fts5_text(query), "topic": query.topic, "since": query.since, "until": query.until}
        return " AND ".join(conditions), {
            name: value for name, value in values.items() if f":{name}" in str(conditions)
        }


def _fts5_text(query: Query) -> str:
    if query.prefix:
        return f"{query.prefix}*"
    if query.phrase:
        return f'"{" ".join(query.phrase)}"'
    if query.some:
        return " OR ".join(f'"{word}"' for word in query.some)
    found = " AND ".join(f'"{word}"' for word in query.every)
    return f'({found}) NOT "{query.none[0]}"' if query.none else found


def _instant(day: str, *, end: bool = False) -> datetime:
    """The beginning of a day or moment in ISO 8601, or the end of the day."""
    moment = datetime.fromisoformat(day)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment + timedelta(days=1, microseconds=-1) if end else moment


MAKERS = {
    "searchkit": SearchkitPeer,
    "tantivy": TantivyPeer,
    "tantivy-labels": lambda: TantivyPeer(labels=True),
    "fts5": Fts5Peer,
    "whoosh": StockWhooshPeer,
}
ENGINES = ("searchkit", "tantivy", "fts5", "whoosh")
"""Measured unless others are named."""


def make_peer(name: str) -> Peer:
    """The engine of this name, ready to build or open."""
    peer: Peer = MAKERS[name]()
    peer.prepare()
    return peer


def installed(names: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Of these engines those that can run here, and a sentence about the others."""
    absent = tuple(name for name in names if name.startswith("tantivy") and not importlib.util.find_spec("tantivy"))
    note = f"{', '.join(absent)}: not installed; pip install 'searchkit[bench]'" if absent else ""
    return tuple(name for name in names if name not in absent), note
