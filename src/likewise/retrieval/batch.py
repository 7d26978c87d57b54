"""Search for all queries of a table."""

import os
from pathlib import Path
from typing import TypeAlias

import numpy as np
import polars as pl

from likewise.errors import DataError, bounded
from likewise.formats.array_types import AnyArray, Float32Array, Int64Array
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.retrieval.asked_queries import AskedQueries
from likewise.retrieval.hits import Hits
from likewise.retrieval.index_cache import EXACT
from likewise.retrieval.indexes.base import NONE
from likewise.retrieval.published_dataset import resolve_model, resolve_text_model
from likewise.retrieval.search_query import Query, open_picture
from likewise.retrieval.searcher import Searchable, Searcher

_PICTURES = 64
"""Number of images that are encoded at a time."""
_QUERY_COLUMNS = ("id", "image", "vector", "text")

Queries: TypeAlias = StrPath | pl.DataFrame | pl.LazyFrame | AnyArray
"""A table of queries, a file with one, or an array (queries, dimensions) of vectors."""


def search_table(dataset: Searchable, queries: Queries, query: Query) -> Hits:
    """Search for every row of ``queries`` with the options of ``query``."""
    if isinstance(queries, str | os.PathLike):
        folder, frame = Path(queries).parent, _read_table(Path(queries))
    else:
        folder, frame = Path(), _as_frame(queries)
    column = _query_column(frame)
    resolve = resolve_text_model if column == "text" else resolve_model
    model = resolve(dataset, query.model)
    if query.templates is not None and column != "text":
        raise DataError("templates are sentences for a column text; the queries have none")
    searcher = dataset.searcher(model, query.index or EXACT, fresh=False)
    searcher.allowed(query)  # refuses a wrong condition before a model is loaded
    vectors, rows = _vectors(searcher, frame[column], query, folder)
    frames = [searcher.no_hits(), *searcher.answer_many(vectors, rows, query)]
    asked = AskedQueries.of(frame, column, _query_names(frame, column), folder)
    names = ["", *asked.names]
    hits = pl.concat(
        query_hits.select(pl.lit(name).alias("query"), pl.all())
        for name, query_hits in zip(names, frames, strict=True)
    )
    return Hits(hits, {dataset.name: dataset}, asked=asked)


def _as_frame(queries: pl.DataFrame | pl.LazyFrame | AnyArray) -> pl.DataFrame:
    """Return the queries as a table in memory; an array (q, d) has one vector per row."""
    if isinstance(queries, pl.LazyFrame):
        return queries.collect()
    if isinstance(queries, pl.DataFrame):
        return queries
    values = np.asarray(queries)
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        shape = " x ".join(map(str, values.shape)) or "no"
        raise DataError(
            f"the queries have {shape} values of {values.dtype}; expected numbers of shape "
            "(queries, dimensions)"
        )
    return pl.DataFrame({"vector": values.tolist()}, {"vector": pl.List(pl.Float64)})


def _read_table(path: Path) -> pl.DataFrame:
    readers = {".csv": pl.read_csv, ".parquet": pl.read_parquet, ".jsonl": pl.read_ndjson}
    if path.suffix not in readers:
        raise DataError(f"{path}: queries are a .csv, .parquet or .jsonl file")
    try:
        frame: pl.DataFrame = readers[path.suffix](path)  # type: ignore[operator]
    except (OSError, pl.exceptions.PolarsError) as error:
        message = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path}: {message}") from error
    return frame


def _query_column(frame: pl.DataFrame) -> str:
    """Return the name of the column with the queries: id, image, vector or text."""
    columns = [name for name in _QUERY_COLUMNS if name in frame.columns]
    if len(columns) != 1:
        present = " and ".join(columns) or f"only {', '.join(frame.columns) or 'nothing'}"
        raise DataError(
            f"queries need exactly one column of id, image, vector and text; found {present}"
        )
    empty = frame[columns[0]].null_count()
    if empty:
        raise DataError(f"queries: the column {columns[0]} is empty in {counted(empty, 'row')}")
    return columns[0]


def _query_names(frame: pl.DataFrame, column: str) -> list[str]:
    """Return the names of the queries: the column ``query``, or else ids, files or numbers."""
    if "query" in frame.columns:
        return frame["query"].cast(pl.String).to_list()
    if column == "vector":
        return [str(number) for number in range(len(frame))]
    return frame[column].cast(pl.String).to_list()


def _vectors(
    searcher: Searcher, queries: pl.Series, query: Query, folder: Path
) -> tuple[Float32Array, Int64Array]:
    """Return the vectors (q, d) of the queries, and the rows (q,) of query items, else -1."""
    no_rows, column = np.full(len(queries), NONE, np.int64), queries.name
    if queries.is_empty():
        return np.empty((0, searcher.dim), np.float32), no_rows
    if column == "vector":
        values = [np.asarray(vector, np.float64) for vector in queries.to_list()]
        return np.stack([searcher.vectors.checked(vector) for vector in values]), no_rows
    if column == "id":
        names = queries.cast(pl.String).to_list()
        rows = searcher.rows(names)
        absent = [name for name, row in zip(names, rows, strict=True) if row == NONE]
        if absent:
            raise DataError(f"queries: there is no item {bounded(absent, len(absent))}")
        return searcher.vectors.of_items(rows.tolist()), rows
    if column == "text":
        return searcher.vectors.of_texts(
            queries.cast(pl.String).to_list(), query.templates
        ), no_rows
    paths = [folder / name for name in queries.cast(pl.String)]
    parts = [
        searcher.vectors.of_pictures(
            [open_picture(path) for path in paths[start : start + _PICTURES]], query.query_role
        )
        for start in range(0, len(paths), _PICTURES)
    ]
    return np.concatenate(parts), no_rows
