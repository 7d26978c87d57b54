"""Category-level sketch retrieval: sketches against photographs of the same class."""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ItemFilter, ProtocolSpec

SKETCHY_25 = (
    "cup", "swan", "harp", "squirrel", "snail", "ray", "pineapple", "volcano", "rifle",
    "scissors", "parrot", "windmill", "teddy_bear", "tree", "wine_bottle", "deer", "chicken",
    "airplane", "wheelchair", "tank", "umbrella", "butterfly", "camel", "horse", "bell",
)  # fmt: skip
"""Test classes of the first zero-shot split of Sketchy.

Source: ``datasets/Sketchy/zeroshot1/cname_cid_zero.txt`` of the repository buptLinfy/ZSE-SBIR.
"""

SKETCHY_21 = (
    "bat", "cabin", "cow", "dolphin", "door", "giraffe", "helicopter", "mouse", "pear",
    "raccoon", "rhinoceros", "saw", "scissors", "seagull", "skyscraper", "songbird", "sword",
    "tree", "wheelchair", "windmill", "window",
)  # fmt: skip
"""Test classes of the second zero-shot split of Sketchy: none is a class of ImageNet-1k.

Source: Yelamarthi et al., ECCV 2018 (arXiv:1807.11724);
``datasets/Sketchy/zeroshot0/cname_cid_zero.txt`` of the repository buptLinfy/ZSE-SBIR.
"""

TU_BERLIN_30 = (
    "banana", "bus", "tractor", "suitcase", "streetlight", "telephone", "bottle opener",
    "canoe", "fan", "teacup", "penguin", "laptop", "shoe", "lighter", "hot air balloon",
    "pizza", "brain", "ant", "t-shirt", "trombone", "windmill", "snowboard", "table",
    "rollerblades", "parachute", "space shuttle", "bridge", "frying-pan", "bread", "horse",
)  # fmt: skip
"""Test classes of the zero-shot split of TU-Berlin.

Source: ``datasets/TUBerlin/zeroshot/cname_cid_zero.txt`` of the repository buptLinfy/ZSE-SBIR.
"""


def _spec(chosen: ItemFilter, labels: tuple[str, ...] = ()) -> ProtocolSpec:
    return ProtocolSpec(
        queries={"role": ("query",), **chosen},
        gallery={"role": ("gallery",), **chosen},
        labels=labels,
        query_in_gallery=False,
        normalise=True,
        metric_title="mAP@all",
        subset_title="mAP@all {}",
        further_metrics=(
            "precision@100",
            "precision@200",
            "ap-hits@200",
            "ap-smaller@200",
            "ap-interpolated",
            "ap-interpolated@200",
            "mmp@100",
            "mmp@200",
        ),
    )


class SketchCategory(Retrieval):
    """mAP@all, precision at 100 and 200, and mAP@200, from sketches to photographs.

    Papers define mAP@200 in two ways. ``ap-hits@200`` is divided by the number of hits among
    the first 200 (SEM-PCYC, Doodle2Search). ``ap-interpolated@200`` interpolates the precision
    and is divided by the smaller of 200 and the class size (SAKE, ZSE-SBIR); these scripts
    interpolate mAP@all too, which is ``ap-interpolated``. The precision at k is divided by k,
    or by the smaller of k and the class size (``mmp``, ZSE-SBIR).

    Source: Dutta, Akata, SEM-PCYC, CVPR 2019 (arXiv:1903.03372), ``apsak`` and ``precak``;
    Liu et al., SAKE, ICCV 2019 (arXiv:1904.03208), ``eval_AP_inner``; Lin et al., ZSE-SBIR,
    CVPR 2023 (arXiv:2303.14348), ``voc_eval`` and ``precision_eval``.
    """

    name: ClassVar[str] = "sketch-category"
    spec: ClassVar[ProtocolSpec] = _spec({"split": ("test", "val")})


class SketchyZeroShot25(Retrieval):
    """The metrics of ``sketch-category`` for 25 test classes of Sketchy, whatever their split.

    Source: Lin et al., ZSE-SBIR, CVPR 2023 (arXiv:2303.14348); the classes of its first split.
    """

    name: ClassVar[str] = "sketchy-zero-shot-25"
    spec: ClassVar[ProtocolSpec] = _spec({}, SKETCHY_25)


class SketchyZeroShot21(Retrieval):
    """The metrics of ``sketch-category`` for 21 test classes of Sketchy, whatever their split.

    Source: Yelamarthi et al., A Zero-Shot Framework for Sketch Based Image Retrieval, ECCV 2018
    (arXiv:1807.11724).
    """

    name: ClassVar[str] = "sketchy-zero-shot-21"
    spec: ClassVar[ProtocolSpec] = _spec({}, SKETCHY_21)


class TuBerlinZeroShot30(Retrieval):
    """The metrics of ``sketch-category`` for 30 test classes of TU-Berlin.

    Source: Lin et al., ZSE-SBIR, CVPR 2023 (arXiv:2303.14348); its classes of TU-Berlin.
    """

    name: ClassVar[str] = "tu-berlin-zero-shot-30"
    spec: ClassVar[ProtocolSpec] = _spec({}, TU_BERLIN_30)
