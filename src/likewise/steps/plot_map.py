"""Draw maps of the items of a data set, side by side."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset import Dataset
from likewise.catalogue.item_places import METHODS, item_places
from likewise.errors import DataError
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.pages.item_map import Panel, map_figure, map_page, meaning
from likewise.pages.map_colours import in_words
from likewise.pages.written import write_page
from likewise.storage.workspace import Workspace


def plot_map(
    names: str | Sequence[str],
    *,
    by: str | None = None,
    html: StrPath | None = None,
    svg: StrPath | None = None,
    workspace: StrPath | None = None,
) -> pl.DataFrame:
    """Draw maps of a data set, coloured by a column of its items.

    Maps of several models are drawn side by side, with one legend. A column of more than 18
    values has colours for the most frequent ones; numbers with many values have a scale.

    Args:
        names: a map of params.yaml, or several maps of one data set.
        by: a column of the items, such as ``label``; by default the first one of subset, role
            and split that has several values.
        html: a page to write.
        svg: a figure to write.
        workspace: a folder in the catalogue; by default the current one.

    Returns:
        One row per map and item that has a place, in the order of the items: map, item_id, x,
        y, fitted (see the table ``maps``) and the column ``by``, if there is one.

    Raises:
        UnknownNameError: params.yaml has no such map.
        MissingArtefactError: a map was not made, or the data set is not published.
        DataError: the maps are of different data sets, there is no such column, or a file
            cannot be written.

    Example:
        With ``maps: {plane: {dataset: emoji, model: tiny}}`` in params.yaml:

        >>> _ = likewise.map("plane")
        >>> places = likewise.plot_map("plane", by="label", svg="plane.svg")
        >>> places.columns, len(places)
        (['map', 'item_id', 'x', 'y', 'fitted', 'label'], 23)
    """
    ws = open_workspace(workspace)
    asked = [names] if isinstance(names, str) else list(names)
    datasets = sorted({ws.map(name).dataset for name in asked})
    if len(datasets) != 1:
        listed = ", ".join(datasets) or "none"
        raise DataError(f"maps of one data set are drawn together; these are of: {listed}")
    dataset = Dataset(ws, datasets[0])
    column = _column(dataset, by)
    columns = [column] if column else []
    places = [
        item_places(ws, name, dataset.table, list(dict.fromkeys([*columns, "text"])))
        for name in asked
    ]
    panels = [
        Panel(
            _title(ws, name),
            np.asarray(frame.select("x", "y").to_numpy(), np.float32),
            _values(frame, column),
        )
        for name, frame in zip(asked, places, strict=True)
    ]
    frames = [
        frame.select(pl.lit(name).alias("map"), "item_id", "x", "y", "fitted", *columns)
        for name, frame in zip(asked, places, strict=True)
    ]
    title = f"Map of {dataset.card.title}"
    shown = meaning([p.title for p in panels], [p.values for p in panels], column)
    note = f"{_note(frames, len(dataset))} {shown}"
    if html is not None:
        write_page(html, map_page(title, panels, column, note))
    if svg is not None:
        write_page(svg, map_figure(panels, column, title, note))
    return pl.concat(frames)


def _column(dataset: Dataset, by: str | None) -> str | None:
    """Return the column that colours the maps; None for none.

    Raises:
        DataError: there is no such column, or it has lists or vectors.
    """
    if by is None:
        for column in ("subset", "role", "split"):
            if dataset.table.read([column])[column].n_unique() > 1:
                return column
        return None
    dataset.table.need_column(by)
    if (
        by not in dataset.table.metadata_columns
        or dataset.table.read([by])[by].dtype.is_nested()
    ):
        raise DataError(f"the column {by!r} has lists or vectors; choose one of single values")
    return by


def _values(frame: pl.DataFrame, column: str | None) -> pl.Series:
    """Return the values that colour a map: classes in words, if they have any."""
    if column is None:
        return pl.repeat(None, len(frame), dtype=pl.String, eager=True)
    return in_words(frame[column], frame["text"]) if column == "label" else frame[column]


def _title(ws: Workspace, name: str) -> str:
    entry = ws.map(name)
    return f"{entry.model}: {METHODS[entry.method]}"


def _note(frames: Sequence[pl.DataFrame], items: int) -> str:
    """Describe how many items the maps show, and how they were placed."""
    shown = len(frames[0])
    placed = max(int((~frame["fitted"]).sum()) for frame in frames)
    text = f"{shown:,} of {counted(items, 'item')}."
    if placed:
        text += f" {placed:,} of them are placed between their nearest fitted neighbours."
    return text
