"""Re-identification in networks of cameras, as the scripts of the data sets score it.

Protocols of persons and vehicles share their arithmetic: gallery items with the label and the
camera of the query are not ranked, and average precision is an area by trapezoids.
"""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ItemFilter, ProtocolSpec

JUNK_LABEL = "-1"
"""The label of detections that the script of Market-1501 does not rank."""


def _spec(excluded: ItemFilter) -> ProtocolSpec:
    return ProtocolSpec(
        queries={"role": ("query",), "split": ("test", "val")},
        gallery={"role": ("gallery",), "split": ("test", "val")},
        excluded=excluded,
        query_in_gallery=False,
        normalise=True,
        left_out=("label", "camera"),
        metric="ap-trapezoid",
        further_metrics=("ap", "cmc@1", "cmc@5", "cmc@10", "cmc@20"),
    )


class Market1501(Retrieval):
    """mAP by trapezoids and the cumulative match characteristic at 1, 5, 10 and 20.

    Gallery images with the label -1 are junk and not ranked; those with the label 0000 are
    distractors, which are ranked and relevant to no query. Images with both the label and the
    camera of the query are not ranked. ``ap`` is the mAP of torchreid and FastReID, which do
    not use trapezoids; apart from junk it is that of ``reidentification``.

    Source: Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015, and its
    ``compute_AP.m``, in the repository zhunzhong07/IDE-baseline-Market-1501.
    """

    name: ClassVar[str] = "market-1501"
    spec: ClassVar[ProtocolSpec] = _spec({"label": (JUNK_LABEL,)})


class Veri776(Retrieval):
    """mAP by trapezoids and the cumulative match characteristic of vehicles.

    Images with both the label and the camera of the query are not ranked: they are those of
    ``jk_index.txt``. ``ap`` is the mAP of FastReID, which does not use trapezoids.

    Source: Liu et al., A Deep Learning-Based Approach to Progressive Vehicle Re-identification
    for Urban Surveillance, ECCV 2016; scored by the ``compute_AP.m`` of Market-1501.
    """

    name: ClassVar[str] = "veri-776"
    spec: ClassVar[ProtocolSpec] = _spec({})
