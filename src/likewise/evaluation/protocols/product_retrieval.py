"""Recall at k for data sets of products and species, at the ranks of their papers."""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ItemFilter, ProtocolSpec

_TEST: ItemFilter = {"split": ("test", "val")}


def _recalls(first: int, *ranks: int, roles: bool = False) -> ProtocolSpec:
    """Specify recall at these ranks; with ``roles``, between queries and gallery."""
    return ProtocolSpec(
        queries={"role": ("query",), **_TEST} if roles else _TEST,
        gallery={"role": ("gallery",), **_TEST} if roles else _TEST,
        query_in_gallery=False,
        normalise=True,
        metric=f"recall@{first}",
        metric_title=f"recall@{first}",
        subset_title=f"recall@{first} {{}}",
        further_metrics=(*(f"recall@{rank}" for rank in ranks), "map@r", "r-precision"),
    )


class InShop(Retrieval):
    """Recall at 1, 10, 20, 30, 40 and 50 from the queries to the gallery of In-Shop.

    Source: Liu et al., DeepFashion: Powering Robust Clothes Recognition and Retrieval with Rich
    Annotations, CVPR 2016, "top-k retrieval accuracy"; at the ranks of the tables of Kim et
    al., Proxy Anchor Loss, CVPR 2020 (arXiv:2003.13911), and at 50.
    """

    name: ClassVar[str] = "in-shop"
    spec: ClassVar[ProtocolSpec] = _recalls(1, 10, 20, 30, 40, 50, roles=True)


class OnlineProducts(Retrieval):
    """Recall at 1, 10, 100 and 1000 among the test items of Stanford Online Products.

    Source: Song et al., Deep Metric Learning via Lifted Structured Feature Embedding, CVPR 2016
    (arXiv:1511.06452), 6.
    """

    name: ClassVar[str] = "sop"
    spec: ClassVar[ProtocolSpec] = _recalls(1, 10, 100, 1000)


class INaturalist2018(Retrieval):
    """Recall at 1, 4, 16 and 32 among the test items of iNaturalist 2018.

    Source: Brown et al., Smooth-AP: Smoothing the Path Towards Large-Scale Image Retrieval,
    ECCV 2020 (arXiv:2007.12163), 5.
    """

    name: ClassVar[str] = "inaturalist-2018"
    spec: ClassVar[ProtocolSpec] = _recalls(1, 4, 16, 32)
