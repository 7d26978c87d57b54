"""Fine-grained sketch-based retrieval: sketches against the photos of a split."""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec


class SbirAcc(Retrieval):
    """Accuracy at 1, 5 and 10 in percent with three decimals, as in published tables.

    Every sketch of the split queries all photos of the split, with or without sketches; one
    photo is relevant. The accuracy at ``k`` is the share of sketches whose photo is among the
    first ``k``.

    Source: ``get_acc`` of the ARNet project (arXiv:2406.11551), after Yu et al., Sketch Me That
    Shoe, CVPR 2016.
    """

    name: ClassVar[str] = "sbir-acc"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        queries={"role": ("query",), "split": ("test", "val")},
        gallery={"role": ("gallery",), "split": ("test", "val")},
        query_in_gallery=False,
        normalise=True,
        metric="acc@1",
        metric_title="acc@1",
        subset_title="acc@1 {}",
        further_metrics=("acc@5", "acc@10"),
        percent=True,
        decimals=3,
    )
