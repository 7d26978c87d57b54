"""The command that measures the attention of models: attention."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import likewise
from likewise.cli.arguments import Json, Selection, need_folder
from likewise.cli.output import print_frame, print_frame_json, print_note, print_tip

if TYPE_CHECKING:
    import polars as pl


def attention(  # noqa: PLR0913 (a function here is a command, an argument an option)
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Models of params.yaml.")
    ],
    *,
    image: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Measure on this image.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="Measure on items of this data set.")
    ] = None,
    where: Annotated[
        str | None, typer.Option(metavar="SQL", help="Only items that meet this condition.")
    ] = None,
    selection: Selection = None,
    sample: Annotated[
        int, typer.Option(min=0, metavar="N", help="Maximum number of items; 0 for all.")
    ] = 100,
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a figure (SVG or PNG): of the layers, or for one model and image of "
            "the attention maps.",
            callback=need_folder,
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write an HTML page with the layers of all models.",
            callback=need_folder,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Measure attention distances of vision transformers.

    Variances of patch tokens are measured too. The values are those of one image, or means over
    items of a data set or view. The table on the terminal has one row per layer; --json has one
    per head.
    """
    heads = likewise.attention(
        models,
        image,
        dataset=dataset,
        where=where,
        selection=selection,
        sample=sample,
        figure=figure,
        html=html,
    )
    for file in (figure, html):
        if file:
            print_note(f"wrote {file}")
    if json:
        print_frame_json(heads)
        return
    print_frame(_layers(heads), given=models, digits=4)
    if not figure and not html:
        print_tip("add --figure layers.svg or --html layers.html for the figure")


def _layers(heads: "pl.DataFrame") -> "pl.DataFrame":
    """Return one row per layer: the mean, the least and the largest distance of its heads."""
    import polars as pl

    distance = pl.col("distance")
    return heads.group_by("model", "layer", "name", maintain_order=True).agg(
        distance.mean(),
        distance.min().alias("least"),
        distance.max().alias("largest"),
        pl.col("token_variance", "token_share").first(),
    )
