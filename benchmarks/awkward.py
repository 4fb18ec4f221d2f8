"""What people type that search engines trip over: four engines on one small archive.

    python -m benchmarks.awkward            # runs all and writes docs/awkward-queries.md; stock Whoosh takes 20 s

Each engine has the same articles and gets each query as it was typed, in the language of its own parser: Whoosh's
`QueryParser` with its default plugins and the `StemmingAnalyzer`, tantivy's parser with all words required, and English
stems with accents folded, FTS5's `MATCH` with `porter unicode61 remove_diacritics 2`. Nothing is escaped or rewritten,
because telling what needs it is what a reader of the query has to do.
"""

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).resolve().parent.parent / "docs" / "awkward-queries.md"
NOW = datetime(2021, 3, 1, 12, tzinfo=UTC)
SLOW_SECONDS = 1.0


class Text(NamedTuple):
    """One article of the archive."""

    id: str
    body: str
    day: str | None = None
    topic: str = "News"
    title: str = "A note"
    author: str = "Ann Roe"
    language: str = "en"


ARCHIVE = (
    Text("cpp", "The programmer wrote the parser in C++ and the tests in Python."),
    Text("csharp", "He prefers C# for the desktop."),
    Text("dotnet", "The service runs on .NET and sleeps at night."),
    Text("net", "They cast a net over the pond."),
    Text("covid", "COVID-19 closed the donation centre for a month.", "2020-04-01"),
    Text("covid2", "Twelve patients with covid19 were given plasma.", "2020-07-15", "RBC Transfusion"),
    Text("us", "The U.S. supplier raised its bank rates.", "2016-03-15", "Policy and Guidelines"),
    Text("us2", "A US hospital ran out of fridges.", "2016-12-31"),
    Text("pronoun", "Nobody told us anything."),
    Text("rates", "Interest rates fell while nobody looked.", "2018-12-31"),
    Text("rh", "Rh-negative donors are asked first.", "2018-06-30", "RBC Transfusion"),
    Text("rh2", "Rh negative blood was flown to the island.", "2019-04-10", "RBC Transfusion"),
    Text("doi", "The trial is 10.1016/j.chest.2017.03.050 and its register is full.", "2017-03-20"),
    Text("antid", "Anti-D was found twice in her serum."),
    Text("antie", "Anti-E was never found in it."),
    Text("email", "One email was enough to find the donor."),
    Text("e-mail", "Send an e-mail to the laboratory."),
    Text("obrien", "Dr O’Brien disagreed.", author="Jane Smith"),
    Text("tokyo", "東京都は血液を集めている。", language="ja"),
    Text("café", "The café serves donors juice."),
    Text("cafe", "The cafe, the cafe: every cafe closed in winter.", title="The cafe"),
    Text("hamlet", "To be or not to be transfused was the question."),
    Text("heparin", "Thrombocytopenia followed heparin.", "2021-02-10", title="Heparin again"),
    Text("platelets", "Die Plättchen wurden im Kühlschrank gelagert.", "2020-02-29", language="de"),
    Text("running", "She was running late while two women waited."),
    Text("runs", "The woman runs the clinic alone."),
    Text("immuno", "Immunotherapy was compared with rest."),
    Text("beside", "One nurse/midwife post was cut."),
    Text("apart", "The midwife had been a nurse, a good nurse."),
    Text("always", "The desk is open 24/7 in summer."),
    Text("numbers", "Of 24 fridges 7 were full."),
    Text("bloodbank", "The blood bank of the harbour stands on stilts.", "2015-05-05"),
)  # fmt: skip


class Case(NamedTuple):
    """A query, the ids that a reader expects, and what to say of it where the ids do not say enough."""

    query: str
    expected: str
    why: str = ""
    shown: str = ""


