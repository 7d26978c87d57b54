"""Filter items by a named selection: the list column ``selections`` has the names."""

import re

from likewise.errors import DataError, UnknownNameError
from likewise.storage import tables

COLUMN = "selections"
"""The column of the selections that have an item."""

NAMES = "names"
"""Key of the column's metadata: the names of all selections, separated by commas."""

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def check_name(name: str) -> None:
    """Refuse a name that a selection cannot have.

    Raises:
        DataError: it has other characters.
    """
    if not NAME.fullmatch(name):
        raise DataError(
            f"{name!r:.80} cannot name a selection; use 1 to 64 lower-case letters, digits, "
            "'_' and '-', and begin with a letter or digit"
        )


def with_selection(where: str | None, selection: str | None, table: tables.Table) -> str | None:
    """Return the SQL condition for the items of a selection that meet ``where``.

    Raises:
        DataError: the name is not that of a selection, or the source has a column of its own
            with the name ``selections``.
        UnknownNameError: there is no such selection.
    """
    if selection is None:
        return where
    check_name(selection)
    names: list[str] = []
    if COLUMN in table.columns:
        metadata = table.metadata(COLUMN)
        if NAMES not in metadata:
            raise DataError(
                f"the source has a column {COLUMN!r} of its own, which hides the selections; "
                "rename that column in the source"
            )
        names = metadata[NAMES].split(",")
    if selection not in names:
        raise UnknownNameError("selection", selection, names)
    own = f"array_has({COLUMN}, '{selection}')"
    return own if where is None else f"({where}\n) AND {own}"
