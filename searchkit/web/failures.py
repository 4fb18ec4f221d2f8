"""Errors to HTTP, once: the status of each kind of error and the one shape in which it is told.

    {"error": {"type": "RequestError", "message": "…", "status": 400}}

The caller's errors are told as they are. What is wrong with the index, or with us, names folders of the
server: that goes to the log, and the reader learns that it is not their doing.
"""

import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException

from searchkit.errors import ArchiveError, MissingExtra, SearchkitError, UnknownArticle, UserError

_STATUS: tuple[tuple[type[SearchkitError], HTTPStatus], ...] = (  # the first that fits
    (UnknownArticle, HTTPStatus.NOT_FOUND),
    (MissingExtra, HTTPStatus.NOT_IMPLEMENTED),
    (UserError, HTTPStatus.BAD_REQUEST),
    (ArchiveError, HTTPStatus.SERVICE_UNAVAILABLE),
    (SearchkitError, HTTPStatus.INTERNAL_SERVER_ERROR),
)
_log = logging.getLogger("searchkit.web")


@dataclass(frozen=True, slots=True)
class Failure:
    """What a client is told: the name of the error, a sentence, and the HTTP status."""

    type: str
    message: str
    status: int

    def to_dict(self) -> dict[str, Any]:
        """The failure as JSON-able data, the body of every failed JSON request."""
        return {"error": {"type": self.type, "message": self.message, "status": self.status}}


def failure_of(error: Exception) -> Failure:
    """The failure that a client is told of; what it is not told is logged."""
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        return Failure(status.phrase.title().replace(" ", ""), _HTTP_MESSAGES.get(status, error.detail), status)
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Failure(type(error).__name__, str(error), status)
    _log.error("a request failed with status %d: %s", status, error, exc_info=error)
    if isinstance(error, ArchiveError):
        message = "the archive cannot be searched at the moment; the server's log says why"
        return Failure(type(error).__name__, message, status)
    name = type(error).__name__ if isinstance(error, SearchkitError) else "InternalError"
    return Failure(name, "the request failed for a reason of ours; the server's log says which", status)


_HTTP_MESSAGES = {
    HTTPStatus.NOT_FOUND: "there is nothing at this address; search from the front page",
    HTTPStatus.METHOD_NOT_ALLOWED: "this address only answers GET, HEAD and OPTIONS",
}
