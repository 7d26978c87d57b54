"""Commands that write files: export, report, attention."""

from pathlib import Path
from typing import Annotated

import typer

import likewise
from likewise.cli.arguments import Json, Model, Rev, Run, need_folder, parse_options
from likewise.cli.output import (
    counts,
    print_frame,
    print_frame_json,
    print_json,
    print_line,
    print_next,
    print_note,
    print_table,
    print_tip,
)
from likewise.errors import size_text

SHOWN = 10
"""Number of skipped items that are listed."""


def export(  # noqa: PLR0913 (a function here is a command, an argument an option)
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="Published data set.")],
    format_: Annotated[
        str,
        typer.Argument(metavar="FORMAT", help="Format, or an entry of exports in params.yaml."),
    ],
    *,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="New folder to write.")],
    where: Annotated[
        str | None,
        typer.Option(metavar="SQL", help="Export only items that match, e.g. split = 'test'."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option", "-o", metavar="KEY=VALUE", help="Option of the format; repeatable."
        ),
    ] = None,
    json: Json = False,
    rev: Rev = None,
) -> None:
    """Export a data set to a format of other programs.

    Formats: coco, croissant, csv, embeddings, folder, huggingface, image-matrix, imagenet-npz,
    parquet, voc, webdataset, yolo. Image files are copied unchanged if the format
    allows it. The licence of the data set is checked for research use; for other uses, set
    --option purpose=commercial or purpose=sharing.
    """
    options = parse_options(option)
    done = likewise.export(dataset, format_, to, where=where, options=options, rev=rev)
    if json:
        print_json({**vars(done), "folder": str(done.folder), "reasons": done.reasons()})
    else:
        _print_export(done)
    for text in done.notes:
        print_note(f"note: {text}")
    if not json:
        print_next(f"read {done.folder}/export.yaml: licence, options and digests")


def _print_export(done: "likewise.Exported") -> None:
    """Print what an export wrote and the first items that it skipped."""
    print_line(
        f"{done.dataset} as {done.format}: {done.items:,} items in {done.images:,} images; "
        f"{done.files:,} files, {size_text(done.nbytes)} in {done.folder}"
    )
    if not done.left_out:
        return
    print_line(f"skipped: {len(done.left_out):,}: {counts(done.reasons())}")
    print_table(("id", "check", "detail"), done.left_out[:SHOWN])
    if len(done.left_out) > SHOWN:
        print_line(f"... and {len(done.left_out) - SHOWN:,} more: {done.folder}/left_out.jsonl")


def report(
    run: Run,
    json: Json = False,
) -> None:
    """Write the report of a run as one self-contained HTML page.

    The report is also written as Markdown and JSON, and its curves as files for `dvc plots`.
    """
    files = likewise.report(run)
    if json:
        print_json(files)
    else:
        print_line(f"{run}: {files.page}, {files.markdown}, {files.json}")
        print_line(f"curves: {', '.join(files.plots)}")
        print_next(f"dvc plots show {' '.join(files.plots)}")


def attention(
    model: Model,
    image: Annotated[Path, typer.Option(metavar="FILE", help="Input image.")],
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write an SVG of distances and attention maps.",
            callback=need_folder,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Measure the attention distance of every head of a transformer."""
    heads = likewise.attention(model, image, figure=figure)
    if figure:
        print_note(f"wrote {figure}")
    if json:
        print_frame_json(heads)
    else:
        print_frame(heads, digits=4)
        if not figure:
            print_tip("add --figure heads.svg for the attention maps")
