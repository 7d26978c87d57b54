"""Means of metrics with confidence intervals, and the table of queries."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pyarrow as pa

from likewise.evaluation.metrics import first_hit
from likewise.evaluation.protocols.query_sets import RetrievalTask
from likewise.evaluation.protocols.spec import ProtocolSpec
from likewise.evaluation.ranking import Groups, Ranking
from likewise.evaluation.ranking.ranked import distinct, offsets
from likewise.evaluation.significance import Interval, interval
from likewise.evaluation.weighted_mean import subset_weights, weighted_interval
from likewise.formats.array_types import BoolArray, Float64Array, Int64Array

MISSED = 20
"""Maximum number of missed relevant items that are listed for a query."""


class Averages:
    """Means of per-query values over all queries and over the queries of every subset."""

    def __init__(self, spec: ProtocolSpec, rows: pl.DataFrame, classes: Int64Array) -> None:
        """Prepare means of queries.

        Args:
            spec: titles, order of subsets, average, scale, percent and decimals.
            rows: items of the queries.
            classes: (q,) class of every query.
        """
        self.values: dict[str, float] = {}
        self.unrounded: dict[str, float] = {}
        self.intervals: dict[str, Interval] = {}
        self._spec = spec
        self._classes = classes
        self._subsets = _subsets(rows, spec.subsets)

    def add(self, values: Float64Array, name: str, subset_name: str = "") -> None:
        """Add the mean of ``values`` (q,).

        Args:
            values: one value per query; NaN if it is not scored.
            name: title of the mean.
            subset_name: title of the means of subsets, with ``{}``; empty for no means of
            subsets.
        """
        by_class = self._spec.average == "classes"
        if self._spec.average == "subsets" and self._subsets:
            self._add_over_subsets(values, name)
        else:
            self._add(values, self._classes, name, by_class=by_class)
        masks = self._subsets if subset_name else {}
        for key, mask in masks.items():
            title = subset_name.format(key)
            self._add(values[mask], self._classes[mask], title, by_class=by_class)

    def add_by_class(self, values: Float64Array, name: str) -> None:
        """Add the mean of the classes' means of ``values`` (q,) as ``name``."""
        self._add(values, self._classes, name, by_class=True)

    def _add_over_subsets(self, values: Float64Array, name: str) -> None:
        """Add the mean of the subsets' means; queries without a subset do not count."""
        numbers = np.full(len(values), -1)
        for number, mask in enumerate(self._subsets.values()):
            numbers[mask] = number
        weights = subset_weights(values, numbers)
        if weights.any():
            self._record(weighted_interval(values, self._classes, weights), name)

    def _add(
        self, values: Float64Array, classes: Int64Array, name: str, *, by_class: bool
    ) -> None:
        if not np.isnan(values).all():
            self._record(interval(values, classes, by_class=by_class), name)

    def _record(self, mean: Interval, name: str) -> None:
        scale = self._spec.scale * (100 if self._spec.percent else 1)
        self.unrounded[name] = mean.value * scale
        self.values[name] = round(self.unrounded[name], self._spec.decimals)
        self.intervals[name] = mean.rescaled(scale, self._spec.decimals + 2)


def query_rows(
    rows: pl.DataFrame, task: RetrievalTask, ranking: Ranking, main: Float64Array
) -> pl.DataFrame:
    """Return one row per query, as in ``schema.QUERIES``."""
    ranked = ranking.ranked

    def ids(positions: Int64Array) -> pa.Array:
        names = rows["item_id"].gather(task.gallery[positions])
        return names.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())

    filled = ranking.top_rows >= 0
    ends = offsets(filled.sum(axis=1))
    first = ranking.top_rows[filled]
    top_scores = ranking.top_scores[filled]
    scores = pa.array(top_scores, mask=np.isnan(top_scores))
    return (
        rows[task.queries]
        .select("item_id", "label", "subset")
        .with_columns(
            value=pl.Series(main).fill_nan(None),
            first_hit=pl.Series(first_hit(ranked)).fill_nan(None).cast(pl.Int64),
            relevant=pl.Series(ranked.relevant),
            ranks=_lists(ranked.offsets, pa.array(ranked.ranks)),
            hits=_lists(ends, ids(first)),
            hit_scores=_lists(ends, scores),
            hit_relevant=_lists(ends, pa.array(_relevant(ranking)[filled])),
            **_missed(task, ranking, ids),
        )
    )


