"""The retrieval task of Google Landmarks v2."""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec


class GoogleLandmarks(Retrieval):
    """Mean average precision at 100, divided by min(R, 100) for R relevant items.

    Items with the role query are the queries and those with the role gallery the gallery; if no
    item has a role, every item is both, and a query is excluded from its own ranking. Queries
    without relevant items are not scored.

    Source: Weyand et al., Google Landmarks Dataset v2, CVPR 2020 (arXiv:2004.01804), 3.3,
    "mAP@100".
    """

    name: ClassVar[str] = "google-landmarks"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        queries={"role": ("query",)},
        gallery={"role": ("gallery",)},
        query_in_gallery=False,
        normalise=True,
        metric="ap-smaller@100",
        metric_title="mAP@100",
        subset_title="mAP@100 {}",
        further_metrics=("ap@100", "precision@1"),
    )