CASES = (
    Case("C++", "cpp"),
    Case("C#", "csharp"),
    Case(".NET", "dotnet"),
    Case("COVID-19", "covid covid2"),
    Case("covid19", "covid covid2"),
    Case("U.S.", "us us2", "but not the word us"),
    Case("Rh-negative", "rh rh2"),
    Case("10.1016/j.chest.2017.03.050", "doi"),
    Case("doi:10.1016/j.chest.2017.03.050", "doi"),
    Case("anti-D", "antid"),
    Case("anti-E", "antie"),
    Case("e-mail", "e-mail email"),
    Case("email", "e-mail email"),
    Case("O'Brien", "obrien"),
    Case("東京", "tokyo"),
    Case("cafe", "cafe café"),
    Case("café", "café cafe", "café first"),
    Case("-bank rates", "rates"),
    Case("rates -bank", "rates"),
    Case("the question", "hamlet"),
    Case("to be or not to be", "hamlet"),
    Case('"to be or not to be"', "hamlet"),
    Case("“blood bank”", "bloodbank", "in the marks a telephone types"),
    Case('"blood bank', "bloodbank", "nothing worse than the words"),
    Case("(heparin", "heparin"),
    Case("heparin)", "heparin"),
    Case("heparin AND", "heparin"),
    Case("heparin OR", "heparin"),
    Case("rates NOT bank", "rates"),
    Case("plattchen kuhlschrank", "platelets", "the umlauts are not on every keyboard"),
    Case("Plättchen/Kühlschrank", "platelets"),
    Case("nurse/midwife", "beside apart", "side by side first"),
    Case("nurse,midwife", "beside apart"),
    Case("nurse—midwife", "beside apart"),
    Case("24/7", "always", "but not 24 and 7 apart"),
    Case("what about heparin?", "", "told which words are missing, and what finds something"),
    Case("hepraine", "", "offered heparin"),
    Case("hepraine~", "heparin"),
    Case("wom?n", "running runs"),
    Case("*therapy", "immuno"),
    Case("=running", "running", "this form only"),
    Case("tpoic:News heparin", "", "told that tpoic is no field, and offered topic"),
    Case('topic:"RBC Transfusion" -topic:News', "covid2 rh rh2"),
    Case("date:2016", "us us2"),
    Case("date:2016-03..2017", "us us2 doi"),
    Case("date:last month", "heparin", "read on 1 March 2021"),
    Case("date:nonsense heparin", "heparin", "and told that nonsense is no date"),
    Case("x" * 40_000, "", "told at once that it is too long", "40,000 letters"),
    Case("(" * 3_000 + "heparin", "heparin", "", "3,000 parentheses, then heparin"),
    Case("", "*", "every article", "(nothing)"),
)  # fmt: skip


class Answer(NamedTuple):
    """What an engine made of a query: ids, best first; or the error; what it said, and how long it took."""

    ids: tuple[str, ...] = ()
    error: str = ""
    said: str = ""
    seconds: float = 0.0


Ask = Callable[[str], Answer]


def searchkit_asker(folder: Path) -> Ask:
    """searchkit, through its public interface, at a fixed time."""
    import searchkit
    from searchkit.engines.local import LocalArchive
    from searchkit.settings import Settings

    archive = LocalArchive(folder / "searchkit", Settings(), now=lambda: NOW)
    archive.add(
        searchkit.Article(
            text.id,
            text.title,
            text.body,
            published=text.day,
            topics=[text.topic],
            authors=[text.author],
            language=text.language,
        )
        for text in ARCHIVE
    )

    def ask(query: str) -> Answer:
        page = archive.search(query, limit=100)
        said = "; ".join(note.reason for note in page.receipt.notes[:2])
        offered = page.suggestions[0] if page.suggestions else None
        if offered:
            said += f"{'; ' if said else ''}offers `{offered.query}` ({offered.count})"
        return Answer(tuple(hit.id for hit in page.hits), said=said)

    return ask


