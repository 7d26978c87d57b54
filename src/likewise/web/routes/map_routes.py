"""Routes of maps: the places of all items, their colours, and the item under the pointer."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from starlette.responses import Response

from likewise.web import grid_rows, parameters, picture_urls
from likewise.web.answers import bad_request, json_answer
from likewise.web.columns import columns_of, facet_columns
from likewise.web.label_words import label_words
from likewise.web.requests import Call
from likewise.web.shelf import Opened

GRID = 65_534
"""Largest coordinate of a point; 65,535 means that an item has no place."""

COLOURS = 18
"""Number of values of a column that get a colour of their own."""

OTHER, LEVELS = 255, 254
"""The code of other and missing values, and the number of codes of a scale."""

Codes = tuple[bytes, dict[str, Any]]


def maps(call: Call) -> Response:
    """Answer the maps of a data set and the columns that can colour them."""
    opened = call.opened
    known = columns_of(opened)
    first = [name for name in ("label", "subset", "split") if name in known]
    columns = [
        name
        for name in dict.fromkeys([*first, *facet_columns(opened)])
        if known[name].kind in ("text", "number")
    ]
    content = {
        "dataset": opened.name,
        "v": opened.version,
        "items": opened.dataset.table.rows,
        "maps": opened.dataset.maps,
        "models": opened.dataset.models,
        "columns": columns,
        "schema": list(known.values()),
    }
    return json_answer(content, version=opened.version)


@dataclass(frozen=True)
class GridPoints:
    """The points of a map on a grid: their bytes, and the scale of the grid.

    Attributes:
        places: the places that they were made of.
        data: x and y of every item as uint16, little-endian.
        low: smallest coordinates of the map.
        extent: length of its longer side.
        span: largest coordinates on the grid.
        placed: number of items that have a place.
    """

    places: npt.NDArray[np.float32]
    data: bytes
    low: list[float]
    extent: float
    span: list[float]
    placed: int


def bounds(call: Call) -> Response:
    """Answer how the points of a map are scaled to its coordinates."""
    opened, name = call.opened, call.path["map"]
    shown = _grid(opened, name)
    content = {
        "dataset": opened.name,
        "v": opened.version,
        "map": name,
        "x": shown.low[0],
        "y": shown.low[1],
        "extent": shown.extent,
        "grid": GRID,
        "span": shown.span,
        "items": opened.dataset.table.rows,
        "placed": shown.placed,
    }
    return json_answer(content, version=opened.version)


def points(call: Call) -> Response:
    """Answer the points of all items: x and y as uint16, little-endian, item after item."""
    return _array(call.opened, _grid(call.opened, call.path["map"]).data)


def _grid(opened: Opened, name: str) -> GridPoints:
    """Return the points of a map; those of the last maps are kept.

    Both axes have one scale, so distances keep their proportions.
    """
    places = opened.dataset.places(name)
    kept: GridPoints | None = opened.cache.get(("grid", name))
    if kept is not None and kept.places is places:
        return kept
    known = places[~np.isnan(places[:, 0])]
    low = known.min(axis=0) if len(known) else np.zeros(2, np.float32)
    size = known.max(axis=0) - low if len(known) else np.ones(2, np.float32)
    extent = float(size.max()) or 1.0
    scaled = (places - low) * np.float32(GRID / extent)
    grid = np.where(np.isnan(scaled), GRID + 1, np.rint(scaled).clip(0, GRID)).astype("<u2")
    span = (size * (GRID / extent)).tolist()
    made = GridPoints(places, grid.tobytes(), low.tolist(), extent, span, len(known))
    opened.cache["grid", name] = made
    return made


def colours(call: Call) -> Response:
    """Answer the code of the colour of every item, uint8."""
    return _array(call.opened, _codes(call)[0])


def legend(call: Call) -> Response:
    """Answer the meaning of the codes of colours."""
    return json_answer(_codes(call)[1], version=call.opened.version)


def _codes(call: Call) -> Codes:
    opened, given = call.opened, parameters.text(call.query, "by") or "label"
    column = grid_rows.known(opened, given)
    if column.kind not in ("text", "number"):
        raise bad_request(f"{column.name} is neither text nor a number; choose another column")
    key = ("colours", column.name)
    if key not in opened.cache:
        values = opened.dataset.table.read([column.name])[column.name]
        is_scale = column.kind == "number" and values.n_unique() > COLOURS
        opened.cache[key] = _scaled(values) if is_scale else _coloured(opened, values)
    codes: Codes = opened.cache[key]
    return codes


def _scaled(values: pl.Series) -> Codes:
    """Return the codes of numbers on a scale from the smallest to the largest one."""
    numbers = values.cast(pl.Float64).to_numpy()
    finite = np.isfinite(numbers)
    low, high = float(numbers[finite].min()), float(numbers[finite].max())
    shares = (np.where(finite, numbers, low) - low) / ((high - low) or 1)
    codes = np.where(finite, np.rint(shares * (LEVELS - 1)), OTHER).astype(np.uint8)
    missing = int((~finite).sum())
    shown = {"by": values.name, "kind": "scale", "low": low, "high": high, "missing": missing}
    return codes.tobytes(), shown


def _coloured(opened: Opened, values: pl.Series) -> Codes:
    """Return the codes of the most frequent values; all others have one code."""
    counted = (
        values.alias("value")
        .value_counts()
        .drop_nulls("value")
        .sort("count", "value", descending=[True, False])
    )
    kept = counted["value"].head(COLOURS)
    numbers = pl.Series(range(len(kept)), dtype=pl.UInt8)
    codes = values.replace_strict(kept, numbers, default=OTHER, return_dtype=pl.UInt8)
    words = label_words(opened) if values.name == "label" else {}
    entries = [
        {"value": value, "text": words.get(str(value)), "count": count}
        for value, count in counted.head(COLOURS).iter_rows()
    ]
    shown = {
        "by": values.name,
        "kind": "values",
        "values": entries,
        "others": len(counted) - len(entries),
        "missing": values.null_count(),
    }
    return codes.to_numpy().tobytes(), shown


def at(call: Call) -> Response:
    """Answer the item at a position, as a tile shows it."""
    opened = call.opened
    row = parameters.number(call.query, "p", 0, 0, 1 << 40)
    if row >= opened.dataset.table.rows:
        raise bad_request(f"p is {row:,}; the last item is {opened.dataset.table.rows - 1:,}")
    values = grid_rows.values(opened, [row], ["item_id", *grid_rows.PICTURED])
    facts = values.row(0, named=True)
    thumb = picture_urls.thumb(call.site, opened.name, facts.pop("content"), row)
    return json_answer(facts | {"row": row, "thumb": thumb}, version=opened.version)


def _array(opened: Opened, data: bytes) -> Response:
    headers = {"cache-control": "no-cache", "x-version": opened.version}
    return Response(data, headers=headers, media_type="application/octet-stream")
