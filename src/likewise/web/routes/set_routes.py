"""Routes of the catalogue: its data sets, and the pages."""

from collections.abc import Iterator
from functools import cache
from importlib import metadata, resources
from typing import Any

from jinja2 import Environment
from starlette.responses import HTMLResponse, Response

import likewise
from likewise.errors import LikewiseError
from likewise.web import parameters, picture_urls
from likewise.web.answers import json_answer
from likewise.web.page_modules import page_modules
from likewise.web.requests import Answer, Call

_SHOWN = 4


def sets(call: Call) -> Response:
    """Answer the data sets of the catalogue."""
    rev = parameters.text(call.query, "rev")
    catalogue = likewise.open(workspace=call.site.workspace)
    content = {
        "catalogue": catalogue.root.name,
        "read_only": call.site.settings.read_only,
        "version": metadata.version("likewise"),
        "rev": rev,
        "sets": list(_sets(call, rev)),
    }
    return json_answer(content)


def one_set(call: Call) -> Response:
    """Answer one data set of the catalogue."""
    name, rev = call.path["name"], parameters.text(call.query, "rev")
    entry = next((one for one in _sets(call, rev) if one["name"] == name), None)
    if entry is None:
        call.site.shelf.newest(name)  # an unknown name raises, with the nearest names
    return json_answer(entry)


def _sets(call: Call, rev: str | None) -> Iterator[dict[str, Any]]:
    workspace = call.site.workspace
    indexes = likewise.open(workspace=workspace, rev=rev).indexes
    for summary in likewise.datasets(rev=rev, workspace=workspace):
        entry: dict[str, Any] = {
            "name": summary.dataset,
            "title": summary.title,
            "state": summary.state,
            "items": summary.items,
            "models": summary.models,
            "text_models": [],
            "runs": summary.runs,
            "view_of": summary.view_of,
            "licence": "",
            "v": None,
            "next": None,
            "indexes": indexes,
            "thumbs": [],
        }
        yield entry | _described(call, summary, rev) | _opened(call, summary, rev)


def _described(call: Call, summary: "likewise.Summary", rev: str | None) -> dict[str, Any]:
    """Return what the description of a data set adds to its summary."""
    base = summary.view_of or summary.dataset
    try:
        described = likewise.show(base, rev=rev, workspace=call.site.workspace)
    except LikewiseError as error:
        return {"next": getattr(error, "command", None)}
    metrics = {run.run: run for run in described.runs}
    runs = [
        {
            "run": name,
            "model": metrics[name].model,
            "protocol": metrics[name].protocol,
            **_first_metric(metrics[name].metrics),
        }
        for name in summary.runs
        if name in metrics
    ]
    step = None if summary.view_of else described.next
    return {"runs": runs, "licence": described.card.licence.spdx, "next": step}


def _first_metric(metrics: dict[str, float] | None) -> dict[str, Any]:
    name, value = next(iter((metrics or {}).items()), (None, None))
    return {"metric": name, "value": value}


def _opened(call: Call, summary: "likewise.Summary", rev: str | None) -> dict[str, Any]:
    """Return the version and the first pictures of a data set that is published."""
    if summary.state != "published":
        return {}
    try:
        opened = call.site.shelf.get(summary.dataset, rev=rev)
    except LikewiseError as error:
        return {"next": getattr(error, "command", None)}
    count = opened.dataset.table.rows
    rows = sorted({count * number // _SHOWN for number in range(_SHOWN)} & set(range(count)))
    thumbs = picture_urls.thumbs(call.site, opened, rows)
    text_models = opened.dataset.text_models
    return {
        "v": opened.version,
        "items": count,
        "thumbs": thumbs,
        "text_models": text_models,
    }


def shell(page: str) -> Answer:
    """Return the function that answers a page, by its name; its script reads the URL."""

    def answer(call: Call) -> Response:
        return HTMLResponse(_shell(call, page), headers={"cache-control": "no-cache"})

    return answer


def no_page(call: Call) -> Response:
    """Return the page for a URL that has none, which says so."""
    return HTMLResponse(_shell(call, ""), 404, headers={"cache-control": "no-cache"})


def _shell(call: Call, name: str) -> str:
    settings = call.site.settings
    page: str = _template().render(
        root=settings.root_path,
        title="Likewise",
        version=metadata.version("likewise"),
        read_only=settings.read_only,
        modules=page_modules(name),
    )
    return page


@cache
def _template() -> Any:
    text = resources.files("likewise.web").joinpath("templates/shell.html").read_text("utf-8")
    return Environment(autoescape=True).from_string(text)
