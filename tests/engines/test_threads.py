"""One archive shared by threads: searches run side by side, and each sees one generation from beginning to end."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

import searchkit
from searchkit.engines.local import LocalArchive, open_local
from searchkit.settings import Settings

FIRST_DAY = date(2020, 1, 1)


def article(number: int, generation: int) -> searchkit.Article:
    """An article whose words, topic and date say of which generation it is."""
    return searchkit.Article(
        f"a{number:03}",
        title=f"common title of generation{generation}",
        body=f"common words, again common, of generation{generation}",
        published=FIRST_DAY + timedelta(days=generation),
        topics=[f"topic {generation}"],
    )


def test_every_page_is_of_one_generation(make_archive: Callable[..., LocalArchive]) -> None:
    """While commits replace all articles, each page's total, hits, facets and timeline are those of one commit."""
    archive = make_archive([article(number, 0) for number in range(30)], durable=False)
    done = threading.Event()
    pages = 0

    def search() -> None:
        nonlocal pages
        while not done.is_set():
            page = archive.search("common", sort="newest", limit=5)
            (topic,) = page.facets["topics"]
            (bucket,) = page.timeline
            generation = int(topic.value.removeprefix("topic "))
            assert page.total == topic.count == bucket.count == 30
            assert bucket.start == FIRST_DAY + timedelta(days=generation)
            assert [hit.id for hit in page.hits] == [f"a{number:03}" for number in range(5)]
            assert all(hit.title.endswith(f"generation{generation}") for hit in page.hits)
            assert archive.count(f"generation{generation}") in (0, 30)
            pages += 1

    with ThreadPoolExecutor(4) as pool:
        searches = [pool.submit(search) for _ in range(4)]
        try:
            for generation in range(1, 8):
                archive.add([article(number, generation) for number in range(30)], workers=1)
        finally:
            done.set()
        for one in searches:
            one.result()
    assert pages > 8


def test_a_search_outlives_the_closing_of_its_archive(make_archive: Callable[..., LocalArchive]) -> None:
    """`close` while a search runs lets it finish; the next search opens the archive again."""
    archive = make_archive([article(number, 0) for number in range(30)])
    with archive._generation() as generation:
        archive.close()
        assert generation.article(0).id == "a000"
        assert archive.search("common").total == 30


def test_what_another_opening_commits_is_seen_at_the_next_search(make_archive: Callable[..., LocalArchive]) -> None:
    """The newest commit answers, whoever made it and however soon after the one before."""
    archive = make_archive([article(0, 0)])
    with open_local(str(archive.folder), settings=Settings()) as other:
        for number in range(1, 6):
            other.add([article(number, 0)])
            assert archive.count("common") == number + 1


@pytest.mark.parametrize("sort", ["newest", "oldest"])
def test_pages_hold_while_articles_are_added(make_archive: Callable[..., LocalArchive], sort: str) -> None:
    """A reader who pages on while articles are added misses none of those that were there, and meets none twice."""
    archive = make_archive([article(number, number % 3) for number in range(0, 40, 2)])
    seen: list[str] = []
    cursor = None
    for added in range(1, 40, 2):
        page = archive.search("common", sort=sort, limit=3, cursor=cursor)
        seen += [hit.id for hit in page.hits]
        cursor = page.next_cursor
        if cursor is None:
            break
        archive.add([article(added, added % 3)])
    assert len(seen) == len(set(seen))
    assert {f"a{number:03}" for number in range(0, 40, 2)} <= set(seen)
