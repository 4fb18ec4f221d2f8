"""Full-text search for article archives.

    import searchkit

    with searchkit.open_archive("index", create=True) as archive:
        archive.add([searchkit.Article(id="a1", title="…", body="…", published="2017-08-23", topics=["News"])])
        page = archive.search("heparin -aspirin", since="2016")

`searchkit.errors` has the errors, `searchkit.settings` what can be set.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from searchkit.article import Article
from searchkit.errors import SearchkitError
from searchkit.settings import Settings

if TYPE_CHECKING:
    from searchkit.engines import Engine, open_archive
    from searchkit.page.model import Bucket, Completion, FacetValue, Hit, Page, Snippet, Suggestion

__version__ = "0.1.0"

__all__ = [
    "Article",
    "Bucket",
    "Completion",
    "Engine",
    "FacetValue",
    "Hit",
    "Page",
    "SearchkitError",
    "Settings",
    "Snippet",
    "Suggestion",
    "open_archive",
]

_FOUND_IN = {"Engine": "searchkit.engines", "open_archive": "searchkit.engines"}


def __getattr__(name: str) -> object:
    """What searches is imported when it is first asked for: processes that build segments never do."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_FOUND_IN.get(name, "searchkit.page.model")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
