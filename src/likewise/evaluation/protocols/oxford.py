"""Oxford5k and Paris6k: good and ok images are listed for every query, junk is not ranked.

Source: Philbin et al., CVPR 2007, and compute_ap.cpp of the Oxford Buildings.
"""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec

_SPEC = ProtocolSpec(
    queries={"role": ("query",)},
    gallery={"role": ("gallery",)},
    query_in_gallery=False,
    normalise=True,
    relevant=("good", "ok"),
    junk=("junk",),
    metric="ap-trapezoid",
)


class Oxford5k(Retrieval):
    """mAP by trapezoids of 55 boxes: good and ok images are relevant, junk is not ranked.

    The image of a query is in the gallery, and relevant if the lists name it, as in the lists
    of the authors.

    Source: Philbin, Chum, Isard, Sivic, Zisserman, Object Retrieval with Large Vocabularies and
    Fast Spatial Matching, CVPR 2007, and its compute_ap.cpp.
    """

    name: ClassVar[str] = "oxford5k"
    spec: ClassVar[ProtocolSpec] = _SPEC


class Paris6k(Retrieval):
    """The metric of ``oxford5k`` for the 55 queries of Paris.

    Source: Philbin, Chum, Isard, Sivic, Zisserman, Lost in Quantization: Improving Particular
    Object Retrieval in Large Scale Image Databases, CVPR 2008; compute_ap.cpp.
    """

    name: ClassVar[str] = "paris6k"
    spec: ClassVar[ProtocolSpec] = _SPEC
