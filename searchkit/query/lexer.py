"""From what was typed to tokens: words, phrases, values of fields, operators and parentheses.

The rules here are about characters: which of them quote, which exclude, which belong to a word (C++, .NET,
O'Brien, 10.1016/j.chest) and which are only punctuation around it. What the tokens mean together is decided
in `reader.py`.

Each character is looked at a bounded number of times, so lexing takes time linear in the length of the text,
and no text is an error: what cannot be used is left out with a remark.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple
from unicodedata import normalize

from searchkit.patterns import late_pattern
from searchkit.query.receipt import TOO_MUCH, Remark

MAX_LENGTH = 8192
MAX_WORDS = 256
MAX_STEPS = 4096
"""Parentheses, and twice the words, quotation marks and other signs; only rubbish has more of them."""

MAX_SLOP = 100
MAX_EDITS = 2
WHOLE = -1
"""The number of a token whose value is a whole name: ``author:="Jane Smith"``."""

_MOST_FIELDS_MEANT = 8  # unknown fields whose nearest known one is looked for
_MOST_REMARKS = 100  # nobody reads more, and 8,000 quotation marks would make as many

LABEL_FIELDS = {
    "topic": "topic", "topics": "topic", "tag": "topic", "tags": "topic",
    "category": "topic", "categories": "topic", "section": "topic", "sections": "topic",
    "kind": "kind", "kinds": "kind", "type": "kind", "author": "author", "authors": "author", "by": "author",
    "language": "language", "lang": "language", "id": "id", "url": "url",
}  # fmt: skip
TEXT_FIELDS = {"title": "title", "doi": "text", "text": "text"}
DATE_FIELDS = {
    "date": "date", "published": "date", "year": "date",
    "since": "since", "until": "until", "before": "before", "after": "after",
}  # fmt: skip
FIELDS = LABEL_FIELDS | TEXT_FIELDS | DATE_FIELDS


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    PREFIX = "prefix"
    PATTERN = "pattern"
    FUZZY = "fuzzy"
    EXACT = "exact"
    PHRASE = "phrase"
    VALUE = "value"
    URL = "url"
    STAR = "star"
    OPEN = "open"
    CLOSE = "close"
    AND = "and"
    OR = "or"
    NOT = "not"
    DROPPED = "dropped"


class Token(NamedTuple):
    """A token and the characters ``start`` to ``end`` of the text it was read from.

    ``field`` is the field written directly before it, in its own name ("topic" for ``tag:``). ``number`` is how far
    apart the words of a phrase may stand, or how many letters a fuzzy word may be off.
    """

    kind: Kind
    text: str
    start: int
    end: int
    field: str | None = None
    number: int = 0


OPERATORS = {"AND": Kind.AND, "OR": Kind.OR, "NOT": Kind.NOT, "&": Kind.AND, "&&": Kind.AND}

_DOUBLE_QUOTES = '"“”„‟＂〝〞〟'
_CLOSING_QUOTES = dict.fromkeys(_DOUBLE_QUOTES, _DOUBLE_QUOTES) | {
    "«": "»", "»": "«", "‹": "›", "›": "‹", "「": "」", "」": "", "『": "』", "』": "", "｢": "｣", "｣": "",
}  # fmt: skip
_QUOTES = "".join(_CLOSING_QUOTES)
_CLOSERS = {marks: late_pattern(f"[{marks}]") for marks in _CLOSING_QUOTES.values() if marks}
_SINGLE_QUOTES = "'‘’‚‛＇"
_EQUALS = "=＝"
_DASHES = "-–—−－‐‑"
_OPENING_PARENTHESES = "(（"
_CLOSING_PARENTHESES = ")）"
_PARENTHESES = _OPENING_PARENTHESES + _CLOSING_PARENTHESES
_BARS = "|｜"
_BREAKS = f"{_OPENING_PARENTHESES}{_CLOSING_PARENTHESES}{_BARS}{_QUOTES}"
_STRIPPED_AT_END = ".,;:!?…‚·•、。，；：！？．" + _SINGLE_QUOTES + "`´<{[]}>^" + "\u200c\u200d"
_BOOST = late_pattern(r"(?:(?<=[^\W\d_]{3})|(?<=[*~\"]))\^\d{1,4}(?:\.\d{1,4})?$")
_NEAR = late_pattern(r"NEAR(?:/\d{1,3})?")
_NEAR_EACH_OTHER = (Kind.WORD, Kind.PHRASE, Kind.PREFIX, Kind.PATTERN, Kind.FUZZY, Kind.EXACT, Kind.CLOSE)
_WIDE_SIGNS = {ord(wide): ord(plain) for wide, plain in zip("＊＃＋．／＠＆％＿－＇＜＞", "*#+./@&%_-'<>", strict=True)}
_WIDE_QUESTION_MARK = late_pattern(r"(?<=[A-Za-zＡ-Ｚａ-ｚ])？(?=[A-Za-zＡ-Ｚａ-ｚ])")
_WIDE_FIELD = late_pattern(r"[Ａ-Ｚａ-ｚ]+[:：]|(?<!\S)(?:ＡＮＤ|ＯＲ|ＮＯＴ)(?!\S)")

_WITHIN_WORDS = "-‐‑–—/,;&+.:'’_@"
"""What may hold several words together, which are as much work as when they stand alone."""

_BRACKETS = {"]": "[", "}": "{", ">": "<"}

_SPACE = re.compile(r"\s*")
_UNREADABLE = late_pattern(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")
_INVISIBLE = late_pattern(r"[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_RAW_WORD = late_pattern(rf"[^\s{re.escape(_BREAKS)}、。，；：！？]+")
_RAW_VALUE = late_pattern(rf"[^\s{re.escape(_BREAKS)}]+")
_PUNCTUATION_MARKS = (
    rf"(?:[\[\]{{}}<>,;:!?…¡¿·•、。，；：！？．`´~～^\u200c\u200d{_SINGLE_QUOTES}]+"
    r"|\.{2,}|\.(?!\w)"  # but not the point of .NET
    rf"|\++(?=[^\W\d]|[{re.escape(_QUOTES + _OPENING_PARENTHESES)}]))+"  # +word once meant: required
)
_PUNCTUATION = late_pattern(_PUNCTUATION_MARKS)
_BEFORE_TITLE_WORD = late_pattern(rf"(?:{_PUNCTUATION_MARKS}|[{re.escape(_DASHES + _EQUALS)}])*+")
_DASH_RUN = late_pattern(rf"[{re.escape(_DASHES)}]+")
_BAR_RUN = late_pattern(rf"[{_BARS}]+")
_STARS = late_pattern(r"\*+")
_ADDRESS = rf"(?:[^\s(){_QUOTES}]|\([^\s(){_QUOTES}]*\))+"
_URL = late_pattern(rf"https?://{_ADDRESS}", re.IGNORECASE)
_ADDRESS_VALUE = late_pattern(_ADDRESS)
_DATE_VALUE = late_pattern(rf"[\[{{][^\[\]{{}}]{{1,80}}[\]}}]|[^\s{re.escape(_BREAKS)}]+")
_FIELD = late_pattern(r"([A-Za-z]+)[:：]")
_FIELD_LIKE = late_pattern(rf"[\w{re.escape(_QUOTES + _OPENING_PARENTHESES)}]")
_PLAIN_WORD = late_pattern(r"[\w.'’\-–‐‑+#]+")
_SLOP = late_pattern(r"[~～〜]([0-9]{1,9})?")
_ABBREVIATION = late_pattern(r"(?:[^\W\d_]{1,3}\.){2,}")
_EXACT_START = late_pattern(r"[.#@]?\w")
_EQUALS_RUN = late_pattern(f"[{_EQUALS}]+")
# A star or question mark before a letter, or after a small one: the star of HLA-A*02 is part of the name.
_WILDCARD = late_pattern(r"(?:^\*|[^\W\d_]['’\-–‐‑]?[*?]+)(?=[^\W\d_])|[^\W\d_A-Z][*?]+(?=\d)")
_PATTERN = late_pattern(r"[\w*?.'’\-–‐‑]+")
_STARS_BEFORE_LETTER = late_pattern(r"\*[^\W\d_]")
_FUZZY = late_pattern(r"[~～〜]([0-9])?$")
# An opening mark, words whose only marks are apostrophes between letters, and a mark that ends a word.
_SINGLE_QUOTED = late_pattern(
    rf"['‘‚‛＇](?=\w)((?:[^{_SINGLE_QUOTES}{re.escape(_QUOTES)}]|(?<=\w)['’](?=\w))++)(?<=\S)['’‘＇](?=[\s)）,;:.!?~～|]|$)"
)
_ELISION = late_pattern(r"\d|(?:tis|twas|twere|til|till|em|n|cause|cos|bout|round)\b", re.IGNORECASE)


@dataclass(slots=True)
class Lexed:
    """The tokens of ``text``, which is what was typed without the characters that cannot be read."""

    text: str = ""
    tokens: list[Token] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    positions: list[int] | None = None
    """Where each character of ``text`` was typed; None when all of them stand where they stood."""

    def remark(self, start: int, end: int, reason: str, instead: str | None = None) -> None:
        """Say what became of the characters from ``start`` to ``end`` of ``text``."""
        if len(self.remarks) >= _MOST_REMARKS and not reason.startswith(TOO_MUCH):
            return
        text = self.text[start:end]
        shown = text if len(text) <= 60 else text[:59] + "…"
        self.remarks.append(Remark(shown, self.positions[start] if self.positions else start, reason, instead))


def lex(typed: str) -> Lexed:
    """The tokens of what was typed; positions in remarks count characters of ``typed``."""
    lexed = Lexed()
    _make_readable(typed, lexed)
    _Lexer(lexed).run()
    return lexed


def has_word(text: str) -> bool:
    """Whether there is a letter or digit, without which an index has nothing to look up."""
    return text.isalnum() or any(character.isalnum() for character in text)


def _make_readable(typed: str, lexed: Lexed) -> None:
    """Leave out characters nobody can see, make control characters spaces, and cut what is too long."""
    text = typed
    if len(text) > MAX_LENGTH:
        cut = text.rfind(" ", MAX_LENGTH - 100, MAX_LENGTH)
        cut = MAX_LENGTH if cut < 0 else cut
        left_out = _INVISIBLE.sub("", _UNREADABLE.sub(" ", text[cut : cut + 59])) + "…"
        lexed.remarks.append(Remark(left_out, cut, f"{TOO_MUCH} {MAX_LENGTH:,} characters"))
        text = text[:cut]
    if not (text.isascii() and text.isprintable()):
        if unreadable := _UNREADABLE.search(text):
            lexed.remarks.append(_named(unreadable, "control characters are read as spaces"))
            text = _UNREADABLE.sub(" ", text)
        if invisible := _INVISIBLE.search(text):
            lexed.remarks.append(_named(invisible, "invisible characters are left out"))
            lexed.positions = [at for at, character in enumerate(text) if not _INVISIBLE.match(character)]
            text = _INVISIBLE.sub("", text)
    if not text.isascii():
        # Signs as wide as Chinese characters; a wide question mark ends a sentence unless Latin letters are around it.
        text = _WIDE_QUESTION_MARK.sub("?", text.translate(_WIDE_SIGNS))
        text = _WIDE_FIELD.sub(lambda name: normalize("NFKC", name[0]), text)
    lexed.text = text


def _named(character: re.Match[str], reason: str) -> Remark:
    # Named, not repeated: an escape character in a receipt would reach the reader's terminal.
    return Remark(f"U+{ord(character[0]):04X}", character.start(), reason)


class _Lexer:
    """Walks over the text of ``lexed`` once and adds tokens and remarks to it."""

    def __init__(self, lexed: Lexed) -> None:
        self.text = lexed.text
        self.tokens = lexed.tokens
        self.remark = lexed.remark
        self.at = 0
        self.words_left = MAX_WORDS
        self.fields_left = _MOST_FIELDS_MEANT
        # Kinds of quotes known to have no closing mark further on; looked for once, or lexing would be
        # quadratic.
        self.unclosed: set[str] = set()

    def run(self) -> None:
        text = self.text
        steps_left = MAX_STEPS
        while True:
            self.at = at = _run_end(_SPACE, text, self.at)
            if at >= len(text):
                return
            steps_left -= 1 if text[at] in _PARENTHESES else 2
            if steps_left < 0:
                self.remark(at, len(text), f"{TOO_MUCH} {MAX_STEPS // 2:,} words and signs")
                return
            if self.words_left <= 0:
                self.remark(at, len(text), f"{TOO_MUCH} {MAX_WORDS} words")
                return
            self._next(text[at])

    def _next(self, character: str) -> None:
        text, at = self.text, self.at
        if character in _OPENING_PARENTHESES:
            self._add(Kind.OPEN, character, at + 1)
        elif character in _CLOSING_PARENTHESES:
            self._add(Kind.CLOSE, character, at + 1)
        elif character in _BARS:
            end = _run_end(_BAR_RUN, text, at)
            self._add(Kind.OR, text[at:end], end)
        elif character in _DASHES:
            self._dash()
        elif character in _QUOTES:
            self._quoted(None)
        elif character == "*":
            self._star()
        elif character in _EQUALS:
            if not self._exact(None):
                self._equals()
        elif not (character in _SINGLE_QUOTES and self._single_quoted(None)) and not self._punctuation():
            self._word()

    def _add(self, kind: Kind, value: str, end: int, field: str | None = None, number: int = 0) -> None:
        self.tokens.append(Token(kind, value, self.at, end, field, number))
        self.at = end

    def _drop(self, end: int, reason: str) -> None:
        """Leave out something that stood where a word might have stood."""
        self.remark(self.at, end, reason)
        self._add(Kind.DROPPED, "", end)

    # ---- characters that are not words ---------------------------------------------------------------------

    def _is_break(self, at: int) -> bool:
        return at >= len(self.text) or self.text[at].isspace() or self.text[at] in _CLOSING_PARENTHESES + _BARS

    def _starts_token(self) -> bool:
        """Whether nothing that belongs to a word or closes something stands directly before."""
        before = self.text[self.at - 1] if self.at else " "
        return not (before.isalnum() or before in _CLOSING_PARENTHESES or before in _QUOTES)

    def _dash(self) -> None:
        end = _run_end(_DASH_RUN, self.text, self.at)
        if not self._starts_token():
            if not self._is_break(end):
                self.remark(self.at, end, "read as a hyphen; to exclude the word put a space before the dash")
            self.at = end
        elif self._is_break(end):
            self._drop(end, "a dash excludes only when a word follows directly, as in -word")
        else:
            self._add(Kind.NOT, self.text[self.at : end], end)

    def _star(self) -> None:
        end = _run_end(_STARS, self.text, self.at)
        if self._is_break(end):
            self._add(Kind.STAR, "*", end)
        elif self._starts_token() and _STARS_BEFORE_LETTER.match(self.text, self.at):
            self._word()
        else:
            self.remark(self.at, end, "a star stands for any ending, so it is read only after a word, as in trans*")
            self.at = end

    def _punctuation(self) -> bool:
        """Skip punctuation before a word; standing alone it is left out with a remark."""
        matched = _PUNCTUATION.match(self.text, self.at)
        if matched is None:
            return False
        if not self._is_break(matched.end()):
            if matched[0] == "!":
                self.remark(
                    self.at,
                    matched.end(),
                    "an exclamation mark is punctuation; to exclude a word write -word",
                )
            self.at = matched.end()
        elif self._starts_token():
            self._drop(matched.end(), "punctuation is not searched for")
        else:
            self.at = matched.end()
        return True

    # ---- quotes --------------------------------------------------------------------------------------------

    def _exact(self, field: str | None) -> bool:
        """``=word`` and ``="as written"``; without a word directly behind the sign it is punctuation."""
        start = self.at
        self.at = at = _run_end(_EQUALS_RUN, self.text, start)
        if at < len(self.text) and self._starts_exact(start):
            if self.text[at] in _QUOTES and self._quoted(field, Kind.EXACT):
                return True
            if self.text[at] in _SINGLE_QUOTES and self._single_quoted(field, Kind.EXACT):
                return True
            # Looked at before the word is: a run of signs would be read again for each of them.
            raw = _RAW_WORD.match(self.text, at) if _EXACT_START.match(self.text, at) else None
            if raw:
                self._finish_word(raw[0], at, raw.end(), field, is_exact=True)
                return True
        self.at = start
        return False

    def _equals(self) -> None:
        """Skip an equals sign that asks for no word."""
        end = _run_end(_EQUALS_RUN, self.text, self.at)
        if self._is_break(end):
            self._drop(end, "an equals sign asks for a word as written when the word follows directly, as in =running")
        else:
            self.remark(self.at, end, "an equals sign that stands before no word is left out")
            self.at = end

    def _quoted(self, field: str | None, kind: Kind = Kind.PHRASE) -> bool:
        """A phrase or the value of a field in quotation marks of any typography; a lone one is skipped."""
        text, start = self.text, self.at
        closing = _CLOSING_QUOTES[text[start]]
        is_stray = text[start - 1 : start].isalnum() and (start + 1 >= len(text) or text[start + 1].isspace())
        if field in LABEL_FIELDS.values() and text[start] == '"' and (end := self._doubled_end(start)) >= 0:
            content = text[start + 1 : end].replace('""', '"')
        elif (field is None and is_stray) or (end := self._closing(start + 1, closing)) < 0:
            self.remark(start, start + 1, "a quotation mark without its partner is left out")
            self.at += 1
            return False
        else:
            content = text[start + 1 : end]
        self._phrase(content, end + 1, field, kind)
        return True

    def _closing(self, start: int, closing: str) -> int:
        if closing in self.unclosed or not closing:
            return -1
        matched = _CLOSERS[closing].search(self.text, start)
        if matched is None:
            self.unclosed.add(closing)
            return -1
        return matched.start()

    def _doubled_end(self, start: int) -> int:
        """The closing straight quote of a value, in which two in a row stand for one; -1 for none."""
        if "doubled" in self.unclosed:
            return -1
        at = self.text.find('"', start + 1)
        while at >= 0 and self.text.startswith('"', at + 1):
            at = self.text.find('"', at + 2)
        if at < 0:
            self.unclosed.add("doubled")
        return at

    def _single_quoted(self, field: str | None, kind: Kind = Kind.PHRASE) -> bool:
        """A phrase in single marks, where they cannot be apostrophes ('tis, the '90s, dogs')."""
        matched = _SINGLE_QUOTED.match(self.text, self.at)
        if matched is None or _ELISION.match(matched[1]) or not has_word(matched[1]):
            return False
        self._phrase(matched[1], matched.end(), field, kind)
        return True

    def _phrase(self, content: str, end: int, field: str | None, kind: Kind) -> None:
        start = self.at
        slop = 0
        tilde = _SLOP.match(self.text, end)
        if tilde:
            end = tilde.end()
            if tilde[1] is None:
                self.remark(end - 1, end, 'a tilde after a phrase needs a number, as in "near words"~5')
            else:
                slop = min(int(tilde[1]), MAX_SLOP)
                if slop < int(tilde[1]):
                    self.remark(tilde.start(), end, f"read as ~{MAX_SLOP}, the furthest that words may be apart")
        if field is not None and field != "title":
            self._budget(1)
            self._add(Kind.PHRASE, content, end, field)
            return
        words = "".join(" " if character in _DOUBLE_QUOTES else character for character in content).split()
        if "*" in content and re.search(r"\w\*", content):
            self.remark(start, end, "a star within quotation marks is not read as any ending")
        counts = list(accumulate(map(_count_words, words)))
        if counts and counts[-1] > self.words_left:
            self.remark(start, end, f"cut: a query has at most {MAX_WORDS} words")
            words = words[: bisect_right(counts, self.words_left)]
        phrase = " ".join(words)
        if not has_word(phrase):
            self._drop(end, "there is no word between these quotation marks")
            return
        self._budget(counts[len(words) - 1] + 1)  # to see whether they stand in a row is more work than the words alone
        self._add(kind, phrase, end, field, slop)

    # ---- words and fields ----------------------------------------------------------------------------------

    def _budget(self, words: int) -> None:
        self.words_left -= words

    def _word(self) -> None:
        text, at = self.text, self.at
        address = _URL.match(text, at) if text.startswith(("http", "HTTP", "Http"), at) else None
        if address:
            self._budget(2)
            url = address[0][: _end_of_word(address[0])]
            self._add(Kind.URL, url, address.end())
            return
        named = _FIELD.match(text, at)
        if named:
            field = FIELDS.get(named[1].lower())
            if field == "text":
                self._any_text(named)
                return
            if field:
                self._field(field, named)
                return
            if len(named[1]) > 1 and _FIELD_LIKE.match(text, named.end()):
                self._unknown_field(named)
                return
        raw = _RAW_WORD.match(text, at)
        assert raw is not None  # every character a word cannot begin with was dealt with before
        self._finish_word(raw[0], at, raw.end(), None)

    def _any_text(self, named: re.Match[str]) -> None:
        """``doi:`` is looked for in the text, so what follows is read as if it stood alone."""
        end = _run_end(_SPACE, self.text, named.end())
        if self._is_break(end):
            self._drop(named.end(), f"{named[0]} needs a value directly after it, as in doi:10.5555/12345678")
        else:
            self.at = end

    def _unknown_field(self, named: re.Match[str]) -> None:
        nearest = _nearest_field(named[1].lower()) if self.fields_left else ""
        self.fields_left -= bool(self.fields_left)
        if nearest:
            reason = f"{named[1]} is no field, {nearest} is; read as words"
        else:
            reason = f"{named[1]} is no field; read as words. Fields are title, topic, author, kind, date …"
        self.remark(self.at, named.end(), reason, f"{nearest}:" if nearest else None)
        kind = OPERATORS.get(named[1], Kind.WORD)
        self._budget(1)
        self._add(kind, named[1], named.end(1))
        self.at = named.end()

    def _finish_word(self, raw: str, start: int, end: int, field: str | None, *, is_exact: bool = False) -> None:
        """One word of the text or of a text field, without the punctuation around it."""
        if field is None and raw in OPERATORS and not is_exact:
            self._add(OPERATORS[raw], raw, end)
            return
        if field is None and not is_exact and raw.startswith("NEAR") and _NEAR.fullmatch(raw):
            self._near(raw, start, end)
            return
        word, is_prefix, edits = raw[: _end_of_word(raw)], False, -1
        while word.endswith("*") or (mark := _fuzzy_end(word) or _boost(word)):
            if word.endswith("*"):
                word, is_prefix = word.rstrip("*"), True
            elif mark and mark[0].startswith("^"):
                self.remark(start, end, "how much a word weighs is not read; the ^ and what follows are left out")
                word = word[: mark.start()]
            elif mark:
                word, edits = word[: mark.start()], self._edits(mark, word, end) if edits < 0 else edits
            word = word[: _end_of_word(word)]
        is_pattern = ("*" in word or "?" in word) and bool(_WILDCARD.search(word) and _PATTERN.fullmatch(word))
        if not has_word(word):
            self._drop(end, "nothing in this can be searched for: it has no letter or digit")
            return
        if field is None and not is_prefix and word in OPERATORS and edits <= 0 and not is_exact:
            self._add(OPERATORS[word], word, end)
            return
        words = _count_words(word)
        if words > MAX_WORDS:
            self._drop(end, f"{TOO_MUCH} {MAX_WORDS} words")
            return
        self._budget(words)
        if (is_pattern or is_prefix) and not (is_exact and not _PATTERN.fullmatch(word)):
            if edits > 0:
                self.remark(start, end, "approximate spelling (~) is for whole words; the tilde is left out")
            if is_exact:
                self.remark(start, end, "a word with a star is looked for as written; the equals sign is left out")
            pattern = _STARS.sub("*", word + "*" * is_prefix)
            self._add(*(Kind.PATTERN, pattern) if is_pattern else (Kind.PREFIX, word), end, field)
        elif is_exact:
            if edits > 0:
                self.remark(start, end, "= asks for the word as written, so the tilde is left out")
            self._add(Kind.EXACT, word, end, field)
        elif edits > 0:
            self._add(Kind.FUZZY, word, end, field, edits)
        else:
            self._add(Kind.WORD, word.lower() if field is None and _NEAR.fullmatch(word) else word, end, field)

    def _near(self, raw: str, start: int, end: int) -> None:
        """The operator of other search engines, if it stands between two things to be near each other."""
        is_between = bool(self.tokens) and self.tokens[-1].kind in _NEAR_EACH_OTHER
        if is_between and not self._is_break(_run_end(_SPACE, self.text, end)):
            self.remark(start, end, 'words near each other are written "so near"~5; read as both words')
            self.at = end
        else:
            self._budget(1)
            self._add(Kind.WORD, raw.lower(), end)  # or its canonical text might be read as the operator

    def _edits(self, tilde: re.Match[str], word: str, end: int) -> int:
        """How many letters a word with this tilde behind it may be off; 0, with a remark, where none make sense."""
        length = _end_of_word(word[: tilde.start()])
        if length < 3 or tilde[1] == "0" or not _PLAIN_WORD.fullmatch(word, 0, length):
            reason = (
                "a word of fewer than three letters has no approximate spelling" if length < 3
                else "~0 is the word itself" if tilde[1] == "0"
                else "approximate spelling (~) is for single words"
            )  # fmt: skip
            self.remark(self.at, end, f"{reason}; read as written")
            return 0
        if tilde[1] and int(tilde[1]) > MAX_EDITS:
            self.remark(self.at, end, f"read as ~{MAX_EDITS}, the furthest that a word may be off")
            return MAX_EDITS
        return int(tilde[1]) if tilde[1] else 1 if length < 6 else MAX_EDITS

    def _starts_exact(self, start: int) -> bool:
        """Whether the equals sign at ``start`` stands before a word and not between two."""
        return start == 0 or not self.text[start - 1].isalnum()

    def _field(self, field: str, named: re.Match[str]) -> None:
        """The value after ``field:``, also after a space, as in ``author: Smith``."""
        text, start = self.text, self.at
        at = _run_end(_SPACE, text, named.end())
        is_spaced = at > named.end()
        dash = _DASH_RUN.match(text, at)
        if dash and not is_spaced and not self._is_break(dash.end()) and field not in ("id", "url"):
            # topic:-News can only mean what -topic:News says.
            self._add(Kind.NOT, dash[0], dash.end())
            at = dash.end()
        self.at = at
        if not self._is_break(at) and not (is_spaced and self._is_operator(at)):
            if text[at] in _OPENING_PARENTHESES:
                self._add(Kind.OPEN, text[at], at + 1, field)
                return
            if text[at] in _EQUALS and field == "title" and self._exact(field):
                return
            if field == "author" and text[at] in _EQUALS and not self._is_break(at + 1):
                self.at += 1
                if (text[at + 1] in _QUOTES and self._quoted(field)) or self._bare_value(field):
                    self.tokens[-1] = self.tokens[-1]._replace(number=WHOLE)
                    return
                self.at = at
            if text[at] in _QUOTES and self._quoted(field):
                return
            if text[at] in _SINGLE_QUOTES and self._single_quoted(field):
                return
            if self._bare_value(field):
                return
        end, self.at = self.at, start
        self._drop(end, f"{named[0]} needs a value directly after it, as in {_EXAMPLES[field]}")

    def _is_operator(self, at: int) -> bool:
        """Whether what follows ``field: `` is something of its own and not the field's value."""
        raw = _RAW_WORD.match(self.text, at)
        named = _FIELD.match(self.text, at)
        return (
            self.text[at] in _DASHES + _OPENING_PARENTHESES
            or (raw is not None and raw[0] in OPERATORS)
            or (named is not None and named[1].lower() in FIELDS)
        )

    def _bare_value(self, field: str) -> bool:
        text = self.text
        if field == "title":
            raw = _RAW_WORD.match(text, _run_end(_BEFORE_TITLE_WORD, text, self.at))
            if raw is None:
                return False
            self.at = raw.start()
            self._finish_word(raw[0], raw.start(), raw.end(), field)
            return True
        pattern = _ADDRESS_VALUE if field in ("id", "url") else _DATE_VALUE if field in DATE_FIELDS else _RAW_VALUE
        raw = pattern.match(text, self.at)
        if raw is None:
            return False
        value = raw[0]
        if field in DATE_FIELDS:
            value = value if value.endswith("..") else value.rstrip(".,;:!?")
        else:
            value = value[: _end_of_word(value)]
            if field not in ("id", "url") and value.endswith("*"):
                self.remark(self.at, raw.end(), f"a {field} is compared as a whole; a star is read only after words")
                value = value.rstrip("*")
        if not value:
            return False
        self._budget(1)
        self._add(Kind.VALUE, value, raw.end(), field)
        return True


_EXAMPLES = {
    "title": "title:heparin", "topic": "topic:News", "kind": "kind:podcast",
    "author": "author:Smith", "language": "language:en", "id": "id:a1", "url": "url:https://example.org/a1",
    "date": "date:2016", "since": "since:2016", "until": "until:2018",
    "before": "before:2016", "after": "after:2018",
}  # fmt: skip


def _run_end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where the characters that ``pattern`` takes from ``at`` on end."""
    matched = pattern.match(text, at)
    return matched.end() if matched else at


@lru_cache(maxsize=256)
def _nearest_field(name: str) -> str:
    """The field that an unknown one is a misspelling of, or ""."""
    from difflib import get_close_matches  # only queries with an unknown field need it

    nearest = get_close_matches(name, FIELDS, n=1, cutoff=0.7) if len(name) <= 20 else []
    return nearest[0] if nearest else ""


def _fuzzy_end(word: str) -> re.Match[str] | None:
    """The tilde, with its number, that the word ends with; a search for it would read all of the word."""
    return _FUZZY.match(word, max(len(word) - 2, 0)) or _FUZZY.match(word, max(len(word) - 1, 0))


def _count_words(word: str) -> int:
    """How many words it is at most, as work for an index."""
    return 1 if word.isalnum() else 1 + sum(map(word.count, _WITHIN_WORDS))


def _boost(word: str) -> re.Match[str] | None:
    """The circumflex and number at the end, with which other search engines weigh a word."""
    return _BOOST.search(word, max(word.rfind("^"), 0)) if "^" in word else None


def _end_of_word(word: str) -> int:
    """Where punctuation after the word begins; the last point of U.S. and the ] of x[1] belong to it."""
    end = len(word)
    while end and word[end - 1] in _STRIPPED_AT_END:
        last = word[end - 1]
        if last == "." and end <= 16 and _ABBREVIATION.fullmatch(word, 0, end):
            break
        if last in _BRACKETS and word.find(_BRACKETS[last], 0, end) >= 0:
            break
        end -= 1
    return end
