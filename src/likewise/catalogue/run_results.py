"""Read what a run's evaluation wrote."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from likewise.errors import DataError, MissingArtefactError, StaleArtefactError
from likewise.evaluation.literature import ComparableTables, comparable_tables
from likewise.storage import artefacts, versions
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Results:
    """The results of one run.

    Attributes:
        run: its name in params.yaml.
        metrics: name -> value.
        statistics: name -> what ``significance.Interval`` holds.
        lineage: run, protocol, notes, counts, digests of the columns read, model's passport.
        queries: a row a query; see ``schema.QUERIES``.
    """

    run: str
    metrics: dict[str, float]
    statistics: dict[str, dict[str, Any]]
    lineage: dict[str, Any]
    queries: pl.DataFrame

    @property
    def protocol(self) -> dict[str, Any]:
        """The switches by which it was counted."""
        found: dict[str, Any] = self.lineage["protocol"]
        return found

    @cached_property
    def published(self) -> ComparableTables:
        """The published tables that the run may be compared with."""
        named = self.protocol
        return comparable_tables(named["name"], named["version"], self.lineage["counts"])

    @cached_property
    def right(self) -> pl.Series:
        """Whether each query is answered well: the first hit, but for itself, is relevant."""
        if "hits" not in self.queries.columns:
            return (self.queries["value"] > 0.5).alias("right")
        columns = self.queries.select("item_id", "hits", "hit_relevant").iter_rows()
        found = [_first(item, hits, relevant) for item, hits, relevant in columns]
        return pl.Series("right", found, pl.Boolean)


def read_results(ws: Workspace, run: str) -> Results:
    """The results of ``run``.

    Raises:
        UnknownNameError: no such run.
        MissingArtefactError: it was not evaluated.
        StaleArtefactError: an older release evaluated it, or the run was changed since.
        DataError: a file of it is damaged.
    """
    entry, command = ws.run(run), artefacts.results(ws, run).command
    metrics = _json(ws, ws.metrics(run), run)
    statistics = _json(ws, ws.statistics(run), run)
    told = lineage(ws, run)
    if told.get("run") != entry.model_dump() or "counts" not in told:
        what = f"the report of {run!r} is of another run, or release, than params.yaml says"
        raise StaleArtefactError(what, command)
    path = versions.locate(ws, ws.queries(run))
    if not path.is_file():
        file = ws.relative(ws.queries(run))
        pulled = (
            f"likewise pull {entry.dataset}" if file in versions.outputs(ws.root) else command
        )
        raise MissingArtefactError(f"run {run!r} has no {file}", pulled)
    try:
        queries = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        what = f"{ws.relative(ws.queries(run))} is damaged; make it anew with: {command}"
        raise DataError(what) from error
    return Results(run, metrics, statistics["intervals"], told, queries)


def numbers(ws: Workspace, run: str) -> dict[str, float] | None:
    """The metrics of ``run`` in ``ws``; None where it was not evaluated there.

    Raises:
        DataError: the file is damaged, by a merge that nobody finished, say.
    """
    path = versions.locate(ws, ws.metrics(run))
    return _json(ws, path, run) if path.is_file() else None


def lineage(ws: Workspace, run: str) -> dict[str, Any]:
    """What ``run`` was evaluated on and how; see ``Results.lineage``.

    Raises:
        MissingArtefactError: it was not evaluated.
        DataError: the file is damaged.
    """
    return _json(ws, ws.lineage(run), run)


def _json(ws: Workspace, path: Path, run: str) -> dict[str, Any]:
    command = artefacts.results(ws, run).command
    if not path.is_file():
        raise MissingArtefactError(f"run {run!r} was not evaluated", command)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        what = f"{ws.relative(path)} is damaged; make it anew with: {command}"
        raise DataError(what) from error
    if not isinstance(found, dict):
        raise DataError(f"{ws.relative(path)} is damaged; make it anew with: {command}")
    return found


def _first(item: str, hits: list[str], relevant: list[bool]) -> bool:
    others = (good for hit, good in zip(hits, relevant, strict=True) if hit != item)
    return next(others, False)
