"""Read the results of a run's evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import TypeAdapter, ValidationError

from likewise.catalogue.report_shapes import ANY, LINEAGE, METRICS, STATISTICS
from likewise.errors import DamagedError, DataError, MissingArtefactError, StaleArtefactError
from likewise.evaluation.literature import ComparableTables, comparable_tables
from likewise.formats.json_documents import read_json
from likewise.storage import artefacts, versions
from likewise.storage.schema import QUERIES
from likewise.storage.workspace import Workspace

if TYPE_CHECKING:
    from polars._typing import PolarsDataType

_PARALLEL = (("hits", "hit_relevant"), ("missed", "missed_ranks"))
"""Columns of the rows of a run whose lists have one value for each other's."""


MOST_BYTES = 64 << 20
"""Maximum size of the metrics, intervals or lineage of a run."""


@dataclass(frozen=True)
class RunRecord:
    """The results of one run that git stores.

    Attributes:
        run: name of the run in params.yaml.
        metrics: metric -> value; the protocol's main metric is first.
        statistics: metric -> fields of ``significance.Interval``.
        lineage: run, protocol, notes, counts, digests of the columns read, passport of the
            model.
        known: names of the public data set that was scored, if its card declares one.
        reranking: fields of ``RerankedMetrics``; None for a run without a re-ranker.
    """

    run: str
    metrics: dict[str, float]
    statistics: dict[str, dict[str, Any]]
    lineage: dict[str, Any]
    known: tuple[str, ...] = ()
    reranking: dict[str, Any] | None = None

    @property
    def protocol(self) -> dict[str, Any]:
        """Name, version and options of the protocol."""
        protocol: dict[str, Any] = self.lineage["protocol"]
        return protocol

    @property
    def main_statistic(self) -> dict[str, Any]:
        """Fields of ``significance.Interval`` of the main metric; {} if it has no interval."""
        return self.statistics.get(next(iter(self.metrics)), {})

    @property
    def reranker(self) -> str:
        """Kind of the re-ranker; "" without one."""
        return "" if self.reranking is None else str(self.reranking["reranker"].get("kind", ""))

    @cached_property
    def published(self) -> ComparableTables:
        """Published tables that the run may be compared with."""
        name, version = self.protocol["name"], self.protocol["version"]
        counts = self.lineage["counts"]
        tables = comparable_tables(name, version, counts, self.metrics, known=self.known)
        return tables if self.reranking is None else tables.of_reranked()


@dataclass(frozen=True)
class Results(RunRecord):
    """Results of one run.

    Attributes:
        queries: one row per query; see ``schema.QUERIES``.
    """

    queries: pl.DataFrame = field(kw_only=True)

    @property
    def reported_by(self) -> str | None:
        """The column by whose values the run is reported; None without ``by``."""
        column = self.lineage["run"].get("by")
        return column if column and "by" in self.queries.columns else None

    @cached_property
    def right(self) -> pl.Series:
        """True for each query whose first hit, other than the query itself, is relevant."""
        if "hits" not in self.queries.columns:
            return (self.queries["value"] > 0.5).alias("right")
        columns = self.queries.select("item_id", "hits", "hit_relevant").iter_rows()
        right = [_first_is_relevant(item, hits, relevant) for item, hits, relevant in columns]
        return pl.Series("right", right, pl.Boolean)


def read_results(ws: Workspace, run: str) -> Results:
    """Read the results of ``run``.

    Raises:
        UnknownNameError: no such run.
        MissingArtefactError: the run was not evaluated.
        StaleArtefactError: the run was evaluated by an older release, or changed since.
        DataError: a file is damaged.
    """
    return with_queries(ws, read_record(ws, run))


def read_record(
    ws: Workspace, run: str, known: dict[str, tuple[str, ...]] | None = None
) -> RunRecord:
    """Read the results of ``run`` that git stores, without its rows.

    Args:
        ws: the catalogue.
        run: name of the run.
        known: data set -> names on its card, of cards that were read for other runs; gets those
            of this one.

    Raises:
        UnknownNameError: no such run.
        MissingArtefactError: the run was not evaluated.
        StaleArtefactError: the run was evaluated by an older release, or changed since.
        DataError: a file is damaged.
    """
    entry, command = ws.run(run), artefacts.results(ws, run).command
    metrics = _json(ws, ws.metrics(run), run, METRICS)
    if not metrics:
        raise DataError(_damaged(ws, ws.metrics(run), command))
    statistics = _json(ws, ws.statistics(run), run, STATISTICS)
    record = read_lineage(ws, run)
    if record.get("run") != entry.recorded() or "counts" not in record:
        what = f"params.yaml or the release of likewise has changed since the report of {run!r}"
        raise StaleArtefactError(what, command)
    _need_shape(ws, ws.lineage(run), record, LINEAGE, command)
    names = {} if known is None else known
    if entry.dataset not in names:
        names[entry.dataset] = ws.card(entry.dataset).public_names
    intervals, reranking = statistics["intervals"], statistics.get("reranking")
    return RunRecord(run, metrics, intervals, record, names[entry.dataset], reranking)


