"""The receipt: what a query was read as, in a sentence, in lists and in remarks; and filters folded in."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from searchkit.errors import RequestError
from searchkit.query import read_query, with_filters
from searchkit.query.nodes import And, Everything, Label, Not, Or, Published, Word
from searchkit.query.receipt import Filter

TODAY = date(2024, 5, 15)

SENTENCES = [
    ("", "All articles."),
    ("heparin", "Articles with heparin."),
    ("heparin platelets", "Articles with heparin and platelets."),
    ("a b c", "Articles with a, b and c."),
    ("care in the U.S.", "Articles with care, in, the and U.S."),
    ('"red cell"', 'Articles with "red cell".'),
    ('"red cell"~5', 'Articles with "red cell" (5 words or fewer between).'),
    ("trans*", "Articles with a word beginning with trans."),
    ("wom?n -*cillin", "Articles with a word like wom?n, without a word like *cillin."),
    ("heparin~1 rates~2", "Articles with heparin or a word 1 letter off and rates or a word 2 letters off."),
    ("=running", "Articles with exactly running."),
    ('a title:="as written"', 'Articles with a, with exactly "as written" in the title.'),
    ('="as written"~2', 'Articles with exactly "as written" (2 words or fewer between).'),
    ("-bank", "Articles without bank."),
    ("a -b -c", "Articles with a, without b or c."),
    ("a -(b OR c)", "Articles with a, without b or c."),
    ("a -(b c)", "Articles with a, not matching (b c)."),
    ("a (b OR c)", "Articles with a, with b or c."),
    ("(a b) OR c", "Articles either with a and b or with c."),
    ("((a OR b) c) OR d", "Articles either matching ((a OR b) c) or with d."),
    ("a OR topic:News", "Articles either with a or filed under News."),
    ("title:heparin", "Articles with heparin in the title."),
    ("a title:b -title:c", "Articles with a, with b in the title, without c in the title."),
    ("topic:News kind:podcast", "Articles filed under News, of kind podcast."),
    ("topic:News topic:Policy", "Articles filed under News and Policy."),
    ("topic:News OR topic:Policy", "Articles filed under News or Policy."),
    ("-topic:News -kind:podcast", "Articles not filed under News, not of kind podcast."),
    ('by:"Jane Smith" lang:de', "Articles by Jane Smith, in language de."),
    ("id:a1", "Articles with id a1."),
    ("date:2016", "Articles published in 2016."),
    ("date:2016-06", "Articles published in June 2016."),
    ("date:2016-06-05", "Articles published on 5 June 2016."),
    ("since:2016", "Articles published 1 January 2016 or later."),
    ("until:2016", "Articles published 31 December 2016 or earlier."),
    ("date:*", "Articles that have a date."),
    ("-date:*", "Articles without a date."),
    ("-date:2016", "Articles not published in 2016."),
    ("since:2016-06-05T12:30", "Articles published 5 June 2016 12:30 or later."),
    (
        'heparin -aspirin topic:"RBC Transfusion" since:2016 until:june-2018',
        "Articles with heparin, without aspirin, filed under RBC Transfusion, "
        "published from 1 January 2016 to 30 June 2018.",
    ),
    (
        " ".join(f"w{number}" for number in range(20)),
        "Articles with w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10 and 9 more.",
    ),
]


@pytest.mark.parametrize(("typed", "sentence"), SENTENCES)
def test_sentence_says_what_was_read(typed: str, sentence: str) -> None:
    """The receipt's sentence is plain English."""
    assert read_query(typed, today=TODAY).receipt.sentence == sentence


def test_receipt_lists_what_each_part_does() -> None:
    """Words are listed by what they do, labels as filters, and the dates as two days, both included."""
    typed = 'heparin title:x trans* (a OR "b c"~2) -d -"e f" topic:News -kind:podcast since:2016 until:june-2018'
    receipt = read_query(typed, today=TODAY).receipt
    assert receipt.required == ("heparin", "title:x", "trans*")
    assert receipt.optional == ("a", '"b c"~2')
    assert receipt.excluded == ("d", '"e f"')
    assert receipt.filters == (Filter("topic", "News"), Filter("kind", "podcast", excluded=True))
    assert (receipt.since, receipt.until) == ("2016-01-01", "2018-06-30")
    assert receipt.remarks == ()
    assert receipt.to_dict()["filters"][0] == {"field": "topic", "value": "News", "excluded": False}


