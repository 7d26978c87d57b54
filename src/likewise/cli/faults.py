"""The commands that say what is wrong with data: findings, validate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import likewise
from likewise.cli.arguments import Dataset, Json, OldAnnotations, Options, Rev, parsed
from likewise.cli.output import as_json, counts, note, say, table

if TYPE_CHECKING:
    from likewise import Findings

Limit = Annotated[int, typer.Option(min=0, metavar="N", help="So many at most.")]


def findings(
    dataset: Dataset,
    check: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only findings of this check.")
    ] = None,
    limit: Limit = 20,
    rev: Rev = None,
    json: Json = False,
) -> None:
    """List what ingest found wrong with a data set, by check.

    SQL has all of them: the table DATASET_findings.
    """
    _print(likewise.findings(dataset, check=check, limit=limit, rev=rev), json=json)


def validate(  # noqa: PLR0913, PLR0917 (one is the old name of an option)
    source: Annotated[str, typer.Argument(metavar="KIND", help="The layout, fissp say.")],
    path: Annotated[Path, typer.Argument(metavar="DIR", help="The folder or archive.")],
    annotations: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Annotations, if they lie elsewhere.")
    ] = None,
    text: OldAnnotations = None,
    option: Options = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Check names and annotations against a layout's grammar.

    No catalogue is needed, and nothing is written. Exit code 1 where anything is found.
    """
    found = likewise.validate(
        source, path, annotations=annotations, options=parsed(option), limit=limit
    )
    _print(found, json=json)
    if found.total:
        raise typer.Exit(1)


def _print(found: "Findings", *, json: bool) -> None:
    if json:
        as_json(found)
        return
    say(f"{found.of}: {found.items:,} items, {found.total:,} findings")
    if not found.total:
        return
    say(counts(found.counts))
    say("")
    table(("check", "what", "detail"), [(f.check, f.path, f.detail) for f in found.first])
    if len(found.first) < found.total:
        note(f"the first {len(found.first):,}; for others: --limit N, --check NAME")
