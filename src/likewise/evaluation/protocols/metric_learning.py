"""The standard protocol of metric learning: every test item queries all others."""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec


class MetricLearning(Retrieval):
    """Recall at 1, 2, 4 and 8, MAP@R, R-precision and more, among the test items only.

    Source: Song et al., CVPR 2016 (arXiv:1511.06452), for recall@k on CUB-200, Cars-196 and
    SOP; Musgrave et al., A Metric Learning Reality Check, ECCV 2020 (arXiv:2003.08505), for
    MAP@R and R-precision.
    """

    name: ClassVar[str] = "metric-learning"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        queries={"split": ("test", "val")},
        gallery={"split": ("test", "val")},
        query_in_gallery=False,
        normalise=True,
        metric="recall@1",
        metric_title="recall@1",
        subset_title="recall@1 {}",
        further_metrics=(
            "recall@2",
            "recall@4",
            "recall@8",
            "map@r",
            "r-precision",
            "ap",
            "mrr",
            "ndcg",
        ),
    )
