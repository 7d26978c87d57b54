"""Routes of runs: two runs query by query, and the report of a run."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import Response

import likewise
from likewise.errors import LikewiseError, MissingArtefactError, UnknownNameError
from likewise.web import copy_text, parameters, picture_urls
from likewise.web.answers import bad_request, json_answer
from likewise.web.conditions import text
from likewise.web.requests import Call

if TYPE_CHECKING:
    import polars as pl


SIDES = ("all", "fixed", "broken", "right", "wrong")
ORDERS = ("loss", "gain", "query")
HITS = 10

REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'"
)
"""A report may show its own styles and pictures, and run nothing."""


def compare(call: Call) -> Response:
    """Answer the comparison of two runs, with one page of queries and their hits."""
    first, second = call.path["first"], call.path["second"]
    side = parameters.choice(call.query, "side", SIDES)
    order = parameters.choice(call.query, "sort", ORDERS)
    offset = parameters.number(call.query, "offset", 0, 0, 1_000_000_000)
    limit = parameters.number(call.query, "limit", 20, 1, 100)
    comparison = _comparison(call, first, second)
    queries = comparison.queries
    subset = parameters.text(call.query, "subset")
    chosen = _chosen(queries, side, order, subset)
    shown = chosen.slice(offset, limit)
    runs = {run: _run(call, run) for run in (first, second)}
    content = {
        "a": runs[first],
        "b": runs[second],
        "metrics": comparison.rows,
        "counts": {name: int((queries["side"] == name).sum()) for name in SIDES[1:]},
        "subsets": queries["subset"].drop_nulls().unique(maintain_order=True).to_list(),
        "notes": comparison.notes,
        "side": side,
        "sort": order,
        "total": len(chosen),
        "offset": offset,
        **_queries(call, runs[first]["dataset"], (first, second), shown),
        "copy": copy_text.compare(first, second, shown["item_id"].to_list()),
    }
    return json_answer(content)


def _comparison(call: Call, first: str, second: str) -> "likewise.Comparison":
    """Return the comparison; the last ones are kept while their results are unchanged."""
    return likewise.compare(first, second, workspace=call.site.workspace)


def _chosen(
    queries: "pl.DataFrame", side: str, order: str, subset: str | None
) -> "pl.DataFrame":
    if side != "all":
        queries = queries.filter(queries["side"] == side)
    if subset is not None:
        queries = queries.filter(queries["subset"] == subset)
    if order == "query":
        return queries
    return queries.sort(
        "delta", "item_id", descending=[order == "gain", False], nulls_last=True
    )


def _run(call: Call, name: str) -> dict[str, Any]:
    """Return the entry of ``RUN`` or ``RUN@REV``."""
    run, _, rev = name.partition("@")
    workspace = call.site.workspace
    for summary in likewise.datasets(workspace=workspace):
        if run in summary.runs:
            base = summary.view_of or summary.dataset
            facts = {one.run: one for one in likewise.show(base, workspace=workspace).runs}
            entry = facts.get(run)
            return {
                "run": name,
                "dataset": summary.dataset,
                "model": entry.model if entry else None,
                "index": entry.index if entry else None,
                "protocol": entry.protocol if entry else None,
                "report": not rev and _report(call, run).is_file(),
            }
    raise bad_request(f"{name[:100]} is not a run of this checkout")


def _queries(
    call: Call, dataset: str, runs: tuple[str, str], queries: "pl.DataFrame"
) -> dict[str, Any]:
    """Return the queries of a page with the hits of both runs."""
    ids = queries["item_id"].to_list()
    hits = [_hits(call, run, ids) for run in runs]
    try:
        opened = call.site.shelf.get(dataset, parameters.text(call.query, "v"))
    except LikewiseError:
        opened = None
    shown = {name for by_id in hits for row in by_id.values() for name in row["hits"][:HITS]}
    names = [*ids, *sorted(shown)]
    pictured = picture_urls.pictured(call.site, opened, names) if opened else {}
    entries = [
        {
            **query,
            "first_hit": [query["first_hit"], query.pop("first_hit_second")],
            **pictured.get(query["item_id"], {"row": None, "thumb": None, "text": None}),
            "label": query["label"],
            "hits": [_shown(by_id.get(query["item_id"]), pictured) for by_id in hits],
        }
        for query in queries.to_dicts()
    ]
    return {"v": opened.version if opened else None, "queries": entries}


def _hits(call: Call, run: str, ids: list[str]) -> dict[str, dict[str, Any]]:
    """Return the first hits of queries in a run, by query."""
    name, _, rev = run.partition("@")
    if not ids:
        return {}
    table, names = copy_text.queries_table(name), ", ".join(map(text, ids))
    sql = f"SELECT * FROM {table} WHERE item_id IN ({names})"  # noqa: S608 (texts are quoted)
    frame = likewise.query(sql, rev=rev or None, workspace=call.site.workspace).frame
    if "hits" not in frame.columns:
        return {}
    return {row["item_id"]: row for row in frame.to_dicts()}


def _shown(
    query: dict[str, Any] | None, pictured: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    if query is None:
        return []
    scores = query.get("hit_scores") or []
    return [
        {
            "item_id": name,
            "relevant": relevant,
            "score": scores[number] if number < len(scores) else None,
            "label": pictured.get(name, {}).get("label"),
            "text": pictured.get(name, {}).get("text"),
            "thumb": pictured.get(name, {}).get("thumb"),
        }
        for number, (name, relevant) in enumerate(
            zip(query["hits"][:HITS], query["hit_relevant"][:HITS], strict=True)
        )
    ]


def _report(call: Call, run: str) -> Any:
    return likewise.open(workspace=call.site.workspace).report_page(run)


def report(call: Call) -> Response:
    """Return the page of a report, which a frame shows without rights.

    Raises:
        MissingArtefactError: the report was not written yet.
    """
    run = call.path["run"]
    path = _report(call, run)
    if not path.is_file():
        raise MissingArtefactError(
            f"the report of {run} was not written", f"likewise report {run}"
        )
    headers = {"content-security-policy": REPORT_POLICY, "cache-control": "no-cache"}
    return Response(path.read_bytes(), headers=headers, media_type="text/html; charset=utf-8")


def run_facts(call: Call) -> Response:
    """Answer the values of a run, and the address of its report.

    Raises:
        UnknownNameError: there is no such run.
    """
    name, workspace = call.path["run"], call.site.workspace
    sets = likewise.datasets(workspace=workspace)
    dataset = next((one.dataset for one in sets if name in one.runs), None)
    if dataset is None:
        raise UnknownNameError("run", name, [run for one in sets for run in one.runs])
    facts = next(
        run for run in likewise.show(dataset, workspace=workspace).runs if run.run == name
    )
    written = _report(call, name).is_file()
    page = call.site.url(f"/report/{quote(name, safe='')}.html") if written else None
    return json_answer({"dataset": dataset, **asdict(facts), "report": page})
