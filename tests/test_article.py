"""What an Article does to its fields when it is made, and what it refuses."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.article import Article
from searchkit.dates import parse_moment
from searchkit.errors import ArticleError


def test_fields_are_normalised() -> None:
    """Titles and labels are one line, lists are tuples without blanks or repeats, blank is None or empty."""
    article = Article(
        " a1 ",
        "Two\n lines",
        " kept as it is ",
        published="2017-08-23",
        topics=["Coagulation & Plasma  Transfusion", "", "News", "News"],
        authors="Doe, Jane",
        kind=None,
        url=" ",
        summary=None,
        language="",
        extra={"doi": "10.5555/x"},
    )

    assert article.id == "a1"
    assert article.title == "Two lines"
    assert article.body == " kept as it is "
    assert article.published == date(2017, 8, 23)
    assert article.topics == ("Coagulation & Plasma Transfusion", "News")
    assert article.authors == ("Doe, Jane",)
    assert (article.kind, article.url, article.summary, article.language) == ("", None, "", None)
    assert article.extra == {"doi": "10.5555/x"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"id": "", "title": "t"}, "needs an id"),
        ({"id": 7, "title": "t"}, "id must be text, not int"),
        ({"id": "a"}, "neither title nor body"),
        ({"id": "a", "title": " ", "body": "\n"}, "neither title nor body"),
        ({"id": "a", "title": ["t"]}, "title must be text, not list"),
        ({"id": "a", "title": "t", "published": "soon"}, "published: 'soon' is not a date"),
        ({"id": "a", "title": "t", "published": "2017-13-45"}, "published: '2017-13-45' is not a date"),
        ({"id": "a", "title": "t", "published": 20170823}, "published must be a date"),
        ({"id": "a", "title": "t", "updated": "2017-02-30T10:00"}, "updated: "),
        ({"id": "a", "title": "t", "topics": 7}, "topics must be a list"),
        ({"id": "a", "title": "t", "topics": {"News": 1}}, "topics must be a list"),
        ({"id": "a", "title": "t", "topics": 0}, "topics must be a list"),
        ({"id": "a", "title": "t", "topics": ["News", 7]}, "topics must be text, not int"),
        ({"id": "a", "title": "t", "authors": [{"name": "x"}]}, "authors must be text, not dict"),
    ],
)
def test_what_cannot_be_indexed_is_refused_by_name(fields: dict[str, Any], message: str) -> None:
    """A field that cannot be used raises ArticleError with its name and value."""
    with pytest.raises(ArticleError, match=message):
        Article(**fields)


def test_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    """Text can always be written as UTF-8; two halves that belong together become their character."""
    article = Article("a", "x\ud800y", "\ud83d\ude00")

    assert (article.title, article.body) == ("x\ufffdy", "\U0001f600")


@given(
    st.one_of(
        st.dates().map(str),
        st.datetimes(timezones=st.none() | st.just(UTC)).map(str),
        st.datetimes().map(lambda moment: moment.strftime("%Y%m%d")),
        st.from_regex(r"\d{4}[-/.]?\d{0,2}[-/.W]?\d{0,2}[T ]?\d{0,2}:?\d{0,2}Z?", fullmatch=True),
    )
)
def test_dates_are_read_as_parse_moment_reads_them(text: str) -> None:
    """The short way that an Article takes for plain ISO dates never changes what a date means."""
    try:
        expected = parse_moment(text)
    except (ValueError, OverflowError):
        with pytest.raises(ArticleError):
            Article("a", "t", published=text)
        return

    published = Article("a", "t", published=text).published
    assert published == expected
    assert type(published) is type(expected)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2017-8-3 9:30", datetime(2017, 8, 3, 9, 30)),
        ("2017/08/23 10:00 UTC", datetime(2017, 8, 23, 10, tzinfo=UTC)),
        ("2015-03-19 18:00:00 -4", datetime.fromisoformat("2015-03-19T18:00:00-04:00")),
        ("2019-11-12 13:00:00 -0530", datetime.fromisoformat("2019-11-12T13:00:00-05:30")),
        ("20170823", date(2017, 8, 23)),
    ],
)
def test_spellings_of_site_generators(text: str, moment: date) -> None:
    """One-digit parts, slashes, and zones written apart or short are understood."""
    assert Article("a", "t", published=text).published == moment


def test_an_article_survives_its_own_dictionary() -> None:
    """to_dict gives JSON-able data that makes an equal article."""
    article = Article("a", "t", "b", published="2017-08-23T09:30+02:00", topics=["x"], extra={"n": 1})

    assert Article(**article.to_dict()) == article
