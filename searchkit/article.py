"""The article: what goes into an archive and comes back out of it.

An `Article` checks and normalises its fields when it is made, so that nothing behind it has to: strings are
stripped, dates are `date` or `datetime`, topics and authors are tuples without blanks or repeats.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from searchkit.dates import parse_moment
from searchkit.errors import ArticleError


@dataclass(frozen=True, slots=True, init=False)
class Article:
    """One dated article filed under topics.

    ``id`` names it in the archive: adding an article with an id that is already there replaces it. A title or a
    body (or summary) is needed, everything else is optional. ``published`` and ``updated`` take a date, a datetime
    or text as files have it ("2017-08-23", "2017-08-23T09:30+02:00"); None means undated. ``topics`` and
    ``authors`` are kept as written, commas and ampersands included. ``language`` is a code like "en" or "pt-BR" and
    overrides the archive's language for this article. ``extra`` holds whatever else the source had; it is stored
    and shown and must be JSON-able.

    Raises ArticleError, naming the field and the value, when the article cannot be indexed.
    """

    id: str
    title: str = ""
    body: str = ""
    published: date | None = None
    topics: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    kind: str = ""
    url: str | None = None
    summary: str = ""
    language: str | None = None
    updated: date | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __init__(
        self,
        id: str,  # noqa: A002 - the contract's name
        title: str = "",
        body: str = "",
        *,
        published: str | date | None = None,
        topics: Iterable[str] | str = (),
        authors: Iterable[str] | str = (),
        kind: str | None = "",
        url: str | None = None,
        summary: str | None = "",
        language: str | None = None,
        updated: str | date | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        article_id = _text("id", id, None).strip()
        if not article_id:
            raise ArticleError("an article needs an id; give it one that stays the same when it is edited")
        values: dict[str, Any] = {
            "id": article_id,
            "title": _one_line(_text("title", title, article_id)),
            "body": _text("body", body, article_id),
            "published": _moment("published", published, article_id),
            "topics": _labels("topics", topics, article_id),
            "authors": _labels("authors", authors, article_id),
            "kind": _one_line(_text("kind", kind, article_id)),
            "url": _text("url", url, article_id).strip() or None,
            "summary": _text("summary", summary, article_id).strip(),
            "language": _text("language", language, article_id).strip() or None,
            "updated": _moment("updated", updated, article_id),
            "extra": dict(extra or {}),
        }
        if not (values["title"] or values["body"].strip() or values["summary"]):
            raise ArticleError(f"article {article_id!r} has neither title nor body; there is nothing to search in it")
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """The article as JSON-able data, dates in ISO 8601; `Article(**data)` makes it again."""
        return {
            "id": self.id,
            "title": self.title,
            "body": self.body,
            "published": iso_moment(self.published),
            "topics": list(self.topics),
            "authors": list(self.authors),
            "kind": self.kind,
            "url": self.url,
            "summary": self.summary,
            "language": self.language,
            "updated": iso_moment(self.updated),
            "extra": dict(self.extra),
        }


def iso_moment(moment: date | None) -> str | None:
    """A date as 2017-08-23, a datetime as 2017-08-23T09:30:00+02:00, None as None."""
    return None if moment is None else moment.isoformat()


def _text(name: str, value: object, article_id: str | None) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ArticleError(f"{_of(article_id)}{name} must be text, not {type(value).__name__}: {value!r:.80}")
    return value if value.isascii() else _without_surrogates(value)


def _without_surrogates(value: str) -> str:
    """Half a UTF-16 pair, as broken JSON escapes give it, cannot be written as UTF-8: it becomes U+FFFD."""
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _one_line(value: str) -> str:
    return " ".join(value.split())


def _moment(name: str, value: object, article_id: str) -> date | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str | date):
        raise ArticleError(f"{_of(article_id)}{name} must be a date or its text, not {value!r:.80}")
    try:
        return parse_moment(value)
    except (ValueError, OverflowError) as exc:
        raise ArticleError(f"{_of(article_id)}{name}: {exc}") from exc


def _labels(name: str, values: object, article_id: str) -> tuple[str, ...]:
    if values is None:
        return ()
    if isinstance(values, str):
        values = (values,)
    if not isinstance(values, Iterable):
        raise ArticleError(f"{_of(article_id)}{name} must be a list of texts, not {values!r:.80}")
    labels = (_one_line(_text(name, value, article_id)) for value in values)
    return tuple(dict.fromkeys(label for label in labels if label))


def _of(article_id: str | None) -> str:
    return "" if article_id is None else f"article {article_id!r}: "
