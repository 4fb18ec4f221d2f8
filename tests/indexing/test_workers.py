"""Worker processes: what they build is what one process builds, and nothing is left when they or the caller end."""

import errno
import io
import json
import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

import pytest
from test_against_stock import check_same_contents

from searchkit import Article, open_archive
from searchkit.codec import ArraySegment
from searchkit.errors import ArchiveError, ArticleError, IndexUnwritable, SourceError
from searchkit.indexing import store, worker, worker_process, workers
from searchkit.indexing.batches import BatchLimits, Piece, dealt, pieces
from searchkit.indexing.schema import INDEX_NAME
from searchkit.indexing.storage import IndexStorage
from searchkit.indexing.writer import add_articles, optimize
from searchkit.page.model import AddReport
from searchkit.settings import Settings
from searchkit.sources.articles import SourceArticles
from searchkit.sources.reading import LineBlock

SMALL = BatchLimits(characters=6_000, articles=40, characters_alone=1_000, articles_alone=10, articles_at_once=5)
SETTINGS = Settings(time_zone="Europe/Vienna", max_article_bytes=2_000)
TEXT = "Platelets were stored cold; haemoglobin fell in 2018 (p < 0.05), as Müller's e-mail said. 血液 C++"
WORDS = TEXT.split()


def record(number: int, **fields: object) -> dict[str, object]:
    """An article as a line has it, its text different for each number."""
    body = " ".join(WORDS[number * step % len(WORDS)] for step in range(1, 12 + number % 7))
    return {
        "id": f"a{number}",
        "title": f"Report {number}",
        "body": body,
        "published": f"20{10 + number % 9}-0{number % 8 + 1}-11T23:30:00+00:00" if number % 5 else None,
        "topics": ["Blood & Co", f"Topic {number % 3}"],
        "authors": ["Zoë Roe"],
        "lang": ("en", "de", "fr")[number % 3],
        "n": number,
        **fields,
    }


def write_lines(path: Path, *records: dict[str, object] | str) -> Path:
    """Write JSON Lines: records as JSON, text as it is."""
    lines = (line if isinstance(line, str) else json.dumps(line) for line in records)
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def sources(folder: Path) -> tuple[str, ...]:
    """Several batches: duplicates near and far, things to skip, Markdown in between, a missing file."""
    first = [record(number) for number in range(100)]
    first[20:20] = ["{broken", record(7, title="Later"), "", record(19, title="At once"), '{"id": "x"}']
    second = [record(number) for number in range(100, 160)] + [record(3, title="Last"), record(150, body="x" * 3_000)]
    markdown = folder / "page.md"
    markdown.write_text("---\ntitle: A page\ndate: 2018-06-01\nid: a12\nday: 2018-06-02\n---\nOf Markdown.")
    return (
        str(write_lines(folder / "first.jsonl", *first[:60])),
        str(write_lines(folder / "rest.jsonl", *first[60:])),
        str(folder / "missing.jsonl"),
        str(markdown),
        str(write_lines(folder / "second.jsonl", *second[:30])),
        str(write_lines(folder / "third.jsonl", *second[30:])),
    )


def index_in(folder: Path):
    """A new index."""
    store.create(folder, SETTINGS)
    return store.open_index(folder, SETTINGS)


def file_bytes(folder: Path) -> list[bytes]:
    """The segment files of an index, without their names."""
    return sorted(path.read_bytes() for path in folder.glob(f"{INDEX_NAME}_*.sk?"))


