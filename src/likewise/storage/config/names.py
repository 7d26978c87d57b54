"""Rules for the names of data sets, models and runs; names of flags."""

import re

from likewise.errors import DataError

NAME = re.compile(r"[a-z][a-z0-9_]*")
RUN_NAME = re.compile(r"[a-z][a-z0-9_-]*")
TABLE_SUFFIXES = ("_images", "_items", "_findings", "_pixels", "_flags")
"""Suffixes of the SQL tables of a data set; names of data sets may not end in them."""

RESERVED_NAMES = frozenset(
    {"item_id", "image_id", "label", "text", "subset", "split", "role", "box", "content"}
    | {"width", "height", "format", "mode", "orientation", "nbytes", "sha256"}
    | {"images", "items", "findings"}
)
"""Names that no model may have: those of the columns and tables of every data set.

The vectors of a model are a column of its name, with a digest file. The names are repeated from
``schema``, which imports Arrow: params.yaml is read by every command.
"""

FLAG_NAMES = (
    "duplicate",
    "near_duplicate",
    "similar",
    "split_leak",
    "leak",
    "few_bytes",
    "small",
    "dark",
    "bright",
    "blurred",
    "unreadable",
    "outlier",
    "suspect",
)
"""The flags that a check can set."""


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
