"""Batches: what is to be indexed, dealt out to those that build segments of it.

Articles come as `Article`, or from a source that has its JSON Lines unread, in blocks: those are read where the segment
is built, because reading them costs as much as a third of indexing. Pieces of a few hundred kilobytes go to the workers
in turn, as they come, so that all begin at once and end at once; the batches that are filled like that together are a
round. Which piece goes where does not depend on how fast anybody is.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, groupby
from operator import itemgetter
from typing import Protocol, Self, runtime_checkable

from searchkit.article import Article
from searchkit.errors import ArticleError
from searchkit.sources.reading import BlockReadings, Found, LineBlock, Skipped, Unread

_LEAST_PART = 0.1
"""Batches are at least this part of full ones, but for those of the first round."""

Part = LineBlock | list[Article]
"""A block of lines, or articles: what a segment is built of."""


@runtime_checkable
class UnreadArticles(Iterable[Article], Protocol):
    """Articles that can also be taken before they are read; whoever does tells what became of them."""

    def unread(self) -> Iterator[Unread]:
        """What there is to read, in order."""
        ...

    def note(self, readings: BlockReadings) -> None:
        """Take notice of what reading gave; called in the order of the articles."""
        ...

    def finish(self) -> None:
        """Called when all has been noted; an error raised here is one of the articles', and nothing is added."""
        ...


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How much goes into a batch, and how much must come before other processes are started."""

    characters: int = 30_000_000
    """Large enough that few segments come of it, small enough to be some hundred megabytes of arrays."""
    articles: int = 30_000
    characters_alone: int = 4_000_000
    articles_alone: int = 4_000
    characters_at_once: int = 1 << 18
    """Of articles that go to a worker together. Blocks of lines are about as large."""
    articles_at_once: int = 500

    def part(self, characters: int, articles: int) -> float:
        """What part of a batch so much is."""
        return max(characters / self.characters, articles / self.articles)


@dataclass(slots=True)
class Piece:
    """What goes to a worker at a time: a block of lines, or articles with what was skipped between them."""

    number: int
    """Its place among all pieces."""
    part: Part = field(default_factory=list)
    readings: list[BlockReadings] = field(default_factory=list)
    """What came of it, in order; of a block nothing until it has been read."""
    characters: int = 0
    articles: int = 0
    is_block: bool = False

    @classmethod
    def of_block(cls, number: int, block: LineBlock) -> Self:
        """A block of lines, not read yet."""
        return cls(number, block, [], len(block.lines), block.line_count, is_block=True)

    def append(self, article: Article, path: str = "", line: int | None = None) -> None:
        """Put one more article in."""
        assert isinstance(self.part, list)  # into a block nothing goes
        self.part.append(article)
        last = self.readings[-1] if self.readings else None
        if last is None or last.path != path or last.skipped or (article.title and not last.title):
            last = BlockReadings(path, [], [], [], article.title)
            self.readings.append(last)
        last.ids.append(article.id)
        last.lines.append(line)
        self.characters += len(article.title) + len(article.body)
        self.articles += 1

    def taken(self) -> Part:
        """The part, which is not kept any longer."""
        part, self.part = self.part, []
        return part


def pieces(items: Iterable[Unread | Article], limits: BatchLimits) -> Iterator[Piece]:
    """All ``items`` in their order."""
    piece = Piece(0)
    for item in items:
        match item:
            case LineBlock():
                if piece.readings:
                    yield piece
                    piece = Piece(piece.number + 1)
                yield Piece.of_block(piece.number, item)
                piece = Piece(piece.number + 1)
            case Skipped(place=place, reason=reason):
                piece.readings.append(BlockReadings(place.path, [], [], [(place.line, reason)]))
            case Found(article=article, place=place):
                piece.append(article, place.path, place.line)
            case Article():
                piece.append(item)
        if piece.characters >= limits.characters_at_once or piece.articles >= limits.articles_at_once:
            yield piece
            piece = Piece(piece.number + 1)
    if piece.readings:
        yield piece


def dealt(items: Iterable[Piece], limits: BatchLimits, workers: int) -> Iterator[tuple[int, int, Piece]]:
    """Each piece with the number of its round and of the worker in whose batch it goes: the one that has least."""
    filling = _Filling(limits, workers)
    number = 0
    beyond: list[Piece] = []  # goes into a full round as well if nothing comes after it
    least = workers * _LEAST_PART
    for piece in items:
        if not filling.is_full():
            yield number, filling.add(piece), piece
            continue
        beyond.append(piece)
        if limits.part(sum(one.characters for one in beyond), sum(one.articles for one in beyond)) >= least:
            number += 1
            filling = _Filling(limits, workers)
            for one in beyond:
                yield number, filling.add(one), one
            beyond = []
    for one in beyond:
        yield number, filling.add(one), one


class _Filling:
    """How full the batches of a round are, as parts of what goes into one."""

    def __init__(self, limits: BatchLimits, workers: int) -> None:
        self._limits = limits
        self._batches: list[tuple[int, int]] = [(0, 0)] * workers
        self._parts = [0.0] * workers

    def is_full(self) -> bool:
        return min(self._parts) >= 1

    def add(self, piece: Piece) -> int:
        """Put a piece into the batch that has least, and say which."""
        index = self._parts.index(min(self._parts))
        characters, articles = self._batches[index]
        self._batches[index] = characters, articles = characters + piece.characters, articles + piece.articles
        self._parts[index] = self._limits.part(characters, articles)
        return index


def batches(items: Iterable[Piece], limits: BatchLimits) -> Iterator[list[Piece]]:
    """The pieces of one batch after the other."""
    for _, batch in groupby(dealt(items, limits, 1), key=itemgetter(0)):
        yield [piece for _, _, piece in batch]


def head(items: Iterator[Piece], limits: BatchLimits) -> tuple[Iterator[Piece], bool]:
    """All pieces again, and whether they are too few for other processes to be worth their start."""
    first: list[Piece] = []
    characters = articles = 0
    for piece in items:
        first.append(piece)
        characters += piece.characters
        articles += piece.articles
        if characters >= limits.characters_alone or articles >= limits.articles_alone:
            return chain(first, items), False
    return iter(first), True


class Intake:
    """The articles on their way into the index: counts them, and tells their source and the caller about them."""

    def __init__(self, articles: Iterable[Article], on_progress: Callable[[int], None] | None) -> None:
        self.taken = 0
        self._articles = articles
        self._source = articles if isinstance(articles, UnreadArticles) else None
        self._on_progress = on_progress or (lambda _: None)

    def items(self) -> Iterator[Unread | Article]:
        """What there is to index. Raises ArticleError for something that is no article."""
        for number, item in enumerate(self._articles if self._source is None else self._source.unread(), 1):
            if not isinstance(item, Article | Found | LineBlock | Skipped):
                raise ArticleError(f"item {number} is no Article but {type(item).__name__}: {item!r:.80}")
            if isinstance(item, Article | Found):
                self.taken += 1
                self._on_progress(self.taken)
            yield item

    def note(self, noted: Iterable[Piece]) -> None:
        """Count the articles of blocks that have been read and hand everything to the source."""
        readings: list[BlockReadings] = []
        read = 0
        for piece in noted:
            readings += piece.readings
            if piece.is_block:
                read += sum(len(of_block.ids) for of_block in piece.readings)
        if read:
            self.taken += read
            self._on_progress(self.taken)
        if self._source is not None:
            for of_file in _joined(readings):
                self._source.note(of_file)

    def finish(self) -> None:
        """Say that there is no more."""
        if self._source is not None:
            self._source.finish()


def _joined(readings: Iterable[BlockReadings]) -> Iterator[BlockReadings]:
    """The readings with those of one file after another made one."""
    for path, group in groupby(readings, key=lambda of_block: of_block.path):
        of_file = list(group)
        yield BlockReadings(
            path,
            [article_id for of_block in of_file for article_id in of_block.ids],
            [line for of_block in of_file for line in of_block.lines],
            [skipped for of_block in of_file for skipped in of_block.skipped],
            next((of_block.title for of_block in of_file if of_block.title), ""),
        )