def is_running(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except FileNotFoundError:
            continue
        if parent == pid:
            found.append(int(path.parent.name))
    return found


@pytest.fixture(autouse=True)
def no_process_is_left():
    """No test leaves a process behind."""
    before = set(children(os.getpid()))
    yield
    assert set(children(os.getpid())) <= before


@pytest.fixture(params=["forks", "interpreters"])
def kind_of_worker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """Both kinds of worker processes; only a program that has one thread gets forks."""
    started: list[str] = []
    for kind, name in (("forks", "_Fork"), ("interpreters", "_Interpreter")):
        real = getattr(worker_process, name)
        monkeypatch.setattr(worker_process, name, lambda *args, k=kind, r=real: (started.append(k), r(*args))[1])
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    if request.param == "interpreters":
        thread.start()
    yield request.param
    done.set()
    if thread.ident:
        thread.join()
    assert set(started) == {request.param}


@pytest.mark.usefixtures("kind_of_worker")
@pytest.mark.parametrize("count", [2, 3])
def test_workers_build_what_one_process_builds(tmp_path: Path, count: int) -> None:
    """With any number of workers the merged index, the report and the notes are the same, the files byte for byte."""
    paths = sources(tmp_path)
    results = []
    for number in (1, count):
        folder = tmp_path / f"index{number}"
        index = index_in(folder)
        intake = SourceArticles(paths, SETTINGS, strict=False)
        progress: list[int] = []
        report = add_articles(index, intake, SETTINGS, progress.append, workers=number, limits=SMALL)
        assert progress == sorted(set(progress))
        assert progress[-1] == intake.read == report.added + report.replaced
        notes = (intake.sample_title, list(map(str, intake.skipped)), list(map(str, intake.repeated)))
        with open_archive(str(folder)) as archive:
            page = archive.search("haemoglobin OR platelets", limit=100)
            hits = [(hit.id, hit.title, hit.score) for hit in page.hits]
            titles = [archive.get(article_id).title for article_id in ("a7", "a19", "a3", "a12")]
            archive.optimize()
            archive.add([Article("after", "After")])  # which removes the files that were merged
        results.append((report, notes, hits, titles, page.total, file_bytes(folder)))

    one, several = results
    assert several == one
    report, (title, skipped, repeated), hits, titles, _, files = one
    assert report == AddReport(added=160, replaced=4)
    assert titles == ["Later", "At once", "Last", "A page"]
    assert title == "Report 0"
    assert [note.split(": ")[0].rsplit("/")[-1] for note in skipped] == [
        "first.jsonl:21",
        "first.jsonl:25",
        "missing.jsonl",
        "third.jsonl:32",
    ]
    assert [note.split("/")[-1] for note in repeated] == [
        "first.jsonl:8",
        "first.jsonl:20",
        "first.jsonl:13",
        "first.jsonl:4",
    ]
    assert hits
    assert files


@pytest.mark.usefixtures("kind_of_worker")
def test_articles_of_a_program(tmp_path: Path) -> None:
    """Article objects come out of the workers as they went in, and the progress counts each as it is taken."""
    articles = [
        Article(
            f"a{number % 90}",
            f"Title {number}",
            "Line\u2028one\nline two",
            published=date(2018, 6, 1 + number % 20),
            extra={"day": date(2018, 1, 1), "raw": b"\xff", "!": 1},
        )
        for number in range(100)
    ]
    results = []
    for count in (1, 2):
        index = index_in(tmp_path / str(count))
        progress: list[int] = []
        report = add_articles(index, iter(articles), SETTINGS, progress.append, workers=count, limits=SMALL)
        assert progress == list(range(1, 101))
        optimize(index, SETTINGS)  # what was replaced may lie in other segments
        results.append((report, index))

    with results[0][1].reader() as one, results[1][1].reader() as two:
        check_same_contents(one, two)
    assert results[0][0] == results[1][0]
    assert results[0][0] == AddReport(added=90, replaced=10)
    with open_archive(str(tmp_path / "2")) as archive:
        assert archive.get("a5") == articles[95]
        assert archive.add([articles[5]], workers=2) == AddReport(added=0, replaced=1)


def blocks_of(count: int) -> list[LineBlock]:
    """Blocks of ten lines each."""
    return [LineBlock("a.jsonl", 10 * number + 1, b"{}\n" * 10, 99) for number in range(count)]


def test_all_workers_get_as_much_to_do() -> None:
    """Pieces go to the workers in turn; a last round is not begun for less than a tenth of one."""
    limits = BatchLimits(characters=1_000, articles=80)

    def batches(count: int, workers: int) -> list[list[int]]:
        found: dict[tuple[int, int], list[int]] = {}
        for number, index, piece in dealt(pieces(blocks_of(count), limits), limits, workers):
            found.setdefault((number, index), []).append(piece.number)
        assert list(found) == sorted(found)
        return list(found.values())

    assert batches(3, 1) == [[0, 1, 2]]
    assert batches(5, 2) == [[0, 2, 4], [1, 3]]
    assert batches(5, 8) == [[0], [1], [2], [3], [4]]
    assert [len(batch) for batch in batches(29, 2)] == [8, 8, 7, 6]
    assert [len(batch) for batch in batches(17, 2)] == [9, 8]
    assert [len(batch) for batch in batches(18, 2)] == [8, 8, 1, 1]
    assert [len(batch) for batch in batches(25, 1)] == [8, 8, 8, 1]
    assert batches(0, 2) == []


def test_a_large_piece_counts_as_what_it_is() -> None:
    """The worker that has least gets the next piece, in characters or in articles, whatever is nearer to its limit."""
    limits = BatchLimits(characters=100, articles=10)
    sizes = [(50, 1), (1, 4), (1, 2), (1, 1), (60, 1)]
    dealt_out = dealt([Piece(number, [], [], *size) for number, size in enumerate(sizes)], limits, 2)
    assert [index for _, index, _ in dealt_out] == [0, 1, 1, 0, 0]


@pytest.mark.parametrize("seed", range(5))
def test_whoever_comes_last_stays(tmp_path: Path, seed: int) -> None:
    """Of versions of articles that lie in several batches of several rounds the last stays, as with one worker."""
    drawn = random.Random(seed)
    paths = []
    expected: dict[str, str] = {}
    for number in range(60):
        records = [record(drawn.randrange(70), title=f"{number} {line}") for line in range(drawn.randint(1, 9))]
        expected |= {str(one["id"]): str(one["title"]) for one in records}
        paths.append(str(write_lines(tmp_path / f"{number:02}.jsonl", *records)))
    index = index_in(tmp_path / "index")
    report = add_articles(index, SourceArticles(paths, SETTINGS), SETTINGS, workers=3, limits=SMALL)
    with open_archive(str(tmp_path / "index")) as archive:
        assert {hit.id: hit.title for hit in archive.latest(limit=100)} == expected
        assert not archive.verify().problems
    assert report.added == len(expected)


def refuse_to_fork() -> int:
    """What the system does when it has no room for another process."""
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


@pytest.mark.parametrize("threads", [1, 2])
def test_few_articles_start_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    """A small run pays nothing for workers: it would fail here, with an error that helps, if it started one."""
    monkeypatch.setattr(threading, "active_count", lambda: threads)
    monkeypatch.setattr(os, "fork", refuse_to_fork)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "missing"))
    articles = [Article(f"a{number}", "Title") for number in range(20)]
    index = index_in(tmp_path / "index")

    assert add_articles(index, articles[:9], SETTINGS, workers=2, limits=SMALL).added == 9
    assert add_articles(index, articles, SETTINGS, workers=1, limits=SMALL).added == 11
    with pytest.raises(ArchiveError, match=r"(missing' cannot be started|this process cannot be forked) .* one worker"):
        add_articles(index, articles, SETTINGS, workers=2, limits=SMALL)
    with open_archive(str(tmp_path / "index")) as archive:
        assert archive.stats().articles == 20


