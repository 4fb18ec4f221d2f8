"""Labels are counted as loops over the articles count them, whichever arrays the counting goes through."""

import tempfile
from datetime import date

import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

import searchkit
from searchkit.engines.local import open_local
from searchkit.plan import label_sets, labels, segments
from searchkit.plan.labels import LabelColumn
from searchkit.settings import Settings

TOPICS = ("News", "news", "Öl & Gas", "ol & gas", "a, b", "Zebra")

articles = st.lists(
    st.builds(
        searchkit.Article,
        st.sampled_from("abcdefghij"),
        title=st.just("title"),
        published=st.none() | st.dates(date(2020, 1, 1), date(2020, 1, 4)),
        topics=st.lists(st.sampled_from(TOPICS), max_size=3),
    ),
    max_size=8,
)


def expected_counts(living: list[searchkit.Article], chosen: set[str], limit: int | None) -> list[tuple[str, int]]:
    """Labels commonest first, then by their folded bytes, written as the newest living article with each writes it."""
    counts = reference.label_counts(article.topics for article in living if article.id in chosen)
    oldest_first = sorted(living, key=lambda a: (a.published is not None, a.published or date.min, a.id.encode()))
    shown = {
        reference.plain(topic): topic
        for article in oldest_first
        for topic in sorted(article.topics, key=str.encode, reverse=True)
    }
    found = sorted(counts.items(), key=lambda item: (-item[1], item[0].encode()))[:limit]
    return [(shown[label], count) for label, count in found]


@pytest.mark.parametrize("few_labels", [0, 4096])
@pytest.mark.parametrize(("few_docnums", "alike"), [(0, 4), (4, 4), (10_000, 4), (4, 0.01), (4, 1.0)])
@settings(max_examples=25, deadline=None)
@given(
    batches=st.lists(articles, min_size=1, max_size=3),
    deleted=st.sets(st.sampled_from("abcdefghij"), max_size=3),
    chosen=st.sets(st.sampled_from("abcdefghij")),
    limit=st.none() | st.integers(1, 3),
)
def test_every_way_of_counting_agrees_with_loops(
    few_labels: int,
    few_docnums: int,
    alike: float,
    batches: list[list[searchkit.Article]],
    deleted: set[str],
    chosen: set[str],
    limit: int | None,
) -> None:
    """First and later counts over several segments with deletions have the labels, counts, order and spellings.

    So have those of the next generation, for which the segments have kept what was made for this one.
    """
    living = [a for a in {a.id: a for batch in batches for a in batch}.values() if a.id not in deleted]
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory() as folder,
        open_local(folder + "/index", create=True, settings=Settings()) as archive,
    ):
        patch.setattr(labels, "_FEW_LABELS", few_labels)
        patch.setattr(segments, "_LOOPED", few_labels)
        patch.setattr(segments, "_RARELY", 0)
        patch.setattr(labels, "_FEW_DOCNUMS", few_docnums)
        patch.setattr(labels, "_GREAT_PART", few_docnums)
        patch.setattr(label_sets, "_ALIKE", alike)
        patch.setattr(segments, "_TURNED_AT_ONCE", few_docnums)
        patch.setattr(label_sets, "_FEW_DOCNUMS", 10_000 if alike < 1 else 0)
        patch.setattr(label_sets, "_RUN", 3)
        patch.setattr(label_sets, "_COUNTED_AT_ONCE", 2)
        patch.setattr(labels, "_OFTEN", 2)
        for batch in batches:
            archive.add(batch)
        archive.delete(deleted)
        with archive._generation() as generation:
            docnums = generation.live[[generation.article_id(int(docnum)) in chosen for docnum in generation.live]]
            for _ in range(2):
                column = LabelColumn(
                    generation.segments, generation.bases, "topic", generation.is_live if generation.segments else None
                )
                for _ in range(2):
                    found = list(zip(*column.count(docnums, limit), strict=True))
                    assert found == expected_counts(living, chosen, limit)
                assert column.distinct(docnums) == len(expected_counts(living, chosen, None))