def with_queries(
    ws: Workspace, record: RunRecord, columns: Sequence[str] | None = None
) -> Results:
    """Read the rows of a run, one per query.

    Args:
        ws: the catalogue.
        record: the other results of the run.
        columns: the columns to read; by default all.

    Raises:
        MissingArtefactError: the rows are not on this machine.
        DataError: the rows are damaged.
    """
    path, command = queries_file(ws, record.run), artefacts.results(ws, record.run).command
    damaged = _damaged(ws, ws.queries(record.run), command)
    try:
        queries = pl.read_parquet(path, columns=None if columns is None else list(columns))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(damaged) from error
    if not _fits(queries):
        raise DataError(damaged)
    return Results(
        record.run,
        record.metrics,
        record.statistics,
        record.lineage,
        record.known,
        record.reranking,
        queries=queries,
    )


def queries_file(ws: Workspace, run: str) -> Path:
    """Return the file of the rows of a run.

    Raises:
        MissingArtefactError: it is not on this machine.
    """
    path = versions.locate(ws, ws.queries(run))
    if not path.is_file():
        file = ws.relative(ws.queries(run))
        pull = f"likewise pull {ws.run(run).dataset}"
        tracked = file in versions.outputs(ws.root)
        remedy = pull if tracked else artefacts.results(ws, run).command
        raise MissingArtefactError(f"run {run!r} has no {file}", remedy)
    return path


def _fits(queries: pl.DataFrame) -> bool:
    """Return whether rows have the types of ``QUERIES``, and lists of equal lengths."""
    contract = pl.DataFrame(QUERIES.arrow().empty_table()).schema
    types = {name: dtype for name, dtype in contract.items() if name in queries.columns}
    if not {"item_id", "value"} <= types.keys() or any(
        not _alike(queries[name].dtype, dtype) for name, dtype in types.items()
    ):
        return False
    return not any(
        (queries[one].list.len() != queries[other].list.len()).any()
        for one, other in _PARALLEL
        if one in types and other in types
    )


def _alike(dtype: "PolarsDataType", wanted: "PolarsDataType") -> bool:
    """Return whether a type is the wanted one; any number will do for a number."""
    if isinstance(wanted, pl.List):
        return isinstance(dtype, pl.List) and _alike(dtype.inner, wanted.inner)
    return dtype in (wanted, pl.Null) or (dtype.is_numeric() and wanted.is_numeric())


def read_metrics(ws: Workspace, run: str) -> dict[str, float] | None:
    """Read the metrics of ``run`` in ``ws``; None if it was not evaluated there.

    Raises:
        DataError: the file is damaged, for example by an unfinished merge.
    """
    path = versions.locate(ws, ws.metrics(run))
    return _json(ws, path, run) if path.is_file() else None


def read_lineage(ws: Workspace, run: str) -> dict[str, Any]:
    """Read the data, model and protocol of ``run``; see ``Results.lineage``.

    Raises:
        MissingArtefactError: the run was not evaluated.
        DataError: the file is damaged.
    """
    return _json(ws, ws.lineage(run), run)


def _json(ws: Workspace, path: Path, run: str, shape: TypeAdapter[Any] = ANY) -> dict[str, Any]:
    """Read a JSON object of a run, whose values have the types of ``shape``."""
    command = artefacts.results(ws, run).command
    if not path.is_file():
        raise MissingArtefactError(f"run {run!r} was not evaluated", command)
    try:
        content: dict[str, Any] = read_json(path, MOST_BYTES)
    except DamagedError as error:
        raise DataError(_damaged(ws, path, command)) from error
    _need_shape(ws, path, content, shape, command)
    return content


def _need_shape(
    ws: Workspace, path: Path, content: object, shape: TypeAdapter[Any], command: str
) -> None:
    """Check the types of the values of the file ``path``.

    Raises:
        DataError: a value has another type.
    """
    try:
        shape.validate_python(content)
    except ValidationError as error:
        raise DataError(_damaged(ws, path, command)) from error


def _damaged(ws: Workspace, path: Path, command: str) -> str:
    return f"{ws.relative(path)} is damaged; make it again with: {command}"


def _first_is_relevant(item: str, hits: list[str], relevant: list[bool]) -> bool:
    others = (good for hit, good in zip(hits, relevant, strict=True) if hit != item)
    return next(others, False)
