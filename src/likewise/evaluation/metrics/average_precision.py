"""Average precision in its common variants: one value per query."""

from typing import Literal

import numpy as np

from likewise.errors import DataError
from likewise.evaluation.ranking import RelevantRanks
from likewise.formats.array_types import Float64Array, Int64Array
from likewise.formats.counted_nouns import counted

Denominator = Literal["hits", "relevant", "smaller", "constant"]


def average_precision(
    ranked: RelevantRanks, denominator: Denominator = "relevant", k: int | None = None
) -> Float64Array:
    """Compute the mean precision at the ranks of the relevant items, from 0 to 1.

    ``(1/P) * sum(j / rank_j)`` over the relevant items among the first ``k``, where j numbers
    them from 1. The denominator P is

    - ``"relevant"``: the number of relevant items in the gallery, so that a missed item counts
    as
      precision 0 (the standard definition; NaN if no item is relevant);
    - ``"hits"``: the number of relevant items among the first ``k``, so that a shorter list
      scores higher; the value is 0 if there are none. GPR1200's script and torchmetrics do
      this;
    - ``"smaller"``: the minimum of ``k`` and the number of relevant items, so that 1 can be
      reached;
    - ``"constant"``: ``k``.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4.

    Returns:
        (q,) float64.

    Raises:
        DataError: the lists are shorter than ``k``.
    """
    first = truncate(ranked, k)
    query = first.query_numbers()
    sums = np.bincount(query, weights=first.hit_numbers() / first.ranks, minlength=len(first))
    if denominator == "hits":
        return sums / np.maximum(first.hit_counts(), 1)
    rank = ranked.depth if k is None else k
    divisors = {
        "relevant": ranked.relevant,
        "smaller": np.minimum(ranked.relevant, rank),
        "constant": np.full(len(ranked), rank),
    }
    return scored(ranked, sums / np.maximum(divisors[denominator], 1))


def trapezoid_average_precision(ranked: RelevantRanks) -> Float64Array:
    """Compute the area under the precision-recall curve by trapezoids, from 0 to 1.

    ``(1/R) * sum((p_before + p_at) / 2)`` over the relevant items, with ``p_at = j / rank`` and
    ``p_before = (j - 1) / (rank - 1)``, or 1 at rank 1; R is the number of relevant items in
    the gallery.

    Source: Philbin et al., Object Retrieval with Large Vocabularies and Fast Spatial Matching,
    CVPR 2007, and its published compute_ap; Radenovic et al., Revisiting Oxford and Paris,
    CVPR 2018 (arXiv:1803.11285).

    Returns:
        (q,) float64, NaN if no item is relevant.
    """
    number, ranks = ranked.hit_numbers(), ranked.ranks
    before = np.where(ranks == 1, 1.0, (number - 1) / np.maximum(ranks - 1, 1))
    areas = (before + number / ranks) / 2
    sums = np.bincount(ranked.query_numbers(), weights=areas, minlength=len(ranked))
    return scored(ranked, sums / np.maximum(ranked.relevant, 1))


def interpolated_average_precision(ranked: RelevantRanks, k: int | None = None) -> Float64Array:
    """Compute average precision with interpolated precision, from 0 to 1.

    ``(1/P) * sum(max(i / rank_i for i >= j))`` over the relevant items among the first ``k``:
    the precision at an item is the largest one at this item or behind it. P is the minimum of
    ``k`` and the number of relevant items, or without ``k`` the number of relevant items.
    Source: Everingham et al., The PASCAL Visual Object Classes Challenge, IJCV 88(2), 2010;
    for sketches the script of Liu et al., Semantic-Aware Knowledge Preservation, ICCV 2019
    (arXiv:1904.03208), ``eval_AP_inner`` and ``VOCap``.

    Returns:
        (q,) float64, NaN if no item is relevant.

    Raises:
        DataError: the lists are shorter than ``k``.
    """
    first = truncate(ranked, k)
    precisions = first.hit_numbers() / first.ranks
    for begin, end in zip(first.offsets[:-1], first.offsets[1:], strict=True):
        part = precisions[begin:end]
        part[:] = np.maximum.accumulate(part[::-1])[::-1]
    sums = np.bincount(first.query_numbers(), weights=precisions, minlength=len(first))
    divisors = ranked.relevant if k is None else np.minimum(ranked.relevant, k)
    return scored(ranked, sums / np.maximum(divisors, 1))


def average_precision_at_r(ranked: RelevantRanks) -> Float64Array:
    """Compute MAP@R: average precision of the first R items, for R relevant items.

    ``(1/R) * sum(j / rank_j)`` over the relevant items whose rank is at most R.
    Source: Musgrave, Belongie, Lim, A Metric Learning Reality Check, ECCV 2020
    (arXiv:2003.08505), section 3.2, "MAP@R".

    Returns:
        (q,) float64, NaN if no item is relevant.

    Raises:
        DataError: the lists are shorter than the largest R.
    """
    within = _within_r(ranked)
    sums = np.bincount(
        ranked.query_numbers()[within],
        weights=(ranked.hit_numbers() / ranked.ranks)[within],
        minlength=len(ranked),
    )
    return scored(ranked, sums / np.maximum(ranked.relevant, 1))


def r_precision(ranked: RelevantRanks) -> Float64Array:
    """Compute R-precision: share of relevant items among the first R, for R relevant items.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4.

    Returns:
        (q,) float64, NaN if no item is relevant.

    Raises:
        DataError: the lists are shorter than the largest R.
    """
    hits = np.bincount(ranked.query_numbers()[_within_r(ranked)], minlength=len(ranked))
    return scored(ranked, hits / np.maximum(ranked.relevant, 1))


def truncate(ranked: RelevantRanks, k: int | None) -> RelevantRanks:
    """Truncate the lists to their first ``k`` items.

    Raises:
        DataError: the lists are shorter.
    """
    if k is None:
        return ranked
    if k > ranked.depth and not ranked.complete:
        raise DataError(
            f"a metric at rank {k:,} needs ranked lists of at least {counted(k, 'item')}; "
            f"these have {ranked.depth:,}"
        )
    return ranked.truncated(k)


def scored(ranked: RelevantRanks, values: Float64Array) -> Float64Array:
    """Replace ``values`` by NaN if no item is relevant to the query."""
    return np.where(ranked.relevant > 0, values, np.nan)


def _within_r(ranked: RelevantRanks) -> Int64Array:
    """Return the positions in ``ranks`` of those that are at most R."""
    largest = int(ranked.relevant.max(initial=0))
    if largest > ranked.depth and not ranked.complete:
        raise DataError(
            f"this metric needs ranked lists of at least {counted(largest, 'item')}, because "
            f"a query has {counted(largest, 'relevant item')}; these have {ranked.depth:,}"
        )
    return np.flatnonzero(ranked.ranks <= ranked.relevant[ranked.query_numbers()])