@pytest.mark.usefixtures("kind_of_worker")
def test_a_killed_worker(tmp_path: Path) -> None:
    """A worker that is killed is an error that says so; the index is as it was, and no file is left."""
    index = index_in(tmp_path / "index")
    add_articles(index, [Article("before", "Before")], SETTINGS)
    before = sorted(path.name for path in (tmp_path / "index").iterdir())

    def articles():
        for number in range(1_000):
            if number == 300:
                for pid in children(os.getpid()):
                    os.kill(pid, signal.SIGKILL)
            yield Article(f"a{number}", "Title", "Body. " * 30)

    with pytest.raises(ArchiveError, match="a worker process was killed by signal 9; the index is as it was"):
        add_articles(index, articles(), SETTINGS, workers=2, limits=SMALL)

    assert sorted(path.name for path in (tmp_path / "index").iterdir()) == before
    with open_archive(str(tmp_path / "index")) as archive:
        assert archive.stats().articles == 1


@pytest.mark.usefixtures("kind_of_worker")
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_interrupted_while_workers_build(tmp_path: Path, error: type[BaseException]) -> None:
    """What interrupts the articles ends the workers, with no file left."""
    index = index_in(tmp_path / "index")
    before = sorted(path.name for path in (tmp_path / "index").iterdir())

    def articles():
        for number in range(500):
            yield Article(f"a{number}", "Title", "Body. " * 30)
        raise error

    with pytest.raises(error):
        add_articles(index, articles(), SETTINGS, workers=2, limits=SMALL)

    left = {path.name for path in (tmp_path / "index").iterdir()} - {f"{INDEX_NAME}_WRITELOCK"}
    assert left == set(before) - {f"{INDEX_NAME}_WRITELOCK"}


