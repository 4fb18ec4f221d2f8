"""Merging: the segment that indexing the live articles at once would have made, and few segments at little cost."""

import errno
import os
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whoosh.filedb.filestore import RamStorage

from searchkit.article import Article
from searchkit.codec import ArraySegment, stored
from searchkit.codec.lengths import decode_lengths
from searchkit.codec.posting_writer import PostingData, PostingsWriter
from searchkit.codec.segment import DOCUMENTS_EXTENSION, STORED, TERMS_EXTENSION, write_field
from searchkit.codec.values import EXISTENCE, POSITIONS
from searchkit.codec.whoosh_codec import file_writer, open_documents, open_terms
from searchkit.dates import ArchiveCalendar
from searchkit.indexing import field_apart, merge, merged_fields, store, writer
from searchkit.indexing.builder import SegmentBuilder
from searchkit.indexing.merge import merge_segments
from searchkit.indexing.schema import index_fields
from searchkit.indexing.storage import IndexStorage
from searchkit.settings import Settings

SETTINGS = Settings(durable=False)

WORDS = (
    "platelets",
    "Küche",
    "C++",
    "血小板輸血",
    "donors",
    "donation",
    "a",
    "ครั้งแรก",
    "e-mail",
    "internationalization",
)


def text(least: int = 0) -> st.SearchStrategy[str]:
    """A few words, often the same ones."""
    return st.lists(st.sampled_from(WORDS), min_size=least, max_size=12).map(" ".join)


articles = st.builds(
    Article,
    id=st.sampled_from([f"article-{n}" for n in range(12)] + ["a", "ab", "abcdefgh", "abcdefghi", "abcdefgh\0"]),
    title=text(1),
    body=text(),
    summary=st.sampled_from(["", "Anti-D for everybody"]),
    published=st.sampled_from([None, date(2017, 8, 23), date(2018, 1, 1), date(1999, 12, 31)]),
    topics=st.lists(st.sampled_from(["Blood", "blood", "Plasma & more", "x" * 40]), max_size=3),
    authors=st.lists(st.sampled_from(["Ann Lee", "Zoë"]), max_size=2),
    kind=st.sampled_from(["", "news"]),
    language=st.sampled_from([None, "en", "de", "pt-BR", "ja", "th"]),
    extra=st.sampled_from([{}, {"page": 3}]),
)


def contents(storage: Any, segment: ArraySegment) -> dict[str, Any]:
    """Everything that can be read from a segment, but for the exact sums of lengths."""
    documents, terms = open_documents(storage, segment), open_terms(storage, segment)
    found: dict[str, Any] = {"documents": documents.doc_count, "lines": list(documents.stored.lines())}
    assert found["lines"] == [documents.stored.line(docnum) for docnum in range(documents.doc_count)]
    for name in documents.length_fields():
        found["length", name] = documents.length_codes(name).tolist(), documents.length_extremes(name)
    for name in documents.columns.names():
        found["column", name] = documents.columns.numbers(name).tolist()
    for name in terms.field_names():
        field = terms.field(name)
        assert field is not None
        count, lists = len(field.terms), field.lists
        found["field", name] = {
            "kind": field.kind,
            "terms": field.terms.terms(0, count),
            "counts": lists.counts(0, count).tolist(),
            "docs": lists.docs_of_lists(0, count).tolist(),
            "occurrences": lists.occurrences_of(0, lists.posting_count).tolist(),
            "weights": lists.weights_of(0, lists.posting_count).tolist(),
            "positions": lists.positions_of_lists(0, count).tolist() if lists.has("position") else None,
            "statistics": lists.statistics_of_lists(0, count),
            "blocks": [[None if of is None else of.tolist() for of in lists.blocks(n) or ()] for n in range(count)],
        }
    return found


def total_lengths(storage: Any, segment: ArraySegment) -> dict[str, int]:
    documents = open_documents(storage, segment)
    return {name: documents.total_length(name) for name in documents.length_fields()}


