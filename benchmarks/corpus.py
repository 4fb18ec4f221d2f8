"""The articles that are measured: a part of a corpus on disk, and a corpus several times over.

    python -m benchmarks.corpus ../shared/corpora/arxiv_100k.jsonl.gz arxiv_400k.jsonl --times 4

A copy of a corpus has new ids, other dates and the sentences of each body in another order, so that no engine profits
from texts it has seen, while words, lengths and topics stay what they are.
"""

import argparse
import gzip
import json
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
SEED = 20240515
YEAR_DAYS = 365
OTHER_NAMES = {"text": "body", "published": "date", "authors": "author", "language": "lang"}
"""Keys that an archive reads too; a selection has them under one name, so that every engine finds them."""


@dataclass(frozen=True)
class Selection:
    """Articles on disk as plain JSON Lines: how many, and how many bytes of title, summary and body."""

    name: str
    path: Path
    articles: int
    text_bytes: int


@contextmanager
def open_lines(path: Path) -> Iterator[TextIO]:
    """A corpus as lines of text, compressed or plain."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield lines


def corpus_name(path: Path) -> str:
    """The name of a corpus: its file without endings."""
    return path.name.split(".")[0]


def select(path: Path, limit: int | None, folder: Path) -> Selection:
    """Write ``limit`` articles, spread evenly over the corpus, into ``folder``; all of them without a limit.

    Every engine reads this plain file: decompression is no engine's work, nor are two names for one key. Evenly,
    because corpora lie in some order (arXiv's by subject), and their beginning is not like the whole.
    """
    with open_lines(path) as lines:
        total = sum(1 for line in lines if line.strip())
    wanted = min(limit or total, total)
    out = folder / f"{corpus_name(path)}-{wanted}.jsonl"
    text_bytes = number = taken = 0
    with open_lines(path) as lines, out.open("w", encoding="utf-8") as chosen:
        for line in filter(str.strip, lines):
            if number * wanted // total == taken and taken < wanted:
                taken += 1
                record = json.loads(line)
                if OTHER_NAMES.keys() & record.keys():
                    record = {OTHER_NAMES.get(key, key): value for key, value in record.items()}
                    line = json.dumps(record, ensure_ascii=False)
                chosen.write(f"{line.rstrip()}\n")
                text_bytes += sum(len((record.get(name) or "").encode()) for name in ("title", "summary", "body"))
            number += 1
    return Selection(corpus_name(path), out, taken, text_bytes)


def records(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    with open_lines(path) as lines:
        yield from map(json.loads, filter(str.strip, lines))


def copies(record: dict[str, Any], times: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    """The record itself and ``times - 1`` like it: other id and url, a date within a year of it, sentences shuffled."""
    yield record
    for copy in range(1, times):
        sentences = SENTENCE_END.split(record["body"])
        chance.shuffle(sentences)
        changed = {**record, "id": f"{record['id']}~{copy}", "body": " ".join(sentences)}
        if record.get("url"):
            changed["url"] = f"{record['url']}~{copy}"
        if record.get("date"):
            changed["date"] = _moved(record["date"], chance.randint(-YEAR_DAYS, YEAR_DAYS))
        yield changed


def _moved(day: str, days: int) -> str:
    moved = datetime.fromisoformat(day).date() + timedelta(days=days)
    return max(moved, date(1000, 1, 1)).isoformat()


def multiply(source: Path, out: Path, times: int) -> int:
    """Write the corpus ``times`` over into ``out`` and say how many articles that is. Deterministic."""
    chance = random.Random(SEED)
    written = 0
    with out.open("w", encoding="utf-8") as lines:
        for record in records(source):
            for copy in copies(record, times, chance):
                lines.write(json.dumps(copy, ensure_ascii=False) + "\n")
                written += 1
    return written


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Writes a corpus several times over, with new ids, dates and orders.")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path, help="a plain JSON Lines file")
    parser.add_argument("--times", type=int, default=4)
    options = parser.parse_args()
    print(f"{multiply(options.corpus, options.out, options.times):,} articles in {options.out}")


if __name__ == "__main__":
    main()
