"""Commands that look at data: list, show, describe, findings, query, why."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

import likewise
from likewise.cli.arguments import (
    Dataset,
    Json,
    Limit,
    Rev,
    need_folder,
)
from likewise.cli.output import (
    print_facts,
    print_frame,
    print_frame_json,
    print_json,
    print_markdown,
    print_note,
    print_table,
    print_tip,
)
from likewise.cli.print_description import print_description
from likewise.cli.print_findings import print_findings
from likewise.formats.counted_nouns import counted

SHOWN = 100
"""Default number of printed rows; --limit sets another."""


def list_(rev: Rev = None, json: Json = False) -> None:
    """List the data sets of the catalogue and their views."""
    summaries = likewise.datasets(rev=rev)
    if json:
        print_json(summaries)
        return
    rows: list[tuple[object, ...]] = [
        (s.dataset, s.state, s.items, ", ".join(s.models), len(s.runs), s.title, s.view_of)
        for s in summaries
    ]
    heads = ("dataset", "state", "items", "models", "runs", "title", "view of")
    shown = len(heads) if any(s.view_of for s in summaries) else -1
    print_table(heads[:shown], [row[:shown] for row in rows])
    for summary in summaries:
        if summary.fault and not summary.fault.startswith("params.yaml:"):  # has a warning
            print_note(f"likewise: {summary.dataset}: {summary.fault}")
    good = [s for s in summaries if not s.view_of and not s.fault]
    first = next((s.dataset for s in good), None)
    print_tip(f"likewise show {first}" if first else "likewise add DIR")


def show(
    dataset: Dataset,
    labels: Annotated[
        bool, typer.Option("--labels", help="List all labels of every split.")
    ] = False,
    rev: Rev = None,
    json: Json = False,
) -> None:
    """Show the card, the contents and the results of a data set.

    Splits with equal digests have the same items and labels.
    """
    if labels:
        counted = likewise.labels(dataset, rev=rev)
        if json:
            print_frame_json(counted)
        else:
            print_frame(counted)
            print_tip(f"likewise show {dataset}")
        return
    description = likewise.show(dataset, rev=rev)
    if json:
        print_json(description)
    else:
        print_description(description)


def describe(
    dataset: Dataset,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Write the statistics to reports/, with a plot.")
    ] = False,
    json: Json = False,
) -> None:
    """Print the statistics of a data set; in a pipe, as Markdown.

    The statistics cover splits, labels, sizes, boxes, formats, licences, findings and flags.
    """
    statistics = likewise.describe(dataset)
    if markdown:
        for path in statistics.to_reports():
            print_note(f"wrote {path}")
    if json:
        print_json(statistics)
    elif not markdown:
        if sys.stdout.isatty():
            from likewise.cli.print_statistics import print_statistics

            print_statistics(statistics)
        else:
            print_markdown(statistics.to_markdown().rstrip())
        print_tip(f"likewise describe {dataset} --markdown")


def findings(
    dataset: Dataset,
    check: Annotated[
        str | None, typer.Option(metavar="NAME", help="List only findings of this check.")
    ] = None,
    limit: Limit = 20,
    judged: Annotated[
        bool, typer.Option("--judged", help="Also list findings that have a verdict.")
    ] = False,
    rev: Rev = None,
    json: Json = False,
) -> None:
    """List the faults that ingest found in a data set, by check.

    `query` reads all of them from the table DATASET_findings.
    """
    report = likewise.findings(dataset, check=check, limit=limit, judged=judged, rev=rev)
    print_findings(report, json=json, given=[check or ""])
    if not json:
        table = f"{dataset}_findings"
        print_tip(f'likewise query "select * from {table}" --csv findings.csv')  # noqa: S608


def query(  # noqa: PLR0913, PLR0917 (the options of a command)
    sql: Annotated[str, typer.Argument(metavar="SQL", help="SQL query.")],
    limit: Annotated[int | None, typer.Option(min=0, help="Maximum number of rows.")] = None,
    selection: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only items of this selection of the data set."),
    ] = None,
    rev: Rev = None,
    json: Json = False,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write CSV.", callback=need_folder)
    ] = None,
    spreadsheet: Annotated[
        bool,
        typer.Option("--spreadsheet", help="In CSV, mark texts that begin like a formula."),
    ] = False,
    parquet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write Parquet.", callback=need_folder)
    ] = None,
) -> None:
    """Run SQL over all tables of the catalogue.

    A data set x has the tables x, x_images, x_items, x_findings, x_pixels and x_flags; x has
    one vector column for each model. A run r-1 has the table queries_r_1, one row per query.
    "show tables" lists all tables.
    """
    ask = partial(likewise.query, sql, selection=selection, rev=rev)
    if csv or parquet:
        answer = ask(limit=limit)
        to_csv = partial(answer.to_csv, spreadsheet=spreadsheet)
        for file, write in ((csv, to_csv), (parquet, answer.to_parquet)):
            if file:
                print_note(f"wrote {counted(write(file), 'row')} to {file}")
        return
    if json:
        print_frame_json(ask(limit=limit).frame)
        return
    shown = SHOWN if limit is None else limit
    frame = ask(limit=shown + 1).frame
    empty = print_frame(frame.head(shown))
    if empty:
        print_note(f"left out, because they are empty here: {', '.join(empty)}")
    if limit is None and len(frame) > shown:
        print_note(
            f"the first {counted(shown, 'row')}; more with --limit N, --json, --csv FILE or "
            "--parquet FILE"
        )
    print_tip("add --csv FILE or --parquet FILE to write all rows")


def why(
    name: Annotated[
        str,
        typer.Argument(
            metavar="DATASET|MODEL",
            help="Data set, or a model if no other argument is given.",
        ),
    ],
    model: Annotated[
        str | None,
        typer.Argument(metavar="[MODEL]", help="Model that embeds the data set."),
    ] = None,
    item: Annotated[
        str | None, typer.Argument(metavar="[ITEM]", help="Item to embed again and compare.")
    ] = None,
    json: Json = False,
) -> None:
    """Print the provenance of a model, vector column or vector.

    For a model: recipe, initial weights, data, libraries and later changes. For the vectors of
    a data set: the chain from the card to the runs. For an item: the image is embedded again
    and the cosine to the stored vector is printed.
    """
    facts = likewise.why(name, model, item)
    if json:
        print_json(facts)
    elif sys.stdout.isatty():
        print_facts(
            [(f.what, f"{f.value}\n({f.remark})" if f.remark else f.value) for f in facts]
        )
        print_tip(f"likewise show {name}" if model else "likewise why DATASET MODEL")
    else:
        print_table(("fact", "value", "remark"), [(f.what, f.value, f.remark) for f in facts])
