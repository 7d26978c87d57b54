"""Counts of values, labels and splits of a data set."""

import polars as pl


def frequencies(values: pl.Series) -> dict[str, int]:
    """Count every value, the most frequent first, equal counts by name."""
    counts = values.rename("value").value_counts()
    ordered = counts.sort(["count", "value"], descending=[True, False])
    return dict(ordered.iter_rows())


def count_items(items: pl.LazyFrame, *columns: str) -> pl.DataFrame:
    """Count the items of every combination of ``columns``, in the order of their first items.

    Returns:
        ``columns``, text (of the first item), items.
    """
    groups = items.select(*columns, "text").group_by(*columns, maintain_order=True)
    return groups.agg(pl.col("text").first(), items=pl.len()).collect()


def count_splits(items: pl.LazyFrame, *columns: str) -> pl.DataFrame:
    """Count the items and labels of every combination of ``columns``, in order of first items.

    Returns:
        ``columns``, items, labels.
    """
    groups = items.select(*columns, "label").group_by(*columns, maintain_order=True)
    labels = pl.col("label").drop_nulls().n_unique()
    return groups.agg(items=pl.len(), labels=labels).collect()
