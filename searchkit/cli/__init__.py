"""The command line: `main` is the program ``searchkit``, with one module for each command.

A command's module is imported when the command is called, so that none pays for another's imports. Exit
codes: 0, 1 for a SearchkitError, 2 for a wrong command line, 130 for Ctrl-C. With ``--json`` standard output
is one document, or empty when there is an error, which is then one line of JSON on standard error.
"""

import atexit
import gc
from importlib import import_module

import click

from searchkit import __version__
from searchkit.cli.options import example, exit_codes, index_location

COMMANDS = {
    "index": "searchkit.cli.index",
    "search": "searchkit.cli.search",
    "show": "searchkit.cli.show",
    "related": "searchkit.cli.related",
    "latest": "searchkit.cli.latest",
    "suggest": "searchkit.cli.suggest",
    "topics": "searchkit.cli.topics",
    "timeline": "searchkit.cli.timeline",
    "stats": "searchkit.cli.stats",
    "verify": "searchkit.cli.verify",
    "serve": "searchkit.cli.serve",
}
"""The module of each command; the command has its name there, with ``_command`` behind it."""

_OBJECTS_UNCOLLECTED = 50_000
"""New objects until cyclic garbage is looked for. Modules and arrays are none: at Python's 700 it took 20 ms."""


class Program(click.Group):
    """The group of all commands: imports them when needed and turns errors into messages and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which somebody new needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command called ``name``, or None."""
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[name]), f"{name}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names; says what to type when there is none of that name."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from difflib import get_close_matches  # only a mistyped command needs it

            near = get_close_matches(args[0], COMMANDS, n=1)
            advice = f"Did you mean {near[0]}?" if near else f"To search for it: searchkit search {args[0]}"
            raise click.UsageError(f"There is no command {args[0]!r}. {advice}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Program,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=example("searchkit index sample_corpus", "searchkit search heparin", "searchkit"),
)
@click.option("--index", "index", metavar="DIR", help="Folder of the index.  [default: index]")
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, index: str | None) -> None:
    """Search an archive of articles.

    Without a command this is an interactive session: type a query, then a number to read an article, or help.
    When something is piped in, it reads one command of the session from each line.
    """
    gc.set_threshold(_OBJECTS_UNCOLLECTED)
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)  # else everything is looked through for garbage before the memory is given back
    if ctx.invoked_subcommand is None:
        from searchkit.session import run_session  # line editing takes 100 ms to import

        with exit_codes():
            run_session(index_location(ctx, index))
