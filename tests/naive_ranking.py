"""Ranks by sorting everything, with which ranks by counting are compared."""

import numpy as np
from hypothesis import settings

from likewise.evaluation.ranking import (
    Groups,
    Progress,
    Ranking,
    RelevantRanks,
    rank_lists,
    rank_vectors,
)
from likewise.formats.array_types import Float32Array, Int64Array

NOBODY = -1
steady = settings(deadline=None, max_examples=50)


def naive(
    scores: Float32Array, query_labels: Int64Array, labels: Int64Array, exclude: Int64Array
) -> list[list[int]]:
    """Rank by sorting everything: score descending, then row ascending."""
    found = []
    for row, label, left_out in zip(scores, query_labels, exclude, strict=True):
        order = np.lexsort((np.arange(len(row)), -row))
        order = order[order != left_out]
        found.append((np.flatnonzero((labels[order] == label) & (label >= 0)) + 1).tolist())
    return found


def ranking(
    queries: Float32Array,
    gallery: Float32Array,
    query_labels: Int64Array,
    labels: Int64Array,
    exclude: Int64Array,
    progress: Progress | None = None,
) -> Ranking:
    """Items with the label of the query are relevant; one item per query may be left out."""
    relevant = Groups.alike(query_labels, labels)
    left_out = [Groups.one(exclude)]
    return rank_vectors(queries, gallery, relevant, left_out, top=7, progress=progress)


def of_lists(
    lists: Int64Array, query_labels: Int64Array, labels: Int64Array, exclude: Int64Array
) -> RelevantRanks:
    relevant = Groups.alike(query_labels, labels)
    return rank_lists(lists, relevant, [Groups.one(exclude)], len(labels)).ranked


def per_query(ranked: RelevantRanks) -> list[list[int]]:
    return [part.tolist() for part in np.split(ranked.ranks, ranked.offsets[1:-1])]


def whole(count: int, seed: int, spread: int = 3) -> tuple[Float32Array, Int64Array]:
    """Draw vectors of small integers: products are exact, many are equal, many negative."""
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-spread, spread + 1, (count, 4)).astype(np.float32)
    return vectors, rng.integers(-1, max(count // 8, 1), count)
