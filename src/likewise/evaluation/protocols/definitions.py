"""One ranking under every definition in use: by benchmarks, by libraries, by textbooks."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.metrics import Values, measure
from likewise.evaluation.protocols.inputs import as_vectors, at_unit_length
from likewise.evaluation.protocols.retrieval import Retrieval, rank
from likewise.evaluation.ranking import Floats, Ranked
from likewise.evaluation.ranking.ranked import offsets


@dataclass(frozen=True)
class Definition:
    """How somebody counts a ranking.

    Attributes:
        name: whose definition it is.
        metric: which of ours it is.
        itself: whether the query stands in its own ranking, and is relevant.
        empty: what a query without relevant items counts: nothing, or 0.
        positive: whether relevant items count only where their score is above 0.
        says: what is peculiar to it.
    """

    name: str
    metric: str
    itself: bool = False
    empty: float = np.nan
    positive: bool = False
    says: str = ""


_POSITIVE = "a relevant item with a score of 0 or less does not count"

DEFINITIONS = (
    Definition("GPR1200: mAP", "ap-hits", itself=True, says="the query is relevant to itself"),
    Definition("textbook: average precision", "ap"),
    Definition("textbook: R-precision", "r-precision"),
    Definition("textbook: reciprocal rank", "mrr"),
    Definition("textbook: nDCG", "ndcg"),
    Definition("textbook: precision at 10", "precision@10"),
    Definition("textbook: recall at 10", "ir-recall@10", says="share of all relevant items"),
    Definition("metric learning: recall@1", "recall@1"),
    Definition("metric learning: recall@10", "recall@10", says="1 or 0 a query"),
    Definition("pytorch-metric-learning: precision_at_1", "recall@1"),
    Definition("pytorch-metric-learning: mean_average_precision_at_r", "map@r"),
    Definition("pytorch-metric-learning: mean_average_precision", "ap"),
    Definition("pytorch-metric-learning: r_precision", "r-precision"),
    Definition("pytorch-metric-learning: mean_reciprocal_rank", "mrr"),
    Definition("torchmetrics: RetrievalMAP", "ap-hits", empty=0, positive=True, says=_POSITIVE),
    Definition("torchmetrics: RetrievalMRR", "mrr", empty=0, positive=True, says=_POSITIVE),
    Definition("torchmetrics: RetrievalPrecision(10)", "precision@10", empty=0, positive=True),
    Definition("torchmetrics: RetrievalRecall(10)", "ir-recall@10", empty=0, positive=True),
    Definition("torchmetrics: RetrievalHitRate(10)", "recall@10", empty=0),
    Definition("torchmetrics: RetrievalRPrecision", "r-precision", empty=0),
    Definition("torchmetrics: RetrievalNormalizedDCG", "ndcg", empty=0),
    Definition("FG-SBIR: acc@1", "acc@1"),
    Definition("CompCars system: mAP, 20 hits", "ap-hits@20", says="a miss costs nothing"),
    Definition("its CIFAR-100 route: AP / 500", "ap-constant@500"),
    Definition("revisited Oxford and Paris: mAP", "ap-trapezoid", says="by trapezoids"),
)
"""Every definition that a crosswalk shows, the benchmarks' own among the libraries'."""


def cross(
    protocol: Retrieval, vectors: npt.NDArray[Any], rows: pl.DataFrame
) -> list[tuple[Definition, float]]:
    """What each of ``DEFINITIONS`` makes of the rankings that ``protocol`` scores.

    Queries, gallery, junk and masks stay the protocol's; whether the query is ranked, what
    counts and what it is divided by are the definition's.

    Raises:
        DataError: as ``Protocol.evaluate_vectors``.
    """
    ready, norms = as_vectors(vectors, rows["item_id"].to_list())
    if protocol.switches.normalise:
        ready = at_unit_length(ready, norms)
    views = {itself: _view(protocol, ready, rows, itself=itself) for itself in (False, True)}
    return [(one, _mean(one, *views[one.itself])) for one in DEFINITIONS]


def _view(
    protocol: Retrieval, vectors: Floats, rows: pl.DataFrame, *, itself: bool
) -> tuple[Ranked, Ranked, npt.NDArray[np.bool_]]:
    """All ranks, those of scores above 0, and which queries have a label."""
    switches = replace(protocol.switches, query_in_gallery=itself)
    task, ranking = rank(protocol.name, switches, vectors, rows)
    ranked, query = ranking.ranked, ranking.ranked.query()
    above = np.empty(len(query), bool)
    for at in range(0, len(query), 1 << 14):
        part = slice(at, at + (1 << 14))
        pairs = task.queries[query[part]], task.gallery[ranking.items[part]]
        above[part] = np.einsum("ij,ij->i", vectors[pairs[0]], vectors[pairs[1]]) > 0
    hits = np.bincount(query[above], minlength=len(ranked))
    positive = replace(ranked, offsets=offsets(hits), ranks=ranked.ranks[above])
    return ranked, positive, task.labelled


def _mean(
    one: Definition, ranked: Ranked, positive: Ranked, labelled: npt.NDArray[np.bool_]
) -> float:
    values: Values = measure(one.metric, positive if one.positive else ranked)
    values = np.where(ranked.relevant > 0, values, one.empty)[labelled]
    if np.isnan(values).all():
        raise DataError("nothing can be scored: no query has a relevant item in the gallery")
    return float(np.nanmean(values))
