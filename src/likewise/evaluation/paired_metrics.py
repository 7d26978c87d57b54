"""The metrics of two results on the same queries, with paired differences and p values."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.significance import (
    PairedDifference,
    holm,
    interval,
    paired_difference,
)
from likewise.evaluation.weighted_mean import weighted_by_subset
from likewise.formats.array_types import BoolArray, Float64Array, Int64Array


@dataclass(frozen=True)
class PairedValues:
    """One metric of two results on the same queries, in the units of the reports.

    Attributes:
        first: (q,) values of the first result; NaN where a query is not scored.
        second: (q,) values of the second result.
        classes: (q,) class of every query, by any numbers; a query without a label is a class.
        scored: (q,) True where both results have a value.
    """

    first: Float64Array
    second: Float64Array
    classes: Int64Array
    scored: BoolArray


@dataclass(frozen=True)
class ComparedMetric:
    """One metric of both runs.

    Attributes:
        metric: name of the metric, or of a subset or a value of a column as in the reports.
        first: value in the first run, over the common queries, in the units of the reports.
        second: value in the second run, over the same queries.
        difference: second minus first, in the same units.
        p_holm: p of a subset or value, corrected for multiple tests (Holm); None otherwise.
        first_interval: 95 % confidence interval of the first value (bootstrap over classes);
            NaN where a single class has none.
        second_interval: the same of the second value.
    """

    metric: str
    first: float
    second: float
    difference: PairedDifference
    p_holm: float | None
    first_interval: tuple[float, float]
    second_interval: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        """Return the fields for JSON; null where a single class has no interval."""
        return {name: _known(value) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class RerankedMetrics:
    """The metrics of a run without and with its re-ranker, on the same queries.

    Attributes:
        reranker: kind and all options of the re-ranker.
        rows: every metric; ``first`` is the value without, ``second`` with the re-ranker.
    """

    reranker: dict[str, Any]
    rows: list[ComparedMetric]

    def to_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {"reranker": self.reranker, "metrics": [row.to_json() for row in self.rows]}


def _known(value: Any) -> Any:
    """Replace NaN by None."""
    if isinstance(value, dict):
        return {name: _known(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return [_known(part) for part in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def compared_metrics(
    both: pl.DataFrame, metrics: Sequence[str], protocol: Mapping[str, Any]
) -> list[ComparedMetric]:
    """Compare the main metric, that of every subset, and the other metrics.

    Args:
        both: the common queries, one row each, with the columns of ``schema.QUERIES`` of the
            first result; those of the second end with ``_second``.
        metrics: names of the metrics of the first result, the main metric first.
        protocol: settings of the protocol of both results.

    Raises:
        DataError: no query is scored in both results.
    """
    return [
        *main_metrics(both, metrics, protocol),
        *further_metrics(both, metrics, protocol),
    ]


def main_metrics(
    both: pl.DataFrame, metrics: Sequence[str], protocol: Mapping[str, Any]
) -> list[ComparedMetric]:
    """Compare the main metric over all queries and over the queries of each subset."""
    main = _compared(both, protocol, metrics[0], "value", over_all=True)
    parts = {
        name: both.filter(subset=subset)
        for subset in both["subset"].drop_nulls().unique(maintain_order=True)
        for name in metrics
        if name in _called(metrics[0], subset)
    }
    ordered = {name: parts[name] for name in metrics if name in parts}
    return [main, *corrected_metrics(ordered, protocol)]


def corrected_metrics(
    parts: Mapping[str, pl.DataFrame], protocol: Mapping[str, Any]
) -> list[ComparedMetric]:
    """Compare the main metric over parts of the queries, with p corrected by Holm's method."""
    rows = [_compared(part, protocol, name, "value") for name, part in parts.items()]
    corrected = holm([row.difference.p for row in rows])
    return [replace(row, p_holm=p) for row, p in zip(rows, corrected, strict=True)]


def further_metrics(
    both: pl.DataFrame, metrics: Sequence[str], protocol: Mapping[str, Any]
) -> list[ComparedMetric]:
    """Compare the other metrics that have a column."""
    names = [name for name in metrics if f"{name}_second" in both.columns]
    return [_compared(both, protocol, name, name, over_all=True) for name in names]


def _called(main: str, subset: str) -> tuple[str, str]:
    """Return the names that reports use for the main metric of a subset."""
    return f"{main} {subset}", subset


def paired_values(
    both: pl.DataFrame,
    protocol: Mapping[str, Any],
    metric: str,
    column: str,
    *,
    over_all: bool = False,
) -> PairedValues:
    """Return the values of one metric of common queries.

    Args:
        both: the common queries; see ``compared_metrics``.
        protocol: settings of the protocol of both results.
        metric: name of the metric, for messages.
        column: the column of its values.
        over_all: weight the subsets if the protocol averages them.

    Raises:
        DataError: no query is scored in both results.
    """
    scale = protocol.get("scale", 1) * (100 if protocol.get("percent") else 1)
    values = [
        both[name].cast(pl.Float64).fill_null(np.nan).to_numpy() * scale
        for name in (column, f"{column}_second")
    ]
    scored = ~np.isnan(values[0] + values[1])
    if not scored.any():
        raise DataError(f"{metric}: no query is scored in both runs")
    if over_all and protocol.get("average") == "over subsets":
        both_scored = [np.where(scored, one, np.nan) for one in values]
        values = [weighted_by_subset(one, both["subset"]) for one in both_scored]
        scored = ~np.isnan(values[0])
    own = pl.concat_str(pl.lit("\0"), pl.int_range(pl.len()))
    label = pl.coalesce("label", own)
    classes = both.select(label.rank("dense").cast(pl.Int64)).to_series().to_numpy()
    return PairedValues(values[0], values[1], classes, scored)


def _compared(
    both: pl.DataFrame,
    protocol: Mapping[str, Any],
    metric: str,
    column: str,
    *,
    over_all: bool = False,
) -> ComparedMetric:
    """Compare one metric; ``over_all`` weights the subsets if the protocol averages them."""
    pair = paired_values(both, protocol, metric, column, over_all=over_all)
    values = pair.first, pair.second
    ends = [interval(np.where(pair.scored, one, np.nan), pair.classes) for one in values]
    first, second = (float(one[pair.scored].mean()) for one in values)
    difference = paired_difference(*values, pair.classes)
    intervals = [(one.low, one.high) for one in ends]
    return ComparedMetric(metric, first, second, difference, None, *intervals)
