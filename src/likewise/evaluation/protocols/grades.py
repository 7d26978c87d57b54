"""Relevant items that columns list, with their grades."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from likewise.errors import DataError, bounded
from likewise.evaluation.protocols.spec import ProtocolSpec
from likewise.evaluation.ranking import Groups
from likewise.formats.array_types import Int64Array


def present_grades(spec: ProtocolSpec, rows: pl.DataFrame) -> tuple[str, ...]:
    """Return the columns of grades that the items have: all of ``spec.grades``, or none."""
    return spec.grades if all(name in rows.columns for name in spec.grades) else ()


def listed_rows(
    rows: pl.DataFrame,
    queries: Int64Array,
    position: Int64Array,
    columns: Sequence[str],
    grades: Sequence[str] = (),
) -> tuple[Groups, Int64Array]:
    """Return the gallery positions of the items whose ids the queries' ``columns`` list.

    An item that is listed twice has the higher grade. An item with a grade below 1 is judged
    not relevant, and left out.

    Args:
        rows: the items.
        queries: (q,) row numbers of the queries.
        position: (n,) position of every item in the gallery; -1: none.
        columns: columns with lists of ids.
        grades: columns with the lists of their grades, one for each; none: all grades are 1.

    Returns:
        The positions, ascending, and the grade of each in their order.

    Raises:
        DataError: no item has a listed id; a grade is not a whole number; or there are not as
            many grades as ids.
    """
    ids = pl.DataFrame({"item_id": rows["item_id"], "position": position})
    graded = grades or [""] * len(columns)
    listed = pl.concat(
        _listed(rows[queries], column, grade)
        for column, grade in zip(columns, graded, strict=True)
    )
    best = listed.group_by("query", "item_id").agg(pl.col("grade").max())
    joined = best.join(ids, on="item_id", how="left")
    unknown = joined.filter(pl.col("position").is_null())["item_id"].unique().sort()
    if len(unknown):
        raise DataError(
            f"{' and '.join(columns)}: no item is called {bounded(unknown, len(unknown))}"
        )
    chosen = joined.filter((pl.col("position") >= 0) & (pl.col("grade") >= 1))
    ranked = chosen.sort("query", "position")
    ends = np.searchsorted(ranked["query"].to_numpy(), np.arange(len(queries)), side="right")
    begins = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
    return Groups(ranked["position"].to_numpy(), begins, ends), ranked["grade"].to_numpy()


def _listed(rows: pl.DataFrame, column: str, grade: str) -> pl.DataFrame:
    """Return query, item_id and grade of the ids of ``column``; all 1 without ``grade``."""
    numbered = rows.select(pl.int_range(pl.len()).alias("query"), item_id=column)
    if not grade:
        exploded = numbered.explode("item_id").with_columns(grade=pl.lit(1, pl.Int64))
        return exploded.drop_nulls("item_id")
    kind = rows.schema[grade]
    if not (isinstance(kind, pl.List) and kind.inner.is_numeric()):
        raise DataError(f"{grade}: expected lists of whole numbers, found {kind}")
    both = numbered.with_columns(grade=rows[grade])
    uneven = both.filter(
        pl.col("item_id").list.len().fill_null(0) != pl.col("grade").list.len().fill_null(0)
    )
    if len(uneven):
        names = rows["item_id"].gather(uneven["query"])
        raise DataError(
            f"{grade}: not one grade for every id of {column} in {bounded(names, len(names))}"
        )
    exploded = both.explode("item_id", "grade").drop_nulls("item_id")
    values = exploded["grade"].cast(pl.Float64)
    if not ((values == values.floor()) & values.is_finite()).fill_null(value=False).all():
        raise DataError(f"{grade}: expected whole numbers, one for every id of {column}")
    return exploded.with_columns(pl.col("grade").cast(pl.Int64))
