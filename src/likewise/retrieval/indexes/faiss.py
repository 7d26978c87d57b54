"""Any FAISS index, by its factory string."""

import functools
import math
import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from likewise.errors import ConfigError
from likewise.formats.array_types import BoolArray, Float32Array, FloatArray, Int64Array
from likewise.formats.counted_nouns import counted
from likewise.retrieval.indexes import index_file
from likewise.retrieval.indexes.base import (
    BuiltIndex,
    Index,
    Vectors,
    empty_results,
    settle_ties,
)
from likewise.retrieval.indexes.exact import Exact
from likewise.retrieval.indexes.faiss_door import (
    GPU_MOST,
    copy_to_gpus,
    faiss_search,
    load_faiss,
    threads,
)
from likewise.retrieval.indexes.faiss_factory import (
    check_centres,
    empty_index,
    reason_of,
    seed_kmeans,
)
from likewise.retrieval.indexes.selected_rows import SelectedRows

_FEW = 10_000
"""Up to this number of allowed rows, exact search replaces the search of cells or a graph."""

ADDED = 65_536
"""Vectors that are added at a time. The codes of a vector may depend on the others of its part
by rounding, so shards consist of whole parts."""

_TRAINED_BYTES = 1 << 30
"""Bytes of training vectors as float32, unless ``train`` gives their number."""


