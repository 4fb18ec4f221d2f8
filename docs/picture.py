"""Draws docs/search.svg, the picture in the README, from a real search of the sample corpus.

python docs/picture.py
"""

import re
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

import searchkit
from searchkit.cli.output import Look, rich_text
from searchkit.cli.render import page_lines
from searchkit.sources import read_sources
from searchkit.sources.reading import Found

DOCS = Path(__file__).parent
QUERY = "platelet bleeding -plasma since:2011"


def main() -> None:
    """Index the sample corpus, search it, and save what the terminal shows."""
    settings = searchkit.Settings()
    with (
        tempfile.TemporaryDirectory() as folder,
        searchkit.open_archive(f"{folder}/index", create=True, settings=settings) as archive,
    ):
        readings = read_sources([DOCS.parent / "sample_corpus"], settings=settings)
        archive.add(reading.article for reading in readings if isinstance(reading, Found))
        page = archive.search(QUERY, limit=2)
    console = Console(record=True, width=88, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.assemble(("$ ", "bold green"), f"searchkit search {QUERY}"))
    for line in page_lines(page, Look(width=88, styled=True)):
        console.print(rich_text(line))
    svg = console.export_svg(title="searchkit", unique_id="searchkit")
    without_fonts = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # a picture should load nothing
    (DOCS / "search.svg").write_text(without_fonts, encoding="utf-8")


if __name__ == "__main__":
    main()
