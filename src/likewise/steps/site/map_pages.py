"""The pages of maps of a static site."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from likewise.catalogue.dataset import Dataset
from likewise.catalogue.item_places import METHODS, item_places
from likewise.errors import DataError
from likewise.formats.counted_nouns import counted
from likewise.pages.item_map import Panel, map_page, meaning
from likewise.pages.map_colours import MOST_COLOURS, in_words
from likewise.pages.written import write_page
from likewise.storage.workspace import Workspace


def check_maps(ws: Workspace, dataset: str, maps: Sequence[str]) -> None:
    """Refuse maps of other data sets.

    Raises:
        UnknownNameError: params.yaml has no such map.
        DataError: a map shows another data set, or ``maps`` is a text.
    """
    if isinstance(maps, str):
        raise DataError(f"maps is the text {maps!r:.80}; give a list of maps")
    for name in maps:
        of = ws.map(name).dataset
        if of != ws.params.base(dataset):
            raise DataError(f"map {name!r} shows {of!r}, not {dataset!r}")


def write_maps(
    ws: Workspace, opened: Dataset, items: pl.DataFrame, part: Path, maps: Sequence[str]
) -> list[dict[str, str]]:
    """Write a page for each map, with the chosen items only; return their links."""
    column = _column(items)
    links = []
    for name in maps:
        places = item_places(ws, name, opened.table, [column, "text"])
        chosen = places.filter(pl.col("item_id").is_in(items["item_id"].implode()))
        entry = ws.map(name)
        title = f"{entry.model}: {METHODS[entry.method]}"
        points = np.asarray(chosen.select("x", "y").to_numpy(), np.float32)
        values = chosen[column]
        values = in_words(values, chosen["text"]) if column == "label" else values
        note = f"{len(chosen):,} of {counted(len(items), 'item')} of this site on the map."
        note += f" {meaning([title], [values], column)}"
        panels = [Panel(title, points, values)]
        page = map_page(opened.card.title, panels, column, note, "index.html")
        write_page(part / f"map-{name}.html", page)
        links.append({"file": f"map-{name}.html", "title": f"{name} ({title})"})
    return links


def _column(items: pl.DataFrame) -> str:
    """Return the column that colours the maps: the first one with few values, else label."""
    for column in ("label", "subset", "role", "split"):
        if column in items.columns and 1 < items[column].n_unique() <= MOST_COLOURS:
            return column
    return "label"
