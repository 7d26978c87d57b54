"""Routes of reviews: flags and findings with the pictures they are about, and verdicts."""

from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

import likewise
from likewise.errors import LikewiseError
from likewise.web import grid_rows, parameters, picture_urls
from likewise.web.answers import bad_request, json_answer
from likewise.web.conditions import text
from likewise.web.requests import Call, json_body
from likewise.web.shelf import Opened

SHOW = ("open", "judged", "all")
MOST_DOUBTS = 100
MOST_IDS = 1000

_FACTS = ("item_id", "content", "sha256", "width", "height", "orientation", "label", "split")


def review(call: Call) -> Response:
    """Answer the flags and findings of a data set with their pictures, page by page."""
    name = parameters.text(call.query, "flag")
    show = parameters.choice(call.query, "show", SHOW)
    offset = parameters.number(call.query, "offset", 0, 0, 1 << 40)
    limit = parameters.number(call.query, "limit", 50, 1, MOST_DOUBTS)
    listing = likewise.reviews(
        call.base, judged=True, limit=None, workspace=call.site.workspace
    )
    chosen = [
        doubt
        for doubt in listing.doubts
        if name in (None, doubt.name) and show in ("all", _state(doubt))
    ]
    shown = chosen[offset : offset + limit]
    content = {
        "dataset": call.path["name"],
        "base": listing.dataset,
        "file": listing.file,
        "open": listing.open,
        "judged": listing.judged,
        "stale": listing.stale,
        "names": _names(listing.doubts),
        "flag": name,
        "show": show,
        "total": len(chosen),
        "offset": offset,
        "doubts": _pictured(call, listing.dataset, shown),
    }
    return json_answer(content)


def _state(doubt: "likewise.Doubt") -> str:
    return "open" if doubt.verdict is None else "judged"


def _names(doubts: Iterable["likewise.Doubt"]) -> list[dict[str, Any]]:
    """Return every flag and check with its numbers of open and judged doubts."""
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for doubt in doubts:
        own = counts.setdefault((doubt.kind, doubt.name), {"open": 0, "judged": 0})
        own[_state(doubt)] += 1
    return [{"kind": kind, "name": name, **own} for (kind, name), own in counts.items()]


def _pictured(call: Call, dataset: str, doubts: list["likewise.Doubt"]) -> list[dict[str, Any]]:
    """Return doubts with the image they are about, and the other image of a pair."""
    pairs = [((dataset, d.path), (d.other_dataset or dataset, d.other)) for d in doubts]
    wanted: dict[str, list[str]] = {}
    for name, path in dict.fromkeys(place for pair in pairs for place in pair):
        if path:
            wanted.setdefault(name, []).append(path)
    images = {
        (name, path): image
        for name, paths in wanted.items()
        for path, image in _images(call, name, paths).items()
    }
    return [
        {**vars(doubt), "first": images.get(first), "second": images.get(second)}
        for doubt, (first, second) in zip(doubts, pairs, strict=True)
    ]


def _images(call: Call, name: str, paths: list[str]) -> dict[str, dict[str, Any]]:
    """Return the images of a data set by the ids of items or images; others are left out."""
    try:
        opened = call.site.shelf.newest(name)
    except LikewiseError:
        return {}  # not published, or of a data set that was removed
    rows = grid_rows.rows_of(opened, paths)
    rest = [path for path in paths if path not in rows]
    if rest:
        rows |= _rows_of_images(opened, rest)
    values = grid_rows.values(opened, list(rows.values()), _FACTS).to_dicts()
    return {
        path: {
            "dataset": name,
            **{key: facts[key] for key in _FACTS if key not in ("content", "sha256")},
            "thumb": picture_urls.thumb(call.site, name, facts["content"], row),
            "url": picture_urls.image(call.site, name, facts["sha256"], row),
        }
        for (path, row), facts in zip(rows.items(), values, strict=True)
    }


def _rows_of_images(opened: Opened, paths: list[str]) -> dict[str, int]:
    """Return the first item of each image that has one."""
    where = f"image_id IN ({', '.join(map(text, paths))})"
    rows = grid_rows.rows_where(opened, where, 100 * len(paths))
    ids = grid_rows.values(opened, rows, ["image_id"])["image_id"].to_list()
    return dict(reversed([*zip(ids, rows, strict=True)]))


def judge(call: Call) -> Response:
    """Keep or withdraw the verdict on flags and findings, unless it changed meanwhile.

    Raises:
        RefusedError: a field has a wrong type.
        ChangedValueError: the present verdict is not the expected one.
    """
    given = json_body(call)
    ids, note = given.get("ids"), given.get("note", "")
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise bad_request("ids: give a list of ids of flags and findings")
    if not 0 < len(ids) <= MOST_IDS or not isinstance(note, str):
        raise bad_request(f"give 1 to {MOST_IDS:,} ids, and the note as text")
    verdict, expect, seen = (given.get(f) for f in ("verdict", "expect", "expect_note"))
    for field, value in (("verdict", verdict), ("expect", expect), ("expect_note", seen)):
        if value is not None and not isinstance(value, str):
            raise bad_request(f"{field}: give a text or null")
    done = likewise.review(
        call.base,
        ids,
        verdict=verdict,
        note=note,
        expect=expect or "none",
        expect_note=seen,
        workspace=call.site.workspace,
    )
    return json_answer(done)
