"""GPR1200 as its own script scores it, and the way in which retrieval is scored elsewhere."""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import Switches
from likewise.sources.gpr1200_subsets import SUBSETS


class Gpr1200(Retrieval):
    """GPR1200 exactly as the benchmark's published script counts.

    Every image queries all images, itself among them; the inner products are of the vectors as
    they are given; each average precision is divided by the relevant images in the list.

    Source: Schall et al., MMM 2022 (arXiv:2111.13122), and the evaluation script in the
    repository Visual-Computing/GPR1200.
    """

    name: ClassVar[str] = "gpr1200"
    switches: ClassVar[Switches] = Switches(
        query_in_gallery=True,
        normalise=False,
        metric="ap-hits",
        shown="all",
        per_subset="{}",
        subsets=tuple(SUBSETS),
    )


class Gpr1200Strict(Retrieval):
    """The same queries without the habits that raise the number; fit for any labelled images.

    The query is left out of its ranking, vectors are L2-normalised, each average precision is
    divided by the other images of the class, and a query whose class has no other is not
    scored.
    """

    name: ClassVar[str] = "gpr1200-strict"
    switches: ClassVar[Switches] = Switches(
        query_in_gallery=False,
        normalise=True,
        subsets=tuple(SUBSETS),
        also=("precision@1",),
    )