def whoosh_asker(folder: Path) -> Ask:
    """Whoosh as it is installed: its stemming analyzer, its query parser with the default plugins."""
    from whoosh import fields, index
    from whoosh.analysis import StemmingAnalyzer
    from whoosh.qparser import QueryParser

    (folder / "whoosh").mkdir()
    schema = fields.Schema(
        id=fields.ID(stored=True),
        title=fields.TEXT(analyzer=StemmingAnalyzer()),
        text=fields.TEXT(analyzer=StemmingAnalyzer()),
        topic=fields.ID,
        author=fields.ID,
        date=fields.DATETIME,
    )
    made = index.create_in(str(folder / "whoosh"), schema)
    with made.writer() as writer:
        for text in ARCHIVE:
            day = {"date": datetime.fromisoformat(text.day)} if text.day else {}
            writer.add_document(
                id=text.id,
                title=text.title,
                text=f"{text.title} {text.body}",
                topic=text.topic,
                author=text.author,
                **day,
            )
    searcher = made.searcher()
    parser = QueryParser("text", schema)
    return lambda query: Answer(tuple(hit["id"] for hit in searcher.search(parser.parse(query), limit=None)))


def tantivy_asker(folder: Path) -> Ask:
    """tantivy: stems with folded accents, its own query parser with all words required."""
    import tantivy
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw")
    for name in ("title", "text"):
        builder.add_text_field(name, tokenizer_name="folded_stems")
    for name in ("topic", "author"):
        builder.add_text_field(name, tokenizer_name="raw")
    builder.add_date_field("date", indexed=True)
    made = tantivy.Index(builder.build())
    stems = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.lowercase()).filter(Filter.ascii_fold())
    made.register_tokenizer("folded_stems", stems.filter(Filter.stemmer("english")).build())
    writer = made.writer()
    for text in ARCHIVE:
        day = {"date": datetime.fromisoformat(text.day).replace(tzinfo=UTC)} if text.day else {}
        writer.add_document(
            tantivy.Document(
                id=text.id,
                title=text.title,
                text=f"{text.title} {text.body}",
                topic=text.topic,
                author=text.author,
                **day,
            )
        )
    writer.commit()
    made.reload()
    searcher = made.searcher()

    def ask(query: str) -> Answer:
        parsed = made.parse_query(query, ["text"], conjunction_by_default=True)
        hits = searcher.search(parsed, limit=100).hits
        return Answer(tuple(searcher.doc(address)["id"][0] for _, address in hits))

    return ask


def fts5_asker(_folder: Path) -> Ask:
    """SQLite FTS5 with Porter stems and folded accents."""
    database = sqlite3.connect(":memory:")
    database.execute(
        "CREATE VIRTUAL TABLE texts USING fts5(id UNINDEXED, title, text, topic, author, date, "
        "tokenize='porter unicode61 remove_diacritics 2')"
    )
    rows = [(t.id, t.title, f"{t.title} {t.body}", t.topic, t.author, t.day) for t in ARCHIVE]
    database.executemany("INSERT INTO texts VALUES (?, ?, ?, ?, ?, ?)", rows)

    def ask(query: str) -> Answer:
        found = database.execute("SELECT id FROM texts WHERE texts MATCH ? ORDER BY rank", (query,))
        return Answer(tuple(row[0] for row in found))

    return ask


ENGINES: dict[str, Callable[[Path], Ask]] = {
    "searchkit": searchkit_asker,
    "stock Whoosh": whoosh_asker,
    "tantivy": tantivy_asker,
    "SQLite FTS5": fts5_asker,
}


def answers(engine: str, cases: Sequence[Case] = CASES) -> list[Answer]:
    """What one engine answers to each query; an exception is an answer, too."""
    with tempfile.TemporaryDirectory() as folder:
        ask = ENGINES[engine](Path(folder))
        return [_timed(ask, case.query) for case in cases]


def _timed(ask: Ask, query: str) -> Answer:
    began = time.perf_counter()
    try:
        answer = ask(query)
    except (Exception, RecursionError) as exc:
        answer = Answer(error=f"{type(exc).__name__}: {exc}")
    return answer._replace(seconds=time.perf_counter() - began)


