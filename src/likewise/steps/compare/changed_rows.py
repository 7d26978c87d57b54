"""A page of the queries that changed, each with its first hits in both runs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from likewise.catalogue.dataset import Dataset
from likewise.errors import DataError
from likewise.pages.gallery import SCORE, Tile
from likewise.pages.query_sheet import QueryRow, RowSection, rows_page
from likewise.pages.tiles import item_tiles
from likewise.storage.tables import NO_ROW

SHOWN = 25
"""Maximum number of fixed queries, and of broken ones, on the page."""

HITS = 8
"""Hits of a query that are shown for each run."""


def changes_page(
    names: tuple[str, str],
    both: pl.DataFrame,
    changed: tuple[Sequence[str], Sequence[str]],
    datasets: Sequence[Dataset],
    note: str,
    protocol: Mapping[str, Any],
) -> str:
    """Return a page with the fixed and the broken queries, largest change first.

    Args:
        names: the names of the runs.
        both: the common queries, one per row, with their hits in both runs.
        changed: the ids of the fixed queries, and of the broken ones.
        datasets: the data sets that have the items; the first one that has an item shows it.
        note: sentences about the comparison.
        protocol: the options of the protocol, which name the score and the metric.

    Raises:
        DataError: the runs have no ranked lists.
        MissingArtefactError: the images of a data set were not pulled.
    """
    if not {"hits", "hits_second"} <= set(both.columns):
        raise DataError(
            "these runs have no ranked lists of hits, so no pictures can be compared; leave "
            "out --html"
        )
    shown = [list(ids[:SHOWN]) for ids in changed]
    wanted = pl.Series([item for ids in shown for item in ids], dtype=pl.String)
    kept = both.filter(pl.col("item_id").is_in(wanted.implode()))
    rows = {str(row["item_id"]): row for row in kept.to_dicts()}
    items = [name for row in rows.values() for name in _items(row)]
    pictures = _pictures(datasets, list(dict.fromkeys(items)))
    first, second = names
    titles = (
        ("Fixed queries", f"The first hit is right only in {second}."),
        ("Broken queries", f"The first hit is right only in {first}."),
    )
    sections = [
        RowSection(
            f"{title}: {len(ids):,}",
            f"{text} {_order(len(part), len(ids))}",
            [
                _row(rows[item], names, str(protocol.get("metric", "")), pictures)
                for item in part
            ],
        )
        for (title, text), ids, part in zip(titles, changed, shown, strict=True)
    ]
    score = ", ".join(str(protocol[key]) for key in ("score", "direction") if key in protocol)
    return rows_page(f"{first} and {second}", sections, note, score or SCORE)


def _order(shown: int, total: int) -> str:
    """Describe the order of the queries, and how many are shown."""
    if not total:
        return ""
    some = "" if shown == total else f" The first {shown} are shown."
    return f"The largest change comes first.{some}"


def _items(row: dict[str, Any]) -> list[str]:
    """Return the query and the hits that are shown."""
    lists = [_hits(row, suffix) for suffix in ("", "_second")]
    return [str(row["item_id"]), *(name for hits in lists for name, _, _ in hits)]


def _hits(row: dict[str, Any], suffix: str) -> list[tuple[str, float | None, bool]]:
    """Return the first hits of a run without the query: id, score, and whether it is right."""
    names = row[f"hits{suffix}"]
    scores = row[f"hit_scores{suffix}"] or [None] * len(names)
    listed = zip(names, scores, row[f"hit_relevant{suffix}"], strict=True)
    return [one for one in listed if one[0] != row["item_id"]][:HITS]


def _row(
    row: dict[str, Any], names: tuple[str, str], metric: str, pictures: dict[str, Tile]
) -> QueryRow:
    lists = [
        (
            f"{name}: {metric} {_value(row, suffix)}",
            [
                replace(pictures[item], score=score, same=right)
                for item, score, right in _hits(row, suffix)
            ],
        )
        for name, suffix in zip(names, ("", "_second"), strict=True)
    ]
    return QueryRow(pictures[str(row["item_id"])], lists)


def _value(row: dict[str, Any], suffix: str) -> str:
    value = row[f"value{suffix}"]
    return f"{value:.4f}" if isinstance(value, float) else "not scored"


def _pictures(datasets: Sequence[Dataset], items: Sequence[str]) -> dict[str, Tile]:
    """Return the pictures of items, each from the first data set that has it."""
    tiles = {item: Tile(item) for item in items}
    left = list(items)
    for dataset in datasets:
        rows = dataset.find(left)
        known = {item for item, row in zip(left, rows.tolist(), strict=True) if row != NO_ROW}
        present = [item for item in left if item in known]
        tiles |= dict(zip(present, item_tiles(dataset, present), strict=True))
        left = [item for item in left if item not in known]
    return tiles
