"""The commands that write for others: export for programs, pages and figures for people."""

from pathlib import Path
from typing import Annotated

import typer

import likewise
from likewise.cli.arguments import Json, Model, Rev, Run, parsed
from likewise.cli.output import (
    as_json,
    counts,
    frame_as_json,
    frame_as_table,
    note,
    say,
    table,
)

SHOWN = 10
"""So many of what was left out are named."""


def export(  # noqa: PLR0913 (a function here is a command, an argument an option)
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="A published data set.")],
    format_: Annotated[
        str,
        typer.Argument(metavar="FORMAT", help="A kind, or a name of params.yaml's exports."),
    ],
    *,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="A folder that is new.")],
    where: Annotated[
        str | None, typer.Option(metavar="SQL", help="Only these: split = 'test'.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", metavar="KEY=VALUE", help="An option; repeatable."),
    ] = None,
    json: Json = False,
    rev: Rev = None,
) -> None:
    """Write a data set in a format that other programs read.

    Formats: coco, croissant, csv, embeddings, folder, huggingface, image-matrix, imagenet-npz,
    parquet, voc, webdataset, yolo. The images' bytes stay as they are wherever the format can
    hold them. The licence of the data set is heeded: say --option purpose=commercial, or
    sharing, where it is not research.
    """
    options = parsed(option)
    done = likewise.export(dataset, format_, to, where=where, options=options, rev=rev)
    if json:
        as_json({**vars(done), "folder": str(done.folder), "reasons": done.reasons()})
    else:
        _told(done)
    for text in done.notes:
        note(f"note: {text}")


def _told(done: "likewise.Exported") -> None:
    """What an export wrote, and the first of what it left out."""
    say(
        f"{done.dataset} as {done.format}: {done.items:,} items in {done.images:,} images; "
        f"{done.files:,} files, {done.nbytes / 1e6:,.1f} MB in {done.folder}"
    )
    if not done.left_out:
        return
    say(f"left out: {len(done.left_out):,}: {counts(done.reasons())}")
    table(("id", "check", "detail"), done.left_out[:SHOWN])
    if len(done.left_out) > SHOWN:
        say(f"... and {len(done.left_out) - SHOWN:,} more: {done.folder}/left_out.jsonl")


def report(
    run: Run,
    json: Json = False,
) -> None:
    """Write a run's report as one page that opens offline.

    The same is written as Markdown and JSON, and its curves for `dvc plots`.
    """
    made = likewise.report(run)
    if json:
        as_json(made)
    else:
        say(f"{run}: {made.page}, {made.markdown}, {made.json}")
        say(f"curves: dvc plots show {' '.join(made.plots)}")


def attention(
    model: Model,
    image: Annotated[Path, typer.Option(metavar="FILE", help="A picture to look at.")],
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write an SVG: how far, and at what.")
    ] = None,
    json: Json = False,
) -> None:
    """Show how far every head of a transformer looks, and where."""
    found = likewise.attention(model, image, figure=figure)
    if figure:
        note(f"wrote {figure}")
    if json:
        frame_as_json(found)
    else:
        frame_as_table(found)
