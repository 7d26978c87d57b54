"""Find the items nearest to a picture, an item or a vector; show them on a page."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from likewise import commits
from likewise.errors import DataError
from likewise.imaging.sheet import Tile, sheet, thumbnail
from likewise.steps import asked
from likewise.steps.asked import Numbers, Picture
from likewise.steps.open import Dataset, open_catalogue
from likewise.steps.searcher import search_in


def search(  # noqa: PLR0913 (a query by keyword, every part but one optional)
    dataset: str,
    *,
    model: str | None = None,
    image: Picture | None = None,
    id: str | None = None,
    vector: Numbers | None = None,
    k: int = 10,
    where: str | None = None,
    index: str | None = None,
    rev: str | None = None,
    workspace: Path | None = None,
) -> pl.DataFrame:
    """The ``k`` items of a data set nearest to a picture, to one of its items or to a vector.

    Args:
        dataset: its name.
        model: whose vectors to compare; by default the only model there is.
        image: a file, its bytes or an opened picture; embedded by the model.
        id: an item of the data set; it is itself left out of the hits.
        vector: a vector, or a file with one (``.npy`` ...); its length is of no matter.
        k: how many hits; fewer where fewer items there are.
        where: SQL; only the items for which it holds are compared. Texts stand in single
            quotes: ``label = 'cat' AND split <> 'test'``.
        index: an index of params.yaml; by default ``exact``.
        rev: a git revision, to search the data set as it was then.
        workspace: a folder in the catalogue; by default the current one.

    Returns:
        rank (from 1), score (the cosine), item_id, label, text, subset, split and path (of the
        image); the nearest first, equal scores in the data set's order.

    Raises:
        DataError: the query is none: no picture, another length, wrong SQL ...
        UnknownNameError: no such data set, model, item or index.
        MissingArtefactError: the data set was not published, or the model is not here.
        StaleArtefactError: the vectors were made by another version of the model.
    """
    found = open_catalogue(dataset, rev=rev, workspace=workspace)
    return search_in(
        found, model=model, image=image, id=id, vector=vector, k=k, where=where, index=index
    )


def write_sheet(  # noqa: PLR0913 (what was searched for, by keyword)
    dataset: str,
    hits: pl.DataFrame,
    file: Path,
    *,
    image: Picture | None = None,
    id: str | None = None,
    note: str = "",
    rev: str | None = None,
    workspace: Path | None = None,
) -> None:
    """Write a page that shows the pictures of a search's ``hits``, and of the query.

    Args:
        dataset: the name of the data set that was searched.
        hits: what ``search`` returned.
        file: the page; it needs no other file and no network.
        image: the picture that was searched for,
        id: ... or the item.
        note: a line about the search: the model, the filter.
        rev: the git revision that was searched.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: the data set's images are not here.
        DataError: the page cannot be written.
    """
    opened = open_catalogue(dataset, rev=rev, workspace=workspace)
    query, label = None, None
    if id is not None:
        label = _facts(opened, [id])["label"][0]
        query = _tiles(opened, [id])[0]
    elif image is not None:
        name = Path(image).name if isinstance(image, Path | str) else "a picture"
        encoded = asked.encoded(image) if isinstance(image, Path | str) else image
        query = Tile(name, thumbnail(encoded))
    found = [
        replace(tile, score=score, same=None if label is None else hit == label)
        for tile, score, hit in zip(
            _tiles(opened, hits["item_id"].to_list()), hits["score"], hits["label"], strict=True
        )
    ]
    try:
        commits.write_text(file, sheet(opened.card.title, query, found, note))
    except OSError as error:
        raise DataError(f"{file} cannot be written: {error.strerror}") from error


def _tiles(dataset: Dataset, items: Sequence[str]) -> list[Tile]:
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
