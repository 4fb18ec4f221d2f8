"""Sources: "Here is a path, give me articles."

    for reading in read_sources(["archive/", "more.jsonl.gz"], settings=Settings()):
        match reading:
            case Found(article, place): ...
            case Repeated(place, article_id, first_place): ...   # comes just before the article it is about
            case Skipped(place, reason): ...

What reads a file is decided by the end of its name. Bad input never raises: it is reported with its place,
and everything else is read. `unread_sources` leaves the reading of JSON Lines, which takes the most time, to others.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from searchkit.settings import Settings
from searchkit.sources.jsonlines import read_block, read_blocks
from searchkit.sources.reading import Found, LineBlock, Place, Reading, Repeated, Skipped, Unread, too_large
from searchkit.sources.repeats import FirstPlaces
from searchkit.sources.walking import SourceFile, shown, source_files, unreadable

__all__ = ["Found", "Place", "Reading", "Repeated", "Skipped", "read_sources", "unread_sources"]

_JSON_LINES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
_MARKDOWN = (".md", ".markdown")
_HTML = (".html", ".htm", ".xhtml")
_KINDS = "JSON Lines (.jsonl, .ndjson, also .gz), Markdown (.md, .markdown) and HTML (.html, .htm, .xhtml)"


def read_sources(paths: Iterable[str | os.PathLike[str]], *, settings: Settings) -> Iterator[Reading]:
    """Every article in files and folders, in order, and everything that was skipped with the reason.

    An article whose id was read before comes after a `Repeated` that says where. A Markdown or HTML article
    without an id of its own gets its path below the folder that was named, or below its own folder when the
    file was named.
    """
    first_places = FirstPlaces()
    for item in unread_sources(paths, settings=settings):
        for reading in read_block(item) if isinstance(item, LineBlock) else (item,):
            if type(reading) is Found:
                first = first_places.note(reading.article.id, reading.place)
                if first is not None:
                    yield Repeated(reading.place, reading.article.id, first)
            yield reading


def unread_sources(paths: Iterable[str | os.PathLike[str]], *, settings: Settings) -> Iterator[Unread]:
    """What `read_sources` reads, in the same order, with JSON Lines as blocks for `jsonlines.read_block`."""
    seen: set[tuple[int, int]] = set()
    for path in paths:
        for source in source_files(os.fspath(path), (*_JSON_LINES, *_MARKDOWN, *_HTML), seen, kinds=_KINDS):
            if isinstance(source, Skipped):
                yield source
            else:
                yield from _read_file(source, settings)


def _read_file(source: SourceFile, settings: Settings) -> Iterator[Unread]:
    file, name, ending = Path(source.path), shown(source.path), source.path.lower()
    try:
        if ending.endswith(_JSON_LINES):
            yield from read_blocks(file, name, settings)
        elif source.size > settings.max_article_bytes:
            yield Skipped(Place(name), too_large(settings.max_article_bytes))
        elif ending.endswith(_MARKDOWN):
            from searchkit.sources.markdown import read_markdown  # here and below: most archives have one kind of file

            yield from read_markdown(file, name, source.article_id)
        else:
            from searchkit.sources.html import read_html

            yield from read_html(file, name, source.article_id)
    except OSError as exc:
        yield Skipped(Place(name), unreadable(exc))
