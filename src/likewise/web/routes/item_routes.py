"""Routes of one item: its values, and what the catalogue knows about it elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import polars as pl
from starlette.responses import Response

import likewise
from likewise.errors import LikewiseError
from likewise.web import copy_text, grid_rows, parameters, picture_urls
from likewise.web.answers import bad_request, json_answer
from likewise.web.columns import columns_of
from likewise.web.conditions import text
from likewise.web.requests import Call
from likewise.web.routes import picture_routes
from likewise.web.shelf import Opened

_MOST_BOXES = 1000
_MOST_VERSIONS = 50


def item(call: Call) -> Response:
    """Answer all values of an item, its picture, and the boxes in it."""
    opened, item_id = call.opened, call.path["item"]
    row = grid_rows.row_of(opened, item_id)
    columns = columns_of(opened)
    frame = grid_rows.values(opened, [row], list(columns))
    values = frame.row(0, named=True)
    single = [name for name, column in columns.items() if column.kind in ("text", "number")]
    texts = frame.select(pl.col(single).cast(pl.String)).row(0, named=True)
    missing = None
    if opened.dataset.present_images([row])[0] is None:
        error = picture_routes.missing(opened)
        small = not opened.dataset.thumbnails([row])[0].fault
        missing = {"what": error.what, "next": error.next_step, "small": small}
    last = opened.dataset.table.rows - 1
    licence = opened.dataset.card.licence
    content = {
        "dataset": opened.name,
        "v": opened.version,
        "row": row,
        "item": values,
        "texts": texts,
        "previous": _id_at(opened, row - 1) if row else None,
        "next": _id_at(opened, row + 1) if row < last else None,
        "picture": {
            "url": picture_urls.image(call.site, opened.name, values["sha256"], row),
            "thumb": picture_urls.thumb(call.site, opened.name, values["content"], row),
            **{name: values[name] for name in ("width", "height", "orientation")},
        },
        "boxes": _boxes(opened, values["image_id"], item_id),
        "missing": missing,
        "models": opened.dataset.models,
        "schema": list(columns_of(opened).values()),
        "licence": {"spdx": licence.spdx, "terms": licence.terms},
        "copy": copy_text.item(opened, item_id),
    }
    return json_answer(content, version=opened.version)


def _id_at(opened: Opened, row: int) -> str:
    return str(grid_rows.values(opened, [row], ["item_id"])["item_id"][0])


def _boxes(opened: Opened, image_id: str, item_id: str) -> list[dict[str, Any]]:
    same = grid_rows.rows_where(opened, f"image_id = {text(image_id)}", _MOST_BOXES)
    boxes = grid_rows.values(opened, same, ["item_id", "label", "box"])
    return [
        {"item_id": name, "label": label, "box": box, "self": name == item_id}
        for name, label, box in boxes.rows()
        if box is not None
    ]


def context(call: Call) -> Response:
    """Answer what other tables know about an item; a part that fails becomes a note."""
    opened, item_id = call.opened, call.path["item"]
    row = grid_rows.row_of(opened, item_id)
    facts = grid_rows.values(opened, [row], ["item_id", "image_id", "content"]).row(
        0, named=True
    )
    parts: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "same": lambda: list(_same(call, opened, facts)),
        "runs": lambda: list(_runs(call, opened, item_id)),
        "findings": lambda: _findings(call, opened, facts),
        "flags": lambda: _flags(call, opened, facts),
        "log": lambda: _log(call, opened),
    }
    content: dict[str, Any] = {"dataset": opened.name, "v": opened.version, "item_id": item_id}
    notes = []
    for name, read in parts.items():
        try:
            content[name] = read()
        except LikewiseError as error:
            content[name] = []
            notes.append(f"{name}: {error}")
    return json_answer(content | {"notes": notes}, version=opened.version)


def _rows(call: Call, sql: str, rev: str | None) -> list[dict[str, Any]]:
    frame = likewise.query(sql, rev=rev, workspace=call.site.workspace).frame
    return frame.to_dicts()


def _same(call: Call, opened: Opened, facts: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the items of all data sets with the same pixels, without the item itself."""
    for name in likewise.open(workspace=call.site.workspace):
        with suppress(LikewiseError):  # not published yet
            other = opened if name == opened.name else call.site.shelf.newest(name)
            where = f"content = {text(facts['content'])}"
            rows = grid_rows.rows_where(other, where, _MOST_BOXES)
            items = grid_rows.values(other, rows, ["item_id", "label", "split"])
            for row, values in zip(rows, items.to_dicts(), strict=True):
                if name == opened.name and values["item_id"] == facts["item_id"]:
                    continue
                url = picture_urls.thumb(call.site, name, facts["content"], row)
                yield {"dataset": name, **values, "thumb": url}


def _runs(call: Call, opened: Opened, item_id: str) -> Iterator[dict[str, Any]]:
    """Yield the results of an item in the runs that have it as a query."""
    known = likewise.show(opened.name, rev=opened.rev, workspace=call.site.workspace).runs
    for run in known:
        if run.metrics is None:
            continue
        table = f"queries_{run.run.replace('-', '_')}"
        where = f"item_id = {text(item_id)}"
        with suppress(LikewiseError):  # a run without results per query
            sql = f"SELECT * FROM {table} WHERE {where}"  # noqa: S608 (a text is quoted)
            for values in _rows(call, sql, opened.rev):
                numbers = {
                    name: values.get(name) for name in ("value", "first_hit", "relevant")
                }
                facts = {"run": run.run, "model": run.model, "protocol": run.protocol}
                yield facts | numbers


def _findings(call: Call, opened: Opened, facts: dict[str, Any]) -> list[dict[str, Any]]:
    names = f"{text(facts['image_id'])}, {text(facts['item_id'])}"
    table = f"{_base(call, opened)}_findings"
    sql = f'SELECT "check", path, detail FROM {table} WHERE path IN ({names})'  # noqa: S608
    return _rows(call, sql, opened.rev)


def _flags(call: Call, opened: Opened, facts: dict[str, Any]) -> list[dict[str, Any]]:
    own = f"(item_id IS NULL OR item_id = {text(facts['item_id'])})"
    where = f"image_id = {text(facts['image_id'])} AND {own}"
    columns = "flag, value, other_dataset, other, detail"
    sql = f"SELECT {columns} FROM {_base(call, opened)}_flags WHERE {where}"  # noqa: S608
    return _rows(call, sql, opened.rev)


def _log(call: Call, opened: Opened) -> list[dict[str, Any]]:
    versions = likewise.log(opened.name, rev=opened.rev, workspace=call.site.workspace)
    return [vars(version) for version in versions[:_MOST_VERSIONS]]


def _base(call: Call, opened: Opened) -> str:
    """Return the data set whose tables a view shares."""
    summaries = likewise.datasets(rev=opened.rev, workspace=call.site.workspace)
    view_of = {summary.dataset: summary.view_of for summary in summaries}
    return view_of.get(opened.name) or opened.name


def why(call: Call) -> Response:
    """Answer the origin of the vectors of a model, or of the vector of one item."""
    name, model = call.path["name"], parameters.text(call.query, "model")
    item_id = parameters.text(call.query, "item")
    if model is None:
        raise bad_request("model: name the model of the vectors")
    facts = likewise.why(name, model, item_id, workspace=call.site.workspace)
    copy = copy_text.why(name, model, item_id)
    return json_answer({"dataset": name, "facts": facts, "copy": copy})
