"""Engines answer searches. `open_archive` finds the right one for a location."""

import os

from searchkit.engines.engine import Bound, Engine
from searchkit.errors import RequestError
from searchkit.settings import Settings

__all__ = ["Bound", "Engine", "open_archive"]


def open_archive(
    location: str | os.PathLike[str] = "index", *, create: bool = False, settings: Settings | None = None
) -> Engine:
    """Open the archive at ``location``, the folder of an index.

    With ``create`` a missing index is made; an existing one is opened as it is. ``settings`` default to those of
    ``searchkit.toml`` and the environment. Raises IndexMissing where there is none, and the other ArchiveErrors for
    one that cannot be used.
    """
    path = os.fspath(location)
    if "://" in path:
        raise RequestError(f"{path!r} is a URL; this version opens indexes in a folder, like 'index'")
    from searchkit.engines.local import (
        open_local,  # pulls in whoosh and numpy, which `import searchkit` must not
    )

    return open_local(path, create=create, settings=settings)
