"""Rules for the names of data sets, models and runs."""

import re

from likewise.errors import DataError

NAME = re.compile(r"[a-z][a-z0-9_]*")
RUN_NAME = re.compile(r"[a-z][a-z0-9_-]*")
TABLE_SUFFIXES = ("_images", "_items", "_findings", "_pixels", "_flags")
"""Suffixes of the SQL tables of a data set; names of data sets may not end in them."""


def check_dataset_name(name: str) -> None:
    """Raise an error if ``name`` is not valid as a table in SQL and as a file name.

    Raises:
        DataError: the name is invalid; the text has the rule.
    """
    fault = dataset_name_fault(name)
    if fault:
        raise DataError(f"{name!r} is not a valid name of a data set: {fault}")


def dataset_name_fault(name: str) -> str:
    """Return the fault of the name of a data set; "" if it is valid."""
    if not NAME.fullmatch(name):
        return "a name consists of lower-case letters, digits and '_', and begins with a letter"
    for suffix in TABLE_SUFFIXES:
        if name.endswith(suffix):
            return f"names that end in {suffix} are reserved for tables"
    return ""


def is_home_path(path: object) -> bool:
    """Return True for a path that begins with ``~``, which DVC does not expand."""
    return isinstance(path, str) and path.startswith("~")
