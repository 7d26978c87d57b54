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
    interpolated_average_precision,
    r_precision,
    trapezoid_average_precision,
)
from likewise.evaluation.metrics.graded import graded_ndcg
from likewise.evaluation.metrics.hit_metrics import (
    first_hit,
    modified_precision_at,
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
    "TERMS",
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
        summary: one sentence that describes the value of one query.
        formula: value of one query, in the terms of ``TERMS``.
        source: publication that defines the metric.
    """

    compute: Callable[..., Float64Array]
    rank: Literal["needed", "possible", "none"]
    denominator: str
    summary: str
    formula: str
    source: str


TERMS = (
    "r_j: rank of the j-th relevant item; g_j: its grade; R: relevant items in the gallery; "
    "k: the rank"
)
"""Terms of the formulas of metrics; without a rank, k is the length of the ranking."""

_BOOK = "Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4"
_HIT = "1 if r_1 <= k, else 0"

METRICS: dict[str, MetricSpec] = {
    "acc": MetricSpec(
        recall_at,
        "needed",
        "1",
        "Accuracy at k of sketch-based retrieval: 1 if the first k have a relevant item.",
        _HIT,
        'Yu et al., Sketch Me That Shoe, CVPR 2016, "acc.@K"',
    ),
    "ap": MetricSpec(
        average_precision,
        "possible",
        "class size in the gallery",
        "Average precision; a relevant item that is not retrieved counts as precision 0.",
        "(1/R) * sum(j / r_j for r_j <= k)",
        _BOOK,
    ),
    "ap-constant": MetricSpec(
        partial(average_precision, denominator="constant"),
        "needed",
        "the rank k",
        "Average precision at k, divided by k.",
        "(1/k) * sum(j / r_j for r_j <= k)",
        _BOOK,
    ),
    "ap-hits": MetricSpec(
        partial(average_precision, denominator="hits"),
        "possible",
        "hits in the list",
        "Average precision, divided by the hits in the list; a shorter list scores higher.",
        "(1/h) * sum(j / r_j for r_j <= k), with h the number of r_j <= k; 0 if h = 0",
        "the script of Schall et al., GPR1200, MMM 2022 (arXiv:2111.13122); torchmetrics",
    ),
    "ap-interpolated": MetricSpec(
        interpolated_average_precision,
        "possible",
        "min(class size, k)",
        "Average precision in which the precision is the largest one from an item on.",
        "(1/min(R, k)) * sum(max(i / r_i for j <= i, r_i <= k) for r_j <= k)",
        "Everingham et al., IJCV 88(2), 2010; script of Liu et al., ICCV 2019"
        " (arXiv:1904.03208)",
    ),
    "ap-smaller": MetricSpec(
        partial(average_precision, denominator="smaller"),
        "needed",
        "min(class size, k)",
        "Average precision at k, divided so that 1 can be reached.",
        "(1/min(R, k)) * sum(j / r_j for r_j <= k)",
        _BOOK,
    ),
    "ap-trapezoid": MetricSpec(
        trapezoid_average_precision,
        "none",
        "class size in the gallery",
        "Area under the precision-recall curve, by trapezoids.",
        "(1/R) * sum((b_j + j / r_j) / 2), with b_j = (j - 1) / (r_j - 1), or 1 if r_j = 1",
        "Philbin et al., CVPR 2007, compute_ap; Radenovic et al., CVPR 2018 (arXiv:1803.11285)",
    ),
    "cmc": MetricSpec(
        recall_at,
        "needed",
        "1",
        "Cumulative match characteristic at k: 1 if the first k have a relevant item.",
        _HIT,
        'Gray, Brennan, Tao, Evaluating Appearance Models, PETS 2007, "CMC"',
    ),
    "ir-recall": MetricSpec(
        retrieved_share_at,
        "needed",
        "class size in the gallery",
        "Recall of information retrieval: share of the relevant items among the first k.",
        "(number of r_j <= k) / R",
        "Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.3",
    ),
    "map@r": MetricSpec(
        average_precision_at_r,
        "none",
        "class size in the gallery",
        "Average precision of the first R items, for R relevant items.",
        "(1/R) * sum(j / r_j for r_j <= R)",
        "Musgrave et al., A Metric Learning Reality Check, ECCV 2020 (arXiv:2003.08505)",
    ),
    "mmp": MetricSpec(
        modified_precision_at,
        "needed",
        "min(class size, k)",
        "Share of relevant items among the first min(R, k), for R relevant items.",
        "(number of r_j <= min(R, k)) / min(R, k)",
        "Ypsilantis et al., Towards Universal Image Embeddings, ICCV 2023 (arXiv:2309.01858)",
    ),
    "mp": MetricSpec(
        precision_of_landmarks_at,
        "needed",
        "min(k, rank of the last relevant item)",
        "Precision at k, or at the rank of the last relevant item if that is smaller.",
        "(number of r_j <= k) / min(k, r_R)",
        "Radenovic et al., Revisiting Oxford and Paris, CVPR 2018 (arXiv:1803.11285)",
    ),
    "mrr": MetricSpec(
        reciprocal_rank,
        "possible",
        "1",
        "Reciprocal rank of the first relevant item.",
        "1 / r_1; 0 if r_1 > k",
        "Voorhees, The TREC-8 Question Answering Track Report, 1999",
    ),
    "ndcg": MetricSpec(
        ndcg,
        "possible",
        "the gain of an ideal list",
        "Normalised discounted cumulative gain with binary relevance.",
        "sum(1 / log2(r_j + 1) for r_j <= k) / sum(1 / log2(i + 1) for i = 1 ... min(R, k))",
        "Jarvelin, Kekalainen, ACM TOIS 20(4), 2002; discount of Burges et al., ICML 2005",
    ),
    "ndcg-exponential": MetricSpec(
        partial(graded_ndcg, gain="exponential"),
        "possible",
        "the gain of an ideal list",
        "Normalised discounted cumulative gain with grades; the gain of a grade g is 2^g - 1.",
        "sum((2^g_j - 1) / log2(r_j + 1) for r_j <= k) / the same for an ideal list",
        "Burges et al., Learning to Rank Using Gradient Descent, ICML 2005",
    ),
    "ndcg-linear": MetricSpec(
        graded_ndcg,
        "possible",
        "the gain of an ideal list",
        "Normalised discounted cumulative gain with grades; the gain of a grade is the grade.",
        "sum(g_j / log2(r_j + 1) for r_j <= k) / the same for an ideal list",
        "m_ndcg_cut.c of trec_eval 9 (pytrec_eval, ir_measures); Jarvelin, Kekalainen, ACM TOIS"
        " 20(4), 2002",
    ),
    "precision": MetricSpec(
        precision_at,
        "needed",
        "the rank k",
        "Share of relevant items among the first k.",
        "(number of r_j <= k) / k",
        _BOOK,
    ),
    "r-precision": MetricSpec(
        r_precision,
        "none",
        "class size in the gallery",
        "Share of relevant items among the first R, for R relevant items.",
        "(number of r_j <= R) / R",
        _BOOK,
    ),
    "recall": MetricSpec(
        recall_at,
        "needed",
        "1",
        "Recall at k of metric learning: 1 if the first k have a relevant item.",
        _HIT,
        "Song et al., Lifted Structured Feature Embedding, CVPR 2016 (arXiv:1511.06452)",
    ),
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
        raise UnknownNameError("metric", name, known, complete=True)
    return METRICS[family], int(rank)
