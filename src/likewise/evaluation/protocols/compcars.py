"""Cars of surveillance cameras against photographs from the web: CompCars as a system of 2022.

Source: the repository chungdz/Image_retrieve, ``process_data/mips.py`` and ``nns.py``.
"""

from collections.abc import Mapping
from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import Switches

_CAMERAS: Mapping[str, tuple[str, ...]] = {"role": ("query",)}
_FRONTS: Mapping[str, tuple[str, ...]] = {
    "role": ("gallery",),
    "viewpoint": ("front", "front-side"),
}
_FEWEST = 58


class CompCarsMips(Retrieval):
    """Exact inner products, the mask as the system has it: minor classes score 0.

    Scores are multiplied by 0 or 1, and so what is masked still stands before negative scores.
    Each average precision at 20 is divided by the hits among the 20, 0 where there are none.
    Queries of minor classes (fewer than 58 front images) are left out; of a class without any
    the system stops with an error.
    """

    name: ClassVar[str] = "compcars-mips"
    switches: ClassVar[Switches] = Switches(
        queries=_CAMERAS,
        gallery=_FRONTS,
        query_in_gallery=False,
        normalise=False,
        mask="zero",
        fewest=_FEWEST,
        metric="ap-hits@20",
        shown="mAP@20",
        per_subset="mAP@20 {}",
    )


class CompCarsLopq(Retrieval):
    """The same number of an index's lists, minor classes taken out of the gallery.

    The system meant this for its quantised index; any index of params.yaml will do.
    """

    name: ClassVar[str] = "compcars-lopq"
    switches: ClassVar[Switches] = Switches(
        queries=_CAMERAS,
        gallery=_FRONTS,
        query_in_gallery=False,
        normalise=False,
        mask="removed",
        fewest=_FEWEST,
        metric="ap-hits@20",
        shown="mAP@20",
        per_subset="mAP@20 {}",
    )


class CompCarsStrict(Retrieval):
    """The same question without the habits that raise the number.

    Minor classes are taken out, cosines compared, and average precision divided by the class
    size: over the whole ranking, and over the first 20.
    """

    name: ClassVar[str] = "compcars-strict"
    switches: ClassVar[Switches] = Switches(
        queries=_CAMERAS,
        gallery=_FRONTS,
        query_in_gallery=False,
        normalise=True,
        mask="removed",
        fewest=_FEWEST,
        also=("ap@20", "precision@1", "precision@20"),
    )
