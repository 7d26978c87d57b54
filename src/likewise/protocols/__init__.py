"""Protocols: executable, named, frozen definitions of how a benchmark is scored."""

from likewise.protocols.base import Protocol
from likewise.registry import Registry

PROTOCOLS: Registry[Protocol] = Registry(
    "protocol",
    {
        "compcars-lopq": "likewise.protocols.compcars:CompCarsLopq",
        "compcars-mips": "likewise.protocols.compcars:CompCarsMips",
        "compcars-strict": "likewise.protocols.compcars:CompCarsStrict",
        "gpr1200": "likewise.protocols.gpr1200:Gpr1200",
        "gpr1200-indices": "likewise.protocols.gpr1200_indices:Gpr1200Indices",
        "gpr1200-strict": "likewise.protocols.gpr1200:Gpr1200Strict",
        "knn": "likewise.protocols.knn:Knn",
        "linear-probe": "likewise.protocols.linear_probe:LinearProbe",
        "metric-learning": "likewise.protocols.metric_learning:MetricLearning",
        "reidentification": "likewise.protocols.reidentification:Reidentification",
        "roxford5k-easy": "likewise.protocols.revisited:RoxfordEasy",
        "roxford5k-hard": "likewise.protocols.revisited:RoxfordHard",
        "roxford5k-medium": "likewise.protocols.revisited:RoxfordMedium",
        "rparis6k-easy": "likewise.protocols.revisited:RparisEasy",
        "rparis6k-hard": "likewise.protocols.revisited:RparisHard",
        "rparis6k-medium": "likewise.protocols.revisited:RparisMedium",
        "sbir-acc": "likewise.protocols.sbir:SbirAcc",
        "verification-easy": "likewise.protocols.verification:VerificationEasy",
        "verification-hard": "likewise.protocols.verification:VerificationHard",
        "verification-medium": "likewise.protocols.verification:VerificationMedium",
    },
)

__all__ = ["PROTOCOLS"]
