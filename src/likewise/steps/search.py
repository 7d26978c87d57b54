"""Find the items nearest to a picture, an item or a vector; show them on a page."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from likewise import commits, recipes, versions
from likewise.errors import (
    DataError,
    MissingArtefactError,
    StaleArtefactError,
    UnknownNameError,
)
from likewise.imaging.sheet import Tile, sheet, thumbnail
from likewise.indexes import INDEXES
from likewise.indexes.base import NONE, Built, Mask, Rows, Scores, Vectors
from likewise.passport import Passport
from likewise.steps import asked
from likewise.steps.asked import Numbers, Picture, Query
from likewise.steps.open import Dataset, open_catalogue
from likewise.workspace import Workspace

if TYPE_CHECKING:
    from likewise.training.encode import Encoder

EXACT = "exact"
"""The index that is always there, whatever params.yaml says."""

_SHOWN = ("item_id", "label", "text", "subset", "split")
_HASHED = 100_000
_MASKS = 8
"""So many filters are kept: pages of the same search ask for the same one."""


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
    found = open_catalogue(dataset, workspace=workspace)
    return search_in(
        found, model=model, image=image, id=id, vector=vector, k=k, where=where, index=index
    )


def search_in(dataset: Dataset, **query: Any) -> pl.DataFrame:
    """The same in a data set that is open; its arguments are those of ``search``.

    The second query by the same model and index finds all of it in memory.
    """
    wanted = Query(**query)
    wanted.check()
    model = _model(dataset, wanted.model)
    return dataset.searcher(model, wanted.index or EXACT).answer(wanted)


class Searcher:
    """One model's vectors, an index over them, and what the hits are called."""

    def __init__(self, dataset: Dataset, ws: Workspace, model: str, built: Built) -> None:
        """Hold the index ``built`` over the vectors of ``model``."""
        self._dataset = dataset
        self._ws = ws
        self._model = model
        self._built = built
        self._vectors = Vectors.stored(dataset.table, model)
        self._masks: dict[str, Mask] = {}
        shown = dataset.items.select(*_SHOWN, pl.col("image_id").alias("path"))
        self._ids = shown["item_id"]
        self._records = shown.rechunk().to_struct("hits")

    @classmethod
    def build(cls, dataset: Dataset, ws: Workspace, model: str, index: str) -> "Searcher":
        """Build the index ``index`` of params.yaml over the vectors of ``model``.

        Raises:
            UnknownNameError: no such index.
            ConfigError: its options are wrong, or do not suit the vectors.
        """
        entries = {EXACT: {"kind": "exact"}, **ws.params.indexes}
        if index not in entries:
            raise UnknownNameError("index", index, entries, "params.yaml")
        part = INDEXES.build(entries[index], f"params.yaml: indexes.{index}")
        cache = None
        if part.cached:
            mark = _mark(dataset, model, {**part.model_dump(), "kind": entries[index]["kind"]})
            cache = ws.private / "indexes" / f"{mark}.{entries[index]['kind']}"
        built = part.build(Vectors.stored(dataset.table, model), cache)
        return cls(dataset, ws, model, built)

    def answer(self, query: Query) -> pl.DataFrame:
        """The hits of a query that was checked."""
        itself = self._row(query.id)
        vector = self._vector(query, itself)
        allowed = None if query.where is None else self._allowed(query.where)
        # One more than asked for, because the item itself goes.
        wanted = query.k + (itself != NONE)
        scores, rows = self._built.search(vector[None, :], wanted, allowed)
        hits = (rows[0] != NONE) & (rows[0] != itself)
        return self._frame(scores[0][hits][: query.k], rows[0][hits][: query.k])

    def rankings(self, depth: int) -> Rows:
        """What the index ranks for every item: (items, depth) rows, the item itself among them.

        Where the index finds fewer for some item, all rankings are cut to that many.
        """
        queries = self._vectors.read().astype(np.float32)
        queries /= np.linalg.norm(queries, axis=1, keepdims=True)
        _, rows = self._built.search(queries, min(depth, len(queries)))
        return rows[:, : int((rows != NONE).sum(axis=1).min())]

    def _allowed(self, where: str) -> Mask:
        """(n,) which items ``where`` holds for; the table that is open never changes."""
        if where not in self._masks:
            if len(self._masks) == _MASKS:
                self._masks.pop(next(iter(self._masks)))
            self._masks[where] = asked.holds(self._dataset.table, where)
        return self._masks[where]

    def _frame(self, scores: Scores, rows: Rows) -> pl.DataFrame:
        # A frame's own gather waits for threads, while those of the index still spin: on a
        # busy machine one query in ten then took 10 ms more. A struct's takes one thread.
        found = self._records.gather(rows).struct.unnest()
        found.insert_column(0, pl.Series("rank", np.arange(1, len(rows) + 1)))
        return found.insert_column(1, pl.Series("score", scores))

    def _row(self, item: str | None) -> int:
        """Where the item stands; -1 for none."""
        if item is None:
            return NONE
        row = self._ids.index_of(item)
        if row is None:
            near = asked.like(self._ids, item)
            raise UnknownNameError("item", item, near, self._dataset.name)
        return row

    def _vector(self, query: Query, row: int) -> Scores:
        """What to look for: (d,) float32, L2-normalised."""
        if query.image is not None:
            return asked.unit(self._encoder.encode([asked.picture(query.image)])[0])
        if query.vector is None:
            return asked.unit(self._vectors.take([row])[0])
        vector = asked.vector(query.vector)
        if len(vector) != self._vectors.dim:
            what = f"the query has {len(vector):,} dimensions"
            raise DataError(
                f"{what}, the vectors of {self._model!r} have {self._vectors.dim:,}"
            )
        return asked.unit(vector)

    @cached_property
    def _encoder(self) -> "Encoder":
        """The very model that made the vectors."""
        folder = versions.present(self._ws, self._ws.model(self._model))
        if not folder.is_dir():
            what = f"model {self._model!r} is not here"
            raise MissingArtefactError(what, f"dvc repro train@{self._model}")
        name = self._dataset.name
        stored = Passport.from_json(
            _passport(self._dataset, self._model), f"{name}: {self._model}"
        )
        if Passport.read(folder).identity() != stored.identity():
            what = f"the vectors of {name!r} were made by another version of {self._model!r}"
            raise StaleArtefactError(what, f"dvc repro publish@{name}")
        return recipes.load(folder)


