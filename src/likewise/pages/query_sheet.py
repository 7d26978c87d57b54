"""Figures of several queries, one row per query: an HTML page, and an image (PNG)."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw, ImageOps

from likewise.errors import DataError
from likewise.formats.counted_nouns import counted
from likewise.formats.progress_note import progress_bar, progress_note
from likewise.pages.gallery import SCORE, Tile
from likewise.pages.rendering import render
from likewise.pages.sheet_drawing import (
    MAX_PIXELS,
    MAX_SIDE,
    fitted,
    frame,
    sheet,
    wrapped,
    write,
)

CELL = 132
"""Edge length of a cell in pixels."""

_GAP, _LINE = 10, 16
_INK, _GREY, _PAGE, _MAT = "#1c1d20", "#5f626a", "#ffffff", "#ececea"
_TITLE, _NOTE, _CAPTION = 16, 12, 11
_LEAST_WIDTH = 4 * (CELL + _GAP) + 2 * _GAP
"""Least width of a figure, so that title and legend fit above few hits."""

_MARGIN = 5
"""Pixels between the edge of a cell and its picture."""

_ROW = CELL + 3 * _LINE + _GAP
"""Height of a row."""

_TITLE_LINES, _NOTE_LINES, _SPACING = 2, 6, 5
_MOST_HEADER = _GAP + _TITLE_LINES * (_TITLE + _SPACING) + _NOTE_LINES * (_NOTE + _SPACING) + 4
"""Largest height of title, note and legend."""


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
    most = max((len(hits) for _, _, hits in lists), default=0)
    need_room(len(lists), most)
    width = _width(most)
    heads = _heads(title, note, width - 2 * _GAP, judged=_judged(rows))
    header = _GAP + sum(size + _SPACING for _, size, _ in heads) + 4
    page = sheet(width, header + max(1, len(lists)) * _ROW, _PAGE)
    draw = ImageDraw.Draw(page)
    top = _GAP
    for line, size, ink in heads:
        write(draw, (_GAP, top), line, size, ink)
        top += size + _SPACING
    cells = _Cells(page)
    with progress_bar(len(lists), "draw queries", "row") as bar:
        for number, (row, name, hits) in enumerate(lists):
            top = header + number * _ROW
            texts = [name or "query", row.query.label or "", row.query.name]
            cells.draw((_GAP, top), row.query, texts)
            for place, hit in enumerate(hits):
                rank = place + row.first_rank
                score = "" if hit.score is None else f"   {hit.score:.3f}"
                left = 2 * _GAP + (place + 1) * (CELL + _GAP)
                cells.draw((left, top), hit, [f"{rank}{score}", hit.label or "", hit.name])
            if not hits:
                beside = (3 * _GAP + CELL, top + CELL // 2 - _NOTE)
                write(draw, beside, "no hits", _NOTE, _GREY)
            bar.update()
    out = BytesIO()
    with progress_note("compress the picture"):
        page.save(out, "PNG")
    return out.getvalue()


def _heads(title: str, note: str, width: int, *, judged: bool) -> list[tuple[str, int, str]]:
    """Return the lines above the rows, each with its size and its colour."""
    legend = "Left: the query. Right of it: its hits, the nearest first, with rank, score, "
    legend += f"label and item. Score: {SCORE}."
    if judged:
        legend += " Solid green frame: label of the query. Dashed red frame: another label."
    notes = wrapped(f"{note} {legend}", _NOTE, width, _NOTE_LINES)
    heads = [(line, _TITLE, _INK) for line in wrapped(title, _TITLE, width, _TITLE_LINES)]
    return heads + [(line, _NOTE, _GREY) for line in notes]


def need_room(queries: int, hits: int) -> None:
    """Check that rows of queries with at most ``hits`` hits fit into one image.

    Raises:
        DataError: they do not; the message has the number of queries that do.
    """
    width, height = _width(hits), _MOST_HEADER + queries * _ROW
    highest = min(MAX_SIDE, MAX_PIXELS // width) if width <= MAX_SIDE else 0
    if height <= highest:
        return
    fitting = max(0, (highest - _MOST_HEADER) // _ROW)
    advice = f"choose at most {counted(fitting, 'query')}" if fitting else "show fewer hits"
    raise DataError(
        f"an image of {counted(queries, 'query')} with {counted(hits, 'hit')} each would have "
        f"{width:,} x {height:,} pixels, too many for programs that show it; "
        f"{advice}, or write a page (--html)"
    )


def _width(hits: int) -> int:
    return max((1 + hits) * (CELL + _GAP) + 2 * _GAP, _LEAST_WIDTH)


def _judged(rows: Sequence[QueryRow]) -> bool:
    """Return whether any hit is right or wrong."""
    return any(hit.same is not None for row in rows for _, hits in row.lists for hit in hits)


class _Cells:
    """Draws the cells of an image; a picture is decoded and reduced once."""

    def __init__(self, page: Image.Image) -> None:
        """Start with no cells on ``page``."""
        self._page = page
        self._draw = ImageDraw.Draw(page)
        self._corners: dict[str, tuple[int, int]] = {}

    def draw(self, corner: tuple[int, int], tile: Tile, texts: Sequence[str]) -> None:
        """Draw a picture in its frame, with lines of text below it; the last is an item."""
        left, top = corner
        box = (left, top, left + CELL, top + CELL)
        self._draw.rectangle(box, fill=_MAT)
        if tile.picture:
            self._paste(tile.picture, corner)
        else:
            # A text or a vector is its own picture.
            for line, text in enumerate(wrapped(tile.name, _NOTE, CELL - 16, 6)):
                write(self._draw, (left + 8, top + 10 + line * _LINE), text, _NOTE, _INK)
        frame(self._draw, box, right=tile.same)
        for line, text in enumerate(texts):
            place = (left, top + CELL + 3 + line * _LINE)
            keep = "end" if line == len(texts) - 1 else "start"
            shown = fitted(text, _CAPTION, CELL, keep=keep)
            ink = _GREY if line == len(texts) - 1 else _INK
            write(self._draw, place, shown, _CAPTION, ink)

    def _paste(self, picture: str, corner: tuple[int, int]) -> None:
        """Paste a picture into the cell at ``corner``; copy it if another cell has it."""
        left, top = corner
        side = CELL - 2 * _MARGIN
        if picture in self._corners:
            x, y = (edge + _MARGIN for edge in self._corners[picture])
            copied = self._page.crop((x, y, x + side, y + side))
            self._page.paste(copied, (left + _MARGIN, top + _MARGIN))
            return
        self._corners[picture] = corner
        data = base64.b64decode(picture.partition(",")[2])
        image: Image.Image = Image.open(BytesIO(data))
        image = ImageOps.contain(image, (side, side), Image.Resampling.LANCZOS)
        position = (left + (CELL - image.width) // 2, top + (CELL - image.height) // 2)
        self._page.paste(image, position)
