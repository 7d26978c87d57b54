"""Figures of several queries, one row per query: an HTML page, and an image (PNG)."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw, ImageOps

from likewise.pages.gallery import SCORE, Tile
from likewise.pages.rendering import render
from likewise.pages.sheet_drawing import fitted, frame, sheet, wrapped, write

CELL = 132
"""Edge length of a cell in pixels."""

_GAP, _LINE = 10, 16
_INK, _GREY, _PAGE, _MAT = "#1c1d20", "#5f626a", "#ffffff", "#ececea"
_TITLE, _NOTE, _CAPTION = 16, 12, 11
_LEAST_WIDTH = 4 * (CELL + _GAP) + 2 * _GAP
"""Least width of a figure, so that title and legend fit above few hits."""


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


def rows_page(
    title: str, sections: Sequence[RowSection], note: str = "", score: str = SCORE
) -> str:
    """Return a page with one row per query; right hits are green, wrong hits red and dashed.

    Args:
        title: heading of the page.
        sections: the rows.
        note: sentences below the heading.
        score: meaning of the score of a hit.
    """
    rows = [row for section in sections for row in section.rows]
    values = {"sections": sections, "note": note, "score": score, "judged": _judged(rows)}
    return render("query_rows.html", title=title, **values)


def rows_image(title: str, rows: Sequence[QueryRow], note: str = "") -> bytes:
    """Return a PNG with one row per query: the query, then its hits with rank and score.

    The frame of a hit is green if its label is that of the query, and red and dashed if it is
    another one. The bytes are reproducible.

    Raises:
        DataError: the picture would be too large for one file.
    """
    lists = [(row, name, hits) for row in rows for name, hits in row.lists]
    columns = 1 + max((len(hits) for _, _, hits in lists), default=0)
    width = max(columns * (CELL + _GAP) + 2 * _GAP, _LEAST_WIDTH)
    inner = width - 2 * _GAP
    legend = "Left: the query. Right of it: its hits, the nearest first, with rank, score, "
    legend += f"label and item. Score: {SCORE}."
    if _judged(rows):
        legend += " Solid green frame: label of the query. Dashed red frame: another label."
    heads = [(line, _TITLE, _INK) for line in wrapped(title, _TITLE, inner, 2)]
    heads += [(line, _NOTE, _GREY) for line in wrapped(f"{note} {legend}", _NOTE, inner, 6)]
    header = _GAP + sum(size + 5 for _, size, _ in heads) + 4
    height = CELL + 3 * _LINE + _GAP
    page = sheet(width, header + max(1, len(lists)) * height, _PAGE)
    draw = ImageDraw.Draw(page)
    top = _GAP
    for line, size, ink in heads:
        write(draw, (_GAP, top), line, size, ink)
        top += size + 5
    for number, (row, name, hits) in enumerate(lists):
        top = header + number * height
        texts = [name or "query", row.query.label or "", row.query.name]
        _cell(page, (_GAP, top), row.query, texts)
        for place, hit in enumerate(hits):
            rank = place + row.first_rank
            score = "" if hit.score is None else f"   {hit.score:.3f}"
            left = 2 * _GAP + (place + 1) * (CELL + _GAP)
            _cell(page, (left, top), hit, [f"{rank}{score}", hit.label or "", hit.name])
        if not hits:
            beside = (3 * _GAP + CELL, top + CELL // 2 - _NOTE)
            write(draw, beside, "no hits", _NOTE, _GREY)
    out = BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def _judged(rows: Sequence[QueryRow]) -> bool:
    """Return whether any hit is right or wrong."""
    return any(hit.same is not None for row in rows for _, hits in row.lists for hit in hits)


def _cell(page: Image.Image, corner: tuple[int, int], tile: Tile, texts: Sequence[str]) -> None:
    """Draw a picture in its frame, with lines of text below it; the last is an item."""
    draw = ImageDraw.Draw(page)
    left, top = corner
    draw.rectangle((left, top, left + CELL, top + CELL), fill=_MAT)
    if tile.picture:
        image: Image.Image = Image.open(
            BytesIO(base64.b64decode(tile.picture.partition(",")[2]))
        )
        image = ImageOps.contain(image, (CELL - 10, CELL - 10), Image.Resampling.LANCZOS)
        page.paste(image, (left + (CELL - image.width) // 2, top + (CELL - image.height) // 2))
    else:
        # A text or a vector is its own picture.
        for line, text in enumerate(wrapped(tile.name, _NOTE, CELL - 16, 6)):
            write(draw, (left + 8, top + 10 + line * _LINE), text, _NOTE, _INK)
    frame(draw, (left, top, left + CELL, top + CELL), right=tile.same)
    for line, text in enumerate(texts):
        place = (left, top + CELL + 3 + line * _LINE)
        keep = "end" if line == len(texts) - 1 else "start"
        shown = fitted(text, _CAPTION, CELL, keep=keep)
        write(draw, place, shown, _CAPTION, _GREY if line == len(texts) - 1 else _INK)
