"""The Whoosh schema of an archive, and the field types it is made of.

    field         terms                                              positions  scored
    text          stems of title (weighted), summary and body        yes        yes
    text_exact    their words unstemmed: folded, and as they are      no         no
                  written where that has accents
    title         stems of the title                                 yes        yes
    title_exact   its words unstemmed                                no         no
    topic, kind, author, language, url    whole values, folded       no         no
    id            the article id, unique                             no         no
    published     the instant, UTC; a column, so that ranges and sorting are array work
    article       the whole article, stored

Title, summary and body of the combined field stand in one position space, far enough apart that no phrase reaches
from one into the next.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from whoosh import columns, fields, formats
from whoosh.analysis import Analyzer as WhooshAnalyzer
from whoosh.analysis import Token as WhooshToken

from searchkit.analysis import Kind, Token, accented, analyzer_for, fold, fold_label, tokenize
from searchkit.article import Article
from searchkit.dates import UNDATED, ArchiveCalendar, utc_datetime
from searchkit.settings import Settings

INDEX_NAME = "MAIN"
"""What Whoosh calls the index in its file names."""

PART_GAP = 1000
"""Positions between title, summary and body: more than any phrase or nearness query spans."""

LABEL_FIELDS = ("topic", "kind", "author", "language", "url")


class TextPart(NamedTuple):
    """A stretch of text to index: how much its words weigh."""

    text: str
    weight: float = 1.0


class AnalysedText(NamedTuple):
    """What a text field indexes: parts in one position space, and the language they are in."""

    parts: tuple[TextPart, ...]
    language: str


class ArchiveAnalyzer(WhooshAnalyzer):  # type: ignore[misc]  # whoosh is untyped
    """searchkit's analysis as a Whoosh analyzer, for Whoosh's own query parser and highlighter."""

    def __init__(self, language: str, exact: bool = False) -> None:
        self.language = language
        self.exact = exact

    def __call__(
        self,
        value: str,
        positions: bool = False,
        chars: bool = False,
        keeporiginal: bool = False,
        removestops: bool = True,
        start_pos: int = 0,
        start_char: int = 0,
        mode: str = "",
        **kwargs: Any,
    ) -> Iterator[WhooshToken]:
        """Yield one Whoosh token, over and over, for every term of ``value``."""
        forms = (_folded_form,) if self.exact else (analyzer_for(self.language).forms,)
        whoosh_token = WhooshToken(positions, chars, removestops=removestops, mode=mode, **kwargs)
        tokens = tokenize(value, start_pos)
        for token in _fullest_spellings(tokens) if mode == "query" else tokens:
            for form in forms[0](token.text, token.kind):
                whoosh_token.text = form
                whoosh_token.boost = 1.0
                whoosh_token.stopped = False
                if keeporiginal:
                    whoosh_token.original = value[token.start : token.end]
                if positions:
                    whoosh_token.pos = token.position
                if chars:
                    whoosh_token.startchar = start_char + token.start
                    whoosh_token.endchar = start_char + token.end
                yield whoosh_token


class LabelAnalyzer(WhooshAnalyzer):  # type: ignore[misc]
    """A label as a Whoosh analyzer: one token, folded."""

    def __call__(
        self, value: str, positions: bool = False, chars: bool = False, start_char: int = 0, **kwargs: Any
    ) -> Iterator[WhooshToken]:
        """Yield the one token of a label."""
        token = WhooshToken(positions, chars, text=fold_label(value), boost=1.0, stopped=False, original=value)
        token.pos = 0
        token.startchar, token.endchar = start_char, start_char + len(value)
        yield token


class TextField(fields.FieldType):  # type: ignore[misc]
    """A text field: indexes `AnalysedText` by the article's language, or plain text by the archive's."""

    def __init__(self, language: str, *, exact: bool = False) -> None:
        super().__init__(
            format=formats.Existence() if exact else formats.Positions(),
            analyzer=ArchiveAnalyzer(language, exact),
            scorable=not exact,
            multitoken_query="and" if exact else "phrase",
        )

    def index(self, value: Any, **_: Any) -> Iterator[tuple[bytes, int, float, bytes]]:
        """Yield (term, frequency, weight, encoded positions) for each different term of ``value``."""
        if isinstance(value, str):
            value = AnalysedText((TextPart(value),), self.analyzer.language)
        if not self.scorable:
            return self._index_words(value)
        return self._index_terms(value)

    def _index_terms(self, value: AnalysedText) -> Iterator[tuple[bytes, int, float, bytes]]:
        forms = analyzer_for(value.language).forms
        positions: dict[str, list[int]] = {}
        weights: dict[str, float] = {}
        start = 0
        for text, weight in value.parts:
            position = start
            for word, position, _, _, kind in tokenize(text, start):
                for form in forms(word, kind):
                    positions.setdefault(form, []).append(position)
                    weights[form] = weights.get(form, 0.0) + weight
            start = position + PART_GAP
        for term, found in positions.items():
            yield term.encode(), len(found), weights[term], self.format.encode(found)

    def _index_words(self, value: AnalysedText) -> Iterator[tuple[bytes, int, float, bytes]]:
        tokens = [token for part in value.parts for token in tokenize(part.text)]
        words = {fold(token.text) for token in tokens}
        words |= {accented(token.text) for token in tokens if token.kind in (Kind.WORD, Kind.JOINED)}
        words.discard("")
        return ((word.encode(), 1, 1.0, b"") for word in words)


class LabelField(fields.FieldType):  # type: ignore[misc]
    """Whole values such as topics, found folded."""

    def __init__(self) -> None:
        super().__init__(format=formats.Existence(), analyzer=LabelAnalyzer())

    def index(self, value: Any, **_: Any) -> Iterator[tuple[bytes, int, float, bytes]]:
        """Yield one posting for each different label in ``value``, a list of texts or one text."""
        labels = (value,) if isinstance(value, str) else value
        for term in dict.fromkeys(map(fold_label, labels)):
            if term:
                yield term.encode(), 1, 1.0, b""


def archive_schema(settings: Settings) -> fields.Schema:
    """The schema of an archive made with ``settings``."""
    return fields.Schema(
        id=fields.ID(unique=True),
        text=TextField(settings.language),
        text_exact=TextField(settings.language, exact=True),
        title=TextField(settings.language),
        title_exact=TextField(settings.language, exact=True),
        published=_published_field(),
        article=fields.STORED,
        **{name: LabelField() for name in LABEL_FIELDS},
    )


def _published_field() -> fields.DATETIME:
    field = fields.DATETIME()
    field.shift_step = 0  # ranges are runs of the column; terms of eight precisions would only take room
    field.column_type = columns.NumericColumn("q", default=UNDATED)
    return field


def index_fields(article: Article, settings: Settings, calendar: ArchiveCalendar) -> dict[str, Any]:
    """The Whoosh fields of an article, for ``add_document``."""
    language = article.language or settings.language
    title = TextPart(article.title, settings.title_weight)
    rest = tuple(TextPart(text) for text in (article.summary, article.body))
    whole = AnalysedText((title, *rest), language)
    title_alone = AnalysedText((TextPart(article.title),), language)
    values: dict[str, Any] = {
        "id": article.id,
        "text": whole,
        "text_exact": whole,
        "title": title_alone,
        "title_exact": title_alone,
        "article": article.to_dict(),
        "language": language_labels(language),
    }
    labels = (
        ("topic", article.topics),
        ("kind", article.kind),
        ("author", article.authors),
        ("url", article.url),
    )
    values.update((name, value) for name, value in labels if value)
    if article.published is not None:
        values["published"] = utc_datetime(calendar.instant(article.published))
    return values


def language_labels(code: str) -> list[str]:
    """A code like pt-BR is found as pt-br and as pt."""
    whole = code.replace("_", "-").lower()
    return list(dict.fromkeys((whole.split("-")[0], whole)))


def _fullest_spellings(tokens: Iterable[Token]) -> Iterator[Token]:
    """Of several spellings of one word the one that says most, once: what a query parser without alternatives needs."""
    found = list(tokens)
    full = {(token.start, token.end) for token in found if token.kind in (Kind.JOINED, Kind.SYMBOL)}
    before = None
    for token in found:
        is_part = token.kind is Kind.WORD and any(start <= token.start and token.end <= end for start, end in full)
        is_said = before is not None and before.start <= token.start and token.end <= before.end
        if not is_part and not is_said:
            yield token
            before = token


def _folded_form(word: str, _kind: Kind) -> Iterable[str]:
    folded = fold(word)
    return (folded,) if folded else ()
