"""The columns that a page shows, filters and sorts by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from likewise.web.shelf import Opened

Kind = Literal["text", "number", "list", "other"]
"""A list is one of texts: it is filtered by its elements, and has no order."""

SHOWN = (
    "item_id",
    "label",
    "text",
    "subset",
    "split",
    "role",
    "width",
    "height",
    "box",
    "content",
    "sha256",
)
"""Columns of every page."""

FACETS = (
    "tags",
    "selections",
    "split",
    "role",
    "subset",
    "label",
    "format",
    "mode",
    "width",
    "height",
    "nbytes",
)
"""Columns of every catalogue that are offered as facets."""

_IDS = ("item_id", "image_id", "content", "sha256")


@dataclass(frozen=True)
class PageColumn:
    """A column: its name, kind, unit and meaning."""

    name: str
    kind: Kind
    unit: str
    meaning: str


def columns_of(opened: Opened) -> Mapping[str, PageColumn]:
    """Return the columns of a data set without vectors, by name."""
    if "columns" not in opened.cache:
        table = opened.dataset.table
        meanings = {column.name: column for column in table.source_columns}
        schema = table.schema
        columns = {}
        for name in table.metadata_columns:
            kind = _kind(str(schema.field(name).type))
            described = meanings.get(name)
            meaning, unit = (described.meaning, described.unit) if described else ("", "")
            columns[name] = PageColumn(name, kind, unit, meaning)
        opened.cache["columns"] = columns
    known: Mapping[str, PageColumn] = opened.cache["columns"]
    return known


def _kind(arrow: str) -> Kind:
    if arrow.startswith("list<") and "string" in arrow and "struct" not in arrow:
        return "list"
    if "string" in arrow and "list" not in arrow:
        return "text"
    return "number" if arrow.startswith(("int", "uint", "float", "double", "half")) else "other"


def facet_columns(opened: Opened) -> list[str]:
    """Return the columns that are offered as facets, without those of ids."""
    columns = columns_of(opened)
    first = [name for name in FACETS if name in columns and columns[name].kind != "other"]
    own = [c.name for c in columns.values() if c.kind != "other" and c.name not in first]
    unsuitable = {*_IDS, "text", "orientation"}
    return [name for name in (*first, *own) if name not in unsuitable]
