"""Labels by the words in them: a reader who types `author:smith` means everybody called so.

A name has a typed one when it has all of its words, in any order, folded. Words held together by an apostrophe, hyphen
or point may be written as one: obrien is O'Brien, and the other way round. Whole labels are looked up otherwise.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import reduce

import numpy as np
import numpy.typing as npt

from searchkit.analysis import fold_label
from searchkit.patterns import late_pattern
from searchkit.plan.segments import Dictionary, SegmentView
from searchkit.plan.spelling import Codes, LetterTable, Ordinals, near

_WORD = late_pattern(r"\w+")
_CLOSE = 2
_MOST_WORDS = 8
"""Words of a name that nothing has that are compared with others; longer ones are no names."""

_LONGEST_FORM = 24
_FAR_OFF = 100

_CONNECTORS = "'.-’‐‑–"
_CHAIN = late_pattern(rf"\w+(?:[{re.escape(_CONNECTORS)}]+\w+)*")


def named(name: str) -> Callable[[str], bool]:
    """Whether a label has all the words of ``name``; a label without words only has itself."""
    wanted = _chains(fold_label(name))

    def has_name(label: str) -> bool:
        chains = _chains(fold_label(label))
        words = {word for joined, parts in chains for word in (joined, *parts)}
        return all(joined in words or parts <= words for joined, parts in wanted)

    return has_name


def _chains(folded: str) -> list[tuple[str, frozenset[str]]]:
    """The words of a folded name that nothing but a connector holds together: as one word, and its parts."""
    found = [frozenset(_WORD.findall(chain)) for chain in _CHAIN.findall(folded)]
    joined = ["".join(_WORD.findall(chain)) for chain in _CHAIN.findall(folded)]
    return list(zip(joined, found, strict=True)) or [(folded, frozenset((folded,)))]


class NameTable:
    """The folded labels of one field of a segment, and the words in them, as arrays. Labels go by their ordinals."""

    def __init__(self, segment: SegmentView, field: str) -> None:
        self._segment = segment
        self._field = field
        dictionary = segment.dictionary(field)
        self.frequencies = dictionary.frequencies.astype(np.int32)
        self.labels = _labels(dictionary).compact()
        codes = self.labels.codes
        is_word = _is_word(codes)
        is_edge = np.zeros(len(codes) + 1, dtype=np.bool_)
        is_edge[self.labels.starts] = is_edge[-1] = True
        # A word begins behind what is none, or with its label.
        before = np.concatenate(([False], is_word[:-1])) if len(codes) else is_word
        behind = np.append(is_word[1:], False) if len(codes) else is_word
        starts = np.flatnonzero(is_word & (~before | is_edge[:-1]))
        ends = np.flatnonzero(is_word & (~behind | is_edge[1:])) + 1
        self.words = LetterTable.of_spans(codes, starts, ends - starts).compact()
        self.label_of: Ordinals = (self.labels.starts.searchsorted(starts, side="right") - 1).astype(np.int32)
        self._joined = self._joined_words(is_word, starts, ends)

    def _joined_words(self, is_word: npt.NDArray[np.bool_], starts: Ordinals, ends: Ordinals) -> dict[str, list[int]]:
        """The words that connectors hold together, written as one, and the labels that have them."""
        codes = self.labels.codes
        is_blank = ~is_word & ~np.isin(codes, [ord(char) for char in _CONNECTORS])
        blanks = np.concatenate(([0], np.cumsum(is_blank)))
        is_linked = (blanks[ends[:-1]] == blanks[starts[1:]]) & (self.label_of[:-1] == self.label_of[1:])
        found: dict[str, list[int]] = {}
        last = -1
        for at in np.flatnonzero(is_linked).tolist():
            if at <= last:
                continue
            last = at + 1
            while last < len(is_linked) and is_linked[last]:
                last += 1
            joined = "".join(self.words.word(word) for word in range(at, last + 1))
            found.setdefault(joined, []).append(int(self.label_of[at]))
        return found

    def named(self, name: str) -> Ordinals:
        """The labels that have all the words of ``name``, ascending."""
        folded = fold_label(name)
        if not _WORD.search(folded):
            return np.flatnonzero(self.labels.equals(folded))
        found = np.arange(len(self.labels.starts))
        for joined, parts in _chains(folded):
            found = _shared_by(found, self._having(joined, parts))
            if not len(found):
                break
        return found

    def _having(self, joined: str, parts: Iterable[str]) -> Ordinals:
        apart = reduce(_shared_by, (self.with_word(part) for part in parts))
        return np.union1d(apart, self.with_word(joined))

    def with_word(self, word: str) -> Ordinals:
        """The labels in which a word stands, also with connectors in it, ascending."""
        found = self.label_of[self.words.equals(word)]
        return np.unique(np.concatenate((found, np.array(self._joined.get(word, ()), dtype=np.int64))))

    def with_related_word(self, word: str) -> Ordinals:
        """The labels that have a word, or a longer or shorter form of it, of which one begins with the other."""
        is_related = self.words.equals(word)
        for end in range(4, min(len(word), _LONGEST_FORM) + 1):
            is_related |= self.words.equals(word[:end])
        if len(word) > 3:
            is_related |= self.words.begin_with(word)
        return np.unique(self.label_of[is_related])

    def spelled(self, ordinals: Iterable[int]) -> list[str]:
        """The labels with these ordinals."""
        return [self.labels.word(ordinal) for ordinal in ordinals]


def _labels(dictionary: Dictionary) -> LetterTable:
    """The labels of a dictionary, each of which has a letter."""
    data, sizes = dictionary.data, dictionary.sizes
    codes = np.frombuffer(data.tobytes().decode().encode("utf-32-le"), np.uint32)
    ends = np.concatenate(([0], np.cumsum((data & 0xC0) != 0x80)))[np.cumsum(sizes)]
    return LetterTable.of_codes(codes, np.diff(ends, prepend=0))


def _is_word(codes: Codes) -> npt.NDArray[np.bool_]:
    """Which characters are part of words: few different ones occur, which are asked one by one."""
    flags = np.zeros(int(codes.max(initial=0)) + 1, dtype=np.bool_)
    flags[codes] = True
    different = np.flatnonzero(flags)
    flags[different] = [_WORD.match(chr(code)) is not None for code in different.tolist()]
    is_word: npt.NDArray[np.bool_] = flags[codes]
    return is_word


def _shared_by(some: Ordinals, others: Ordinals) -> Ordinals:
    return np.intersect1d(some, others, assume_unique=True)


def labels_named(tables: Iterable[NameTable], name: str) -> tuple[str, ...]:
    """The folded labels that have all the words of ``name``, those of most articles first."""
    counts: Counter[str] = Counter()
    for table in tables:
        ordinals = table.named(name).tolist()
        for frequency, label in zip(table.frequencies[ordinals].tolist(), table.spelled(ordinals), strict=True):
            counts[label] += frequency
    return tuple(sorted(counts, key=lambda label: (-counts[label], label)))


def nearest_labels(wanted: str, tables: Sequence[NameTable]) -> list[str]:
    """Folded labels with all the words of a folded one, or all of theirs in it; else spelled nearly so."""
    words = set(_WORD.findall(wanted))
    if not words or len(words) > _MOST_WORDS:
        return []
    related: set[str] = set()
    for table in tables:
        with_any = np.concatenate([table.with_word(word) for word in words])
        labels = table.spelled(np.unique(with_any).tolist())
        related.update(label for label in labels if _is_related(words, set(_WORD.findall(label))))
    if related:
        return _shortest(related)
    near_it = {
        table.labels.word(ordinal): edits
        for table in tables
        for ordinal, edits in zip(*map(list, near(wanted, table.labels, 2 if len(wanted) > 4 else 1)), strict=True)
    }
    if near_it:
        return sorted(near_it, key=lambda label: (near_it[label], label))[:_CLOSE]
    return _respelled(words, tables) or _respelled_apart(words, tables) or _sharing(words, tables)


def _respelled(words: set[str], tables: Sequence[NameTable]) -> list[str]:
    """The labels that have all the words, each spelled as the nearest word of any label is."""
    meant = set()
    for word in words:
        spellings: dict[int, Counter[str]] = {}
        for table in tables:
            for ordinal, edits in zip(*map(list, near(word, table.words, 2 if len(word) > 4 else 1)), strict=True):
                spellings.setdefault(edits, Counter())[table.words.word(ordinal)] += 1
        if not spellings:
            return []
        likely = spellings[min(spellings)]
        meant.add(max(sorted(likely), key=lambda other: likely[other]))
    if not meant:
        return []
    having = [reduce(_shared_by, (table.with_word(word) for word in meant)) for table in tables]
    return _shortest({label for table, found in zip(tables, having, strict=True) for label in table.spelled(found)})


def _respelled_apart(words: set[str], tables: Sequence[NameTable]) -> list[str]:
    """The labels that have each of the words spelled nearly so, with the fewest letters off in all."""
    found: dict[str, int] = {}
    for table in tables:
        letters_off = np.zeros(len(table.labels.starts), dtype=np.int64)
        for word in words:
            nearest = np.full(len(letters_off), _FAR_OFF, dtype=np.int64)
            ordinals, edits = near(word, table.words, 2 if len(word) > 4 else 1)
            np.minimum.at(nearest, table.label_of[ordinals], edits)
            letters_off += nearest
        least = int(letters_off.min(initial=_FAR_OFF))
        if least < _FAR_OFF:
            found.update(dict.fromkeys(table.spelled(np.flatnonzero(letters_off == least)), least))
    return sorted(found, key=lambda label: (found[label], len(label), label))[:_CLOSE]


def _sharing(words: set[str], tables: Sequence[NameTable]) -> list[str]:
    """The labels with most of the words, also in a longer or shorter form."""
    shared: dict[str, int] = {}
    for table in tables:
        counts = np.zeros(len(table.labels.starts), dtype=np.int64)
        for word in words:
            counts[table.with_related_word(word)] += 1
        most = int(counts.max(initial=0))
        if most:
            shared.update(dict.fromkeys(table.spelled(np.flatnonzero(counts == most)), most))
    return sorted(shared, key=lambda label: (-shared[label], len(label), label))[:_CLOSE]


def _shortest(labels: Iterable[str]) -> list[str]:
    return sorted(labels, key=lambda label: (len(label), label))[:_CLOSE]


def _is_related(wanted: set[str], words: set[str]) -> bool:
    return wanted <= words or words <= wanted
