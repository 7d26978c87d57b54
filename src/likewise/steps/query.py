"""Run SQL over the tables of a catalogue."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

import polars as pl
from polars.exceptions import ComputeError, PolarsError

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.curated_table import COLUMNS as CURATED
from likewise.catalogue.curated_table import join_curated
from likewise.catalogue.item_selections import read_selections
from likewise.errors import DataError, LikewiseError, MissingArtefactError, hint
from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.formats.rows import Rows
from likewise.formats.spreadsheet_text import mark_texts
from likewise.formats.sql_text import without_texts
from likewise.storage import artefacts, tables, versions
from likewise.storage.artefacts import Artefact
from likewise.storage.schema import EMBEDDINGS, MAPS, PUBLISHED, THUMBS
from likewise.storage.workspace import Workspace

_CHANGING = re.compile(r"\s*(alter|create|delete|drop|insert|truncate|update)\b", re.IGNORECASE)
_READING_FILES = re.compile(r"\bread_[a-z]+\b[`\"\]]?\s*\(", re.IGNORECASE)
_SHOW = re.compile(r"\s*show\b", re.IGNORECASE)
_NO_TABLE = re.compile(r"relation '(.+)' was not found")
_NO_COLUMN = re.compile(r'unable to find column "(.+?)"(?:; valid columns: \[(.*)\])?')


class QueryResult(Rows[dict[str, Any]]):
    """The rows that an SQL query selects.

    ``result["label"]`` is a column, ``result[0]`` a row and ``result.frame`` a polars frame of
    all rows. Rows are read when they are first needed, and then kept in memory.
    ``to_parquet`` and ``to_csv`` write rows while they are read, so a result may be larger than
    memory.
    """

    def __init__(
        self,
        lazy: pl.LazyFrame,
        known: Mapping[str, Artefact],
        used: Sequence[Path] = (),
    ) -> None:
        """Store a validated plan, the tables that error messages name, and those it reads."""
        self._lazy = lazy
        self._known = known
        self._used = used

    @cached_property
    def frame(self) -> pl.DataFrame:
        """All rows as a polars frame.

        Raises:
            DataError: an operation does not accept a value.
        """
        with _explained(self._known, self._used):
            return self._lazy.collect()

    def to_parquet(self, path: StrPath) -> int:
        """Write the rows to a Parquet file and return their number.

        Args:
            path: the file to write.

        Raises:
            DataError: an operation does not accept a value, or the folder does not exist.
        """
        return self._write(path, pl.LazyFrame.sink_parquet, pl.scan_parquet)

    def to_csv(self, path: StrPath, *, spreadsheet: bool = False) -> int:
        """Write the rows to a CSV file, lists as JSON text, and return their number.

        Args:
            path: the file to write.
            spreadsheet: put an apostrophe before texts that a spreadsheet would run as a
                formula: those that begin with ``= + - @``, a tab or a line end. The source csv
                removes it with its option ``spreadsheet``.

        Raises:
            DataError: an operation does not accept a value, or the folder does not exist.
        """

        def sink(frame: pl.LazyFrame, file: Path) -> object:
            flat = _flat(frame)
            return (mark_texts(flat) if spreadsheet else flat).sink_csv(file)

        return self._write(path, sink, partial(pl.scan_csv, infer_schema=False))

    def _write(
        self,
        path: StrPath,
        sink: Callable[[pl.LazyFrame, Path], object],
        scan: Callable[[Path], pl.LazyFrame],
    ) -> int:
        target = Path(path)
        if not target.parent.is_dir():
            what = (
                f"the folder {target.parent}, in which {target.name} would be written, does "
                "not exist"
            )
            raise DataError(f"{what}; create it first")
        with atomic.atomic_file(target) as part, _explained(self._known, self._used):
            with atomic.writing(target):
                sink(self.frame.lazy() if "frame" in vars(self) else self._lazy, part)
            return int(scan(part).select(pl.len()).collect().item())

    def _row(self, values: dict[str, Any]) -> dict[str, Any]:
        return values

    def _part(self, frame: pl.DataFrame) -> Self:
        return type(self)(frame.lazy(), self._known, self._used)


def query(
    sql: str,
    *,
    limit: int | None = None,
    selection: str | None = None,
    rev: str | None = None,
    workspace: StrPath | None = None,
) -> QueryResult:
    """Select rows of the catalogue's tables by SQL.

    A data set ``x`` is the table ``x`` (its published table), and ``x_images``, ``x_items``,
    ``x_findings``, ``x_pixels`` and ``x_flags``. The per-query results of a run ``r-1`` are
    ``queries_r_1``, and the places of a map ``m-1`` are ``map_m_1``. Only the tables, columns
    and rows that the statement needs are read. Tables have no pixels;
    ``likewise.open("x").images(ids)`` returns them.

    Args:
        sql: a SELECT statement, or ``show tables``.
        limit: maximum number of rows; by default all.
        selection: name of a selection. Of each data set in the statement that has a selection
            of this name, only its items are read.
        rev: git revision whose tables are read; by default the checkout.
        workspace: a folder in the catalogue; by default the current one.

    Returns:
        The rows: ``.frame`` is a polars frame, ``.to_parquet(path)`` and ``.to_csv(path)``
        write them.

    Raises:
        DataError: the SQL is invalid, or names a table or column that does not exist.
        UnknownNameError: no data set in the statement has the selection.
        MissingArtefactError: the SQL names a table that was not made yet.

    Example:
        >>> sql = "SELECT label, count(*) AS n FROM emoji GROUP BY label ORDER BY n DESC"
        >>> likewise.query(sql, limit=1)[0]
        {'label': '0', 'n': 5}
    """
    _refuse(sql)
    ws = open_workspace(workspace, rev=rev)
    known = _tables(ws)
    plain = without_texts(sql)
    datasets = {
        name: table.stage.key
        for name, table in known.items()
        if table.name == PUBLISHED.name and _names(plain, name)
    }
    chosen = {} if selection is None else read_selections(ws, datasets, selection)
    context, used = pl.SQLContext(), []
    for name, table in known.items():
        if _names(plain, name) and (path := versions.locate(ws, table.path)).exists():
            with _explained(known, [path]):
                context.register(name, _frame(ws, plain, table, path, chosen.get(name)))
            used.append(path)
    with _explained(known, used):
        frame = context.execute(sql, eager=False)
        if limit is not None:
            frame = frame.limit(limit)
        frame.collect_schema()  # unknown names raise here, not at the first row
    return QueryResult(frame, known, used)


def _refuse(sql: str) -> None:
    plain = without_texts(sql)
    if _CHANGING.match(plain):
        raise DataError("query only reads; to correct items, run: likewise correct")
    if _READING_FILES.search(plain):
        # A user of the web page could otherwise read any file of the machine.
        raise DataError("query reads the catalogue's tables, not files; read those with polars")


def _names(sql: str, name: str) -> bool:
    """Return True if ``sql`` may refer to the table ``name``; columns match too."""
    if _SHOW.match(sql):
        return True
    return bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql, re.IGNORECASE))


def _tables(ws: Workspace) -> dict[str, Artefact]:
    """Map every table name in SQL to its table, made or not."""
    by_name: dict[str, Artefact] = {}
    for view in ws.params.all_views:
        by_name[view] = artefacts.published(ws, view)
    for dataset in ws.params.datasets:
        for table in artefacts.tables_of(ws, dataset):
            if table.name == PUBLISHED.name:
                by_name[table.stage.key] = table
            elif table.name not in (EMBEDDINGS.name, MAPS.name, THUMBS.name):
                by_name[f"{dataset}_{table.name}"] = table
    reports = {run: artefacts.results(ws, run) for run in ws.params.runs}
    # Own names first: the SQL name of a run "r-1" must not hide a run "r_1".
    for run, rows in reports.items():
        by_name.setdefault(f"queries_{run}", rows)
    for run, rows in reports.items():
        by_name.setdefault(f"queries_{run.replace('-', '_')}", rows)
    maps = {
        f"map_{name.replace('-', '_')}": artefacts.map_table(ws, name)
        for name in ws.params.maps
    }
    return maps | by_name


def _frame(
    ws: Workspace, sql: str, table: Artefact, path: Path, items: list[str] | None
) -> pl.LazyFrame:
    """Return a table without its pixels; only the rows of ``items``, if they are given."""
    if path.suffix == ".parquet":
        return pl.scan_parquet(path)
    opened = tables.open_table(path, table.command)
    hidden = table.contract.blobs() if table.contract else ()
    frame = opened.frame().drop(*hidden, *opened.missing_vectors())
    is_curated = table.name == PUBLISHED.name and any(_names(sql, c) for c in CURATED)
    if items is not None:
        ids = pl.LazyFrame({"item_id": items}, {"item_id": pl.String})
        frame = frame.join(ids, on="item_id", how="semi", maintain_order="left")
    return join_curated(ws, table.stage.key, frame) if is_curated or "*" in sql else frame


def _flat(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Convert lists to JSON text, because CSV cannot store lists."""
    nested = [name for name, kind in frame.collect_schema().items() if kind.is_nested()]
    return frame.with_columns(map(tables.as_json, nested))


