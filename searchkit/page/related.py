"""Articles related to one: its "Recommended".

The article's significant terms, by tf-idf with words of the title counted three times, are asked for
together, and what they find is scored by BM25 with these weights; articles under the same topics come before others
that score alike, the rarer the topic the more so. Among articles that are about equally close the newer comes first.
The article itself and those with nearly the same text, as agencies and newsletters repeat them, are left out, and of
several that repeat each other only the first is shown.

The time is bounded at any size of article and archive: so many characters are read, so many terms are looked up,
so many postings are added up, so many articles are compared.
"""

import math
from collections import Counter
from itertools import islice

import numpy as np
import numpy.typing as npt

from searchkit.analysis import analyzer_for, fold, fold_label, tokenize
from searchkit.article import Article
from searchkit.dates import UNDATED
from searchkit.plan.generation import Docnums, Generation
from searchkit.plan.kernels import docnums_flagged
from searchkit.plan.ranking import Ranked

MOST_RELATED = 50
"""More than this nobody recommends."""

_CHARACTERS_READ = 6_000
_TERMS_LOOKED_UP = 64
_TERMS_ASKED = 16
_POSTINGS_ADDED = 60_000
_TITLE_WEIGHT = 3
_SATURATION = 2.0
_COMMONEST = 0.2  # terms in a larger share of the articles say nothing
_COMMONEST_AT_LEAST = 10  # but in a handful of articles any shared word does
_TOPICS_ASKED = 8
_TOPIC_SHARE = 0.25  # of the best score, for sharing all of the article's topics
_STEPS = 20  # scores within a twentieth of the best are about equal: the newer comes first
_LONG_AGO = np.iinfo(np.int64).max
_COMPARED_MORE = 6  # times as many are compared as are wanted: behind more repetitions there is nothing to be found
_SHINGLE_WORDS = 3
_SAME_TEXT = 0.6


def find_related(docnum: int, generation: Generation, limit: int) -> list[Ranked]:
    """Up to ``limit`` (at most `MOST_RELATED`) articles related to the one with this docnum, closest first.

    Scores are above 0 and can be compared within one answer only.
    """
    article = generation.article(docnum)
    docnums, scores = _candidates(article, docnum, generation)
    compared = _COMPARED_MORE * limit
    chosen: list[Ranked] = []
    seen = [shingles(article)]
    for index in _in_order(docnums, scores, generation, compared)[:compared]:
        if len(chosen) == limit:
            break
        text = shingles(generation.article(int(docnums[index])))
        if not any(are_nearly_same(text, other) for other in seen):
            seen.append(text)
            chosen.append(Ranked(int(docnums[index]), float(scores[index])))
    return chosen


def significant_terms(article: Article, generation: Generation) -> dict[str, float]:
    """The terms that tell an article from others with their weights, heaviest first.

    The weight is tf / (tf + 2) * log(articles / df). Terms of no other article are left out, of every article, and of
    more than ten and a fifth of all.
    """
    frequencies = _term_frequencies(article, generation)
    likely = sorted(frequencies, key=lambda term: (-frequencies[term], -len(term), term))[:_TERMS_LOOKED_UP]
    weights = {}
    articles = generation.doc_count_all
    for term in likely:
        found = generation.doc_frequency("text", term)
        if 2 <= found <= max(articles * _COMMONEST, _COMMONEST_AT_LEAST) and found < articles:
            saturated = frequencies[term] / (frequencies[term] + _SATURATION)
            weights[term] = saturated * math.log(articles / found)
    return {term: weights[term] for term in sorted(weights, key=lambda term: (-weights[term], term))}


def shingles(article: Article) -> frozenset[tuple[str, ...]]:
    """Every three folded words in a row of title and text, up to some length; all the words where there are fewer."""
    words = fold(f"{article.title}\n{article.body or article.summary}"[:_CHARACTERS_READ]).split()
    last = max(len(words) - _SHINGLE_WORDS + 1, 1)
    return frozenset(tuple(words[start : start + _SHINGLE_WORDS]) for start in range(last))


def are_nearly_same(a: frozenset[tuple[str, ...]], b: frozenset[tuple[str, ...]]) -> bool:
    """Whether most shingles of the shorter text are in the other: a repetition, also one with more added to it."""
    return len(a & b) >= _SAME_TEXT * min(len(a), len(b))


def _term_frequencies(article: Article, generation: Generation) -> Counter[str]:
    forms = analyzer_for(article.language or generation.language).forms
    frequencies: Counter[str] = Counter()
    rest = f"{article.summary}\n{article.body}"[:_CHARACTERS_READ]
    for text, weight in ((article.title[:_CHARACTERS_READ], _TITLE_WEIGHT), (rest, 1)):
        for token in tokenize(text):
            for form in forms(token.text, token.kind):
                frequencies[form] += weight
    return frequencies


def _candidates(article: Article, docnum: int, generation: Generation) -> tuple[Docnums, npt.NDArray[np.float64]]:
    """Articles with any of the significant terms or, where there are none, under the same topics; and their scores."""
    scores = np.zeros(generation.doc_count_all)
    room = _POSTINGS_ADDED
    for term, weight in islice(significant_terms(article, generation).items(), _TERMS_ASKED):
        room -= generation.doc_frequency("text", term)
        if room < 0:
            break
        having = generation.docnums("text", term)
        scores[having] += np.multiply(generation.scores("text", term, having), weight, dtype=np.float64)
    best = float(scores.max(initial=0.0))
    if article.topics:
        shared = _shared_topics(article, generation)
        if best == 0:
            scores = shared
        else:
            scores += np.where(scores > 0, best * _TOPIC_SHARE * shared, 0.0)
    scores[docnum] = 0.0
    candidates = docnums_flagged(scores != 0)
    return candidates, scores[candidates]


def _shared_topics(article: Article, generation: Generation) -> npt.NDArray[np.float64]:
    """For every docnum the share of the article's topics it has, 0 to 1, each weighing its idf."""
    topics = list(dict.fromkeys(map(fold_label, article.topics)))[:_TOPICS_ASKED]
    shared = np.zeros(generation.doc_count_all)
    total = 0.0
    for topic in topics:
        docnums = generation.docnums("topic", topic)
        weight = math.log((generation.doc_count_all + 1) / max(len(docnums), 1))
        shared[docnums] += weight
        total += weight
    return shared / total if total else shared


def _in_order(docnums: Docnums, scores: npt.NDArray[np.float64], generation: Generation, most: int) -> list[int]:
    """Indices of at least the first ``most`` candidates: by score in steps, in each the newest first, then by id."""
    if len(docnums) == 0:
        return []
    steps = -np.ceil(scores / scores.max() * _STEPS)
    published = generation.published_at(docnums)
    age = np.where(published == UNDATED, _LONG_AGO, -published)
    near = np.flatnonzero(steps <= np.partition(steps, min(most, len(steps)) - 1)[min(most, len(steps)) - 1])
    near = near[np.lexsort((age[near], steps[near]))]
    last = near[min(most, len(near)) - 1]
    first = near[(steps[near] < steps[last]) | (age[near] <= age[last])]
    return sorted(first.tolist(), key=lambda i: (steps[i], age[i], generation.article_id(int(docnums[i]))))
