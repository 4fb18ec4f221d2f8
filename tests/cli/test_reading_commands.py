"""The commands that read an archive, from the command line to what is printed."""

import json
import shlex

import pytest

from searchkit.cli import COMMANDS
from searchkit.page.model import FACETS

READING = [
    ["search", "heparin"],
    ["show", "a1"],
    ["related", "a1"],
    ["suggest", "hep"],
    ["latest"],
    ["topics"],
    ["timeline"],
    ["stats"],
]


def total(result):
    """The number of articles on the first line of a page."""
    return int(result.stdout.split()[0]) if result.stdout[0].isdigit() else 0


def test_a_page(run):
    """Hits with title, date, topics and marked passages, then topics and timeline."""
    result = run("search", "heparin", "given", "-n", "1")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("6 articles in ")
    assert lines[1] == ""
    assert lines[2].startswith("1  Platelet report")
    assert "Blood, Donation (4)" in result.stdout
    assert "**heparin** was **given**." in result.stdout
    assert "Timeline  2012 " in result.stdout
    assert result.stderr == ""


def test_related(run):
    """The articles closest to one, numbered as in any list, and as many as asked for."""
    result = run("related", "a1", "-n", "2")
    assert result.exit_code == 0
    assert [line[:19] for line in result.stdout.splitlines() if line[:1].isdigit()] == [
        "1  Platelet report ",
        "2  Platelet report ",
    ]
    data = json.loads(run("related", "a1", "--json").stdout)
    assert len(data["hits"]) == 5
    assert "a1" not in {hit["id"] for hit in data["hits"]}
    assert run("related", "undated").stdout == "No related articles.\n"
    assert "no article 'nowhere'" in run("related", "nowhere").stderr


def test_explain(run):
    """The plan stands below the page, or in its JSON, only when asked for."""
    lines = run("search", "heparin", "-given", "-n", "0", "--explain").stdout.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("Plan"))
    assert [line.split()[0] for line in lines[start + 1 : start + 5]] == ["6", "12", "6", "0"]
    assert "without: word given: given" in lines[start + 3]
    assert json.loads(run("search", "heparin", "--explain", "--json").stdout)["plan"][0]["count"] == 12
    assert "plan" not in json.loads(run("search", "heparin", "--json").stdout)


def test_suggest(run):
    """What goes on from a few letters, with what it is and how many articles it finds."""
    lines = run("suggest", "heparin", "pla").stdout.splitlines()
    assert lines[0] == "heparin Platelet · 12 articles"
    assert "Blood, Donation · topic · 8 articles" in run("suggest", "dona").stdout
    assert json.loads(run("suggest", "hepa", "-n", "1", "--json").stdout) == {
        "suggestions": [{"text": "heparin", "kind": "words", "count": 12, "query": "heparin", "article_id": None}]
    }
    assert run("suggest", "xyz").stdout == "No suggestions.\n"


def test_disjunctive_counts(run):
    """With --disjunctive the other topics keep their counts beside the one chosen."""
    chosen = ["search", "heparin", "--topic", "RBC Transfusion", "--json"]
    narrow, wide = (json.loads(run(*chosen, *more).stdout) for more in ([], ["--disjunctive"]))
    assert narrow["total"] == wide["total"] == 4
    assert {"value": "Blood, Donation", "count": 8} not in narrow["facets"]["topics"]
    assert {"value": "Blood, Donation", "count": 8} in wide["facets"]["topics"]


