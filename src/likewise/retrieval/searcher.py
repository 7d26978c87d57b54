"""Answer queries to one model's vectors of an open data set."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

from likewise.errors import (
    DataError,
    MissingArtefactError,
    StaleArtefactError,
    UnknownNameError,
)
from likewise.models import recipes
from likewise.models.passport import Passport
from likewise.pages.tiles import Pictured
from likewise.retrieval import filters
from likewise.retrieval.index_cache import Stored
from likewise.retrieval.indexes.base import NONE, Built, Mask, Rows, Scores, Vectors
from likewise.retrieval.published_dataset import PublishedDataset
from likewise.retrieval.search_query import (
    DEFAULT_K,
    Query,
    ids_like,
    query_pictures,
    read_vector,
    unit_vector,
)
from likewise.retrieval.selection import FUSED, Ranking, Rule, best_of, fused
from likewise.storage import artefacts, versions
from likewise.storage.workspace import Workspace

if TYPE_CHECKING:
    import numpy.typing as npt
    from PIL import Image

    from likewise.models.training.encode import Encoder

_SHOWN = ("item_id", "label", "text", "subset", "split")
_MASKS = 8
"""Number of filter masks kept: the pages of one search use the same filter."""


class Searchable(PublishedDataset, Pictured, Protocol):
    """An open data set that keeps searchers over its vector columns."""

    def searcher(self, model: str, index: str, *, fresh: bool = True) -> "Searcher":
        """The searcher over the vectors of ``model`` by ``index``."""
        ...


class Searcher:
    """One model's vectors, an index over them, and what the hits are called."""

    def __init__(self, dataset: Searchable, ws: Workspace, model: str, built: Built) -> None:
        """Hold the index ``built`` over the vectors of ``model``."""
        self._dataset = dataset
        self._ws = ws
        self._model = model
        self._built = built
        self._vectors = Vectors.stored(dataset.table, model)
        self._masks: dict[str, Mask] = {}
        shown = dataset.items.select(
            *_SHOWN, pl.col("image_id").alias("path"), pl.lit(dataset.name).alias("dataset")
        )
        self._ids = shown["item_id"]
        self._records = shown.rechunk().to_struct("hits")

    @classmethod
    def build(
        cls, dataset: Searchable, ws: Workspace, model: str, index: str, *, fresh: bool = True
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

    @property
    def dim(self) -> int:
        """How long the vectors are."""
        return self._vectors.dim

    def answer(self, query: Query, vectors: Scores | None = None) -> pl.DataFrame:
        """The hits of a query that was checked; with ``vectors`` (q, d) it is for these."""
        itself = tuple(self._row(item) for item in query.ids)
        if vectors is None and query.seen:
            vectors = self.vectors(query, itself)
        allowed = self._allowed(query)
        return self.hits(self._rule(query, itself), self._ranking(query, vectors, allowed))

    def none(self) -> pl.DataFrame:
        """No hit at all, as a frame."""
        return self._frame(np.empty(0, np.float32), np.empty(0, np.int64), 0)

    def many(self, vectors: Scores, itself: Rows, query: Query) -> list[pl.DataFrame]:
        """The hits of many queries (q, d), each an item (q,) of the data set or -1 for none.

        ``query`` says how to look, whatever it is that it looks for.
        """
        allowed = self._allowed(query)
        rules = [self._rule(query, (row,) if row != NONE else ()) for row in itself.tolist()]
        depth = (query.k or DEFAULT_K) + query.offset + 1
        scores, rows = self._built.search(vectors, depth, allowed)

        def ranking(number: int) -> Ranking:
            def best(wanted: int) -> tuple[Scores, Rows]:
                if wanted <= depth:
                    found = rows[number] != NONE
                    return scores[number][found][:wanted], rows[number][found][:wanted]
                return self._nearest(vectors[number : number + 1], wanted, allowed)

            return best

        return [self.hits(rule, ranking(number)) for number, rule in enumerate(rules)]

    def hits(self, rule: Rule, ranking: Ranking) -> pl.DataFrame:
        """What ``rule`` makes of a ranking, as a frame."""
        scores, rows = rule.choose(ranking, self._labels)
        return self._frame(scores, rows, rule.start)

    def _rule(self, query: Query, itself: tuple[int, ...]) -> Rule:
        count = query.k
        if count is None and query.min_score is None:
            count = DEFAULT_K
        return Rule(query.offset, count, itself, query.min_score, query.per_label)

    def _ranking(self, query: Query, vectors: Scores | None, allowed: Mask | None) -> Ranking:
        if query.text is None and vectors is not None:
            return lambda depth: self._nearest(vectors, depth, allowed)
        name = self._dataset.name
        forced = artefacts.published(self._ws, name).stage.forced
        scores, rows = filters.words(self._dataset.table, query.text or "", name, forced)
        if allowed is not None:
            scores, rows = scores[allowed[rows]], rows[allowed[rows]]
        if vectors is None:
            return lambda depth: (scores[:depth], rows[:depth])
        _, seen = self._nearest(vectors, min(FUSED, self._vectors.rows), allowed)
        both = fused(seen, rows[:FUSED])
        return lambda depth: (both[0][:depth], both[1][:depth])

    def _nearest(
        self, vectors: Scores, depth: int, allowed: Mask | None
    ) -> tuple[Scores, Rows]:
        """The rows nearest to any of (q, d) vectors."""
        scores, rows = best_of(*self._built.search(vectors, depth, allowed))
        return scores[:depth], rows[:depth]

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

    def _allowed(self, query: Query) -> Mask | None:
        """(n,) which items may be found, None for all of them."""
        by_role = self._of_role(query.role)
        if query.where is None:
            return by_role
        held = self._where(query.where)
        return held if by_role is None else held & by_role

    def _of_role(self, role: str) -> Mask | None:
        """(n,) items of a role: those of none have every role."""
        other = {"gallery": "query", "query": "gallery"}.get(role)
        roles = self._dataset.items["role"]
        if other is None or not (roles == other).any():
            return None
        mask: Mask = roles.ne_missing(other).to_numpy()
        return mask

    def _where(self, where: str) -> Mask:
        """(n,) which items ``where`` holds for; the table that is open never changes."""
        if where not in self._masks:
            if len(self._masks) == _MASKS:
                self._masks.pop(next(iter(self._masks)))
            self._masks[where] = filters.holds(self._dataset.table, where)
        return self._masks[where]

    def _frame(self, scores: Scores, rows: Rows, start: int) -> pl.DataFrame:
        # A frame's own gather waits for threads, while those of the index still spin: on a
        # busy machine one query in ten then took 10 ms more. A struct's takes one thread.
        found = self._records.gather(rows).struct.unnest()
        ranks = np.arange(start + 1, start + len(rows) + 1)
        found.insert_column(0, pl.Series("rank", ranks))
        return found.insert_column(1, pl.Series("score", scores))

    def row(self, item: str) -> int:
        """Where the item stands; -1 where there is none."""
        found = self._ids.index_of(item)
        return NONE if found is None else found

    def _row(self, item: str) -> int:
        row = self.row(item)
        if row == NONE:
            near = ids_like(self._ids, item)
            raise UnknownNameError("item", item, near, self._dataset.name)
        return row

    def vectors(self, query: Query, itself: tuple[int, ...]) -> Scores:
        """What to look for: (q, d) float32, L2-normalised; one vector of several by mean."""
        if query.images:
            found = self.encode(query_pictures(query))
        elif query.vector is None:
            found = self.taken(itself)
        else:
            found = self.fitting(read_vector(query.vector))[None, :]
        if query.combine == "mean" and len(found) > 1:
            found = unit_vector(found.mean(axis=0))[None, :]
        return found

    def encode(self, pictures: "Sequence[Image.Image]") -> Scores:
        """The vectors of pictures, by the very model that made those of the items."""
        return np.stack([unit_vector(one) for one in self._encoder.encode(pictures)])

    def taken(self, rows: Sequence[int]) -> Scores:
        """The vectors of items."""
        return np.stack([unit_vector(one) for one in self._vectors.take(list(rows))])

    def fitting(self, vector: "npt.NDArray[Any]") -> Scores:
        """A vector of the right length, made of length 1."""
        if len(vector) != self._vectors.dim:
            what = f"the query has {len(vector):,} dimensions"
            raise DataError(
                f"{what}, the vectors of {self._model!r} have {self._vectors.dim:,}"
            )
        return unit_vector(vector)

    @cached_property
    def _labels(self) -> "npt.NDArray[np.int64]":
        """(n,) class codes, -1 for none."""
        codes = self._dataset.items["label"].rank("dense").cast(pl.Int64)
        return codes.fill_null(-1).to_numpy()

    @cached_property
    def _encoder(self) -> "Encoder":
        """The very model that made the vectors."""
        folder = versions.locate(self._ws, self._ws.model(self._model))
        if not folder.is_dir():
            what = f"model {self._model!r} is not here"
            raise MissingArtefactError(what, artefacts.model(self._ws, self._model).command)
        name = self._dataset.name
        stored = Passport.from_json(
            self._dataset.table.passport(self._model), f"{name}: {self._model}"
        )
        if Passport.read(folder).identity() != stored.identity():
            what = f"the vectors of {name!r} were made by another version of {self._model!r}"
            raise StaleArtefactError(what, artefacts.published(self._ws, name).command)
        return recipes.load(folder)


def model_of(dataset: Searchable, name: str | None) -> str:
    """The model ``name``, or the only one."""
    models = dataset.models
    if name is None and len(models) == 1:
        return models[0]
    if name is None and models:
        raise DataError(f"{dataset.name} has several models; name one: {', '.join(models)}")
    asked = name or ""
    dataset.need_model(asked)
    return asked
