"""Records as lines of text, compared at fixed widths without styles."""

from dataclasses import replace
from datetime import date, datetime
from textwrap import dedent

import pytest

from searchkit.article import Article
from searchkit.cli.layout import line_width
from searchkit.cli.output import Look
from searchkit.cli.render import (
    article_lines,
    bucket_label,
    facet_lines,
    hit_lines,
    next_page_lines,
    page_lines,
    receipt_lines,
    show_date,
    show_size,
    stats_lines,
    suggestion_lines,
    timeline_lines,
    timeline_summary,
    topic_lines,
)
from searchkit.page.model import ArchiveStats, Bucket, FacetValue, Hit, Page, Snippet, Suggestion
from searchkit.query.receipt import Meaning, Receipt, Remark

NARROW = Look(width=60)

HEPARIN = Hit(
    id="podcast-17",
    title="Heparin in plasma products: what a blood bank should know about it",
    title_marks=((0, 7),),
    published=date(2017, 8, 23),
    topics=("News", "Coagulation & Plasma Transfusion", "Adverse Events (non-infectious)"),
    authors=("Jane Roe",),
    kind="podcast",
    url="https://example.org/17",
    score=2.5,
    snippets=(
        Snippet("given heparin\nbefore the sample was drawn.", ((6, 13),), 10),
        Snippet("Heparin  again", ((0, 7),)),
    ),
)
UNDATED = Hit("note-1", "東京の輸血センター", None, (), (), "", None, 0.0)
HOSTILE = Hit(
    "h\x07",
    "[red]\x1b[2Jcleared",
    None,
    ("a\x9bb",),
    (),
    "k\x1b",
    None,
    0.0,
    (Snippet("[b]x[/b] \x1b]0;t\x07 ​y"),),
)
YEARS = (
    *(Bucket(date(year, 1, 1), date(year, 12, 31), count) for year, count in ((2015, 1), (2016, 0), (2017, 8))),
    Bucket(None, None, 2),
)
RECEIPT = Receipt(
    "heparin -aspirin",
    "Articles with heparin, without aspirin.",
    "heparin -aspirin",
    ("heparin",),
    (),
    ("aspirin",),
)
TOPICS = (
    FacetValue("News", 1200),
    FacetValue("Coagulation & Plasma Transfusion", 7),
    FacetValue("Blood, Donation/Policy", 3),
)
KINDS = (FacetValue("podcast", 9), FacetValue("news", 2))
PAGE = Page(1234, (HEPARIN, UNDATED), {"topics": TOPICS, "kind": KINDS}, YEARS, RECEIPT, took_ms=3.7)


def shown(lines):
    """The lines as they are written to a file, with ordinary spaces."""
    text = "\n".join("".join(span.text for span in line).rstrip() for line in lines)
    return text.replace("\N{NO-BREAK SPACE}", " ")


def expected(text):
    """An indented picture of output."""
    return dedent(text).strip("\n")


def test_page_at_60_columns():
    """Total, what was understood, numbered hits with passages, topics, kinds and timeline."""
    assert shown(page_lines(PAGE, NARROW)) == expected(
        """
        1,234 articles in 4 ms
        Read as: articles with heparin, without aspirin

        1  **Heparin** in plasma products: what a blood bank should
           know about it
           23 Aug 2017 · podcast · podcast-17
           News; Coagulation & Plasma Transfusion; Adverse Events
           (non-infectious)
           … given **heparin** before the sample was drawn.
           **Heparin** again …

        2  東京の輸血センター
           undated · note-1

        Topics    News (1,200) ·
                  Coagulation & Plasma Transfusion (7) ·
                  Blood, Donation/Policy (3)
        Kinds     podcast (9) · news (2)
        Timeline  2015 ▁ █ 2017 · most in 2017 (8) · undated (2)
        """
    )