@pytest.mark.parametrize(
    ("args", "count"),
    [
        (["heparin", "-given"], 6),
        (["-given", "heparin"], 6),
        (["heparin", "-n", "5", "-given"], 6),
        (["heparin", "-n5", "-given"], 6),
        (["-n", "5", "--", "heparin", "-given"], 6),
        (["heparin", "--topic", "rbc transfusion", "-given"], 2),
        (["heparin", "--topic=RBC Transfusion", "-given"], 2),
        (["-nausea", "heparin"], 12),
        (["heparin -given"], 6),
        (['"was given" -4'], 5),
        (["heparin", "--not-topic", "RBC Transfusion"], 8),
        (["heparin", "--topic", "RBC Transfusion", "--topic", "Blood, Donation"], 12),
        (["--kind", "podcast"], 1),
        (["--author", "jane roe", "--since", "2020"], 3),
        (["--until", "2012-03"], 2),
        (["--language", "de"], 1),
        ([], 13),
        (["nowhere to be found"], 0),
    ],
)
def test_what_the_query_is(run, args, count):
    """Words with a dash reach the query wherever they stand; options stay options."""
    result = run("search", *args)
    assert result.exit_code == 0, result.stderr
    assert total(result) == count


@pytest.mark.parametrize("option", [["-n", "5"], ["-n5"]])
def test_number_of_results(run, option):
    """-n is an option wherever it stands and however it is spelled."""
    page = json.loads(run("search", "heparin", *option, "-nausea", "--json").stdout)
    assert (len(page["hits"]), page["total"]) == (5, 12)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["search", "x", "--sotr", "newest"], "--sort"),
        (["search", "x", "--sort", "newst"], "'newst' is not one of 'best', 'newest', 'oldest', 'fresh'"),
        (["search", "x", "-n", "many"], "'many' is not a valid integer"),
        (["search", "x", "--topic"], "Option '--topic' requires an argument"),
        (["serch", "x"], "Did you mean search?"),
        (["heparin"], "To search for it: searchkit search heparin"),
        (["show"], "ID"),
        (["index"], "SOURCE"),
    ],
)
def test_wrong_command_lines(run, args, message):
    """A mistyped option or command is not searched for: exit code 2 and what was probably meant."""
    result = run(*args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["show", "nosuch"], "nosuch"),
        (["search", "x", "--since", "someday"], "someday"),
        (["search", "x", "--cursor", "?"], "cursor"),
        (["--index", "missing", "search", "x"], "searchkit index"),
        (["latest", "--index", "missing"], "searchkit index"),
    ],
)
def test_errors(run, args, message):
    """An error is one line on standard error, exit code 1, and nothing on standard output."""
    result = run(*args)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1
    assert message in result.stderr
    assert result.stdout == ""


