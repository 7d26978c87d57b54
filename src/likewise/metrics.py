"""Ranking metrics: one value a query, NaN where it is not scored; protocols take the mean."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from likewise.errors import DataError, UnknownNameError
from likewise.ranking import Ranked

Values = npt.NDArray[np.float64]
Denominator = Literal["hits", "relevant"]


def average_precision(ranked: Ranked, denominator: Denominator) -> Values:
    """Mean of the precisions at the ranks of the relevant items, from 0 to 1.

    ``(1/P) * sum(j / rank_j)`` over the relevant items of the list, j counting them from 1.
    The denominator P is

    - ``"relevant"``: the relevant items of the gallery, so that one which the list lacks counts
      as precision 0 (the standard definition; NaN where nothing is relevant);
    - ``"hits"``: those in the list, so that a shorter list scores higher; 0 where it has none.
      This is what GPR1200's own script divides by.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4.

    Returns:
        (q,) float64.
    """
    query = ranked.query()
    nth = np.arange(1, len(query) + 1) - ranked.offsets[query]
    sums = np.bincount(query, weights=nth / ranked.ranks, minlength=len(ranked))
    if denominator == "hits":
        return sums / np.maximum(ranked.hits(), 1)
    return _scored(ranked, sums / np.maximum(ranked.relevant, 1))


def precision_at(ranked: Ranked, k: int) -> Values:
    """Share of the first ``k`` items that is relevant; ``k`` divides even in a smaller gallery.

    Returns:
        (q,) float64, NaN where nothing is relevant.

    Raises:
        DataError: the lists are cut before ``k``.
    """
    return _scored(ranked, _hits_in_first(ranked, k) / k)


def recall_at(ranked: Ranked, k: int) -> Values:
    """1 where a relevant item is among the first ``k``, else 0.

    This is the recall of metric learning, not that of information retrieval.
    Source: Song et al., Deep Metric Learning via Lifted Structured Feature Embedding, CVPR
    2016 (arXiv:1511.06452), "Recall@K".

    Returns:
        (q,) float64, NaN where nothing is relevant.

    Raises:
        DataError: the lists are cut before ``k``.
    """
    return _scored(ranked, np.minimum(_hits_in_first(ranked, k), 1.0))


def first_hit(ranked: Ranked) -> Values:
    """Rank of the first relevant item, from 1.

    Returns:
        (q,) float64, NaN where the list has none.
    """
    found = ranked.hits() > 0
    ranks = np.full(len(ranked), np.nan)
    ranks[found] = ranked.ranks[ranked.offsets[:-1][found]]
    return ranks


METRICS: dict[str, Callable[[Ranked, int], Values]] = {
    "precision": precision_at,
    "recall": recall_at,
}
"""The metrics that are named with a rank, as in ``precision@1``."""


def at_rank(name: str, ranked: Ranked) -> Values:
    """The metric that ``name`` (``<metric>@<rank>``) stands for.

    Raises:
        UnknownNameError: no such metric, or no rank.
        DataError: the lists are cut before that rank.
    """
    metric, _, rank = name.partition("@")
    if metric not in METRICS or not rank.isascii() or not rank.isdecimal() or int(rank) < 1:
        raise UnknownNameError("metric", name, [f"{known}@1" for known in METRICS])
    return METRICS[metric](ranked, int(rank))


def _scored(ranked: Ranked, values: Values) -> Values:
    return np.where(ranked.relevant > 0, values, np.nan)


def _hits_in_first(ranked: Ranked, k: int) -> Values:
    if k > ranked.depth and not ranked.complete:
        raise DataError(
            f"a metric at rank {k:,} needs lists of {k:,}; these have {ranked.depth:,}"
        )
    first = ranked.query()[ranked.ranks <= k]
    return np.bincount(first, minlength=len(ranked)).astype(np.float64)
