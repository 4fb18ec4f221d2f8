"""What each word of a query stands for in this archive: the forms found for it, as its articles write them."""

from collections.abc import Iterator

from searchkit.analysis import Analyzer, Kind, accented, fold, fold_label, tokenize
from searchkit.dates import UNDATED
from searchkit.plan.execute import execute
from searchkit.plan.expansion import Expansion, Vocabulary
from searchkit.plan.forms import ExactAlternative, exact_forms, in_capitals, phrase_forms, prefix_forms, word_forms
from searchkit.plan.generation import Generation
from searchkit.plan.instants import instants_of
from searchkit.plan.numbered import with_numbered_names
from searchkit.plan.synonyms import Synonyms, with_synonyms
from searchkit.plan.written import is_too_much, with_words
from searchkit.query import canonical
from searchkit.query.joined_words import is_initialism, words_apart
from searchkit.query.nodes import (
    And,
    Exact,
    Fuzzy,
    Label,
    Node,
    Not,
    Or,
    Pattern,
    Phrase,
    Prefix,
    Published,
    TextNode,
    Word,
)
from searchkit.query.receipt import Meaning, Remark

MOST_FORMS = 12
"""Forms named of one word, the most frequent ones."""

_MOST_NAMES = 5

MOST_WORDS = 24
"""Words of a query whose forms are looked up."""

_LABELLED = {
    "topic": "is filed under", "kind": "is of the kind", "author": "is by",
    "language": "is in the language", "id": "has the id", "url": "has the address",
}  # fmt: skip


def meanings(node: Node, generation: Generation, synonyms: Synonyms) -> tuple[Meaning, ...]:
    """What the words of ``node`` stand for, in the order they were typed, each different one once."""
    found: list[Meaning] = []
    for leaf in list(dict.fromkeys(_leaves(node)))[:MOST_WORDS]:
        if isinstance(leaf, Label) and leaf.is_name:
            found += _names(leaf, generation)
        if not isinstance(leaf, TextNode):
            continue
        forms, more = _forms(leaf, generation)
        found.append(Meaning(canonical(leaf), forms, more))
    expanded = with_synonyms(with_numbered_names(node, generation), synonyms, generation.analyzers)
    if expanded != node:
        known = set(_leaves(node))
        added = [leaf for leaf in dict.fromkeys(_leaves(expanded)) if leaf not in known]
        found += [Meaning(canonical(leaf), _forms(leaf, generation)[0], 0, is_synonym=True) for leaf in added]
    return tuple(found)


def remarks(node: Node, generation: Generation) -> tuple[Remark, ...]:
    """What the archive has to say about the parts of a query: what nothing in it has, and what was cut."""
    found = []
    for leaf in list(dict.fromkeys(_leaves(node)))[:MOST_WORDS]:
        match leaf:
            case Label(field, value):
                if not _has_label(leaf, generation):
                    reason = f"no article {_LABELLED[field]} {value}"
                    near = [] if field in ("id", "url") else generation.nearest_labels(field, value)
                    found.append(Remark(canonical(leaf), -1, reason + (f"; did you mean {near[0]}?" if near else "")))
            case Published():
                if not len(execute(leaf, generation, scored=False).docnums):
                    found.append(Remark(canonical(leaf), -1, _nothing_then(generation)))
            case Pattern() | Fuzzy():
                expansion = generation.vocabulary(_field(leaf)).expand(leaf)
                found += _of_expansion(leaf, expansion)
            case Exact(text) if len(text.split()) > 1:
                if count := _unread(leaf, exact_forms(text, generation.analyzers), generation):
                    reason = f"{count:,} articles have these words in other forms, too; all of them are listed"
                    found.append(Remark(canonical(leaf), -1, reason))
            case Word(text) if is_initialism(text) and (
                count := _unread(leaf, (in_capitals(text, generation.analyzers),), generation)
            ):
                letters = "".join(filter(str.isalpha, text)).upper()
                reason = (
                    f"found with points; {letters} without them is too common a word to look for ({count:,} articles)"
                )
                found.append(Remark(text, -1, reason))
            case Word(text, field):
                if not is_known(leaf, generation):
                    found.append(Remark(text, -1, "no article has this word" + (" in its title" if field else "")))
    return tuple(found)


def _nothing_then(generation: Generation) -> str:
    instants = instants_of(generation.live, generation)
    if instants.first == UNDATED:
        return "no article has a date"
    first, last = (generation.calendar.day(moment).isoformat() for moment in (instants.first, instants.last))
    return f"no article was published then; those with a date are from {first} to {last}"


