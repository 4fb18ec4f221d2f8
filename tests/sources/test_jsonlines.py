"""Reading JSON Lines: keys, bad lines, compression, sizes."""

import gzip
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.article import Article
from searchkit.settings import Settings
from searchkit.sources import Found, Reading, Skipped, read_sources, unread_sources
from searchkit.sources.jsonlines import _read_slowly, _whole_lines, read_lines
from searchkit.sources.reading import LineBlock

GOOD = b'{"id": "good", "title": "Good"}\n'


def read(path: Path, **settings: Any) -> list[Reading]:
    return list(read_sources([path], settings=Settings(**settings)))


def read_bytes(folder: Path, content: bytes, name: str = "a.jsonl", **settings: Any) -> list[Reading]:
    path = folder / name
    path.write_bytes(content)
    return read(path, **settings)


def ids(readings: list[Reading]) -> list[str]:
    return [reading.article.id for reading in readings if isinstance(reading, Found)]


def article_of(folder: Path, record: dict[str, Any]) -> Article:
    [found] = read_bytes(folder, json.dumps(record).encode())
    assert isinstance(found, Found), found
    return found.article


def test_every_key_has_its_field(tmp_path: Path) -> None:
    """The keys of the contract fill the article and unknown keys are kept."""
    record = {
        "id": "a1", "title": "T", "body": "B", "published": "2017-08-23", "topics": ["News"],
        "authors": ["X"], "kind": "news", "url": "https://e.org", "summary": "S", "language": "en",
        "updated": "2018-01-01", "doi": "d",
    }  # fmt: skip

    assert article_of(tmp_path, record) == Article(
        "a1", "T", "B", published="2017-08-23", topics=["News"], authors=["X"], kind="news", url="https://e.org",
        summary="S", language="en", updated="2018-01-01", extra={"doi": "d"},
    )  # fmt: skip


def test_second_names_of_keys(tmp_path: Path) -> None:
    """text, date, author and lang stand for body, published, authors and language."""
    article = article_of(tmp_path, {"id": "a", "text": "B", "date": "2017-08-23", "author": "Doe, Jane", "lang": "de"})

    assert (article.body, str(article.published)) == ("B", "2017-08-23")
    assert (article.authors, article.language, article.extra) == (("Doe, Jane",), "de", {})


def test_of_two_names_the_first_counts(tmp_path: Path) -> None:
    """Where both names are there the other one is kept as an extra."""
    article = article_of(tmp_path, {"id": "a", "body": "B", "text": "T"})

    assert (article.body, article.extra) == ("B", {"text": "T"})


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"id": 17, "title": "t"}, "17"),
        ({"url": "https://e.org/1", "title": "t"}, "https://e.org/1"),
        ({"id": "", "url": "https://e.org/1", "title": "t"}, "https://e.org/1"),
    ],
)
def test_ids(tmp_path: Path, record: dict[str, Any], expected: str) -> None:
    """Numbers become text, and a url serves as id where there is none."""
    assert article_of(tmp_path, record).id == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": "a", "title": }', "is not valid JSON: expecting value at column 22"),
        (b'{"id": "a"', "is not valid JSON"),
        (b'[{"id": "a"}]', "holds a list; an article is an object"),
        (b"17", "holds a number"),
        (b"null", "holds only null"),
        (b'{"title": "t"}', "has no id"),
        (b'{"id": true, "title": "t"}', "id must be text"),
        (b'{"id": "a"}', "neither title nor body"),
        (b'{"id": "a", "title": 3}', "title must be text, not int"),
        (b'{"id": "a", "title": "t", "date": "yesterday"}', "published: 'yesterday' is not a date"),
        (b'{"id": "a", "title": "t", "topics": {"x": 1}}', "topics must be a list"),
        (b'{"id": "a", "title": "caf\xe9"}', "is not UTF-8: byte 0xe9 at column 26"),
        (b'{"id": "a", "title": "x\x00y"}', "is not valid JSON: invalid control character"),
        (b'{"id": "a", "x": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"id": ' + b"9" * 5000 + b', "title": "t"}', "cannot be read"),
    ],
)
def test_a_bad_line_is_reported_and_the_others_read(tmp_path: Path, line: bytes, reason: str) -> None:
    """What is wrong with a line is said with its number; the lines around it are articles."""
    before, skipped, after = read_bytes(tmp_path, GOOD + line + b"\n" + GOOD.replace(b"good", b"next"))

    assert isinstance(before, Found)
    assert isinstance(after, Found)
    assert isinstance(skipped, Skipped)
    assert reason in skipped.reason
    assert str(skipped.place) == f"{tmp_path / 'a.jsonl'}:2"


