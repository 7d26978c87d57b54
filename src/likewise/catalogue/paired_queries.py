"""The queries that two runs have in common."""

import polars as pl

from likewise.catalogue.run_results import Results
from likewise.errors import DataError, bounded
from likewise.formats.counted_nouns import counted


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
        f"{len(results.queries) - len(both):,} of "
        f"{counted(len(results.queries), f'query of {results.run}', 'is', 'are')} not in the "
        "other, and left out"
        for results in (first, second)
        if len(results.queries) > len(both)
    ]
    moved = both.filter(~pl.col("label").eq_missing(pl.col("label_second")))["item_id"]
    if len(moved):
        notes.append(
            f"the labels of {bounded(moved, len(moved))} differ; the first run's are used"
        )
    return both, notes
