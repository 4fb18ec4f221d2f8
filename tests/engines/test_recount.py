"""Thirty searches of Reuters, recounted from the JSON by loops that know nothing of the index."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from searchkit.engines.local import LocalArchive, open_local
from searchkit.settings import Settings
from searchkit.sources import read_sources
from searchkit.sources.reading import Found

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

Record = dict[str, str | list[str]]


@pytest.fixture(scope="module")
def records(data_folder: Path) -> list[Record]:
    """The articles as the file has them."""
    with gzip.open(data_folder / "corpora" / "reuters.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def archive(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalArchive]:
    """The archive made from the file."""
    folder = tmp_path_factory.mktemp("reuters") / "index"
    settings = Settings()
    readings = read_sources([data_folder / "corpora" / "reuters.jsonl.gz"], settings=settings)
    with open_local(str(folder), create=True, settings=settings) as made:
        made.add(reading.article for reading in readings if isinstance(reading, Found))
        yield made


def text(record: Record) -> str:
    """Title and body in small letters, a bar between them."""
    return f"{record['title']} | {record['body']}".lower()


def words(pattern: str) -> Callable[[Record], bool]:
    """Whether the pattern stands in the text as a whole word."""
    compiled = re.compile(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])")
    return lambda record: bool(compiled.search(text(record)))


def both(*tests: Callable[[Record], bool]) -> Callable[[Record], bool]:
    """Whether all hold."""
    return lambda record: all(test(record) for test in tests)


def either(*tests: Callable[[Record], bool]) -> Callable[[Record], bool]:
    """Whether one holds."""
    return lambda record: any(test(record) for test in tests)


def no(test: Callable[[Record], bool]) -> Callable[[Record], bool]:
    """Whether it does not hold."""
    return lambda record: not test(record)


def topic(*names: str) -> Callable[[Record], bool]:
    """Whether filed under one of the topics."""
    return lambda record: bool(set(names) & set(record["topics"]))


def dated(first: str, last: str) -> Callable[[Record], bool]:
    """Whether published from the first to the last day, both included."""
    return lambda record: first <= str(record["date"]) <= last


# Words whose stem no other word of the collection shares, so that letters are enough to count them.
SEARCHES: list[tuple[str, dict[str, object], Callable[[Record], bool]]] = [
    ("", {}, lambda record: True),
    ("opec", {}, words("opec")),
    ("OPEC", {}, words("opec")),
    ("bundesbank", {}, words("bundesbank")),
    ("the", {}, words("the")),
    ("gatt", {}, words("gatt")),
    ("iran iraq", {}, both(words("iran"), words("iraq"))),
    ("iran OR iraq", {}, either(words("iran"), words("iraq"))),
    ("iran -iraq", {}, both(words("iran"), no(words("iraq")))),
    ("-the", {}, no(words("the"))),
    ("opec NOT quota*", {}, both(words("opec"), no(words("quota[a-z0-9]*")))),
    ("tokyo (dollar OR yen)", {}, both(words("tokyo"), words("dollars?|yens?"))),
    ('"bank of japan"', {}, words(r"bank\s+of\s+japan")),
    ('"paul volcker"', {}, words(r"paul\s+volcker")),
    ('-"bank of japan" tokyo', {}, both(no(words(r"bank\s+of\s+japan")), words("tokyo"))),
    ("petro*", {}, words("petro[a-z0-9]*")),
    ("sorgh*", {}, words("sorgh[a-z0-9]*")),
    ("title:opec", {}, lambda record: bool(re.search(r"(?<![a-z0-9])opec(?![a-z0-9])", str(record["title"]).lower()))),
    ("topic:crude", {}, topic("crude")),
    ("opec topic:crude", {}, both(words("opec"), topic("crude"))),
    ("", {"topics": ["crude", "nat-gas"]}, topic("crude", "nat-gas")),
    ("", {"topics": ["crude"], "exclude_topics": ["ship"]}, both(topic("crude"), no(topic("ship")))),
    ("tokyo", {"exclude_topics": ["money-fx"]}, both(words("tokyo"), no(topic("money-fx")))),
    ("", {"since": "1987-03-01", "until": "1987-03-15"}, dated("1987-03-01", "1987-03-15")),
    ("", {"until": "1987-03"}, dated("0", "1987-03-31")),
    ("", {"since": "1987-06"}, dated("1987-06-01", "9")),
    ("opec", {"since": "1987-04", "until": "1987-06"}, both(words("opec"), dated("1987-04-01", "1987-06-30"))),
    ("opec date:1987-04", {}, both(words("opec"), dated("1987-04-01", "1987-04-30"))),
    ("topic:earn since:1987-04-07 until:1987-04-08", {}, both(topic("earn"), dated("1987-04-07", "1987-04-08"))),
    ("bundesbank", {"topics": "interest", "since": 1987}, both(words("bundesbank"), topic("interest"))),
    ("nosuchword", {}, lambda record: False),
    ("zzz*", {}, words("zzz[a-z0-9]*")),
]


def test_the_archive_has_every_article_of_the_file(archive: LocalArchive) -> None:
    """20,841 lines give 20,841 articles."""
    assert archive.count() == archive.stats().articles == 20_841


@pytest.mark.parametrize(("query", "filters", "is_match"), SEARCHES, ids=lambda value: str(value)[:40])
def test_totals_topics_and_months_equal_a_recount(
    archive: LocalArchive,
    records: list[Record],
    query: str,
    filters: dict[str, object],
    is_match: Callable[[Record], bool],
) -> None:
    """Total, count of each topic and count of each month are those of the matching lines of the file."""
    matching = [record for record in records if is_match(record)]
    page = archive.search(query, **filters, timeline="month", limit=3)  # type: ignore[arg-type]

    assert page.total == len(matching)
    topics = Counter(name for record in matching for name in set(record["topics"]))
    assert {value.value: value.count for value in page.facets["topics"]} == topics
    months = Counter(date.fromisoformat(str(record["date"])).replace(day=1) for record in matching)
    assert {bucket.start: bucket.count for bucket in page.timeline if bucket.count} == months
