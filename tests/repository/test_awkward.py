"""The page of awkward queries says what searchkit answers now, and it answers each as a reader expects."""

import re

from benchmarks.awkward import CASES, PAGE, answers, cell, expectation, is_right, row_name


def rows() -> list[list[str]]:
    """The cells of the table's rows, without the headings and the sums."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("| Typed")) + 2
    return [
        re.split(r" (?<!\\)\| ", line.removeprefix("| ").removesuffix(" |")) for line in lines[first:][: len(CASES)]
    ]


def test_every_awkward_query_is_answered_as_expected() -> None:
    """None of more than forty queries finds anything but what a reader expects."""
    found = answers("searchkit")
    wrong = [row_name(case) for case, answer in zip(CASES, found, strict=True) if not is_right(case, answer)]
    assert wrong == []
    assert len(CASES) >= 40


def test_the_page_says_what_searchkit_answers() -> None:
    """The queries, what is expected and searchkit's column stand on the page as they are now."""
    now = [
        [row_name(case), expectation(case), cell(case, answer)]
        for case, answer in zip(CASES, answers("searchkit"), strict=True)
    ]
    assert [row[:3] for row in rows()] == now, "python -m benchmarks.awkward writes it anew"


def test_the_page_has_the_peers_beside_it() -> None:
    """Each row has an answer of every engine."""
    assert all(len(row) == 6 and row[3][0] in "✓✗" and row[4][0] in "✓✗" and row[5][0] in "✓✗" for row in rows())