def test_blank_lines_and_line_ends(tmp_path: Path) -> None:
    """Blank lines count but say nothing; a byte order mark, CRLF and a missing last newline do no harm."""
    content = b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n") + b"\r\n  \n" + GOOD.replace(b"good", b"last").strip()

    readings = read_bytes(tmp_path, content)

    assert ids(readings) == ["good", "last"]
    assert [reading.place.line for reading in readings] == [1, 4]


def test_numbers_that_are_no_json_become_null(tmp_path: Path) -> None:
    """NaN and infinities, which some exporters write, do not get into extras."""
    [found] = read_bytes(tmp_path, b'{"id": "a", "title": "t", "x": NaN, "y": [-Infinity, 1e999, 1.5]}')

    assert isinstance(found, Found)
    assert found.article.extra == {"x": None, "y": [None, None, 1.5]}


def test_escaped_nul_and_lone_surrogates_are_read(tmp_path: Path) -> None:
    """Escapes that are valid JSON but no good text do not stop an article."""
    [found] = read_bytes(tmp_path, rb'{"id": "a", "title": "x\ud800", "body": "a\u0000b"}')

    assert isinstance(found, Found)
    assert (found.article.title, found.article.body) == ("x\ufffd", "a\0b")


@pytest.mark.parametrize("ending", ["jsonl.gz", "ndjson.gz", "jsonl"])
def test_gzip_is_seen_by_its_first_bytes(tmp_path: Path, ending: str) -> None:
    """Compressed files of one or several members are read, padding between them too."""
    content = gzip.compress(GOOD) + b"\0" * 100 + gzip.compress(GOOD.replace(b"good", b"next"))

    assert ids(read_bytes(tmp_path, content, f"a.{ending}")) == ["good", "next"]


def many(count: int) -> bytes:
    return b"".join(json.dumps({"id": f"a{n}", "title": f"{n * 7919} ßtitle"}).encode() + b"\n" for n in range(count))


