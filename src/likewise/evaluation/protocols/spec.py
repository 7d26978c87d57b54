"""The specification of a retrieval protocol: every choice that a benchmark makes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from likewise.evaluation.metrics import denominator_of
from likewise.formats.counted_nouns import counted

ItemFilter = Mapping[str, tuple[str, ...]]
"""Column -> its accepted values; of ``split``, only the first value that any item has."""

Mask = Literal["none", "removed", "zero"]
Average = Literal["queries", "classes", "subsets"]
WithoutRelevant = Literal["not scored", "scored 0"]


@dataclass(frozen=True, kw_only=True)
class ProtocolSpec:
    """The specification of a retrieval protocol.

    Attributes:
        queries: filter that selects the queries; empty: all items.
        gallery: filter that selects the ranked items; empty: all items.
        query_in_gallery: rank the query itself, as a relevant item, if the gallery contains it.
        labels: labels of the queries and of the gallery; empty: all. Letters A to Z count as
            small ones, and a space, ``-`` and ``_`` are equal.
        excluded: filter that selects items that are taken out of the gallery.
        within: columns; a query ranks only the items that equal it in all of them.
        relevant: ``("label",)`` for items with the query's label, or columns that list the ids
            of the relevant items.
        match: columns in which an item must equal the query to have its label.
        grades: columns that list the grades of the items of ``relevant``, one column for each.
            A grade below 1 is not relevant. Without these columns all grades are 1.
        left_out: columns; items that equal the query in all of them are excluded from its
            ranking, such as other pictures of the same instance or sequence.
        junk: columns that list the ids of items that are excluded from the ranking.
        among: columns that list the ids of the only items that a query ranks.
        normalise: L2-normalise vectors before inner products.
        mask: treatment of gallery items whose class has fewer than ``min_class_size`` of them:
            ``none``; ``removed`` from the gallery; or scored ``zero``, which ranks them before
            items with negative scores. Unless ``none``, queries of such classes are excluded.
        min_class_size: number of gallery items that a class needs, see ``mask``.
        held_out: if positive, the queries are the validation items of the gallery, and
            ``queries`` is not used: items of the split val, or if there are none, one of
            ``held_out`` of every class. With the mask ``zero`` all of them are scored zero.
        drop_first: exclude the first item of every list, whatever it is.
        metric: name of the main metric (see ``metrics``).
        metric_title: its name in reports.
        subset_title: its name in reports for one subset, with ``{}`` for the subset.
        subsets: order of the subsets in reports; others follow by name.
        further_metrics: names of the other metrics.
        further_by_subset: report the other metrics for every subset, too.
        without_relevant: what happens to a query without relevant items. A query without a
            label, or without a list of relevant items, is never scored.
        average: unit of the mean; ``subsets``: the mean of the subsets' means.
        scale: number by which values are multiplied, besides ``percent``.
        percent: report values from 0 to 100 instead of 0 to 1.
        decimals: decimals of reported values.
    """

    query_in_gallery: bool
    normalise: bool
    queries: ItemFilter = field(default_factory=dict)
    gallery: ItemFilter = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    excluded: ItemFilter = field(default_factory=dict)
    within: tuple[str, ...] = ()
    relevant: tuple[str, ...] = ("label",)
    match: tuple[str, ...] = ("label",)
    grades: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    junk: tuple[str, ...] = ()
    among: tuple[str, ...] = ()
    mask: Mask = "none"
    min_class_size: int = 0
    held_out: int = 0
    drop_first: bool = False
    metric: str = "ap"
    metric_title: str = "mAP"
    subset_title: str = "mAP {}"
    subsets: tuple[str, ...] = ()
    further_metrics: tuple[str, ...] = ()
    further_by_subset: bool = False
    without_relevant: WithoutRelevant = "not scored"
    average: Average = "queries"
    scale: int = 1
    percent: bool = False
    decimals: int = 4

    def columns(self) -> tuple[str, ...]:
        """Return the item columns that scoring reads, without ``item_id``."""
        read = [*self.queries, *self.gallery, *self.relevant, *self.left_out, *self.junk]
        read += [*self.excluded, *self.within, *self.match, *self.among]
        read += ["split"] if self.held_out else []
        return tuple(dict.fromkeys(["label", "subset", *read]))

    def list_columns(self) -> tuple[str, ...]:
        """Return those of ``columns`` that list ids of items."""
        relevant = () if self.relevant == ("label",) else self.relevant
        return (*relevant, *self.junk, *self.among)

    def describe(self) -> dict[str, Any]:
        """Return the choices by name, as every report prints them."""
        rank = self.metric.rpartition("@")[2]
        return {
            "queries": self._queries(),
            "gallery": filter_text(self.gallery),
            "query_in_gallery": self.query_in_gallery,
            "relevant": _relevant(self.relevant, self.match),
            "left_out": self._left_out(),
            "junk": " and ".join(self.junk) or "none",
            "score": "cosine" if self.normalise else "inner product",
            "normalise": self.normalise,
            "direction": "greater is nearer",
            "ties": "in the gallery's order",
            "mask": self._mask(),
            "metric": self.metric,
            "denominator": denominator_of(self.metric),
            "depth": int(rank) if rank.isdecimal() else "all",
            "without_relevant": self.without_relevant,
            "average": f"over {self.average}",
            "percent": self.percent,
            "decimals": self.decimals,
            "also": list(self.further_metrics),
            **self._later(),
        }

    def _later(self) -> dict[str, Any]:
        """Return the choices that newer protocols make; a protocol without them has no key."""
        choices = {
            "labels": list(self.labels),
            "excluded": filter_text(self.excluded) if self.excluded else "",
            "within": f"same {' and '.join(self.within)}" if self.within else "",
            "among": f"listed as {' and '.join(self.among)}" if self.among else "",
            "grades": " and ".join(self.grades),
            "scale": self.scale if self.scale != 1 else None,
        }
        return {name: value for name, value in choices.items() if value}

    def _queries(self) -> str:
        if not self.held_out:
            return filter_text(self.queries)
        return f"validation items of the gallery: split val, or 1 of {self.held_out} per class"

    def _left_out(self) -> str:
        if self.drop_first:
            return "the first of every list"
        return f"same {' and '.join(self.left_out)}" if self.left_out else "nothing"

    def _mask(self) -> str:
        if self.mask == "none":
            return "none"
        effect = {"removed": "not ranked", "zero": "scored 0"}[self.mask]
        small = f"classes with fewer than {counted(self.min_class_size, 'gallery item')}"
        validation = "; validation items too" if self.held_out and self.mask == "zero" else ""
        return f"{small} are {effect}, and query not{validation}"


def filter_text(chosen: ItemFilter) -> str:
    """Return a filter as reports print it."""
    parts = [f"{column} {' or '.join(values)}" for column, values in chosen.items()]
    return " and ".join(parts) or "all items"


def _relevant(columns: tuple[str, ...], match: tuple[str, ...]) -> str:
    if columns == ("label",):
        return f"same {' and '.join(match)}"
    return f"listed as {' or '.join(columns)}"
