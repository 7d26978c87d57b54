"""What data sets, models and runs may be called."""

import re

from likewise.errors import DataError

NAME = re.compile(r"[a-z][a-z0-9_]*")
RUN_NAME = re.compile(r"[a-z][a-z0-9_-]*")
TABLE_SUFFIXES = ("_images", "_items", "_findings", "_pixels", "_flags")
"""In SQL a data set ``x`` is also ``x_images``, ``x_items`` ...; no data set may end so."""


def check_dataset_name(name: str) -> None:
    """Refuse a name that could not be a table of its own in SQL and in file names.

    Raises:
        DataError: the name, and what a name looks like.
    """
    fault = dataset_name_fault(name)
    if fault:
        raise DataError(f"{name!r} is no name for a data set: {fault}")


def dataset_name_fault(name: str) -> str:
    """What is wrong with the name of a data set; empty where it is one."""
    if not NAME.fullmatch(name):
        return "a name is lower-case letters, digits and '_', and begins with a letter"
    for suffix in TABLE_SUFFIXES:
        if name.endswith(suffix):
            return f"names that end in {suffix} are kept for tables"
    return ""
