"""Definitions of metrics in benchmarks, libraries and textbooks, applied to one ranking."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.metrics import measure
from likewise.evaluation.protocols.graded_ranking import with_grades
from likewise.evaluation.protocols.inputs import as_vectors, l2_normalised
from likewise.evaluation.protocols.retrieval import Retrieval, rank
from likewise.evaluation.ranking import RelevantRanks
from likewise.formats.array_types import AnyArray, BoolArray, Float32Array, Float64Array


@dataclass(frozen=True)
class MetricDefinition:
    """A definition of a metric, as a benchmark, library or textbook uses it.

    Attributes:
        name: source and name of the definition.
        metric: the equivalent metric of this package.
        query_in_gallery: the query is part of its own ranking, and relevant.
        without_relevant: value of a query without relevant items; NaN: not scored.
        positive_only: relevant items with a score of 0 or less do not count.
        remark: what differs from other definitions.
    """

    name: str
    metric: str
    query_in_gallery: bool = False
    without_relevant: float = np.nan
    positive_only: bool = False
    remark: str = ""


_POSITIVE = "a relevant item with a score of 0 or less does not count"


def _torchmetrics(
    name: str, metric: str, *, positive_only: bool = False, remark: str = ""
) -> MetricDefinition:
    """Define a metric of torchmetrics, where a query without relevant items scores 0."""
    return MetricDefinition(
        f"torchmetrics: {name}",
        metric,
        without_relevant=0,
        positive_only=positive_only,
        remark=remark,
    )


DEFINITIONS = (
    MetricDefinition(
        "GPR1200: mAP",
        "ap-hits",
        query_in_gallery=True,
        remark="the query is relevant to itself",
    ),
    MetricDefinition("textbook: average precision", "ap"),
    MetricDefinition("textbook: R-precision", "r-precision"),
    MetricDefinition("textbook: reciprocal rank", "mrr"),
    MetricDefinition("textbook: nDCG", "ndcg"),
    MetricDefinition(
        "trec_eval, ir_measures: nDCG@10", "ndcg-linear@10", remark="the gain is the grade"
    ),
    MetricDefinition(
        "Burges et al.: nDCG@10", "ndcg-exponential@10", remark="the gain is 2^grade - 1"
    ),
    MetricDefinition("textbook: precision at 10", "precision@10"),
    MetricDefinition(
        "textbook: recall at 10", "ir-recall@10", remark="share of all relevant items"
    ),
    MetricDefinition("metric learning: recall@1", "recall@1"),
    MetricDefinition("metric learning: recall@10", "recall@10", remark="1 or 0 a query"),
    MetricDefinition("pytorch-metric-learning: precision_at_1", "recall@1"),
    MetricDefinition("pytorch-metric-learning: mean_average_precision_at_r", "map@r"),
    MetricDefinition("pytorch-metric-learning: mean_average_precision", "ap"),
    MetricDefinition("pytorch-metric-learning: r_precision", "r-precision"),
    MetricDefinition("pytorch-metric-learning: mean_reciprocal_rank", "mrr"),
    _torchmetrics("RetrievalMAP", "ap-hits", positive_only=True, remark=_POSITIVE),
    _torchmetrics("RetrievalMRR", "mrr", positive_only=True, remark=_POSITIVE),
    _torchmetrics("RetrievalPrecision(10)", "precision@10", positive_only=True),
    _torchmetrics("RetrievalRecall(10)", "ir-recall@10", positive_only=True),
    _torchmetrics("RetrievalHitRate(10)", "recall@10"),
    _torchmetrics("RetrievalRPrecision", "r-precision"),
    _torchmetrics("RetrievalNormalizedDCG", "ndcg"),
    MetricDefinition("FG-SBIR: acc@1", "acc@1"),
    MetricDefinition(
        "SEM-PCYC, Doodle2Search: mAP@200",
        "ap-hits@200",
        without_relevant=0,
        remark="divided by the hits among the first 200",
    ),
    MetricDefinition(
        "SAKE, ZSE-SBIR: mAP@all", "ap-interpolated", remark="precision is interpolated"
    ),
    MetricDefinition(
        "SAKE, ZSE-SBIR: mAP@200",
        "ap-interpolated@200",
        remark="interpolated; divided by min(class size, 200)",
    ),
    MetricDefinition("SEM-PCYC, SAKE: Prec@100", "precision@100"),
    MetricDefinition(
        "ZSE-SBIR: Prec@100", "mmp@100", remark="of the first min(class size, 100)"
    ),
    MetricDefinition(
        "CompCars system: mAP, 20 hits", "ap-hits@20", remark="a miss costs nothing"
    ),
    MetricDefinition("its CIFAR-100 route: AP / 500", "ap-constant@500"),
    MetricDefinition("revisited Oxford and Paris: mAP", "ap-trapezoid", remark="by trapezoids"),
    MetricDefinition("INRIA Holidays: mAP", "ap-trapezoid", remark="by trapezoids"),
    MetricDefinition(
        "UKBench: N-S score / 4",
        "precision@4",
        query_in_gallery=True,
        remark="the query is relevant to itself",
    ),
    MetricDefinition("Market-1501, VeRi: mAP", "ap-trapezoid", remark="by trapezoids"),
    MetricDefinition("torchreid, FastReID: mAP", "ap", remark="not by trapezoids"),
    MetricDefinition(
        "Google Landmarks: mAP@100", "ap-smaller@100", remark="divided by min(class size, 100)"
    ),
    MetricDefinition(
        "ILIAS: mAP@1k",
        "ap-smaller@1000",
        without_relevant=0,
        remark="divided by min(class size, 1000)",
    ),
    MetricDefinition(
        "UnED: mMP@5",
        "mmp@5",
        without_relevant=0,
        remark="of the first min(class size, 5)",
    ),
)
"""The definitions that a crosswalk shows."""


def score_by_definitions(
    protocol: Retrieval, vectors: AnyArray, rows: pl.DataFrame
) -> list[tuple[MetricDefinition, float]]:
    """Score the rankings of ``protocol`` by each of ``DEFINITIONS``.

    Queries, gallery, junk and masks are the protocol's. Whether the query is ranked, which
    items count and the denominator are the definition's.

    Returns:
        Every definition with its mean over the queries.

    Raises:
        DataError: as ``Protocol.evaluate_vectors``.
    """
    ready, norms = as_vectors(vectors, rows["item_id"])
    if protocol.task_spec.normalise:
        ready = l2_normalised(ready, norms)
    rankings = {
        included: _rankings(protocol, ready, rows, query_in_gallery=included)
        for included in (False, True)
    }
    return [(one, _mean(one, *rankings[one.query_in_gallery])) for one in DEFINITIONS]


def _rankings(
    protocol: Retrieval, vectors: Float32Array, rows: pl.DataFrame, *, query_in_gallery: bool
) -> tuple[RelevantRanks, RelevantRanks, BoolArray]:
    """Return all ranks, those of items with positive scores, and which queries have a label."""
    spec = replace(protocol.task_spec, query_in_gallery=query_in_gallery)
    task, ranking = rank(protocol.name, spec, vectors, rows)
    ranking = with_grades(ranking, task)
    ranked, query = ranking.ranked, ranking.ranked.query_numbers()
    is_positive = np.empty(len(query), bool)
    for at in range(0, len(query), 1 << 14):
        part = slice(at, at + (1 << 14))
        pairs = task.queries[query[part]], task.gallery[ranking.items[part]]
        is_positive[part] = np.einsum("ij,ij->i", vectors[pairs[0]], vectors[pairs[1]]) > 0
    return ranked, ranked.selected(is_positive), task.labelled


def _mean(
    definition: MetricDefinition,
    ranked: RelevantRanks,
    positive: RelevantRanks,
    labelled: BoolArray,
) -> float:
    values: Float64Array = measure(
        definition.metric, positive if definition.positive_only else ranked
    )
    values = np.where(ranked.relevant > 0, values, definition.without_relevant)[labelled]
    if np.isnan(values).all():
        raise DataError("nothing can be scored: no query has a relevant item in the gallery")
    return float(np.nanmean(values))
