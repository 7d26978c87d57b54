"""The metrics of a result for every value of a column of the items."""

from dataclasses import replace

import numpy as np
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.protocols.base import Evaluation
from likewise.evaluation.protocols.exclusions import codes
from likewise.evaluation.significance import Interval, interval
from likewise.formats.array_types import Float64Array
from likewise.formats.counted_nouns import counted

MOST_VALUES = 200
"""Maximum number of values by which a result is reported."""

_TYPES = (pl.String, pl.Boolean, pl.Categorical, pl.Null)


def score_by(result: Evaluation, items: pl.DataFrame, column: str) -> Evaluation:
    """Add the metrics of the queries of every value of ``column`` to a result.

    A metric of a value is the mean over its scored queries, with the intervals of ``interval``,
    and is called ``METRIC COLUMN=VALUE``. Queries without a value are counted in a note. The
    rows of the queries have the value as the column ``by``.

    Args:
        result: the result of any protocol whose queries are items.
        items: item_id and ``column`` of all items.
        column: a column of texts, numbers or truth values.

    Raises:
        DataError: the queries are not items, the column has no value or too many values, or
            it holds lists.
    """
    kind = items.schema[column]
    if not (kind in _TYPES or kind.is_numeric() or kind.is_temporal()):
        raise DataError(f"by: {column} holds {kind}; expected texts, numbers or truth values")
    keys = items.select("item_id", by=column)
    rows = result.queries.join(keys, on="item_id", how="left", maintain_order="left")
    if not result.queries["item_id"].is_in(keys["item_id"].implode()).all():
        raise DataError(f"by: the queries of {result.protocol['name']} are not items")
    values = rows["by"].drop_nulls().unique().sort()
    if values.is_empty():
        raise DataError(f"by: no query has a {column}")
    if len(values) > MOST_VALUES:
        raise DataError(
            f"by: {column} has {counted(len(values), 'value')}; a report has at most "
            f"{MOST_VALUES:,}: choose a column with fewer"
        )
    return _extended(result, rows, values, column)


def metric_by(metric: str, column: str, value: object) -> str:
    """Return the name of a metric of the queries with one value of a column."""
    return f"{metric} {column}={value}"


def split_metrics(
    metrics: dict[str, float], column: str
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Separate metrics by values of ``column`` from the others.

    Returns:
        The other metrics; and value -> metric -> number.
    """
    plain: dict[str, float] = {}
    by_value: dict[str, dict[str, float]] = {}
    for name, number in metrics.items():
        metric, equals, value = name.partition(f" {column}=")
        if equals:
            by_value.setdefault(value, {})[metric] = number
        else:
            plain[name] = number
    return plain, by_value


def _extended(
    result: Evaluation, rows: pl.DataFrame, values: pl.Series, column: str
) -> Evaluation:
    protocol = result.protocol
    scale = protocol.get("scale", 1) * (100 if protocol.get("percent") else 1)
    decimals = protocol.get("decimals", 4)
    main = next(iter(result.metrics))
    sources = {main: "value"}
    sources |= {
        n: n for n in result.metrics if n in rows.columns and rows[n].dtype.is_numeric()
    }
    labels = codes(rows, ["label"])
    classes = np.where(labels < 0, labels.max(initial=0) + 1 + np.arange(len(rows)), labels)
    means: dict[str, Interval] = {}
    unrounded: dict[str, float] = {}
    for value in values:
        chosen = (rows["by"] == value).fill_null(value=False).to_numpy()
        for metric, source in sources.items():
            numbers: Float64Array = rows[source].cast(pl.Float64).fill_null(np.nan).to_numpy()
            if not np.isnan(numbers[chosen]).all():
                by_class = protocol.get("average") == "over classes"
                mean = interval(numbers[chosen], classes[chosen], by_class=by_class)
                name = metric_by(metric, column, value)
                unrounded[name] = mean.value * scale
                means[name] = mean.rescaled(scale, decimals + 2)
    unknown = rows["by"].null_count()
    notes = [f"by {column}: {counted(len(values), 'value')}"]
    if unknown:
        notes.append(f"queries without a {column}, in no part: {unknown:,}")
    return replace(
        result,
        queries=rows.with_columns(pl.col("by").cast(pl.String)),
        metrics=result.metrics | {n: round(v, decimals) for n, v in unrounded.items()},
        unrounded=result.unrounded | unrounded,
        statistics=result.statistics | means,
        notes=[*result.notes, *notes],
    )
