"""A mixed set of queries in a corpus' own words, each tagged with its kind. Deterministic.

    python -m benchmarks.queries ../shared/corpora/reuters.jsonl.gz benchmarks/queries_reuters.jsonl
    python -m benchmarks.queries ../shared/corpora/reuters.jsonl.gz benchmarks/queries_reuters_new.jsonl --draws 1 4

How often a word occurs decides what it costs, so words are drawn by the share of articles that have them. Words and
phrases that stand together in a query stand together in some article: every query finds something.
"""

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from benchmarks.corpus import SEED, records

WORD = re.compile(r"[a-z]+")
COMMON = (0.05, 0.30)
"""The share of articles with a common word; above it stand the, of and their like, which readers do not ask for."""
MEDIUM = (0.004, 0.05)
MIN_LETTERS = 4
RARE_ARTICLES = (4, 20)
SAMPLED_ARTICLES = 4000


@dataclass(frozen=True)
class Query:
    """What is asked, in parts that every engine can write in its own language.

    ``every`` word is required, one of ``some``, none of ``none``; ``phrase`` stands in a row, ``prefix`` begins a word.
    """

    kind: str
    every: tuple[str, ...] = ()
    some: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    phrase: tuple[str, ...] = ()
    prefix: str = ""
    topic: str = ""
    since: str = ""
    until: str = ""
    newest: bool = False

    @property
    def marked_words(self) -> tuple[str, ...]:
        """The words that a snippet marks."""
        return (*self.every, *self.some, *self.phrase)


KINDS = {
    "one common word": 6,
    "one rare word": 6,
    "2 words AND": 6,
    "3 words AND": 5,
    "4 words AND": 4,
    "2 words OR": 5,
    "3 words OR": 4,
    "4 words OR": 4,
    "phrase": 8,
    "topic": 6,
    "date range": 6,
    "newest": 6,
    "prefix": 5,
    "short prefix": 2,
    "exclusion": 5,
}
"""How many queries of each kind."""


class Vocabulary:
    """The words of a corpus by frequency, and a sample of its articles as word sequences."""

    def __init__(self, path: Path) -> None:
        self.chance = random.Random(SEED)
        self.frequency: Counter[str] = Counter()
        topics: Counter[str] = Counter()
        texts: list[list[str]] = []
        days: list[str] = []
        for record in records(path):
            words = WORD.findall(f"{record.get('title') or ''} . {record.get('body') or ''}".lower())
            self.frequency.update(set(words))
            topics.update(record.get("topics") or ())
            if record.get("date"):
                days.append(record["date"][:10])
            texts.append(words)
        self.articles = len(texts)
        self.texts = self.chance.sample(texts, min(SAMPLED_ARTICLES, len(texts)))
        self.days = sorted(days)
        self.common = self._between(*COMMON) or [word for word, _ in self.frequency.most_common(50)]
        self.medium = self._between(*MEDIUM) or self.common
        low, high = RARE_ARTICLES
        self.rare = sorted(w for w, n in self.frequency.items() if low <= n <= high and len(w) >= MIN_LETTERS)
        self.topics = [topic for topic, _ in topics.most_common(12)]

    def _between(self, low: float, high: float) -> list[str]:
        bounds = (low * self.articles, high * self.articles)
        return sorted(w for w, n in self.frequency.items() if bounds[0] <= n <= bounds[1] and len(w) >= MIN_LETTERS)

    def together(self, count: int, words: Sequence[str]) -> tuple[str, ...]:
        """That many of the given words that stand in one article."""
        allowed = set(words)
        for text in self._drawn():
            present = sorted(allowed.intersection(text))
            if len(present) >= count:
                return tuple(self.chance.sample(present, count))
        return tuple(self.chance.sample(list(words), count))

    def in_a_row(self, count: int) -> tuple[str, ...]:
        """That many words in a row of some article that open and end with a word a reader would ask for."""
        allowed = {*self.common, *self.medium}
        for text in self._drawn():
            runs = [text[i : i + count] for i in range(len(text) - count + 1)]
            runs = [run for run in runs if run[0] in allowed and run[-1] in allowed]
            if runs:
                return tuple(self.chance.choice(runs))
        raise ValueError(f"no {count} words in a row to ask for; the corpus is too small for queries")

    def period(self, share: float) -> tuple[str, str]:
        """Two days with about this share of the dated articles between them."""
        length = max(1, int(share * len(self.days)))
        first = self.chance.randrange(max(1, len(self.days) - length))
        return self.days[first], self.days[min(first + length, len(self.days) - 1)]

    def _drawn(self) -> Iterator[list[str]]:
        return (self.chance.choice(self.texts) for _ in range(2000))


def make_queries(path: Path, draws: Iterable[int] = (0,)) -> list[Query]:
    """The set of queries for a corpus, and others like it for other numbers of a draw, one set after the other."""
    vocabulary = Vocabulary(path)
    found: list[Query] = []
    for draw in draws:
        if draw:
            vocabulary.chance = random.Random(SEED + draw)
        found += [_query(kind, number, vocabulary) for kind, count in KINDS.items() for number in range(count)]
    return found


def _query(kind: str, number: int, words: Vocabulary) -> Query:
    chance = words.chance
    anything = [*words.common, *words.medium]
    match kind:
        case "one common word":
            return Query(kind, every=(chance.choice(words.common),))
        case "one rare word":
            return Query(kind, every=(chance.choice(words.rare or words.medium),))
        case "2 words AND" | "3 words AND" | "4 words AND":
            return Query(kind, every=words.together(int(kind[0]), anything))
        case "2 words OR" | "3 words OR" | "4 words OR":
            return Query(kind, some=words.together(int(kind[0]), anything))
        case "phrase":
            return Query(kind, phrase=words.in_a_row(2 + number % 2))
        case "topic":
            return Query(kind, every=(chance.choice(words.common),), topic=words.topics[number % len(words.topics)])
        case "date range":
            since, until = words.period((0.02, 0.1, 0.3)[number % 3])
            return Query(kind, every=words.together(1 + number % 2, words.common), since=since, until=until)
        case "newest":
            return Query(kind, every=words.together(1 + number % 2, words.common), newest=True)
        case "prefix":
            return Query(kind, prefix=chance.choice(anything)[: 4 + number % 2])
        case "short prefix":
            return Query(kind, prefix=("co", "pr")[number % 2])
        case "exclusion":
            wanted, unwanted = words.together(2, anything)
            return Query(kind, every=(wanted,), none=(unwanted,))
    raise ValueError(f"{kind!r} is no kind of query; use one of {', '.join(KINDS)}")


def write_queries(queries: Iterable[Query], path: Path) -> None:
    """One JSON object a line, without the empty parts."""
    lines = (json.dumps({k: v for k, v in asdict(query).items() if v}, ensure_ascii=False) for query in queries)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def read_queries(path: Path) -> list[Query]:
    """The queries of a file that `write_queries` wrote."""
    many = {field.name for field in fields(Query) if field.default == ()}
    return [Query(**{k: tuple(v) if k in many else v for k, v in record.items()}) for record in records(path)]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Draws a set of queries from a corpus.")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--draws", type=int, nargs=2, default=(0, 0), metavar=("FIRST", "LAST"), help="sets to draw")
    options = parser.parse_args()
    queries = make_queries(options.corpus, range(options.draws[0], options.draws[1] + 1))
    write_queries(queries, options.out)
    print(f"{len(queries)} queries in {options.out}")


if __name__ == "__main__":
    main()
