"""Instance-level and universal retrieval: ILIAS and UnED."""

from dataclasses import replace
from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec


class Ilias(Retrieval):
    """mAP@1k from image queries to positives and distractors, in percent.

    The precisions at the hits among the first 1,000 are divided by the smaller of 1,000 and
    the number of positives. A query without hits scores 0. ``ir-recall@1000`` is the value
    that an ideal order of the first 1,000 would reach, the script's oracle.

    Source: Kordopatis-Zilos et al., ILIAS: Instance-Level Image retrieval At Scale, CVPR 2025
    (arXiv:2502.11748), and ``evaluation/src/dataset.py`` of the repository ilias-vrg/ilias.
    """

    name: ClassVar[str] = "ilias"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        queries={"role": ("query",)},
        gallery={"role": ("gallery",)},
        query_in_gallery=False,
        normalise=True,
        metric="ap-smaller@1000",
        metric_title="mAP@1k",
        subset_title="mAP@1k {}",
        further_metrics=("ir-recall@1000",),
        without_relevant="scored 0",
        percent=True,
        decimals=2,
    )


class UnedMerged(Retrieval):
    """Recall at 1 and mMP@5 for every domain and as means over the domains, in percent.

    A domain is a subset. The index holds the items of all domains; a relevant item has the
    label and the subset of the query. Items without a role are queries and index, as in the
    domains whose query set is their index. A query without relevant items scores 0.

    Source: Ypsilantis et al., Towards Universal Image Embeddings, ICCV 2023
    (arXiv:2309.01858), and ``universal_mmp_at_k`` and ``run_merged_knn`` of the repository
    nikosips/Universal-Image-Embeddings.
    """

    name: ClassVar[str] = "uned"
    spec: ClassVar[ProtocolSpec] = ProtocolSpec(
        queries={"role": ("query",), "split": ("test", "val")},
        gallery={"role": ("gallery",), "split": ("test", "val")},
        query_in_gallery=False,
        normalise=True,
        match=("label", "subset"),
        metric="recall@1",
        metric_title="recall@1",
        subset_title="recall@1 {}",
        further_metrics=("mmp@5",),
        further_by_subset=True,
        without_relevant="scored 0",
        average="subsets",
        percent=True,
        decimals=2,
    )


class UnedSeparate(Retrieval):
    """The metrics of ``uned`` with an index of its own for every domain.

    Source: Ypsilantis et al., Towards Universal Image Embeddings, ICCV 2023
    (arXiv:2309.01858), and ``run_separate_knn`` of the repository
    nikosips/Universal-Image-Embeddings.
    """

    name: ClassVar[str] = "uned-separate"
    spec: ClassVar[ProtocolSpec] = replace(UnedMerged.spec, within=("subset",))
