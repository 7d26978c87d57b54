"""INRIA Holidays and UKBench: groups of photographs of one scene or object."""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec


class Holidays(Retrieval):
    """mAP by trapezoids of the first image of every group against all images.

    The items with the role query are the queries; all items are ranked, except the query.

    Source: Jegou, Douze, Schmid, Hamming Embedding and Weak Geometric Consistency for Large
    Scale Image Search, ECCV 2008, and its ``holidays_map.py``.
    """

    name: ClassVar[str] = "holidays"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        queries={"role": ("query",)},
        query_in_gallery=False,
        normalise=True,
        metric="ap-trapezoid",
        decimals=5,
    )


class UkBench(Retrieval):
    """N-S score: number of images of the group among the first four, the query included.

    A group has four images, so the score is 4 * recall at 4, from 0 to 4. Every image queries
    all images, and ranks itself.

    Source: Nister, Stewenius, Scalable Recognition with a Vocabulary Tree, CVPR 2006.
    """

    name: ClassVar[str] = "ukbench"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        query_in_gallery=True,
        normalise=True,
        metric="precision@4",
        metric_title="N-S score",
        subset_title="N-S score {}",
        scale=4,
    )
