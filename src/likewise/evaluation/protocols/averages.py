"""Means with their intervals, and the row that every query gets."""

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from likewise.evaluation.metrics import Values, first_hit
from likewise.evaluation.protocols.query_sets import Task
from likewise.evaluation.protocols.spec import Switches
from likewise.evaluation.ranking import Groups, Ints, Ranking
from likewise.evaluation.ranking.ranked import offsets
from likewise.evaluation.significance import Interval, interval

MISSED = 20
"""So many relevant items that are not among the first hits are named."""

Flags = npt.NDArray[np.bool_]


class Averages:
    """The means of per-query values over all queries and over each subset's."""

    def __init__(self, switches: Switches, rows: pl.DataFrame, classes: Ints) -> None:
        """Take the queries' rows, and (q,) codes of their classes."""
        self.values: dict[str, float] = {}
        self.intervals: dict[str, Interval] = {}
        self._switches = switches
        self._classes = classes
        self._subsets = _subsets(rows, switches.subsets)

    def add(self, values: Values, name: str, per_subset: str = "") -> None:
        """Take the mean of ``values`` (q,), and call it ``name``; and that of every subset."""
        everyone = {name: np.ones(len(values), bool)}
        parts = {per_subset.format(key): mask for key, mask in self._subsets.items()}
        by_class = self._switches.average == "classes"
        for called, mask in (everyone | parts if per_subset else everyone).items():
            self._keep(values[mask], self._classes[mask], called, by_class=by_class)

    def add_by_class(self, values: Values, name: str) -> None:
        """Take the mean of the means of classes, and call it ``name``."""
        self._keep(values, self._classes, name, by_class=True)

    def _keep(self, values: Values, classes: Ints, name: str, *, by_class: bool) -> None:
        if np.isnan(values).all():
            return
        found = interval(values, classes, by_class=by_class)
        scale = 100 if self._switches.percent else 1
        self.values[name] = round(found.value * scale, self._switches.decimals)
        self.intervals[name] = found.shown(scale, self._switches.decimals + 2)


def query_rows(rows: pl.DataFrame, task: Task, ranking: Ranking, main: Values) -> pl.DataFrame:
    """A row a query, as in ``schema.QUERIES``."""
    ranked = ranking.ranked
    ids = rows["item_id"].to_arrow().cast(pa.large_string()).take(pa.array(task.gallery))
    there = ranking.top_rows >= 0
    ends = offsets(there.sum(axis=1))
    first = ranking.top_rows[there]
    scores = pa.array(ranking.top_scores[there], from_pandas=True)
    return (
        rows[task.queries]
        .select("item_id", "label", "subset")
        .with_columns(
            value=pl.Series(main).fill_nan(None),
            first_hit=pl.Series(first_hit(ranked)).fill_nan(None).cast(pl.Int64),
            relevant=pl.Series(ranked.relevant),
            ranks=_lists(ranked.offsets, pa.array(ranked.ranks)),
            hits=_lists(ends, ids.take(pa.array(first))),
            hit_scores=_lists(ends, scores),
            hit_relevant=_lists(ends, pa.array(_relevant(ranking)[there])),
            **_missed(task, ranking, ids),
        )
    )


def _subsets(rows: pl.DataFrame, first: tuple[str, ...]) -> dict[str, Flags]:
    """Subset -> (q,) which queries are of it: those that are named first, then by name."""
    present = set(rows["subset"].drop_nulls().unique())
    ordered = [name for name in first if name in present]
    ordered += sorted(present.difference(ordered))
    return {
        name: (rows["subset"] == name).fill_null(value=False).to_numpy() for name in ordered
    }


def _relevant(ranking: Ranking) -> Flags:
    """(q, t) which of the first hits are relevant."""
    flags = ranking.top_rows < -1
    early = ranking.ranked.ranks <= ranking.top_rows.shape[1]
    flags[ranking.ranked.query()[early], ranking.ranked.ranks[early] - 1] = True
    return flags


def _missed(task: Task, ranking: Ranking, ids: pa.Array) -> dict[str, pl.Series]:
    """The relevant items behind the first hits: nearest first, then those in no list."""
    ranked, width = ranking.ranked, ranking.top_rows.shape[1]
    late = ranked.ranks > width
    query, items, ranks = ranked.query()[late], ranking.items[late], ranked.ranks[late]
    if not ranked.complete:
        more = _unlisted(task, ranking)
        query = np.concatenate([query, more[0]])
        items = np.concatenate([items, more[1]])
        ranks = np.concatenate([ranks, np.full(len(more[0]), np.iinfo(np.int64).max)])
    order = np.lexsort((items, ranks, query))
    query, items, ranks = query[order], items[order], ranks[order]
    counts = np.bincount(query, minlength=len(ranked))
    nth = np.arange(len(query)) - (np.cumsum(counts) - counts)[query]
    kept = nth < MISSED
    ends = offsets(np.minimum(counts, MISSED))
    listed = pa.array(ranks[kept], mask=ranks[kept] == np.iinfo(np.int64).max)
    return {
        "missed": _lists(ends, ids.take(pa.array(items[kept]))),
        "missed_ranks": _lists(ends, listed),
    }


def _unlisted(task: Task, ranking: Ranking) -> tuple[Ints, Ints]:
    """Every query and relevant item that its list lacks."""
    size = len(task.gallery)

    def keys(groups: Groups) -> Ints:
        query, row = groups.pairs()
        return query * size + row

    listed = ranking.ranked.query() * size + ranking.items
    gone = np.concatenate([listed, *(keys(groups) for groups in task.left_out)])
    lacking = np.setdiff1d(keys(task.relevant), gone)
    return lacking // size, lacking % size


def _lists(ends: Ints, values: pa.Array) -> pl.Series:
    """A list a query: ``values`` from ``ends[i]`` to ``ends[i + 1]``."""
    array = pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), values)
    return pl.Series(pl.from_arrow(array))