@pytest.mark.parametrize(
    ("more", "passages", "said"), [(0, 2, []), (1, 2, ["and 1 more passage"]), (1200, 1, ["and 1,201 more passages"])]
)
def test_further_passages_are_counted(more, passages, said):
    """Below the passages shown stands how many more of the article match, if any do."""
    lines = shown(hit_lines([replace(HEPARIN, more_passages=more)], NARROW, passages=passages)).splitlines()
    assert [line.strip() for line in lines if "more passage" in line] == said
    assert not said or lines[-1].strip() == said[0]


def test_what_the_order_fresh_leaves_out_is_said():
    """Below the total stands how many less relevant articles there are, and how to see them."""
    lines = shown(page_lines(replace(PAGE, left_out=1), NARROW)).splitlines()
    assert lines[1] == "1 less relevant article left out; the order best lists all."

    nothing = Page(0, (), {}, (), RECEIPT, left_out=1200)
    assert shown(page_lines(nothing, NARROW)).splitlines()[:3] == [
        "No article is relevant enough.",
        "1,200 less relevant articles left out; the order best lists",
        "all.",
    ]


@pytest.mark.parametrize("width", [20, 33, 60, 100, 200])
@pytest.mark.parametrize("page", [PAGE, Page(1, (HOSTILE,), {}, (), RECEIPT)])
def test_nothing_is_wider_than_the_terminal(page, width):
    """Every line fits, wide characters and long words included."""
    look = Look(width=width)
    lines = [
        *page_lines(page, look),
        *timeline_lines(YEARS, look),
        *topic_lines(TOPICS, look, is_numbered=True),
    ]
    assert max(map(line_width, lines)) <= width


def test_an_article_cannot_control_the_terminal():
    """Escape sequences arrive as visible text, console markup as what it is."""
    text = shown(hit_lines([HOSTILE], NARROW))
    assert not {"\x1b", "\x07", "\x9b"} & set(text)
    assert "[red]␛[2Jcleared" in text
    assert "[b]x[/b] ␛]0;t␇" in text


def test_styled_output_leaves_marks_to_styles():
    """On a terminal there are no asterisks: the marked words have a role."""
    lines = hit_lines([HEPARIN], Look(width=100, styled=True))
    assert "*" not in shown(lines)
    assert [span.text for line in lines for span in line if span.role == "mark"] == [
        "Heparin",
        "heparin",
        "Heparin",
    ]


def test_numbers_continue():
    """A later page goes on counting."""
    assert shown(hit_lines([HEPARIN, UNDATED], NARROW, first_number=10)).startswith("10  **Heparin**")


@pytest.mark.parametrize(
    ("receipt", "text"),
    [
        (Receipt("red cells", "articles with red and cells", "red cells", ("red", "cells")), ""),
        (Receipt("", "Every article.", ""), ""),
        (RECEIPT, "Read as: articles with heparin, without aspirin"),
        (
            Receipt(
                "red )",
                "articles with red",
                "red",
                ("red",),
                remarks=(Remark(")", 4, "it was never opened"),),
            ),
            "Read as: articles with red\nNote: ')': it was never opened",
        ),
        (
            Receipt(
                "what about",
                "articles with what and about",
                "what about",
                ("what", "about"),
                remarks=(
                    Remark("what", -1, "no article has this word"),
                    Remark("", -1, "swapped"),
                    Remark("about", -1, "no article has this word"),
                    Remark("what", -1, "no article has this word"),
                ),
            ),
            "Note: 'what', 'about': no article has this word\nNote: swapped",
        ),
    ],
)
def test_what_was_understood_is_said_when_it_says_more(receipt, text):
    """Plain words need no explanation; anything else, and every remark, does."""
    assert shown(receipt_lines(receipt, NARROW)) == text


