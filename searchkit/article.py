"""The article: what goes into an archive and comes back out of it.

An `Article` checks and normalises its fields when it is made, so that nothing behind it has to: strings are
stripped, dates are `date` or `datetime`, topics and authors are tuples without blanks or repeats.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
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
        title = " ".join(_text("title", title, article_id).split())
        body = _text("body", body, article_id)
        summary = _text("summary", summary, article_id).strip() if summary != "" else ""
        if not title and not summary and not body.strip():
            raise ArticleError(f"article {article_id!r} has neither title nor body; there is nothing to search in it")
        _set_id(self, article_id)
        _set_title(self, title)
        _set_body(self, body)
        _set_published(self, None if published is None else _moment("published", published, article_id))
        _set_topics(self, _labels("topics", topics, article_id))
        _set_authors(self, _labels("authors", authors, article_id))
        _set_kind(self, " ".join(_text("kind", kind, article_id).split()) if kind != "" else "")
        _set_url(self, None if url is None else _text("url", url, article_id).strip() or None)
        _set_summary(self, summary)
        _set_language(self, None if language is None else _text("language", language, article_id).strip() or None)
        _set_updated(self, None if updated is None else _moment("updated", updated, article_id))
        _set_extra(self, dict(extra) if extra else {})

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


# A frozen class is filled past its own __setattr__. The slots' descriptors, looked up once, do that in a third of the
# time of object.__setattr__; an archive is read at tens of thousands of articles a second, so it counts here.
_set_id = Article.__dict__["id"].__set__
_set_title = Article.__dict__["title"].__set__
_set_body = Article.__dict__["body"].__set__
_set_published = Article.__dict__["published"].__set__
_set_topics = Article.__dict__["topics"].__set__
_set_authors = Article.__dict__["authors"].__set__
_set_kind = Article.__dict__["kind"].__set__
_set_url = Article.__dict__["url"].__set__
_set_summary = Article.__dict__["summary"].__set__
_set_language = Article.__dict__["language"].__set__
_set_updated = Article.__dict__["updated"].__set__
_set_extra = Article.__dict__["extra"].__set__


def iso_moment(moment: date | None) -> str | None:
    """A date as 2017-08-23, a datetime as 2017-08-23T09:30:00+02:00, None as None."""
    return None if moment is None else moment.isoformat()


def _text(name: str, value: object, article_id: str | None) -> str:
    if type(value) is str and value.isascii():
        return value
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ArticleError(f"{_of(article_id)}{name} must be text, not {type(value).__name__}: {value!r:.80}")
    return _without_surrogates(value)


def _without_surrogates(value: str) -> str:
    """Half a UTF-16 pair, as broken JSON escapes give it, cannot be written as UTF-8: it becomes U+FFFD."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


def _moment(name: str, value: object, article_id: str) -> date | None:
    if value == "":
        return None
    if not isinstance(value, (str, date)):
        raise ArticleError(f"{_of(article_id)}{name} must be a date or its text, not {value!r:.80}")
    try:
        return _plain_moment(value) if isinstance(value, str) else value
    except ValueError:
        pass
    try:
        return parse_moment(value)
    except (ValueError, OverflowError) as exc:
        raise ArticleError(f"{_of(article_id)}{name}: {exc}") from exc


def _plain_moment(text: str) -> date:
    """The ISO 8601 of nearly all archives in one step; `parse_moment` says the same of it, in more steps.

    Raises ValueError for any other spelling.
    """
    if len(text) == 10:
        return date.fromisoformat(text)
    if len(text) > 10:
        return datetime.fromisoformat(text)
    raise ValueError(text)


def _labels(name: str, values: object, article_id: str) -> tuple[str, ...]:
    if not values and (values is None or type(values) is list or type(values) is tuple):
        return ()
    if type(values) is list or type(values) is tuple:
        try:
            if "".join(values).isascii():
                return tuple(filter(None, dict.fromkeys([" ".join(value.split()) for value in values])))
        except TypeError:
            pass  # the way below says which one is no text
    if isinstance(values, str):
        values = (values,)
    if not isinstance(values, Iterable) or isinstance(values, Mapping):
        raise ArticleError(f"{_of(article_id)}{name} must be a list of texts, not {values!r:.80}")
    labels = [" ".join(_text(name, value, article_id).split()) for value in values]
    return tuple(filter(None, dict.fromkeys(labels)))


def _of(article_id: str | None) -> str:
    return "" if article_id is None else f"article {article_id!r}: "
