"""Fine-grained sketch-based retrieval: sketches against the photos of a split."""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import Switches


class SbirAcc(Retrieval):
    """Accuracy at 1, 5 and 10 in percent, three decimals, as the field's tables have it.

    Every sketch of the split queries all its photos, sketched or not; one photo is relevant. An
    accuracy at ``k`` is the share of sketches whose photo is among the first ``k``.

    Source: ``get_acc`` of the ARNet project (arXiv:2406.11551), after Yu et al., Sketch Me That
    Shoe, CVPR 2016.
    """

    name: ClassVar[str] = "sbir-acc"
    switches: ClassVar[Switches] = Switches(
        queries={"role": ("query",), "split": ("test", "val")},
        gallery={"role": ("gallery",), "split": ("test", "val")},
        query_in_gallery=False,
        normalise=True,
        metric="acc@1",
        shown="acc@1",
        per_subset="acc@1 {}",
        also=("acc@5", "acc@10"),
        percent=True,
        decimals=3,
    )
