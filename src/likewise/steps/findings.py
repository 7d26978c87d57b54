"""What is wrong with a data set: what ingest found, or what it would find by names."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.errors import UnknownNameError
from likewise.formats.paths import StrPath
from likewise.sources import SOURCES
from likewise.sources.layout_hint import read_as
from likewise.storage import tables, versions

SHOWN = 20
"""So many findings are listed unless another number is asked for."""


@dataclass(frozen=True)
class Finding:
    """One fault: the check that failed, what it is about, and what is wrong with it."""

    check: str
    path: str
    detail: str


@dataclass(frozen=True)
class Findings:
    """Findings: how many there are by their check, most first, and the first of them.

    ``of`` is the data set, or the source and the path that were looked at.
    """

    of: str
    items: int
    total: int
    counts: dict[str, int]
    first: list[Finding]


def findings(
    dataset: str,
    *,
    check: str | None = None,
    limit: int = SHOWN,
    rev: str | None = None,
    workspace: StrPath | None = None,
) -> Findings:
    """What ingest found wrong with ``dataset``, and the first ``limit`` findings.

    Args:
        dataset: its name.
        check: only findings of this check; the counts are of all.
        limit: so many findings at most.
        rev: a git revision, to see what was found then.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: it was not ingested yet.
        UnknownNameError: no such data set, or none of its findings is of that check.
    """
    ws = open_workspace(workspace, rev=rev)
    ws.dataset(dataset)
    command = f"dvc repro ingest@{dataset}"
    found = tables.open_table(versions.present(ws, ws.table(dataset, "findings")), command)
    items = tables.open_table(versions.present(ws, ws.table(dataset, "items")), command)
    rows = tables.read(found, ["check", "path", "detail"])
    return _listed(dataset, items.count_rows(), rows, check, limit)


def validate(
    source: str,
    path: StrPath,
    *,
    text: StrPath | None = None,
    options: Mapping[str, Any] | None = None,
    limit: int = SHOWN,
) -> Findings:
    """What names and annotations in ``path`` break of a layout's grammar; no catalogue needed.

    Nothing is written and no pixel is read: whether files are whole images, and whether boxes
    lie in them, ingest finds.

    Args:
        source: the layout, a kind of source.
        path: the folder or archive of images.
        text: the file or folder that explains them, where that lies elsewhere.
        options: what a card would say to the source.
        limit: so many findings at most.

    Raises:
        ConfigError: the source has no such option, or not that value.
        DataError: nothing in ``path`` fits the layout.
        UnknownNameError: no such kind of source.
    """
    layout = SOURCES.build({"kind": source, **(options or {})}, "source")
    reading = read_as(layout, source, Path(path), Path(path if text is None else text))
    return _listed(f"{source}: {path}", len(reading.items), reading.findings, None, limit)


def _listed(of: str, items: int, rows: pl.DataFrame, check: str | None, limit: int) -> Findings:
    counted = rows.group_by("check").len().sort(["len", "check"], descending=[True, False])
    counts: dict[str, int] = dict(counted.iter_rows())
    if check is not None and check not in counts:
        raise UnknownNameError("check", check, counts, f"the findings of {of}")
    chosen = rows if check is None else rows.filter(pl.col("check") == check)
    first = chosen.sort("check", "path").head(limit).select("check", "path", "detail")
    return Findings(of, items, len(rows), counts, [Finding(*row) for row in first.iter_rows()])
