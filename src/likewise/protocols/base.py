"""What every protocol is: switches that say how a benchmark counts, and the counting."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.errors import DataError
from likewise.metrics import Denominator, Values, at_rank, average_precision, first_hit
from likewise.protocols.inputs import as_lists, as_vectors, holds_itself
from likewise.ranking import Ints, Progress, Ranked, rank_positives, ranks_from_lists
from likewise.registry import Part

_DIVISORS: dict[Denominator, str] = {"hits": "hits", "relevant": "class size"}
# Half floats that were normalised are off by 0.001 at most.
_UNIT = 0.01


@dataclass(frozen=True)
class Evaluation:
    """What a protocol says of some vectors or lists.

    Attributes:
        metrics: name -> value, the protocol's main number first.
        queries: one row a query, as in ``schema.QUERIES``.
        protocol: the switches by which it was counted.
        notes: what a reader should know before comparing the numbers.
    """

    metrics: dict[str, float]
    queries: pl.DataFrame
    protocol: dict[str, Any]
    notes: list[str] = field(default_factory=list)


class Protocol(Part):
    """How a benchmark counts; every item is a query and the gallery is all items.

    A benchmark's own protocol fixes each of these fields, so that its name says them all.
    """

    name: ClassVar[str]
    main: ClassVar[str] = "mAP"
    """The metric's name over all queries."""
    per_subset: ClassVar[str] = "mAP {}"
    """The metric's name over the queries of a subset."""
    subsets: ClassVar[tuple[str, ...]] = ()
    """The order in which subsets are reported; others follow by name."""

    query_in_gallery: bool
    """Whether the query itself is ranked, and is relevant."""
    normalise: bool
    """Whether vectors are L2-normalised before inner products."""
    denominator: Denominator
    """What the average precision is divided by (``metrics.average_precision``)."""
    depth: int | None = None
    """Rankings are cut after so many items; None: never."""
    also: tuple[str, ...] = ()
    """Further metrics, as ``precision@1``."""
    decimals: int = 4
    """Values are rounded to so many."""

    def describe(self) -> dict[str, Any]:
        """The switches, as every report prints them."""
        return {
            "name": self.name,
            "score": "cosine" if self.normalise else "inner product",
            "average": "over queries",
            **self.model_dump(mode="json"),
        }

    def evaluate_vectors(
        self,
        vectors: npt.NDArray[Any],
        rows: pl.DataFrame,
        *,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Rank all items for every item by its vector, and score the rankings.

        Args:
            vectors: (n, d), float32 or what can become it.
            rows: item_id, label (null: relevant to nothing, not scored), subset of the n items.
            progress: told after every block of queries.

        Raises:
            DataError: another shape or type, NaN, infinity, or nothing that can be scored.
        """
        ready, norms = as_vectors(vectors, rows["item_id"].to_list())
        notes = list(self._norm_notes(norms))
        if self.normalise:
            ready = ready / np.where(norms > 0, norms, 1).astype(np.float32)[:, None]
        labels = _codes(rows)
        ranked = rank_positives(
            ready, ready, labels, labels, exclude=self._exclude(len(rows)), progress=progress
        )
        return self._evaluation(ranked, rows, notes)

    def evaluate_lists(
        self, lists: npt.NDArray[Any] | Sequence[Sequence[int]], rows: pl.DataFrame
    ) -> Evaluation:
        """Score rankings that were made elsewhere.

        Args:
            lists: (n, k) rows of the gallery, best first: one list an item, in their order.
            rows: item_id, label (null: relevant to nothing, not scored), subset of the n items.

        Raises:
            DataError: another shape; rows with -1, with one twice, or outside the gallery;
                nothing that can be scored.
        """
        ready = as_lists(lists, rows["item_id"].to_list())
        labels = _codes(rows)
        ranked = ranks_from_lists(ready, labels, labels, exclude=self._exclude(len(rows)))
        notes = list(self._list_notes(int(holds_itself(ready).sum()), len(rows)))
        return self._evaluation(ranked, rows, notes)

    def _exclude(self, count: int) -> Ints:
        return np.full(count, -1) if self.query_in_gallery else np.arange(count)

    def _evaluation(self, ranked: Ranked, rows: pl.DataFrame, notes: list[str]) -> Evaluation:
        labelled = rows["label"].is_not_null().to_numpy()
        cut = ranked if self.depth is None else ranked.cut(self.depth)
        ap = np.where(labelled, average_precision(cut, self.denominator), np.nan)
        if np.isnan(ap).all():
            raise DataError("nothing can be scored: no two items have the same label")
        metrics = self._means(ap, rows, "")
        metrics |= {name: self._mean(at_rank(name, cut)) for name in self.also}
        if not cut.complete:
            other: Denominator = "relevant" if self.denominator == "hits" else "hits"
            values = np.where(labelled, average_precision(cut, other), np.nan)
            metrics |= self._means(values, rows, f" by {_DIVISORS[other]}")
            notes = [*notes, self._cut_note(cut, len(rows))]
        notes = [*notes, *self._scored_notes(labelled, ap)]
        queries = _queries(rows, ap, first_hit(cut), cut.relevant)
        return Evaluation(metrics, queries, self.describe(), notes)

    def _means(self, values: Values, rows: pl.DataFrame, suffix: str) -> dict[str, float]:
        """The mean over all queries, and over those of each subset that has any scored."""
        means = {self.main + suffix: self._mean(values)}
        present = set(rows["subset"].drop_nulls().unique())
        ordered = [name for name in self.subsets if name in present]
        for name in [*ordered, *sorted(present.difference(ordered))]:
            mask = (rows["subset"] == name).fill_null(value=False).to_numpy()
            if not np.isnan(values[mask]).all():
                means[self.per_subset.format(name) + suffix] = self._mean(values[mask])
        return means

    def _mean(self, values: Values) -> float:
        return round(float(np.nanmean(values)), self.decimals)

    def _norm_notes(self, norms: Values) -> Iterator[str]:
        zero = int((norms == 0).sum())
        if zero:
            yield f"zero vectors, whose scores all tie, in the items' order: {zero:,}"
        if not self.normalise and not np.allclose(norms, 1, rtol=0, atol=_UNIT):
            yield (
                f"the vectors are not L2-normalised (norms {norms.min():.4g} to "
                f"{norms.max():.4g}); {self.name} compares them as they are, by inner product"
            )

    def _list_notes(self, with_itself: int, count: int) -> Iterator[str]:
        where = f"the query itself is in {with_itself:,} of {count:,} lists"
        if not self.query_in_gallery:
            yield f"{where}, and was taken out"
        elif with_itself < count:
            yield f"{where}; {self.name} counts it as relevant, so the value is too low"
        else:
            yield f"{where}, and counts as relevant"

    def _cut_note(self, ranked: Ranked, count: int) -> str:
        missing = int((ranked.relevant - ranked.hits()).sum())
        return (
            f"the lists hold {ranked.depth:,} of {count:,} images and miss {missing:,} of "
            f"{int(ranked.relevant.sum()):,} relevant ones: divided by hits in the list, as "
            "GPR1200's script does, shorter lists score higher; divided by class size, what is "
            "missed counts as 0"
        )

    def _scored_notes(self, labelled: npt.NDArray[np.bool_], ap: Values) -> Iterator[str]:
        without = int((~labelled).sum())
        alone = int((np.isnan(ap) & labelled).sum())
        if without:
            yield f"queries without a label, not scored: {without:,}"
        if alone:
            yield f"queries whose label nothing else has, not scored: {alone:,}"


def _codes(rows: pl.DataFrame) -> Ints:
    """(n,) int64: a number a label, -1 for none."""
    codes = rows["label"].rank("dense").cast(pl.Int64).fill_null(-1)
    return codes.to_numpy()


def _queries(rows: pl.DataFrame, ap: Values, first: Values, relevant: Ints) -> pl.DataFrame:
    return rows.select("item_id", "label", "subset").with_columns(
        ap=pl.Series(ap).fill_nan(None),
        first_hit=pl.Series(first).fill_nan(None).cast(pl.Int64),
        relevant=pl.Series(relevant),
    )
