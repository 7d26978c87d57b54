"""Search over several data sets at once, and answer many queries at once."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from likewise.errors import DataError, UnknownNameError, bounded
from likewise.indexes.base import NONE, Rows, Scores
from likewise.passport import Passport
from likewise.steps import asked
from likewise.steps.asked import DEFAULT_K, Query
from likewise.steps.dataset import Dataset
from likewise.steps.indexing import EXACT
from likewise.steps.open import open_catalogue
from likewise.steps.searcher import Searcher, model_of

_PICTURES = 64
_WAYS = ("id", "image", "vector")


def search_over(datasets: Sequence[Dataset], **query: Any) -> pl.DataFrame:
    """The best hits of several data sets together; the arguments of ``search``.

    An item is taken from the first of them that has it.

    Raises:
        DataError: their vectors are not by the same model, or the query is by text: scores of
            words depend on the other texts of a data set.
    """
    wanted = Query(**query)
    wanted.check()
    if wanted.text is not None:
        raise DataError("text is searched in one data set at a time; name one")
    models = {model_of(one, wanted.model) for one in datasets}
    _same(datasets, models)
    holder = _holder(datasets, wanted)
    searcher = holder.searcher(min(models), EXACT)
    rows = tuple(searcher.row(item) for item in wanted.ids)
    vectors = searcher.vectors(wanted, rows)
    count = wanted.k
    if count is None and wanted.min_score is None:
        count = DEFAULT_K
    frames = []
    for one in datasets:
        itself = wanted.id if one is holder else None
        part = replace(wanted, image=None, box=None, offset=0, id=itself)
        if count is not None:
            part = replace(part, k=wanted.offset + count)
        own = one.searcher(min(models), wanted.index or EXACT, fresh=False)
        frames.append(own.answer(part, vectors))
    joined = pl.concat(frames).sort("score", descending=True, maintain_order=True)
    page = joined.slice(wanted.offset, count)
    return page.with_columns(rank=pl.int_range(1, pl.len() + 1) + wanted.offset)


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
    folder = Path() if isinstance(queries, pl.DataFrame) else Path(queries).parent
    frame = queries if isinstance(queries, pl.DataFrame) else _table(Path(queries))
    wanted = Query(**query, vector="")
    wanted.check()
    opened = open_catalogue(dataset, rev=rev, workspace=workspace)
    model = model_of(opened, wanted.model)
    searcher = opened.searcher(model, wanted.index or EXACT, fresh=False)
    way = _way(frame)
    vectors, rows = _vectors(searcher, frame[way], way, folder)
    found = [searcher.none(), *searcher.many(vectors, rows, wanted)]
    names = ["", *_names(frame, way)]
    return pl.concat(
        one.select(pl.lit(name).alias("query"), pl.all())
        for name, one in zip(names, found, strict=True)
    )


def _holder(datasets: Sequence[Dataset], query: Query) -> Dataset:
    """The first data set that has all the items that are searched for."""
    for one in datasets:
        if one.items["item_id"].is_in(query.ids).sum() == len(set(query.ids)):
            return one
    names = [name for one in datasets for name in one.items["item_id"].head(2000)]
    where = " and ".join(one.name for one in datasets)
    raise UnknownNameError("item", query.ids[0], names, where)


def _same(datasets: Sequence[Dataset], models: set[str]) -> None:
    """Refuse vectors that are not comparable."""
    made = {
        Passport.from_json(one.table.schema.field(m).metadata[b"passport"], one.name).identity()
        for one in datasets
        for m in models
        if m in one.models
    }
    if len(models) > 1 or len(made) > 1:
        names = ", ".join(one.name for one in datasets)
        what = f"the vectors of {names} are by different models or versions of one"
        raise DataError(f"{what}; name a model that made all of them, or: dvc repro")


def _table(path: Path) -> pl.DataFrame:
    readers = {".csv": pl.read_csv, ".parquet": pl.read_parquet, ".jsonl": pl.read_ndjson}
    if path.suffix not in readers:
        raise DataError(f"{path}: queries are a .csv, .parquet or .jsonl file")
    try:
        found: pl.DataFrame = readers[path.suffix](path)  # type: ignore[operator]
    except (OSError, pl.exceptions.PolarsError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path}: {said}") from error
    return found


def _way(frame: pl.DataFrame) -> str:
    """Which column says what to look for."""
    given = [name for name in _WAYS if name in frame.columns]
    if len(given) != 1:
        found = " and ".join(given) or f"only {', '.join(frame.columns) or 'nothing'}"
        raise DataError(f"queries have one column of id, image and vector; here is {found}")
    empty = frame[given[0]].null_count()
    if empty:
        raise DataError(f"queries: the column {given[0]} is empty in {empty:,} rows")
    return given[0]


def _names(frame: pl.DataFrame, way: str) -> list[str]:
    if "query" in frame.columns:
        return frame["query"].cast(pl.String).to_list()
    if way == "vector":
        return [str(number) for number in range(len(frame))]
    return frame[way].cast(pl.String).to_list()


def _vectors(
    searcher: Searcher, column: pl.Series, way: str, folder: Path
) -> tuple[Scores, Rows]:
    """The queries' vectors, and the rows of those that are items, -1 for others."""
    none = np.full(len(column), NONE, np.int64)
    if column.is_empty():
        return np.empty((0, searcher.dim), np.float32), none
    if way == "vector":
        values = [np.asarray(one, np.float64) for one in column.to_list()]
        return np.stack([searcher.fitting(one) for one in values]), none
    if way == "id":
        names = column.cast(pl.String).to_list()
        rows = np.array([searcher.row(name) for name in names], np.int64)
        absent = [name for name, row in zip(names, rows, strict=True) if row == NONE]
        if absent:
            raise DataError(f"queries: no item {bounded(absent, len(absent))}")
        return searcher.taken(rows.tolist()), rows
    paths = [folder / name for name in column.cast(pl.String)]
    parts = [
        searcher.encode([asked.picture(path) for path in paths[start : start + _PICTURES]])
        for start in range(0, len(paths), _PICTURES)
    ]
    return np.concatenate(parts), none
