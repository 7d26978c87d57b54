"""The page of a static site that filters its items, by a script without the network."""

import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import polars as pl

from likewise.pages.rendering import render, visible
from likewise.pages.written import write_page
from likewise.steps.site.site_items import PlacedItem

_COLUMNS = ("label", "subset", "split", "role")
"""Columns that get a list of their values, if they have several."""


def write_find_page(
    part: Path, title: str, items: pl.DataFrame, placed: Sequence[PlacedItem]
) -> None:
    """Write the page, its script, and the items as a script, which also opens from a disk."""
    columns = [
        name for name in _COLUMNS if name in items.columns and items[name].n_unique() > 1
    ]
    values = {row["item_id"]: row for row in items.iter_rows(named=True)}
    rows = [
        {
            "name": visible(one.name),
            "facts": [visible(fact) for fact in one.facts],
            "values": [_text(values[one.name][column]) for column in columns],
            "file": one.file,
            "page": one.page,
        }
        for one in placed
    ]
    content = json.dumps({"columns": columns, "items": rows}, separators=(",", ":"))
    write_page(part / "items.js", f"const SITE = {content};\n")
    write_page(part / "find.js", _script())
    write_page(part / "find.html", render("site_find.html", title=title, columns=columns))


def _text(value: object) -> str | None:
    return None if value is None else visible(str(value))


def _script() -> str:
    folder = resources.files("likewise.pages").joinpath("templates")
    return folder.joinpath("site_find.js").read_text("utf-8")
