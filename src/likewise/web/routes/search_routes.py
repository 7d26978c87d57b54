"""Routes of search: by items, keywords, texts, pictures, parts of pictures and sketches."""

import io
import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.responses import Response

import likewise
from likewise.errors import DataError
from likewise.web import copy_text, grid_rows, hit_roles, parameters, picture_urls
from likewise.web.answers import RefusedError, bad_request, json_answer
from likewise.web.columns import columns_of
from likewise.web.conditions import whole_condition
from likewise.web.guard import IMAGE_TYPES
from likewise.web.requests import Call
from likewise.web.routes import picture_routes
from likewise.web.uploads import Upload

MOST_HITS = 200
MOST_QUERIES = 50
RANKED = 1000
"""Number of hits among which the true photo of a sketch is looked for."""

ROLES = ("query", "gallery")
"""Roles as which a picture of the query is embedded; the first is the default."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Wanted:
    """A search: the options of ``Dataset.search``, and what the answer repeats.

    Attributes:
        options: the options, without pictures.
        uploads: pictures that the browser sent.
        crop: the item whose picture is the query; None for none.
        pictures: the encoded or decoded pictures.
    """

    options: dict[str, Any]
    uploads: list[Upload]
    crop: str | None
    pictures: list[Any]

    @property
    def ids(self) -> list[str]:
        """Items of the query."""
        ids: list[str] = self.options.get("id", [])
        return ids

    @property
    def items(self) -> list[str]:
        """All items that the query names."""
        crop = [self.crop] if self.crop else []
        return list(dict.fromkeys([*self.ids, *self.options.get("unlike", []), *crop]))


def lane(query: QueryParams) -> str:
    """Return the lane of a search: pictures and texts are embedded in a lane of their own."""
    embedded = ("upload", "crop", "text", "not_text")
    return "encode" if any(name in query for name in embedded) else "search"


def search(call: Call) -> Response:
    """Answer the hits of a query by items, words or pictures that were sent before."""
    uploads = [call.site.uploads.get(sha256) for sha256 in _uploads(call.query)]
    return json_answer(_found(call, uploads), version=call.opened.version)


def search_by_picture(call: Call) -> Response:
    """Answer the hits of a query by the picture in the body."""
    uploads = [call.site.uploads.get(sha256) for sha256 in _uploads(call.query)]
    return json_answer(_found(call, [*uploads, _sent(call)]), version=call.opened.version)


def sketch(call: Call) -> Response:
    """Answer the hits of a drawing, what the model sees of it, and the rank of its photo."""
    upload = _sent(call)
    target = parameters.text(call.query, "target")
    if target is not None:
        grid_rows.row_of(call.opened, target)
    content = _found(call, [upload], RANKED if target else None)
    ranked = {hit["item_id"]: hit["rank"] for hit in content["hits"]}
    limit = content["k"]
    content["hits"] = content["hits"][:limit]
    place = {"item_id": target, "rank": ranked.get(target), "of": RANKED} if target else None
    role = parameters.choice(call.query, "query_role", ROLES)
    shown = {"d": call.opened.name, "model": content["model"], "v": call.opened.version}
    parts = urlencode(shown | ({"query_role": role} if role != ROLES[0] else {}))
    eye_url = call.site.url(f"/eye/{upload.sha256}.png?{parts}")
    return json_answer(content | {"eye": eye_url, "target": place}, version=call.opened.version)


def eye(call: Call) -> Response:
    """Return the pixels that a model gets of a picture, as PNG."""
    upload = call.site.uploads.get(call.path["upload"])
    name = parameters.text(call.query, "d") or ""
    opened = call.site.shelf.get(name, parameters.text(call.query, "v"))
    model = _model(opened.dataset, parameters.text(call.query, "model"))
    searcher = opened.dataset.searcher(model or "", "exact", fresh=False)
    role = parameters.choice(call.query, "query_role", ROLES)
    out = io.BytesIO()
    searcher.encoder.seen(upload.picture(), role).save(out, "PNG")
    headers = {"cache-control": "no-cache"}
    return Response(out.getvalue(), headers=headers, media_type="image/png")


def _sent(call: Call) -> Upload:
    if call.content_type not in IMAGE_TYPES:
        raise RefusedError(415, "UnsupportedType", "the body must be a picture")
    return call.site.uploads.add(call.body)


def _uploads(query: QueryParams) -> list[str]:
    given = parameters.texts(query, "upload")
    if len(given) > MOST_QUERIES or not all(map(_SHA256.fullmatch, given)):
        raise bad_request("upload: give the SHA-256 of a picture that was sent")
    return given


def _model(
    dataset: "likewise.Dataset", name: str | None, *, by_text: bool = False
) -> str | None:
    """Return the model ``name``, or else the first one that can answer.

    None if no model has a text tower: the search refuses the text.
    """
    if name is None and by_text:
        return next(iter(dataset.text_models), None)
    if name is None and dataset.models:
        return dataset.models[0]
    dataset.need_model(name or "")
    return name or ""


def _wanted(call: Call, uploads: list[Upload]) -> Wanted:
    """Read the options of a search."""
    query, opened = call.query, call.opened
    number, text = parameters.number, parameters.text
    words = parameters.words(query)
    by_text = bool(words["text"] or words["not_text"])
    options: dict[str, Any] = {
        "id": parameters.texts(query, "id"),
        "unlike": parameters.texts(query, "unlike"),
        **words,
        "box": parameters.box(query),
        "combine": parameters.combine(query),
        "model": _model(opened.dataset, text(query, "model"), by_text=by_text),
        "index": text(query, "index"),
        "role": parameters.choice(query, "role", ("gallery", "query", "any")),
        "query_role": parameters.choice(query, "query_role", ROLES),
        "where": whole_condition(call.selection, columns_of(opened)),
        "per_label": number(query, "per_label", 0, 1, 1000) or None,
        "min_score": parameters.decimal(query, "min_score"),
        "k": number(query, "k", 60, 1, MOST_HITS),
        "offset": number(query, "offset", 0, 0, 1_000_000),
    }
    if len(options["id"]) + len(options["unlike"]) > MOST_QUERIES:
        raise bad_request(f"give at most {MOST_QUERIES} items")
    defaults = {"combine": "mean", "role": "gallery", "query_role": ROLES[0], "offset": 0}
    absent: tuple[Any, ...] = (None, "", [])
    given = {k: v for k, v in options.items() if v not in absent and v != defaults.get(k)}
    crop = text(query, "crop")
    pictures: list[Any] = [upload.picture() for upload in uploads]
    if crop:
        pictures.append(_image_of(call, crop))
    return Wanted(given, uploads, crop, pictures)


def _image_of(call: Call, item_id: str) -> bytes:
    row = grid_rows.row_of(call.opened, item_id)
    data = call.opened.dataset.present_images([row])[0]
    if data is None:
        raise picture_routes.missing(call.opened)
    return data


def _found(call: Call, uploads: list[Upload], depth: int | None = None) -> dict[str, Any]:
    """Return the answer of a search; ``depth`` is a larger number of hits than asked."""
    opened = call.opened
    wanted = _wanted(call, uploads)
    options = wanted.options
    pictures = {"image": wanted.pictures} if wanted.pictures else {}
    count = max(options["k"] + 1, depth or 0)
    begin = time.perf_counter()
    hits = opened.dataset.search(**{**options, **pictures, "k": count})
    milliseconds = 1000 * (time.perf_counter() - begin)
    shown = hits.frame if depth else hits.frame.head(options["k"])
    index = options.get("index") or "exact"
    uses_vectors = bool(pictures or wanted.ids or options.get("text"))
    names = [*shown["item_id"], *wanted.items]
    pictured = picture_urls.pictured(call.site, opened, names)
    return {
        "dataset": opened.name,
        "v": opened.version,
        "model": options["model"] if uses_vectors else None,
        "by_role": bool(pictures) and _by_role(call, options["model"]),
        "index": index,
        "exact": index == "exact",
        "recall": None if index == "exact" else _recall(call, options["model"], index),
        "ms": {"total": round(milliseconds, 2)},
        "k": options["k"],
        "offset": options.get("offset", 0),
        "more": len(hits) > options["k"],
        "role": hit_roles.of_hits(opened, call.selection, options.get("role", "gallery")),
        "query": _query(wanted, pictured),
        "hits": _hits(shown.to_dicts(), pictured, wanted),
        "copy": copy_text.search(
            opened, options, shown["item_id"].to_list(), len(wanted.pictures)
        ),
    }


def _hits(
    hits: list[dict[str, Any]], pictured: dict[str, dict[str, Any]], wanted: Wanted
) -> list[dict[str, Any]]:
    """Return the hits with their positions and thumbnails."""
    labels = {pictured[name]["label"] for name in wanted.ids}
    return [
        {
            **hit,
            "row": pictured[hit["item_id"]]["row"],
            "thumb": pictured[hit["item_id"]]["thumb"],
            "role": pictured[hit["item_id"]]["role"],
            "same": hit["label"] in labels if labels else None,
        }
        for hit in hits
    ]


def _query(wanted: Wanted, pictured: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the query as the answer repeats it."""
    thumbs = [
        {"item_id": name, **{key: pictured[name][key] for key in ("thumb", "label", "text")}}
        for name in wanted.items
    ]
    uploads = [
        {"upload": one.sha256, "width": one.width, "height": one.height}
        for one in wanted.uploads
    ]
    return {
        "ids": wanted.ids,
        "unlike": wanted.options.get("unlike", []),
        "text": wanted.options.get("text", []),
        "not_text": wanted.options.get("not_text", []),
        "keywords": wanted.options.get("keywords"),
        "uploads": uploads,
        "box": wanted.options.get("box"),
        "crop": wanted.crop,
        "thumbs": thumbs,
    }


def _by_role(call: Call, model: str) -> bool:
    """Return True if a model embeds queries and gallery items differently."""
    key = ("by_role", model)
    if key not in call.opened.cache:
        searcher = call.opened.dataset.searcher(model, "exact", fresh=False)
        call.opened.cache[key] = searcher.encoder.by_role
    by_role: bool = call.opened.cache[key]
    return by_role


def _recall(call: Call, model: str, index: str) -> float | None:
    """Return the measured recall of an index; None if it was not measured."""
    key = ("recall", model, index)
    if key not in call.opened.cache:
        try:
            known = likewise.indexes(workspace=call.site.workspace)
        except DataError:
            known = []
        wanted = (call.opened.name, model, index)
        call.opened.cache[key] = next(
            (i.measured.recall for i in known if _names(i) == wanted and i.measured), None
        )
    recall: float | None = call.opened.cache[key]
    return recall


def _names(index: "likewise.Indexed") -> tuple[str, str, str]:
    return index.dataset, index.model, index.index
