"""Routes of versions: the commits that changed a data set, and the difference of two."""

import shlex
from collections.abc import Sequence
from typing import Any

import polars as pl
from starlette.responses import Response

import likewise
from likewise.errors import LikewiseError, VersionError
from likewise.web import parameters, picture_urls
from likewise.web.answers import bad_request, json_answer
from likewise.web.requests import Call
from likewise.web.shelf import Opened

MOST_VERSIONS = 500
MOST_ITEMS = 100

CHECKOUT = "workspace"
"""The name of the version that is checked out."""


def versions(call: Call) -> Response:
    """Answer the versions of a data set in git, and the version that is checked out."""
    name, workspace = call.path["name"], call.site.workspace
    note = None
    try:
        listed = likewise.log(call.base, workspace=workspace)
    except VersionError as error:
        listed, note = [], str(error)
    opened = call.site.shelf.newest(name)
    content = {
        "dataset": name,
        "v": opened.version,
        "items": opened.dataset.table.rows,
        "total": len(listed),
        "versions": listed[:MOST_VERSIONS],
        "note": note,
    }
    return json_answer(content)


def diff(call: Call) -> Response:
    """Answer the difference of two versions, with one page of changed items."""
    old, new = parameters.text(call.query, "a"), parameters.text(call.query, "b")
    if old is None:
        raise bad_request("a: name a version, such as a tag or a commit")
    offset = parameters.number(call.query, "offset", 0, 0, 1 << 40)
    limit = parameters.number(call.query, "limit", 24, 1, MOST_ITEMS)
    kind = parameters.text(call.query, "change")
    new = None if new == CHECKOUT else new
    difference = _difference(call, old, new, fresh=offset == 0 and kind is None)
    changes = difference.changes if kind is None else difference.changes.filter(change=kind)
    names = changes["item_id"].unique(maintain_order=True)
    shown = names.slice(offset, limit)
    content = {
        "dataset": difference.dataset,
        "a": difference.old,
        "b": difference.new,
        "items": difference.items,
        "counts": difference.counts,
        "columns": difference.columns,
        "curated": difference.curated,
        "curated_rows": difference.curated_rows.head(MOST_ITEMS).to_dicts(),
        "metrics": difference.metrics,
        "drift": difference.drift,
        "change": kind,
        "total": len(names),
        "offset": offset,
        "changed": _items(call, (old, new), changes, shown),
        "copy": {
            "python": f"likewise.diff({difference.dataset!r}, {old!r}"
            + (f", {new!r})" if new else ")"),
            "cli": shlex.join(
                ["likewise", "diff", difference.dataset, old, *([new] if new else [])]
            ),
            "sql": None,
            "why": "A difference reads two versions; SQL reads one.",
        },
    }
    return json_answer(content)


def _difference(call: Call, old: str, new: str | None, *, fresh: bool) -> "likewise.Difference":
    """Return the difference; the last one is kept with the version that it was made of.

    Tags and verdicts of the checkout change without a new version: ``fresh`` reads them again.
    """
    name = call.path["name"]
    opened = call.site.shelf.get(name, rev=new)
    before = call.site.shelf.get(name, rev=old)
    kept = opened.cache.setdefault("differences", {})
    key = (old, new, before.version)
    if key not in kept or (fresh and new is None):
        kept.clear()
        kept[key] = likewise.diff(name, old, new, workspace=call.site.workspace)
    difference: likewise.Difference = kept[key]
    return difference


def _items(
    call: Call,
    revs: tuple[str, str | None],
    changes: pl.DataFrame,
    shown: pl.Series,
) -> list[dict[str, Any]]:
    """Return changed items with their changes, and their pictures in both versions."""
    rows = changes.filter(pl.col("item_id").is_in(shown.implode()))
    renamed = rows.filter(change="renamed")
    earlier = dict(renamed.select("item_id", "was").iter_rows())
    ids = shown.to_list()
    sides = [
        _pictured(call, rev, names)
        for rev, names in zip(revs, ([earlier.get(one, one) for one in ids], ids), strict=True)
    ]
    by_item: dict[str, list[dict[str, Any]]] = {name: [] for name in ids}
    for row in rows.to_dicts():
        by_item[row.pop("item_id")].append(row)
    return [
        {
            "item_id": name,
            "changes": by_item[name],
            "first": sides[0].get(earlier.get(name, name)),
            "second": sides[1].get(name),
        }
        for name in ids
    ]


def _pictured(call: Call, rev: str | None, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    try:
        opened: Opened = call.site.shelf.get(call.path["name"], rev=rev)
    except LikewiseError:
        return {}
    return picture_urls.pictured(call.site, opened, ids)
