"""Score the rankings of a protocol after a re-ranker has changed them.

The query itself is taken out before the re-ranker works, unless the protocol ranks it: a search
knows its query. All other exclusions (junk, items of the same camera) come from a ground truth
that a search does not know. These items therefore take part in the re-ranking, as in the
authors' programs, and are removed from the result.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.paired_metrics import RerankedMetrics, compared_metrics
from likewise.evaluation.protocols.base import Evaluation
from likewise.evaluation.protocols.inputs import as_vectors, l2_normalised
from likewise.evaluation.protocols.parts import own_rows, rank_in_parts
from likewise.evaluation.protocols.query_sets import RetrievalTask, checked_task
from likewise.evaluation.protocols.retrieval import TOP, Retrieval, take_rows
from likewise.evaluation.protocols.scoring_notes import norm_notes
from likewise.evaluation.protocols.spec import ProtocolSpec
from likewise.evaluation.protocols.stored_vectors import (
    divisors,
    rank_stored,
    stored_gallery,
    stored_norms,
    taken,
)
from likewise.evaluation.ranking import (
    Progress,
    Ranking,
    blocks,
    rank_vectors,
    without_first,
)
from likewise.evaluation.ranking.reordered import Pairs, reordered
from likewise.evaluation.ranking.reranking import GalleryReranker, QueryBatch, RerankGallery
from likewise.formats.array_types import AnyArray, Float32Array, Float64Array
from likewise.formats.vector_blocks import VectorBlocks

ReadQueries = Callable[[slice], Float32Array]
"""Function that returns the vectors of a slice of the queries."""


@dataclass(frozen=True)
class RerankedEvaluation:
    """The results of one protocol without and with a re-ranker."""

    without: Evaluation
    reranked: Evaluation

    def result(self, reranker: dict[str, Any]) -> Evaluation:
        """Return the result with the re-ranker, and its paired differences to that without.

        The rows of queries get the column ``value_without``.

        Args:
            reranker: kind and all options of the re-ranker, as reports record them.
        """
        first, second = self.without, self.reranked
        both = first.queries.join(
            second.queries, on="item_id", suffix="_second", maintain_order="left"
        )
        rows = compared_metrics(both, list(first.metrics), first.protocol)
        at = second.queries.columns.index("value") + 1
        queries = second.queries.clone()
        queries.insert_column(at, first.queries["value"].alias("value_without"))
        return replace(second, queries=queries, reranking=RerankedMetrics(reranker, rows))


def evaluate_reranked(
    protocol: Retrieval,
    vectors: AnyArray | VectorBlocks,
    rows: pl.DataFrame,
    rerank: RerankGallery,
    *,
    progress: Progress | None = None,
) -> RerankedEvaluation:
    """Rank the gallery for every query by vectors, re-rank it, and score both rankings.

    Args:
        protocol: the protocol.
        vectors: (n, d), one per item; see ``Protocol.evaluate_vectors``.
        rows: the n items.
        rerank: returns the re-ranker of a gallery.
        progress: called with the number of finished queries of the first ranking.

    Raises:
        DataError: as ``Protocol.evaluate_vectors``; or the protocol changes scores.
    """
    spec = protocol.task_spec
    task = checked_task(protocol.name, spec, rows)
    refuse_zeros(protocol.name, task)
    ranked, norms = _ranked_vectors(vectors, rows, normalise=spec.normalise)
    plain: list[Ranking] = []

    def rank_part(part: RetrievalTask, report: Progress | None) -> Ranking:
        reranking = _PartReranking(ranked, part, rerank, spec)
        first, second = reranking.rank(TOP + spec.drop_first, report)
        plain.append(first)
        return second

    second = rank_in_parts(task, rank_part, progress)
    first = rank_in_parts(task, lambda part, report: plain.pop(0))
    notes = [*norm_notes(protocol.name, spec, norms), *task.notes]
    without, reranked = (
        protocol.summarise(without_first(one) if spec.drop_first else one, task, rows, notes)
        for one in (first, second)
    )
    return RerankedEvaluation(without, reranked)


def refuse_zeros(protocol: str, task: RetrievalTask) -> None:
    """Refuse a protocol that sets scores to 0, because new scores would replace them.

    Raises:
        DataError: the protocol does so.
    """
    if task.zero_scored is not None:
        raise DataError(
            f"{protocol} sets scores of masked items to 0 before it ranks, so its lists cannot "
            "be re-ranked; compcars-lopq leaves these items out"
        )


class _RankedVectors(ABC):
    """The vectors of all items, by which the gallery of a task is ranked."""

    @abstractmethod
    def gallery(self, task: RetrievalTask) -> VectorBlocks:
        """Return the vectors of the gallery."""

    @abstractmethod
    def queries(self, task: RetrievalTask) -> ReadQueries:
        """Return the function that reads vectors of queries."""

    @abstractmethod
    def rank(
        self, task: RetrievalTask, read: ReadQueries, top: int, progress: Progress | None
    ) -> Ranking:
        """Rank the gallery by the vectors that ``read`` returns."""


@dataclass(frozen=True)
class _VectorsInMemory(_RankedVectors):
    vectors: Float32Array

    def gallery(self, task: RetrievalTask) -> VectorBlocks:
        return VectorBlocks.from_array(take_rows(self.vectors, task.gallery))

    def queries(self, task: RetrievalTask) -> ReadQueries:
        return lambda chosen: self.vectors[task.queries[chosen]]

    def rank(
        self, task: RetrievalTask, read: ReadQueries, top: int, progress: Progress | None
    ) -> Ranking:
        gallery = take_rows(self.vectors, task.gallery)
        queries = read(slice(0, len(task.queries)))
        return rank_vectors(
            queries, gallery, task.relevant, task.left_out, top=top, progress=progress
        )


@dataclass(frozen=True)
class _StoredVectors(_RankedVectors):
    vectors: VectorBlocks
    norms: Float64Array | None

    def gallery(self, task: RetrievalTask) -> VectorBlocks:
        return stored_gallery(self.vectors, task, self.norms)

    def queries(self, task: RetrievalTask) -> ReadQueries:
        lengths = divisors(self.norms)
        return lambda chosen: taken(self.vectors, task.queries[chosen], lengths)

    def rank(
        self, task: RetrievalTask, read: ReadQueries, top: int, progress: Progress | None
    ) -> Ranking:
        return rank_stored(
            self.vectors, task, self.norms, top=top, read=read, progress=progress
        )


def _ranked_vectors(
    vectors: AnyArray | VectorBlocks, rows: pl.DataFrame, *, normalise: bool
) -> tuple[_RankedVectors, Float64Array]:
    """Return the vectors as a protocol ranks them, and their norms (n,)."""
    if isinstance(vectors, VectorBlocks):
        norms = stored_norms(vectors, rows["item_id"])
        return _StoredVectors(vectors, norms if normalise else None), norms
    ready, norms = as_vectors(vectors, rows["item_id"])
    return _VectorsInMemory(l2_normalised(ready, norms) if normalise else ready), norms


class _PartReranking:
    """The first and the second ranking of the gallery of one task."""

    def __init__(
        self,
        vectors: _RankedVectors,
        task: RetrievalTask,
        rerank: RerankGallery,
        spec: ProtocolSpec,
    ) -> None:
        own = 0 if spec.query_in_gallery else 1  # the query itself is excluded first
        self._vectors, self._task = vectors, task
        self._own, self._others = task.left_out[:own], task.left_out[own:]
        self._read = vectors.queries(task)
        self._excluded = own_rows(task, spec)[:, None]
        self._reranker: GalleryReranker = rerank(vectors.gallery(task), task.gallery)

    def rank(self, top: int, progress: Progress | None) -> tuple[Ranking, Ranking]:
        """Return the ranking without and with the re-ranker, each with ``top`` first hits."""
        vectors, task, reranker = self._vectors, self._task, self._reranker
        if not reranker.top:
            first = vectors.rank(task, self._read, top, progress)
            return first, vectors.rank(task, self._expanded, top, None)
        pairs = Pairs.of(task.relevant, self._others, len(task.gallery))
        depth = max(reranker.top, top + pairs.most_excluded)
        asked = replace(task, relevant=pairs.groups, left_out=self._own)
        first = vectors.rank(asked, self._read, depth, progress)
        hits = first.top_rows[:, : reranker.top]
        scores = np.full(hits.shape, -np.inf, np.float32)
        for chosen in blocks(len(hits), hits.shape[1] * 64):
            scores[chosen] = reranker.rescore(self._batch(chosen), hits[chosen])
        if self._others:
            plain = vectors.rank(task, self._read, top, None)
        else:
            plain = replace(
                first, top_rows=first.top_rows[:, :top], top_scores=first.top_scores[:, :top]
            )
        return plain, reordered(first, plain, pairs, scores, top=top)

    def _batch(self, chosen: slice) -> QueryBatch:
        return QueryBatch(
            self._read(chosen), self._excluded[chosen], self._task.queries[chosen]
        )

    def _expanded(self, chosen: slice) -> Float32Array:
        """Return the expanded vectors of a slice of the queries."""
        start = chosen.start or 0
        parts = [
            self._reranker.expand(self._batch(slice(start + part.start, start + part.stop)))
            for part in blocks(chosen.stop - start, self._vectors_bytes)
        ]
        return np.concatenate(parts)

    @property
    def _vectors_bytes(self) -> int:
        return int(4 * self._read(slice(0, 1)).shape[1])
