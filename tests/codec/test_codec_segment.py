"""A segment's state, its files, and many threads reading them."""

import pickle
import pickletools
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from whoosh import fields, formats, query
from whoosh.filedb.filestore import FileStorage

from searchkit.codec import ArrayCodec, ArraySegment
from searchkit.codec.segment import DocumentFile, TermFile, check_segment_state, pack_deletions, unpack_deletions
from searchkit.codec.whoosh_codec import open_documents, open_terms
from searchkit.errors import IndexCorrupt
from searchkit.indexing.pickles import Source, read_pickle

GOOD = {"index": "MAIN", "id": "0123456789abcdef", "documents": 10, "deleted": b"n"}


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)))))
def test_deletions_survive(drawn: tuple[int, set[int]]) -> None:
    """Any set of deletions comes back, few as numbers and many as a bitmap."""
    documents, deleted = drawn
    packed = pack_deletions(deleted, documents)
    assert unpack_deletions(packed, documents) == deleted
    assert packed[:1] == (b"b" if len(deleted) * 32 > documents else b"n")


def test_the_state_is_plain() -> None:
    """What Whoosh pickles of a segment is strings, a number and bytes, and one class of ours."""
    segment = ArraySegment("MAIN")
    segment.set_doc_count(10)
    segment.delete_document(3)
    segment.delete_document(4)
    segment.delete_document(4, delete=False)
    pickled = pickle.dumps([segment], 2)
    names = {arg for code, arg, _ in pickletools.genops(pickled) if code.name == "GLOBAL"}
    assert names <= {"searchkit.codec.whoosh_codec ArraySegment", "copy_reg _reconstructor", "_codecs encode"}
    (record,) = read_pickle(Source(pickle.dumps([segment], -1)))
    back = ArraySegment("MAIN")
    back.__setstate__(record.state)
    assert back == segment
    assert (back.doc_count_all(), back.doc_count(), sorted(back.deleted_docs())) == (10, 9, [3])
    assert back.live().tolist() == [docnum != 3 for docnum in range(10)]
    with pytest.raises(IndexError, match="no document 10 among 10"):
        segment.delete_document(10)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "../../etc/passwd"},
        {"id": "0123456789abcdeF"},
        {"id": "0123456789abcdef\n"},
        {"id": 5},
        {"index": "a/b"},
        {"index": ""},
        {"index": None},
        {"documents": -1},
        {"documents": 2**40},
        {"documents": True},
        {"documents": "10"},
        {"deleted": b"n\x0a\0\0\0"},
        {"deleted": b"n\x01\0\0\0\x01\0\0\0"},
        {"deleted": b"n\x01\0\0"},
        {"deleted": b"b\xff\xff\xff"},
        {"deleted": b"b\0\xff"},
        {"deleted": b"x"},
        {"deleted": b""},
        {"deleted": [1]},
        {"more": 1},
    ],
)
def test_a_hostile_state_is_refused(change: dict[str, Any]) -> None:
    """A state with a path in its id, impossible counts or deletions gives IndexCorrupt."""
    with pytest.raises(IndexCorrupt, match="segment state"):
        check_segment_state({**GOOD, **change})
    assert check_segment_state(GOOD) == ("MAIN", "0123456789abcdef", 10, set())


@pytest.mark.parametrize("state", [None, [], 5, {}, {"index": "MAIN"}])
def test_a_foreign_state_is_refused(state: Any) -> None:
    """So does anything that is not a state at all."""
    with pytest.raises(IndexCorrupt, match="segment state"):
        ArraySegment("MAIN").__setstate__(state)


def archive(folder: Path, documents: int) -> Any:
    random = Random(1)
    words = [f"word{int(random.paretovariate(0.7)) % 500}" for _ in range(5000)]
    made = FileStorage(str(folder)).create_index(
        fields.Schema(
            id=fields.ID(stored=True),
            body=fields.TEXT(stored=True),
            n=fields.NUMERIC(sortable=True, stored=True),
        )
    )
    writer = made.writer(codec=ArrayCodec())
    for number in range(documents):
        text = " ".join(random.choices(words, k=random.randint(1, 60)))
        writer.add_document(id=f"a{number}", body=text, n=number % 7)
    writer.commit()
    return made


