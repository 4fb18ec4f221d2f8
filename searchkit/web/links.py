"""Addresses: of our own pages, under whatever path the app is mounted, and of articles' originals.

Our own are paths without scheme and host, so they are right behind any proxy.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from searchkit.web.state import SearchState, write_state

_PATH_SAFE = "/:@!$&'()*+,;=~"
_UNLINKABLE = re.compile(r"[\x00-\x20\x7f-\x9f\\]")


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses of an app mounted at ``root``, a path like ``/search`` or nothing, percent-encoded."""

    root: str

    @classmethod
    def under(cls, root_path: str) -> "Links":
        """The addresses below an ASGI ``root_path``, which is not percent-encoded."""
        return cls(quote(root_path.rstrip("/"), safe=_PATH_SAFE))

    def search(self, state: SearchState | None = None) -> str:
        """The search page in some state; without one the front page."""
        query = write_state(state) if state is not None else ""
        return f"{self.root}/?{query}" if query else f"{self.root}/"

    def article(self, article_id: str) -> str:
        """The page of an article."""
        return self._of_article("/article", article_id)

    def api_article(self, article_id: str) -> str:
        """The article as JSON."""
        return self._of_article("/api/articles", article_id)

    def api_search(self, state: SearchState) -> str:
        """The page of a search as JSON."""
        query = write_state(state)
        return f"{self.root}/api/search?{query}" if query else f"{self.root}/api/search"

    def api_suggest(self) -> str:
        """What completes a query that was begun, as JSON."""
        return f"{self.root}/api/suggest"

    def static(self, name: str) -> str:
        """A file of the folder ``static``."""
        return f"{self.root}/static/{name}"

    def _of_article(self, route: str, article_id: str) -> str:
        if _survives_as_path(article_id):
            return f"{self.root}{route}/{quote(article_id, safe=_PATH_SAFE)}"
        return f"{self.root}{route}?{urlencode({'id': article_id})}"


def _survives_as_path(article_id: str) -> bool:
    """Whether browsers and proxies leave an id alone in a path: they resolve ``..`` and join slashes."""
    segments = article_id.split("/")
    return not _UNLINKABLE.search(article_id.replace(" ", "")) and not any(s in ("", ".", "..") for s in segments)


def safe_href(url: str | None) -> str | None:
    """``url`` when it is safe and sensible to link to, None otherwise.

    That is http and https with a host, and paths from the root of the site. A reader who clicks on anything
    else could run code (``javascript:``, ``data:``), or land nowhere (a path relative to a page that is not
    ours).
    """
    address = (url or "").strip()
    if not address or _UNLINKABLE.search(address):
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if parts.scheme in ("http", "https") and parts.hostname:
        return address
    return address if not parts.scheme and not parts.netloc and address.startswith("/") else None
