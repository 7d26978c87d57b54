"""Revisited Oxford and Paris: what is easy, hard and junk is listed for every query.

Source: Radenovic et al., Revisiting Oxford and Paris: Large-Scale Image Retrieval Benchmarking,
CVPR 2018 (arXiv:1803.11285), and its published ``compute_map_and_print``.
"""

from typing import ClassVar

from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import Switches


def _switches(relevant: tuple[str, ...], junk: tuple[str, ...]) -> Switches:
    """Trapezoid average precision in percent; queries without a relevant image left out."""
    return Switches(
        queries={"role": ("query",)},
        gallery={"role": ("gallery",)},
        query_in_gallery=False,
        normalise=True,
        relevant=relevant,
        junk=junk,
        metric="ap-trapezoid",
        also=("mp@1", "mp@5", "mp@10"),
        percent=True,
        decimals=2,
    )


_EASY = _switches(("easy",), ("junk", "hard"))
_MEDIUM = _switches(("easy", "hard"), ("junk",))
_HARD = _switches(("hard",), ("junk", "easy"))


class RoxfordEasy(Retrieval):
    """Revisited Oxford: easy images are relevant; hard ones and junk are not ranked."""

    name: ClassVar[str] = "roxford5k-easy"
    switches: ClassVar[Switches] = _EASY


class RoxfordMedium(Retrieval):
    """Revisited Oxford: easy and hard images are relevant; junk is not ranked."""

    name: ClassVar[str] = "roxford5k-medium"
    switches: ClassVar[Switches] = _MEDIUM


class RoxfordHard(Retrieval):
    """Revisited Oxford: hard images are relevant; easy ones and junk are not ranked."""

    name: ClassVar[str] = "roxford5k-hard"
    switches: ClassVar[Switches] = _HARD


class RparisEasy(Retrieval):
    """Revisited Paris: easy images are relevant; hard ones and junk are not ranked."""

    name: ClassVar[str] = "rparis6k-easy"
    switches: ClassVar[Switches] = _EASY


class RparisMedium(Retrieval):
    """Revisited Paris: easy and hard images are relevant; junk is not ranked."""

    name: ClassVar[str] = "rparis6k-medium"
    switches: ClassVar[Switches] = _MEDIUM


class RparisHard(Retrieval):
    """Revisited Paris: hard images are relevant; easy ones and junk are not ranked."""

    name: ClassVar[str] = "rparis6k-hard"
    switches: ClassVar[Switches] = _HARD
