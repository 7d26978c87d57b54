"""Exact search by each metric equals sorting all scores, for one query and for many."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from likewise.errors import ConfigError
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.base import BuiltIndex, Vectors

Floats = npt.NDArray[np.floating[Any]]


def made(rows: int, dim: int, seed: int) -> npt.NDArray[np.float32]:
    """Make vectors of different lengths, some of them equal."""
    rng = np.random.default_rng(seed)
    array = rng.standard_normal((rows, dim)) * rng.uniform(0.2, 3, (rows, 1))
    array[rng.integers(0, rows, rows // 4)] = array[0]
    return array.astype(np.float32)


def scores_of(metric: str, query: Floats, gallery: Floats) -> Floats:
    wide, q = gallery.astype(np.float64), query.astype(np.float64)
    found = -((wide - q) ** 2).sum(axis=1) if metric == "l2" else (wide * q).sum(axis=1)
    if metric == "cosine":
        found = found / np.sqrt((wide**2).sum(axis=1))
    return np.asarray(found, np.float32)


def exact(gallery: Floats, metric: str) -> BuiltIndex:
    return INDEXES.build({"kind": "exact", "metric": metric}, "x").build(
        Vectors.from_array(gallery)
    )


@pytest.mark.parametrize("metric", ["dot", "cosine", "l2"])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("count", [3, 40])
def test_exact_is_sorting_by_every_metric(metric: str, dtype: type, count: int) -> None:
    gallery: Floats = made(900, 24, 0).astype(dtype)
    queries = made(count, 24, 1)
    allowed = np.random.default_rng(2).random(900) < 0.5
    for k in (1, 30, 880, 900):
        for mask in (None, allowed):
            scores, rows = exact(gallery, metric).search(queries, k, mask)
            for i, query in enumerate(queries):
                wanted = scores_of(metric, query, gallery)
                order = [
                    r for r in np.argsort(-wanted, kind="stable") if mask is None or mask[r]
                ]
                kept = order[:k]
                assert rows[i, : len(kept)].tolist() == kept
                assert (scores[i, : len(kept)] == wanted[kept]).all()


def test_many_queries_at_once_have_the_scores_of_each_alone() -> None:
    gallery = made(3000, 16, 0)
    gallery[100:400] = gallery[7]  # more equal vectors than k
    whole = exact(gallery, "dot").search(gallery[:64], 10)
    for i in (7, 8, 63):
        alone = exact(gallery, "dot").search(gallery[i : i + 1], 10)
        assert (whole[0][i] == alone[0][0]).all()
        assert (whole[1][i] == alone[1][0]).all()


def test_an_unknown_metric_is_a_fault() -> None:
    with pytest.raises(ConfigError, match="'dot', 'cosine' or 'l2'"):
        exact(made(10, 4, 0), "manhattan")


def test_a_gallery_without_rows_has_no_hits() -> None:
    scores, rows = exact(np.empty((0, 4), np.float32), "dot").search(made(20, 4, 1), 5)
    assert scores.shape == rows.shape == (20, 0)
