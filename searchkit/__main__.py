"""``python -m searchkit`` is the program ``searchkit``."""

from searchkit.cli import main

main(prog_name="searchkit")
