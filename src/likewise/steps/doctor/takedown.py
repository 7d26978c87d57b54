"""Checks of take-downs: unfinished, or not applied to a table."""

from collections.abc import Iterator

from likewise.catalogue import takedowns
from likewise.errors import LikewiseError
from likewise.steps.doctor.problem import Problem
from likewise.storage import artefacts, tables
from likewise.storage.workspace import Workspace


def check(ws: Workspace) -> Iterator[Problem]:
    """Yield stopped take-downs, and tables that contain forgotten items."""
    for dataset in ws.params.datasets:
        command = f"likewise forget {dataset}"
        if ws.forgetting(dataset).is_file():
            yield Problem("forgotten", f"a take-down of {dataset} was stopped", command)
        try:
            hashes = takedowns.read(ws.forgotten(dataset)).hashes
        except LikewiseError as error:
            path = ws.relative(ws.forgotten(dataset))
            yield Problem("forgotten", str(error), f"edit {path}")
            continue
        for name in _holding(ws, dataset, hashes):
            what = f"{name} contains forgotten items"
            yield Problem("forgotten", what, command)


def _holding(ws: Workspace, dataset: str, hashes: set[str]) -> Iterator[str]:
    for artefact in artefacts.tables_of(ws, dataset) if hashes else ():
        path = artefact.path
        if tables.exists(path):
            try:
                table = tables.open_table(path, "")
            except LikewiseError:  # reported by the check of the table
                continue
            column = takedowns.column_of_hashes(table)
            if column and table.files_contain(column, hashes):
                yield ws.relative(path)
