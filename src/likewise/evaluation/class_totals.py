"""Sums of the values of every class, which intervals and tests resample."""

import numpy as np

from likewise.formats.array_types import Float64Array, Int64Array


def scored_only(values: Float64Array, classes: Int64Array) -> tuple[Float64Array, Int64Array]:
    """Return the values that are not NaN, and their classes."""
    scored = ~np.isnan(values)
    return values[scored], classes[scored]


def class_totals(
    values: Float64Array, classes: Int64Array
) -> tuple[Float64Array, Float64Array]:
    """Compute the sum and the number of the values of every class.

    Args:
        values: (q,) float64, one value per query.
        classes: (q,) class of every query, by any numbers.

    Returns:
        (c,) sums and (c,) numbers, in the order of the classes.
    """
    _, codes = np.unique(classes, return_inverse=True)
    sums = np.bincount(codes, weights=values).astype(np.float64)
    return sums, np.bincount(codes).astype(np.float64)
