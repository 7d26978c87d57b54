"""Revisited Oxford and Paris: easy, hard and junk images are listed for every query.

Source: Radenovic et al., Revisiting Oxford and Paris: Large-Scale Image Retrieval Benchmarking,
CVPR 2018 (arXiv:1803.11285), and its published ``compute_map_and_print``.
"""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec


def _spec(relevant: tuple[str, ...], junk: tuple[str, ...]) -> ProtocolSpec:
    """Specify trapezoid average precision in percent."""
    return ProtocolSpec(
        queries={"role": ("query",)},
        gallery={"role": ("gallery",)},
        query_in_gallery=False,
        normalise=True,
        relevant=relevant,
        junk=junk,
        metric="ap-trapezoid",
        further_metrics=("mp@1", "mp@5", "mp@10"),
        percent=True,
        decimals=2,
    )


_EASY = _spec(("easy",), ("junk", "hard"))
_MEDIUM = _spec(("easy", "hard"), ("junk",))
_HARD = _spec(("hard",), ("junk", "easy"))


class RoxfordEasy(Retrieval):
    """Revisited Oxford: easy images are relevant; hard ones and junk are not ranked."""

    name: ClassVar[str] = "roxford5k-easy"
    spec: ClassVar[ProtocolSpec] = _EASY


class RoxfordMedium(Retrieval):
    """Revisited Oxford: easy and hard images are relevant; junk is not ranked."""

    name: ClassVar[str] = "roxford5k-medium"
    spec: ClassVar[ProtocolSpec] = _MEDIUM


class RoxfordHard(Retrieval):
    """Revisited Oxford: hard images are relevant; easy ones and junk are not ranked."""

    name: ClassVar[str] = "roxford5k-hard"
    spec: ClassVar[ProtocolSpec] = _HARD


class RparisEasy(Retrieval):
    """Revisited Paris: easy images are relevant; hard ones and junk are not ranked."""

    name: ClassVar[str] = "rparis6k-easy"
    spec: ClassVar[ProtocolSpec] = _EASY


class RparisMedium(Retrieval):
    """Revisited Paris: easy and hard images are relevant; junk is not ranked."""

    name: ClassVar[str] = "rparis6k-medium"
    spec: ClassVar[ProtocolSpec] = _MEDIUM


class RparisHard(Retrieval):
    """Revisited Paris: hard images are relevant; easy ones and junk are not ranked."""

    name: ClassVar[str] = "rparis6k-hard"
    spec: ClassVar[ProtocolSpec] = _HARD
