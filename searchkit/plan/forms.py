"""What a typed word means in the index: terms, and how they must stand.

A typed word may be one word, several held together by connectors (`COVID-19`), a name with symbols (`C++`) or a run
of a script without spaces (`東京`). `word_forms` turns it into alternatives, each a sequence of slots that must
follow one another. With several languages in the archive a slot has the stems of each.
"""

from dataclasses import dataclass

from searchkit.analysis import Analyzer, Kind, Token, fold, tokenize

Slot = tuple[str, ...]
"""Terms of which one must stand at a position."""

Alternative = tuple[Slot, ...]
"""One way to match: these slots, at positions that follow one another."""


@dataclass(frozen=True, slots=True)
class Forms:
    """The alternatives of a word or phrase, or the ``prefix`` its terms begin with; without either nothing matches."""

    alternatives: tuple[Alternative, ...] = ()
    prefix: str | None = None


def word_forms(text: str, analyzers: tuple[Analyzer, ...]) -> Forms:
    """What one typed word stands for."""
    tokens = list(tokenize(text))
    if len(tokens) == 1 and tokens[0].kind is Kind.LAST:
        return Forms(prefix=fold(tokens[0].text))  # every pair that begins with it, and itself at the end of a run
    symbol = next((token for token in tokens if token.kind is Kind.SYMBOL), None)
    if symbol is not None and symbol.end - symbol.start == len(text.strip()):
        return Forms(((_slot(symbol, analyzers),),))
    spelled_out = phrase_forms(text, analyzers)
    whole = next((token for token in tokens if token.kind is Kind.JOINED), None)
    if whole is None or whole.end < tokens[-1].end:
        return spelled_out
    return Forms(((_slot(whole, analyzers),), *spelled_out.alternatives))


def phrase_forms(text: str, analyzers: tuple[Analyzer, ...]) -> Forms:
    """What a phrase stands for: its words, one after the other."""
    slots = []
    before = None
    for token in tokenize(text):
        if token.kind in (Kind.WORD, Kind.PAIR) or (token.kind is Kind.LAST and not _ends_pair(before, token)):
            slots.append(_slot(token, analyzers))
            before = token
    kept = tuple(slot for slot in slots if slot)
    return Forms((kept,) if kept else ())


def _ends_pair(before: Token | None, token: Token) -> bool:
    """Whether the last character of a run is part of the pair before it, which says all that it says."""
    return before is not None and before.kind is Kind.PAIR and before.end == token.end


def _slot(token: Token, analyzers: tuple[Analyzer, ...]) -> Slot:
    terms = (term for analyzer in analyzers for term in analyzer.forms(token.text, token.kind))
    return tuple(dict.fromkeys(term for term in terms if term))
