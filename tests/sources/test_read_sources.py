"""Walking folders, choosing readers, and what is reported about paths."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit.settings import Settings
from searchkit.sources import Found, Place, Reading, Repeated, Skipped, read_sources
from searchkit.sources.repeats import FirstPlaces

LINE = '{"id": "%s", "title": "t"}\n'


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def read(*paths: Path | str) -> list[Reading]:
    return list(read_sources(paths, settings=Settings()))


def ids(readings: list[Reading]) -> list[str]:
    return [reading.article.id for reading in readings if isinstance(reading, Found)]


def test_a_folder_is_walked_in_order(tmp_path: Path) -> None:
    """Files below a folder are read sorted by name; hidden ones, unknown ones and a plain README are not."""
    write(tmp_path / "b.jsonl", LINE % "from-lines")
    write(tmp_path / "a" / "2017-08-23-z.md", "Text.")
    write(tmp_path / "a" / "page.HTML", "<article><h1>Page</h1><p>Some text of the page.</p></article>")
    write(tmp_path / "README.md", "# About this folder")
    write(tmp_path / "c" / "README.md", "---\ntitle: An article\n---\nText.")
    write(tmp_path / ".hidden" / "x.md", "x")
    write(tmp_path / ".x.md", "x")
    write(tmp_path / "style.css", "x")

    readings = read(tmp_path)

    assert ids(readings) == ["a/2017-08-23-z", "a/page", "from-lines", "c/README"]
    assert len(readings) == 4


def test_a_named_file_gets_the_id_it_has_in_its_folder(tmp_path: Path) -> None:
    """Naming a file or its folder gives the same id, and a README that is named is read."""
    path = write(tmp_path / "posts" / "one.md", "x")
    readme = write(tmp_path / "README.md", "# About")

    assert ids(read(path)) == ids(read(path.parent)) == ["one"]
    assert ids(read(readme)) == ["README"]


def test_a_missing_path(tmp_path: Path) -> None:
    """A path that does not exist is reported and the others are read."""
    path = write(tmp_path / "a.md", "x")

    missing, found = read(tmp_path / "nothing", path)

    assert missing == Skipped(Place(str(tmp_path / "nothing")), "does not exist; check the path")
    assert isinstance(found, Found)


@pytest.mark.parametrize("files", [[], ["notes.txt"], ["README.md"], ["sub/.hidden.md"]])
def test_a_folder_without_articles_says_what_is_read(tmp_path: Path, files: list[str]) -> None:
    """A folder in which nothing is read is reported with the kinds that are."""
    for name in files:
        write(tmp_path / name, "x")

    [skipped] = read(tmp_path)

    assert isinstance(skipped, Skipped)
    assert ".jsonl" in skipped.reason
    assert "Markdown" in skipped.reason


def test_a_named_file_of_another_kind(tmp_path: Path) -> None:
    """A file that is named but not of a kind that is read is reported; one JSON array gets advice."""
    text, array = read(write(tmp_path / "a.txt", "x"), write(tmp_path / "a.json", "[]"))

    assert isinstance(text, Skipped)
    assert "is not of a kind that is read" in text.reason
    assert isinstance(array, Skipped)
    assert "jq" in array.reason


def test_a_folder_with_an_articles_name_is_a_folder(tmp_path: Path) -> None:
    """What a folder is called does not make it a file."""
    write(tmp_path / "x.md" / "a.jsonl", LINE % "inside")

    assert ids(read(tmp_path)) == ["inside"]


def test_a_broken_link_is_reported(tmp_path: Path) -> None:
    """A link to nothing is reported if its name says it is an article, and passed over otherwise."""
    (tmp_path / "gone.md").symlink_to(tmp_path / "nowhere.md")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere.txt")
    write(tmp_path / "here.md", "x")

    broken, found = read(tmp_path)

    assert isinstance(broken, Skipped)
    assert broken.reason == "cannot be read: no such file or directory"
    assert isinstance(found, Found)
    [named] = read(tmp_path / "gone.md")
    assert isinstance(named, Skipped)
    assert "link to something that does not exist" in named.reason


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    """A file without permission to read is reported."""
    write(tmp_path / "a.md", "x").chmod(0)

    [skipped] = read(tmp_path)

    assert isinstance(skipped, Skipped)
    assert "permission denied" in skipped.reason


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes on this system")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """What is no ordinary file is reported and not opened."""
    os.mkfifo(tmp_path / "a.jsonl")

    [skipped] = read(tmp_path)

    assert isinstance(skipped, Skipped)
    assert skipped.reason == "is not an ordinary file"


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    """A folder that links to itself is walked once."""
    write(tmp_path / "a.md", "x")
    (tmp_path / "again").symlink_to(tmp_path)

    assert ids(read(tmp_path)) == ["a"]


def test_overlapping_arguments_are_read_once(tmp_path: Path) -> None:
    """A file that several arguments reach is read at the first, and no folder is called empty for that."""
    path = write(tmp_path / "sub" / "a.md", "x")

    assert [str(reading.place) for reading in read(tmp_path, path.parent, path)] == [str(path)]


def test_a_repeated_id_is_told_before_the_second_article(tmp_path: Path) -> None:
    """Both articles come out, and between them the place of each."""
    one = write(tmp_path / "1.jsonl", LINE % "other" + LINE % "same")
    two = write(tmp_path / "2.jsonl", LINE % "same" + LINE % "same")

    readings = read(tmp_path)

    assert ids(readings) == ["other", "same", "same", "same"]
    first = Place(str(one), 2)
    assert readings[2] == Repeated(Place(str(two), 1), "same", first)
    assert readings[4] == Repeated(Place(str(two), 2), "same", first)
    assert str(readings[2]) == f"{two}:1: replaces the article 'same' of {one}:2"


@settings(deadline=None)
@given(st.lists(st.integers(0, 3000), max_size=60), st.integers(0, 3000))
def test_first_places_agree_with_a_dictionary(numbers: list[int], filling: int) -> None:
    """However full the table is, an id has the place it was first noted at."""
    places, known = FirstPlaces(), {}
    for line, number in enumerate([*range(filling), *numbers], 1):
        place = Place(f"file{number % 3}", line)
        assert places.note(str(number), place) == known.get(number)
        known.setdefault(number, place)


@pytest.mark.parametrize("name", ["a.md", "a.html"])
def test_a_huge_file_is_not_read(tmp_path: Path, name: str) -> None:
    """A page larger than the limit is reported by its size alone: a terabyte would not fit into memory."""
    with (tmp_path / name).open("wb") as stream:
        stream.truncate(1 << 40)

    [skipped] = read(tmp_path)

    assert isinstance(skipped, Skipped)
    assert "is larger than 16,000,000 bytes" in skipped.reason


@pytest.mark.parametrize("name", ["a.md", "a.html", "a.jsonl"])
def test_an_empty_file_is_reported(tmp_path: Path, name: str) -> None:
    """A file of no bytes is reported as empty."""
    [skipped] = read(write(tmp_path / name, ""))

    assert isinstance(skipped, Skipped)
    assert "is empty" in skipped.reason


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    """A file name of other bytes is read, and its place and id can be printed."""
    path = os.fsencode(tmp_path) + b"/caf\xe9.md"
    try:
        with open(path, "wb") as stream:
            stream.write(b"x")
    except OSError:
        pytest.skip("this file system has UTF-8 names only")

    [found] = read(tmp_path)

    assert isinstance(found, Found)
    assert found.article.id == "caf\ufffd"
    assert found.place.path.encode().endswith("caf\ufffd.md".encode())


def test_reading_is_lazy(tmp_path: Path) -> None:
    """The first article is there before the rest is read."""
    write(tmp_path / "a.jsonl", LINE % "a")
    readings = read_sources([tmp_path], settings=Settings())

    assert isinstance(next(readings), Found)
    write(tmp_path / "a.jsonl", "")
    assert list(readings) == []
