"""``searchkit timeline``: how many articles appeared when."""

import click

from searchkit.cli.options import QueryCommand, example, index_option, json_option, open_index, query_text
from searchkit.cli.output import current_look, write_json, write_lines
from searchkit.cli.render import timeline_lines
from searchkit.page.model import INTERVALS, Interval


@click.command(
    "timeline",
    short_help="Count articles by date.",
    cls=QueryCommand,
    epilog=example("searchkit timeline platelet --by year"),
)
@click.argument("query", nargs=-1)
@click.option(
    "--by",
    "interval",
    type=click.Choice(INTERVALS),
    default="auto",
    show_default=True,
    help="Length of a step.",
)
@json_option
@index_option
@click.pass_context
def timeline_command(
    ctx: click.Context, query: tuple[str, ...], interval: Interval, as_json: bool, index: str | None
) -> None:
    """Count the articles that match, or all of them, by year, month or day."""
    with open_index(ctx, index) as archive:
        buckets = archive.timeline(query_text(query), interval=interval)
    if as_json:
        write_json({"timeline": [bucket.to_dict() for bucket in buckets]})
    else:
        look = current_look()
        write_lines(timeline_lines(buckets, look), look)