def parts_of(batch: Sequence[Article], cuts: Sequence[int]) -> list[list[Article]]:
    """The articles cut into parts, of each id only the last in a part."""
    bounds = [0, *sorted(cuts), len(batch)]
    parts = [batch[first:last] for first, last in pairwise(bounds)]
    return [list({article.id: article for article in part}.values()) for part in parts if part]


@settings(deadline=None, max_examples=40)
@given(
    batch=st.lists(articles, min_size=2, max_size=24),
    cuts=st.lists(st.integers(0, 24), min_size=1, max_size=4),
    deleted=st.sets(st.sampled_from(["article-1", "article-2", "article-3", "a"])),
    title_weight=st.sampled_from([3.0, 1.0, 2.3]),
)
def test_a_merge_is_indexing_at_once(
    batch: list[Article], cuts: list[int], deleted: set[str], title_weight: float
) -> None:
    """The merged segment reads, array by array, as the one made of the articles that are live.

    Of the sums of lengths this holds without deletions only: what is deleted takes with it no more than its code
    tells, and the sum becomes, as in Whoosh's merges, that of the codes.
    """
    storage = RamStorage()
    builder = SegmentBuilder(storage, Settings(title_weight=title_weight))
    segments, live = [], {}
    for part in parts_of(batch, cuts):
        for segment in segments:
            delete(storage, segment, {article.id for article in part})
        segments.append(builder.build(part))
        live |= {article.id: article for article in part}
    for segment in segments:
        delete(storage, segment, deleted)
    expected = builder.build([article for article in live.values() if article.id not in deleted])
    merged = merge_segments(storage, segments)
    assert merged.doc_count_all() == expected.doc_count_all()
    assert contents(storage, merged) == contents(storage, expected)
    if any(segment.has_deletions() for segment in segments):
        codes = {name: open_documents(storage, merged).length_codes(name) for name in total_lengths(storage, merged)}
        assert total_lengths(storage, merged) == {name: decode_lengths(of).sum() for name, of in codes.items()}
    else:
        assert total_lengths(storage, merged) == total_lengths(storage, expected)


def delete(storage: Any, segment: ArraySegment, ids: set[str]) -> None:
    """Mark the articles of these ids deleted."""
    field = open_terms(storage, segment).field("id")
    assert field is not None
    for ordinal, term in enumerate(field.terms.terms(0, len(field.terms))):
        if term.decode() in ids:
            segment.delete_document(int(field.lists.docs(ordinal)[0]))


def test_merges_of_nothing() -> None:
    """Segments whose articles are all deleted make an empty segment."""
    storage = RamStorage()
    builder = SegmentBuilder(storage, Settings())
    segments = [builder.build([Article(id=name, title="Platelets")]) for name in "ab"]
    for segment in segments:
        segment.delete_document(0)
    merged = merge_segments(storage, segments)
    assert merged.doc_count_all() == 0
    assert open_terms(storage, merged).field_names() == []


