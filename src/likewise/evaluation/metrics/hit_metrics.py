"""Metrics of the hits among the first items and of their ranks: one value per query."""

import numpy as np

from likewise.evaluation.metrics.average_precision import scored, truncate
from likewise.evaluation.ranking import RelevantRanks
from likewise.formats.array_types import Float64Array


def recall_at(ranked: RelevantRanks, k: int) -> Float64Array:
    """Compute recall@k of metric learning: 1 if the first ``k`` have a relevant item, else 0.

    The cumulative match characteristic at rank ``k`` and the accuracy at ``k`` of sketch-based
    retrieval are the same metric. Recall in information retrieval is ``retrieved_share_at``.
    Sources: Song et al., Deep Metric Learning via Lifted Structured Feature Embedding, CVPR
    2016 (arXiv:1511.06452), "Recall@K"; Gray, Brennan, Tao, Evaluating Appearance Models for
    Recognition, Reacquisition, and Tracking, PETS 2007, "CMC"; Yu et al., Sketch Me That Shoe,
    CVPR 2016, "acc.@K".

    Returns:
        (q,) float64, NaN if no item is relevant.

    Raises:
        DataError: the lists are shorter than ``k``.
    """
    return scored(ranked, np.minimum(truncate(ranked, k).hit_counts(), 1.0))


def precision_at(ranked: RelevantRanks, k: int) -> Float64Array:
    """Compute the share of relevant items among the first ``k``.

    The denominator is ``k`` even if the gallery is smaller.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4.

    Returns:
        (q,) float64, NaN if no item is relevant.

    Raises:
        DataError: the lists are shorter than ``k``.
    """
    return scored(ranked, truncate(ranked, k).hit_counts() / k)


def precision_of_landmarks_at(ranked: RelevantRanks, k: int) -> Float64Array:
    """Compute mP@k: precision at ``k``, or at the rank of the last relevant item if smaller.

    If all relevant items have ranks below ``k``, the items after them do not count, so that 1
    can be reached.
    Source: Radenovic et al., Revisiting Oxford and Paris, CVPR 2018 (arXiv:1803.11285), "mP@k"
    as in its published script.

    Returns:
        (q,) float64, NaN if no item is relevant.

    Raises:
        DataError: the lists are shorter than ``k``.
    """
    last = np.zeros(len(ranked), np.int64)
    np.maximum.at(last, ranked.query_numbers(), ranked.ranks)
    # Relevant items that a list does not contain rank behind it.
    last = np.where(ranked.hit_counts() < ranked.relevant, k, np.maximum(last, 1))
    return scored(ranked, truncate(ranked, k).hit_counts() / np.minimum(last, k))


def modified_precision_at(ranked: RelevantRanks, k: int) -> Float64Array:
    """Compute mMP@k: the share of relevant items among the first min(R, ``k``).

    R is the number of relevant items, so that 1 can be reached. ``precision_of_landmarks_at``
    has another depth.
    Source: Ypsilantis et al., Towards Universal Image Embeddings, ICCV 2023
    (arXiv:2309.01858), "mMP@5".

    Returns:
        (q,) float64, NaN if no item is relevant.

    Raises:
        DataError: the lists are shorter than ``k``.
    """
    first, depth = truncate(ranked, k), np.minimum(ranked.relevant, k)
    query = first.query_numbers()
    hits = np.bincount(query[first.ranks <= depth[query]], minlength=len(first))
    return scored(ranked, hits / np.maximum(depth, 1))


def retrieved_share_at(ranked: RelevantRanks, k: int) -> Float64Array:
    """Compute recall: share of the relevant items that are among the first ``k``.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.3.

    Returns:
        (q,) float64, NaN if no item is relevant.

    Raises:
        DataError: the lists are shorter than ``k``.
    """
    return scored(ranked, truncate(ranked, k).hit_counts() / np.maximum(ranked.relevant, 1))


def reciprocal_rank(ranked: RelevantRanks, k: int | None = None) -> Float64Array:
    """Compute 1 / rank of the first relevant item; 0 if none is among the first ``k``.

    Source: Voorhees, The TREC-8 Question Answering Track Report, 1999.

    Returns:
        (q,) float64, NaN if no item is relevant.

    Raises:
        DataError: the lists are shorter than ``k``.
    """
    return scored(ranked, np.nan_to_num(1 / first_hit(truncate(ranked, k))))


def ndcg(ranked: RelevantRanks, k: int | None = None) -> Float64Array:
    """Compute normalised discounted cumulative gain with binary relevance, from 0 to 1.

    ``sum(1 / log2(rank + 1))`` over the relevant items among the first ``k``, divided by the
    sum for a list that begins with the relevant items.
    Source: Jarvelin, Kekalainen, Cumulated Gain-Based Evaluation of IR Techniques, ACM TOIS
    20(4), 2002, with the discount of Burges et al., Learning to Rank Using Gradient Descent,
    ICML 2005.

    Returns:
        (q,) float64, NaN if no item is relevant.

    Raises:
        DataError: the lists are shorter than ``k``.
    """
    first = truncate(ranked, k)
    gains = np.bincount(
        first.query_numbers(), weights=1 / np.log2(first.ranks + 1), minlength=len(first)
    )
    largest = int(ranked.relevant.max(initial=0))
    best = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, largest + 2)))])
    ideal = best[np.minimum(ranked.relevant, largest if k is None else k)]
    return scored(ranked, gains / np.where(ideal > 0, ideal, 1))


def first_hit(ranked: RelevantRanks) -> Float64Array:
    """Return the rank of the first relevant item, from 1.

    Returns:
        (q,) float64, NaN if the list has none.
    """
    has_hit = ranked.hit_counts() > 0
    ranks = np.full(len(ranked), np.nan)
    ranks[has_hit] = ranked.ranks[ranked.offsets[:-1][has_hit]]
    return ranks