def test_json_errors(run):
    """With --json the error is one line of JSON on standard error, and standard output stays empty."""
    result = run("show", "nosuch", "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert json.loads(result.stderr)["error"]["type"] == "UnknownArticle"


@pytest.mark.parametrize("args", READING, ids=lambda args: args[0])
def test_json_is_one_document(run, args):
    """Every reading command writes one JSON document that has what the text says."""
    result = run(*args, "--json")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert isinstance(json.loads(result.stdout), dict)


def test_json_page(run):
    """The JSON of a search is the whole page, in UTF-8 that is not escaped."""
    result = run("search", "Müller", "--json")
    page = json.loads(result.stdout)
    assert page["total"] == 1
    assert page["hits"][0]["id"] == "undated"
    assert set(page["facets"]) == set(FACETS)
    assert "Müller" in result.stdout
    assert page["hits"][0]["published"] is None


def test_json_lists(run):
    """Lists have a name, so that something can be put beside them."""
    assert json.loads(run("latest", "-n", "2", "--json").stdout)["hits"][0]["id"] == "a12"
    assert json.loads(run("topics", "--json").stdout)["topics"][0] == {"value": "News", "count": 12}
    timeline = json.loads(run("timeline", "--by", "year", "--json").stdout)["timeline"]
    assert timeline[0] == {"start": "2011-01-01", "end": "2011-12-31", "count": 1}
    assert json.loads(run("stats", "--json").stdout)["articles"] == 13
    assert json.loads(run("show", "a5", "--json").stdout)["kind"] == "podcast"


def test_walking_through_the_pages(run):
    """The command line printed at the end of a page gives the next, until every hit was seen once."""
    args, seen = ["search", "-n", "5", "heparin", "-nothing", "--sort", "oldest"], []
    while args:
        result = run(*args)
        seen += [
            word
            for line in result.stdout.splitlines()
            for word in line.split(" · ")
            if word[0:1] == "a" and word[1:].isdigit()
        ]
        _, found, command = result.stdout.partition("Next page:\n")
        args = shlex.split(command)[1:] if found else []
    assert seen == [f"a{number}" for number in range(1, 13)]


def test_next_page_keeps_the_index_of_the_program(run, filled_index):
    """An index named before the command is named in the next command line too."""
    result = run("--index", str(filled_index), "search", "-n", "1", "heparin")
    command = result.stdout.partition("Next page:\n")[2]
    args = shlex.split(command.replace("\\\n", ""))  # a long line goes on after a backslash, as shells read it
    assert args[args.index("--index") + 1] == str(filled_index)


def test_nothing_found(run):
    """No hits: it says so, and what it looked for."""
    result = run("search", "heparin", "qqq")
    assert result.stdout.startswith("No articles match.\nRead as: articles with heparin")
    assert result.exit_code == 0


def test_a_lone_word_that_nothing_is_like(run):
    """The note says that no article has it, and the last line where else to look."""
    lines = run("search", "qwxzvb").stdout.splitlines()
    assert lines[0] == "No articles match."
    assert "Note: 'qwxzvb': no article has this word" in lines
    assert lines[-1] == "To look around: topics, latest"


def test_without_a_query_the_newest_come_first(run):
    """Filters alone list what they leave, newest first."""
    assert "\n1  Platelet report 12\n" in run("search", "--topic", "News", "-n", "1").stdout


def test_show(run):
    """An article with its facts and text; escape sequences in it are shown, not sent."""
    result = run("show", "undated")
    assert result.stdout.startswith("Aspirin und Müller\nundated\n")
    assert "\x1b" not in result.stdout
    assert "␛[2J" in result.stdout


def test_plain_output_has_no_styles(run, monkeypatch):
    """Piped output is text; FORCE_COLOR asks for styles, and NO_COLOR takes only the colours out of them."""
    assert "\x1b" not in run("search", "heparin").stdout
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    styled = run("search", "heparin").stdout
    assert "\x1b[1;4;33mheparin\x1b[0m" in styled
    assert "**" not in styled
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;4mheparin\x1b[0m" in run("search", "heparin").stdout


@pytest.mark.parametrize("columns", ["60", "100"])
@pytest.mark.parametrize("args", READING, ids=lambda args: args[0])
def test_width(run, monkeypatch, args, columns):
    """No line is wider than the terminal, but for a cursor that is meant to be copied."""
    monkeypatch.setenv("COLUMNS", columns)
    lines = run(*args).stdout.partition("Next page:")[0].splitlines()
    assert max(map(len, lines)) <= int(columns)


@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_help_ends_with_an_example(run, name):
    """Every command's help ends with command lines to try, which name commands and options that exist."""
    result = run(*([name] if name else []), "--help")
    assert result.exit_code == 0
    _, found, examples = result.stdout.partition("Example")
    assert found
    for line in examples.splitlines()[1:]:
        program, *words = shlex.split(line)
        assert program == "searchkit"
        assert words[:1] == ([name] if name else words[:1])
        for option in (word for word in words if word.startswith("--")):
            assert option in result.stdout


@pytest.mark.parametrize("args", READING, ids=lambda args: args[0])
def test_examples_of_other_commands_run(run, args):
    """Without arguments beyond its own, each reading command succeeds and prints something."""
    result = run(*args)
    assert result.exit_code == 0
    assert result.stdout.strip()


def test_version(run):
    """The version is printed by itself."""
    assert run("--version").stdout.startswith("searchkit ")
