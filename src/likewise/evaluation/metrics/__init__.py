"""Ranking metrics: one value per query, NaN if the query is not scored; protocols average them.

Names are those of papers: ``recall@5``, ``ap``, ``ap-hits@20``, ``map@r``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from likewise.errors import UnknownNameError
from likewise.evaluation.metrics.average_precision import (
    Denominator,
    average_precision,
    average_precision_at_r,
    r_precision,
    trapezoid_average_precision,
)
from likewise.evaluation.metrics.hit_metrics import (
    first_hit,
    ndcg,
    precision_at,
    precision_of_landmarks_at,
    recall_at,
    reciprocal_rank,
    retrieved_share_at,
)
from likewise.evaluation.ranking import RelevantRanks
from likewise.formats.array_types import Float64Array

__all__ = [
    "METRICS",
    "Denominator",
    "average_precision",
    "denominator_of",
    "first_hit",
    "measure",
]


@dataclass(frozen=True)
class MetricSpec:
    """A metric that is computed by name.

    Attributes:
        compute: function of ``RelevantRanks``, and of ``k`` if the metric has a rank.
        rank: whether ``@`` and a rank follow the name.
        denominator: text for reports.
    """

    compute: Callable[..., Float64Array]
    rank: Literal["needed", "possible", "none"]
    denominator: str


METRICS: dict[str, MetricSpec] = {
    "acc": MetricSpec(recall_at, "needed", "1"),
    "ap": MetricSpec(average_precision, "possible", "class size in the gallery"),
    "ap-constant": MetricSpec(
        partial(average_precision, denominator="constant"), "needed", "the rank k"
    ),
    "ap-hits": MetricSpec(
        partial(average_precision, denominator="hits"), "possible", "hits in the list"
    ),
    "ap-smaller": MetricSpec(
        partial(average_precision, denominator="smaller"), "needed", "min(class size, k)"
    ),
    "ap-trapezoid": MetricSpec(
        trapezoid_average_precision, "none", "class size in the gallery"
    ),
    "cmc": MetricSpec(recall_at, "needed", "1"),
    "ir-recall": MetricSpec(retrieved_share_at, "needed", "class size in the gallery"),
    "map@r": MetricSpec(average_precision_at_r, "none", "class size in the gallery"),
    "mp": MetricSpec(
        precision_of_landmarks_at, "needed", "min(k, rank of the last relevant item)"
    ),
    "mrr": MetricSpec(reciprocal_rank, "possible", "1"),
    "ndcg": MetricSpec(ndcg, "possible", "the gain of an ideal list"),
    "precision": MetricSpec(precision_at, "needed", "the rank k"),
    "r-precision": MetricSpec(r_precision, "none", "class size in the gallery"),
    "recall": MetricSpec(recall_at, "needed", "1"),
}
"""The metrics by name, without ``@`` and the rank."""


def measure(name: str, ranked: RelevantRanks) -> Float64Array:
    """Compute the metric ``name``, such as ``recall@5``: (q,) float64.

    Raises:
        UnknownNameError: no such metric, or a rank is missing or not possible.
        DataError: the lists are shorter than the rank.
    """
    metric, k = _parsed(name)
    return metric.compute(ranked) if k is None else metric.compute(ranked, k=k)


def denominator_of(name: str) -> str:
    """Return the denominator of the metric ``name``, as text."""
    return _parsed(name)[0].denominator


def _parsed(name: str) -> tuple[MetricSpec, int | None]:
    if name in METRICS and METRICS[name].rank != "needed":
        return METRICS[name], None
    family, _, rank = name.rpartition("@")
    digits = rank.isascii() and rank.isdecimal() and len(rank) < 10 and int(rank) > 0
    if not digits or family not in METRICS or METRICS[family].rank == "none":
        known = [k if m.rank == "none" else f"{k}@1" for k, m in METRICS.items()]
        raise UnknownNameError("metric", name, known)
    return METRICS[family], int(rank)
