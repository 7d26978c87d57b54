"""Routes of tags, selections, and the queue of likely wrong labels."""

from typing import Any

import polars as pl
from starlette.responses import Response

import likewise
from likewise.errors import LikewiseError
from likewise.web import bodies, grid_rows, parameters, picture_urls
from likewise.web.answers import RefusedError, bad_request, json_answer
from likewise.web.columns import columns_of
from likewise.web.conditions import whole_condition
from likewise.web.jobs import Job, Progress, Result
from likewise.web.parameters import RowSelection
from likewise.web.requests import Call, json_body
from likewise.web.shelf import Opened
from likewise.web.site import Site

MOST_SUSPECTS = 10_000
"""Largest number of likely wrong labels that are kept, the most doubtful ones."""

_KEPT_QUEUES = 4

_SUSPECT = (
    "item_id",
    "label",
    "suggested",
    "quality",
    "outvoted",
    "confident",
    "neighbours",
)


def tags(call: Call) -> Response:
    """Answer the tags of a data set with the numbers of their items."""
    return json_answer(vars(likewise.tag(call.base, workspace=call.site.workspace)))


def tag(call: Call) -> Response:
    """Give items the tags ``add``, and take the tags ``remove`` away.

    Raises:
        RefusedError: the body has another form.
    """
    given = json_body(call)
    items = bodies.item_ids(given)
    add, remove = bodies.words(given, "add"), bodies.words(given, "remove")
    done = likewise.tag(call.base, items, add=add, remove=remove, workspace=call.site.workspace)
    _see_changes(call.site)
    return json_answer(vars(done))


def selections(call: Call) -> Response:
    """Answer the selections of a data set."""
    known = likewise.selections(call.base, workspace=call.site.workspace)
    return json_answer({"dataset": call.base, "selections": [vars(one) for one in known]})


def select(call: Call) -> Response:
    """Keep ``items``, or all that meet the filter in the query, as the selection ``name``.

    Raises:
        RefusedError: the body has another form; no item is in the region of the map; or the
            filter was seen in another version.
    """
    given = json_body(call)
    name = bodies.name_of(given, "name")
    items = bodies.item_ids(given, needed=False)
    dataset: str = call.path["name"]
    region = call.selection.region
    where = None if items or region else _where(call)
    newest = call.site.shelf.newest(dataset)
    if newest.version != call.opened.version:
        what = f"a newer version of {dataset} is here; look at it before you select from it"
        raise RefusedError(409, "StaleArtefactError", what)
    if region and not items:
        items = _in_region(newest, call.selection)
    done = likewise.select(dataset, name, items, where=where, workspace=call.site.workspace)
    _see_changes(call.site)
    return json_answer(vars(done))


def _where(call: Call) -> str:
    """Return the condition of the filter in the query; that of all items without one."""
    condition = whole_condition(call.selection, columns_of(call.opened))
    return condition or "item_id IS NOT NULL"


def _in_region(opened: Opened, selection: RowSelection) -> list[str]:
    """Return the ids of the items that meet a filter with a region, which SQL lacks.

    Raises:
        RefusedError: there is none.
    """
    rows = grid_rows.positions(opened, selection)
    if not len(rows):
        raise bad_request("no item of the filter is in the region; draw another one")
    ids: list[str] = opened.dataset.rows(rows, ["item_id"])["item_id"].to_list()
    return ids


def _see_changes(site: Site) -> None:
    """Open the data sets again whose tags or selections have changed."""
    for name in site.shelf.names:
        try:
            site.shelf.newest(name)
        except LikewiseError:
            continue  # it was removed


def suspects(call: Call) -> Response:
    """Answer the likely wrong labels among the rows of the filter, most doubtful first.

    ``compared`` is False if no job has looked for them in this version yet.

    Raises:
        RefusedError: no model is named.
    """
    opened, model = call.opened, parameters.text(call.query, "model")
    if model is None:
        raise bad_request("model: name the model whose vectors are compared")
    opened.dataset.need_model(model)
    limit = parameters.number(call.query, "limit", 50, 1, 200)
    offset = parameters.number(call.query, "offset", 0, 0, MOST_SUSPECTS)
    doubtful = call.site.suspects.get((call.base, model, opened.version))
    content = {"dataset": opened.name, "v": opened.version, "model": model}
    if doubtful is None:
        return json_answer(content | {"compared": False}, version=opened.version)
    rows = grid_rows.rows_of(opened, doubtful["item_id"].to_list())
    passing = set(grid_rows.positions(opened, call.selection).tolist())
    ids = [item for item, row in rows.items() if row in passing]
    chosen = (
        doubtful.filter(pl.col("item_id").is_in(ids)) if len(ids) < len(doubtful) else doubtful
    )
    shown = chosen.slice(offset, limit).to_dicts()
    queue = {
        "compared": True,
        "total": len(chosen),
        "offset": offset,
        "suspects": [{name: one[name] for name in _SUSPECT} for one in shown],
        "pictures": _pictures(call, shown),
    }
    return json_answer(content | queue, version=opened.version)


def _pictures(call: Call, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the thumbnails and labels of suspects and their neighbours, by one read."""
    ids = [row["item_id"] for row in rows]
    ids += [one["item_id"] for row in rows for one in row["neighbours"]]
    return picture_urls.pictured(call.site, call.opened, ids)


def find_suspects(call: Call) -> Response:
    """Start to compare the labels of the newest version with the vectors of a model, as a job.

    Raises:
        RefusedError: the body names no model.
    """
    model = bodies.name_of(json_body(call), "model")
    opened, base = call.site.shelf.newest(call.path["name"]), call.base
    opened.dataset.need_model(model)

    def work(progress: Progress) -> Result:
        return _look_for_suspects(call.site, base, model, opened.version, progress)

    job = call.site.jobs.start(Job("", "suspects", base, model, None), work)
    return json_answer({"id": job.id}, status=202)


def _look_for_suspects(
    site: Site, dataset: str, model: str, version: str, progress: Progress
) -> Result:
    """Compare the labels of a data set with the vectors of a model, and keep the result."""
    progress(None, f"comparing the labels of {dataset} with the vectors of {model}")
    doubtful = likewise.suspects(dataset, model, workspace=site.workspace)
    site.suspects[dataset, model, version] = doubtful.rows.head(MOST_SUSPECTS)
    while len(site.suspects) > _KEPT_QUEUES:
        del site.suspects[next(iter(site.suspects))]
    return {"judged": doubtful.judged, "suspects": len(doubtful)}