@pytest.mark.parametrize(
    ("typed", "text", "position", "reason"),
    [
        ("a date:nonsense", "nonsense", 7, "last month"),
        ("a date:3/8/2017", "3/8/2017", 7, "3 August or 8 March"),
        ("date:2018..2016", "2018..2016", 5, "swapped"),
        ("since:2018 until:2016", "2018", 6, "swapped"),
        ("a foo:bar", "foo:", 2, "no field"),
        ('a "b', '"', 2, "partner"),
        ("a (b", "(", 2, "not closed"),
        ("a) b", ")", 1, "no parenthesis was opened"),
        ("a ()", "(", 2, "nothing to search for"),
        ('a ""', '""', 2, "no word"),
        ("OR a", "OR", 0, "nothing before"),
        ("a AND", "AND", 2, "nothing after"),
        ("a OR AND b", "AND", 5, "follows another operator"),
        ("a NOT OR b", "NOT", 2, "exclude"),
        ("a !!! b", "!!!", 2, "punctuation"),
        ("a !b", "!", 2, "-word"),
        ("a - b", "-", 2, "-word"),
        ('a *"b"', "*", 2, "trans*"),
        ("a =trans*", "trans*", 3, "equals sign"),
        ("a =heparin~", "heparin~", 3, "tilde"),
        ("a wom?n~", "wom?n~", 2, "single words"),
        ("a heparin~7", "heparin~7", 2, "furthest"),
        ("a heparin~0", "heparin~0", 2, "itself"),
        ("a = b", "=", 2, "follows directly"),
        ("a =(b)", "=", 2, "before no word"),
        ("a * b", "*", 2, "every article"),
        ("a b~", "b~", 2, "three letters"),
        ('"a b*"', '"a b*"', 0, "star within"),
        ('"a b"~', "~", 5, "number"),
        ('"a b"~900', "~900", 5, "~100"),
        ("topic:", "topic:", 0, "topic:News"),
        ("topic:Coag*", "Coag*", 6, "as a whole"),
        ("a\x00b", "U+0000", 1, "control"),
        ("\ufeffa", "U+FEFF", 0, "invisible"),
        ("date:2016 date:2018", "date:2016 date:2018", -1, "no day"),
        ('"a b"-c', "-", 5, "hyphen"),
    ],
)
def test_remark_says_what_became_of_it(typed: str, text: str, position: int, reason: str) -> None:
    """Whatever is corrected or left out is named with its place and the reason, once."""
    (remark,) = read_query(typed, today=TODAY).receipt.remarks
    assert (remark.text, remark.position) == (text, position)
    assert reason in remark.reason


def test_positions_count_the_characters_as_typed() -> None:
    """Invisible characters that are left out do not shift the places of what follows."""
    remarks = read_query("\u200ba\u200b b\u200b OR", today=TODAY).receipt.remarks
    assert [(remark.text, remark.position) for remark in remarks] == [("U+200B", 0), ("OR", 7)]


@pytest.mark.parametrize("typed", ["heparin", "“red cell” –x C++ O'Brien", "topic:News since:2016", "10:30 x:y U.S."])
def test_plain_queries_have_no_remarks(typed: str) -> None:
    """Nothing is remarked on where nothing was changed."""
    assert read_query(typed, today=TODAY).receipt.remarks == ()