@pytest.mark.parametrize("count", [1, 2])
def test_an_article_that_cannot_be_stored(tmp_path: Path, count: int) -> None:
    """An article whose extras are no data is the same error with and without workers, and no file is left."""
    index = index_in(tmp_path / "index")
    articles = [Article(f"a{number}", "Title", extra={"x": object()} if number == 90 else None) for number in range(99)]

    with pytest.raises(ArticleError, match="object"):
        add_articles(index, articles, SETTINGS, workers=count, limits=SMALL)

    assert file_bytes(tmp_path / "index") == []


@pytest.mark.usefixtures("kind_of_worker")
def test_a_disk_error_in_a_worker(tmp_path: Path) -> None:
    """What keeps a worker from writing is the same error as without workers."""
    index = index_in(tmp_path / "index")

    def articles():
        for number in range(200):
            if number == 20:
                (tmp_path / "index").rename(tmp_path / "moved")
            if number == 199:
                (tmp_path / "moved").rename(tmp_path / "index")
            yield Article(f"a{number}", "Title")
            time.sleep(0.005)

    with pytest.raises(IndexUnwritable, match="MAIN_"):
        add_articles(index, articles(), SETTINGS, workers=2, limits=SMALL)


@pytest.mark.usefixtures("kind_of_worker")
def test_a_worker_ends_with_its_requests(tmp_path: Path) -> None:
    """A worker that is asked for no more ends by itself, though another one goes on."""
    index_in(tmp_path / "index")
    started: list[worker_process.WorkerProcess] = []
    try:
        for _ in range(2):
            started.append(worker_process.start_worker(IndexStorage(tmp_path / "index"), SETTINGS, started))
        started[0].end_requests()
        assert select.select([started[0].replies], [], [], 20)[0], "it has not ended"
        assert started[0].wait() == 0
    finally:
        for process in started:
            process.kill()
            process.close()


