"""``searchkit serve``: the search page and the JSON search of an archive over HTTP."""

from contextlib import suppress

import click

from searchkit.cli.options import ArchiveCommand, example, index_option, open_index
from searchkit.cli.output import note
from searchkit.errors import MissingExtra


@click.command(
    "serve",
    short_help="Serve a search page.",
    cls=ArchiveCommand,
    epilog=example("searchkit serve --port 8080"),
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for every one.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port to listen on.")
@index_option
@click.pass_context
def serve_command(ctx: click.Context, host: str, port: int, index: str | None) -> None:
    """Serve a search page and a JSON search over HTTP until Ctrl-C."""
    try:
        import uvicorn  # of the extra [web], which not everybody installs

        from searchkit.web import create_app
    except ModuleNotFoundError as exc:
        raise MissingExtra(
            f"serve needs the package {exc.name}, which is not installed; install it with: pip install 'searchkit[web]'"
        ) from exc
    with open_index(ctx, index) as archive:
        note(f"Search page: http://{'localhost' if host == '0.0.0.0' else host}:{port}/ (Ctrl-C stops)")
        with suppress(KeyboardInterrupt):  # how serving ends
            uvicorn.run(create_app(archive), host=host, port=port, log_level="warning")