def is_right(case: Case, answer: Answer) -> bool:
    """Whether the reader gets the articles expected, no others, and the one named first first."""
    if answer.error:
        return False
    if case.expected == "*":
        return len(answer.ids) == len(ARCHIVE)
    expected = case.expected.split()
    if not expected:
        return not answer.ids and bool(answer.said)
    is_first = not case.why.endswith(" first") or answer.ids[:1] == (expected[0],)
    return sorted(answer.ids) == sorted(expected) and is_first


def cell(case: Case, answer: Answer) -> str:
    """One cell of the table: whether it is right, and what was answered."""
    mark = "✓" if is_right(case, answer) else "✗"
    slow = f", after {answer.seconds:.0f} s" if answer.seconds > SLOW_SECONDS else ""
    if answer.error:
        first_line = answer.error.splitlines()[0]
        shown = first_line if len(first_line) <= 60 else first_line[:59] + "…"
        return f"✗ error: `{_escaped(shown).replace('`', chr(39))}`{slow}"
    if not answer.ids:
        return f"{mark} nothing: {_escaped(answer.said)}{slow}" if answer.said else f"{mark} nothing, silently{slow}"
    shown = ", ".join(answer.ids[:5]) + (f" and {len(answer.ids) - 5} more" if len(answer.ids) > 5 else "")
    said = f"; says: {_escaped(answer.said)}" if answer.said and case.why else ""
    return f"{mark} {shown}{said}{slow}"


def page() -> str:
    """The document."""
    columns = {engine: answers(engine) for engine in ENGINES}
    headings = ["Typed", "A reader expects", *ENGINES]
    rows = [
        [row_name(case), expectation(case), *(cell(case, columns[engine][number]) for engine in ENGINES)]
        for number, case in enumerate(CASES)
    ]
    counts = [sum(map(is_right, CASES, columns[engine])) for engine in ENGINES]
    rows.append(["**as expected**", f"of {len(CASES)}", *map(str, counts)])
    table = "\n".join(f"| {' | '.join(row)} |" for row in (headings, ["---"] * len(headings), *rows))
    articles = "\n".join(
        f"| {t.id} | {', '.join(filter(None, (t.day, t.topic, '' if t.title == 'A note' else t.title)))} | {t.body} |"
        for t in ARCHIVE
    )
    return _INTRODUCTION.format(table=table, articles=articles, versions=_versions())


def row_name(case: Case) -> str:
    """How the table names a query."""
    return case.shown or f"`{_escaped(case.query)}`"


def expectation(case: Case) -> str:
    """What the table says a reader expects."""
    ids = "" if case.expected == "*" else ", ".join(case.expected.split())
    return "; ".join(filter(None, (ids, case.why)))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _versions() -> str:
    import tantivy
    import whoosh

    versions = ".".join(str(part) for part in whoosh.__version__)
    return f"whoosh3 {versions}, {tantivy.__version__.split(',')[0]}, SQLite {sqlite3.sqlite_version}"


_INTRODUCTION = """\
# Awkward queries

What people type that search engines trip over, and what four of them answered. `python -m benchmarks.awkward` runs it
and writes this page; [the script](../benchmarks/awkward.py) says how each engine is set up. Each gets the query as it
was typed. ✓ is what a reader expects, ✗ is something else, and "nothing, silently" is the worst of it: a reader who is
told nothing believes that there is nothing.

Peers: {versions}. Most of them offer more than their parsers read by default; a program that escapes and rewrites
queries can get there. searchkit needs no such program, which is all that this table shows.

{table}

## The archive

| Id | Day, topic, title | Text |
| --- | --- | --- |
{articles}
"""


def main() -> None:
    """Run all engines and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=PAGE, help="where to write the page")
    out = parser.parse_args().out
    with closing(out.open("w", encoding="utf-8")) as file:
        file.write(page())


if __name__ == "__main__":
    main()
