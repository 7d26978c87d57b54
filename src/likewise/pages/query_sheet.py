"""Figures of several queries, one row per query: an HTML page, and an image (PNG)."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from likewise.pages.gallery import Tile
from likewise.pages.rendering import render

CELL = 132
"""Edge length of a cell in pixels."""

_GAP, _LINE, _HEADER = 10, 15, 54
_INK, _GREY, _PAGE, _MAT, _LINES = "#1c1d20", "#5f626a", "#ffffff", "#ececea", "#dfdfdc"
_FRAMES = {True: ("#1c7c4a", 4), False: ("#c0392b", 4), None: (_LINES, 1)}
_CHARACTERS = 20


@dataclass(frozen=True)
class QueryRow:
    """A query and its hits, best first.

    Attributes:
        query: picture of the query; its name stands for a text or a vector.
        lists: one list of hits for each run or search, with its name; "" for a single one.
        first_rank: rank of the first hit.
    """

    query: Tile
    lists: Sequence[tuple[str, Sequence[Tile]]]
    first_rank: int = 1


@dataclass(frozen=True)
class RowSection:
    """Rows under one heading.

    Attributes:
        title: the heading; "" for none.
        note: a sentence below it; "" for none.
        rows: the rows.
    """

    title: str
    note: str
    rows: Sequence[QueryRow]


def rows_page(title: str, sections: Sequence[RowSection], note: str = "") -> str:
    """Return a page with one row per query; right hits are green, wrong hits red."""
    return render("query_rows.html", title=title, sections=sections, note=note)


def rows_image(title: str, rows: Sequence[QueryRow], note: str = "") -> bytes:
    """Return a PNG with one row per query: the query, then its hits with rank and score.

    The frame of a hit is green if its label is that of the query, and red if it is another
    one. The bytes are reproducible.
    """
    lists = [(row, name, hits) for row in rows for name, hits in row.lists]
    columns = 1 + max((len(hits) for _, _, hits in lists), default=0)
    height = CELL + 3 * _LINE + _GAP
    size = (columns * (CELL + _GAP) + 2 * _GAP, _HEADER + max(1, len(lists)) * height)
    page = Image.new("RGB", size, _PAGE)
    draw = ImageDraw.Draw(page)
    draw.text((_GAP, 10), title, fill=_INK, font=ImageFont.load_default(17))
    judged = any(hit.same is not None for _, _, hits in lists for hit in hits)
    legend = [note] if note else []
    legend += ["below a hit: rank: score"]
    legend += ["green frame: label of the query, red: another label"] if judged else []
    draw.text((_GAP, 32), "; ".join(legend), fill=_GREY, font=ImageFont.load_default(12))
    for number, (row, name, hits) in enumerate(lists):
        top = _HEADER + number * height
        texts = [row.query.label or "", row.query.name, name]
        _cell(page, (_GAP, top), row.query, texts)
        for place, hit in enumerate(hits):
            rank = place + row.first_rank
            score = "" if hit.score is None else f": {hit.score:.3f}"
            left = 2 * _GAP + (place + 1) * (CELL + _GAP)
            _cell(page, (left, top), hit, [f"{rank}{score}", hit.label or "", hit.name])
    out = BytesIO()
    page.save(out, "PNG", optimize=True)
    return out.getvalue()


def _cell(page: Image.Image, corner: tuple[int, int], tile: Tile, texts: Sequence[str]) -> None:
    """Draw a picture in its frame, with lines of text below it."""
    draw = ImageDraw.Draw(page)
    left, top = corner
    colour, width = _FRAMES[tile.same]
    draw.rectangle((left, top, left + CELL, top + CELL), fill=_MAT)
    if tile.picture:
        image = Image.open(BytesIO(base64.b64decode(tile.picture.partition(",")[2])))
        image.thumbnail((CELL - 10, CELL - 10), Image.Resampling.LANCZOS)
        page.paste(image, (left + (CELL - image.width) // 2, top + (CELL - image.height) // 2))
    draw.rectangle((left, top, left + CELL, top + CELL), outline=colour, width=width)
    for line, text in enumerate(texts):
        place = (left, top + CELL + 2 + line * _LINE)
        ink = _INK if line == 0 else _GREY
        draw.text(place, _short(text), fill=ink, font=ImageFont.load_default(11))


def _short(text: str) -> str:
    """Shorten a text to one line, keeping its end, which is the specific part of names."""
    line = " ".join(text.split())
    return line if len(line) <= _CHARACTERS else "..." + line[3 - _CHARACTERS :]