@pytest.mark.parametrize("deleted", [0, 2, 290])
def test_larger_archives_are_merged_twice(deleted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks, bitmaps and stored lines come out of merges, and merges of merges, as of indexing all at once."""
    monkeypatch.setattr(stored, "COPIED_TOGETHER", 1)  # frames of so small an archive are copied, too
    storage = RamStorage()
    builder = SegmentBuilder(storage, Settings())
    random = np.random.default_rng(7)
    made = [
        Article(
            id=f"n{n}",
            title=f"Platelets {random.integers(50)}",
            body=" ".join(f"w{word}" for word in random.zipf(1.3, 60) % 500) + " end",
            published=date.fromordinal(736_000 + int(random.integers(2000))),
        )
        for n in range(1_200)
    ]
    segments = [builder.build(made[first : first + 300]) for first in range(0, 1_200, 300)]
    gone = {f"n{n}" for n in range(deleted)}
    delete(storage, segments[0], gone)
    merged = merge_segments(storage, [merge_segments(storage, segments[:3]), segments[3]])
    assert contents(storage, merged) == contents(storage, builder.build([a for a in made if a.id not in gone]))
    documents = open_documents(storage, merged)
    assert "stored/dictionary_of" in documents.container
    frames = documents.container.size_of("stored")
    assert frames == documents.stored.bounds(np.array([len(documents.stored) - 1]))[1], "what is deleted is in no frame"


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(articles, min_size=1, max_size=8)),
        st.tuples(st.just("whoosh"), st.lists(articles, min_size=1, max_size=8)),
        st.tuples(st.just("delete"), st.lists(articles, min_size=1, max_size=3)),
        st.tuples(st.just("merge"), st.just([])),
    ),
    min_size=2,
    max_size=8,
)


@settings(deadline=None, max_examples=25)
@given(steps=steps, is_in_order=st.booleans())
def test_whatever_came_before_a_merge_is_indexing_at_once(
    steps: list[tuple[str, list[Article]]], is_in_order: bool
) -> None:
    """After additions by us and by Whoosh, replacements, deletions and merges, one segment holds what is live.

    The articles of a step are all later than those of the steps before, or the dates of all steps overlap.
    """
    live: dict[str, Article] = {}
    calendar = ArchiveCalendar.of(SETTINGS.time_zone)
    with tempfile.TemporaryDirectory() as folder:
        store.create(Path(folder) / "index", SETTINGS)
        index = store.open_index(Path(folder) / "index", SETTINGS)
        for number, (step, batch) in enumerate(steps):
            made = [replace(one, published=date(2000 + number, 1, 1)) for one in batch] if is_in_order else batch
            latest = {article.id: article for article in made}
            if step == "add":
                writer.add_articles(index, made, SETTINGS)
            elif step == "whoosh":
                whoosh_writer = index.writer()
                for article in latest.values():
                    whoosh_writer.update_document(**index_fields(article, SETTINGS, calendar))
                whoosh_writer.commit(merge=False)
            elif step == "delete":
                writer.delete_articles(index, list(latest), SETTINGS)
            else:
                writer.optimize(index, SETTINGS)
            if step == "delete":
                live = {name: article for name, article in live.items() if name not in latest}
            else:
                live |= latest
        writer.optimize(index, SETTINGS)
        merged = index._segments()
        if not live:
            assert not merged
            return
        storage = RamStorage()
        expected = SegmentBuilder(storage, SETTINGS).build(list(live.values()))
        assert len(merged) == 1
        assert contents(index.storage, merged[0]) == contents(storage, expected)


@pytest.mark.parametrize("weight", [3.0, 2.3])
@pytest.mark.parametrize("runs", [1, 50, 1 << 19])
def test_runs_of_terms_make_no_difference(runs: int, weight: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few terms and postings are merged at a time, the segment reads the same."""
    monkeypatch.setattr(merged_fields, "_RUN", runs)
    monkeypatch.setattr(merged_fields, "_RUN_TERMS", runs)
    monkeypatch.setattr(merged_fields, "_GATHERED", runs)
    storage = RamStorage()
    builder = SegmentBuilder(storage, Settings(title_weight=weight))
    made = [
        Article(
            id=f"n{n}",
            title=f"Platelets {n % 7}",
            body=" ".join(f"w{word}" for word in range(n % 13)) + " end" * (n % 3) + " the" * 300 * (n == 8),
            published=date(2000 + n * 7 % 11, 1, 1),
        )
        for n in range(40)
    ]
    segments = [builder.build(made[first::3]) for first in range(3)]
    delete(storage, segments[1], {"n4", "n7"})
    expected = builder.build([article for article in made if article.id not in ("n4", "n7")])
    assert contents(storage, merge_segments(storage, segments)) == contents(storage, expected)


@given(
    segments=st.lists(st.sets(st.text("abc\0é", max_size=10), max_size=40), min_size=1, max_size=5),
    runs=st.sampled_from([1, 5, 1 << 19]),
    terms=st.sampled_from([1, 7, 1 << 16]),
)
@settings(deadline=None, max_examples=60)
def test_runs_are_the_union_of_the_terms(segments: list[set[str]], runs: int, terms: int) -> None:
    """Run after run the terms of all segments come sorted and once, and each segment's own are where they should be."""
    storage = RamStorage()
    fields = []
    for number, words in enumerate(map(sorted, (filter(None, words) for words in segments))):
        if words:
            ordered = sorted(word.encode() for word in words)
            docs = PostingData(counts=np.full(len(words), 2), docs=np.tile(np.array([0, 1], np.int32), len(words)))
            segment = ArraySegment(f"S{number}")
            with file_writer(storage, segment, TERMS_EXTENSION) as writer:
                write_field(writer, "f", ordered, docs, kind=EXISTENCE)
            fields.append((open_terms(storage, segment).field("f"), ordered))
    union: list[bytes] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merged_fields, "_RUN", runs)
        patch.setattr(merged_fields, "_RUN_TERMS", terms)
        for run in merged_fields.term_runs([field for field, _ in fields]):
            ends = np.cumsum(run.lengths).tolist()
            found = [run.data[first:end].tobytes() for first, end in pairwise([0, *ends])]
            for (_, ordered), (first, last), ranks in zip(fields, run.ordinals, run.ranks, strict=True):
                assert [found[rank] for rank in ranks.tolist()] == ordered[first:last]
            union += found
    assert union == sorted({term for _, ordered in fields for term in ordered})


