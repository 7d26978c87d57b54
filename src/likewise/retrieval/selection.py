"""Select hits from rankings: thresholds, hits per label, pages; merge and fuse rankings."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from likewise.formats.array_types import Float32Array, Int64Array
from likewise.retrieval.indexes.base import NONE, settle_ties
from likewise.retrieval.search_query import DEFAULT_K, Query

Ranker = Callable[[int], tuple[Float32Array, Int64Array]]
"""Function from a depth to the scores and rows of at most that many best rows, best first."""

RRF_CONSTANT = 60
"""Constant of reciprocal rank fusion; 60 is the value that its authors recommend."""

FUSION_DEPTH = 1000
"""Length of the lists that are fused; it does not depend on the page."""

_DEPTH_FACTOR = 4
"""Factor by which the depth of a ranking grows until it has enough hits."""


@dataclass(frozen=True)
class HitSelection:
    """Options that select the hits from a ranking.

    Attributes:
        offset: number of best hits to skip; the page begins there.
        count: maximum number of hits; None for all.
        excluded: rows that are never hits, such as the query itself.
        min_score: minimum score of a hit.
        per_label: maximum number of hits per label; items without a label are not limited.
    """

    offset: int
    count: int | None
    excluded: tuple[int, ...] = ()
    min_score: float | None = None
    per_label: int | None = None

    @classmethod
    def from_query(cls, query: Query, query_rows: tuple[int, ...]) -> "HitSelection":
        """Return the selection that the options of a query describe, without ``query_rows``."""
        count = query.k
        if count is None and query.min_score is None:
            count = DEFAULT_K
        return cls(query.offset, count, query_rows, query.min_score, query.per_label)

    def select(
        self, ranker: Ranker, total: int, labels: Callable[[], Int64Array]
    ) -> tuple[Float32Array, Int64Array]:
        """Return the scores and rows of the hits, best first.

        Args:
            ranker: called with growing depths until there are enough hits.
            total: number n of all rows.
            labels: function that returns the class codes (n,) of all rows, -1 for none; it is
                called only if the hits per label are limited.
        """
        need = total if self.count is None else min(total, self.offset + self.count)
        depth = need + len(self.excluded)
        while True:
            depth = min(depth, total)
            scores, rows = ranker(depth)
            # An index that returns fewer rows than this depth has no others.
            exhausted = depth >= total or len(rows) < depth or self._reached_min_score(scores)
            scores, rows = self._filter(scores, rows, labels)
            if len(rows) >= need or exhausted:
                end = None if self.count is None else self.offset + self.count
                return scores[self.offset : end], rows[self.offset : end]
            depth *= _DEPTH_FACTOR

    def _reached_min_score(self, scores: Float32Array) -> bool:
        return self.min_score is not None and bool((scores < self.min_score).any())

    def _filter(
        self, scores: Float32Array, rows: Int64Array, labels: Callable[[], Int64Array]
    ) -> tuple[Float32Array, Int64Array]:
        if self.excluded:
            mask = ~np.isin(rows, self.excluded)
            scores, rows = scores[mask], rows[mask]
        if self.min_score is not None:
            mask = scores >= self.min_score
            scores, rows = scores[mask], rows[mask]
        if self.per_label is None or not len(rows):
            return scores, rows
        codes = labels()[rows]
        hit_labels = pl.DataFrame({"label": codes})
        nth = hit_labels.select(pl.int_range(pl.len()).over("label").alias("nth"))[
            "nth"
        ].to_numpy()
        mask = (nth < self.per_label) | (codes < 0)
        return scores[mask], rows[mask]


def merge_best(scores: Float32Array, rows: Int64Array) -> tuple[Float32Array, Int64Array]:
    """Merge the lists of several queries: every row with its greatest score, best first.

    Args:
        scores: (q, k).
        rows: (q, k); -1 where a list is shorter.
    """
    if len(rows) == 1:
        valid = rows[0] != NONE
        return scores[0][valid], rows[0][valid]
    scores, rows = settle_ties(scores.reshape(1, -1), rows.reshape(1, -1))
    valid = rows[0] != NONE
    scores, rows = scores[0][valid], rows[0][valid]
    _, first = np.unique(rows, return_index=True)
    order = np.sort(first)
    return scores[order], rows[order]


def fuse_rankings(*lists: Int64Array) -> tuple[Float32Array, Int64Array]:
    """Fuse rankings (k,) of rows by the sum of 1 / (60 + rank): reciprocal rank fusion.

    Cormack, Clarke, Buettcher: Reciprocal Rank Fusion outperforms Condorcet and individual
    Rank Learning Methods, SIGIR 2009. Ranks count from 1.
    """
    rows = np.concatenate(lists)
    terms = np.concatenate([1 / (RRF_CONSTANT + 1.0 + np.arange(len(rank))) for rank in lists])
    distinct, inverse = np.unique(rows, return_inverse=True)
    sums = np.bincount(inverse, weights=terms, minlength=len(distinct)).astype(np.float32)
    order = np.lexsort((distinct, -sums))
    return sums[order], distinct[order]