class Faiss(Index):
    """Any index that FAISS can build, by inner product or distance.

    The factory strings are those of the FAISS wiki: ``Flat``, ``IVF256,Flat``, ``HNSW32``,
    ``OPQ32,IVF256,PQ32``, ``IVF256,PQ32,RFlat`` ...

    Source: Douze et al., The Faiss library, 2024 (arXiv:2401.08281).

    Attributes:
        factory: factory string of the index.
        metric: ``dot`` or ``l2``. Both rank vectors of length 1 in the same order, but codes
            are better by ``l2``: PQ32 of 100,000 clustered vectors had a recall@10 of 0.82,
            and 0.78 by inner product. Scores are cosines either way.
        nprobe: number of cells that are searched (IVF).
        ef_search: number of candidates of a query (HNSW).
        refine_factor: candidates that are scored again, as a multiple of ``k`` (RFlat,
            Refine).
        parameters: other search parameters, by the names of FAISS:
            ``{quantizer_efSearch: 64, max_codes: 10000}``.
        train: number of training vectors, drawn at random; by default all vectors, or 1 GiB of
            them as float32 if they are more.
        seed: seed of the training sample and of k-means.

    The index is reproducible, so a single thread builds graphs (HNSW, NSG). Filters are exact
    and applied before the search. If FAISS cannot filter a kind of index, or runs out of
    candidates, exact search of the allowed vectors replaces it.
    """

    cached: ClassVar[bool] = True
    search_options: ClassVar[frozenset[str]] = frozenset(
        {"nprobe", "ef_search", "refine_factor", "parameters"}
    )

    factory: str = "Flat"
    metric: Literal["dot", "l2"] = "dot"
    nprobe: int | None = Field(default=None, ge=1)
    ef_search: int | None = Field(default=None, ge=1)
    refine_factor: int | None = Field(default=None, ge=1)
    parameters: dict[str, float] = Field(default_factory=dict)
    train: int | None = Field(default=None, ge=1)
    seed: int = 0

    @property
    def is_cached(self) -> bool:
        """False for ``Flat``, which would be a copy of the vectors."""
        return self.factory != "Flat"

    def build(self, vectors: Vectors, cache: Path | None = None) -> "FaissSearch":
        """Load the index from ``cache``, or train and fill it; see ``Index.build``."""
        index = None if cache is None else _load(cache, vectors)
        try:
            if index is None:
                index = self._make(vectors)
                if cache is not None and self.is_cached:
                    save(index, cache)
            self._tune(index)
        except (RuntimeError, MemoryError) as error:
            raise self.fault(error, vectors.rows, vectors.dim) from error
        return FaissSearch(index, vectors)

    def check_size(self, rows: int, dim: int) -> None:
        """Check the factory string, its number of centres, and the search parameters."""
        try:
            index = empty_index(self.factory, self.metric, rows, dim)
            self._tune(index)
            check_centres(index, min(self.train or rows, rows))
        except (RuntimeError, MemoryError) as error:
            raise self.fault(error, rows, dim) from error

    def fault(self, error: Exception, rows: int, dim: int) -> ConfigError:
        """Return an error of FAISS as one about the options."""
        what = (
            f"faiss index {self.factory!r} of {counted(rows, 'vector')} of "
            f"{counted(dim, 'dimension')}"
        )
        return ConfigError(f"{what}: {reason_of(error)}")

    def _make(self, vectors: Vectors) -> Any:
        index = self.trained(vectors)
        with self.own_threads():
            for block in vectors.stored.blocks(ADDED):
                index.add(block.astype(np.float32))
        return index

    def trained(self, vectors: Vectors) -> Any:
        """Return the empty index, trained by a sample of ``vectors``.

        Raises:
            RuntimeError: FAISS cannot make or train it.
        """
        index = empty_index(self.factory, self.metric, vectors.rows, vectors.dim)
        if not index.is_trained:
            seed_kmeans(index, self.seed)
            with self.own_threads():
                index.train(self._sample(vectors).astype(np.float32, copy=False))
        return index

    def own_threads(self) -> AbstractContextManager[None]:
        """Limit the threads while the index is trained or filled: one builds a graph."""
        return threads(1 if re.search("HNSW|NSG", self.factory) else None)

    def _sample(self, vectors: Vectors) -> FloatArray:
        """Return the training vectors; of more than ``_TRAINED_BYTES``, a random part."""
        count = min(self.train or vectors.rows, vectors.rows)
        if self.train is None:
            count = min(count, max(1, _TRAINED_BYTES // (4 * vectors.dim)))
        if count == vectors.rows:
            return vectors.read()
        draw = np.random.default_rng(self.seed).choice(vectors.rows, count, replace=False)
        return vectors.take(np.sort(draw).tolist())

    def _tune(self, index: Any) -> None:
        faiss = load_faiss()

        options = {
            "nprobe": self.nprobe,
            "efSearch": self.ef_search,
            "k_factor_rf": self.refine_factor,
            **self.parameters,
        }
        for name, value in options.items():
            if value is not None:
                faiss.ParameterSpace().set_index_parameter(index, name, value)


class FaissSearch(BuiltIndex):
    """A FAISS index with its vectors; also on GPUs if there are any that support its kind."""

    def __init__(self, index: Any, vectors: Vectors) -> None:
        """Keep the index, and the vectors for exact search."""
        self._index = index
        self._gpu = copy_to_gpus(index)
        # A flat index compares every row, so a filter costs neither time nor recall.
        self._scans = isinstance(index, load_faiss().IndexFlatCodes)
        self._flat = isinstance(index, load_faiss().IndexFlat)
        self._vectors = vectors
        self._selected = SelectedRows(vectors.stored.take, vectors.dim)

    def search(
        self, queries: Float32Array, k: int, allowed: BoolArray | None = None
    ) -> tuple[Float32Array, Int64Array]:
        """Return the ``k`` rows that the index ranks first; see ``BuiltIndex.search``."""
        width = min(k, self._vectors.rows)
        if not width or not len(queries):
            return empty_results(len(queries), width)
        if allowed is None:
            return settle_ties(*self._cosines(*self._unfiltered(queries, width)))
        if not self._scans and self.is_exact(allowed):
            return self._selected.search(queries, k, allowed)
        return self._filtered(queries, width, allowed)

    def is_exact(self, allowed: BoolArray | None = None) -> bool:
        """Return True if all rows are compared, as where a filter keeps few."""
        few = allowed is not None and int(np.count_nonzero(allowed)) <= _FEW
        return few or self._flat

    def _unfiltered(self, queries: Float32Array, width: int) -> tuple[Float32Array, Int64Array]:
        """Search without a filter, on the GPUs if possible."""
        if self._gpu is not None and width <= GPU_MOST:
            try:
                scores, rows = self._gpu.search(queries, width)
            except RuntimeError:  # too little memory, or more cells than a GPU supports
                self._gpu = None
            else:
                return scores, rows
        scores, rows = self._index.search(queries, width)
        return scores, rows

    def _cosines(
        self, scores: Float32Array, rows: Int64Array
    ) -> tuple[Float32Array, Int64Array]:
        """Convert squared distances of vectors of length 1 to cosines: 1 - distance² / 2."""
        if self._index.metric_type == load_faiss().METRIC_L2:
            scores = np.asarray(1 - scores / 2, np.float32)
        return scores, rows

    @functools.cached_property
    def _exact(self) -> BuiltIndex:
        return Exact().build(self._vectors)

    def _filtered(
        self, queries: Float32Array, width: int, allowed: BoolArray
    ) -> tuple[Float32Array, Int64Array]:
        """Search with FAISS's filter; use exact search for queries with too few results."""
        faiss = load_faiss()

        count = max(1, int(np.count_nonzero(allowed)))
        selector = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        try:
            params = _filter(self._index, selector, len(allowed) / count)
            results = faiss_search(self._index)(queries, width, params=params)
            scores, rows = self._cosines(*results)
        except RuntimeError:  # this kind does not support selectors
            return self._exact.search(queries, width, allowed)
        short = np.flatnonzero(np.count_nonzero(rows >= 0, axis=1) < min(width, count))
        if len(short):
            scores[short], rows[short] = self._exact.search(queries[short], width, allowed)
        return settle_ties(scores, rows)


def save(index: Any, path: Path) -> None:
    """Write an index with its checksum; a file that cannot be written is ignored."""
    index_file.save(path, lambda part: load_faiss().write_index(index, str(part)))


def _filter(index: Any, selector: Any, rows: float) -> Any:
    """Return search parameters with a filter; all others are copied from the index.

    The number of cells or candidates is multiplied by ``rows``, the number of rows per allowed
    row; otherwise recall would fall (1 in 2 allowed, IVF: from 0.99 to 0.92). FAISS silently
    ignores the filter in parameters of the wrong class.
    """
    faiss = load_faiss()

    index = faiss.downcast_index(index)
    if isinstance(index, faiss.IndexPreTransform):
        inner = _filter(index.index, selector, rows)
        return faiss.SearchParametersPreTransform(index_params=inner)
    if isinstance(index, faiss.IndexRefine):
        inner = _filter(index.base_index, selector, rows)
        return faiss.IndexRefineSearchParameters(
            base_index_params=inner, k_factor=index.k_factor
        )
    if isinstance(index, faiss.IndexIVF):
        return faiss.SearchParametersIVF(
            sel=selector,
            nprobe=min(index.nlist, math.ceil(index.nprobe * rows)),
            max_codes=index.max_codes,
        )
    if isinstance(index, faiss.IndexHNSW):
        candidates = math.ceil(index.hnsw.efSearch * rows)
        return faiss.SearchParametersHNSW(sel=selector, efSearch=candidates)
    return faiss.SearchParameters(sel=selector)


def _load(path: Path, vectors: Vectors) -> Any:
    """Load the index in ``path``; None if it is missing, damaged, or of other vectors."""
    faiss = load_faiss()

    if not index_file.is_complete(path):
        return None
    try:
        index = faiss.read_index(str(path))
    except RuntimeError:
        return None
    return index if (index.ntotal, index.d) == (vectors.rows, vectors.dim) else None
