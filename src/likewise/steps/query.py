"""Answer SQL over every table of the catalogue."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeVar

import polars as pl
from polars.exceptions import PolarsError

from likewise.catalogue.catalogue import open_workspace
from likewise.errors import DataError, LikewiseError, MissingArtefactError, hint
from likewise.formats.paths import StrPath
from likewise.schema import EMBEDDINGS, PUBLISHED
from likewise.storage import artefacts, tables, versions
from likewise.storage.artefacts import Artefact
from likewise.storage.workspace import Workspace

_CHANGING = re.compile(r"\s*(alter|create|delete|drop|insert|truncate|update)\b", re.IGNORECASE)
_READING_FILES = re.compile(r"\bread_[a-z]+\b", re.IGNORECASE)
_SHOW = re.compile(r"\s*show\b", re.IGNORECASE)
_NO_TABLE = re.compile(r"relation '(.+)' was not found")
_NO_COLUMN = re.compile(r'unable to find column "(.+?)"(?:; valid columns: \[(.*)\])?')

T = TypeVar("T")


def query(
    sql: str,
    *,
    limit: int | None = None,
    rev: str | None = None,
    workspace: StrPath | None = None,
) -> pl.DataFrame:
    """The rows that ``sql`` selects, at most ``limit`` of them.

    A data set ``x`` is the table ``x`` (what publish wrote), and ``x_images``, ``x_items``,
    ``x_findings``, ``x_pixels`` and ``x_flags``; the per-query results of a run ``r-1`` are
    ``queries_r_1``. Only the tables that the text names are opened, and only the columns and
    rows that it needs are read. ``x_images`` has no pixels; ``likewise.open("x").images(ids)``
    does. ``rev`` names a git revision, whose tables are then meant.

    Raises:
        DataError: the SQL is wrong, or names a table or column that there is not.
        MissingArtefactError: it names a table that was not made yet.
    """
    return _answer(sql, limit, open_workspace(workspace, rev=rev), pl.LazyFrame.collect)


def write_query(
    sql: str,
    file: StrPath,
    *,
    kind: Literal["parquet", "csv"] = "parquet",
    limit: int | None = None,
    rev: str | None = None,
    workspace: StrPath | None = None,
) -> int:
    """Write the rows that ``sql`` selects to ``file``, as they come; how many there were.

    In CSV a vector or box is a JSON list. Otherwise as ``query``.

    Raises:
        DataError: the SQL is wrong, or names a table or column that there is not.
        MissingArtefactError: it names a table that was not made yet.
    """
    target = Path(file)
    if not target.parent.is_dir():
        raise DataError(f"no folder {target.parent} to write {target.name} into; make it first")
    beside = target.with_name(f".{target.name}.part")

    def sink(frame: pl.LazyFrame) -> int:
        if kind == "parquet":
            frame.sink_parquet(beside)
            return int(pl.scan_parquet(beside).select(pl.len()).collect().item())
        _flat(frame).sink_csv(beside)
        return int(pl.scan_csv(beside, infer_schema=False).select(pl.len()).collect().item())

    try:
        rows = _answer(sql, limit, open_workspace(workspace, rev=rev), sink)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return rows


def _answer(
    sql: str,
    limit: int | None,
    ws: Workspace,
    finish: Callable[[pl.LazyFrame], T],
) -> T:
    _refuse(sql)
    known = _tables(ws)
    context = pl.SQLContext()
    for name, table in known.items():
        if _names(sql, name) and (path := versions.present(ws, table.path)).exists():
            context.register(name, _frame(table, path))
    try:
        frame = context.execute(sql, eager=False)
        return finish(frame if limit is None else frame.limit(limit))
    except PolarsError as error:
        raise _explained(str(error), known) from error


def _refuse(sql: str) -> None:
    if _CHANGING.match(sql):
        raise DataError("query only reads; to correct a data set, correct its source's files")
    if _READING_FILES.search(sql):
        # Otherwise whoever may ask, by the web page say, could read any file of the machine.
        raise DataError("query reads the catalogue's tables, not files; read those with polars")


def _names(sql: str, name: str) -> bool:
    """Whether ``sql`` may mean the table ``name``, or a column or text that is called so."""
    if _SHOW.match(sql):
        return True
    return bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql, re.IGNORECASE))


def _tables(ws: Workspace) -> dict[str, Artefact]:
    """Every table by its name in SQL, made or not."""
    found: dict[str, Artefact] = {}
    for view in ws.params.views:
        found[view] = artefacts.published(ws, view)
    for dataset in ws.params.datasets:
        for table in artefacts.tables_of(ws, dataset):
            if table.name == PUBLISHED.name:
                found[table.stage.key] = table
            elif table.name != EMBEDDINGS.name:
                found[f"{dataset}_{table.name}"] = table
    reports = {run: artefacts.results(ws, run) for run in ws.params.runs}
    # A run's own name goes first, so that what "r-1" is called never hides a run "r_1".
    for run, rows in reports.items():
        found.setdefault(f"queries_{run}", rows)
    for run, rows in reports.items():
        found.setdefault(f"queries_{run.replace('-', '_')}", rows)
    return found


def _frame(table: Artefact, path: Path) -> pl.LazyFrame:
    if path.suffix == ".parquet":
        return pl.scan_parquet(path)
    opened = tables.open_table(path, table.command)
    hidden = table.contract.blobs() if table.contract else ()
    return opened.frame().drop(*hidden, *opened.missing_vectors())


def _flat(frame: pl.LazyFrame) -> pl.LazyFrame:
    """``frame`` with lists as their JSON text, which is all that CSV can hold."""
    nested = [name for name, kind in frame.collect_schema().items() if kind.is_nested()]
    return frame.with_columns(map(tables.as_json, nested))


def _explained(said: str, known: Mapping[str, Artefact]) -> LikewiseError:
    """Polars' error in a line, with the nearest names."""
    if absent := _NO_TABLE.search(said):
        name = absent[1]
        if name.lower() in known:
            return MissingArtefactError(f"no table {name} yet", known[name.lower()].command)
        return DataError(f"no table {name!r}; {hint(name, known)}")
    if absent := _NO_COLUMN.search(said):
        columns = re.findall(r'"([^"]+)"', absent[2] or "")
        return DataError(f"no column {absent[1]!r}; {hint(absent[1], columns)}")
    return DataError(f"the SQL cannot be answered: {said.splitlines()[0]}")
