"""Re-identification: the same instance in images of other cameras."""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec


class Reidentification(Retrieval):
    """mAP and cumulative match characteristic at 1, 5 and 10.

    Gallery items with both the label and the camera of the query are not ranked, because they
    show the same moment.
    Source: Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015.
    """

    name: ClassVar[str] = "reidentification"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        queries={"role": ("query",), "split": ("test", "val")},
        gallery={"role": ("gallery",), "split": ("test", "val")},
        query_in_gallery=False,
        normalise=True,
        left_out=("label", "camera"),
        further_metrics=("cmc@1", "cmc@5", "cmc@10"),
    )
