"""Sources as one stream of articles, for an archive to take in.

articles = SourceArticles(["archive/", "more.jsonl.gz"])
report = archive.add(articles)
for skipped in articles.skipped:
    print(skipped)
"""

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from searchkit.article import Article
from searchkit.errors import SourceError
from searchkit.settings import Settings
from searchkit.sources import unread_sources
from searchkit.sources.jsonlines import read_block
from searchkit.sources.reading import BlockReadings, Found, LineBlock, Place, Repeated, Skipped, Unread
from searchkit.sources.repeats import FirstPlaces


class SourceArticles:
    """The articles of files and folders on their way to an archive, and what came out of the sources beside them.

    When `Engine.add` takes them, processes that build the index read the JSON Lines too (it is an
    `UnreadArticles`), which is the fastest way in. With ``strict``, SourceError is raised at the end if anything was
    skipped, and nothing is added.
    """

    def __init__(
        self,
        paths: Iterable[str | os.PathLike[str]],
        settings: Settings = Settings(),  # noqa: B008 - immutable
        *,
        strict: bool = False,
    ) -> None:
        self.read = 0
        """Articles read so far."""
        self.skipped: list[Skipped] = []
        self.repeated: list[Repeated] = []
        self.sample_title = ""
        """The first title among the articles that have one."""
        self.when_finished: Callable[[], None] = lambda: None
        self._items: Iterator[Unread] = unread_sources(paths, settings=settings)
        self._first_places = FirstPlaces()
        self._strict = strict

    def has_articles(self) -> bool:
        """Whether there is an article at all; what comes before the first is read."""
        before: list[Skipped] = []
        for item in self._items:
            skipped = []
            for reading in read_block(item) if isinstance(item, LineBlock) else (item,):
                if isinstance(reading, Found):
                    self._items = chain(before, [item], self._items)  # what is wrong in this block is noted with it
                    return True
                skipped.append(reading)
            before += skipped
        self.skipped += before
        return False

    def unread(self) -> Iterator[Unread]:
        """What there is to read; the other side says with `note` what it read."""
        return self._items

    def __iter__(self) -> Iterator[Article]:
        """The articles, read here."""
        for item in self._items:
            for reading in read_block(item) if isinstance(item, LineBlock) else (item,):
                if isinstance(reading, Found):
                    place, article = reading.place, reading.article
                    self.note(BlockReadings(place.path, [article.id], [place.line], [], article.title))
                    yield article
                else:
                    self.skipped.append(reading)
        self.finish()

    def note(self, readings: BlockReadings) -> None:
        """Count what was read and list what was skipped and repeated."""
        path = readings.path
        self.read += len(readings.ids)
        self.sample_title = self.sample_title or readings.title
        self.skipped += (Skipped(Place(path, line), reason) for line, reason in readings.skipped)
        for index, first in self._first_places.note_all(path, readings.ids, readings.lines):
            self.repeated.append(Repeated(Place(path, readings.lines[index]), readings.ids[index], first))

    def finish(self) -> None:
        """Everything is read: raises SourceError under ``--strict`` if anything was skipped."""
        if self._strict and self.skipped:
            of = f"{len(self.skipped):,} of {self.read + len(self.skipped):,}"
            raise SourceError(f"{of} could not be read, which --strict does not allow; the index is as it was")
        self.when_finished()