def write_sheet(  # noqa: PLR0913 (what was searched for, by keyword)
    dataset: str,
    hits: pl.DataFrame,
    file: Path,
    *,
    image: Picture | None = None,
    id: str | None = None,
    note: str = "",
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
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: the data set's images are not here.
        DataError: the page cannot be written.
    """
    opened = open_catalogue(dataset, workspace=workspace)
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


def _model(dataset: Dataset, name: str | None) -> str:
    """The model ``name``, or the only one."""
    models = dataset.models
    if name is None and len(models) == 1:
        return models[0]
    if name is None and models:
        raise DataError(f"{dataset.name} has several models; name one: {', '.join(models)}")
    asked = name or ""
    dataset.need_model(asked)
    return asked


def _passport(dataset: Dataset, model: str) -> bytes:
    passport: bytes = dataset.table.schema.field(model).metadata[b"passport"]
    return passport


def _mark(dataset: Dataset, model: str, entry: Mapping[str, Any]) -> str:
    """What tells an index from every other: its options, and the vectors in their order.

    All of it is read from the table that is open, so another version that is published
    meanwhile is never taken for it.
    """
    field = dataset.table.schema.field(model)
    hasher = hashlib.sha256(f"likewise index 1 {field.type}\n".encode())
    hasher.update(json.dumps(dict(entry), sort_keys=True).encode())
    hasher.update(_passport(dataset, model))
    for part in dataset.items.select("item_id", "content").iter_slices(_HASHED):
        hasher.update(json.dumps(part.to_dict(as_series=False)).encode())
    return hasher.hexdigest()[:32]


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
