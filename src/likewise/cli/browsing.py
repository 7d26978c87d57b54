"""The command browse."""

from collections import defaultdict
from typing import Annotated, Any

import typer

import likewise
from likewise.cli.arguments import Dataset, Json, Rev, Selection, parse_names
from likewise.cli.output import print_frame, print_json, print_line, print_note, print_tip

_TOP = 20


def browse(  # noqa: PLR0913 (a function here is a command, an argument an option)
    dataset: Dataset,
    *,
    where: Annotated[
        str | None,
        typer.Option(metavar="SQL", help="Only items that match, e.g. width > 500."),
    ] = None,
    selection: Selection = None,
    facet: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN[=VALUE]",
            help="Count the values of a column; VALUE filters the items. Repeatable.",
        ),
    ] = None,
    sort: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Sort by the values of a column.")
    ] = None,
    descending: Annotated[
        bool, typer.Option("--descending", help="Sort from the largest value to the smallest.")
    ] = False,
    offset: Annotated[
        int, typer.Option(min=0, metavar="N", help="Skip the first N items.")
    ] = 0,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Number of items.")] = 20,
    columns: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="Columns to print, separated by commas."),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Number of values per facet; 20 as a table."),
    ] = None,
    rev: Rev = None,
    json: Json = False,
) -> None:
    """Page through items, with filters and counts of values.

    The counts of a column apply --where and the values of all other facets. An empty VALUE
    means items without a value.
    """
    facets, filters = _facets(facet or [])
    options: dict[str, Any] = {
        "where": where,
        "selection": selection,
        "filters": filters,
        "facets": facets,
        "sort": sort,
        "descending": descending,
        "offset": offset,
        "limit": limit,
        "columns": parse_names(columns),
        "top": top or (None if json else _TOP),
    }
    browsed = likewise.browse(dataset, rev=rev, **options)
    if json:
        print_json(
            {
                "total": browsed.total,
                "offset": browsed.offset,
                "positions": browsed.page.tolist(),
                "rows": browsed.rows,
                "counts": browsed.counts,
            }
        )
        return
    print_frame(browsed.rows)
    for name, counts in browsed.counts.items():
        print_line("")
        print_frame(counts.rename({"value": name}))
    if browsed.rows.is_empty():
        print_note(f"no items on this page; {browsed.total:,} in all")
        return
    last = offset + len(browsed.rows)
    print_note(f"items {offset + 1:,} to {last:,} of {browsed.total:,}")
    if last < browsed.total:
        print_tip(f"the next page: --offset {last}")


def _facets(texts: list[str]) -> tuple[list[str], dict[str, list[str | None]]]:
    """Return the columns to count, and the values that filter them."""
    names: dict[str, None] = {}
    filters: defaultdict[str, list[str | None]] = defaultdict(list)
    for text in texts:
        name, sign, value = text.partition("=")
        names[name] = None
        if sign:
            filters[name].append(value or None)
    return list(names), dict(filters)