@given(
    sizes=st.lists(st.integers(0, 30), min_size=1, max_size=4),
    is_ordered=st.booleans(),
    at_once=st.sampled_from([1, 3, 1 << 15]),
    seed=st.integers(0, 999),
)
def test_new_docnums_are_in_the_order_of_publication(
    sizes: list[int], is_ordered: bool, at_once: int, seed: int
) -> None:
    """However many articles are put in order at a time, live ones are numbered by instant, then id."""
    random = np.random.default_rng(seed)
    ranks = np.split(random.permutation(sum(sizes)).astype(np.int32), np.cumsum(sizes)[:-1])
    published = [random.integers(0, 9, size) for size in sizes]
    if is_ordered:
        orders = [np.lexsort(pair) for pair in zip(ranks, published, strict=True)]
        ranks, published = ([one[order] for one, order in zip(of, orders, strict=True)] for of in (ranks, published))
    live = [random.random(size) < 0.8 for size in sizes]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "_ORDERED_AT_ONCE", at_once)
        mapped = np.concatenate(merge.new_docnums(published, ranks, live)).tolist()
    every = zip(np.concatenate(published).tolist(), np.concatenate(ranks).tolist(), mapped, strict=True)
    assert [docnum for _, _, docnum in sorted(every) if docnum >= 0] == list(range(int(np.concatenate(live).sum())))
    assert [docnum >= 0 for docnum in mapped] == np.concatenate(live).tolist()