def test_a_segment_is_two_files(tmp_path: Path) -> None:
    """A commit leaves two files a segment, named so that Whoosh cleans them up, and no temporary ones."""
    made = archive(tmp_path, 20)
    names = sorted(
        path.name for path in tmp_path.iterdir() if path.name.startswith("MAIN_") and "LOCK" not in path.name
    )
    (segment,) = made._segments()
    assert names == [f"{segment.segment_id()}.skd", f"{segment.segment_id()}.skt"]
    made.writer(codec=ArrayCodec()).commit(mergetype=lambda writer, segments: [])
    assert not list(tmp_path.glob("*.sk*"))


def test_every_file_is_synced_before_it_gets_its_name(tmp_path: Path) -> None:
    """The hook for durability sees each complete file while only its temporary name exists."""
    seen = []

    def sync(file: Any) -> None:
        temporary = Path(file.raw_file().name)
        seen.append((temporary.name[-8:], temporary.stat().st_size, temporary.with_suffix("").exists()))

    made = FileStorage(str(tmp_path)).create_index(fields.Schema(body=fields.TEXT))
    writer = made.writer(codec=ArrayCodec(sync=sync))
    writer.add_document(body="blood")
    writer.commit()
    sizes = {path.suffix: path.stat().st_size for path in tmp_path.glob("*.sk?")}
    assert {name: size for name, size, _ in seen} == {f"{suffix}.tmp": size for suffix, size in sizes.items()}
    assert not any(exists for _, _, exists in seen)


def test_arrays_are_reached_without_whoosh(tmp_path: Path) -> None:
    """The readers below Whoosh give terms, postings, lengths and columns as arrays."""
    made = archive(tmp_path, 300)
    (segment,) = made._segments()
    terms, documents = open_terms(made.storage, segment), open_documents(made.storage, segment)
    field = terms.field("body")
    assert field is not None
    assert terms.field("nothing") is None
    with made.reader() as reader:
        for term in reader.lexicon("body"):
            ordinal = field.terms.find(term)
            assert ordinal is not None
            assert field.lists.docs(ordinal).tolist() == list(reader.postings("body", term).all_ids())
    signed = documents.columns.numbers("n").astype(np.int64) - 2**31  # Whoosh's sortable form
    assert signed.tolist() == [number % 7 for number in range(300)]
    assert len(documents.length_codes("body")) == 300
    documents.container.verify()
    terms.container.verify()


def test_threads_get_the_answers_of_one(tmp_path: Path) -> None:
    """One searcher shared by 8 threads gives what it gives to one."""
    made = archive(tmp_path, 500)
    questions = [query.Term("body", f"word{n}") for n in range(40)]
    questions += [query.Phrase("body", [f"word{n}", f"word{n + 1}"]) for n in range(1, 12)]
    questions += [query.Prefix("body", f"word{n}") for n in range(1, 6)]

    def answer(searcher: Any, question: query.Query) -> list[Any]:
        hits = searcher.search(question, limit=None, sortedby="n")
        return [(hit["id"], hit["n"], hit["body"]) for hit in hits]

    with made.searcher() as searcher:
        expected = [answer(searcher, question) for question in questions]
    with made.searcher() as shared, ThreadPoolExecutor(8) as pool:
        jobs = [(number, pool.submit(answer, shared, questions[number])) for number in list(range(len(questions))) * 2]
        for number, job in jobs:
            assert job.result() == expected[number]


