"""Cursors: where a page ended, as an opaque text that a reader can come back with.

A cursor holds the rank key of the last hit shown and a fingerprint of the search it belongs to, as URL-safe base64
of JSON. The next page is what comes after that key, so articles added meanwhile neither shift nor repeat hits.
"""

import base64
import binascii
import json
import zlib

from searchkit.errors import CursorError
from searchkit.plan.ranking import RankKey

_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode_cursor(key: RankKey, search: str) -> str:
    """The cursor for the hits after ``key`` of the search described by ``search``."""
    data = _as_json([_fingerprint(search), *key])
    return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, search: str) -> RankKey:
    """The key in a cursor. Raises CursorError when it is damaged or was made by another search."""
    try:
        data = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        fingerprint, by_score, by_date, article_id = json.loads(data)
        key = RankKey(float(by_score), int(by_date), str(article_id))
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError) as exc:
        raise CursorError(f"{cursor!r:.80} is not a cursor; take next_cursor of a page, or none for the first") from exc
    if fingerprint != _fingerprint(search):
        raise CursorError(
            "the cursor belongs to another search; use it with the same query, filters and sort, or start without one"
        )
    return key


def _fingerprint(search: str) -> int:
    """Against mistakes, not against people: a checksum, as hashlib would bring OpenSSL along with every search."""
    return zlib.crc32(search.encode("utf-8", "surrogatepass"))
