"""The retrieval task of Google Landmarks v2."""

from dataclasses import replace
from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec

_SPEC = ProtocolSpec(
    queries={"role": ("query",)},
    gallery={"role": ("gallery",)},
    query_in_gallery=False,
    normalise=True,
    metric="ap-smaller@100",
    metric_title="mAP@100",
    subset_title="mAP@100 {}",
    further_metrics=("ap@100", "precision@1"),
)


class GoogleLandmarks(Retrieval):
    """Mean average precision at 100, divided by min(R, 100) for R relevant items.

    Items with the role query are the queries and those with the role gallery the gallery; if no
    item has a role, every item is both, and a query is excluded from its own ranking. Queries
    without relevant items are not scored.

    Source: Weyand et al., Google Landmarks Dataset v2, CVPR 2020 (arXiv:2004.01804), 3.3,
    "mAP@100".
    """

    name: ClassVar[str] = "google-landmarks"
    spec: ClassVar[ProtocolSpec] = _SPEC


class GoogleLandmarksV2(Retrieval):
    """mAP@100 of the queries that list their index images, divided by min(R, 100).

    The column ``relevant`` lists the ids of the index images of a query, as the field images
    of ``retrieval_solution_v2.1.csv``. Queries without such a list are not scored: they are
    those of the usage Ignored. The usages Public and Private are subsets.

    Source: Weyand et al., Google Landmarks Dataset v2, CVPR 2020 (arXiv:2004.01804), 3.3;
    ``MeanAveragePrecision`` of ``google_landmarks_dataset/metrics.py`` of DELF, in the
    repository tensorflow/models.
    """

    name: ClassVar[str] = "google-landmarks-v2"
    spec: ClassVar[ProtocolSpec] = replace(_SPEC, relevant=("relevant",))
