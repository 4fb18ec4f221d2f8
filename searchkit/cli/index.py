"""``searchkit index``: articles from files and folders into an index."""

import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import click

from searchkit.article import Article
from searchkit.cli.options import ArchiveCommand, example, index_location, index_option, json_option
from searchkit.cli.output import note, write_json
from searchkit.engines import open_archive
from searchkit.errors import SourceError
from searchkit.page.model import AddReport
from searchkit.settings import Settings, load_settings
from searchkit.sources import unread_sources
from searchkit.sources.jsonlines import read_block
from searchkit.sources.reading import BlockReadings, Found, LineBlock, Place, Repeated, Skipped, Unread
from searchkit.sources.repeats import FirstPlaces

_NOTES_SHOWN = 20
_REDRAW_SECONDS = 0.1


class Intake:
    """The articles of the sources on their way to the index, and what came out of the sources beside them.

    It is what `searchkit.indexing.batches.UnreadArticles` asks for: worker processes read the JSON Lines.
    """

    def __init__(self, sources: tuple[str, ...], settings: Settings, *, strict: bool) -> None:
        self.read = 0
        self.skipped: list[Skipped] = []
        self.repeated: list[Repeated] = []
        self.sample_title = ""
        self.when_finished: Callable[[], None] = lambda: None
        self._items: Iterator[Unread] = unread_sources(sources, settings=settings)
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
        for article_id, line in zip(readings.ids, readings.lines, strict=True):
            place = Place(path, line)
            first = self._first_places.note(article_id, place)
            if first is not None:
                self.repeated.append(Repeated(place, article_id, first))

    def finish(self) -> None:
        """Everything is read: raises SourceError under ``--strict`` if anything was skipped."""
        if self._strict and self.skipped:
            of = f"{len(self.skipped):,} of {self.read + len(self.skipped):,}"
            raise SourceError(f"{of} could not be read, which --strict does not allow; the index is as it was")
        self.when_finished()


@dataclass(frozen=True, slots=True)
class ProgressHooks:
    """What to call with the number of articles taken so far, and when there are no more to take."""

    taken: Callable[[int], None]
    all_taken: Callable[[], None]


