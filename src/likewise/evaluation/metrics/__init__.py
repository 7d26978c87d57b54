"""Ranking metrics: one value a query, NaN where it is not scored; protocols take the mean.

A metric is called as papers call it: ``recall@5``, ``ap``, ``ap-hits@20``, ``map@r``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from likewise.errors import UnknownNameError
from likewise.evaluation.metrics.average_precision import (
    Denominator,
    Values,
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
from likewise.evaluation.ranking import Ranked

__all__ = [
    "METRICS",
    "Denominator",
    "Values",
    "average_precision",
    "denominator_of",
    "first_hit",
    "measure",
]


@dataclass(frozen=True)
class Metric:
    """A metric by name: what counts it, whether it takes a rank, and what it divides by."""

    count: Callable[..., Values]
    rank: Literal["needed", "possible", "none"]
    denominator: str


METRICS: dict[str, Metric] = {
    "acc": Metric(recall_at, "needed", "1"),
    "ap": Metric(average_precision, "possible", "class size in the gallery"),
    "ap-constant": Metric(
        partial(average_precision, denominator="constant"), "needed", "the rank k"
    ),
    "ap-hits": Metric(
        partial(average_precision, denominator="hits"), "possible", "hits in the list"
    ),
    "ap-smaller": Metric(
        partial(average_precision, denominator="smaller"), "needed", "min(class size, k)"
    ),
    "ap-trapezoid": Metric(trapezoid_average_precision, "none", "class size in the gallery"),
    "cmc": Metric(recall_at, "needed", "1"),
    "ir-recall": Metric(retrieved_share_at, "needed", "class size in the gallery"),
    "map@r": Metric(average_precision_at_r, "none", "class size in the gallery"),
    "mp": Metric(precision_of_landmarks_at, "needed", "min(k, rank of the last relevant item)"),
    "mrr": Metric(reciprocal_rank, "possible", "1"),
    "ndcg": Metric(ndcg, "possible", "the gain of an ideal list"),
    "precision": Metric(precision_at, "needed", "the rank k"),
    "r-precision": Metric(r_precision, "none", "class size in the gallery"),
    "recall": Metric(recall_at, "needed", "1"),
}
"""The metrics by name; ``@`` and a rank follow those that need one, or may have one."""


def measure(name: str, ranked: Ranked) -> Values:
    """The metric that ``name`` stands for, as ``recall@5``: (q,) float64.

    Raises:
        UnknownNameError: no such metric, or a rank where there is none to be, or none.
        DataError: the lists are cut before that rank.
    """
    metric, k = _parsed(name)
    return metric.count(ranked) if k is None else metric.count(ranked, k=k)


def denominator_of(name: str) -> str:
    """What the metric that ``name`` stands for is divided by, in words."""
    return _parsed(name)[0].denominator


def _parsed(name: str) -> tuple[Metric, int | None]:
    if name in METRICS and METRICS[name].rank != "needed":
        return METRICS[name], None
    family, _, rank = name.rpartition("@")
    digits = rank.isascii() and rank.isdecimal() and len(rank) < 10 and int(rank) > 0
    if not digits or family not in METRICS or METRICS[family].rank == "none":
        known = [k if m.rank == "none" else f"{k}@1" for k, m in METRICS.items()]
        raise UnknownNameError("metric", name, known)
    return METRICS[family], int(rank)
