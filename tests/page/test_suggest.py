"""Completions: the same as loops over the articles give, spelled as they spell it, each count what a search finds."""

from collections import Counter

import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit import Article, Completion, open_archive
from searchkit.errors import RequestError

WORDS = ("ash", "ask", "asks", "bank", "bay", "bar", "Café", "cap", "rim", "rum")
TOPICS = ("Ash & Bark", "Bay Area", "News from the Bar", "Café")
AUTHORS = ("Ada Barr", "Bo Ash", "Ash, Cy")

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)


@st.composite
def archives(draw: st.DrawFn) -> list[Article]:
    """Articles of few words."""
    return [
        Article(
            f"a{number:02}",
            f"{draw(texts)} {number}",
            draw(texts),
            published=f"{2000 + number}",
            topics=draw(st.lists(st.sampled_from(TOPICS), max_size=2, unique=True)),
            authors=draw(st.lists(st.sampled_from(AUTHORS), max_size=2, unique=True)),
        )
        for number in range(draw(st.integers(1, 12)))
    ]


def has_stem(article: Article, word: str) -> bool:
    """Whether it has the word in either number."""
    return any(found.removesuffix("s") == word.removesuffix("s") for found in reference.words(article))


def expected_words(head: str, prefix: str, articles: list[Article]) -> list[tuple[str, int]]:
    """One word of each stem that begins so, and how many articles have it, or have it beside the word before."""
    among = [article for article in articles if not head or has_stem(article, head)]
    popularity: Counter[str] = Counter()
    for article in among:
        popularity.update({word for word in reference.words(article) if word.startswith(prefix)})
    if head:
        for word in sorted(popularity, key=lambda word: (-popularity[word], word))[:5]:
            popularity[word] += 4 * sum(stands_behind(article, head, word) for article in among)
    together: dict[str, int] = {}
    first_of: dict[str, str] = {}
    for word in sorted(popularity, key=lambda word: (-popularity[word], word)):
        first = first_of.setdefault(word.removesuffix("s"), word)
        together[first] = together.get(first, 0) + popularity[word]
    counts = {word: sum(has_stem(article, word) for article in among) for word in together}
    in_order = sorted(together, key=lambda word: (-together[word], word))
    return [(word, counts[word]) for word in (in_order if head else sorted(in_order, key=lambda w: (-counts[w], w)))]


def stands_behind(article: Article, head: str, word: str) -> bool:
    """Whether the word stands directly behind the other, each in any number."""
    found = [other.removesuffix("s") for other in reference.words(article)]
    return any(found[n : n + 2] == [head.removesuffix("s"), word.removesuffix("s")] for n in range(len(found)))


@settings(max_examples=60, deadline=None)
@given(
    articles=archives(),
    head=st.sampled_from(("", "", "ash", "bank", "rum")),
    prefix=st.sampled_from(("a", "as", "ba", "BAR", "c", "caf", "CAFÉ", "r", "rum", "x")),
    cut=st.integers(1, 12),
    gone=st.integers(0, 12),
)
def test_completions_agree_with_brute_force(tmp_path_factory, articles, head, prefix, cut, gone) -> None:
    """Words, topics and authors with their counts, over several segments and deletions."""
    with open_archive(tmp_path_factory.mktemp("suggest") / "index", create=True) as archive:
        archive.add(articles[:cut])
        archive.add(articles[cut:])
        archive.delete([f"a{gone:02}"])
        found = archive.suggest(f"{head} {prefix}", limit=50)
        for completion in found:
            assert archive.count(completion.query) == completion.count > 0
    living = [article for article in articles if article.id != f"a{gone:02}"]
    typed = f"{head} {reference.plain(prefix)}".strip()

    by_kind = {kind: [(reference.plain(c.text), c.count) for c in found if c.kind == kind] for kind in KINDS}
    words = expected_words(head, reference.plain(prefix), living)
    assert by_kind["words"] == [(f"{head} {word}".strip(), count) for word, count in words]
    assert by_kind["topic"] == expected_labels(typed, [article.topics for article in living], 3)
    assert by_kind["author"] == expected_labels(typed, [article.authors for article in living], 2)


KINDS = ("words", "topic", "author", "title")


def expected_labels(typed: str, labels: list[tuple[str, ...]], most: int) -> list[tuple[str, int]]:
    """The labels a word of which begins what was typed, commonest first."""
    counts = reference.label_counts(labels)
    fitting = [label for label in counts if f" {typed}" in f" {label.replace(',', ' ')}"]
    return [(label, counts[label]) for label in sorted(fitting, key=lambda label: (-counts[label], label))[:most]]


