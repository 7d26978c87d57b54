"""Contact sheet of a search as PNG: the query, then the hits in rows with captions."""

import base64
from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageDraw, ImageOps

from likewise.pages.gallery import SCORE, Tile
from likewise.pages.sheet_drawing import fitted, frame, sheet, wrapped, write

COLUMNS = 5
CELL = 200
"""Edge length of a cell in pixels."""

_GAP, _LINE = 16, 18
_INK, _GREY, _PAGE, _MAT = "#1c1d20", "#5f626a", "#ffffff", "#ececea"
_TITLE, _TEXT = 17, 13


def contact_sheet(
    title: str,
    query: Sequence[Tile],
    hits: Sequence[Tile],
    note: str = "",
    *,
    first_rank: int = 1,
) -> bytes:
    """Return a PNG with ``title``, ``note``, and the images of the query and the hits.

    The frame of a hit is green if its class is that of the query, and red and dashed if it is
    another one; the caption is rank, score, label and name. The bytes are reproducible.

    Raises:
        DataError: the picture would be too large for one file.
    """
    tiles = [*query, *hits]
    rows = max(1, -(-len(tiles) // COLUMNS))
    width = COLUMNS * (CELL + _GAP) + _GAP
    legend = f"Hits: {len(hits):,}, the nearest first, with rank, score, label and item. "
    legend += f"Score: {SCORE}."
    if any(hit.same is not None for hit in hits):
        legend += " Solid green frame: label of the query. Dashed red frame: another label."
    inner = width - 2 * _GAP
    heads = [(line, _TITLE, _INK) for line in wrapped(title, _TITLE, inner, 2)]
    heads += [(line, _TEXT, _GREY) for line in wrapped(f"{note} {legend}", _TEXT, inner, 6)]
    header = _GAP + sum(size + 5 for _, size, _ in heads) + 6
    page = sheet(width, header + rows * (CELL + 3 * _LINE + _GAP) + _GAP, _PAGE)
    draw = ImageDraw.Draw(page)
    top = _GAP
    for line, size, ink in heads:
        write(draw, (_GAP, top), line, size, ink)
        top += size + 5
    for number, tile in enumerate(tiles):
        row, column = divmod(number, COLUMNS)
        corner = (_GAP + column * (CELL + _GAP), header + row * (CELL + 3 * _LINE + _GAP))
        place = number - len(query)
        _cell(page, draw, corner, tile, f"{first_rank + place}" if place >= 0 else "query")
    out = BytesIO()
    page.save(out, "PNG", optimize=True)
    return out.getvalue()


def _cell(
    page: Image.Image, draw: ImageDraw.ImageDraw, corner: tuple[int, int], tile: Tile, rank: str
) -> None:
    left, top = corner
    box = (left, top, left + CELL, top + CELL)
    draw.rectangle(box, fill=_MAT)
    if tile.picture:
        data = base64.b64decode(tile.picture.partition(",")[2])
        image: Image.Image = Image.open(BytesIO(data))
        image = ImageOps.contain(image, (CELL - 10, CELL - 10), Image.Resampling.LANCZOS)
        position = (left + (CELL - image.width) // 2, top + (CELL - image.height) // 2)
        page.paste(image, position)
    else:
        write(draw, (left + 8, top + 10), "no picture", _TEXT, _GREY)
    frame(draw, box, right=tile.same)
    score = "" if tile.score is None else f"   {tile.score:.4f}"
    lines = ((f"{rank}{score}", _INK), (tile.label or "", _INK), (tile.name, _GREY))
    for line, (text, ink) in enumerate(lines):
        keep = "end" if line == len(lines) - 1 else "start"
        place = (left, top + CELL + 4 + line * _LINE)
        write(draw, place, fitted(text, _TEXT, CELL, keep=keep), _TEXT, ink)
