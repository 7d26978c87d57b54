"""Every labelled item queries all others: the protocol of data sets without queries."""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec


class LeaveOneOut(Retrieval):
    """Mean average precision with every item as a query, which is excluded from its ranking.

    Vectors are L2-normalised, each average precision is divided by the number of other items
    with the label, and a query without such items is not scored. The values are those of
    ``gpr1200-strict``.

    Source: Manning, Raghavan, Schuetze, Introduction to Information Retrieval (2008), 8.4.
    """

    name: ClassVar[str] = "leave-one-out"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        query_in_gallery=False, normalise=True, further_metrics=("precision@1",)
    )
