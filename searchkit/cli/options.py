"""What the commands share: their options, opening the archive, and query words that may begin with a dash."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from searchkit.cli.output import write_error
from searchkit.engines import Engine, open_archive
from searchkit.errors import SearchkitError
from searchkit.settings import load_settings

Command = TypeVar("Command", bound=Callable[..., Any])


@contextmanager
def exit_codes(*, as_json: bool = False) -> Iterator[None]:
    """Turn a SearchkitError into its message and exit code 1, and Ctrl-C into exit code 130."""
    try:
        yield
    except SearchkitError as error:
        write_error(error, as_json=as_json)
        raise click.exceptions.Exit(1) from error
    except KeyboardInterrupt as error:
        raise click.exceptions.Exit(130) from error


class ArchiveCommand(click.Command):
    """A command on an archive: its errors become messages, in JSON when its output is."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and map its errors to exit codes."""
        with exit_codes(as_json=bool(ctx.params.get("as_json"))):
            return super().invoke(ctx)


class QueryCommand(ArchiveCommand):
    """A command whose arguments are a query, in which ``-word`` excludes a word and is no option.

    The options are those that the command has, spelled in full, and ``-n 5``; they may stand anywhere before
    ``--``. An unknown ``--option`` stays an error, as it is more likely a typing mistake than something to
    search for.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the query words behind ``--`` for click's parser, and remember the parts for `command_line`."""
        options, words = self._separate(ctx, args)
        ctx.meta["searchkit.command_line"] = (options, words)
        return super().parse_args(ctx, [*options, "--", *words])

    def _separate(self, ctx: click.Context, args: list[str]) -> tuple[list[str], list[str]]:
        takes_value = {
            name: isinstance(param, click.Option) and not param.is_flag
            for param in self.get_params(ctx)
            for name in (*param.opts, *param.secondary_opts)
        }
        options: list[str] = []
        words: list[str] = []
        rest = list(args)
        while rest:
            arg = rest.pop(0)
            if arg == "--":
                words += rest
                break
            name = arg.split("=", 1)[0] if arg.startswith("--") else arg
            if takes_value.get(name):
                options.append(arg)
                if name == arg:
                    if not rest:
                        raise click.BadOptionUsage(arg, f"Option {arg!r} requires an argument.", ctx)
                    options.append(rest.pop(0))
            elif name in takes_value or _is_option_like(arg):
                options.append(arg)
            else:
                words.append(arg)
        return options, words


def _is_option_like(arg: str) -> bool:
    """``-n5``, or a long option of whatever name; with a space in its name it is a quoted query."""
    if arg.startswith("--"):
        return not any(map(str.isspace, arg.split("=", 1)[0]))
    return arg.startswith("-n") and arg[2:].isdecimal()


def command_line(ctx: click.Context) -> tuple[list[str], list[str]]:
    """The options and the query words that a `QueryCommand` was called with, as typed."""
    options, words = ctx.meta["searchkit.command_line"]
    return list(options), list(words)


def example(*command_lines: str) -> str:
    """The end of a command's help: command lines to try."""
    return "\b\n" + "\n".join(
        ["Example:" if len(command_lines) == 1 else "Examples:", *(f"  {c}" for c in command_lines)]
    )


def index_option(command: Command) -> Command:
    """Add ``--index``, the folder of the index."""
    return click.option("--index", "index", metavar="DIR", help="Folder of the index.  [default: index]")(command)


def json_option(command: Command) -> Command:
    """Add ``--json``."""
    text = "Write one JSON document instead of text; an error is JSON on standard error."
    return click.option("--json", "as_json", is_flag=True, help=text)(command)


def filter_options(command: Command) -> Command:
    """Add the options that restrict a search."""
    for option in reversed(
        (
            click.option(
                "--topic",
                "topics",
                multiple=True,
                metavar="T",
                help="Only articles filed under T (repeat for any of several).",
            ),
            click.option(
                "--not-topic", "exclude_topics", multiple=True, metavar="T", help="No articles filed under T."
            ),
            click.option("--kind", "kinds", multiple=True, metavar="K", help="Only this kind: news, podcast, …"),
            click.option("--author", "authors", multiple=True, metavar="A", help="Only articles by A."),
            click.option("--since", metavar="D", help="Published in or after D: 2016, 2016-05 or 2016-05-31."),
            click.option(
                "--until", metavar="D", help="Published in or before D: all of it, so 2018 includes December."
            ),
            click.option("--language", metavar="L", help="Only articles in this language: en, de, …"),
        )
    ):
        command = option(command)
    return command


def index_location(ctx: click.Context, index: str | None) -> str:
    """The folder of the index: that of the command, else that of the program, else that of the settings."""
    outer = ctx.find_root().params.get("index")
    return index or outer or load_settings()[0].index


def open_index(ctx: click.Context, index: str | None) -> Engine:
    """The archive that the command line names. Raises the errors of `open_archive`."""
    return open_archive(index_location(ctx, index))


def query_text(words: tuple[str, ...]) -> str:
    """The query that the arguments spell, without the quotation marks that the shell has removed."""
    return " ".join(words).encode("utf-8", "replace").decode("utf-8")
