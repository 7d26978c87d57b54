"""Routes of pictures: thumbnails, whole images, and what a model sees."""

import re
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from likewise.errors import UnknownNameError
from likewise.web import grid_rows, parameters
from likewise.web.answers import RefusedError, bad_request
from likewise.web.conditions import text
from likewise.web.requests import Call
from likewise.web.shelf import Opened

if TYPE_CHECKING:
    import likewise

CONTENT = re.compile(r"[0-9a-f]{64}[^/\\\0]{0,200}")
SHA256 = re.compile(r"[0-9a-f]{64}")

SIDES = (256, 64)

KEEP: Final = "max-age=31536000, immutable"

_NO_SCRIPTS = "default-src 'none'; sandbox"

_FORMATS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
}

GREY = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3" width="256" height="192">'
    b'<rect width="4" height="3" fill="#8a8a8a"/></svg>'
)
"""The picture of an item whose pixels are not on this machine."""


def thumb(call: Call) -> Response:
    """Return the thumbnail of a content; grey if its pixels are not on this machine."""
    content, side = call.path["content"], call.path["side"]
    if not CONTENT.fullmatch(content) or side not in SIDES:
        raise bad_request("a thumbnail is /t/CONTENT/256.jpg or /t/CONTENT/64.jpg")
    made = _hinted(call, content, side)
    if made is None:
        opened, row = _find(call, "content", content)
        made = opened.dataset.thumbnails([row], side)[0]
    if made.fault:
        headers = {"cache-control": "no-store", "x-missing": "1"}
        return Response(GREY, headers=headers, media_type="image/svg+xml")
    return _picture(call, made.data, made.media_type, content)


def _hinted(call: Call, content: str, side: int) -> "likewise.Thumbnail | None":
    """Return the thumbnail at the position of the URL if it has the content, by one read."""
    position = parameters.number(call.query, "p", -1, 0, 1 << 40)
    for opened in call.site.shelf.versions(parameters.text(call.query, "d") or ""):
        if 0 <= position < opened.dataset.table.rows:
            made = opened.dataset.thumbnails([position], side)[0]
            if made.content == content:
                return made
    return None


def image(call: Call) -> Response:
    """Return the file of an image, unchanged if browsers show its format, else as PNG."""
    sha256 = call.path["sha256"]
    if not SHA256.fullmatch(sha256):
        raise bad_request("an image is /img/SHA256")
    opened, row = _find(call, "sha256", sha256)
    data = opened.dataset.present_images([row])[0]
    if data is None:
        raise missing(opened)
    kind = _FORMATS.get(grid_rows.values(opened, [row], ["format"])["format"][0])
    if kind is None:
        data, kind = _as_png(data), "image/png"
    return _picture(call, data, kind, sha256)


def missing(opened: Opened) -> RefusedError:
    """Return the error for pixels that are not on this machine."""
    what = f"the images of {opened.name} are not on this machine"
    command = f"likewise pull {opened.name} --images"
    return RefusedError(409, "MissingArtefactError", what, next_step=command)


def _picture(call: Call, data: bytes, kind: str, tag: str) -> Response:
    shared = "private" if call.site.settings.token else "public"
    headers = {
        "cache-control": f"{shared}, {KEEP}",
        "etag": f'"{tag}"',
        "content-security-policy": _NO_SCRIPTS,
    }
    return Response(data, headers=headers, media_type=kind)


def _find(call: Call, column: str, value: str) -> tuple[Opened, int]:
    """Return an open data set, and a row of it with ``value``.

    The URL has the position as a hint. A position of another version is recognised by its
    value, which is then searched in the whole table.

    Raises:
        UnknownNameError: no open version of the data set has the value.
    """
    name = parameters.text(call.query, "d") or ""
    position = parameters.number(call.query, "p", -1, 0, 1 << 40)
    for opened in call.site.shelf.versions(name):
        if grid_rows.has(opened, position, column, value):
            return opened, position
    for opened in call.site.shelf.versions(name):
        rows = grid_rows.rows_where(opened, f"{column} = {text(value)}", 1)
        if rows:
            return opened, rows[0]
    raise UnknownNameError(column, value, (), name)


def _as_png(data: bytes) -> bytes:
    from io import BytesIO

    import likewise

    out = BytesIO()
    likewise.picture(data).save(out, "PNG")
    return out.getvalue()
