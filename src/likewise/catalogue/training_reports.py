"""Read the files of trainings: of reports/training/, and of unfinished trainings."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from likewise.errors import DataError
from likewise.formats.document_limits import size_fault
from likewise.storage.config import read_yaml
from likewise.storage.workspace import Workspace

MOST_BYTES = 256 << 20
"""Bytes of a curve that are read; ten million steps have fewer."""

MOST_CURVES = 200

VALUES = {"metric": pl.String, "step": pl.Int64, "value": pl.Float64}
"""The columns of the values of a training."""


@dataclass(frozen=True)
class TrainingFolder:
    """The folder with the curves of a training: a complete one, or an unfinished one."""

    path: Path
    key: str = ""

    @property
    def is_complete(self) -> bool:
        """True if the training has ended."""
        return not self.key


def training_folders(ws: Workspace, model: str) -> Iterator[TrainingFolder]:
    """Yield the folders with curves: the report, then unfinished trainings by key."""
    report = ws.training(model)
    if report.is_dir():
        yield TrainingFolder(report)
    if not ws.is_historic and ws.trainings(model).is_dir():
        for folder in sorted(ws.trainings(model).iterdir()):
            if (folder / "report").is_dir():
                yield TrainingFolder(folder / "report", folder.name)


def read_training_report(ws: Workspace, model: str) -> dict[str, Any] | None:
    """Return how ``model`` was trained (device, hours, curve); None if unknown."""
    path = ws.training_files(model)[0]
    report = read_yaml(path) if path.is_file() else None
    return report if isinstance(report, dict) else None


def read_curves(folder: Path) -> pl.DataFrame:
    """Return the logged values of a training: metric, step and value, by metric and step.

    An incomplete last line, as a running training leaves it, is not read.

    Raises:
        DataError: a file is not a curve, or is too large.
    """
    top = folder / "plots" / "metrics"
    files = sorted(top.rglob("*.tsv"))[:MOST_CURVES] if top.is_dir() else []
    frames = [_read(file, file.relative_to(top).with_suffix("").as_posix()) for file in files]
    return pl.concat([pl.DataFrame(schema=VALUES), *frames])


def _read(file: Path, metric: str) -> pl.DataFrame:
    where = f"{file.parent.name}/{file.name}"
    try:
        if fault := size_fault(file.stat().st_size, MOST_BYTES):
            raise DataError(f"{where}: {fault}")
        lines = file.read_text("utf-8").splitlines(keepends=True)
        rows = [line.split("\t") for line in lines[1:] if line.endswith("\n")]
        steps = [int(row[0]) for row in rows]
        values = [float(row[-1]) for row in rows]
    except (OSError, ValueError, OverflowError) as error:
        raise DataError(f"{where} is not a curve of a training: {error}") from error
    names = pl.repeat(metric, len(steps), dtype=pl.String, eager=True)
    try:
        return pl.DataFrame({"metric": names, "step": steps, "value": values}, VALUES)
    except (TypeError, OverflowError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{where} is not a curve of a training: {error}") from error
