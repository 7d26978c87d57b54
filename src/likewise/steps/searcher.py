"""Answer queries to one model's vectors of an open data set."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from likewise import recipes, versions
from likewise.errors import (
    DataError,
    MissingArtefactError,
    StaleArtefactError,
    UnknownNameError,
)
from likewise.indexes.base import NONE, Built, Mask, Rows, Scores, Vectors
from likewise.passport import Passport
from likewise.steps import asked
from likewise.steps.asked import Query
from likewise.steps.indexing import EXACT, Stored
from likewise.workspace import Workspace

if TYPE_CHECKING:
    from likewise.steps.open import Dataset
    from likewise.training.encode import Encoder

_SHOWN = ("item_id", "label", "text", "subset", "split")
_MASKS = 8
"""So many filters are kept: pages of the same search ask for the same one."""


def search_in(dataset: "Dataset", **query: Any) -> pl.DataFrame:
    """The same in a data set that is open; its arguments are those of ``search``.

    The second query by the same model and index finds all of it in memory.
    """
    wanted = Query(**query)
    wanted.check()
    model = _model(dataset, wanted.model)
    return dataset.searcher(model, wanted.index or EXACT, fresh=False).answer(wanted)


class Searcher:
    """One model's vectors, an index over them, and what the hits are called."""

    def __init__(self, dataset: "Dataset", ws: Workspace, model: str, built: Built) -> None:
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
    def build(
        cls, dataset: "Dataset", ws: Workspace, model: str, index: str, *, fresh: bool = True
    ) -> "Searcher":
        """Search by the index ``index`` of params.yaml over the vectors of ``model``.

        The one that is kept is used: for a ``fresh`` one only where it is of just these
        vectors, else completed by exact search of what it does not cover.

        Raises:
            UnknownNameError: no such index.
            StaleArtefactError: the one that is kept is of other vectors or options.
            ConfigError: its options are wrong, or do not suit the vectors.
        """
        stored = Stored(ws, dataset, model, index)
        return cls(dataset, ws, model, stored.fresh() if fresh else stored.opened())

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

    def rankings(self, queries: Rows, gallery: Rows, depth: int) -> tuple[Scores, Rows]:
        """What the index ranks for some items, the item itself among them.

        Args:
            queries: (q,) the items that query.
            gallery: (n,) the items that are ranked, ascending.
            depth: how many hits to ask for.

        Returns:
            Scores and positions in ``gallery``, (q, min(depth, n)) each; -1 and -inf where the
            index finds no more.
        """
        vectors = self._vectors.read()[queries].astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        everything = len(gallery) == self._vectors.rows
        allowed = None if everything else np.isin(np.arange(self._vectors.rows), gallery)
        scores, rows = self._built.search(vectors, min(depth, len(gallery)), allowed)
        place = np.full(self._vectors.rows + 1, NONE)
        place[gallery] = np.arange(len(gallery))
        return scores, place[rows]

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


def _model(dataset: "Dataset", name: str | None) -> str:
    """The model ``name``, or the only one."""
    models = dataset.models
    if name is None and len(models) == 1:
        return models[0]
    if name is None and models:
        raise DataError(f"{dataset.name} has several models; name one: {', '.join(models)}")
    asked = name or ""
    dataset.need_model(asked)
    return asked


def _passport(dataset: "Dataset", model: str) -> bytes:
    passport: bytes = dataset.table.schema.field(model).metadata[b"passport"]
    return passport
