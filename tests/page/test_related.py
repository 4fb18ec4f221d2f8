"""Related articles: the same as loops over the articles give, never the article itself or a repetition of it."""

import math
from collections import Counter
from datetime import date, timedelta

import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit import Article, open_archive
from searchkit.errors import RequestError, UnknownArticle
from searchkit.page.related import are_nearly_same, shingles

WORDS = (
    "ash",
    "bank",
    "rim",
    "rum",
    "oak",
    "elm",
    "fig",
    "yew",
    "bay",
    "cup",
    "mug",
    "jar",
    "lid",
    "tap",
    "sun",
    "fog",
)
TOPICS = ("News", "Trees", "Cups")

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join)


@st.composite
def archives(draw: st.DrawFn) -> list[Article]:
    """Articles of few words, some repeating others, some undated."""
    articles = []
    for number in range(draw(st.integers(3, 20))):
        repeats = articles and draw(st.booleans()) and draw(st.booleans())
        day = draw(st.none() | st.integers(0, 40))
        articles.append(
            Article(
                f"a{number:02}",
                draw(texts),
                draw(st.sampled_from(articles)).body if repeats else draw(texts),
                topics=draw(st.lists(st.sampled_from(TOPICS), max_size=2, unique=True)),
                published=None if day is None else date(2020, 1, 1) + timedelta(day),
            )
        )
    return articles


def scores(article: Article, articles: list[Article], archive) -> dict[str, float]:
    """How close every other article is: the definition, with the score of each word taken from a search for it."""
    frequencies = Counter({word: 3 * n for word, n in Counter(reference.plain(article.title).split()).items()})
    frequencies += Counter(reference.plain(f"{article.summary} {article.body}").split())
    weights = {}
    for word, frequency in frequencies.items():
        found = sum(reference.has_word(other, word) for other in articles)
        if 2 <= found <= max(len(articles) / 5, 10) and found < len(articles):
            weights[word] = frequency / (frequency + 2) * math.log(len(articles) / found)
    heaviest = sorted(weights, key=lambda word: (-weights[word], word))[:16]
    total: Counter[str] = Counter()
    for word in heaviest:
        for hit in archive.search(word, limit=100).hits:
            total[hit.id] += weights[word] * hit.score
    shared = {}
    filed = {topic: sum(topic in other.topics for other in articles) for topic in article.topics}
    idf = {topic: math.log((len(articles) + 1) / count) for topic, count in filed.items()}
    for other in articles:
        shared[other.id] = sum(idf[topic] for topic in idf if topic in other.topics) / (sum(idf.values()) or 1)
    best = max(total.values(), default=0)
    if best:
        total = Counter({name: score + best / 4 * shared[name] for name, score in total.items() if score})
    else:
        total = Counter(shared)
    return {name: score for name, score in total.items() if score and name != article.id}


def is_repetition(a: Article, b: Article) -> bool:
    """Whether most runs of three words of the shorter article are in the other."""

    def runs(article: Article) -> set[tuple[str, ...]]:
        found = f"{article.title} {article.body}".split()
        return {tuple(found[n : n + 3]) for n in range(max(len(found) - 2, 1))}

    return len(runs(a) & runs(b)) >= 0.6 * min(len(runs(a)), len(runs(b)))


def expected(article: Article, articles: list[Article], archive, limit: int) -> list[str]:
    """The ids of the related articles: by score in twentieths of the best, then newest, then by id."""
    close = scores(article, articles, archive)
    by_id = {other.id: other for other in articles}
    newest = [other.id for other in reference.newest_first([by_id[name] for name in close], "UTC")]
    best = max(close.values(), default=1)
    ordered = sorted(newest, key=lambda name: -math.ceil(close[name] / best * 20))
    shown: list[str] = []
    for name in ordered[: 6 * limit]:
        seen = [article, *(by_id[other] for other in shown)]
        if len(shown) < limit and not any(is_repetition(by_id[name], other) for other in seen):
            shown.append(name)
    return shown