@contextmanager
def _explained(known: Mapping[str, Artefact], used: Sequence[Path]) -> Iterator[None]:
    """Translate errors of polars, and of the files of the tables ``used``."""
    try:
        yield
    except PolarsError as error:
        if isinstance(error, ComputeError):  # others are about the statement
            _raise_damage(used)
        raise _explanation(str(error), known) from error
    except BaseException as error:
        if not tables.is_damage(error):
            raise
        _raise_damage(used)
        raise tables.damage_error(error, "a table of the query") from error


def _raise_damage(used: Sequence[Path]) -> None:
    """Raise the error that names the first damaged one of the tables ``used``, if any."""
    for path in used:
        if path.suffix == ".parquet":
            try:
                pl.read_parquet(path)
            except PolarsError as error:
                raise tables.damage_error(error, f"{path.parent.name}/{path.name}") from error
        else:
            table = tables.open_table(path)
            table.read(table.metadata_columns)


def _explanation(message: str, known: Mapping[str, Artefact]) -> LikewiseError:
    """Return polars' error as one line, with the nearest names."""
    if absent := _NO_TABLE.search(message):
        name = absent[1]
        if name.lower() in known:
            return MissingArtefactError(f"no table {name} yet", known[name.lower()].command)
        return DataError(f"no table {name!r}; {hint(name, known)}")
    if absent := _NO_COLUMN.search(message):
        columns = re.findall(r'"([^"]+)"', absent[2] or "")
        return DataError(f"no column {absent[1]!r}; {hint(absent[1], columns)}")
    return DataError(f"the SQL cannot be answered: {message.splitlines()[0]}")
