"""``searchkit suggest``: what the archive has to complete a few letters."""

import click

from searchkit.cli.options import QueryCommand, example, index_option, json_option, open_index, query_text
from searchkit.cli.output import current_look, write_json, write_lines
from searchkit.cli.render import completion_lines


@click.command(
    "suggest",
    short_help="Complete what was begun.",
    cls=QueryCommand,
    epilog=example("searchkit suggest platelet tra"),
)
@click.argument("text", nargs=-1, required=True)
@click.option(
    "-n",
    "limit",
    metavar="N",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Number of suggestions.",
)
@json_option
@index_option
@click.pass_context
def suggest_command(ctx: click.Context, text: tuple[str, ...], limit: int, as_json: bool, index: str | None) -> None:
    """List the words, topics, authors and titles that go on from what was begun.

    Each stands with the number of articles that it finds. The last word is completed, those before it narrow down
    with what.
    """
    with open_index(ctx, index) as archive:
        completions = archive.suggest(query_text(text), limit=limit)
    if as_json:
        write_json({"suggestions": [completion.to_dict() for completion in completions]})
    else:
        look = current_look()
        write_lines(completion_lines(completions, look), look)
