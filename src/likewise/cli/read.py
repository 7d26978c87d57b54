"""The commands that read: list, show, why, query, score."""

from pathlib import Path
from typing import Annotated

import typer

import likewise
from likewise.cli.arguments import Dataset, Json, Rev
from likewise.cli.output import as_json, frame_as_json, frame_as_table, note, table
from likewise.cli.print_description import print_description
from likewise.cli.print_evaluation import print_evaluation

SHOWN = 100
"""Rows that a table for people has unless --limit says another number."""


def list_(rev: Rev = None, json: Json = False) -> None:
    """List the data sets of the catalogue."""
    found = likewise.datasets(rev=rev)
    if json:
        as_json(found)
        return
    rows = [
        (s.dataset, s.state, s.items, ", ".join(s.models), len(s.runs), s.title) for s in found
    ]
    table(("dataset", "state", "items", "models", "runs", "title"), rows)


def show(
    dataset: Dataset,
    labels: Annotated[
        bool, typer.Option("--labels", help="List every label of every split instead.")
    ] = False,
    rev: Rev = None,
    json: Json = False,
) -> None:
    """Show what a data set is and holds, and its runs' numbers.

    Splits of the same digest are the same items with the same labels.
    """
    if labels:
        counted = likewise.labels(dataset, rev=rev)
        (frame_as_json if json else frame_as_table)(counted)
        return
    found = likewise.show(dataset, rev=rev)
    if json:
        as_json(found)
    else:
        print_description(found)


def why(
    name: Annotated[
        str, typer.Argument(metavar="MODEL|DATASET", help="A model; or a data set, and then")
    ],
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="one that embeds it.")
    ] = None,
    item: Annotated[
        str | None, typer.Argument(metavar="[ITEM]", help="Embed it again and compare.")
    ] = None,
    json: Json = False,
) -> None:
    """Say where a model, a column or a vector comes from.

    Of a model: recipe, start, data, libraries, and what changed since. Of a data set's vectors:
    the chain from the card to the runs. Of an item: its pixels are embedded again, and the
    cosine to the stored vector is told.
    """
    facts = likewise.why(name, model, item)
    if json:
        as_json(facts)
    else:
        table(("what", "value", "remark"), [(f.what, f.value, f.remark) for f in facts])


def query(
    sql: Annotated[
        str, typer.Argument(metavar="SQL", help="What to select, from which table.")
    ],
    limit: Annotated[int | None, typer.Option(min=0, help="So many rows at most.")] = None,
    rev: Rev = None,
    json: Json = False,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write CSV.")] = None,
    parquet: Annotated[Path | None, typer.Option(metavar="FILE", help="Write Parquet.")] = None,
) -> None:
    """Answer SQL over all tables of the catalogue.

    A data set x is the tables x, x_images, x_items, x_findings, x_pixels and x_flags; x has a
    vector column a model. The results of a run r-1, a row a query, are queries_r_1. "show
    tables" lists all.
    """
    if csv or parquet:
        found = likewise.query(sql, limit=limit, rev=rev)
        for file, write in ((csv, found.to_csv), (parquet, found.to_parquet)):
            if file:
                note(f"wrote {write(file):,} rows to {file}")
        return
    if json:
        frame_as_json(likewise.query(sql, limit=limit, rev=rev).frame)
        return
    shown = SHOWN if limit is None else limit
    frame = likewise.query(sql, limit=shown + 1, rev=rev).frame
    frame_as_table(frame.head(shown))
    if limit is None and len(frame) > shown:
        note(f"the first {shown} rows; for more: --limit N, --json, --csv FILE, --parquet FILE")


def score(
    protocol: Annotated[str, typer.Argument(metavar="PROTOCOL", help="How to score.")],
    embeddings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A vector an image,")
    ] = None,
    indices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="or a ranked list an image.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The images that they are of,")
    ] = None,
    items: Annotated[
        Path | None, typer.Option(metavar="FILE", help="or a table of the items.")
    ] = None,
    json: Json = False,
) -> None:
    """Score embeddings or rankings made elsewhere by a protocol.

    A table is .csv or .parquet with item_id, label, split, role ...; or the .pkl of Revisited
    Oxford or Paris, whose images come first, then its queries.
    """
    result = likewise.score(
        protocol, embeddings=embeddings, indices=indices, images=images, items=items
    )
    if json:
        as_json({"metrics": result.metrics, "protocol": result.protocol, "notes": result.notes})
    else:
        print_evaluation(result)
