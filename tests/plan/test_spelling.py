"""Distances between words, computed for a whole vocabulary at once, are those of the usual table."""

from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit.plan.spelling import LetterTable, distances, near
from searchkit.plan.whoosh_query import edit_distance

letters = st.text(alphabet="abcé東", min_size=1, max_size=7)
vocabularies = st.sets(letters, min_size=1, max_size=30).map(sorted)


@settings(deadline=None)
@given(word=letters, vocabulary=vocabularies, edits=st.integers(1, 2))
def test_near_words_are_those_the_table_of_distances_gives(word: str, vocabulary: list[str], edits: int) -> None:
    """Every word within reach is found with its distance, and no other."""
    expected = [(n, edit_distance(word, other)) for n, other in enumerate(vocabulary)]
    expected = [(n, distance) for n, distance in expected if distance <= edits]

    ordinals, found = near(word, LetterTable.of(vocabulary), edits)

    assert list(zip(ordinals.tolist(), found.tolist(), strict=True)) == expected


def test_known_distances() -> None:
    """One letter left out, put in, changed or swapped with its neighbour is one edit each."""
    words = ["heparin", "hepain", "hepparin", "heparim", "ehparin", "hapeirn", "aspirin"]
    table = LetterTable.of(words)
    found = distances("heparin", table, table.starts.argsort(), 2)

    assert found[:5].tolist() == [0, 1, 1, 1, 1]
    assert [edit_distance("heparin", word) for word in words] == [0, 1, 1, 1, 1, 3, 3]
    assert all(found[5:] > 2)


def test_words_come_back_out_of_the_table() -> None:
    """The letters of a word are found again, also those beyond the basic plane."""
    words = ["a", "é", "東京", "𝒳y"]
    table = LetterTable.of(words)

    assert [table.word(n) for n in range(4)] == words