def test_a_fork_that_fails_says_why(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error in a fork shows as in any process, and nothing of the program goes on in it."""
    index = index_in(tmp_path / "index")
    articles = [Article(f"a{number}", "Title") for number in range(200)]
    monkeypatch.setattr(worker.PartsBuilder, "build", lambda *_: 1 // 0)

    def program() -> None:
        try:
            add_articles(index, articles, SETTINGS, workers=2, limits=SMALL)
        finally:
            print("the program goes on", flush=True)

    with pytest.raises(ArchiveError, match="a worker process ended with status 1"):
        program()

    output, errors = capfd.readouterr()
    assert output == "the program goes on\n"
    assert "ZeroDivisionError" in errors


def test_strict_is_kept_with_workers(tmp_path: Path) -> None:
    """What a worker skips is known before the commit."""
    index = index_in(tmp_path / "index")
    with pytest.raises(SourceError, match=r"4 of 168 could not be read"):
        add_articles(index, SourceArticles(sources(tmp_path), SETTINGS, strict=True), SETTINGS, workers=2, limits=SMALL)
    assert index.latest_generation() == 0


SCRIPT = """
import sys, time
sys.path.insert(0, {package!r})
from pathlib import Path
from searchkit import Article
from searchkit.indexing import store
from searchkit.indexing.batches import BatchLimits, Piece, dealt, pieces
from searchkit.indexing.writer import add_articles, optimize
from searchkit.settings import Settings

def articles():
    for number in range(2_000):
        if number == 500:
            print("started", flush=True)
            for _ in range({pause} * 50):  # a signal just before one long sleep would wait for its end
                time.sleep(0.02)
        yield Article(f"a{{number}}", "Title", "Body. " * 30)

store.create(Path("index"), Settings())
index = store.open_index(Path("index"), Settings())
limits = BatchLimits(characters=20_000, articles=100, characters_alone=1_000, articles_alone=10, articles_at_once=5)
print(add_articles(index, articles(), Settings(), workers=2, limits=limits).added)
"""
"""A program without a __main__ guard, which finds searchkit by its own path only."""


def start(folder: Path, pause: float) -> subprocess.Popen[str]:
    """Start the program in a folder."""
    package = str(Path(workers.__file__).parents[2])
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    (folder / "json.py").write_text("raise SystemExit('imported from the current folder')")
    (folder / "programs").mkdir()
    (folder / "programs" / "program.py").write_text(SCRIPT.format(package=package, pause=pause))
    command = [sys.executable, "programs/program.py"]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=pipe, stderr=pipe, start_new_session=True
    )


def test_a_program_that_finds_searchkit_by_its_own_path(tmp_path: Path) -> None:
    """Workers import what the program imports, need no guard in it, and take nothing from the current folder."""
    with start(tmp_path, 0) as process:
        output, errors = process.communicate(timeout=60)

    assert (output, errors) == ("started\n2000\n", "")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_ending_the_program_ends_its_workers(tmp_path: Path, how: signal.Signals) -> None:
    """Ctrl-C leaves no process and no file; a kill leaves no process, and files that the next commit removes."""
    with start(tmp_path, 60) as process:
        assert process.stdout.readline() == "started\n"
        pids = children(process.pid)
        if how == signal.SIGINT:
            os.killpg(process.pid, how)  # as a terminal does
        else:
            process.send_signal(how)
        _, errors = process.communicate(timeout=60)

    assert len(pids) == 2
    assert errors.count("Traceback") == (how == signal.SIGINT)
    ends = time.monotonic() + 30
    while any(map(is_running, pids)):
        assert time.monotonic() < ends
        time.sleep(0.02)
    folder = tmp_path / "index"
    if how == signal.SIGINT:
        assert not list(folder.glob("*.sk*"))
    else:
        assert list(folder.glob("*.sk*"))
        add_articles(store.open_index(folder, Settings()), [Article("new", "New")], Settings())
        assert len(list(folder.glob("*.sk*"))) == 2


SYNCS = """
import os, sys
from searchkit.indexing import worker
real = os.fsync
def fsync(descriptor):
    sys.stderr.write("synced\\n")
    real(descriptor)
os.fsync = fsync
worker.main()
"""


@pytest.mark.parametrize("durable", [True, False])
def test_what_a_worker_writes_is_synced_as_the_commit_is(tmp_path: Path, durable: bool) -> None:
    """A power cut finds the segments of workers on disk, unless syncing is switched off."""
    index_in(tmp_path / "index")
    storage = IndexStorage(tmp_path / "index", durable=durable)
    requests = io.BytesIO()
    worker.write_start(requests, storage, SETTINGS)
    worker.write_batch(requests, ArraySegment(INDEX_NAME), [[Article("a", "Title")]])

    done = subprocess.run([sys.executable, "-c", SYNCS], input=requests.getvalue(), capture_output=True, check=True)

    assert done.stderr.count(b"synced") == (2 if durable else 0)
