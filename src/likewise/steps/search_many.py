"""Answer a table of queries at once."""

from pathlib import Path
from typing import Any

import polars as pl

from likewise.retrieval.batch import search_table
from likewise.retrieval.query import Query
from likewise.steps.open import open_catalogue


def search_many(
    dataset: str,
    queries: Path | pl.DataFrame,
    *,
    rev: str | None = None,
    workspace: Path | None = None,
    **query: Any,
) -> pl.DataFrame:
    """Answer a table of queries, all of them at once.

    Args:
        dataset: the data set to search.
        queries: a frame, or a file of one (CSV, Parquet, JSON lines), a row a query. Exactly
            one of its columns says what to look for: ``id`` (an item, itself no hit),
            ``image`` (a file, from the table's own folder) or ``vector``. A column ``query``
            names the queries; without it they are called like that, or by their number.
        rev: a git revision, to search the data set as it was then.
        workspace: a folder in the catalogue; by default the current one.
        query: how to look, by keyword as for ``search``: model, k, offset, min_score,
            per_label, role, where, index.

    Returns:
        query, and the columns of ``search``; the queries in their order.

    Raises:
        DataError: the table has none of these columns or several, or a query of it is wrong.
        StaleArtefactError: the index is of other vectors.
    """
    wanted = Query(**query, vector="")
    wanted.check()
    table = queries if isinstance(queries, pl.DataFrame) else Path(queries)
    return search_table(open_catalogue(dataset, rev=rev, workspace=workspace), table, wanted)