@settings(max_examples=60, deadline=None)
@given(articles=archives(), limit=st.integers(0, 6), cut=st.integers(1, 20))
def test_related_agrees_with_brute_force(tmp_path_factory, articles, limit, cut) -> None:
    """The articles and their order are those of the definition, in one segment and in several."""
    for number, batches in enumerate(([articles], [articles[:cut], articles[cut:]])):
        with open_archive(tmp_path_factory.mktemp("related") / f"{number}", create=True) as archive:
            for batch in batches:
                archive.add(batch)
            for article in articles[:4]:
                found = [hit.id for hit in archive.related(article.id, limit=limit)]
                assert found == expected(article, articles, archive, limit)


def test_the_closest_comes_first(make_archive) -> None:
    """Shared rare words count most, the beginning of each article is its snippet, and repetitions are left out."""
    text = "Cold platelets kept fourteen days stop bleeding as well as those kept five days at room temperature"
    filler = [Article(f"f{n}", f"Report {n}", f"Nothing of note happened in week {n}.") for n in range(20)]
    archive = make_archive(
        [
            Article("cold", "Cold platelets", f"{text}."),
            Article("again", "Cold platelets, again", f"Update. {text}. More is to follow."),
            Article("storage", "Storing platelets", "A refrigerator for platelets doubles their shelf life."),
            Article("bleeding", "A night at the ward", "There was no bleeding that anybody had to stop in time."),
            *filler,
        ]
    )
    hits = archive.related("cold")

    assert [hit.id for hit in hits] == ["storage", "bleeding"]
    assert hits[0].score > hits[1].score > 0
    assert hits[0].snippets[0].text.startswith("A refrigerator")
    assert hits[0].snippets[0].marks == ()


def test_without_words_in_common_topics_decide(make_archive) -> None:
    """An article like no other is followed by the newest under its topics."""
    archive = make_archive(
        [
            Article("one", "Aaa", "Bbb.", topics=["News"]),
            Article("old", "Ccc", "Ddd.", topics=["news"], published="2001"),
            Article("new", "Eee", "Fff.", topics=["News"], published="2002"),
            Article("other", "Ggg", "Hhh.", topics=["Views"]),
        ]
    )
    assert [hit.id for hit in archive.related("one")] == ["new", "old"]
    assert archive.related("other") == ()


def test_deleted_articles_are_not_related(make_archive) -> None:
    """What was deleted, or replaced by something else, is no longer recommended."""
    texts = [f"Platelets {n} kept cold in {n} bags." for n in range(6)]
    archive = make_archive([Article("far", "Something else", "Altogether.")])
    archive.add(Article(f"a{n}", "Cold platelets", text) for n, text in enumerate(texts))
    assert len(archive.related("a0")) == 5
    archive.delete(["a1"])
    archive.add([Article("a2", "Nothing", "Of that sort.")])

    assert {hit.id for hit in archive.related("a0")} == {"a3", "a4", "a5"}
    with pytest.raises(UnknownArticle, match="'a1'"):
        archive.related("a1")


@pytest.mark.parametrize("limit", [-1, 51, "five"])
def test_an_unusable_limit_is_named(make_archive, limit) -> None:
    """It is refused with what would do."""
    with pytest.raises(RequestError, match=f"limit={limit!r} .* from 0 to 50"):
        make_archive([Article("a", "A", "B")]).related("a", limit=limit)


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=12), st.lists(st.sampled_from("abc"), max_size=4))
def test_more_text_does_not_hide_a_repetition(words, more) -> None:
    """An article is nearly the same as one with something before or behind its text."""
    short = shingles(Article("1", "a title that stays", " ".join(words)))
    for title, longer in (("a title that stays", [*words, *more]), ("so: a title that stays", [*words, *more])):
        assert are_nearly_same(short, shingles(Article("2", title, " ".join(longer))))


def test_any_article_has_an_answer(make_archive) -> None:
    """Long, empty and odd texts are read within bounds."""
    odd = ["", "\x00", "東京の輸血センター", "x " * 200_000, "(" * 9_000, "é" * 9_000]
    archive = make_archive([Article(f"a{n}", f"Title {n}", body) for n, body in enumerate(odd)])
    for number in range(len(odd)):
        assert f"a{number}" not in {hit.id for hit in archive.related(f"a{number}")}
