"""Selections: named lists of items, ``catalog/<dataset>/selections/NAME.csv``, kept in git.

A selection has the same items in every version until somebody changes it; git merges it item
by item. It may name items that the data set does not have any more.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from likewise.catalogue.keyed_text import KeyedText
from likewise.errors import DataError, UnknownNameError
from likewise.retrieval.selection_filter import NAME, check_name
from likewise.storage.workspace import Workspace


class SelectedItem(NamedTuple):
    """An item of a selection."""

    item_id: str


SelectedItems = dict[SelectedItem, tuple[()]]


def _in() -> tuple[()]:
    return ()


def _describe(key: SelectedItem) -> str:
    return f"the item {key.item_id!r}"


FILE = KeyedText(("item_id",), SelectedItem, _in, 1, _describe)
"""The format of the file."""


def selection_files(ws: Workspace, dataset: str) -> dict[str, Path]:
    """Return the files of the selections of a data set, or of that of a view, by name."""
    files = sorted(ws.selections(ws.params.base(dataset)).glob("*.csv"))
    return {path.stem: path for path in files if NAME.fullmatch(path.stem)}


def read_selection(ws: Workspace, dataset: str, name: str) -> list[str]:
    """Return the ids of the items of a selection, sorted.

    Raises:
        UnknownNameError: there is no such selection.
        DataError: the file cannot be parsed; the line is named.
    """
    files = selection_files(ws, dataset)
    if name not in files:
        raise UnknownNameError("selection", name, files, f"the selections of {dataset}")
    return sorted(key.item_id for key in FILE.read(files[name]))


def read_selections(
    ws: Workspace, tables: Mapping[str, str], selection: str
) -> dict[str, list[str]]:
    """Return the items of a selection, by each table whose data set has it.

    Args:
        ws: the workspace.
        tables: name of a table -> its data set or view.
        selection: name of the selection.

    Raises:
        UnknownNameError: none of the data sets has the selection.
        DataError: the name is not that of a selection, or there is no table.
    """
    check_name(selection)
    if not tables:
        raise DataError("a selection is one of a data set, and the SQL names none; name one")
    known = {name: selection_files(ws, dataset) for name, dataset in tables.items()}
    if not any(selection in files for files in known.values()):
        names = dict.fromkeys(name for files in known.values() for name in files)
        where = f"the selections of {', '.join(known)}"
        raise UnknownNameError("selection", selection, names, where)
    return {
        name: read_selection(ws, tables[name], selection)
        for name, files in known.items()
        if selection in files
    }
