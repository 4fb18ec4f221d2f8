"""The archive in a folder: opening, adding, replacing, deleting, and what happens when something goes wrong."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

import searchkit
from searchkit.engines.local import LocalArchive, open_local
from searchkit.errors import (
    ArticleError,
    CursorError,
    IndexCorrupt,
    IndexLocked,
    IndexMissing,
    IndexTooNew,
    IndexTooOld,
    RequestError,
    SettingsError,
    UnknownArticle,
)
from searchkit.indexing import writer
from searchkit.settings import Settings

MakeArchive = Callable[..., LocalArchive]

PLASMA = searchkit.Article(
    id="a1",
    title="Plasma before procedures",
    body="Correcting the INR with plasma changes little. Nobody knew.",
    published="2017-08-23",
    topics=["News", "Coagulation & Plasma Transfusion"],
    authors=["Ann O'Brien"],
    kind="news",
    url="https://example.org/plasma",
    summary="A small study.",
    language="en",
    updated="2018-01-02T10:00+01:00",
    extra={"issue": 12, "places": ["Vienna"]},
)
PLATELETS = searchkit.Article("a2", "Platelets", "Cold platelets work.", published="2019-02-01", topics=["news"])


def test_an_article_comes_back_as_it_went_in(make_archive: MakeArchive) -> None:
    """Every field of a stored article equals the one added, unknown keys included."""
    assert make_archive([PLASMA]).get("a1") == PLASMA


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="open files are read from Linux's /proc")
def test_closing_lets_go_of_the_files(make_archive: MakeArchive) -> None:
    """An archive that was written to and searched has no file of its folder open or mapped once it is closed."""
    archive = make_archive([PLASMA])
    for number in range(8):
        archive.add([dataclasses.replace(PLATELETS, id=f"b{number}")])
        archive.search("platelets", facets=["topics"])
    assert _files_in_use(archive.folder)
    archive.close()
    assert _files_in_use(archive.folder) == []
    assert archive.get("a1") == PLASMA


def _files_in_use(folder: Path) -> list[str]:
    mapped = [line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()]
    opened = [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()]
    return [path for path in mapped + opened if path.startswith(f"{folder.resolve()}/")]


def test_an_archive_survives_closing(make_archive: MakeArchive) -> None:
    """A second opening sees what the first added."""
    archive = make_archive([PLASMA, PLATELETS])
    archive.close()

    with searchkit.open_archive(archive.folder) as again:
        assert again.search("plasma").total == 1
        assert [hit.id for hit in again.latest()] == ["a2", "a1"]


def test_a_missing_index_says_which_command_makes_one(tmp_path: Path) -> None:
    """Opening where nothing is names the place and the command, and makes nothing."""
    with pytest.raises(IndexMissing, match=r"searchkit index SOURCE\.\.\. --index .*nowhere"):
        searchkit.open_archive(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_create_opens_an_existing_index_as_it_is(make_archive: MakeArchive) -> None:
    """`create=True` never empties an archive that is there."""
    archive = make_archive([PLASMA])

    with searchkit.open_archive(archive.folder, create=True) as again:
        assert again.count() == 1


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        ({"format": 99}, IndexTooNew, "update searchkit"),
        ({"format": 0}, IndexTooOld, "index the articles again"),
        ({"analysis": "other"}, IndexTooOld, "analysis 'other'"),
        ({"settings": None}, IndexCorrupt, "damaged"),
    ],
)
def test_an_index_of_another_version_says_so(
    make_archive: MakeArchive, damage: dict[str, object], error: type[Exception], message: str
) -> None:
    """Too old, too new and damaged are told apart, each with the next step."""
    archive = make_archive([PLASMA])
    path = archive.folder / "searchkit.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | damage))

    with pytest.raises(error, match=message):
        searchkit.open_archive(archive.folder)


def test_a_foreign_whoosh_index_is_left_alone(tmp_path: Path) -> None:
    """A Whoosh index of somebody else is neither opened nor overwritten."""
    from whoosh import fields, index

    index.create_in(str(tmp_path), fields.Schema(title=fields.TEXT))
    before = sorted(path.name for path in tmp_path.iterdir())

    with pytest.raises(IndexCorrupt, match="searchkit did not make"):
        searchkit.open_archive(tmp_path, create=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_other_settings_than_those_of_the_index_are_refused(make_archive: MakeArchive) -> None:
    """A time zone that would shift every date is refused with both values, not silently ignored."""
    archive = make_archive([PLASMA], time_zone="Europe/Vienna")

    with pytest.raises(SettingsError, match=r"'Asia/Tokyo', but the index .* was made with 'Europe/Vienna'"):
        searchkit.open_archive(archive.folder, settings=Settings(time_zone="Asia/Tokyo"))


def test_the_same_id_replaces_across_and_inside_commits(make_archive: MakeArchive) -> None:
    """The last article with an id stays, and the report counts what was new and what was replaced."""
    archive = make_archive([PLASMA])
    second = searchkit.Article("a1", "Second", "cryo")
    third = searchkit.Article("a1", "Third", "cryo")

    report = archive.add([second, PLATELETS, third])

    assert (report.added, report.replaced) == (1, 2)
    assert archive.get("a1").title == "Third"
    assert (archive.count(), archive.count("cryo"), archive.count("plasma")) == (2, 1, 0)


def test_nothing_is_added_when_the_articles_raise(make_archive: MakeArchive) -> None:
    """A failing iterable leaves the archive as it was, and unlocked."""
    archive = make_archive([PLASMA])

    def failing() -> Iterator[searchkit.Article]:
        yield PLATELETS
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        archive.add(failing())
    assert archive.count() == 1
    assert archive.add([PLATELETS]).added == 1


def test_a_failed_first_run_leaves_no_index(tmp_path: Path) -> None:
    """Where there was no index before, there is none after a failure, and the same archive can be filled later."""

    def failing() -> Iterator[searchkit.Article]:
        yield PLATELETS
        raise KeyboardInterrupt

    archive = searchkit.open_archive(tmp_path / "new", create=True)
    with pytest.raises(KeyboardInterrupt):
        archive.add(failing())

    assert not (tmp_path / "new").exists()
    assert archive.add([PLASMA]).added == 1
    assert archive.count() == 1
    archive.close()


def test_something_that_is_no_article_is_refused_with_its_number(make_archive: MakeArchive) -> None:
    """A dictionary among the articles is named by position and value, and nothing is added."""
    archive = make_archive([])

    with pytest.raises(ArticleError, match="item 2 is no Article but dict"):
        archive.add([PLASMA, {"id": "x"}])  # type: ignore[list-item]
    assert archive.count() == 0


def test_deleting_counts_what_was_there(make_archive: MakeArchive) -> None:
    """Unknown ids are no error and are not counted."""
    archive = make_archive([PLASMA, PLATELETS])

    assert archive.delete(["a1", "zz"]) == 1
    assert archive.delete("a1") == 0
    assert [hit.id for hit in archive.latest()] == ["a2"]
    with pytest.raises(UnknownArticle, match="no article 'a1'"):
        archive.get("a1")


def test_optimizing_changes_no_answer(make_archive: MakeArchive) -> None:
    """After merging into one segment everything is found as before."""
    archive = make_archive([PLASMA])
    archive.add([PLATELETS])
    archive.delete(["a1"])
    archive.optimize()

    assert archive.stats().segments == 1
    assert [hit.id for hit in archive.search("").hits] == ["a2"]


def test_an_open_archive_notices_commits_of_others(make_archive: MakeArchive) -> None:
    """What another opening adds is found by the next search."""
    archive = make_archive([PLASMA])
    assert archive.count() == 1

    with searchkit.open_archive(archive.folder) as other:
        other.add([PLATELETS])
    assert archive.count() == 2


def test_a_second_writer_is_told_to_wait(make_archive: MakeArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one process writes, another gets a clear error after waiting, and searching goes on."""
    archive = make_archive([PLASMA])
    monkeypatch.setattr(writer, "_LOCK_TIMEOUT_SECONDS", 0.1)
    with searchkit.open_archive(archive.folder) as other:

        def adding_meanwhile() -> Iterator[searchkit.Article]:
            with pytest.raises(IndexLocked, match="try again"):
                other.add([PLASMA])
            assert other.count() == 1
            yield PLATELETS

        archive.add(adding_meanwhile())
    assert archive.count() == 2