@pytest.fixture
def eager_switching() -> Iterator[None]:
    """Threads take turns every few instructions, so that what two must not do at once they do."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager_switching")
def test_threads_share_whooshs_searcher_from_its_first_use(tmp_path: Path) -> None:
    """Eight threads that begin at once on a searcher nobody has used get what one thread gets, of every kind."""
    schema = fields.Schema(
        id=fields.ID(stored=True),
        body=fields.TEXT(stored=True, vector=formats.Frequency(), spelling=True),
        tag=fields.KEYWORD(sortable=True),
        n=fields.NUMERIC(sortable=True, stored=True),
    )
    made = FileStorage(str(tmp_path)).create_index(schema)
    random = Random(2)
    for batch in range(3):
        writer = made.writer(codec=ArrayCodec())
        for number in range(50):
            text = " ".join(f"word{int(random.paretovariate(0.8)) % 90}" for _ in range(random.randint(1, 30)))
            writer.add_document(id=f"a{batch}-{number}", body=text, tag=f"t{number % 5}", n=number)
        writer.commit(merge=False)
    asked = [query.Term("body", f"word{n}") for n in range(1, 9)]
    asked += [query.Phrase("body", ["word1", f"word{n}"], slop=3) for n in (1, 2, 3)]
    asked += [
        query.Prefix("body", "word1"),
        query.And(asked[:2]),
        query.Not(asked[0]),
        query.FuzzyTerm("body", "wort2"),
    ]

    def use(searcher: Any) -> list[Any]:
        reader = searcher.reader()
        found: list[Any] = []
        for question in asked:
            found.append([(hit.docnum, hit.score, hit["body"]) for hit in searcher.search(question, limit=None)])
            found.append([hit["id"] for hit in searcher.search(question, limit=9, sortedby=["tag", "n"])])
        found.append([(term, info.weight(), info.max_length()) for term, info in reader])
        found.append([list(reader.vector_as("frequency", docnum, "body")) for docnum in range(0, 150, 7)])
        found.append([reader.doc_field_length(docnum, "body") for docnum in range(150)])
        found.append(list(reader.corrector("body").suggest("wrod1", limit=3)))
        return found

    with made.searcher() as alone:
        expected = use(alone)
    for _ in range(3):
        start = Barrier(8)

        def begin(searcher: Any, start: Barrier = start) -> list[Any]:
            start.wait()
            return use(searcher)

        with made.searcher() as shared, ThreadPoolExecutor(8) as pool:
            jobs = [pool.submit(begin, shared) for _ in range(8)]
            assert [job.result() == expected for job in jobs] == [True] * 8


@pytest.mark.usefixtures("eager_switching")
def test_threads_share_the_files_of_a_segment(tmp_path: Path) -> None:
    """What the search engine itself reads, without Whoosh, is the same for eight threads at once as for one."""
    made = archive(tmp_path, 400)
    (segment,) = made._segments()

    def read(terms: TermFile, documents: DocumentFile) -> list[Any]:
        field = terms.field("body")
        assert field is not None
        ordinals = [field.terms.find(b"word%d" % n) for n in range(1, 60)]
        known = [ordinal for ordinal in ordinals if ordinal is not None]
        found: list[Any] = [ordinals, field.terms.at(np.array(known)), field.terms.terms(0, len(field.terms))]
        for ordinal in known:
            found += [field.lists.docs(ordinal).tolist(), field.lists.weights(ordinal).tolist()]
            found += [part.tolist() for part in field.lists.positions(ordinal)]
        found.append([documents.stored.fields(docnum) for docnum in range(0, 400, 3)])
        found.append([documents.length_codes("body").tolist(), documents.columns.numbers("n").tolist()])
        return found

    expected = read(open_terms(made.storage, segment), open_documents(made.storage, segment))
    for _ in range(4):
        shared = open_terms(made.storage, segment), open_documents(made.storage, segment)
        with ThreadPoolExecutor(8) as pool:
            jobs = [pool.submit(read, *shared) for _ in range(8)]
            assert [job.result() == expected for job in jobs] == [True] * 8


def test_opening_does_not_read_the_segment(tmp_path: Path) -> None:
    """Opening costs the same for a large segment as for a small one: milliseconds."""
    made = archive(tmp_path, 3000)
    (segment,) = made._segments()
    best = np.inf
    for _ in range(20):
        started = time.perf_counter()
        open_terms(made.storage, segment)
        open_documents(made.storage, segment)
        best = min(best, time.perf_counter() - started)
    assert best < 0.005
