"""Contact sheet of a search as PNG: the query, then the hits in rows with captions."""

import base64
from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from likewise.formats.counted_nouns import counted
from likewise.pages.gallery import Tile

COLUMNS = 5
CELL = 200
"""Edge length of a cell in pixels."""

_GAP, _LINE, _HEADER = 16, 18, 56
_INK, _GREY, _PAGE, _MAT = "#1c1d20", "#6a6d75", "#f6f6f4", "#ececea"
_FRAME = {True: "#1c7c4a", False: "#a5a8ad", None: "#dfdfdc"}
_MAX_CHARACTERS = 26


def contact_sheet(
    title: str,
    query: Sequence[Tile],
    hits: Sequence[Tile],
    note: str = "",
    *,
    first_rank: int = 1,
) -> bytes:
    """Return a PNG with ``title``, ``note``, and the images of the query and the hits.

    The frame of a hit is green if its class is that of the query; the caption is rank, score
    and label. The bytes are reproducible.
    """
    tiles = [*query, *hits]
    rows = max(1, -(-len(tiles) // COLUMNS))
    width = COLUMNS * (CELL + _GAP) + _GAP
    height = _HEADER + rows * (CELL + 3 * _LINE + _GAP) + _GAP
    page = Image.new("RGB", (width, height), _PAGE)
    draw = ImageDraw.Draw(page)
    draw.text((_GAP, 12), title, fill=_INK, font=ImageFont.load_default(18))
    draw.text((_GAP, 36), note or _count(hits), fill=_GREY, font=ImageFont.load_default(12))
    for number, tile in enumerate(tiles):
        row, column = divmod(number, COLUMNS)
        corner = (_GAP + column * (CELL + _GAP), _HEADER + row * (CELL + 3 * _LINE + _GAP))
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
    draw.rectangle(box, fill=_MAT, outline=_FRAME[tile.same], width=3 if tile.same else 1)
    if tile.picture:
        data = base64.b64decode(tile.picture.partition(",")[2])
        image = Image.open(BytesIO(data))
        image.thumbnail((CELL - 8, CELL - 8), Image.Resampling.LANCZOS)
        position = (left + (CELL - image.width) // 2, top + (CELL - image.height) // 2)
        page.paste(image, position)
    score = "" if tile.score is None else f"   {tile.score:.4f}"
    for line, (text, ink) in enumerate(
        ((f"{rank}{score}", _INK), (tile.label or "", _INK), (tile.name, _GREY))
    ):
        text_position = (left, top + CELL + 3 + line * _LINE)
        draw.text(text_position, _short(text), fill=ink, font=ImageFont.load_default(13))


def _short(text: str) -> str:
    """Shorten ``text`` to one line, keeping its end, which is the specific part of names."""
    line = " ".join(text.split())
    return line if len(line) <= _MAX_CHARACTERS else "..." + line[3 - _MAX_CHARACTERS :]


def _count(hits: Sequence[Tile]) -> str:
    return counted(len(hits), "hit")