@click.command(
    "index",
    short_help="Put articles into the index.",
    cls=ArchiveCommand,
    epilog=example("searchkit index sample_corpus", "searchkit index articles.jsonl.gz --index archive --strict"),
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@index_option
@click.option(
    "--language",
    metavar="L",
    help="Language of articles that do not name theirs, for a new index.  [default: en]",
)
@click.option(
    "--time-zone",
    metavar="Z",
    help="Time zone that decides an article's day, for a new index.  [default: UTC]",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Processes that index when there is much to index.  [default: one a core, at most 4]",
)
@click.option("--strict", is_flag=True, help="Change nothing if any article cannot be read.")
@click.option("--quiet", "-q", is_flag=True, help="No progress and no summary.")
@click.option("--verbose", "-v", is_flag=True, help=f"List everything skipped, not just the first {_NOTES_SHOWN}.")
@json_option
@click.pass_context
def index_command(
    ctx: click.Context,
    sources: tuple[str, ...],
    index: str | None,
    language: str | None,
    time_zone: str | None,
    workers: int | None,
    strict: bool,
    quiet: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Put the articles of files and folders into the index, which is made if there is none.

    A SOURCE is a JSON Lines file (also .gz), a Markdown file with front matter, an HTML page, or a folder of
    them. An article replaces the one with the same id. What cannot be read is listed, the rest is indexed.
    The index changes in one step at the end: interrupted before that, it is as it was.
    """
    location = index_location(ctx, index)
    settings = load_settings()[0].with_changes(language=language, time_zone=time_zone, index=location)
    shaping = settings if language or time_zone else None
    intake = Intake(sources, settings, strict=strict)
    began = time.perf_counter()
    try:
        with _progress(location, is_shown=not quiet) as progress:
            report = _add(intake, sources, location, shaping, workers, progress)
    except KeyboardInterrupt:
        note("Interrupted: the index is as it was.")
        raise
    finally:
        _list_notes(intake, everything=verbose)
    seconds = time.perf_counter() - began
    if as_json:
        write_json(_summary_data(intake, report, location, seconds))
    elif not quiet:
        click.echo(_summary(intake, report, location, seconds))


def _add(
    intake: Intake,
    sources: tuple[str, ...],
    location: str,
    shaping: Settings | None,
    workers: int | None,
    progress: ProgressHooks,
) -> AddReport:
    if not intake.has_articles():  # asked before the index is touched: without any article none is made
        intake.finish()
        where = ", ".join(sources)
        raise SourceError(f"no articles in {where}; .jsonl, .md and .html files and folders of them are read")
    intake.when_finished = progress.all_taken
    with open_archive(location, create=True, settings=shaping) as archive:
        return archive.add(intake, on_progress=progress.taken, workers=workers)


@contextmanager
def _progress(location: str, *, is_shown: bool) -> Iterator[ProgressHooks]:
    """Show progress: a live line on a terminal, else one line at the start."""
    if not is_shown or not sys.stderr.isatty():
        if is_shown:
            note(f"Indexing into {location} ...")
        yield ProgressHooks(lambda taken: None, lambda: None)
        return
    from rich.console import Console  # takes 50 ms to import
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=16),
        TextColumn("{task.completed:,} articles"),
        TextColumn("{task.fields[rate]}", style="cyan"),
        TimeElapsedColumn(),
    )
    began = drawn = time.perf_counter()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Indexing", total=None, rate="")

        def on_progress(taken: int) -> None:
            nonlocal drawn
            now = time.perf_counter()
            if now - drawn >= _REDRAW_SECONDS:
                drawn = now
                progress.update(task, completed=taken, rate=f"{taken / (now - began):,.0f}/s")

        yield ProgressHooks(on_progress, lambda: progress.update(task, description="Writing"))


def _list_notes(intake: Intake, *, everything: bool) -> None:
    """List what was skipped and which ids came twice on standard error, where and why."""
    _list(list(map(str, intake.skipped)), "skipped", everything)
    _list(list(map(str, intake.repeated)), "repeated ids", everything)


def _list(notes: list[str], what: str, everything: bool) -> None:
    shown = notes if everything else notes[:_NOTES_SHOWN]
    for line in shown:
        note(line)
    if len(shown) < len(notes):
        note(f"... and {len(notes) - len(shown):,} more {what}; -v lists all")


def _summary_data(intake: Intake, report: AddReport, location: str, seconds: float) -> dict[str, object]:
    return {
        "index": location,
        "read": intake.read,
        "added": report.added,
        "replaced": report.replaced,
        "skipped": [
            {"path": item.place.path, "line": item.place.line, "reason": item.reason} for item in intake.skipped
        ],
        "repeated": [
            {"path": item.place.path, "line": item.place.line, "id": item.article_id} for item in intake.repeated
        ],
        "seconds": round(seconds, 3),
        "articles_per_second": round(intake.read / seconds, 1),
    }


def _summary(intake: Intake, report: AddReport, location: str, seconds: float) -> str:
    counts = [
        f"{intake.read:,} read",
        f"{report.added:,} added",
        f"{report.replaced:,} replaced",
        f"{len(intake.skipped):,} skipped",
    ]
    speed = f"in {seconds:.1f} s ({intake.read / seconds:,.0f} articles/s)"
    where = "" if Path(location) == Path(Settings().index) else f" --index {shlex.quote(location)}"
    return f"{', '.join(counts)} {speed}.\nTry: searchkit search {_example_word(intake.sample_title)}{where}"


def _example_word(title: str) -> str:
    """The longest plain word of a title, as something that a search will find."""
    words = [word for word in title.lower().split() if word.isalpha()]
    return shlex.quote(max(words, key=len, default="the"))
