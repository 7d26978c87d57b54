"""A protocol that scores only the nearest other item."""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec


class NearestItem(Retrieval):
    """Recall at 1 of every item against all others."""

    name: ClassVar[str] = "nearest-item"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        query_in_gallery=False, normalise=True, metric="recall@1", metric_title="recall@1"
    )
