"""The queries that two runs have in common, and the values that paired tests compare."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from likewise.catalogue.run_results import Results
from likewise.errors import DataError, bounded
from likewise.evaluation.weighted_mean import weighted_by_subset
from likewise.formats.array_types import BoolArray, Float64Array, Int64Array


@dataclass(frozen=True)
class PairedValues:
    """One metric of two runs on the same queries, in the units of the reports.

    Attributes:
        first: (q,) values of the first run; NaN where a query is not scored.
        second: (q,) values of the second run.
        classes: (q,) class of every query, by any numbers; a query without a label is a class.
        scored: (q,) True where both runs have a value.
    """

    first: Float64Array
    second: Float64Array
    classes: Int64Array
    scored: BoolArray


def common_queries(first: Results, second: Results) -> tuple[pl.DataFrame, list[str]]:
    """Return the common queries of two runs, and notes on queries that are left out.

    Args:
        first: a run, whose order and labels are used.
        second: another run.

    Returns:
        One row per query; columns of the second run have the suffix ``_second``.

    Raises:
        DataError: the runs have no query in common.
    """
    both = first.queries.join(
        second.queries, on="item_id", suffix="_second", maintain_order="left"
    )
    if both.is_empty():
        raise DataError(f"{first.run} and {second.run} have no query in common")
    notes = [
        f"{len(results.queries) - len(both):,} of {len(results.queries):,} queries of "
        f"{results.run} are not in the other, and left out"
        for results in (first, second)
        if len(results.queries) > len(both)
    ]
    moved = both.filter(~pl.col("label").eq_missing(pl.col("label_second")))["item_id"]
    if len(moved):
        notes.append(
            f"the labels of {bounded(moved, len(moved))} differ; the first run's are used"
        )
    return both, notes


def paired_values(
    both: pl.DataFrame, results: Results, metric: str, column: str, *, over_all: bool = False
) -> PairedValues:
    """Return the values of one metric of common queries.

    Args:
        both: rows of ``common_queries``.
        results: the first run.
        metric: name of the metric, for messages.
        column: the column of its values.
        over_all: weight the subsets if the protocol averages them.

    Raises:
        DataError: no query is scored in both runs.
    """
    scale = results.protocol.get("scale", 1) * (100 if results.protocol.get("percent") else 1)
    values = [
        both[name].cast(pl.Float64).fill_null(np.nan).to_numpy() * scale
        for name in (column, f"{column}_second")
    ]
    scored = ~np.isnan(values[0] + values[1])
    if not scored.any():
        raise DataError(f"{metric}: no query is scored in both runs")
    if over_all and results.protocol.get("average") == "over subsets":
        both_scored = [np.where(scored, one, np.nan) for one in values]
        values = [weighted_by_subset(one, both["subset"]) for one in both_scored]
        scored = ~np.isnan(values[0])
    own = pl.concat_str(pl.lit("\0"), pl.int_range(pl.len()))
    label = pl.coalesce("label", own)
    classes = both.select(label.rank("dense").cast(pl.Int64)).to_series().to_numpy()
    return PairedValues(values[0], values[1], classes, scored)
