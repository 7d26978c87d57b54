"""Protocols: named, executable, frozen definitions of how a benchmark is scored."""

from likewise.evaluation.protocols.base import Protocol
from likewise.registry import Registry

_LANDMARKS = "likewise.evaluation.protocols.google_landmarks"
_SKETCHES = "likewise.evaluation.protocols.sketch_category"

PROTOCOLS: Registry[Protocol] = Registry(
    "protocol",
    {
        "cirr": "likewise.evaluation.protocols.composed:Cirr",
        "cirr-subset": "likewise.evaluation.protocols.composed:CirrSubset",
        "compcars-lopq": "likewise.evaluation.protocols.compcars:CompCarsLopq",
        "compcars-lopq-valid": "likewise.evaluation.protocols.compcars:CompCarsLopqValid",
        "compcars-mips": "likewise.evaluation.protocols.compcars:CompCarsMips",
        "compcars-mips-valid": "likewise.evaluation.protocols.compcars:CompCarsMipsValid",
        "compcars-strict": "likewise.evaluation.protocols.compcars:CompCarsStrict",
        "fashion-iq": "likewise.evaluation.protocols.composed:FashionIq",
        "google-landmarks": f"{_LANDMARKS}:GoogleLandmarks",
        "google-landmarks-v2": f"{_LANDMARKS}:GoogleLandmarksV2",
        "gpr1200": "likewise.evaluation.protocols.gpr1200:Gpr1200Script",
        "gpr1200-indices": "likewise.evaluation.protocols.gpr1200_indices:Gpr1200Indices",
        "gpr1200-strict": "likewise.evaluation.protocols.gpr1200:Gpr1200Strict",
        "holidays": "likewise.evaluation.protocols.holidays:Holidays",
        "ilias": "likewise.evaluation.protocols.instances:Ilias",
        "ilias-text": "likewise.evaluation.protocols.ilias_text:IliasText",
        "image-text": "likewise.evaluation.protocols.image_text:ImageText",
        "image-text-1k": "likewise.evaluation.protocols.caption_retrieval:ImageText1k",
        "image-text-5k": "likewise.evaluation.protocols.caption_retrieval:ImageText5k",
        "in-shop": "likewise.evaluation.protocols.product_retrieval:InShop",
        "inaturalist-2018": "likewise.evaluation.protocols.product_retrieval:INaturalist2018",
        "knn": "likewise.evaluation.protocols.knn:Knn",
        "leave-one-out": "likewise.evaluation.protocols.leave_one_out:LeaveOneOut",
        "linear-probe": "likewise.evaluation.protocols.linear_probe:LinearProbe",
        "market-1501": "likewise.evaluation.protocols.camera_networks:Market1501",
        "metric-learning": "likewise.evaluation.protocols.metric_learning:MetricLearning",
        "oxford5k": "likewise.evaluation.protocols.oxford:Oxford5k",
        "paris6k": "likewise.evaluation.protocols.oxford:Paris6k",
        "qrels": "likewise.evaluation.protocols.judgements:Judgements",
        "reidentification": "likewise.evaluation.protocols.reidentification:Reidentification",
        "roxford5k-easy": "likewise.evaluation.protocols.revisited:RoxfordEasy",
        "roxford5k-hard": "likewise.evaluation.protocols.revisited:RoxfordHard",
        "roxford5k-medium": "likewise.evaluation.protocols.revisited:RoxfordMedium",
        "rparis6k-easy": "likewise.evaluation.protocols.revisited:RparisEasy",
        "rparis6k-hard": "likewise.evaluation.protocols.revisited:RparisHard",
        "rparis6k-medium": "likewise.evaluation.protocols.revisited:RparisMedium",
        "sbir-acc": "likewise.evaluation.protocols.sbir:SbirAcc",
        "sketch-category": f"{_SKETCHES}:SketchCategory",
        "sketchy-zero-shot-21": f"{_SKETCHES}:SketchyZeroShot21",
        "sketchy-zero-shot-25": f"{_SKETCHES}:SketchyZeroShot25",
        "sop": "likewise.evaluation.protocols.product_retrieval:OnlineProducts",
        "tu-berlin-zero-shot-30": f"{_SKETCHES}:TuBerlinZeroShot30",
        "ukbench": "likewise.evaluation.protocols.holidays:UkBench",
        "uned": "likewise.evaluation.protocols.instances:UnedMerged",
        "uned-separate": "likewise.evaluation.protocols.instances:UnedSeparate",
        "veri-776": "likewise.evaluation.protocols.camera_networks:Veri776",
        "verification-easy": "likewise.evaluation.protocols.verification:VerificationEasy",
        "verification-hard": "likewise.evaluation.protocols.verification:VerificationHard",
        "verification-medium": "likewise.evaluation.protocols.verification:VerificationMedium",
        "zero-shot": "likewise.evaluation.protocols.zero_shot:ZeroShot",
    },
    base="likewise.evaluation.protocols.base:Protocol",
)

__all__ = ["PROTOCOLS"]
