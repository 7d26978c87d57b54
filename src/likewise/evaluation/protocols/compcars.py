"""Surveillance images of cars against web photographs: CompCars as in a system of 2022.

Source: the repository chungdz/Image_retrieve, ``process_data/mips.py`` and ``nns.py``.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec
from likewise.sources.compcars.viewpoints import FRONTS, MIN_IMAGES

_CAMERAS: Mapping[str, tuple[str, ...]] = {"role": ("query",)}
_FRONTS: Mapping[str, tuple[str, ...]] = {
    "role": ("gallery",),
    "viewpoint": FRONTS,
}
_VALIDATION = 7
"""The system holds out one of seven images of a class."""


class _CarRetrieval(Retrieval):
    """A protocol with a minimum number of images per class."""

    spec: ClassVar[ProtocolSpec] = ProtocolSpec(query_in_gallery=False, normalise=False)

    min_images_per_class: int | None = Field(default=None, ge=1)
    """Gallery images that a class needs, or it is a minor class; by default the system's 58."""

    @property
    def task_spec(self) -> ProtocolSpec:
        """The specification with ``min_images_per_class``."""
        if self.min_images_per_class is None:
            return self.spec
        return replace(self.spec, min_class_size=self.min_images_per_class)


class CompCarsMips(_CarRetrieval):
    """Exact inner products with the system's mask: items of minor classes score 0.

    Scores are multiplied by 0 or 1, so masked items rank before items with negative scores.
    Each average precision at 20 is divided by the number of hits among the 20; without hits, it
    is 0. Queries of minor classes (fewer than 58 front images) are excluded; the original
    system fails with an error for a class without images.
    """

    name: ClassVar[str] = "compcars-mips"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        queries=_CAMERAS,
        gallery=_FRONTS,
        query_in_gallery=False,
        normalise=False,
        mask="zero",
        min_class_size=MIN_IMAGES,
        metric="ap-hits@20",
        metric_title="mAP@20",
        subset_title="mAP@20 {}",
    )


class CompCarsLopq(_CarRetrieval):
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
        min_class_size=MIN_IMAGES,
        metric="ap-hits@20",
        metric_title="mAP@20",
        subset_title="mAP@20 {}",
    )


class CompCarsStrict(_CarRetrieval):
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
        min_class_size=MIN_IMAGES,
        further_metrics=("ap@20", "precision@1", "precision@20"),
    )


class CompCarsMipsValid(_CarRetrieval):
    """The validation of ``compcars-mips``: images of the gallery are the queries.

    The queries are the validation images of all but the minor classes. Validation images and
    minor classes score 0. The query is one of them: it counts as relevant where it is ranked.
    Validation images have the split val; if there are none, the system's rule selects one of
    seven images per class.

    Source: the repository chungdz/Image_retrieve, ``process_data/mips.py --isValid=1`` with
    ``valid_for_test.npy`` of ``process_data/make_train_valid.py``.
    """

    name: ClassVar[str] = "compcars-mips-valid"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        gallery=_FRONTS,
        query_in_gallery=True,
        normalise=False,
        mask="zero",
        min_class_size=MIN_IMAGES,
        held_out=_VALIDATION,
        metric="ap-hits@20",
        metric_title="mAP@20",
        subset_title="mAP@20 {}",
    )


class CompCarsLopqValid(_CarRetrieval):
    """The validation of ``compcars-lopq``, for lists of an index, without minor classes.

    Queries are those of ``compcars-mips-valid``. The first item of every list is dropped, as
    the system does, which takes it for the query; other validation images are ranked.

    Source: the repository chungdz/Image_retrieve, ``process_data/nns.py --isValid=1``.
    """

    name: ClassVar[str] = "compcars-lopq-valid"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        gallery=_FRONTS,
        query_in_gallery=True,
        normalise=False,
        mask="removed",
        min_class_size=MIN_IMAGES,
        held_out=_VALIDATION,
        drop_first=True,
        metric="ap-hits@20",
        metric_title="mAP@20",
        subset_title="mAP@20 {}",
    )
