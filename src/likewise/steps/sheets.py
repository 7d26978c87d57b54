"""Show a search's hits as pictures: on a page, or in one picture."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import polars as pl

from likewise.catalogue.dataset import Dataset
from likewise.errors import DataError
from likewise.formats.paths import StrPath
from likewise.pages.contact_sheet import contact_sheet
from likewise.pages.gallery import Tile, search_page, thumbnail
from likewise.retrieval.search_options import Box, Picture
from likewise.retrieval.search_query import (
    Query,
    as_list,
    image_bytes,
    open_picture,
    query_pictures,
)
from likewise.steps.open import open as open_catalogue
from likewise.storage import journal


def write_sheet(  # noqa: PLR0913 (what was searched for, by keyword)
    dataset: str | Sequence[str],
    hits: pl.DataFrame,
    file: StrPath,
    *,
    image: Picture | Sequence[Picture] | None = None,
    id: str | Sequence[str] | None = None,
    box: Box | None = None,
    note: str = "",
    kind: Literal["html", "png"] = "html",
    rev: str | None = None,
    workspace: StrPath | None = None,
) -> None:
    """Write a page that shows the pictures of a search's ``hits``, and of the query.

    Args:
        dataset: the name of the data set that was searched, or of several.
        hits: what ``search`` returned.
        file: where; a page needs no other file and no network.
        image: the picture that was searched for, or several,
        id: ... or the item.
        box: the part of the picture.
        note: a line about the search: the model, the filter.
        kind: a page, or one picture (``png``), as for a paper.
        rev: the git revision that was searched.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: the data set's images are not here.
        DataError: the page cannot be written.
    """
    opened = {
        name: open_catalogue(name, rev=rev, workspace=workspace) for name in as_list(dataset)
    }
    first = next(iter(opened.values()))
    wanted = Query(image=image, id=id, box=box)
    query, labels = _query(first, wanted), set()
    if wanted.ids:
        labels = set(_facts(first, wanted.ids)["label"])
    tiles = {
        name: iter(tiles_of(one, hits.filter(pl.col("dataset") == name)["item_id"].to_list()))
        for name, one in opened.items()
    }
    found = [
        replace(next(tiles[name]), score=score, same=label in labels if labels else None)
        for name, score, label in hits.select("dataset", "score", "label").iter_rows()
    ]
    title = ", ".join(one.card.title for one in opened.values())
    try:
        if kind == "png":
            journal.write_bytes(Path(file), contact_sheet(title, query, found, note))
        else:
            journal.write_text(Path(file), search_page(title, query, found, note))
    except OSError as error:
        raise DataError(f"{file} cannot be written: {error.strerror}") from error


def _query(dataset: Dataset, query: Query) -> list[Tile]:
    """What was searched for, as far as it is pictures."""
    if query.ids:
        return tiles_of(dataset, query.ids)
    tiles = []
    for image in query.images:
        name = Path(image).name if isinstance(image, str | os.PathLike) else "a picture"
        data = (
            image_bytes(image)
            if isinstance(image, str | os.PathLike | bytes)
            else open_picture(image)
        )
        if query.box is not None:
            data = query_pictures(replace(query, image=image))[0]
        tiles.append(Tile(name, thumbnail(data)))
    return tiles


def tiles_of(dataset: Dataset, items: Sequence[str]) -> list[Tile]:
    """The pictures of ``items`` and their classes."""
    facts = _facts(dataset, items)
    pictures = dataset.images(items, encoded=True) if items else []
    return [
        Tile(name, thumbnail(data, box), text or label)
        for data, (name, text, label, box) in zip(
            pictures, facts.select("item_id", "text", "label", "box").iter_rows(), strict=True
        )
    ]


def _facts(dataset: Dataset, items: Sequence[str]) -> pl.DataFrame:
    """The rows of ``items``, in that order."""
    wanted = pl.DataFrame({"item_id": items}, schema={"item_id": pl.String})
    return wanted.join(dataset.items, on="item_id", how="left", maintain_order="left")
