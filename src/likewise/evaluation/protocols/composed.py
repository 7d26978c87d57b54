"""Retrieval of images by queries that are composed of an image and a text."""

from dataclasses import replace
from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec


class FashionIq(Retrieval):
    """Recall at 10 and 50 of composed queries for every category, and their means, in percent.

    The vector of a query, which another program composes of a reference image and a text, is
    compared with the images of the query's category, the subset. The column ``relevant`` lists
    the target. The reference image is ranked like any other.

    Source: Wu et al., Fashion IQ, CVPR 2021 (arXiv:1905.12794); ``compute_fiq_val_metrics`` of
    the repository ABaldrati/CLIP4Cir.
    """

    name: ClassVar[str] = "fashion-iq"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        queries={"role": ("query",), "split": ("val", "test")},
        gallery={"role": ("gallery",), "split": ("val", "test")},
        query_in_gallery=False,
        normalise=True,
        within=("subset",),
        relevant=("relevant",),
        metric="recall@10",
        metric_title="recall@10",
        subset_title="recall@10 {}",
        further_metrics=("recall@50",),
        further_by_subset=True,
        average="subsets",
        percent=True,
        decimals=2,
    )


class Cirr(Retrieval):
    """Recall at 1, 5, 10 and 50 of composed queries among the validation images, in percent.

    The vector of a query, which another program composes of a reference image and a text, is
    compared with all images but the reference: items with the ``image_id`` of the query are
    left out. The column ``relevant`` lists the target. Targets of the test set are not public.

    Source: Liu et al., Image Retrieval on Real-life Images with Pre-trained Vision-and-Language
    Models, ICCV 2021 (arXiv:2108.04024); ``compute_cirr_val_metrics`` of the repository
    ABaldrati/CLIP4Cir.
    """

    name: ClassVar[str] = "cirr"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        queries={"role": ("query",), "split": ("val", "test")},
        gallery={"role": ("gallery",), "split": ("val", "test")},
        query_in_gallery=False,
        normalise=True,
        relevant=("relevant",),
        left_out=("image_id",),
        metric="recall@1",
        metric_title="recall@1",
        subset_title="recall@1 {}",
        further_metrics=("recall@5", "recall@10", "recall@50"),
        percent=True,
        decimals=2,
    )


class CirrSubset(Retrieval):
    """Recall at 1, 2 and 3 among the images of the query's group, in percent (R_subset).

    As ``cirr``, but a query ranks only the images that its column ``members`` lists: the six
    similar ones of its group, without the reference.

    Source: Liu et al., Image Retrieval on Real-life Images with Pre-trained Vision-and-Language
    Models, ICCV 2021 (arXiv:2108.04024).
    """

    name: ClassVar[str] = "cirr-subset"
    spec: ClassVar[ProtocolSpec] = replace(
        Cirr.spec, among=("members",), further_metrics=("recall@2", "recall@3")
    )
