"""The sample corpus as the sources read it: complete, filed as its README says, no blog around the text."""

import re
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest

from searchkit.article import Article
from searchkit.settings import Settings
from searchkit.sources import Found, read_sources

CORPUS = Path(__file__).parents[2] / "sample_corpus"

TOPICS = {
    "Adverse Events (non-infectious)",
    "Blood Donation",
    "Cell Therapy",
    "Coagulation & Plasma Transfusion",
    "News",
    "Platelet Transfusion",
    "Policy and Guidelines",
    "Quality Control and Regulatory",
    "RBC Transfusion",
    "Serology/Genotyping",
    "Special Transfusion Situations",
    "Transfusion Transmitted Infections",
}

# What each page states, in JSON-LD, in meta tags, or only to the reader.
PAGES = {
    "red-cell-age-heart-surgery": (
        "2012-05-08",
        ["Maren Haldvik"],
        "news",
        {"News", "RBC Transfusion"},
    ),
    "wrong-blood-in-tube-scanners": (
        "2013-10-01T08:15:00-04:00",
        ["Fionnuala O'Brien"],
        "news",
        {"News", "Quality Control and Regulatory", "Adverse Events (non-infectious)"},
    ),
    "first-cooler-massive-transfusion": (
        "2015-04-14T13:00:00+00:00",
        ["Adaeze Winterbourne"],
        "news",
        {"News", "Special Transfusion Situations", "Coagulation & Plasma Transfusion"},
    ),
    "iga-deficiency": (
        "2016-12-06T06:00:00-05:00",
        ["Maren Haldvik"],
        "question of the day",
        {"Adverse Events (non-infectious)", "Special Transfusion Situations"},
    ),
    "pathogen-reduced-platelets-year-one": (
        "2017-06-20",
        ["Jun Karasawa-Bell"],
        "news",
        {"News", "Platelet Transfusion", "Transfusion Transmitted Infections"},
    ),
    "stromal-cells-steroid-refractory-gvhd": (
        "2018-10-09T11:20:00+02:00",
        ["Tomás Ibarrola-Quint", "Maren Haldvik"],
        "news",
        {"News", "Cell Therapy"},
    ),
    "whole-blood-titer-cutoff": (
        "2019-12-03",
        ["Adaeze Winterbourne"],
        "news",
        {"News", "Special Transfusion Situations", "Blood Donation", "Serology/Genotyping"},
    ),
    "shortage-plan-traffic-lights": (
        "2021-11-16T22:30:00-08:00",
        ["Fionnuala O'Brien"],
        "news",
        {"News", "Policy and Guidelines", "Blood Donation", "RBC Transfusion"},
    ),
}

BESIDE_THE_ARTICLE = (
    "Recent Posts",
    "Subscribe",
    "Leave a Reply",
    "No comments yet",
    "So may we stop hunting",
    "cookies",
    "Illustrative sample content",
    "Not medical advice",
    "not medical advice",
    "Filed Under",
    "Home",
)


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    """Every article of the corpus, in the order in which the sources read it."""
    readings = list(read_sources([CORPUS], settings=Settings()))
    assert [reading for reading in readings if not isinstance(reading, Found)] == []
    return [reading.article for reading in readings if isinstance(reading, Found)]


@pytest.fixture(scope="module")
def pages(articles: list[Article]) -> dict[str, Article]:
    """The articles from HTML pages by the last part of their address."""
    by_slug = {(article.url or "").rstrip("/").rsplit("/", 1)[-1]: article for article in articles}
    return {slug: by_slug[slug] for slug in PAGES}


def test_every_file_is_read_and_no_id_repeats(articles: list[Article]) -> None:
    """56 Markdown files, 8 pages and 12 briefs give 76 articles under 76 ids; the README gives none."""
    assert len(articles) == len({article.id for article in articles}) == 76


def test_topics_are_the_twelve_and_each_is_used(articles: list[Article]) -> None:
    """No topic is misspelt or torn at a slash or ampersand, and each has at least four articles."""
    counts = Counter(topic for article in articles for topic in article.topics)
    assert set(counts) == TOPICS
    assert min(counts.values()) >= 4
    assert all(article.topics for article in articles)


def test_kinds_years_and_languages(articles: list[Article]) -> None:
    """All four kinds, every year from 2010 to 2025, two undated articles, one each in Spanish and German."""
    kinds = Counter(article.kind for article in articles)
    assert kinds == {"news": 63, "question of the day": 6, "podcast": 4, "continuing education": 3}
    years = Counter(article.published and article.published.year for article in articles)
    assert set(years) == {None, *range(2010, 2026)}
    assert years[None] == 2
    languages = Counter((article.language or "en").split("-")[0] for article in articles)
    assert languages == {"en": 74, "es": 1, "de": 1}


def test_every_doi_is_illustrative(articles: list[Article]) -> None:
    """Texts and front matter cite no DOI outside the prefix that is set aside for examples."""
    texts = (f"{article.body} {article.extra.get('doi', '')}" for article in articles)
    prefixes = {prefix for text in texts for prefix in re.findall(r"\b10\.\d{4,9}(?=/)", text)}
    assert prefixes == {"10.5555"}


def test_unknown_keys_are_kept(articles: list[Article]) -> None:
    """The issue number of a brief and the duration of a podcast survive as extra values."""
    by_id = {article.id: article for article in articles}
    assert by_id["brief-2025-08-heat-wave"].extra["issue_number"] == 379
    assert by_id["podcast-fainting-donors"].extra["duration"] == "14:20"


@pytest.mark.parametrize("slug", PAGES)
def test_a_page_gives_what_it_states(pages: dict[str, Article], slug: str) -> None:
    """Date, authors, kind and topics of a page are found wherever the page states them."""
    published, authors, kind, topics = PAGES[slug]
    page = pages[slug]
    moment = datetime.fromisoformat(published) if "T" in published else date.fromisoformat(published)
    assert page.published == moment
    assert list(page.authors) == authors
    assert page.kind == kind
    assert set(page.topics) == topics


@pytest.mark.parametrize("slug", PAGES)
def test_nothing_around_the_article_is_in_it(pages: dict[str, Article], articles: list[Article], slug: str) -> None:
    """Menu, sidebar, comments, footer and the titles of other articles stay out of a page's text."""
    page = pages[slug]
    others = [article.title for article in articles if article.id != page.id]
    assert [text for text in (*BESIDE_THE_ARTICLE, *others) if text in page.body] == []
    assert len(page.body.split()) > 150
    assert "Transfusion Digest" not in page.title