def test_a_truncated_gzip_keeps_what_was_read(tmp_path: Path) -> None:
    """The articles before the cut are there, and the report names the line of the cut."""
    packed = gzip.compress(many(5000))

    *found, last = read_bytes(tmp_path, packed[: len(packed) // 2], "a.jsonl.gz")

    assert ids(found) == [f"a{n}" for n in range(len(found))]
    assert len(found) > 2000
    assert isinstance(last, Skipped)
    assert "ends in the middle" in last.reason
    assert last.place.line == len(found) + 1


@pytest.mark.parametrize("damage", [-8, -5])
def test_a_wrong_checksum_is_reported_after_all_articles(tmp_path: Path, damage: int) -> None:
    """A gzip file whose checksum or length does not fit has its articles read and its damage said."""
    packed = bytearray(gzip.compress(many(3)))
    packed[damage] ^= 0xFF

    *found, last = read_bytes(tmp_path, bytes(packed), "a.jsonl.gz")

    assert ids(found) == ["a0", "a1", "a2"]
    assert isinstance(last, Skipped)
    assert "damaged" in last.reason


def test_what_is_no_gzip_after_all(tmp_path: Path) -> None:
    """Plain JSON Lines under a .gz name are read as what they are."""
    assert ids(read_bytes(tmp_path, GOOD, "a.jsonl.gz")) == ["good"]


def test_an_oversized_line_is_skipped_unread(tmp_path: Path) -> None:
    """A line over the limit is reported with its number and the next is read; one at the limit is read."""
    exact = json.dumps({"id": "exact", "title": "x" * 500}).encode()
    long = json.dumps({"id": "long", "title": "x" * 300_000}).encode()

    readings = read_bytes(tmp_path, exact + b"\n" + long + b"\n" + GOOD, max_article_bytes=len(exact))

    assert ids(readings) == ["exact", "good"]
    assert isinstance(readings[1], Skipped)
    assert readings[1].place.line == 2
    assert "max_article_bytes" in readings[1].reason


@pytest.mark.parametrize(("content", "reason"), [(b"", "is empty"), (GOOD.decode().encode("utf-16"), "UTF-16")])
def test_whole_files_that_hold_nothing(tmp_path: Path, content: bytes, reason: str) -> None:
    """An empty file and one in UTF-16 are reported once."""
    [skipped] = read_bytes(tmp_path, content)

    assert isinstance(skipped, Skipped)
    assert reason in skipped.reason


@given(
    st.binary(max_size=60).map(lambda b: b.replace(b"\r", b"\n")),
    st.integers(1, 9),
    st.integers(1, 12),
    st.integers(1, 30),
)
def test_blocks_have_the_lines_of_a_stream(content: bytes, step: int, limit: int, block_bytes: int) -> None:
    """Cutting a stream into pieces and blocks never changes its lines; those over the limit stay over it."""
    pieces = (content[at : at + step] for at in range(0, len(content), step))
    blocks = list(_whole_lines(pieces, limit, block_bytes))
    expected = content.removesuffix(b"\n").split(b"\n") if content else []
    lines = [line for block in blocks for line in block.removesuffix(b"\n").split(b"\n")]

    assert all(block.endswith(b"\n") for block in blocks[:-1])
    assert all(len(block) <= block_bytes + step + limit + 1 for block in blocks)
    assert len(lines) == len(expected)
    for line, whole in zip(lines, expected, strict=True):
        assert line == whole if len(whole) <= limit else whole.startswith(line) and len(line) > limit


def test_blocks_are_numbered_through_a_file(tmp_path: Path) -> None:
    """The blocks of a long file begin at the right lines, and what is behind them is still reported."""
    lines = [b'{"id": "%d", "title": "%s"}\n' % (number, b"t" * 1000) for number in range(3000)]
    packed = gzip.compress(b"".join(lines), compresslevel=1)
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(packed[:-9])

    *blocks, damage = unread_sources([path], settings=Settings())

    assert len(blocks) == 12
    for block, after in pairwise(blocks):
        assert isinstance(block, LineBlock)
        assert isinstance(after, LineBlock)
        assert after.first_line == block.first_line + block.line_count
    assert isinstance(damage, Skipped)
    readings = read(path)
    numbers = [int(reading.article.id) for reading in readings if isinstance(reading, Found)]
    assert numbers == list(range(len(readings) - 1))
    assert readings[-1] == damage
    assert damage.place.line == len(readings)


@given(st.binary(max_size=200))
def test_no_bytes_raise(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Any bytes at all give readings, never an error, compressed or not."""
    folder = tmp_path_factory.mktemp("any")
    read_bytes(folder, content)
    read_bytes(folder, b"\x1f\x8b" + content, "b.jsonl.gz")
    read_bytes(folder, gzip.compress(content)[: len(content)], "c.jsonl.gz")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
records = st.dictionaries(
    st.sampled_from(["id", "title", "body", "text", "date", "topics", "author", "url", "lang", "x", "!x"]),
    json_values | st.sampled_from(["a", "2017-08-23", ["News", "a  b"]]),
)


@given(records | json_values, st.booleans())
def test_a_line_is_read_as_the_standard_library_reads_it(record: Any, is_ascii: bool) -> None:
    """Quick reading gives the same article, numbers of any size included, or the same reason."""
    line = json.dumps(record, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")

    [(number, read)] = read_lines(LineBlock("a.jsonl", 7, line, 1 << 20))
    assert (number, read) == (7, _read_slowly(line))


@pytest.mark.parametrize(
    "value", ["123456789012345678901", "-9223372036854775809", "1e300", "[[18446744073709551616]]"]
)
@pytest.mark.parametrize("key", ["id", "x"])
def test_numbers_are_kept_to_the_last_digit(key: str, value: str) -> None:
    """Integers beyond 64 bits do not become floats."""
    line = f'{{"id": "a", "title": "t", "{key}": {value}}}'.encode()

    assert [read for _, read in read_lines(LineBlock("a.jsonl", 1, line, 1 << 20))] == [_read_slowly(line)]