def _subsets(rows: pl.DataFrame, first: tuple[str, ...]) -> dict[str, BoolArray]:
    """Return subset -> (q,) mask of its queries; subsets of ``first`` first, then by name."""
    present = set(rows["subset"].drop_nulls().unique())
    ordered = [name for name in first if name in present]
    ordered += sorted(present.difference(ordered))
    return {
        name: (rows["subset"] == name).fill_null(value=False).to_numpy() for name in ordered
    }


def _relevant(ranking: Ranking) -> BoolArray:
    """(q, t) whether each of the first hits is relevant."""
    flags = ranking.top_rows < -1
    early = ranking.ranked.ranks <= ranking.top_rows.shape[1]
    flags[ranking.ranked.query_numbers()[early], ranking.ranked.ranks[early] - 1] = True
    return flags


def _missed(
    task: RetrievalTask, ranking: Ranking, ids: Callable[[Int64Array], pa.Array]
) -> dict[str, pl.Series]:
    """Return the relevant items behind the first hits: by rank, then those in no list."""
    ranked, width = ranking.ranked, ranking.top_rows.shape[1]
    late = ranked.ranks > width
    query, items, ranks = ranked.query_numbers()[late], ranking.items[late], ranked.ranks[late]
    if not ranked.complete:
        unlisted = _unlisted(task, ranking)
        query = np.concatenate([query, unlisted[0]])
        items = np.concatenate([items, unlisted[1]])
        ranks = np.concatenate([ranks, np.full(len(unlisted[0]), np.iinfo(np.int64).max)])
    order = np.lexsort((items, ranks, query))
    query, items, ranks = query[order], items[order], ranks[order]
    counts = np.bincount(query, minlength=len(ranked))
    number = np.arange(len(query)) - (np.cumsum(counts) - counts)[query]
    kept = number < MISSED
    ends = offsets(np.minimum(counts, MISSED))
    known_ranks = pa.array(ranks[kept], mask=ranks[kept] == np.iinfo(np.int64).max)
    return {
        "missed": _lists(ends, ids(items[kept])),
        "missed_ranks": _lists(ends, known_ranks),
    }


def _unlisted(task: RetrievalTask, ranking: Ranking) -> tuple[Int64Array, Int64Array]:
    """Return the pairs of a query and a relevant item that its list does not contain."""
    size = len(task.gallery)

    def keys(groups: Groups) -> Int64Array:
        query, row = groups.pairs()
        return query * size + row

    listed = ranking.ranked.query_numbers() * size + ranking.items
    excluded = np.concatenate([listed, *(keys(groups) for groups in task.excluded())])
    wanted = distinct(keys(task.relevant))
    unlisted = wanted[np.isin(wanted, distinct(excluded), assume_unique=True, invert=True)]
    return unlisted // size, unlisted % size


def _lists(ends: Int64Array, values: pa.Array) -> pl.Series:
    """Return one list per query: ``values`` from ``ends[i]`` to ``ends[i + 1]``."""
    return pl.Series(_Exported(pa.LargeListArray.from_arrays(pa.array(ends), values)))


class _Exported:
    """An array of Arrow that polars reads by its interface in C.

    By its type, polars would load pyarrow's functions, which takes 50 ms.
    """

    def __init__(self, array: pa.Array) -> None:
        self._array = array

    def __arrow_c_array__(
        self, requested_schema: object | None = None
    ) -> tuple[object, object]:
        exported: tuple[object, object] = self._array.__arrow_c_array__(requested_schema)
        return exported
