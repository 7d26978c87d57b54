"""Metrics of which items are found, and how soon: one value a query."""

import numpy as np

from likewise.evaluation.metrics.average_precision import Values, at_most, scored
from likewise.evaluation.ranking import Ranked


def recall_at(ranked: Ranked, k: int) -> Values:
    """1 where a relevant item is among the first ``k``, else 0.

    This is the recall of metric learning, not that of information retrieval
    (``retrieved_share_at``); a cumulative match characteristic at rank ``k`` and the accuracy
    at ``k`` of sketch-based retrieval are the same.
    Sources: Song et al., Deep Metric Learning via Lifted Structured Feature Embedding, CVPR
    2016 (arXiv:1511.06452), "Recall@K"; Gray, Brennan, Tao, Evaluating Appearance Models for
    Recognition, Reacquisition, and Tracking, PETS 2007, "CMC"; Yu et al., Sketch Me That Shoe,
    CVPR 2016, "acc.@K".

    Returns:
        (q,) float64, NaN where nothing is relevant.

    Raises:
        DataError: the lists are cut before ``k``.
    """
    return scored(ranked, np.minimum(at_most(ranked, k).hits(), 1.0))


def precision_at(ranked: Ranked, k: int) -> Values:
    """Share of the first ``k`` items that is relevant; ``k`` divides even in a smaller gallery.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4.

    Returns:
        (q,) float64, NaN where nothing is relevant.

    Raises:
        DataError: the lists are cut before ``k``.
    """
    return scored(ranked, at_most(ranked, k).hits() / k)


def precision_of_landmarks_at(ranked: Ranked, k: int) -> Values:
    """Share of relevant items in the first ``k``, or up to the last relevant one before that.

    Where all relevant items stand before rank ``k``, what follows them is not counted against
    the list, so that 1 can be reached.
    Source: Radenovic et al., Revisiting Oxford and Paris, CVPR 2018 (arXiv:1803.11285), "mP@k"
    as its published script counts it.

    Returns:
        (q,) float64, NaN where nothing is relevant.

    Raises:
        DataError: the lists are cut before ``k``.
    """
    last = np.zeros(len(ranked), np.int64)
    np.maximum.at(last, ranked.query(), ranked.ranks)
    # What a list lacks stands behind it.
    last = np.where(ranked.hits() < ranked.relevant, k, np.maximum(last, 1))
    return scored(ranked, at_most(ranked, k).hits() / np.minimum(last, k))


def retrieved_share_at(ranked: Ranked, k: int) -> Values:
    """Share of the relevant items that is among the first ``k``: recall as in textbooks.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.3.

    Returns:
        (q,) float64, NaN where nothing is relevant.

    Raises:
        DataError: the lists are cut before ``k``.
    """
    return scored(ranked, at_most(ranked, k).hits() / np.maximum(ranked.relevant, 1))


def reciprocal_rank(ranked: Ranked, k: int | None = None) -> Values:
    """1 by the rank of the first relevant item; 0 where none is among the first ``k``.

    Source: Voorhees, The TREC-8 Question Answering Track Report, 1999.

    Returns:
        (q,) float64, NaN where nothing is relevant.

    Raises:
        DataError: the lists are cut before ``k``.
    """
    return scored(ranked, np.nan_to_num(1 / first_hit(at_most(ranked, k))))


def ndcg(ranked: Ranked, k: int | None = None) -> Values:
    """Normalised discounted cumulative gain, an item being relevant or not; from 0 to 1.

    ``sum(1 / log2(rank + 1))`` over the relevant items of the first ``k``, divided by the same
    sum of a list that has the relevant items first.
    Source: Jarvelin, Kekalainen, Cumulated Gain-Based Evaluation of IR Techniques, ACM TOIS
    20(4), 2002, with the discount of Burges et al., Learning to Rank Using Gradient Descent,
    ICML 2005.

    Returns:
        (q,) float64, NaN where nothing is relevant.

    Raises:
        DataError: the lists are cut before ``k``.
    """
    first = at_most(ranked, k)
    gains = np.bincount(
        first.query(), weights=1 / np.log2(first.ranks + 1), minlength=len(first)
    )
    most = int(ranked.relevant.max(initial=0))
    best = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, most + 2)))])
    ideal = best[np.minimum(ranked.relevant, most if k is None else k)]
    return scored(ranked, gains / np.where(ideal > 0, ideal, 1))


def first_hit(ranked: Ranked) -> Values:
    """Rank of the first relevant item, from 1.

    Returns:
        (q,) float64, NaN where the list has none.
    """
    found = ranked.hits() > 0
    ranks = np.full(len(ranked), np.nan)
    ranks[found] = ranked.ranks[ranked.offsets[:-1][found]]
    return ranks
