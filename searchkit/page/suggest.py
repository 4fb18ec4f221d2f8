"""What a reader may be about to type: words, topics, authors and titles that go on from what stands there.

The last word typed is completed by the commonest words that begin with it, one of each stem, spelled as articles spell
it; where others stand before it, by words of the articles that those find, the ones that follow them directly before
others. Topics are found by any of their words, authors by the beginning of the name where there are too many to look
at each, titles by all words typed, the newest first. Every count is the number of articles that the completion finds
when it is searched for; what finds none is not offered.

The time is bounded at any size of archive: `SegmentView.commonest_terms` looks at so many postings, so many words are
tried behind others, so many titles are read.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np

from searchkit.analysis import fold, fold_label, tokenize
from searchkit.analysis.words import is_word_char
from searchkit.article import Article
from searchkit.page.model import Completion, CompletionKind
from searchkit.plan.execute import execute
from searchkit.plan.forms import word_forms
from searchkit.plan.generation import Docnums, Generation
from searchkit.plan.kernels import flags_of
from searchkit.query.canonical import canonical
from searchkit.query.nodes import And, Label, LabelField, Node, Phrase, Word, all_of

MOST_COMPLETIONS = 50
"""More than this no list below a search box holds."""

LONGEST_TYPED = 200
"""Characters; nobody waits for a completion of more."""

_TOPICS, _AUTHORS, _TITLES = 3, 2, 2
_WORDS_LOOKED_AT = 40  # commonest in a segment
_WORDS_TRIED = 5  # whether they stand directly behind the word before
_ARTICLES_TRIED = 20_000  # in which to look for that
_DIRECTLY = 4  # how much more an article counts in which they do
_LABELS_COUNTED = 2  # times as many as are wanted, as some may have deleted articles only
_LABELS_LOOKED_AT = 5_000  # of a field with more the beginning must fit
_TITLES_READ = 8
_ARTICLES_READ = 2
_CHARACTERS_READ = 20_000
_SPELLINGS = 4
_LETTERS_OF_TITLES = 3  # fewer begin words of most titles
_REMEMBERED = 20_000  # spellings
_LABEL_TYPED = re.compile(r"\b(topic|author):\"?([^\"]*)$", re.IGNORECASE)


class Completer:
    """Completes what is typed from one opened generation, and remembers what it looked up: letters come one by one."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self._written: dict[str, str] = {}
        self._labels: dict[LabelField, LabelIndex] = {}

    def complete(self, typed: str, limit: int, *, read: Callable[[str], Node]) -> tuple[Completion, ...]:
        """Up to ``limit`` completions of what was typed: words, then topics, authors and titles.

        ``read`` gives the node that a query is read as.
        """
        typed = " ".join(typed.split())
        if not typed or len(typed) > LONGEST_TYPED:
            return ()
        labelled = _LABEL_TYPED.search(typed)
        if labelled:
            before, kind, value = typed[: labelled.start()], labelled[1].lower(), labelled[2]
            return tuple(self._filed("topic" if kind == "topic" else "author", value, before, limit))
        topics = self._filed("topic", typed, "", _TOPICS)
        authors = self._filed("author", typed, "", _AUTHORS)
        titles = self._titles(typed, _TITLES)
        words = self._words(typed, read, max(limit - len(topics) - len(authors) - len(titles), (limit + 1) // 2))
        return (*words, *topics, *authors, *titles)[:limit]

    # Words

    def _words(self, typed: str, read: Callable[[str], Node], limit: int) -> list[Completion]:
        begins = len(typed)
        while begins and is_word_char(typed[begins - 1]):
            begins -= 1
        head, prefix = typed[:begins], fold(typed[begins:])
        if not prefix:
            return []
        before = read(head) if head.strip() else None
        among = None if before is None else execute(before, self.generation, scored=False).docnums
        popularity = self._commonest("text_exact", prefix, among)
        if before is not None and among is not None and len(among) <= _ARTICLES_TRIED:
            popularity = self._preferring_neighbours(before, popularity)
        found = []
        for word in self._one_of_each_stem(popularity)[:limit]:
            text = head + self._written_form(word)
            count = self._count(read(text), before, among)
            if count:
                found.append(Completion(text, "words", count, text))
        return found if before is not None else sorted(found, key=lambda item: (-item.count, item.text))

    def _count(self, node: Node, before: Node | None, among: Docnums | None) -> int:
        """How many articles match ``node``, which mostly is ``before``, matched by ``among``, and a word more."""
        if before is None and not self.generation.has_deletions:
            term = _only_term(node, self.generation)
            if term is not None:
                return self.generation.doc_frequency("text", term)
        last = node.nodes[-1] if isinstance(node, And) else node
        if before is None or among is None or node != all_of([before, last]):
            return len(execute(node, self.generation, scored=False).docnums)
        flags = flags_of(among, self.generation.doc_count_all)
        return int(np.count_nonzero(flags[execute(last, self.generation, scored=False).docnums]))

    def _commonest(self, field: str, prefix: str, among: Docnums | None) -> Counter[str]:
        """The commonest folded terms that begin so, with the number of articles, ``among`` some, that have each."""
        generation = self.generation
        flags = generation.is_live if generation.has_deletions else None
        if among is not None:
            flags = flags_of(among, generation.doc_count_all)
        counts: Counter[str] = Counter()
        for segment, base in generation.segments:
            here = None if flags is None else flags[base : base + segment.doc_count]
            for term, count in segment.commonest_terms(field, prefix.encode(), _WORDS_LOOKED_AT, here):
                word = term.decode()
                if word.isascii() or fold(word) == word:  # the field has words with their accents besides
                    counts[word] += count
        return counts

    def _preferring_neighbours(self, before: Node, popularity: Counter[str]) -> Counter[str]:
        """Popularity, higher for words that stand directly behind the last word of ``before``."""
        last = before.nodes[-1] if isinstance(before, And) else before
        if not isinstance(last, Word) or last.field is not None:
            return popularity
        preferred = Counter(popularity)
        for word in _ordered(popularity)[:_WORDS_TRIED]:
            phrase = Phrase(f"{last.text} {word}")
            preferred[word] += _DIRECTLY * len(execute(phrase, self.generation, scored=False).docnums)
        return preferred

    def _one_of_each_stem(self, popularity: Counter[str]) -> list[str]:
        """The words, the most popular first, of those with the same stem only the first, with all their popularity."""
        first_of: dict[tuple[str, ...], str] = {}
        together: Counter[str] = Counter()
        for word in _ordered(popularity):
            stem = self.generation.analyzers[0].forms(word)
            together[first_of.setdefault(stem, word)] += popularity[word]
        return _ordered(together)

    def _written_form(self, word: str) -> str:
        """A folded word as articles that have it spell it: in lower case, unless none does."""
        known = self._written.get(word)
        if known is None:
            known = spelling(word, self._articles_with(word))
            if len(self._written) >= _REMEMBERED:
                self._written = {}
            self._written[word] = known
        return known

    def _articles_with(self, word: str) -> Iterator[Article]:
        """The newest articles with a folded word of one segment that has any."""
        for segment, base in reversed(self.generation.segments):
            docnums = self.generation.only_live(segment.docnums("text_exact", word.encode()) + base)
            if len(docnums):
                yield from map(self.generation.article, docnums[::-1][:_ARTICLES_READ].tolist())
                return

    # Topics and authors

    def _filed(self, field: LabelField, typed: str, before: str, limit: int) -> list[Completion]:
        likely = _ordered(self._labels_that_fit(field, fold_label(typed)))[: _LABELS_COUNTED * limit]
        docnums = {label: self.generation.docnums(field, label) for label in likely}
        counts = Counter({label: len(found) for label, found in docnums.items() if len(found)})  # deleted ones left out
        kind: CompletionKind = "topic" if field == "topic" else "author"
        completions = []
        for label in _ordered(counts)[:limit]:
            article = self.generation.article(int(docnums[label][-1]))
            written = article.topics if field == "topic" else article.authors
            text = next((name for name in written if fold_label(name) == label), label)
            completions.append(
                Completion(text, kind, counts[label], before + canonical(Label(field, text, field == "author")))
            )
        return completions

    def _labels_that_fit(self, field: LabelField, beginning: str) -> Counter[str]:
        index = self._labels.get(field)
        if index is None:
            dictionaries = [segment.dictionary(field) for segment, _ in self.generation.segments]
            counts: Counter[str] = Counter()
            if sum(len(dictionary.sizes) for dictionary in dictionaries) <= _LABELS_LOOKED_AT:
                for segment, _ in self.generation.segments:
                    for term, frequency in segment.all_frequencies(field):
                        counts[term.decode()] += frequency
            index = self._labels[field] = LabelIndex(counts)
        return index.beginning_with(beginning) if index.counts else self._commonest(field, beginning, None)

    # Titles

    def _titles(self, typed: str, limit: int) -> list[Completion]:
        words = [fold(token.text) for token in tokenize(typed)]
        if not words or len("".join(words)) < _LETTERS_OF_TITLES:
            return []
        docnums = self.generation.docnums_with_prefix("title_exact", words[-1])
        for word in words[:-1]:
            docnums = np.intersect1d(docnums, self.generation.docnums("title_exact", word), assume_unique=True)
        newest = docnums[np.argsort(-self.generation.published_at(docnums), kind="stable")[:_TITLES_READ]]
        articles: dict[str, Article] = {}
        for article in map(self.generation.article, newest.tolist()):
            articles.setdefault(fold_label(article.title), article)
        beginning = fold_label(typed)
        ordered = sorted(articles, key=lambda title: not title.startswith(beginning))
        return [_title(articles[title]) for title in ordered[:limit]]


class LabelIndex:
    """Labels (folded) by the beginning of any of their words, with how many articles have each."""

    def __init__(self, counts: Counter[str]) -> None:
        self.counts = counts
        self._endings = sorted((label[at:], label) for label in counts for at in _word_starts(label))

    def beginning_with(self, typed: str) -> Counter[str]:
        """The labels in which what was typed begins at a word."""
        first = bisect_left(self._endings, (typed, ""))
        found: Counter[str] = Counter()
        for ending, label in islice(self._endings, first, None):
            if not ending.startswith(typed):
                break
            found[label] = self.counts[label]
        return found


def spelling(word: str, articles: Iterable[Article]) -> str:
    """How articles spell a folded word: the commonest spelling in lower case, unless there is none."""
    spellings: Counter[str] = Counter()
    for article in articles:
        for text in (f"{article.body[:_CHARACTERS_READ]}\n{article.summary}", article.title):
            plainly = list(islice(_plainly_spelled(word, text), _SPELLINGS))
            spelled = (text[token.start : token.end] for token in tokenize(text) if fold(token.text) == word)
            found = plainly or list(islice(spelled, _SPELLINGS))
            if found:
                is_headline = text == article.title and _is_capitalised(text)
                spellings.update(map(str.lower, found) if is_headline else found)
                break
    in_lower_case = [spelling for spelling in spellings if spelling == spelling.lower()]
    return min(in_lower_case or spellings, key=lambda spelling: (-spellings[spelling], spelling), default=word)


def _is_capitalised(title: str) -> bool:
    """Whether nearly all long words of a title begin with a capital, so that this says nothing about any of them."""
    words = [word for word in title.split() if len(word) > 3]
    return sum(word[0].isupper() for word in words) > 0.7 * len(words)


def _plainly_spelled(word: str, text: str) -> Iterator[str]:
    """The places where a text has the word in some case, without accents and connectors, found without tokens."""
    lowered = text.lower()
    at = lowered.find(word) if len(lowered) == len(text) else -1
    while at >= 0:
        end = at + len(word)
        if not is_word_char(text[at - 1 : at] or " ") and not is_word_char(text[end : end + 1] or " "):
            yield text[at:end]
        at = lowered.find(word, end)


def _ordered(popularity: Counter[str]) -> list[str]:
    return sorted(popularity, key=lambda word: (-popularity[word], word))


def _word_starts(label: str) -> Iterator[int]:
    return (at for at, char in enumerate(label) if is_word_char(char) and (at == 0 or not is_word_char(label[at - 1])))


def _only_term(node: Node, generation: Generation) -> str | None:
    """The one term that a node stands for, if it is a word with no more than that."""
    if not isinstance(node, Word) or node.field is not None:
        return None
    alternatives = word_forms(node.text, generation.analyzers).alternatives
    if len(alternatives) != 1 or len(alternatives[0]) != 1 or len(alternatives[0][0]) != 1:
        return None
    return alternatives[0][0][0]


def _title(article: Article) -> Completion:
    return Completion(article.title, "title", 1, canonical(Label("id", article.id)), article.id)
