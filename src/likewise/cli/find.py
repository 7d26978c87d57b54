"""The commands about indexes: index, indexes."""

from typing import Annotated

import typer

import likewise
from likewise.cli.output import as_json, say, table

Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="A data set of the catalogue.")]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="One that embeds it.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def index(
    dataset: Dataset,
    model: Model,
    name: Annotated[str, typer.Argument(metavar="INDEX", help="An index of params.yaml.")],
    json: Json = False,
) -> None:
    """Make an index, keep it, and measure its recall and speed beside exact search."""
    made = likewise.index(dataset, model, name)
    if json:
        as_json(made)
        return
    found = made.measured
    say(f"{name} of {dataset} by {model}: {made.covered:,} of {made.items:,} items")
    if found:
        say(f"recall@{found.k} {found.recall:.4f} on {found.probes:,} probes")
        say(f"{found.ms:.3g} ms a query, exact {found.exact_ms:.3g} ms")
        say(f"{found.queries_per_s:,.0f} queries/s at once, {found.nbytes:,} bytes in memory")


def indexes(json: Json = False) -> None:
    """List the indexes that are kept: what they cover, their recall, speed and size."""
    found = likewise.list_indexes()
    if json:
        as_json(found)
        return
    columns = ("dataset", "model", "index", "state", "covers", "recall", "ms", "bytes", "mend")
    table(columns, [_row(one) for one in found])


def _row(one: "likewise.Indexed") -> tuple[object, ...]:
    seen = one.measured
    numbers = (seen.recall, seen.ms, seen.nbytes) if seen else (None, None, None)
    covers = f"{one.covered:,} of {one.items:,}"
    return (one.dataset, one.model, one.index, one.state, covers, *numbers, one.command)
