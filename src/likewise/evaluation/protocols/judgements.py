"""Retrieval with graded judgements of relevance (qrels), as mteb scores its image tasks."""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec


class Judgements(Retrieval):
    """nDCG@10 of listed items and their grades, with further metrics of mteb's image tasks.

    The column ``relevant`` lists the ids of the judged items of a query, and ``grades`` their
    grades; without that column, all grades are 1. The gain of an item is its grade, as in
    trec_eval; ``ndcg-exponential@10`` has the gain 2^grade - 1. Items with a grade below 1 are
    not relevant. Ties are broken in the gallery's order, where trec_eval takes the higher id.
    A query whose judged items are all not relevant scores 0; one without a list is not scored.
    ``recall@1`` is cv_recall_at_1 of mteb, and ``ir-recall`` its recall_at_k.

    Source: Xiao et al., MIEB: Massive Image Embedding Benchmark, 2025 (arXiv:2504.10471);
    trec_eval 9 by pytrec_eval: ``ndcg_cut``, ``map_cut``, ``recall``.
    """

    name: ClassVar[str] = "qrels"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        queries={"role": ("query",)},
        gallery={"role": ("gallery",)},
        query_in_gallery=False,
        normalise=True,
        relevant=("relevant",),
        grades=("grades",),
        metric="ndcg-linear@10",
        metric_title="nDCG@10",
        subset_title="nDCG@10 {}",
        further_metrics=(
            "ndcg-linear@1",
            "ndcg-linear@5",
            "ndcg-linear@100",
            "ndcg-exponential@10",
            "ap@100",
            "mrr@10",
            "recall@1",
            "ir-recall@10",
            "ir-recall@100",
        ),
        without_relevant="scored 0",
    )
