"""Records as lines of text: a page of results, an article, topics, a timeline, the numbers of an archive.

Pure functions of a record and a `Look`; nothing here writes. A line is never wider than the look, except
where a single thing that is meant to be copied (a cursor) is.
"""

import shlex
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from searchkit.article import Article
from searchkit.cli.layout import (
    Line,
    Span,
    cell_width,
    clean,
    flow,
    marked,
    spell_marks,
    web_address,
    wrap,
)
from searchkit.cli.output import Look
from searchkit.page.model import (
    ArchiveStats,
    Bucket,
    Completion,
    FacetValue,
    Hit,
    Page,
    PlanStep,
    Suggestion,
    Verification,
)
from searchkit.patterns import late_pattern
from searchkit.query.receipt import Receipt

BLANK: Line = ()

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LABEL_WIDTH = 10
_LONGEST_TEXT_LINE = 88
"""Longer lines are hard to read, however wide the terminal is."""

_PASSAGES = 2
_VALUES_SHOWN = 8

_LEVELS = "▁▂▃▄▅▆▇█"
_ASCII_LEVELS = ".:-=+*#@"
_EIGHTHS = " ▏▎▍▌▋▊▉"

_LIST_ITEM = late_pattern(r"(?:[-*•]|\d{1,3}[.)]) +")


# Dates and numbers


def show_date(moment: date | None) -> str:
    """The day as ``23 Aug 2017``; an article without a date is ``undated``."""
    return "undated" if moment is None else f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def show_moment(moment: date | None) -> str:
    """The day, and the time of day where one is known."""
    time = f", {moment:%H:%M}" if isinstance(moment, datetime) else ""
    return show_date(moment) + time