def test_nothing_found():
    """No hits: said plainly, with what was understood and what would find something."""
    suggestions = (
        Suggestion("heparin", "without the exclusion", 12),
        Suggestion("plasma", "another spelling"),
    )
    page = Page(0, (), {}, (), RECEIPT, suggestions)
    assert shown(page_lines(page, NARROW)) == expected(
        """
        No articles match.
        Read as: articles with heparin, without aspirin

        Try instead:
            heparin · without the exclusion · 12 articles
            plasma · another spelling
        """
    )


def test_what_approximate_words_and_synonyms_found_is_said():
    """Patterns, near spellings and synonyms are named with what they stand for; plain words are not."""
    receipt = Receipt(
        "wom?n rbc the",
        "Articles with a word like wom?n, rbc and the.",
        "wom?n rbc the",
        ("wom?n", "rbc", "the"),
        meanings=(
            Meaning("wom?n", ("women", "woman"), more=3),
            Meaning("rbc", ("rbc", "rbcs")),
            Meaning('"red cell"', (), is_synonym=True),
        ),
    )
    assert shown(receipt_lines(receipt, Look(width=100))) == (
        'Found as: wom?n is women, woman and 3 more; also "red cell", a synonym'
    )


def test_what_finds_more_stands_below_few_hits():
    """Below the hits of a search that found little stand the queries that find more, numbered in a session."""
    page = Page(1, (HEPARIN,), {}, (), RECEIPT, (Suggestion("heparin", "without the dates", 12),))
    assert shown(page_lines(page, NARROW)).endswith("More is found by:\n    heparin · without the dates · 12 articles")
    assert shown(suggestion_lines(page, NARROW, numbered=True)).endswith(
        "  try 1  heparin · without the dates · 12 articles"
    )


def test_topic_numbers_in_a_session():
    """A session numbers the topics that a reader can narrow to."""
    assert "Topics    1 News (1,200) · 2 Coag" in shown(facet_lines(PAGE, Look(width=100), numbered_topics=True))
    assert shown(topic_lines(TOPICS, NARROW, is_numbered=True)) == (
        "1  1,200  News\n2      7  Coagulation & Plasma Transfusion\n3      3  Blood, Donation/Policy"
    )


def test_many_topics_are_cut_with_their_number():
    """Beyond the commonest eight topics it says how many more there are."""
    topics = tuple(FacetValue(f"Topic {number}", 20 - number) for number in range(11))
    text = shown(page_lines(Page(20, (), {"topics": topics}, (), RECEIPT), NARROW))
    assert "Topic 7 (13)" in text
    assert text.endswith("3 more")


def test_timeline_bars():
    """One bar a line, as long as its count, the undated last."""
    assert shown(timeline_lines(YEARS, Look(width=24))) == expected(
        """
           2015 1 █▋
           2016 0
           2017 8 █████████████
        undated 2 ███▎
        """
    )


def test_ascii_terminals():
    """Where the encoding has no blocks, bars are drawn with ASCII characters."""
    look = Look(width=60, unicode=False)
    assert shown(timeline_summary(YEARS, look)) == "Timeline  2015 . @ 2017 - most in 2017 (8) - undated (2)"
    assert shown(timeline_lines(YEARS, look)).isascii()
    assert shown(hit_lines([HEPARIN], look)).isascii()


