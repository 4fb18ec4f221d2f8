"""``searchkit related``: what to read after an article."""

import click

from searchkit.cli.options import ArchiveCommand, example, index_option, json_option, open_index
from searchkit.cli.output import current_look, write_json, write_lines
from searchkit.cli.render import related_lines


@click.command(
    "related",
    short_help="List articles related to one.",
    cls=ArchiveCommand,
    epilog=example("searchkit related platelet-shelf-life -n 3"),
)
@click.argument("article_id", metavar="ID")
@click.option(
    "-n",
    "limit",
    metavar="N",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Number of articles.",
)
@json_option
@index_option
@click.pass_context
def related_command(ctx: click.Context, article_id: str, limit: int, as_json: bool, index: str | None) -> None:
    """List the articles closest to one, by what its words and topics say.

    It is named by the id that stands in a list at the end of the line below its title. Articles with nearly the
    same text are left out.
    """
    with open_index(ctx, index) as archive:
        hits = archive.related(article_id, limit=limit)
    if as_json:
        write_json({"hits": [hit.to_dict() for hit in hits]})
    else:
        look = current_look()
        write_lines(related_lines(hits, look), look)
