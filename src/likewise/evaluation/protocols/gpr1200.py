"""GPR1200 as its published script scores it, and as retrieval is usually scored."""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec
from likewise.sources.gpr1200_subsets import SUBSETS


class Gpr1200Script(Retrieval):
    """GPR1200 exactly as the benchmark's published script scores it.

    Every image queries all images including itself. Scores are inner products of the vectors as
    given. Each average precision is divided by the number of relevant images in the list.

    Source: Schall et al., MMM 2022 (arXiv:2111.13122), and the evaluation script in the
    repository Visual-Computing/GPR1200.
    """

    name: ClassVar[str] = "gpr1200"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        query_in_gallery=True,
        normalise=False,
        metric="ap-hits",
        metric_title="all",
        subset_title="{}",
        subsets=tuple(SUBSETS),
    )


class Gpr1200Strict(Retrieval):
    """The queries of ``gpr1200`` without the choices that raise the value.

    The query is excluded from its ranking, vectors are L2-normalised, each average precision is
    divided by the number of other images of the class, and a query without such images is not
    scored. The protocol suits any labelled images.

    Source: the images and queries of Schall et al., MMM 2022 (arXiv:2111.13122); the scoring is
    Likewise's own.
    """

    name: ClassVar[str] = "gpr1200-strict"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        query_in_gallery=False,
        normalise=True,
        subsets=tuple(SUBSETS),
        further_metrics=("precision@1",),
    )
