"""Re-identification: the same one by another camera."""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import Switches


class Reidentification(Retrieval):
    """mAP and cumulative matches at 1, 5 and 10; what the query's own camera saw is left out.

    A gallery item of the query's label and camera shows the same moment, and is not ranked.
    Source: Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015.
    """

    name: ClassVar[str] = "reidentification"
    switches: ClassVar[Switches] = Switches(
        queries={"role": ("query",), "split": ("test", "val")},
        gallery={"role": ("gallery",), "split": ("test", "val")},
        query_in_gallery=False,
        normalise=True,
        left_out=("label", "camera"),
        also=("cmc@1", "cmc@5", "cmc@10"),
    )
