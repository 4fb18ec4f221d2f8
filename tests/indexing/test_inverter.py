"""A batch inverted by array operations holds exactly what `TextField.index` gives article by article."""

import gzip
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.analysis.batch import BatchAnalyzer
from searchkit.codec.kernels import stable_order
from searchkit.indexing.inverter import ArticleText, InvertedField, invert
from searchkit.indexing.schema import AnalysedText, TextField, TextPart

Postings = dict[bytes, dict[int, tuple[int, float, list[int]]]]
"""By term and docnum: frequency, weight and positions."""


def field_values(article: ArticleText, title_weight: float) -> dict[str, AnalysedText]:
    """What the generic path indexes in each text field."""
    title, *rest = article[:3]
    whole = AnalysedText((TextPart(title, title_weight), *map(TextPart, rest)), article.language)
    alone = AnalysedText((TextPart(title),), article.language)
    return {"text": whole, "text_exact": whole, "title": alone, "title_exact": alone}


def one_by_one(articles: Sequence[ArticleText], title_weight: float) -> dict[str, tuple[Postings, list[int]]]:
    """The slow, obvious twin: every field's postings and lengths, article by article."""
    fields = {name: TextField("en", exact=name.endswith("exact")) for name in ("text", "text_exact", "title")}
    fields["title_exact"] = fields["text_exact"]
    inverted: dict[str, tuple[Postings, list[int]]] = {name: ({}, []) for name in fields}
    for docnum, article in enumerate(articles):
        for name, value in field_values(article, title_weight).items():
            postings, lengths = inverted[name]
            field, length = fields[name], 0
            for term, frequency, weight, encoded in field.index(value):
                positions = field.format.decode_positions(encoded) if field.scorable else []
                postings.setdefault(term, {})[docnum] = frequency, weight, positions
                length += frequency if field.scorable else 0
            lengths.append(length)
    return inverted


def as_postings(field: InvertedField) -> Postings:
    """The arrays read out, after a check that they keep their promises."""
    terms = field.terms.tolist()
    assert terms == sorted(set(terms))
    assert (field.docnums.dtype, field.frequencies.dtype, field.weights.dtype) == (np.int32, np.int32, np.float64)
    if field.positions is not None:
        assert field.positions.dtype == np.uint32
        assert np.diff(field.position_offsets).tolist() == field.frequencies.tolist()
    postings: Postings = {}
    for term, (first, last) in zip(terms, itertools.pairwise(field.term_offsets.tolist()), strict=True):
        docnums = field.docnums[first:last].tolist()
        assert docnums
        assert docnums == sorted(set(docnums))
        postings[term] = {docnum: _posting(field, first + n) for n, docnum in enumerate(docnums)}
    return postings


def _posting(field: InvertedField, index: int) -> tuple[int, float, list[int]]:
    positions: list[int] = []
    if field.positions is not None and field.position_offsets is not None:
        positions = field.positions[slice(*field.position_offsets[index : index + 2])].tolist()
    return int(field.frequencies[index]), float(field.weights[index]), positions


def assert_same(articles: Sequence[ArticleText], analyzer: BatchAnalyzer, title_weight: float = 3.0) -> None:
    """Both ways give the same terms, docnums, frequencies, weights, positions and lengths."""
    inverted = invert(articles, analyzer, title_weight=title_weight)
    for name, (postings, lengths) in one_by_one(articles, title_weight).items():
        field = getattr(inverted, name)
        found = as_postings(field)
        assert found.keys() == postings.keys()
        for term, expected in postings.items():
            assert found[term] == expected, (name, term)
        assert field.lengths.tolist() == lengths


RICH = (
    list("aAbsSx0123456789") * 3
    + list("'’ʼ-‐‑–./&_@+·:,,..++##  \n\t\"“([{;!?\x00\x1f")
    + ["'s", "’S", "C++", ".NET", "1,234", "U.S.", "é", "É", "e\u0301", "ß", "ﬁ", "İ", "ı", "ǰ", "J\u030c", "m²", "½"]
    + list("東京都は本カ・ー、。ไทยั้한국ᄀ๑٣३") * 2
    + [
        "हिन्दी",
        "Привет",
        "й",
        "مُحَ",
        "שָׁ",
        "\u00ad",
        "\u200d",
        "\u2060",
        "\ufeff",
        "\u0301",
        "\u0345",
        "\ufe0f",
        "\u0640",
    ]
    + ["😀", "𝒳", "𠀀", "𐐀", "\ud800"]
)
words_of_any_script = st.lists(st.sampled_from(RICH), max_size=25).map("".join)
plain_words = st.text(alphabet="abcC '-.,+#1234s\n", max_size=40)
texts = words_of_any_script | plain_words | st.text(max_size=30)
languages = st.sampled_from(["en", "de", "fr", "ru", "hi", "ja", "tr", "xx"])
batches = st.lists(st.builds(ArticleText, texts, texts, texts, languages), max_size=5)