@pytest.fixture(scope="module")
def blood(tmp_path_factory):
    """A small archive about blood."""
    with open_archive(tmp_path_factory.mktemp("blood") / "index", create=True) as archive:
        archive.add(
            [
                Article(
                    "h1", "HEPARIN AND PLATELETS", "Heparin given. The heparin was stopped.", topics=["Hematology"]
                ),
                Article("h2", "Two", "Heparins differ; heparinized blood, heparinoids.", authors=["Hepburn, Kate"]),
                Article("t1", "Blood transfusion today", "A blood transfusion, in trauma.", published="2019"),
                Article("t2", "Blood Transfusion Tomorrow", "Transfusions of blood and training.", published="2020"),
                Article("t3", "Training", "Blood is thick. Training is long, training is hard.", published="2021"),
                Article("c1", "COVID-19 in Zürich", "COVID-19 came to Zürich.", topics=['Odd "topic" name']),
                Article("j1", "東京の輸血センター", "東京で輸血。"),
            ]
        )
        yield archive


def test_words_are_shown_as_written(blood) -> None:
    """In lower case where any article has that, of several forms of a word the commonest, with all that they find."""
    assert blood.suggest("hepar") == (
        Completion("heparin", "words", 2, "heparin"),
        Completion("heparinoids", "words", 1, "heparinoids"),
        Completion("HEPARIN AND PLATELETS", "title", 1, "id:h1", "h1"),
    )
    assert [c.text for c in blood.suggest("tomorr") if c.kind == "words"] == ["tomorrow"]
    assert [c.text for c in blood.suggest("zur") if c.kind == "words"] == ["Zürich"]
    assert [c.text for c in blood.suggest("ZÜR") if c.kind == "words"] == ["Zürich"]
    assert [c.text for c in blood.suggest("cov") if c.kind == "words"] == ["COVID", "COVID-19"]
    assert [c.text for c in blood.suggest("covid-1") if c.kind == "words"] == ["covid-19"]
    assert [c.text for c in blood.suggest("東") if c.kind == "words"] == ["東京"]


def test_the_last_word_is_completed_behind_the_others(blood) -> None:
    """What follows directly comes first, counts are those of all words, and what stands before is kept."""
    found = [(c.text, c.count) for c in blood.suggest("blood tra") if c.kind == "words"]
    assert found == [("blood transfusion", 2), ("blood training", 2), ("blood trauma", 1)]
    found = [c.text for c in blood.suggest("-platelets blood  tra") if c.kind == "words"]
    assert found[0] == "-platelets blood transfusion"
    assert [c.text for c in blood.suggest("blood tra") if c.kind == "title"] == [
        "Blood Transfusion Tomorrow",
        "Blood transfusion today",
    ]


def test_labels_are_completed_by_name(blood) -> None:
    """Topics and authors lead to what is filed under them, also where a field name was typed."""
    (topic,) = (c for c in blood.suggest("hema") if c.kind == "topic")
    assert topic == Completion("Hematology", "topic", 1, "topic:Hematology")
    (author,) = (c for c in blood.suggest("kate") if c.kind == "author")
    assert author.query == 'author:="Hepburn, Kate"'
    assert [c.query for c in blood.suggest('blood topic:"hem')] == ["blood topic:Hematology"]
    assert [c.query for c in blood.suggest("topic:odd")] == ['topic:"Odd ""topic"" name"']
    assert [c.count for c in blood.suggest("topic:odd")] == [blood.count('topic:"Odd ""topic"" name"')] == [1]


@pytest.mark.parametrize(
    "typed",
    ["", " ", "-", '"', "((", "topic:", "x" * 300, "\x00", "*", "a OR", "zzz", "\ud800", "%" * 150, "topic:zzz", "🩸"],
)
def test_anything_can_be_typed(blood, typed) -> None:
    """Nothing typed is an error, and every count is what a search for the completion finds."""
    for completion in blood.suggest(typed):
        assert blood.count(completion.query) == completion.count > 0


@pytest.mark.parametrize("limit", [0, 1, 2, 3, 8, 50])
def test_there_are_at_most_as_many_as_asked_for(blood, limit) -> None:
    """A short list has words rather than titles."""
    found = blood.suggest("blood", limit=limit)
    assert len(found) <= limit
    if limit:
        assert found[0] == Completion("blood", "words", 4, "blood")


@pytest.mark.parametrize("limit", [-1, 51, "many"])
def test_an_unusable_limit_is_named(blood, limit) -> None:
    """It is refused with what would do."""
    with pytest.raises(RequestError, match=f"limit={limit!r} .* from 0 to 50"):
        blood.suggest("blood", limit=limit)
