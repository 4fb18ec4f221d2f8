"""The web interface: a search page that works without script, and the JSON search, as one ASGI app.

    from searchkit.web import create_app

    app.mount("/search", create_app(archive, title="The Archive"))

The packages it stands on come with the extra `searchkit[web]`; they are imported when `create_app` is first
asked for, so that `import searchkit.web` works without them. ``app.py`` puts the app together, ``routes.py``
answers requests, ``state.py`` reads and writes query strings, ``contexts.py`` says what templates get.
"""

from typing import TYPE_CHECKING, Any

from searchkit.errors import MissingExtra

if TYPE_CHECKING:
    from searchkit.web.app import create_app

__all__ = ["create_app"]

_PACKAGES = ("starlette", "jinja2", "markupsafe", "anyio")


def __getattr__(name: str) -> Any:
    """`create_app`, imported when first used. Raises MissingExtra where its packages are not installed."""
    if name != "create_app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from searchkit.web.app import create_app  # pulls in starlette and jinja2
    except ModuleNotFoundError as exc:
        package = (exc.name or "").partition(".")[0]
        if package not in _PACKAGES:
            raise
        raise MissingExtra(
            f"the web pages need the package {package!r}, which is not installed; run: pip install 'searchkit[web]'"
        ) from exc
    return create_app
