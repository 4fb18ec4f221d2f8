"""``searchkit stats``: the archive in numbers."""

import click

from searchkit.cli.options import ArchiveCommand, example, index_option, json_option, open_index
from searchkit.cli.output import current_look, write_json, write_lines
from searchkit.cli.render import stats_lines


@click.command(
    "stats", short_help="Show the archive in numbers.", cls=ArchiveCommand, epilog=example("searchkit stats")
)
@json_option
@index_option
@click.pass_context
def stats_command(ctx: click.Context, as_json: bool, index: str | None) -> None:
    """Say how many articles, topics and authors there are, from when to when, and how large the index is."""
    with open_index(ctx, index) as archive:
        stats = archive.stats()
    if as_json:
        write_json(stats.to_dict())
    else:
        look = current_look()
        write_lines(stats_lines(stats, look), look)