@pytest.mark.parametrize("weight", [1.0, 3.0, 2.3])
@pytest.mark.parametrize("deleted", [0, 60, 500])
def test_long_lists_are_merged_in_parts(deleted: int, weight: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Terms of many articles, all or some of them, deleted or not, read the same when their lists come in parts."""
    monkeypatch.setattr(merged_fields, "_RUN", 1)
    monkeypatch.setattr(merged_fields, "_PART", 128)
    parts: list[int] = []
    real = PostingsWriter.extend_list
    monkeypatch.setattr(PostingsWriter, "extend_list", lambda *of: (parts.append(of[1]), real(*of))[1])
    storage = RamStorage()
    builder = SegmentBuilder(storage, Settings(title_weight=weight))
    drawn = np.random.default_rng(deleted)
    made = [
        Article(
            id=f"n{n}",
            title="Cold platelets" if n % 3 else "",
            body="the end of the cold " * int(drawn.integers(1, 4)) + "now " * (n % 9 == 0) + "seldom" * (n % 50 == 0),
            published=date(2000 + int(drawn.integers(15)), 1, 1),
            topics=["News"] if n % 2 else [],
        )
        for n in range(1_500)
    ]
    segments = [builder.build(part) for part in (made[:700], made[700:1_400], made[1_400:])]
    gone = {f"n{n}" for n in drawn.permutation(1_400)[:deleted].tolist()}
    delete(storage, segments[0], gone)
    delete(storage, segments[1], gone)
    expected = builder.build([article for article in made if article.id not in gone])
    assert contents(storage, merge_segments(storage, segments)) == contents(storage, expected)
    assert 1_500 - deleted in parts


def test_merged_positions_may_fall() -> None:
    """Postings whose positions are not in order, as another analysis may leave them, are merged, too."""
    storage = RamStorage()
    segments = []
    for name, positions in (("a", [5, 2, 9]), ("b", [1, 2])):
        segment = ArraySegment("MAIN")
        segment.set_doc_count(1)
        with file_writer(storage, segment, DOCUMENTS_EXTENSION) as documents:
            lines = stored.StoredWriter(documents, STORED)
            lines.add(b"{}")
            lines.close()
            documents.meta["documents"] = 1
        ids = PostingData(counts=np.array([1]), docs=np.array([0], np.int32))
        text = PostingData(
            counts=np.array([1]),
            docs=np.array([0], np.int32),
            occurrences=np.array([len(positions)]),
            positions=np.array(positions),
        )
        with file_writer(storage, segment, TERMS_EXTENSION) as terms:
            write_field(terms, "id", [name.encode()], ids, kind=EXISTENCE)
            write_field(terms, "text", [b"word"], text, kind=POSITIONS)
        segments.append(segment)
    field = open_terms(storage, merge_segments(storage, segments)).field("text")
    assert field is not None
    starts, positions_of = field.lists.positions(0)
    assert (starts.tolist(), positions_of.tolist()) == ([0, 3, 5], [5, 2, 9, 1, 2])


def end_at_once(*_: object) -> None:
    """Ends a fork before it has done anything."""
    os._exit(3)


def no_room(*_: object, **__: object) -> None:
    """What the system says when it has no room."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("fault", ["none", "one process", "a thread", "no process", "no file", "killed", "full disk"])
def test_a_field_that_a_fork_merges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """A merge with a second process, and one whose second process cannot do it, give what one process gives."""
    words = ["platelets", "plasma", "stored", "cold", "for", "the", "of"]
    made = [Article(f"a{n}", words[n % 7], " ".join(words[n % 5 :] * 3), topics=words[: n % 3]) for n in range(60)]
    expected = merged_files(tmp_path / "one", made)
    monkeypatch.setattr(merge, "WORTH_A_FORK", 1)
    monkeypatch.setattr(merged_fields, "_RUN", 50)
    forks: list[bool] = []
    real = field_apart.Fork
    monkeypatch.setattr(field_apart, "Fork", lambda work: (forks.append(True), real(work))[1])
    match fault:
        case "a thread":
            monkeypatch.setattr(threading, "active_count", lambda: 2)
        case "no process":
            monkeypatch.setattr(os, "fork", no_room)
        case "no file":
            monkeypatch.setattr(field_apart, "TemporaryFile", no_room)
        case "killed":
            monkeypatch.setattr(field_apart.FieldApart, "_written", end_at_once)
        case "full disk":
            monkeypatch.setattr(field_apart, "ContainerWriter", no_room)
    assert merged_files(tmp_path / "two", made, processes=1 if fault == "one process" else 2) == expected
    assert forks == ([] if fault in ("one process", "a thread", "no file") else [True])


def merged_files(folder: Path, articles: list[Article], processes: int = 1) -> list[Any]:
    """What is in a merge of three segments of the articles, some of them deleted, and which files are there."""
    folder.mkdir()
    storage = IndexStorage(folder, durable=False)
    builder = SegmentBuilder(storage, Settings())
    segments = [builder.build(articles[first::3]) for first in range(3)]
    segments[1].delete_document(4)
    merged = merge_segments(storage, segments, processes)
    return [contents(storage, merged), len(list(folder.iterdir()))]
