"""Answer queries to one model's vectors of an open data set."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl

from likewise.formats.array_types import BoolArray, Float32Array, Int64Array
from likewise.formats.progress_note import progress_note
from likewise.formats.unit_vectors import unit_vectors
from likewise.pages.tiles import Pictured
from likewise.retrieval import filters
from likewise.retrieval.fallback import IndexWithFallback
from likewise.retrieval.hit_records import HitRecords
from likewise.retrieval.index_cache import CachedIndex
from likewise.retrieval.indexes.base import NONE, BuiltIndex, Vectors
from likewise.retrieval.item_filter import ItemFilter
from likewise.retrieval.published_dataset import PublishedDataset
from likewise.retrieval.query_encoder import QueryEncoder
from likewise.retrieval.query_vectors import QueryVectors
from likewise.retrieval.reranking.applied import AppliedReranker
from likewise.retrieval.reranking.base import Reranker
from likewise.retrieval.reranking.local_features import GalleryPictures
from likewise.retrieval.reranking.searched import SearchReranking, batch
from likewise.retrieval.reranking.searched_gallery import Gallery
from likewise.retrieval.search_query import DEFAULT_K, Query, query_pictures
from likewise.retrieval.selection import (
    FUSION_DEPTH,
    HitSelection,
    Ranker,
    fuse_rankings,
    merge_best,
)
from likewise.storage import artefacts
from likewise.storage.workspace import Workspace

if TYPE_CHECKING:
    from PIL import Image


class Searchable(PublishedDataset, Pictured, Protocol):
    """An open data set that caches searchers over its vector columns."""

    def images_at(self, positions: Sequence[int]) -> "list[Image.Image]":
        """Return the images of the items at some positions."""
        ...

    def searcher(self, model: str, index: str, *, fresh: bool = True) -> "Searcher":
        """Return the searcher over the vectors of ``model`` by ``index``."""
        ...


class Searcher:
    """Search one model's vectors of a data set by an index, and name the hits."""

    def __init__(
        self,
        dataset: Searchable,
        ws: Workspace,
        model: str,
        open_index: Callable[[], BuiltIndex],
    ) -> None:
        """Search the vectors of ``model`` by the index that ``open_index`` returns.

        The index is opened when a valid query needs it.
        """
        self._dataset = dataset
        self._ws = ws
        self._model = model
        self._open_index = open_index
        self._vectors = Vectors.from_column(dataset.table, model, ws.params.memory)
        self._filter = ItemFilter(dataset)
        self._records = HitRecords(dataset.table, dataset.name, ws.params.memory)

    @classmethod
    def build(
        cls, dataset: Searchable, ws: Workspace, model: str, index: str, *, fresh: bool = True
    ) -> "Searcher":
        """Build a searcher by the index ``index`` of params.yaml over the vectors of ``model``.

        If ``fresh``, a cached index is used only if it covers exactly the present vectors;
        otherwise exact search completes a cached index of earlier vectors.

        If not ``fresh``, the index is opened by the first query, after its checks.

        Raises:
            UnknownNameError: no such index.
            StaleArtefactError: the cached index has other vectors or options.
            ConfigError: the options are wrong, or do not suit the vectors.
        """
        cached = CachedIndex(ws, dataset, model, index)
        cached.options()
        if not fresh:
            return cls(dataset, ws, model, cached.open)
        current = cached.build_current()
        return cls(dataset, ws, model, lambda: current)

    @cached_property
    def _built(self) -> BuiltIndex:
        with progress_note(f"read the vectors of {self._dataset.name} by {self._model}"):
            return self._open_index()

    @cached_property
    def _complete(self) -> BuiltIndex:
        return IndexWithFallback(self._built, self._vectors)

    @cached_property
    def _rerankings(self) -> SearchReranking:
        params, vectors = self._ws.params, self._vectors.stored
        return SearchReranking(params, vectors, self._complete, self._pictures)

    @cached_property
    def _pictures(self) -> GalleryPictures:
        return GalleryPictures(self._dataset.images_at, None, self._ws.params.memory)

    def warm(self, *, encoder: bool, text: bool = False) -> None:
        """Read the vectors or the index and the hits' columns; load the model on request.

        Args:
            encoder: load the model, for queries by picture.
            text: load its text tower, for queries by text.
        """
        if encoder:
            self.encoder.load()
        if text:
            self.encoder.load_text()
        self._records.warm()
        if self._vectors.rows:
            vector = self._vectors.take([0]).astype(np.float32)
            self._complete.search(vector, 1, None)

    @property
    def dim(self) -> int:
        """Number of dimensions of the vectors."""
        return self._vectors.dim

    def answer(self, query: Query, vectors: Float32Array | None = None) -> pl.DataFrame:
        """Return the hits of a valid query; ``vectors`` (q, d) replace those of the query."""
        query_rows = tuple(self._dataset.positions([*query.ids, *query.unlikes]).tolist())
        allowed = self.allowed(query)
        if vectors is None and query.uses_vectors:
            vectors = self.query_vectors(query, query_rows[: len(query.ids)])
        selection = HitSelection.from_query(query, query_rows)
        if query.rerank is not None and vectors is not None:
            item = query_rows[0] if len(query.ids) == 1 else NONE
            queries = batch(vectors, [query_rows], [item])
            lists = self._rerankings.lists(query, queries, allowed)
            return self._select_hits(selection, lambda depth: lists.best(0, depth))
        return self._select_hits(selection, self._ranker(query, vectors, allowed))

    def is_exact(self, query: Query) -> bool:
        """Return True if the search compares all items that ``query`` allows."""
        return query.uses_vectors and self._complete.is_exact(self.allowed(query))

    def no_hits(self) -> pl.DataFrame:
        """Return an empty frame with the columns of hits."""
        return self._frame(np.empty(0, np.float32), np.empty(0, np.int64), 0)

    def answer_many(
        self, vectors: Float32Array, query_rows: Int64Array, query: Query
    ) -> list[pl.DataFrame]:
        """Return the hits of many queries, one frame per query.

        Args:
            vectors: (q, d) vectors of the queries.
            query_rows: (q,) rows of the queries that are items of the data set; -1 for others.
            query: the options of all queries; its image, id and vector are not used.
        """
        allowed, own = self.allowed(query), query_rows.tolist()
        excluded = [(row,) if row != NONE else () for row in own]
        selections = [HitSelection.from_query(query, rows) for rows in excluded]
        if query.rerank is not None:
            lists = self._rerankings.lists(query, batch(vectors, excluded, own), allowed)
            return [
                self._select_hits(selection, partial(lists.best, number))
                for number, selection in enumerate(selections)
            ]
        depth = (query.k or DEFAULT_K) + query.offset + 1
        scores, rows = self._complete.search(vectors, depth, allowed)

        def ranker(number: int) -> Ranker:
            def best(count: int) -> tuple[Float32Array, Int64Array]:
                if count <= depth:
                    valid = rows[number] != NONE
                    return scores[number][valid][:count], rows[number][valid][:count]
                return self._nearest(vectors[number : number + 1], count, allowed)

            return best

        return [
            self._select_hits(selection, ranker(number))
            for number, selection in enumerate(selections)
        ]

    def _select_hits(self, selection: HitSelection, ranker: Ranker) -> pl.DataFrame:
        """Return the hits that ``selection`` takes from a ranking, as a frame."""
        scores, rows = selection.select(ranker, self._vectors.rows, lambda: self._labels)
        return self._frame(scores, rows, selection.offset)

    def _ranker(
        self, query: Query, vectors: Float32Array | None, allowed: BoolArray | None
    ) -> Ranker:
        if query.keywords is None and vectors is not None:
            return lambda depth: self._nearest(vectors, depth, allowed)
        name, words = self._dataset.name, query.keywords or ""
        forced = artefacts.published(self._ws, name).stage.forced
        scores, rows = filters.match_keywords(self._dataset.table, words, name, forced)
        if allowed is not None:
            scores, rows = scores[allowed[rows]], rows[allowed[rows]]
        if vectors is None:
            return lambda depth: (scores[:depth], rows[:depth])
        _, nearest = self._nearest(vectors, min(FUSION_DEPTH, self._vectors.rows), allowed)
        fused_scores, fused_rows = fuse_rankings(nearest, rows[:FUSION_DEPTH])
        return lambda depth: (fused_scores[:depth], fused_rows[:depth])

    def _nearest(
        self, vectors: Float32Array, depth: int, allowed: BoolArray | None
    ) -> tuple[Float32Array, Int64Array]:
        """Return scores and rows of the ``depth`` rows nearest to any of (q, d) vectors."""
        scores, rows = merge_best(*self._complete.search(vectors, depth, allowed))
        return scores[:depth], rows[:depth]

    def gallery_reranker(
        self, options: Reranker, queries: Int64Array, gallery: Int64Array
    ) -> tuple[AppliedReranker, Float32Array]:
        """Apply a re-ranker to a gallery of items, with neighbours by the index itself.

        Args:
            options: the re-ranker.
            queries: (q,) rows of the query items, whose vectors (q, d) are returned too.
            gallery: (n,) rows of the gallery items.
        """
        mask = self._mask(gallery)
        applied = Gallery(self._vectors.stored, self._built, mask, self._pictures)
        return AppliedReranker(options, applied), applied.take(queries)

    def rankings(
        self, queries: Int64Array, gallery: Int64Array, depth: int
    ) -> tuple[Float32Array, Int64Array]:
        """Rank a gallery of items for each query item; the query itself is not left out.

        Args:
            queries: (q,) rows of the query items.
            gallery: (n,) rows of the gallery items, ascending.
            depth: maximum length of a ranking.

        Returns:
            Scores and positions in ``gallery``, (q, min(depth, n)) each; -inf and -1 where the
            index returns fewer.
        """
        vectors = unit_vectors(self._vectors.take(queries.tolist()))
        allowed = self._mask(gallery)
        scores, rows = self._built.search(vectors, min(depth, len(gallery)), allowed)
        positions = np.full(self._vectors.rows + 1, NONE)
        positions[gallery] = np.arange(len(gallery))
        return scores, positions[rows]

    def _mask(self, gallery: Int64Array) -> BoolArray | None:
        """Return the mask (n,) of the rows ``gallery``; None if these are all rows."""
        everything = len(gallery) == self._vectors.rows
        return None if everything else np.isin(np.arange(self._vectors.rows), gallery)

    def allowed(self, query: Query) -> BoolArray | None:
        """Return a mask (n,) of the items that may be hits; see ``ItemFilter.allowed``."""
        return self._filter.allowed(query.role, query.where, query.selection)

    def _frame(self, scores: Float32Array, rows: Int64Array, start: int) -> pl.DataFrame:
        hits = self._records.at(rows)
        hits.insert_column(0, pl.Series("rank", np.arange(start + 1, start + len(rows) + 1)))
        return hits.insert_column(1, pl.Series("score", scores))

    def rows(self, items: Sequence[str]) -> Int64Array:
        """Return the rows (items,) of items; -1 where there is no such item."""
        return self._dataset.find(items)

    def query_vectors(self, query: Query, query_rows: tuple[int, ...]) -> Float32Array:
        """Return the L2-normalised vectors (q, d) of a query; ``mean`` makes one of several."""
        pictures = query_pictures(query)
        if pictures or query.uses_texts:
            _ = self._built  # refuse an unreadable index before a model is loaded
        unlike = self._dataset.positions(query.unlikes).tolist()
        return self.vectors.of(query, pictures, query_rows, unlike)

    @cached_property
    def vectors(self) -> QueryVectors:
        """Vectors of queries; the model is loaded when the first picture or text needs it."""
        return QueryVectors(self._vectors, self.encoder, self._model)

    @cached_property
    def encoder(self) -> QueryEncoder:
        """The encoder of queries; the model is loaded when the first picture needs it."""
        return QueryEncoder(self._dataset, self._ws, self._model)

    @cached_property
    def _labels(self) -> Int64Array:
        """Class codes (n,); -1 for items without a label."""
        codes = self._dataset.table.read(["label"])["label"].rank("dense").cast(pl.Int64)
        return codes.fill_null(-1).to_numpy()