@given(batches, st.sampled_from([1.0, 2.7, 3.0]))
def test_any_text_in_any_language_is_inverted_as_article_by_article(
    articles: list[ArticleText], title_weight: float
) -> None:
    """Mixed scripts, connectors, symbols and languages give the same four fields."""
    assert_same(articles, BatchAnalyzer(), title_weight)


@given(st.lists(batches, min_size=2, max_size=3))
def test_what_is_remembered_from_earlier_batches_changes_nothing(several: list[list[ArticleText]]) -> None:
    """An analyzer that has seen other batches gives what a new one gives."""
    analyzer = BatchAnalyzer()
    for articles in several:
        assert_same(articles, analyzer)


EDGES = [
    [],
    [ArticleText("", "", "", "en")],
    *([ArticleText("", "", "a" * length + "+", "en")] for length in range(1, 17)),
    [ArticleText("C++", "++", "C+", "en"), ArticleText("", "", ".NET C++", "en")],
    [ArticleText(".NET", "the .net", "a..NET x.NET 東.NET 東C++ C+東 C+\u0e31", "en")],
    [ArticleText("x" * 70, "-".join("abcdefghijklmnop"), "y" * 3000 + " " + "é" * 3000, "en")],
    [ArticleText("Wort Worte", "Wort", "words", "de"), ArticleText("Wort Worte", "Wort", "words", "en")],
    [ArticleText("heparin" * 3, "heparin heparin's", "Heparin HEPARIN", "en-GB")],
    [ArticleText("us U.S. US u-s", "", "us", "en")] * 3,
]


@pytest.mark.parametrize("articles", EDGES)
def test_edges_of_texts_and_lengths_are_no_exception(articles: list[ArticleText]) -> None:
    """Nothing at all, symbols at the edges of texts, long words and chains, two languages with the same words."""
    assert_same(articles, BatchAnalyzer())


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=4))
def test_title_weights_add_up_one_by_one(counts: list[tuple[int, int]]) -> None:
    """A weight that is no binary fraction is rounded as the sum of single weights is."""
    articles = [ArticleText("a " * title, "", "a " * body, "en") for title, body in counts]

    assert_same(articles, BatchAnalyzer(), title_weight=2.3)


@given(st.lists(st.integers(0, 3) | st.sampled_from([65_535, 65_536, 65_540, 2**31 - 1, 2**33])), st.integers(0, 9))
def test_radix_sort_is_stable_sort(keys: list[int], more: int) -> None:
    """Integers of any width up to the largest are ordered as `sorted` orders them, equal ones as they came."""
    order = stable_order(np.array(keys, np.int64), max(keys, default=0) + more)

    assert order.tolist() == sorted(range(len(keys)), key=keys.__getitem__)


def corpus(folder: Path, name: str, step: int, count: int) -> Iterator[ArticleText]:
    """Every so manieth article of a corpus."""
    with gzip.open(folder / "corpora" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in itertools.islice(lines, 0, step * count, step):
            row = json.loads(line)
            body = row["body"]
            yield ArticleText(row["title"], body[:40], body, row.get("lang") or "en")


SAMPLES = [("reuters", 10, 2_000), ("ruby_news_17_languages", 24, 190), ("pm_transcripts_3k", 150, 20)]


@pytest.mark.parametrize(("name", "step", "count"), SAMPLES)
def test_real_archives_are_inverted_as_article_by_article(data_folder: Path, name: str, step: int, count: int) -> None:
    """Newswire, news in 17 languages and long transcripts, in two batches of one analyzer."""
    articles = list(corpus(data_folder, name, step, count))
    analyzer = BatchAnalyzer()
    assert_same(articles[: count // 3], analyzer)
    assert_same(articles[count // 3 :], analyzer)


def test_the_sample_covers_the_languages(data_folder: Path) -> None:
    """The sample of the archive in 17 languages holds most of them, those written in pairs included."""
    spoken = Counter(article.language for article in corpus(data_folder, *SAMPLES[1]))

    assert len(spoken) >= 15
    assert {"ja", "ko", "zh_cn"} & _codes(spoken)


def _codes(spoken: Iterable[str]) -> set[str]:
    return {code.replace("-", "_").lower() for code in spoken}


@pytest.mark.parametrize("length", range(1, 20))
@pytest.mark.parametrize("end", ["+", "+.", "++", "#", "é+."])
def test_a_symbol_at_the_very_end(length: int, end: str) -> None:
    """The last word of a batch may have a symbol behind it, whatever its length."""
    analysed = BatchAnalyzer().analyse(["x" * length + end], ["en"])
    assert len(analysed.ids) == 1
