"""GPR1200 as its own script scores it, and the way in which retrieval is scored elsewhere."""

from typing import ClassVar, Literal

from likewise.gpr1200 import SUBSETS
from likewise.protocols.base import Protocol


class Gpr1200(Protocol):
    """GPR1200 exactly as the benchmark's published script counts.

    Every image queries all images, itself among them; the inner products are of the vectors as
    they are given; each average precision is divided by the relevant images in the list.

    Source: Schall et al., MMM 2022 (arXiv:2111.13122), and the evaluation script in the
    repository Visual-Computing/GPR1200.
    """

    name: ClassVar[str] = "gpr1200"
    main: ClassVar[str] = "all"
    per_subset: ClassVar[str] = "{}"
    subsets: ClassVar[tuple[str, ...]] = tuple(SUBSETS)

    query_in_gallery: Literal[True] = True
    normalise: Literal[False] = False
    denominator: Literal["hits"] = "hits"
    depth: None = None
    also: tuple[()] = ()
    decimals: Literal[4] = 4


class Gpr1200Strict(Protocol):
    """The same queries without the habits that raise the number; fit for any labelled images.

    The query is left out of its ranking, vectors are L2-normalised, each average precision is
    divided by the other images of the class, and a query whose class has no other is not
    scored.
    """

    name: ClassVar[str] = "gpr1200-strict"
    subsets: ClassVar[tuple[str, ...]] = tuple(SUBSETS)

    query_in_gallery: Literal[False] = False
    normalise: Literal[True] = True
    denominator: Literal["relevant"] = "relevant"
    depth: None = None
    also: tuple[Literal["precision@1"]] = ("precision@1",)
    decimals: Literal[4] = 4
