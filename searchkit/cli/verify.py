"""``searchkit verify``: whether the files of the index are as they were written."""

import click

from searchkit.cli.options import ArchiveCommand, example, index_option, json_option, open_index
from searchkit.cli.output import current_look, write_json, write_lines
from searchkit.cli.render import verification_lines


@click.command(
    "verify",
    short_help="Check every file of the index for damage.",
    cls=ArchiveCommand,
    epilog=example("searchkit verify"),
)
@json_option
@index_option
@click.pass_context
def verify_command(ctx: click.Context, as_json: bool, index: str | None) -> None:
    """Read every file of the index and say what is damaged; the exit code is 1 when something is.

    Searching and adding may go on meanwhile.
    """
    with open_index(ctx, index) as archive:
        found = archive.verify()
    if as_json:
        write_json(found.to_dict())
    else:
        look = current_look()
        write_lines(verification_lines(found, look), look)
    if not found.ok:
        ctx.exit(1)
