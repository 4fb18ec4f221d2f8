"""Full-text search for article archives.

    import searchkit

    with searchkit.open_archive("index", create=True) as archive:
        archive.add([searchkit.Article(id="a1", title="…", body="…", published="2017-08-23", topics=["News"])])
        page = archive.search("heparin -aspirin", since="2016")

`searchkit.errors` has the errors, `searchkit.settings` what can be set.
"""

from searchkit.article import Article
from searchkit.engines import Engine, open_archive
from searchkit.errors import SearchkitError
from searchkit.page.model import Bucket, Completion, FacetValue, Hit, Page, Snippet, Suggestion
from searchkit.settings import Settings

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