def test_filters_are_folded_into_tree_and_receipt() -> None:
    """Any of the topics, none of the excluded ones, and the dates, together with what was typed."""
    reading = with_filters(
        read_query("heparin date:..2017", today=TODAY),
        topics=["News", " RBC  Transfusion "],
        exclude_topics=["Policy", "Old"],
        kinds=("podcast",),
        authors=["Jane Smith"],
        language="en",
        since="2016",
        until="2018-06",
    )
    assert reading.node == And(
        (
            Word("heparin"),
            Published(date(2016, 1, 1), date(2018, 1, 1)),
            Or((Label("topic", "News"), Label("topic", "RBC Transfusion"))),
            Label("kind", "podcast"),
            Label("author", "Jane Smith", is_whole=True),
            Label("language", "en"),
            Not(Label("topic", "Policy")),
            Not(Label("topic", "Old")),
        )
    )
    assert reading.receipt.text == "heparin date:..2017"
    assert (reading.receipt.since, reading.receipt.until) == ("2016-01-01", "2017-12-31")
    assert reading.receipt.sentence == (
        "Articles with heparin, filed under News or RBC Transfusion, of kind podcast, by Jane Smith, "
        "in language en, not filed under Policy or Old, published in 2017."
    ).replace("in 2017", "from 1 January 2016 to 31 December 2017")


def test_without_filters_the_reading_stays() -> None:
    """Empty and blank filters restrict nothing."""
    reading = read_query("", today=TODAY)
    assert with_filters(reading, topics=["", " "], language="", since="", until=None) == reading
    assert reading.node == Everything()


def test_one_topic_as_text_is_one_topic() -> None:
    """A string where several are allowed is one value, not its letters."""
    assert with_filters(read_query("", today=TODAY), topics="News").node == Label("topic", "News")


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (2016, 2018, ("2016-01-01", "2018-12-31")),
        ("2018", "2016", ("2016-01-01", "2018-12-31")),
        (date(2016, 2, 29), None, ("2016-02-29", None)),
        (None, "last month", (None, "2024-04-30")),
        ("2018-06-30T12:00", datetime(2018, 7, 1, 9), ("2018-06-30T12:00:00", "2018-07-01T09:00:00")),
    ],
)
def test_bounds_are_inclusive(since: object, until: object, expected: tuple[str | None, str | None]) -> None:
    """Bounds take every form of a date, in words too, and both ends count."""
    receipt = with_filters(read_query("a", today=TODAY), since=since, until=until).receipt  # type: ignore[arg-type]
    assert (receipt.since, receipt.until) == expected


def test_reversed_bounds_are_swapped_and_said() -> None:
    """A remark that belongs to no place in the text says that the bounds were swapped."""
    (remark,) = with_filters(read_query("a", today=TODAY), since="2018", until="2016").receipt.remarks
    assert (remark.text, remark.position) == ("since 2018, until 2016", -1)


def test_a_period_that_ends_later_is_in_order_though_it_begins_earlier() -> None:
    """Since December 2015 until 2015 is December 2015, and nothing is said of it."""
    receipt = with_filters(read_query("a", today=TODAY), since="2015-12", until="2015").receipt
    assert (receipt.since, receipt.until, receipt.remarks) == ("2015-12-01", "2015-12-31", ())


@pytest.mark.parametrize("name", ["since", "until"])
def test_unusable_bound_is_an_error(name: str) -> None:
    """A bound that is no date raises RequestError with its name, its value and what would do."""
    with pytest.raises(RequestError, match=rf"{name}: 'soon' is not a date; write it like 2016"):
        with_filters(read_query("a", today=TODAY), **{name: "soon"})  # type: ignore[arg-type]


def test_dates_that_exclude_each_other_are_said_once() -> None:
    """A query's dates and a filter's that share no day match nothing, and the receipt says so once."""
    reading = with_filters(with_filters(read_query("date:2016 date:2018", today=TODAY), since="2020"), kinds=["x"])
    assert reading.node == And(
        (
            Published(date(2016, 1, 1), date(2017, 1, 1)),
            Published(date(2020, 1, 1), None),
            Label("kind", "x"),
        )
    )
    (remark,) = reading.receipt.remarks
    assert "no day" in remark.reason


def test_times_are_compared_in_the_archives_zone() -> None:
    """Noon with an offset and a local time are put in order by the instant each is in the archive's zone."""
    typed = "since:2018-06-30T12:00+00:00 since:2018-06-30T13:00"
    berlin = read_query(typed, today=TODAY, zone=ZoneInfo("Europe/Berlin"))
    utc = read_query(typed, today=TODAY)
    assert berlin.receipt.since == "2018-06-30T12:00:00+00:00"
    assert utc.receipt.since == "2018-06-30T13:00:00"
