"""Suspects as one page of pictures, each next to its neighbours."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from likewise.catalogue.ingested_tiles import ingested_tiles
from likewise.pages.gallery import Tile
from likewise.pages.rendering import render
from likewise.storage.workspace import Workspace

SHOWN = 60
"""Maximum number of suspects that are shown."""


@dataclass(frozen=True)
class ShownSuspect:
    """A suspect on a page: its picture, its neighbours, and the facts; labels with names."""

    tile: Tile
    neighbours: list[Tile]
    suggested: str
    quality: float
    methods: str
    command: str | None


def suspects_page(
    ws: Workspace,
    dataset: str,
    summary: str,
    rows: pl.DataFrame,
    most: int,
    names: Mapping[str, str] | None = None,
) -> str:
    """Return the page of the first ``most`` suspects.

    Args:
        ws: the catalogue.
        dataset: the data set.
        summary: a sentence about the numbers of suspects.
        rows: the suspects.
        most: maximum number of suspects.
        names: label -> its name, for labels that have one.

    Raises:
        MissingArtefactError: the data set was not ingested.
    """
    shown = list(_shown(ws, dataset, rows.head(most), names or {}))
    title = ws.card(dataset).title
    return render(
        "suspects.html", title=title, summary=summary, suspects=shown, total=len(rows)
    )


def _shown(
    ws: Workspace, dataset: str, rows: pl.DataFrame, names: Mapping[str, str]
) -> Iterator[ShownSuspect]:
    records = rows.to_dicts()
    near = (one["item_id"] for row in records for one in row["neighbours"])
    tiles = ingested_tiles(ws, dataset, [*rows["item_id"], *near])

    def with_name(label: str) -> str:
        name = names.get(label)
        return f"{label} ({name})" if name and name != label else label

    for row in records:
        tile = _tile(tiles, row["item_id"], with_name(row["label"]))
        neighbours = [
            replace(
                _tile(tiles, one["item_id"], with_name(one["label"])),
                score=one["cosine"],
                same=one["label"] == row["label"],
            )
            for one in row["neighbours"]
        ]
        yield ShownSuspect(
            tile,
            neighbours,
            with_name(row["suggested"]),
            row["quality"],
            _methods(row),
            row["command"],
        )


def _tile(tiles: dict[str, Tile], item: str, label: str) -> Tile:
    return replace(tiles[item], name=item, label=label)


def _methods(row: dict[str, Any]) -> str:
    names = {"outvoted": "neighbours", "confident": "confident learning"}
    return " and ".join(name for key, name in names.items() if row[key])
