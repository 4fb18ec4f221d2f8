"""The slow, obvious twin of search: sets and loops over articles, for property tests to compare with.

Words are compared as folded letters only, so the archives it judges use words that no stemmer changes.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from searchkit.article import Article


def plain(label: str) -> str:
    """Without case and accents, spaces single."""
    letters = unicodedata.normalize("NFD", " ".join(label.split()).casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def words(article: Article) -> list[str]:
    """The words of an article, with a marker between its parts that no phrase crosses."""
    parts = (article.title, article.summary, article.body)
    return " | ".join(plain(part) for part in parts).split()


def has_word(article: Article, word: str) -> bool:
    """Whether the word stands anywhere in it."""
    return plain(word) in words(article)


def has_phrase(article: Article, phrase: str) -> bool:
    """Whether the words stand one after the other."""
    wanted, found = plain(phrase).split(), words(article)
    return any(found[n : n + len(wanted)] == wanted for n in range(len(found)))


def has_prefix(article: Article, prefix: str) -> bool:
    """Whether a word begins with it."""
    return any(word.startswith(plain(prefix)) for word in words(article))


def is_labelled(labels: Iterable[str], wanted: Sequence[str]) -> bool:
    """Whether one of the labels is one of those wanted."""
    return bool({plain(label) for label in labels} & {plain(label) for label in wanted})


def has_name(name: str, wanted: str) -> bool:
    """Whether a name has all the wanted words; what a mark within a word holds together may be written as one."""

    def words(text: str) -> set[str]:
        return set(re.findall(r"\w+", text))

    def joined(text: str) -> str:
        return re.sub(r"(?<=\w)['’.‐‑–-](?=\w)", "", text)

    found = words(plain(name)) | words(joined(plain(name)))
    if not words(plain(wanted)):
        return plain(name) == plain(wanted)
    return all(words(part) <= found or words(joined(part)) <= found for part in plain(wanted).split())


def local_datetime(article: Article, zone: str) -> datetime | None:
    """The wall clock time of publication in the archive's zone."""
    if article.published is None:
        return None
    if not isinstance(article.published, datetime):
        return datetime.combine(article.published, time.min)
    if article.published.tzinfo is None:
        return article.published
    return article.published.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def instant(article: Article, zone: str) -> datetime | None:
    """The moment of publication in UTC."""
    if article.published is None:
        return None
    local = article.published
    if not isinstance(local, datetime):
        local = datetime.combine(local, time.min)
    return (local if local.tzinfo else local.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def newest_first(articles: Iterable[Article], zone: str) -> list[Article]:
    """By publication, latest first, the undated last; ties by id."""
    dated = [(instant(a, zone), a) for a in articles]
    in_order = sorted((p for p in dated if p[0] is not None), key=lambda p: p[1].id)
    in_order.sort(key=lambda p: p[0], reverse=True)
    return [a for _, a in in_order] + sorted((a for p, a in dated if p is None), key=lambda a: a.id)


def oldest_first(articles: Iterable[Article], zone: str) -> list[Article]:
    """By publication, earliest first, the undated last; ties by id."""
    dated = [(instant(a, zone), a) for a in articles]
    in_order = sorted((p for p in dated if p[0] is not None), key=lambda p: (p[0], p[1].id))
    return [a for _, a in in_order] + sorted((a for p, a in dated if p is None), key=lambda a: a.id)


def label_counts(labels_of: Iterable[Iterable[str]]) -> Counter[str]:
    """How many of the given label lists have each label, folded."""
    return Counter(label for labels in labels_of for label in {plain(label) for label in labels})


def month_counts(articles: Iterable[Article], zone: str) -> Counter[tuple[int, int] | None]:
    """How many articles were published in each calendar month; None for the undated."""
    moments = (local_datetime(article, zone) for article in articles)
    return Counter(None if moment is None else (moment.year, moment.month) for moment in moments)


def within(article: Article, since: date | None, until: date | None, zone: str) -> bool:
    """Whether it was published on a day from since to until, both included."""
    moment = local_datetime(article, zone)
    if moment is None:
        return since is None and until is None
    return (since is None or since <= moment.date()) and (until is None or moment.date() <= until)
