"""Commands that report faults of data: findings, validate."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import likewise
from likewise.cli.arguments import Dataset, Json, OldAnnotations, Options, Rev, parse_options
from likewise.cli.output import (
    counts,
    print_json,
    print_line,
    print_next,
    print_note,
    print_table,
    print_tip,
)

if TYPE_CHECKING:
    from likewise import Findings

Limit = Annotated[int, typer.Option(min=0, metavar="N", help="Maximum number of findings.")]


def findings(
    dataset: Dataset,
    check: Annotated[
        str | None, typer.Option(metavar="NAME", help="List only findings of this check.")
    ] = None,
    limit: Limit = 20,
    rev: Rev = None,
    json: Json = False,
) -> None:
    """List the faults that ingest found in a data set, by check.

    `query` reads all of them from the table DATASET_findings.
    """
    report = likewise.findings(dataset, check=check, limit=limit, rev=rev)
    _print_findings(report, json=json, given=[check or ""])
    if not json:
        table = f"{dataset}_findings"
        print_tip(f'likewise query "select * from {table}" --csv findings.csv')  # noqa: S608


def validate(  # noqa: PLR0913, PLR0917 (one is the old name of an option)
    source: Annotated[
        str, typer.Argument(metavar="KIND", help="Layout of the source, e.g. fissp.")
    ],
    path: Annotated[Path, typer.Argument(metavar="DIR", help="Folder or archive of images.")],
    annotations: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Annotations, if they are in another place."),
    ] = None,
    text: OldAnnotations = None,
    option: Options = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Check file names and annotations against the rules of a layout.

    The command needs no catalogue and writes nothing. The exit code is 1 if there are findings.
    """
    report = likewise.validate(
        source, path, annotations=annotations, options=parse_options(option), limit=limit
    )
    _print_findings(report, json=json)
    if report.total:
        raise typer.Exit(1)
    if not json:
        print_next(f"likewise add NAME --source {source} --path {shlex.quote(str(path))}")


def _print_findings(report: "Findings", *, json: bool, given: Sequence[str] = ()) -> None:
    if json:
        print_json(report)
        return
    print_line(f"{report.of}: {report.items:,} items, {report.total:,} findings")
    if not report.total:
        return
    print_line(counts(report.counts))
    print_line("")
    rows = [(f.check, f.path, f.detail) for f in report.first]
    print_table(("check", "path", "detail"), rows, given=given)
    if len(report.first) < report.total:
        print_note(f"the first {len(report.first):,}; list more with --limit N or --check NAME")
