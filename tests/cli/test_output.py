"""Where output goes: how wide a line of it may be."""

import shutil

import pytest

from searchkit.cli.output import current_look


@pytest.mark.parametrize("columns", ["", "0", "-3", "wide", "²", "50", "132"])
def test_a_line_is_as_wide_as_the_standard_library_says(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    """COLUMNS counts where it is a number above 0, else the terminal, else lines have 80 cells."""
    monkeypatch.setenv("COLUMNS", columns)
    assert current_look().width == shutil.get_terminal_size().columns


def test_without_a_standard_output_lines_have_eighty_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program without one, as Windows starts some, is not a failure."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("sys.__stdout__", None)
    assert current_look().width == 80
