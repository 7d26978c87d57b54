"""Average precision in all the ways in which it is counted: one value a query."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from likewise.errors import DataError
from likewise.evaluation.ranking import Ints, Ranked

Values = npt.NDArray[np.float64]
Denominator = Literal["hits", "relevant", "smaller", "constant"]


def average_precision(
    ranked: Ranked, denominator: Denominator = "relevant", k: int | None = None
) -> Values:
    """Mean of the precisions at the ranks of the relevant items, from 0 to 1.

    ``(1/P) * sum(j / rank_j)`` over the relevant items of the first ``k``, j counting them from
    1. The denominator P is

    - ``"relevant"``: the relevant items of the gallery, so that one which the list lacks counts
      as precision 0 (the standard definition; NaN where nothing is relevant);
    - ``"hits"``: those in the first ``k``, so that a shorter list scores higher; 0 where it has
      none. This is what GPR1200's own script and torchmetrics divide by;
    - ``"smaller"``: the smaller of ``k`` and the relevant items, so that 1 can be reached;
    - ``"constant"``: ``k``, however many are relevant.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4.

    Returns:
        (q,) float64.

    Raises:
        DataError: the lists are cut before ``k``.
    """
    first = at_most(ranked, k)
    query = first.query()
    sums = np.bincount(query, weights=first.nth() / first.ranks, minlength=len(first))
    if denominator == "hits":
        return sums / np.maximum(first.hits(), 1)
    rank = ranked.depth if k is None else k
    divisors = {
        "relevant": ranked.relevant,
        "smaller": np.minimum(ranked.relevant, rank),
        "constant": np.full(len(ranked), rank),
    }
    return scored(ranked, sums / np.maximum(divisors[denominator], 1))


def trapezoid_average_precision(ranked: Ranked) -> Values:
    """Area under the precision-recall curve by trapezoids, from 0 to 1.

    ``(1/R) * sum((p_before + p_at) / 2)`` over the relevant items, with ``p_at = j / rank`` and
    ``p_before = (j - 1) / (rank - 1)``, or 1 at rank 1; R counts those of the gallery.

    Source: Philbin et al., Object Retrieval with Large Vocabularies and Fast Spatial Matching,
    CVPR 2007, its published compute_ap; so too Radenovic et al., Revisiting Oxford and Paris,
    CVPR 2018 (arXiv:1803.11285).

    Returns:
        (q,) float64, NaN where nothing is relevant.
    """
    nth, ranks = ranked.nth(), ranked.ranks
    before = np.where(ranks == 1, 1.0, (nth - 1) / np.maximum(ranks - 1, 1))
    areas = (before + nth / ranks) / 2
    sums = np.bincount(ranked.query(), weights=areas, minlength=len(ranked))
    return scored(ranked, sums / np.maximum(ranked.relevant, 1))


def average_precision_at_r(ranked: Ranked) -> Values:
    """Average precision of the first R items, R being how many are relevant; from 0 to 1.

    ``(1/R) * sum(j / rank_j)`` over the relevant items whose rank is at most R.
    Source: Musgrave, Belongie, Lim, A Metric Learning Reality Check, ECCV 2020
    (arXiv:2003.08505), section 3.2, "MAP@R".

    Returns:
        (q,) float64, NaN where nothing is relevant.

    Raises:
        DataError: the lists are shorter than the largest R.
    """
    query = _within_r(ranked)
    sums = np.bincount(
        ranked.query()[query],
        weights=(ranked.nth() / ranked.ranks)[query],
        minlength=len(ranked),
    )
    return scored(ranked, sums / np.maximum(ranked.relevant, 1))


def r_precision(ranked: Ranked) -> Values:
    """Share of the first R items that is relevant, R being how many are relevant.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4.

    Returns:
        (q,) float64, NaN where nothing is relevant.

    Raises:
        DataError: the lists are shorter than the largest R.
    """
    hits = np.bincount(ranked.query()[_within_r(ranked)], minlength=len(ranked))
    return scored(ranked, hits / np.maximum(ranked.relevant, 1))


def at_most(ranked: Ranked, k: int | None) -> Ranked:
    """The lists cut after their first ``k`` items.

    Raises:
        DataError: they end before that.
    """
    if k is None:
        return ranked
    if k > ranked.depth and not ranked.complete:
        raise DataError(
            f"a metric at rank {k:,} needs lists of {k:,}; these have {ranked.depth:,}"
        )
    return ranked.cut(k)


def scored(ranked: Ranked, values: Values) -> Values:
    """``values``, NaN where nothing is relevant."""
    return np.where(ranked.relevant > 0, values, np.nan)


def _within_r(ranked: Ranked) -> Ints:
    """Which of the ranks are at most the query's R."""
    most = int(ranked.relevant.max(initial=0))
    if most > ranked.depth and not ranked.complete:
        raise DataError(
            f"this metric needs lists of {most:,}, the most relevant items that a query has; "
            f"these have {ranked.depth:,}"
        )
    return np.flatnonzero(ranked.ranks <= ranked.relevant[ranked.query()])
