"""``searchkit search``: the page for a query."""

from collections.abc import Sequence
from typing import Any

import click

from searchkit.cli.options import (
    QueryCommand,
    command_line,
    example,
    filter_options,
    index_option,
    json_option,
    open_index,
    query_text,
)
from searchkit.cli.output import current_look, write_json, write_lines
from searchkit.cli.render import BLANK, next_page_lines, page_lines, plan_lines
from searchkit.page.model import FACETS, SORTS, FacetName, Sort

_FACETS_SHOWN: tuple[FacetName, ...] = ("topics", "kind")


@click.command(
    "search",
    cls=QueryCommand,
    epilog=example(
        "searchkit search heparin -aspirin",
        "searchkit search '\"cold agglutinin\"' --since 2016 --sort newest",
        "searchkit search platelet --topic News --json",
    ),
)
@click.argument("query", nargs=-1)
@filter_options
@click.option("--sort", type=click.Choice(SORTS), help="Order.  [default: best; newest without a query]")
@click.option(
    "-n",
    "limit",
    metavar="N",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="Number of results.",
)
@click.option("--cursor", metavar="C", help="Continue where a page ended; it says so at its end.")
@click.option(
    "--disjunctive",
    is_flag=True,
    help="Count the topics, kinds and authors as if none of their own were chosen.",
)
@click.option("--explain", is_flag=True, help="Say at the end how it was found: the steps with counts and times.")
@json_option
@index_option
@click.pass_context
def search_command(
    ctx: click.Context,
    /,
    query: tuple[str, ...],
    sort: Sort | None,
    limit: int,
    cursor: str | None,
    disjunctive: bool,
    explain: bool,
    as_json: bool,
    index: str | None,
    **filters: Any,
) -> None:
    """Search the articles.

    All words must occur. -word excludes articles with a word, "some words" is a phrase (the shell takes
    quotation marks away: write '"some words"'), OR stands between alternatives, title:word looks in titles
    only. Without a query it lists what the options leave. The order fresh lists the newest of the relevant
    articles, and says how many it leaves out. On a terminal what matched is marked by style, elsewhere **so**.
    """
    with open_index(ctx, index) as archive:
        page = archive.search(
            query_text(query),
            sort=sort or ("best" if query else "newest"),
            limit=limit,
            cursor=cursor,
            facets=FACETS if as_json else _FACETS_SHOWN,
            disjunctive=disjunctive,
            explain=explain,
            **filters,
        )
    if as_json:
        write_json(page.to_dict())
        return
    look = current_look()
    lines = page_lines(page, look)
    if page.plan:
        lines += [BLANK, *plan_lines(page.plan, look)]
    if page.next_cursor and limit:
        options, words = command_line(ctx)
        outer = ctx.find_root().params.get("index")
        options = [*(["--index", outer] if outer and not index else []), *_without_cursor(options)]
        lines += [BLANK, *next_page_lines(options, words, page.next_cursor, look)]
    write_lines(lines, look)


def _without_cursor(options: Sequence[str]) -> list[str]:
    kept: list[str] = []
    is_value = False
    for option in options:
        if not is_value and not option.startswith("--cursor="):
            is_value = option == "--cursor"
            if not is_value:
                kept.append(option)
        else:
            is_value = False
    return kept
