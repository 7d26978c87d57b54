"""Routes of the grid: pages, facets, the scrubber, groups and positions."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from starlette.responses import Response

from likewise.formats.counted_nouns import counted
from likewise.web import copy_text, grid_rows, parameters, picture_urls
from likewise.web.answers import bad_request, json_answer
from likewise.web.columns import SHOWN, PageColumn, columns_of, facet_columns
from likewise.web.label_words import label_words
from likewise.web.requests import Call
from likewise.web.shelf import Opened

MOST_ROWS = 200
MOST_GROUPS = 10_000
_BINS = 20


def page(call: Call) -> Response:
    """Answer one page of rows."""
    opened, selection = call.opened, call.selection
    limit = parameters.number(call.query, "limit", 100, 1, MOST_ROWS)
    offset = parameters.number(call.query, "offset", 0, 0, 1 << 40)
    names = list(dict.fromkeys([*SHOWN, *_further(call, opened)]))
    shown = grid_rows.browse(opened, selection, offset=offset, limit=limit, columns=names)
    rows = shown.page.tolist()
    columns = shown.rows.to_dict(as_series=False)
    return _answer(
        opened,
        total=shown.total,
        offset=offset,
        limit=limit,
        rows=rows,
        columns=columns,
        thumbs=[
            picture_urls.thumb(call.site, opened.name, content, row)
            for content, row in zip(columns["content"], rows, strict=True)
        ],
        schema=list(columns_of(opened).values()),
        copy=copy_text.page(opened, selection, offset, limit),
    )


def _further(call: Call, opened: Opened) -> list[str]:
    """Return the further columns that a page asks for."""
    given = parameters.text(call.query, "columns") or ""
    return [grid_rows.known(opened, name).name for name in given.split(",") if name]


def facets(call: Call) -> Response:
    """Answer the numbers of values of columns, each under the filter of the others.

    Without ``of``, columns with too many different values are named in ``uncounted``.
    """
    opened, selection = call.opened, call.selection
    given = parameters.text(call.query, "of")
    names = list(dict.fromkeys(given.split(","))) if given else facet_columns(opened)
    columns = [grid_rows.known(opened, name) for name in names]
    top = parameters.number(call.query, "top", 50, 1, 1000)
    like = parameters.text(call.query, "like")
    count = grid_rows.counts if given else grid_rows.counts_of_countable
    total, counted = count(opened, selection, names)
    uncounted = [name for name in names if name not in counted]
    shown = []
    for column in (one for one in columns if one.name in counted):
        chosen = selection.facets.get(column.name, ())
        if column.kind == "number":
            numbers = counted[column.name]
            if chosen:  # a range is a condition, which counts are not free of
                without = selection.without(column.name)
                numbers = grid_rows.counts(opened, without, [column.name])[1][column.name]
            shown.append(_histogram(column, numbers, chosen))
        else:
            words = _words(opened, column.name)
            shown.append(_values(column, counted[column.name], chosen, top, like, words))
    copies = copy_text.facet(opened, selection, next(iter(counted))) if counted else None
    return _answer(opened, total=total, facets=shown, uncounted=uncounted, copy=copies)


def _words(opened: Opened, column: str) -> Mapping[str, str]:
    """Return the words of the values of a column; only labels have some."""
    return label_words(opened) if column == "label" else {}


def _values(
    column: PageColumn,
    counted: pl.DataFrame,
    chosen: tuple[str, ...],
    top: int,
    like: str | None,
    words: Mapping[str, str],
) -> dict[str, Any]:
    """Return the most frequent values of a column, and all that are chosen."""
    counted = counted.with_columns(value=pl.col("value").cast(pl.String))
    distinct = int((counted["items"] > 0).sum())
    if like:
        texts = counted["value"].replace(dict(words)) if words else counted["value"]
        lower = (counted["value"] + "\n" + texts).str.to_lowercase()
        counted = counted.filter(lower.str.contains(like.lower(), literal=True))
    selected = counted["value"].fill_null("").is_in(list(chosen)).to_list()
    entries = [
        {"value": value, "text": words.get(value), "count": count, "selected": is_selected}
        for rank, ((value, count), is_selected) in enumerate(
            zip(counted.rows(), selected, strict=True)
        )
        if rank < top or is_selected
    ]
    return {
        "column": column.name,
        "kind": column.kind,
        "distinct": distinct,
        "values": entries,
    }


def _histogram(
    column: PageColumn, counted: pl.DataFrame, chosen: tuple[str, ...]
) -> dict[str, Any]:
    """Return the numbers of items in bins of equal width."""
    nulls = int(counted.filter(pl.col("value").is_null())["items"].sum())
    counted = counted.drop_nulls("value").with_columns(value=pl.col("value").cast(pl.Float64))
    counted = counted.filter(pl.col("value").is_finite() & (pl.col("items") > 0))
    numbers, items = counted["value"].to_numpy(), counted["items"].to_numpy()
    low, high = (float(numbers.min()), float(numbers.max())) if len(numbers) else (None, None)
    sums, edges = np.histogram(numbers, _BINS, weights=items) if len(numbers) else ((), (0.0,))
    bins = [
        {"low": float(one), "high": float(two), "count": int(count)}
        for count, one, two in zip(sums, edges[:-1], edges[1:], strict=True)
    ]
    return {
        "column": column.name,
        "kind": "number",
        "min": low,
        "max": high,
        "nulls": nulls,
        "selected": _selected(column, chosen),
        "bins": bins,
    }


def _selected(
    column: PageColumn, chosen: tuple[str, ...]
) -> tuple[float | None, float | None] | None:
    """Return the range that is selected; None for single values or none."""
    return parameters.span(column.name, chosen[0]) if chosen and ".." in chosen[0] else None


def scrubber(call: Call) -> Response:
    """Answer the value of the sort column at evenly spaced offsets."""
    opened, selection = call.opened, call.selection
    marks = parameters.number(call.query, "marks", 40, 1, 500)
    sort = selection.sort or "label"
    column, _ = grid_rows.sort_column(opened, sort)
    rows = grid_rows.positions(opened, selection)
    offsets = np.unique(np.linspace(0, max(len(rows) - 1, 0), marks).astype(np.int64))
    offsets = offsets[: len(rows)]
    words = _words(opened, column)
    values = grid_rows.values(opened, rows[offsets].tolist(), [column])[column]
    shown: list[dict[str, Any]] = []
    for offset, value in zip(offsets.tolist(), values, strict=True):
        text = "" if value is None else str(value)
        if not shown or shown[-1]["text"] != text:
            shown.append({"offset": offset, "text": text, "words": words.get(text)})
    return _answer(opened, total=len(rows), column=column, marks=shown)


def groups(call: Call) -> Response:
    """Answer the offset and the size of every group of equal values, in order."""
    opened, selection = call.opened, call.selection
    column = grid_rows.known(opened, parameters.text(call.query, "group") or "label").name
    grid_rows.sort_column(opened, column)
    _, by_column = grid_rows.counts(opened, selection, [column])
    sizes = by_column[column].filter(pl.col("items") > 0)
    chosen = grid_rows.options(opened, selection).get("filters", {}).get(column)
    if chosen:  # the counts of a column do not apply its own filter
        texts = pl.col("value").cast(pl.String)
        accepted = texts.is_in([one for one in chosen if one is not None])
        sizes = sizes.filter(accepted.fill_null(value=None in chosen))
    if len(sizes) > MOST_GROUPS:
        values = counted(len(sizes), "value")
        what = f"{column} has {values}; at most {MOST_GROUPS:,} are grouped"
        raise bad_request(what)
    words = _words(opened, column)
    ordered = sorted(sizes.rows(), key=lambda pair: (pair[0] is None, pair[0]))
    shown, offset = [], 0
    for value, count in ordered:
        text = words.get(str(value))
        shown.append({"value": value, "text": text, "offset": offset, "count": count})
        offset += count
    return _answer(opened, total=offset, group=column, groups=shown)


def positions(call: Call) -> Response:
    """Answer the positions of all selected rows as int32, little-endian."""
    opened = call.opened
    rows = grid_rows.positions(opened, call.selection).astype("<i4", copy=False)
    headers = {"cache-control": "no-cache", "x-version": opened.version}
    return Response(rows.tobytes(), headers=headers, media_type="application/octet-stream")


def _answer(opened: Opened, **content: Any) -> Response:
    base = {
        "dataset": opened.name,
        "v": opened.version,
        "items": opened.dataset.table.rows,
    }
    return json_answer(base | content, version=opened.version)
