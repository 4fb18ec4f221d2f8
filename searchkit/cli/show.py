"""``searchkit show``: one article."""

import click

from searchkit.cli.options import ArchiveCommand, example, index_option, json_option, open_index
from searchkit.cli.output import current_look, write_json, write_lines
from searchkit.cli.render import article_lines


@click.command(
    "show",
    short_help="Show one article.",
    cls=ArchiveCommand,
    epilog=example("searchkit show platelet-shelf-life"),
)
@click.argument("article_id", metavar="ID")
@json_option
@index_option
@click.pass_context
def show_command(ctx: click.Context, article_id: str, as_json: bool, index: str | None) -> None:
    """Show one article, by the id that stands in a list at the end of the line below its title."""
    with open_index(ctx, index) as archive:
        article = archive.get(article_id)
    if as_json:
        write_json(article.to_dict())
    else:
        look = current_look()
        write_lines(article_lines(article, look), look)
