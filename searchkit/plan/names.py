"""Labels by the words in them: a reader who types `author:smith` means everybody called so.

A name has a typed one when it has all of its words, in any order, folded. Words held together by an apostrophe, hyphen
or point may be written as one: obrien is O'Brien, and the other way round. Whole labels are looked up otherwise.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from searchkit.analysis import fold_label
from searchkit.plan.segments import Dictionary, SegmentView
from searchkit.plan.spelling import LetterTable, near

_WORD = re.compile(r"\w+")
_CLOSE = 2
_CONNECTORS = "'.-’‐‑–"
_CHAIN = re.compile(rf"\w+(?:[{re.escape(_CONNECTORS)}]+\w+)*")


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


def ordinals_named(segment: SegmentView, field: str, name: str) -> npt.NDArray[np.int64]:
    """The places, in their order, of the labels of a segment that have all the words of ``name``.

    The longest word is looked for in the bytes of all labels at once; only labels that have it are read.
    """
    folded = fold_label(name)
    if not _WORD.search(folded):
        return np.array([place for place in segment.ordinals(field, [folded.encode()]) if place is not None], np.int64)
    longest = max(_WORD.findall(folded), key=len).encode()
    joined, ends = _without_connectors(segment.dictionary(field))
    places = []
    at = joined.find(longest)
    while at >= 0:
        places.append(at)
        at = joined.find(longest, at + 1)
    ordinals = np.unique(ends.searchsorted(np.array(places, dtype=np.int64), side="right"))
    has_name = named(name)
    is_named = [has_name(label.decode()) for label in segment.terms(field, ordinals)]
    return ordinals[np.array(is_named, dtype=np.bool_)].astype(np.int64)


def _without_connectors(dictionary: Dictionary) -> tuple[bytes, npt.NDArray[np.int64]]:
    """The bytes of all labels without what may hold words together, and where each label ends in them."""
    data = dictionary.data
    is_kept = np.ones(len(data), dtype=np.bool_)
    for connector in _CONNECTORS:
        spelled = connector.encode()
        starts = np.flatnonzero(data == spelled[0])
        for offset, byte in enumerate(spelled[1:], 1):
            starts = starts[data.take(starts + offset, mode="clip") == byte]
        for offset in range(len(spelled)):
            is_kept[starts + offset] = False
    kept_before = np.concatenate(([0], np.cumsum(is_kept)))
    return data[is_kept].tobytes(), kept_before[np.cumsum(dictionary.sizes)]


def labels_named(segments: Iterable[SegmentView], field: str, name: str) -> tuple[str, ...]:
    """The folded labels that have all the words of ``name``, those of most articles first."""
    counts: Counter[str] = Counter()
    for segment in segments:
        ordinals = ordinals_named(segment, field, name)
        frequencies = segment.dictionary(field).frequencies[ordinals].tolist()
        for frequency, label in zip(frequencies, segment.terms(field, ordinals), strict=True):
            counts[label.decode()] += frequency
    return tuple(sorted(counts, key=lambda label: (-counts[label], label)))


def nearest_labels(wanted: str, labels: list[str]) -> list[str]:
    """Folded labels with all the words of a folded one, or all of theirs in it; else spelled nearly so."""
    words = set(wanted.split())
    sharing = [label for label in labels if any(word in label for word in words)]
    related = [label for label in sharing if _is_related(words, set(label.split()))]
    if related:
        return sorted(related, key=lambda label: (len(label), label))[:_CLOSE]
    kept = [label for label in labels if label]
    ordinals, edits = near(wanted, LetterTable.of(kept), 2 if len(wanted) > 4 else 1)
    nearest = sorted(zip(edits.tolist(), ordinals.tolist(), strict=True))
    if nearest:
        return [kept[ordinal] for _, ordinal in nearest[:_CLOSE]]
    respelled = _respelled(wanted, labels)
    if respelled:
        return respelled[:_CLOSE]
    shared = [(-_shared(words, label.split()), len(label), label) for label in labels]
    return [label for count, _, label in sorted(shared) if count][:_CLOSE]


def _respelled(wanted: str, labels: list[str]) -> list[str]:
    """The labels that have all the wanted words, each spelled as the nearest word of any label is."""
    counts = Counter(_WORD.findall("\n".join(labels)))
    known = sorted(counts)
    table = LetterTable.of(known)
    meant = set()
    for word in _WORD.findall(wanted):
        ordinals, edits = near(word, table, 2 if len(word) > 4 else 1)
        if len(ordinals) == 0:
            return []
        likely = [known[ordinal] for ordinal in ordinals[edits == edits.min()].tolist()]
        meant.add(max(likely, key=lambda other: counts[other]))
    having = [label for label in labels if all(word in label for word in meant)]
    found = [label for label in having if meant and meant <= frozenset(_WORD.findall(label))]
    return sorted(found, key=lambda label: (len(label), label))


def _shared(wanted: set[str], words: list[str]) -> int:
    """How many of the wanted words are among these, also in a longer or shorter form."""
    return sum(
        any(word == other or (min(len(word), len(other)) > 3 and (word.startswith(other) or other.startswith(word)))
            for other in words)
        for word in wanted
    )  # fmt: skip


def _is_related(wanted: set[str], words: set[str]) -> bool:
    return bool(words) and bool(wanted) and (wanted <= words or words <= wanted)
