"""The mean of the means of subsets, with its confidence intervals."""

import numpy as np
import polars as pl

from likewise.evaluation.significance import (
    Interval,
    bootstrap,
    smallest_difference,
    standard_error,
)
from likewise.formats.array_types import Float64Array, Int64Array


def subset_weights(values: Float64Array, subsets: Int64Array) -> Float64Array:
    """Compute the weights with which a mean is the mean of the subsets' means.

    ``n / (s * n_s)`` for a query of a subset with n_s of the n scored queries, s being the
    number of subsets.

    Args:
        values: (q,) one value per query; NaN if the query is not scored.
        subsets: (q,) subset of every query, from 0; -1: none.

    Returns:
        (q,) weights with the sum n; 0 for queries that are not scored or have no subset.
    """
    scored = ~np.isnan(values) & (subsets >= 0)
    sizes = np.bincount(subsets[scored], minlength=int(subsets.max(initial=0)) + 1)
    weights: Float64Array = np.zeros(len(values))
    count = np.count_nonzero(sizes)
    weights[scored] = scored.sum() / (count * sizes[subsets[scored]])
    return weights


def weighted_by_subset(values: Float64Array, subsets: pl.Series) -> Float64Array:
    """Weight values so that their plain mean is the mean of the subsets' means.

    Args:
        values: (q,) one value per query; NaN if the query is not scored.
        subsets: (q,) subset of every query.

    Returns:
        (q,) float64, NaN for queries that are not scored or have no subset.
    """
    numbers = subsets.rank("dense").cast(pl.Int64).fill_null(0).to_numpy() - 1
    weights = subset_weights(values, numbers)
    return np.where(weights > 0, values * weights, np.nan)


def weighted_interval(
    values: Float64Array, classes: Int64Array, weights: Float64Array
) -> Interval:
    """Compute ``sum(w * v) / sum(w)`` and its bootstrap intervals, as ``interval`` does.

    Args:
        values: (q,) one value per query; NaN if the query is not scored.
        classes: (q,) class of every query, by any numbers.
        weights: (q,) weights; queries with the weight 0 do not count.
    """
    kept = ~np.isnan(values) & (weights > 0)
    values, classes, weights = values[kept], classes[kept], weights[kept]
    _, numbers = np.unique(classes, return_inverse=True)
    sums = np.bincount(numbers, weights=weights * values).astype(np.float64)
    sizes = np.bincount(numbers, weights=weights).astype(np.float64)
    error = standard_error(sums, sizes)
    return Interval(
        float(sums.sum() / sizes.sum()),
        *bootstrap(sums, sizes),
        *bootstrap(weights * values, weights),
        len(values),
        len(sums),
        smallest_difference(error * np.sqrt(2)),
    )
