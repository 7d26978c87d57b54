"""Which of what an index ranks are hits: thresholds, variety, pages, several queries."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from likewise.formats.array_types import Float32Array, Int64Array
from likewise.retrieval.indexes.base import NONE, settle_ties

Ranker = Callable[[int], tuple[Float32Array, Int64Array]]
"""The best so many rows of a query: scores and rows, best first; fewer where there are."""

RRF_CONSTANT = 60
"""The constant of reciprocal rank fusion: what its authors found to serve best."""

FUSION_DEPTH = 1000
"""How deep the lists are that are fused; a page further on sees the same lists."""

_MORE = 4


@dataclass(frozen=True)
class HitSelection:
    """What makes hits of a ranking.

    Attributes:
        start: so many of the best are left out: a page begins there.
        count: how many hits there are to be; None for all.
        without: rows that are no hits: what was searched for.
        min_score: no hit has less.
        per_label: so many hits a label at most; an item without a label is like no other.
    """

    start: int
    count: int | None
    without: tuple[int, ...] = ()
    min_score: float | None = None
    per_label: int | None = None

    def choose(self, ranking: Ranker, labels: Int64Array) -> tuple[Float32Array, Int64Array]:
        """The hits: scores and rows, best first.

        Args:
            ranking: asked for more until there are enough.
            labels: (n,) class codes of all rows, -1 for none.
        """
        total = len(labels)
        need = total if self.count is None else min(total, self.start + self.count)
        depth = need + len(self.without)
        while True:
            depth = min(depth, total)
            scores, rows = ranking(depth)
            # An index that finds no more at this depth will find none further down.
            over = depth >= total or len(rows) < depth or self._passed(scores)
            scores, rows = self._kept(scores, rows, labels)
            if len(rows) >= need or over:
                end = None if self.count is None else self.start + self.count
                return scores[self.start : end], rows[self.start : end]
            depth *= _MORE

    def _passed(self, scores: Float32Array) -> bool:
        return self.min_score is not None and bool((scores < self.min_score).any())

    def _kept(
        self, scores: Float32Array, rows: Int64Array, labels: Int64Array
    ) -> tuple[Float32Array, Int64Array]:
        kept = ~np.isin(rows, self.without)
        if self.min_score is not None:
            kept &= scores >= self.min_score
        scores, rows = scores[kept], rows[kept]
        if self.per_label is None or not len(rows):
            return scores, rows
        of = pl.DataFrame({"label": labels[rows]})
        nth = of.select(pl.int_range(pl.len()).over("label").alias("nth"))["nth"].to_numpy()
        few = (nth < self.per_label) | (labels[rows] < 0)
        return scores[few], rows[few]


def merge_best(scores: Float32Array, rows: Int64Array) -> tuple[Float32Array, Int64Array]:
    """Several queries' lists as one: every row with its greatest score, best first.

    Args:
        scores: (q, k).
        rows: (q, k); -1 where a list is shorter.
    """
    scores, rows = settle_ties(scores.reshape(1, -1), rows.reshape(1, -1))
    found = rows[0] != NONE
    scores, rows = scores[0][found], rows[0][found]
    _, first = np.unique(rows, return_index=True)
    order = np.sort(first)
    return scores[order], rows[order]


def fuse_rankings(*lists: Int64Array) -> tuple[Float32Array, Int64Array]:
    """Rankings (k,) as one: reciprocal rank fusion, the sum of 1 / (60 + rank) over lists.

    Cormack, Clarke, Buettcher: Reciprocal Rank Fusion outperforms Condorcet and individual
    Rank Learning Methods, SIGIR 2009. Ranks count from 1.
    """
    rows = np.concatenate(lists)
    parts = np.concatenate([1 / (RRF_CONSTANT + 1.0 + np.arange(len(one))) for one in lists])
    distinct, place = np.unique(rows, return_inverse=True)
    sums = np.bincount(place, weights=parts, minlength=len(distinct)).astype(np.float32)
    order = np.lexsort((distinct, -sums))
    return sums[order], distinct[order]