KILLED_WHILE_WRITING = """
import os, signal, sys, searchkit
archive = searchkit.open_archive(sys.argv[1])
def articles():
    for n in range(500):
        if n == 300:
            os.kill(os.getpid(), getattr(signal, sys.argv[2]))
        yield searchkit.Article(f"n{n}", "Killed", "half way")
archive.add(articles())
"""


@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
def test_a_killed_run_leaves_the_previous_index(make_archive: MakeArchive, name: str) -> None:
    """After Ctrl-C or kill -9 in the middle, the archive is as before, and can be written to again."""
    archive = make_archive([PLASMA])

    process = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_WRITING, str(archive.folder), name],
        stderr=subprocess.DEVNULL,
        check=False,
    )

    assert process.returncode in (-getattr(signal, name), 1, 130)
    assert (archive.count(), archive.count("killed")) == (1, 0)
    assert archive.add([PLATELETS]).added == 1
    assert archive.count() == 2


def test_topics_are_one_whatever_their_spelling_and_shown_as_mostly_written(
    make_archive: MakeArchive,
) -> None:
    """Spellings that differ in case and accents count together under the commonest."""
    names = ["Política, España", "POLÍTICA, ESPAÑA", "politica, espana", "Política, España"]
    archive = make_archive([searchkit.Article(f"n{n}", "T", topics=[name, "A & B/C"]) for n, name in enumerate(names)])

    assert [(t.value, t.count) for t in archive.topics()] == [("A & B/C", 4), ("Política, España", 4)]
    assert archive.count(topics=["politica, ESPAÑA"]) == 4
    assert archive.count(topics="a & b/c") == 4


