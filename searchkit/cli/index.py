"""``searchkit index``: articles from files and folders into an index."""

import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from searchkit.cli.options import ArchiveCommand, example, index_location, index_option, json_option
from searchkit.cli.output import note, write_json
from searchkit.engines import open_archive
from searchkit.errors import SourceError
from searchkit.page.model import AddReport
from searchkit.settings import Settings, load_settings
from searchkit.sources.articles import SourceArticles

_NOTES_SHOWN = 20
_REDRAW_SECONDS = 0.1


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
    intake = SourceArticles(sources, settings, strict=strict)
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
    intake: SourceArticles,
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


def _list_notes(intake: SourceArticles, *, everything: bool) -> None:
    """List what was skipped and which ids came twice on standard error, where and why."""
    _list(list(map(str, intake.skipped)), "skipped", everything)
    _list(list(map(str, intake.repeated)), "repeated ids", everything)


def _list(notes: list[str], what: str, everything: bool) -> None:
    shown = notes if everything else notes[:_NOTES_SHOWN]
    for line in shown:
        note(line)
    if len(shown) < len(notes):
        note(f"... and {len(notes) - len(shown):,} more {what}; -v lists all")


def _summary_data(intake: SourceArticles, report: AddReport, location: str, seconds: float) -> dict[str, object]:
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


def _summary(intake: SourceArticles, report: AddReport, location: str, seconds: float) -> str:
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