def show_count(number: int, thing: str) -> str:
    """``1 article``, ``1,234 articles``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def bucket_label(bucket: Bucket) -> str:
    """The span of a bucket in its shortest form: ``2017``, ``Aug 2017``, ``23 Aug 2017``, or ``undated``."""
    start, end = bucket.start, bucket.end
    if start is None or end is None:
        return "undated"
    if (start.month, start.day, end.month, end.day) == (1, 1, 12, 31):
        return str(start.year) if start.year == end.year else f"{start.year}-{end.year}"
    if start.day == 1 and (end + timedelta(days=1)).day == 1 and (start.year, start.month) == (end.year, end.month):
        return f"{_MONTHS[start.month - 1]} {start.year}"
    return show_date(start) if start == end else f"{show_date(start)} - {show_date(end)}"


# A page of results


def page_lines(page: Page, look: Look) -> list[Line]:
    """The results as a command prints them: total, what was understood, hits, topics, kinds, timeline."""
    if page.total == 0:
        return nothing_found_lines(page, look)
    return [
        *total_lines(page, look),
        BLANK,
        *hit_lines(page.hits, look, first_number=page.offset + 1),
        *facet_lines(page, look),
        *timeline_summary(page.timeline, look),
        *suggestion_lines(page, look),
    ]


def total_lines(page: Page, look: Look) -> list[Line]:
    """How many articles match, and what the query was read as."""
    time = Span(f" in {page.took_ms:.0f} ms", "quiet")
    total = wrap([Span(show_count(page.total, "article"), "total"), time], look.width)
    return total + left_out_lines(page, look) + receipt_lines(page.receipt, look)


def left_out_lines(page: Page, look: Look) -> list[Line]:
    """How many matching articles the order fresh does not list."""
    if not page.left_out:
        return []
    text = f"{show_count(page.left_out, 'less relevant article')} left out; the order best lists all."
    return wrap([Span(text, "quiet")], look.width)


def receipt_lines(receipt: Receipt, look: Look, *, always: bool = False) -> list[Line]:
    """What the query was read as, if that says more than the query or ``always``, and what was ignored."""
    lines: list[Line] = []
    if receipt.sentence and (always or not _is_plain(receipt)):
        sentence = receipt.sentence[0].lower() + receipt.sentence[1:].rstrip(".")
        lines += wrap([Span(clean(sentence))], look.width, indent=2, first=[Span("Read as: ", "quiet")])
    telling = [meaning.sentence for meaning in receipt.meanings if meaning.is_telling]
    if telling:
        lines += wrap([Span(clean("; ".join(telling)))], look.width, indent=2, first=[Span("Found as: ", "quiet")])
    for note in receipt.notes:
        texts = ", ".join(repr(clean(text)) for text in note.texts)
        said = f"{texts}: {clean(note.reason)}" if texts else clean(note.reason)
        lines += wrap([Span(said)], look.width, indent=2, first=[Span("Note: ", "remark")])
    return lines


def _is_plain(receipt: Receipt) -> bool:
    """Nothing but words that must occur, as typed."""
    return receipt.text.split() == list(receipt.required) and not (
        receipt.optional or receipt.excluded or receipt.filters or receipt.since or receipt.until
    )


def hit_lines(hits: Sequence[Hit], look: Look, *, first_number: int = 1, passages: int = _PASSAGES) -> list[Line]:
    """Each hit with its number, title, date, kind, id, topics and passages, a blank line after each."""
    margin = len(str(first_number + len(hits) - 1)) + 2
    lines: list[Line] = []
    for number, hit in enumerate(hits, start=first_number):
        lines += _hit(hit, look, f"{number:>{margin - 2}}", margin, passages)
        lines.append(BLANK)
    return lines


def _hit(hit: Hit, look: Look, label: str, margin: int, passages: int) -> list[Line]:
    title = marked(hit.title or hit.id, hit.title_marks if hit.title else (), "title", web_address(hit.url))
    lines = wrap(_shown(title, look), look.width, indent=margin, first=[Span(label, "number")])
    facts = [[Span(clean(fact), "meta")] for fact in (show_date(hit.published), hit.kind) if fact]
    facts.append([Span(clean(hit.id), "quiet")])
    lines += flow(facts, look.width, between=Span(look.separator, "quiet"), indent=margin)
    if hit.topics:
        lines += wrap([Span(clean("; ".join(hit.topics)), "topic")], look.width, indent=margin)
    for snippet in hit.snippets[:passages]:
        passage = marked(snippet.text, snippet.marks)
        before = [Span(f"{look.ellipsis} ", "quiet")] if snippet.start else []
        after = [] if _ends_sentence(snippet.text) else [Span(f"{look.space}{look.ellipsis}", "quiet")]
        lines += wrap(
            _shown([*before, *_stripped(passage), *after], look),
            min(look.width, _LONGEST_TEXT_LINE + margin),
            indent=margin,
        )
    more = hit.more_passages + len(hit.snippets[passages:])
    if more:
        lines += wrap([Span(f"and {show_count(more, 'more passage')}", "quiet")], look.width, indent=margin)
    return lines


def _ends_sentence(text: str) -> bool:
    return text.rstrip("\"”')» \n").endswith((".", "!", "?", "。", "…"))


def _shown(spans: list[Span], look: Look) -> list[Span]:
    return spans if look.styled else spell_marks(spans)


def _stripped(spans: list[Span]) -> list[Span]:
    if spans:
        spans[0] = spans[0]._replace(text=spans[0].text.lstrip())
        spans[-1] = spans[-1]._replace(text=spans[-1].text.rstrip())
    return spans


def related_lines(hits: Sequence[Hit], look: Look) -> list[Line]:
    """Related articles, one passage each."""
    if not hits:
        return [(Span("No related articles."),)]
    return hit_lines(hits, look, passages=1)[:-1]


def nothing_found_lines(page: Page, look: Look, *, numbered: bool = False) -> list[Line]:
    """That nothing matches, what was looked for, and what would find something."""
    nothing = "No article is relevant enough." if page.left_out else "No articles match."
    lines = [(Span(nothing, "total"),), *left_out_lines(page, look), *receipt_lines(page.receipt, look, always=True)]
    if not page.suggestions and not page.left_out:
        return [*lines, BLANK, (Span("To look around: topics, latest"),)]
    return lines + suggestion_lines(page, look, numbered=numbered)


def suggestion_lines(page: Page, look: Look, *, numbered: bool = False) -> list[Line]:
    """Queries that find more, where there are any, each with what is different about it and its count."""
    if not page.suggestions:
        return []
    lines: list[Line] = [BLANK, (Span("More is found by:" if page.total else "Try instead:", "heading"),)]
    for number, suggestion in enumerate(page.suggestions, start=1):
        lines += _suggestion(suggestion, look, f"try {number}" if numbered else "")
    return lines


def _suggestion(suggestion: Suggestion, look: Look, label: str) -> list[Line]:
    start = Span(f"  {label}  " if label else "  ", "number")
    found = [] if suggestion.count is None else [show_count(suggestion.count, "article")]
    facts = [fact for fact in (clean(suggestion.reason), *found) if fact]
    items = [[Span(clean(suggestion.query), "command")], *([Span(fact, "quiet")] for fact in facts)]
    return flow(items, look.width, between=Span(look.separator, "quiet"), indent=4, first=[start])


def completion_lines(completions: Sequence[Completion], look: Look) -> list[Line]:
    """Completions of what was typed, one a line: what they are if not words, and the articles they find."""
    if not completions:
        return [(Span("No suggestions."),)]
    lines: list[Line] = []
    for completion in completions:
        found = show_count(completion.count, "article")
        facts = [found] if completion.kind == "words" else [completion.kind, found]
        items = [[Span(clean(completion.text), "command")], *([Span(fact, "quiet")] for fact in facts)]
        lines += flow(items, look.width, between=Span(look.separator, "quiet"))
    return lines


def plan_lines(plan: Sequence[PlanStep], look: Look) -> list[Line]:
    """The steps of a search, one a line: how many articles, values or buckets came of it, in how many milliseconds."""
    if not plan:
        return []
    digits = max(len(f"{step.count:,}") for step in plan)
    lines: list[Line] = [(Span("Plan", "heading"), Span(f"{'count':>{max(digits + 2, 7)}}{'ms':>10}", "quiet"))]
    margin = max(digits + 6, 11) + 10
    for step in plan:
        numbers = [Span(f"{step.count:>{margin - 10},}", "count"), Span(f"{step.took_ms:>10.3f}", "quiet"), Span("  ")]
        indent = margin + 2 + 2 * step.depth
        lines += wrap([Span(clean(step.what))], look.width, indent=indent, first=numbers)
    return lines


# Facets and topics


def facet_lines(page: Page, look: Look, *, numbered_topics: bool = False, most: int = _VALUES_SHOWN) -> list[Line]:
    """The ``most`` commonest topics of all matching articles and, if there are several, their kinds."""
    lines = _values("Topics", page.facets.get("topics", ()), look, is_numbered=numbered_topics, most=most)
    kinds = page.facets.get("kind", ())
    return lines + (_values("Kinds", kinds, look) if len(kinds) > 1 else [])


def _values(
    heading: str,
    values: Sequence[FacetValue],
    look: Look,
    *,
    is_numbered: bool = False,
    most: int = _VALUES_SHOWN,
) -> list[Line]:
    if not values:
        return []
    items = []
    for number, value in enumerate(values[:most], start=1):
        label = [Span(f"{number} ", "number")] if is_numbered else []
        items.append([*label, Span(clean(value.value)), Span(f" ({value.count:,})", "count")])
    if len(values) > most:
        items.append([Span(f"{len(values) - most} more", "quiet")])
    return flow(
        items,
        look.width,
        between=Span(look.separator, "quiet"),
        indent=_LABEL_WIDTH,
        first=[Span(heading, "heading")],
    )


def topic_lines(topics: Sequence[FacetValue], look: Look, *, is_numbered: bool = False) -> list[Line]:
    """Every topic with its number of articles, one a line."""
    if not topics:
        return [(Span("No topics."),)]
    most = max(len(f"{topic.count:,}") for topic in topics)
    margin = len(str(len(topics))) + 2 if is_numbered else 0
    lines: list[Line] = []
    for number, topic in enumerate(topics, start=1):
        label = [Span(f"{number:>{margin - 2}}", "number"), Span("  ")] if is_numbered else []
        first = [*label, Span(f"{topic.count:>{most},}", "count"), Span("  ")]
        lines += wrap([Span(clean(topic.value))], look.width, indent=margin + most + 2, first=first)
    return lines


# Timelines


def timeline_summary(buckets: Sequence[Bucket], look: Look) -> list[Line]:
    """The timeline in one line of bars with its ends and its peak; nothing where all is in one bucket."""
    dated = [bucket for bucket in buckets if bucket.start is not None]
    undated = sum(bucket.count for bucket in buckets if bucket.start is None)
    if sum(bucket.count > 0 for bucket in dated) < 2:
        return []
    ends = bucket_label(dated[0]), bucket_label(dated[-1])
    room = max(look.width - _LABEL_WIDTH - len(ends[0]) - len(ends[1]) - 2, 1)
    counts = _merged([bucket.count for bucket in dated], min(room, 60))
    bars = Span("".join(_level(count, max(counts), look) for count in counts), "bar")
    peak = max(dated, key=lambda bucket: bucket.count)
    facts = [[Span(f"{ends[0]} ", "meta"), bars, Span(f" {ends[1]}", "meta")]]
    if peak.count > 1:
        facts.append([Span(f"most in {bucket_label(peak)} ({peak.count:,})", "quiet")])
    if undated:
        facts.append([Span(f"undated ({undated:,})", "quiet")])
    between = Span(look.separator, "quiet")
    return flow(facts, look.width, between=between, indent=_LABEL_WIDTH, first=[Span("Timeline", "heading")])


def _merged(counts: list[int], room: int) -> list[int]:
    """Counts added up in groups of neighbours so that there are at most ``room``."""
    size = -(-len(counts) // room)
    return [sum(counts[at : at + size]) for at in range(0, len(counts), size)]


def _level(count: int, most: int, look: Look) -> str:
    levels = _LEVELS if look.unicode else _ASCII_LEVELS
    return " " if count == 0 else levels[(count * len(levels) - 1) // most]


def timeline_lines(buckets: Sequence[Bucket], look: Look) -> list[Line]:
    """The timeline with one bar a line."""
    if not buckets:
        return [(Span("No articles match."),)]
    labels = [bucket_label(bucket) for bucket in buckets]
    margin = max(map(len, labels))
    most = max(bucket.count for bucket in buckets)
    digits = len(f"{most:,}")
    room = max(min(look.width - margin - digits - 3, 60), 1)
    return [
        (
            Span(f"{label:>{margin}} ", "meta"),
            Span(f"{bucket.count:>{digits},} ", "count"),
            Span(_bar(bucket.count, most, room, look), "bar"),
        )
        for label, bucket in zip(labels, buckets, strict=True)
    ]


def _bar(count: int, most: int, room: int, look: Look) -> str:
    if not count:
        return ""
    eighths = max(count * room * 8 // most, 1)
    if not look.unicode:
        return "#" * max(eighths // 8, 1)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


# One article, and the archive in numbers


def article_lines(article: Article, look: Look) -> list[Line]:
    """The whole article: title, what is known about it, summary and body, and what else its source had."""
    width = min(look.width, _LONGEST_TEXT_LINE)
    lines = wrap(marked(article.title or article.id, (), "title", web_address(article.url)), width)
    when = [show_moment(article.published)] + ([f"updated {show_moment(article.updated)}"] if article.updated else [])
    by = [f"by {', '.join(article.authors)}"] if article.authors else []
    facts = [[Span(clean(fact))] for fact in (*when, article.kind, *by) if fact]
    lines += flow(facts, width, between=Span(look.separator, "quiet"))
    if article.url:
        lines += wrap([Span(clean(article.url), "quiet", web_address(article.url))], width)
    lines += _fact("Topics", "; ".join(article.topics), width)
    lines += _fact("Language", article.language or "", width)
    lines += _fact("Id", article.id, width)
    for text, role in ((article.summary, "summary"), (article.body, "")):
        if text.strip():
            lines += [BLANK, *_text_lines(text, width, role)]
    if article.extra:
        lines.append(BLANK)
        for name, value in article.extra.items():
            lines += _fact(clean(str(name)), _plain_value(value), width)
    return lines


def _fact(name: str, value: str, width: int) -> list[Line]:
    if not value:
        return []
    label = Span(f"{name}  " if cell_width(name) > _LABEL_WIDTH - 2 else name, "quiet")
    return wrap([Span(clean(value))], width, indent=_LABEL_WIDTH, first=[label])


def _plain_value(value: object) -> str:
    if isinstance(value, list | tuple):
        return "; ".join(map(_plain_value, value))
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_plain_value(part)}" for name, part in value.items())
    return "" if value is None else str(value)


def _text_lines(text: str, width: int, role: str) -> list[Line]:
    lines: list[Line] = []
    for paragraph in text.strip("\n").expandtabs(4).splitlines():
        text = clean(paragraph.strip())
        indent = min(len(paragraph) - len(paragraph.lstrip(" ")), 8)
        item = _LIST_ITEM.match(text)
        if item:
            first = [Span(" " * indent + item[0], role)]
            lines += wrap([Span(text[item.end() :], role)], width, indent=indent + len(item[0]), first=first)
        else:
            lines += wrap([Span(text, role)], width, indent=indent) if text else [BLANK]
    return [line for line, before in zip(lines, [BLANK, *lines], strict=False) if line or before]


def stats_lines(stats: ArchiveStats, look: Look) -> list[Line]:
    """The archive in numbers, one a line."""
    span = f"{show_date(stats.first)} to {show_date(stats.last)}" if stats.first else "none"
    facts = [
        ("Articles", f"{stats.articles:,}" + (f" ({stats.undated:,} undated)" if stats.undated else "")),
        ("Dates", f"{span} ({stats.time_zone})"),
        ("Topics", f"{stats.topics:,}"),
        ("Authors", f"{stats.authors:,}"),
        ("Kinds", _listed(stats.kinds)),
        ("Languages", _listed(stats.languages)),
        (
            "Index",
            f"{stats.location}, {show_size(stats.size_bytes)} in {show_count(stats.segments, 'segment')}",
        ),
    ]
    facts += [("Damage", f"{problem.file}: {problem.reason}") for problem in stats.damage]
    lines: list[Line] = []
    for name, value in facts:
        lines += wrap([Span(clean(value))], look.width, indent=_LABEL_WIDTH + 1, first=[Span(name, "heading")])
    return lines


def verification_lines(found: Verification, look: Look) -> list[Line]:
    """What reading the whole index found: one line when all is well, else a paragraph for each problem."""
    if found.ok:
        what = f"{show_count(found.files, 'file')}, {show_count(found.articles, 'article')}: nothing is damaged."
        return wrap([Span(what)], look.width)
    lines: list[Line] = []
    for problem in found.problems:
        first = [Span(clean(f"{problem.file}: "), "remark")]
        lines += wrap([Span(clean(problem.reason))], look.width, indent=2, first=first)
    return lines


def _listed(values: Iterable[FacetValue]) -> str:
    return ", ".join(f"{value.value} ({value.count:,})" for value in values) or "none"


def show_size(size: int) -> str:
    """Bytes in the unit that gives one to three digits before the point: ``1.2 MB``."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


# The way on


def next_page_lines(options: Sequence[str], words: Sequence[str], cursor: str, look: Look) -> list[Line]:
    """The command line that shows the next page, broken where a shell allows it."""
    parts = ["searchkit search", *map(shlex.quote, options), f"--cursor {shlex.quote(cursor)}"]
    parts += ["--"] if any(word.startswith("--") for word in words) else []
    parts += map(shlex.quote, words)
    lines, current = [], " "
    for part in parts:
        if len(current) > 1 and cell_width(f"{current} {part}") > look.width - 2:
            lines.append(current + " \\")
            current = "   "
        current += " " + part
    return [
        (Span("Next page:", "heading"),),
        *((Span(clean(line), "command"),) for line in [*lines, current]),
    ]