def test_until_a_month_includes_all_of_it_in_the_archives_time_zone(make_archive: MakeArchive) -> None:
    """23:30 UTC on 30 June is already July in Vienna, 21:30 UTC is still June."""
    late = searchkit.Article("late", "Late", published="2018-06-30T23:30:00Z")
    early = searchkit.Article("early", "Early", published="2018-06-30T21:30:00Z")
    archive = make_archive([late, early], time_zone="Europe/Vienna")

    assert [hit.id for hit in archive.search(until="2018-06").hits] == ["early"]
    assert [hit.id for hit in archive.search(since="2018-07").hits] == ["late"]
    assert [(b.start, b.count) for b in archive.timeline(interval="month")] == [
        (date(2018, 6, 1), 1),
        (date(2018, 7, 1), 1),
    ]


def test_the_date_of_a_hit_is_the_day_it_is_counted_under(make_archive: MakeArchive) -> None:
    """A datetime with an offset is shown in the archive's time zone."""
    archive = make_archive([searchkit.Article("a", "T", published="2018-06-30T23:30:00Z")], time_zone="Europe/Vienna")

    assert archive.latest()[0].to_dict()["published"] == "2018-07-01T01:30:00+02:00"


def test_a_match_in_the_summary_alone_is_shown_from_there(make_archive: MakeArchive) -> None:
    """When only the summary says why an article matches, the summary is the snippet."""
    archive = make_archive([searchkit.Article("a", "T", "Nothing here.", summary="A word on heparin.")])

    (snippet,) = archive.search("heparin").hits[0].snippets
    assert (snippet.text, snippet.marks) == ("A word on heparin.", ((10, 17),))


def test_a_search_asked_again_is_answered_as_before(make_archive: MakeArchive) -> None:
    """What is kept of the hits changes no answer: not without snippets, and not once the article is another."""
    archive = make_archive([PLASMA])
    first = archive.search("plasma").hits
    assert first[0].snippets
    assert archive.search("plasma").hits == first
    assert archive.search("plasma", snippets=False).hits[0].snippets == ()
    archive.add([dataclasses.replace(PLASMA, title="Another plasma")])
    assert archive.search("plasma").hits[0].title == "Another plasma"


def test_undated_articles_are_kept_and_counted_as_undated(make_archive: MakeArchive) -> None:
    """An undated article is found, comes last by date, and stands in the last bucket."""
    archive = make_archive([searchkit.Article("u", "Undated"), PLASMA, PLATELETS])

    page = archive.search("", sort="newest", timeline="year")
    assert [hit.id for hit in page.hits] == ["a2", "a1", "u"]
    assert [(b.start and b.start.year, b.count) for b in page.timeline] == [
        (2017, 1),
        (2018, 0),
        (2019, 1),
        (None, 1),
    ]
    assert [hit.id for hit in archive.search("", sort="oldest").hits] == ["a1", "a2", "u"]
    assert archive.count(since="1990") == 2


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"sort": "random"}, "sort='random'"),
        ({"limit": -1}, "limit=-1"),
        ({"limit": 10_001}, "use the cursor"),
        ({"facets": ["colour"]}, "'colour', which is no facet"),
        ({"timeline": "hour"}, "timeline='hour'"),
        ({"since": "nonsense"}, "nonsense"),
        ({"until": "2018-13"}, "2018-13"),
        ({"since": ["2016"]}, r"since: \['2016'\] is not a date"),
        ({"topics": [["News"]]}, r"topics has \['News'\]"),
        ({"kinds": [None]}, "kinds has None"),
        ({"language": ["en"]}, r"language=\['en'\]"),
    ],
)
def test_unusable_parameters_are_refused_with_their_value(
    make_archive: MakeArchive, parameters: dict[str, object], message: str
) -> None:
    """A parameter no search can have is an error that quotes it."""
    with pytest.raises(RequestError, match=message):
        make_archive([PLASMA]).search("plasma", **parameters)