def _unread(leaf: Word | Exact, alternatives: tuple[ExactAlternative, ...], generation: Generation) -> int:
    """How many articles would have to be read to tell which have the words as written; 0 where they were read."""
    field, slop = leaf.field or "text", leaf.slop if isinstance(leaf, Exact) else 0
    for alternative in alternatives:
        row = execute(Phrase(" ".join(alternative.words), leaf.field, slop), generation, scored=False).docnums
        _, doubtful = with_words(row, alternative, field, generation)
        if is_too_much(doubtful, alternative, slop):
            return len(doubtful)
    return 0


def _has_label(label: Label, generation: Generation) -> bool:
    if label.is_name:
        return len(generation.docnums_named(label.field, label.value)) > 0
    term = label.value if label.field == "id" else fold_label(label.value)
    return len(generation.docnums(label.field, term)) > 0


def _names(label: Label, generation: Generation) -> Iterator[Meaning]:
    """Which authors a name stands for, where that is not just the one of exactly this name."""
    names = generation.names(label.field, label.value)
    if names and names != (fold_label(label.value),):
        shown = generation.labels(label.field).shown(list(names[:_MOST_NAMES]))
        yield Meaning(canonical(label), tuple(shown), max(len(names) - _MOST_NAMES, 0))


def _of_expansion(leaf: Pattern | Fuzzy, expansion: Expansion) -> Iterator[Remark]:
    if not expansion.words:
        yield Remark(canonical(leaf), -1, "no word of the archive is like this")
    elif expansion.is_cut:
        kind = "nearest" if isinstance(leaf, Fuzzy) else "most frequent"
        reason = f"{expansion.found:,} words are like this; the {len(expansion.words):,} {kind} were looked for"
        yield Remark(canonical(leaf), -1, reason)


def is_known(word: Word, generation: Generation) -> bool:
    """Whether one of the ways to write the word has only terms that are somewhere in the archive."""
    forms, field = word_forms(word.text, generation.analyzers), word.field or "text"
    if forms.apart:
        return all(is_known(Word(part, word.field), generation) for part in forms.apart)
    if forms.prefix is not None:
        return len(generation.docnums_with_prefix(field, forms.prefix)) > 0
    return any(
        all(any(len(generation.docnums(field, term)) for term in slot) for slot in slots)
        for slots in forms.alternatives
    )


def _leaves(node: Node) -> Iterator[Node]:
    match node:
        case And(nodes) | Or(nodes):
            for part in nodes:
                yield from _leaves(part)
        case Not(inner):
            yield from _leaves(inner)
        case Word(text, field) if words_apart(text):
            for word in words_apart(text):
                yield Word(word, field)
        case _:
            yield node


def _field(node: TextNode) -> str:
    return f"{node.field or 'text'}_exact"


def _forms(node: Node, generation: Generation) -> tuple[tuple[str, ...], int]:
    """The forms of a word or of each word of a phrase, the most frequent first; and how many more there are."""
    assert isinstance(node, TextNode)
    vocabulary = generation.vocabulary(_field(node))
    match node:
        case Pattern() | Fuzzy():
            expansion = vocabulary.expand(node)
            return expansion.words[:MOST_FORMS], max(expansion.found - MOST_FORMS, 0)
        case Prefix(text):
            forms = prefix_forms(text, generation.analyzers)
            if forms.prefix is None:
                return (), 0
            expansion = vocabulary.beginning_with(forms.prefix, most=MOST_FORMS)
            return expansion.words, expansion.found - len(expansion.words)
        case Word(text):
            counts = _spellings(text, vocabulary, generation.analyzers)
            words = sorted(counts, key=lambda word: (-counts[word], word))
            return tuple(words[:MOST_FORMS]), max(len(words) - MOST_FORMS, 0)
        case _:
            return (), 0


def _spellings(text: str, vocabulary: Vocabulary, analyzers: tuple[Analyzer, ...]) -> dict[str, int]:
    """How the archive writes a word, and in how many articles: inflected, joined or split, with or without accents."""
    counts: dict[str, int] = {}
    tokens = list(tokenize(text))
    is_single = len(tokens) == 1
    for token in tokens:
        if token.kind in (Kind.SYMBOL, Kind.PAIR) or (token.kind is Kind.LAST and is_single):
            counts[fold(token.text)] = vocabulary.frequency(fold(token.text))
        elif token.kind is Kind.JOINED or (token.kind is Kind.WORD and is_single):
            for analyzer in analyzers:
                terms = frozenset(analyzer.forms(token.text, token.kind))
                counts.update(vocabulary.spellings_of(terms, analyzer, roughly=True))
    if not is_single and any(token.kind is Kind.JOINED for token in tokens):
        slots = phrase_forms(text, analyzers).alternatives
        if slots:
            split = " ".join(fold(token.text) for token in tokens if token.kind is Kind.WORD)
            counts.setdefault(split, min(vocabulary.frequency(word) for word in split.split()))
    twins = {fold(word): count for word, count in counts.items() if accented(word)}
    return {word: count for word, count in counts.items() if count and (word not in twins or count > twins[word])}
