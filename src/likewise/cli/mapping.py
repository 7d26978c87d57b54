"""Commands of maps: map and plot-map."""

from pathlib import Path
from typing import Annotated

import typer

import likewise
from likewise.cli.arguments import Json, need_folder
from likewise.cli.output import (
    print_frame_json,
    print_line,
    print_next,
    print_note,
    print_tip,
)
from likewise.formats.counted_nouns import counted


def place_items(
    name: Annotated[str, typer.Argument(metavar="MAP", help="Map of params.yaml.")],
) -> None:
    """Place a data set on a plane by PCA, t-SNE or UMAP.

    The places are a table: likewise query reads it as map_NAME.
    """
    done = likewise.map(name)
    left = f", {done.left_out:,} left out" if done.left_out else ""
    print_line(
        f"{name}: {counted(done.contents, 'content')}, {done.fitted:,} by the method, "
        f"{done.placed:,} between neighbours{left}"
    )
    print_next(f"likewise plot-map {name} --html map.html")


def plot_map(
    names: Annotated[list[str], typer.Argument(metavar="MAP...", help="Maps of one data set.")],
    by: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column that colours the items.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write an HTML page.", callback=need_folder),
    ] = None,
    svg: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write an SVG figure.", callback=need_folder),
    ] = None,
    json: Json = False,
) -> None:
    """Draw maps side by side, coloured by a column of the items."""
    if html is None and svg is None and not json:
        raise typer.BadParameter("give --html FILE, --svg FILE or --json", param_hint="--html")
    places = likewise.plot_map(names, by=by, html=html, svg=svg)
    for file in (html, svg):
        if file:
            print_note(f"wrote {file}")
    if json:
        print_frame_json(places)
    else:
        print_tip(f"open {html or svg}")
