"""Metrics of graded relevance: one value per query."""

from typing import Literal

import numpy as np

from likewise.evaluation.metrics.average_precision import scored, truncate
from likewise.evaluation.ranking import RelevantRanks
from likewise.formats.array_types import Float64Array, Int64Array

Gain = Literal["linear", "exponential"]


def graded_ndcg(
    ranked: RelevantRanks, gain: Gain = "linear", k: int | None = None
) -> Float64Array:
    """Compute normalised discounted cumulative gain with grades, from 0 to 1.

    ``sum(gain(g) / log2(rank + 1))`` over the relevant items among the first ``k``, g being
    the grade of an item, divided by the sum for a list of all relevant items by descending
    grade. The gain is g (``linear``, as trec_eval, pytrec_eval and ir_measures compute it), or
    2^g - 1 (``exponential``). Without grades all relevant items have the grade 1.
    Source: Jarvelin, Kekalainen, Cumulated Gain-Based Evaluation of IR Techniques, ACM TOIS
    20(4), 2002, and ``m_ndcg_cut.c`` of trec_eval 9; Burges et al., Learning to Rank Using
    Gradient Descent, ICML 2005, for the exponential gain.

    Returns:
        (q,) float64, NaN if no item is relevant.

    Raises:
        DataError: the lists are shorter than ``k``.
    """
    first = truncate(ranked, k)
    grades = np.ones(len(first.ranks), np.int64) if first.grades is None else first.grades
    discounts = 1 / np.log2(first.ranks + 1)
    query = first.query_numbers()
    gains = np.bincount(query, weights=_gains(grades, gain) * discounts, minlength=len(first))
    ideal = _ideal(ranked, gain, k)
    return scored(ranked, gains / np.where(ideal > 0, ideal, 1))


def _ideal(ranked: RelevantRanks, gain: Gain, k: int | None) -> Float64Array:
    """Return the gains of the ideal lists, truncated to ``k``: (q,)."""
    query = np.repeat(np.arange(len(ranked)), ranked.relevant)
    grades = np.ones(len(query), np.int64) if ranked.best is None else ranked.best
    begins = np.cumsum(ranked.relevant) - ranked.relevant
    rank = np.arange(1, len(query) + 1) - begins[query]
    kept = slice(None) if k is None else rank <= k
    weights = _gains(grades, gain) / np.log2(rank + 1)
    sums: Float64Array = np.zeros(len(ranked))
    sums += np.bincount(query[kept], weights=weights[kept], minlength=len(ranked))
    return sums


def _gains(grades: Int64Array, gain: Gain) -> Float64Array:
    values: Float64Array = grades.astype(np.float64)
    return values if gain == "linear" else np.exp2(values) - 1
