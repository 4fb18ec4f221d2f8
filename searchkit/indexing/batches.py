"""Batches: what is to be indexed, cut into the pieces that become segments.

Articles come as `Article`, or from a source that has its JSON Lines unread, in blocks: those are read where the segment
is built, because reading them costs as much as a third of indexing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol, runtime_checkable

from searchkit.article import Article
from searchkit.errors import ArticleError
from searchkit.sources.reading import BlockReadings, Found, LineBlock, Skipped, Unread

_FIRST_PART = 1 / 4
"""How large the first batch of each of several workers is; the next is twice as large, until they have full size.

Only of articles, which may come slowly. A batch of lines is there at once.
"""


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


@dataclass(slots=True)
class Batch:
    """Articles, blocks and what was skipped, in order; ``characters`` and ``articles`` say how much it is."""

    items: list[Unread | Article] = field(default_factory=list)
    characters: int = 0
    articles: int = 0

    def append(self, item: Unread | Article) -> None:
        """Put one more in."""
        self.items.append(item)
        match item:
            case LineBlock():
                self.characters += len(item.lines)
                self.articles += item.line_count
            case Article(title=title, body=body) | Found(article=Article(title=title, body=body)):
                self.characters += len(title) + len(body)
                self.articles += 1
            case Skipped():
                pass

    def parts(self) -> list[LineBlock | list[Article]]:
        """What there is to index: blocks, and the articles between them."""
        parts: list[LineBlock | list[Article]] = []
        for item in self.items:
            match item:
                case LineBlock():
                    parts.append(item)
                case Article() | Found():
                    article = item.article if isinstance(item, Found) else item
                    if parts and isinstance(parts[-1], list):
                        parts[-1].append(article)
                    else:
                        parts.append([article])
                case Skipped():
                    pass
        return parts

    def readings(self, of_blocks: Iterable[BlockReadings]) -> Iterator[BlockReadings]:
        """What became of each item, given that of the blocks."""
        blocks = iter(of_blocks)
        for item in self.items:
            match item:
                case LineBlock():
                    yield next(blocks)
                case Found(article=article, place=place):
                    yield BlockReadings(place.path, [article.id], [place.line], [], article.title)
                case Article():
                    yield BlockReadings("", [item.id], [None], [])
                case Skipped(place=place, reason=reason):
                    yield BlockReadings(place.path, [], [], [(place.line, reason)])


def cut(items: Iterator[Unread | Article], limits: BatchLimits, workers: int = 1) -> Iterator[Batch]:
    """Batches of ``items``, in order, such that none of the ``workers`` waits long for another.

    With several, the first batches of articles are smaller, and what is left from the last full one on is divided
    equally.
    """
    batch, held = Batch(), Batch()
    made = 0
    for item in items:
        batch.append(item)
        is_quick = workers == 1 or isinstance(item, LineBlock)
        part = 1.0 if is_quick else min(1.0, _FIRST_PART * 2 ** (made // workers))
        if batch.characters >= part * limits.characters or batch.articles >= part * limits.articles:
            if workers > 1:
                held, batch = batch, held
            if batch.items:
                yield batch
            batch = Batch()
            made += 1
    for item in batch.items:
        held.append(item)
    enough = max(held.characters / limits.characters_alone, held.articles / limits.articles_alone)
    yield from _divided(held, min(workers, int(2 * enough)))


def _divided(batch: Batch, count: int) -> Iterator[Batch]:
    """At most ``count`` batches of much the same size."""
    left = batch.characters
    share = Batch()
    for item in batch.items:
        share.append(item)
        if count > 1 and share.characters * count >= left:
            yield share
            left -= share.characters
            count -= 1
            share = Batch()
    if share.items:
        yield share


def head(items: Iterator[Unread | Article], limits: BatchLimits) -> tuple[Iterator[Unread | Article], bool]:
    """All of ``items`` again, and whether they are too few for other processes to be worth their start."""
    batch = Batch()
    for item in items:
        batch.append(item)
        if batch.characters >= limits.characters_alone or batch.articles >= limits.articles_alone:
            return chain(batch.items, items), False
    return iter(batch.items), True


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

    def note(self, batch: Batch, of_blocks: Sequence[BlockReadings]) -> None:
        """Count the articles of a batch's blocks and hand everything to the source."""
        read = sum(len(readings.ids) for readings in of_blocks)
        if read:
            self.taken += read
            self._on_progress(self.taken)
        if self._source is not None:
            for readings in batch.readings(of_blocks):
                self._source.note(readings)

    def finish(self) -> None:
        """Say that there is no more."""
        if self._source is not None:
            self._source.finish()
