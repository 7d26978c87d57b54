"""Surveillance images of cars against web photographs: CompCars as in a system of 2022.

Source: the repository chungdz/Image_retrieve, ``process_data/mips.py`` and ``nns.py``.
"""

from collections.abc import Mapping
from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec

_CAMERAS: Mapping[str, tuple[str, ...]] = {"role": ("query",)}
_FRONTS: Mapping[str, tuple[str, ...]] = {
    "role": ("gallery",),
    "viewpoint": ("front", "front-side"),
}
_FEWEST = 58


class CompCarsMips(Retrieval):
    """Exact inner products with the system's mask: items of minor classes score 0.

    Scores are multiplied by 0 or 1, so masked items rank before items with negative scores.
    Each average precision at 20 is divided by the hits among the 20, and is 0 if there are
    none. Queries of minor classes (fewer than 58 front images) are excluded; the original
    system fails with an error for a class without images.
    """

    name: ClassVar[str] = "compcars-mips"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        queries=_CAMERAS,
        gallery=_FRONTS,
        query_in_gallery=False,
        normalise=False,
        mask="zero",
        min_class_size=_FEWEST,
        metric="ap-hits@20",
        metric_title="mAP@20",
        subset_title="mAP@20 {}",
    )


class CompCarsLopq(Retrieval):
    """The metric of ``compcars-mips`` for lists of an index, without minor classes.

    The original system uses it for its quantised index. Any index of params.yaml can be scored.
    """

    name: ClassVar[str] = "compcars-lopq"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        queries=_CAMERAS,
        gallery=_FRONTS,
        query_in_gallery=False,
        normalise=False,
        mask="removed",
        min_class_size=_FEWEST,
        metric="ap-hits@20",
        metric_title="mAP@20",
        subset_title="mAP@20 {}",
    )


class CompCarsStrict(Retrieval):
    """The task of ``compcars-mips`` without the choices that raise the value.

    Minor classes are excluded, scores are cosines, and average precision is divided by the
    class
    size: over the whole ranking, and over the first 20.
    """

    name: ClassVar[str] = "compcars-strict"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        queries=_CAMERAS,
        gallery=_FRONTS,
        query_in_gallery=False,
        normalise=True,
        mask="removed",
        min_class_size=_FEWEST,
        further_metrics=("ap@20", "precision@1", "precision@20"),
    )