def test_a_cursor_belongs_to_its_search(make_archive: MakeArchive) -> None:
    """A damaged cursor and one of another search are refused; the right one goes on where the page ended."""
    archive = make_archive(searchkit.Article(f"n{n}", "Same") for n in range(5))
    first = archive.search("same", limit=2)
    assert first.next_cursor

    second = archive.search("same", limit=3, cursor=first.next_cursor)
    assert ([h.id for h in first.hits], [h.id for h in second.hits]) == (["n0", "n1"], ["n2", "n3", "n4"])
    assert second.next_cursor is None
    assert (first.offset, second.offset) == (0, 2)
    for wrong in ("nonsense", first.next_cursor[:-2], "W10", ""):
        if wrong:
            with pytest.raises(CursorError):
                archive.search("same", cursor=wrong)
    with pytest.raises(CursorError, match="another search"):
        archive.search("other", cursor=first.next_cursor)


def test_pages_stay_in_step_while_articles_are_added(make_archive: MakeArchive) -> None:
    """An article added above the page neither shifts nor repeats what follows."""
    archive = make_archive(searchkit.Article(f"n{n}", "Same", published=f"2018-01-0{n + 1}") for n in range(4))
    first = archive.search("", sort="newest", limit=2)
    archive.add([searchkit.Article("new", "Same", published="2018-02-01")])

    second = archive.search("", sort="newest", limit=2, cursor=first.next_cursor)
    assert [hit.id for hit in second.hits] == ["n1", "n0"]


def test_an_empty_archive_answers_everything(make_archive: MakeArchive) -> None:
    """No article yet is no error anywhere."""
    archive = make_archive([])

    page = archive.search("plasma -x", topics=["News"], since="2018")
    assert (page.total, page.hits, page.timeline, page.facets["topics"]) == (0, (), (), ())
    assert (archive.latest(), archive.topics(), archive.timeline()) == ((), (), ())
    assert (archive.stats().articles, archive.stats().first, archive.stats().segments) == (0, None, 0)


def test_stats_count_the_archive(make_archive: MakeArchive) -> None:
    """Articles, days, topics, authors, kinds and languages are counted over what is there."""
    archive = make_archive([PLASMA, PLATELETS, searchkit.Article("u", "Sin fecha", language="es-MX")])
    stats = archive.stats()

    assert (stats.articles, stats.undated, stats.topics, stats.authors) == (3, 1, 2, 1)
    assert (stats.first, stats.last) == (date(2017, 8, 23), date(2019, 2, 1))
    assert [(v.value, v.count) for v in stats.languages] == [("en", 2), ("es", 1)]
    assert json.loads(json.dumps(stats.to_dict()))["kinds"] == [{"value": "news", "count": 1}]


def test_an_article_is_searched_in_its_own_language(make_archive: MakeArchive) -> None:
    """In an English archive a Spanish article is found by Spanish inflection, and by language."""
    spanish = searchkit.Article("es", "Donaciones en zonas rurales", language="es")
    archive = make_archive([spanish, PLASMA])

    assert [hit.id for hit in archive.search("donacion").hits] == ["es"]
    assert archive.search("donación").hits[0].title_marks == ((0, 10),)
    assert archive.count(language="ES") == 1


def test_hits_carry_snippets_with_marks_in_the_articles_own_text(make_archive: MakeArchive) -> None:
    """Marked words are the article's own letters where the snippet says they stand."""
    (hit,) = make_archive([PLASMA]).search('"inr with plasma" little').hits
    (snippet,) = hit.snippets

    assert PLASMA.body[snippet.start : snippet.start + len(snippet.text)] == snippet.text
    assert [snippet.text[a:b] for a, b in snippet.marks] == ["INR with plasma", "little"]


def test_eight_threads_get_the_answers_of_one(make_archive: MakeArchive) -> None:
    """An archive shared between threads answers each as if alone."""
    archive = make_archive(
        searchkit.Article(f"n{n}", f"Word{n % 7} plasma", "cold " * (n % 5), topics=[f"T{n % 3}"]) for n in range(60)
    )
    queries = ["plasma", "cold", "word3", "plasma -cold", '"word1 plasma"', "wor*"] * 8
    expected = [(page.total, page.hits) for page in map(archive.search, queries)]
    with ThreadPoolExecutor(8) as pool:
        found = [(page.total, page.hits) for page in pool.map(archive.search, queries)]

    assert found == expected


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Making an index where one may not gives the place and what to do."""
    tmp_path.chmod(0o500)
    with pytest.raises(IndexCorrupt, match="choose another folder"):
        open_local(str(tmp_path / "index"), create=True, settings=Settings())
