"""Every choice that a retrieval benchmark makes, spelled out; a protocol is one set of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from likewise.evaluation.metrics import denominator_of

Who = Mapping[str, tuple[str, ...]]
"""Column -> the values that it may have; of splits, the first of them that any item has."""

Mask = Literal["none", "removed", "zero"]
Average = Literal["queries", "classes"]


@dataclass(frozen=True, kw_only=True)
class Switches:
    """How a benchmark counts.

    Attributes:
        queries: which items query; none named: all.
        gallery: which items are ranked; none named: all.
        query_in_gallery: whether the query itself is ranked, and relevant, where it is there.
        relevant: ``label`` (items of the same one), or columns that list relevant items' ids.
        left_out: items that are like the query in all of these columns are not ranked: other
            pictures of the same instance, of the same sequence.
        junk: columns that list ids of items that are not ranked.
        normalise: whether vectors are L2-normalised before inner products.
        mask: what happens to gallery items of classes with fewer than ``fewest`` of them:
            nothing, not ranked, or their score is 0, which is more than a negative one. Queries
            of such classes are left out, unless nothing happens.
        fewest: ... how many a class is to have.
        metric: the main one (see ``metrics``),
        shown: what it is called in reports,
        per_subset: and over the queries of a subset.
        subsets: the order in which subsets are reported; others follow by name.
        also: further metrics.
        average: of what the mean is taken.
        percent: whether 1 is shown as 100.
        decimals: values are rounded to so many.
    """

    query_in_gallery: bool
    normalise: bool
    queries: Who = field(default_factory=dict)
    gallery: Who = field(default_factory=dict)
    relevant: tuple[str, ...] = ("label",)
    left_out: tuple[str, ...] = ()
    junk: tuple[str, ...] = ()
    mask: Mask = "none"
    fewest: int = 0
    metric: str = "ap"
    shown: str = "mAP"
    per_subset: str = "mAP {}"
    subsets: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    average: Average = "queries"
    percent: bool = False
    decimals: int = 4

    def columns(self) -> tuple[str, ...]:
        """The columns of items that scoring reads, besides their ids."""
        read = [*self.queries, *self.gallery, *self.relevant, *self.left_out, *self.junk]
        return tuple(dict.fromkeys(["label", "subset", *read]))

    def lists(self) -> tuple[str, ...]:
        """Those of them that list ids of items."""
        return self.junk if self.relevant == ("label",) else (*self.relevant, *self.junk)

    def describe(self) -> dict[str, Any]:
        """The switches as every report prints them."""
        rank = self.metric.rpartition("@")[2]
        return {
            "queries": _who(self.queries),
            "gallery": _who(self.gallery),
            "query_in_gallery": self.query_in_gallery,
            "relevant": _relevant(self.relevant),
            "left_out": f"same {' and '.join(self.left_out)}" if self.left_out else "nothing",
            "junk": " and ".join(self.junk) or "none",
            "score": "cosine" if self.normalise else "inner product",
            "normalise": self.normalise,
            "direction": "greater is nearer",
            "ties": "in the gallery's order",
            "mask": self._mask(),
            "metric": self.metric,
            "denominator": denominator_of(self.metric),
            "depth": int(rank) if rank.isdecimal() else "all",
            "without_relevant": "not scored",
            "average": f"over {self.average}",
            "percent": self.percent,
            "decimals": self.decimals,
            "also": list(self.also),
        }

    def _mask(self) -> str:
        if self.mask == "none":
            return "none"
        done = {"removed": "not ranked", "zero": "scored 0"}[self.mask]
        return f"classes with fewer than {self.fewest} gallery items are {done}, and query not"


def _who(who: Who) -> str:
    parts = [f"{column} {' or '.join(values)}" for column, values in who.items()]
    return " and ".join(parts) or "all items"


def _relevant(columns: tuple[str, ...]) -> str:
    return "same label" if columns == ("label",) else f"listed as {' or '.join(columns)}"