def test_long_timelines_are_merged_to_fit():
    """More months than cells: neighbours share a bar, none is lost."""
    months = [Bucket(date(2000 + m // 12, m % 12 + 1, 1), date(2000 + m // 12, m % 12 + 1, 28), 1) for m in range(300)]
    lines = timeline_summary(months, NARROW)
    assert max(map(line_width, lines)) <= 60


def test_one_moment_has_no_timeline():
    """A timeline with a single bar says nothing."""
    assert timeline_summary(YEARS[2:], NARROW) == []


@pytest.mark.parametrize(
    ("bucket", "label"),
    [
        (Bucket(date(2016, 1, 1), date(2016, 12, 31), 1), "2016"),
        (Bucket(date(2010, 1, 1), date(2019, 12, 31), 1), "2010-2019"),
        (Bucket(date(2016, 2, 1), date(2016, 2, 29), 1), "Feb 2016"),
        (Bucket(date(2016, 12, 1), date(2016, 12, 31), 1), "Dec 2016"),
        (Bucket(date(2016, 2, 3), date(2016, 2, 3), 1), "3 Feb 2016"),
        (Bucket(date(2016, 2, 3), date(2016, 2, 9), 1), "3 Feb 2016 - 9 Feb 2016"),
        (Bucket(date(9999, 12, 31), date(9999, 12, 31), 1), "31 Dec 9999"),
        (Bucket(date(9999, 1, 1), date(9999, 12, 31), 1), "9999"),
        (Bucket(None, None, 1), "undated"),
    ],
)
def test_bucket_labels(bucket, label):
    """A bucket is named by the shortest name of its span."""
    assert bucket_label(bucket) == label


def test_dates_are_the_same_in_every_locale():
    """Days are written with English months; no date is ``undated``."""
    assert show_date(datetime(2017, 8, 3, 23, 59)) == "3 Aug 2017"
    assert show_date(None) == "undated"


def test_article():
    """An article with all that is known about it, its paragraphs and its own further fields."""
    article = Article(
        id="a1",
        title="Heparin in plasma",
        summary="What happened.",
        body="First paragraph, which is longer than forty cells.\n\n\n\n- a point\n- \x1b[1manother\n",
        published="2017-08-23T09:30:00",
        updated="2018-01-02",
        topics=["News", "Blood, Donation"],
        authors=["Jane Roe", "R. Doe"],
        kind="podcast",
        url="https://example.org/1",
        extra={"doi": "10.5555/1", "pages": [1, 2], "note": None},
    )
    assert shown(article_lines(article, Look(width=40))) == expected(
        """
        Heparin in plasma
        23 Aug 2017, 09:30 ·
        updated 2 Jan 2018 · podcast ·
        by Jane Roe, R. Doe
        https://example.org/1
        Topics    News; Blood, Donation
        Id        a1

        What happened.

        First paragraph, which is longer than
        forty cells.

        - a point
        - ␛[1manother

        doi       10.5555/1
        pages     1; 2
        """
    )


def test_stats():
    """The archive in numbers fits a narrow terminal."""
    stats = ArchiveStats(
        articles=1234,
        undated=2,
        first=date(2010, 1, 4),
        last=date(2025, 12, 30),
        topics=11,
        authors=3,
        kinds=KINDS,
        languages=(FacetValue("en", 1234),),
        segments=1,
        size_bytes=1_234_567,
        time_zone="UTC",
        location="index",
    )
    assert shown(stats_lines(stats, Look(width=40))) == expected(
        """
        Articles   1,234 (2 undated)
        Dates      4 Jan 2010 to 30 Dec 2025
                   (UTC)
        Topics     11
        Authors    3
        Kinds      podcast (9), news (2)
        Languages  en (1,234)
        Index      index, 1.2 MB in 1 segment
        """
    )


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (45_000, "45 kB"), (10**13, "10.0 TB")],
)
def test_sizes(size, text):
    """Sizes have the unit that keeps them short."""
    assert show_size(size) == text


def test_next_page_command():
    """The command line for the next page is quoted for a shell and broken only where a shell allows it."""
    text = shown(next_page_lines(["--topic", "RBC Transfusion"], ["heparin", "-aspirin", "it's"], "c" * 40, NARROW))
    assert text == expected(
        f"""
        Next page:
          searchkit search --topic 'RBC Transfusion' \\
            --cursor {"c" * 40} \\
            heparin -aspirin 'it'"'"'s'
        """
    )


def test_next_page_command_keeps_words_that_look_like_options():
    """A query word with two dashes stays behind ``--``."""
    assert "--cursor abc -- --sort" in shown(next_page_lines([], ["--sort"], "abc", NARROW))
