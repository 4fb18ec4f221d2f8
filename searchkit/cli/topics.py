"""``searchkit topics``: what the articles are filed under."""

import click

from searchkit.cli.options import ArchiveCommand, example, index_option, json_option, open_index
from searchkit.cli.output import current_look, write_json, write_lines
from searchkit.cli.render import topic_lines


@click.command("topics", short_help="List the topics.", cls=ArchiveCommand, epilog=example("searchkit topics"))
@json_option
@index_option
@click.pass_context
def topics_command(ctx: click.Context, as_json: bool, index: str | None) -> None:
    """List every topic with its number of articles, commonest first."""
    with open_index(ctx, index) as archive:
        topics = archive.topics()
    if as_json:
        write_json({"topics": [topic.to_dict() for topic in topics]})
    else:
        look = current_look()
        write_lines(topic_lines(topics, look), look)
