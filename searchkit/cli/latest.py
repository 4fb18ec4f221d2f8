"""``searchkit latest``: the newest articles."""

import click

from searchkit.cli.options import ArchiveCommand, example, index_option, json_option, open_index
from searchkit.cli.output import current_look, write_json, write_lines
from searchkit.cli.render import hit_lines


@click.command("latest", cls=ArchiveCommand, epilog=example("searchkit latest -n 5 --topic 'RBC Transfusion'"))
@click.option(
    "-n",
    "limit",
    metavar="N",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Number of articles.",
)
@click.option("--topic", "topics", multiple=True, metavar="T", help="Only articles filed under T.")
@json_option
@index_option
@click.pass_context
def latest_command(ctx: click.Context, limit: int, topics: tuple[str, ...], as_json: bool, index: str | None) -> None:
    """List the newest articles."""
    with open_index(ctx, index) as archive:
        hits = archive.latest(limit=limit, topics=topics)
    if as_json:
        write_json({"hits": [hit.to_dict() for hit in hits]})
    else:
        look = current_look()
        write_lines(hit_lines(hits, look)[:-1], look)
