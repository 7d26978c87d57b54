"""Pictures of hits that Pillow draws: texts fit, frames differ without colours."""

import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw

from likewise.errors import DataError
from likewise.pages.contact_sheet import contact_sheet
from likewise.pages.gallery import Tile, thumbnail
from likewise.pages.query_sheet import CELL, QueryRow, RowSection, rows_image, rows_page
from likewise.pages.sheet_drawing import fitted, font, frame, sheet, wrapped

LONG = "Bactrian camel with two humps in a desert " * 40


def picture(width: int = 40, height: int = 30, mode: str = "RGB") -> str | None:
    return thumbnail(Image.new(mode, (width, height), "red" if mode == "RGB" else None))


def glyph(character: str) -> bytes:
    mask = font(character, 20).getmask(character)
    return bytes(mask)


@pytest.mark.parametrize("character", "äéŁñЖωعא")
def test_letters_of_other_languages_are_not_boxes(character: str) -> None:
    absent = "\U000e0fff"
    assert glyph(character) != bytes(font(character, 20).getmask(absent))


def test_frames_differ_in_grey() -> None:
    drawn = []
    for right in (True, False):
        page = Image.new("L", (60, 60), 255)
        frame(ImageDraw.Draw(page), (5, 5, 55, 55), right=right)
        drawn.append(page.point(lambda value: 255 if value > 200 else 0))
    assert ImageChops.difference(*drawn).getbbox()
    share = [page.histogram()[0] for page in drawn]
    assert share[1] < 0.7 * share[0]


@pytest.mark.parametrize("text", [LONG, "x" * 900, "狗" * 300, "قطة " * 200, "\u202eabc\x00"])
def test_texts_fit_their_width(text: str) -> None:
    for line in [fitted(text, 11, 130), fitted(text, 11, 130, keep="end")]:
        assert font(line, 11).getlength(line) <= 130
    lines = wrapped(text, 12, 300, 3)
    assert 1 <= len(lines) <= 3
    assert all(font(line, 12).getlength(line) <= 300 for line in lines)


def test_a_name_keeps_its_end_and_a_label_its_start() -> None:
    assert fitted("images/a/very/long/path/400_noto.jpg", 11, 100, keep="end").endswith(
        "400_noto.jpg"
    )
    assert fitted("smiling face with sunglasses", 11, 100).startswith("smiling")
    assert wrapped("", 12, 100, 2) == []


def test_a_figure_of_one_hit_or_none_is_as_wide_as_its_legend() -> None:
    hit = Tile("b.png", picture(), "cat", 0.5, same=True)
    for hits in ([], [hit]):
        data = rows_image(LONG, [QueryRow(Tile("a text", None, "cat"), [("", hits)])], LONG)
        with Image.open(BytesIO(data)) as image:
            assert image.width >= 4 * CELL


def test_a_picture_that_is_too_large_is_refused() -> None:
    with pytest.raises(DataError, match="too large for one file"):
        sheet(100_000, 100_000, "white")
    hits = [Tile(str(n), None, None, 0.5) for n in range(2_000)]
    rows = [QueryRow(Tile("q"), [("", hits)])] * 300
    with pytest.raises(DataError, match="show fewer hits"):
        rows_image("t", rows)


def test_a_page_explains_its_numbers_and_frames() -> None:
    hit = Tile("b.png", picture(), "cat", 0.5, same=True)
    row = QueryRow(Tile("a.png", picture(), "cat"), [("", [hit])])
    page = rows_page("t", [RowSection("", "", [row])], "Model: x.")
    assert "Score: similarity to the query (greater is nearer)." in page
    assert "wrong, dashed frame" in page
    unjudged = QueryRow(row.query, [("", [Tile("b.png", picture(), None, 0.5)])])
    assert "dashed frame" not in rows_page("t", [RowSection("", "", [unjudged])])


def test_a_contact_sheet_frames_wrong_hits() -> None:
    hits = [
        Tile("b", picture(), "x", 0.5, same=True),
        Tile("c", picture(), "y", 0.4, same=False),
    ]
    with Image.open(BytesIO(contact_sheet("t", [], hits, LONG))) as image:
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 20) or []}
    assert {(0x1C, 0x7C, 0x4A), (0xC0, 0x39, 0x2B)} <= colours


def test_a_transparent_picture_is_drawn_on_white() -> None:
    drawing = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    data = thumbnail(drawing)
    assert data
    with Image.open(BytesIO(base64.b64decode(data.partition(",")[2]))) as image:
        assert image.convert("RGB").getpixel((20, 20)) == (255, 255, 255)


def test_a_small_picture_fills_its_cell_as_on_a_page() -> None:
    row = QueryRow(Tile("a.png", picture(1, 1), "cat"), [("", [])])
    with Image.open(BytesIO(rows_image("t", [row]))) as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    red = (pixels[:, 0] > 200) & (pixels[:, 1:] < 60).all(axis=1)
    assert red.sum() >= (CELL - 12) ** 2
