"""The page of a search: safe and complete, with small upright pictures."""

import base64
import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from html_tags import sound_page
from likewise.imaging.decode import crop, decode, decode_small
from likewise.pages.gallery import SIDE, Tile, search_page, thumbnail

ORIENTATION = 0x0112


def encoded(image: Image.Image, kind: str = "PNG", orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    out = BytesIO()
    image.save(out, kind, exif=exif)
    return out.getvalue()


def shown(url: str | None) -> Image.Image:
    assert url is not None
    head, _, data = url.partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(BytesIO(base64.b64decode(data)))


def halves(width: int, height: int) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), "blue")
    image.paste("red", (0, 0, width // 2, height))
    return image


@pytest.mark.parametrize(
    ("size", "small"),
    [
        ((1000, 500), (256, 128)),
        ((100, 40), (100, 40)),
        ((3, 3000), (1, 256)),
        ((1, 1), (1, 1)),
    ],
)
def test_a_thumbnail_is_at_most_256_pixels(
    size: tuple[int, int], small: tuple[int, int]
) -> None:
    found = shown(thumbnail(encoded(Image.new("RGB", size))))
    assert found.size == small
    assert max(found.size) <= SIDE
    assert found.format == "JPEG"


def test_a_thumbnail_is_upright() -> None:
    found = shown(thumbnail(encoded(halves(80, 40), "JPEG", orientation=6)))
    assert found.size == (40, 80)
    red, _, blue = _channels(found, (20, 10))
    assert (red > 200, blue < 60) == (True, True)
    assert ORIENTATION not in found.getexif()


def test_a_box_is_of_the_stored_image_and_is_upright() -> None:
    found = shown(thumbnail(encoded(halves(80, 40), "JPEG", orientation=6), (40, 0, 80, 20)))
    assert found.size == (20, 40)
    red, _, blue = _channels(found, (10, 20))
    assert (red < 60, blue > 200) == (True, True)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("RGB", "JPEG"),
        ("L", "JPEG"),
        ("CMYK", "JPEG"),
        ("P", "PNG"),
        ("RGBA", "PNG"),
        ("LA", "PNG"),
        ("I;16", "PNG"),
        ("RGB", "WEBP"),
    ],
)
@pytest.mark.parametrize("box", [None, (300, 200, 1500, 1100), (40, 30, 90, 80)])
def test_a_reduced_picture_is_that_of_all_pixels(
    mode: str, kind: str, box: tuple[int, int, int, int] | None
) -> None:
    smooth = Image.effect_noise((8, 6), 120).resize((1600, 1200), Image.Resampling.BICUBIC)
    colours = [smooth, smooth.rotate(180), smooth.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    picture = Image.merge("RGB", colours)
    if mode == "RGBA":
        picture.putalpha(smooth)
    elif mode == "I;16":
        picture = Image.fromarray(np.asarray(smooth).astype(np.uint16) * 257)
    data = encoded(picture if mode == "RGBA" else picture.convert(mode), kind, orientation=6)
    small = decode_small(data, 256, box)
    whole = decode(data) if box is None else crop(decode(data), box)
    whole.thumbnail((256, 256), Image.Resampling.LANCZOS)
    expected = whole.transpose(Image.Transpose.ROTATE_270)
    assert (small.mode, small.size) == ("RGB", expected.size)
    difference = np.asarray(small, np.float64) - np.asarray(expected, np.float64)
    assert np.abs(difference).mean() < 2


def test_a_decoded_picture_is_shown_as_it_is() -> None:
    assert shown(thumbnail(halves(80, 40))).size == (80, 40)
    assert shown(thumbnail(Image.new("L", (9, 9), 200))).mode == "RGB"


@pytest.mark.parametrize("data", [b"", b"no image", encoded(Image.new("RGB", (9, 9)))[:40]])
def test_what_is_not_an_image_has_no_thumbnail(data: bytes) -> None:
    assert thumbnail(data) is None
    assert "no picture" in search_page("t", [], [Tile("a", thumbnail(data))])


def test_a_box_outside_the_image_has_no_thumbnail() -> None:
    assert thumbnail(encoded(halves(80, 40)), (100, 100, 120, 120)) is None


def test_the_page_needs_no_other_file() -> None:
    page = search_page("t", [], [Tile("a", thumbnail(halves(8, 8)), score=1.0)])
    assert not re.findall(r"""(?:href|src)=["'](?!data:)|url\(|@import|https?:""", page)


def test_hits_are_in_order_with_rank_score_class_and_name() -> None:
    hits = [
        Tile("a.jpg", None, "cat", 0.98765, same=True),
        Tile("b.jpg", None, None, -0.5, same=False),
    ]
    page = sound_page(search_page("A title", [Tile("q.jpg", None, "cat")], hits, "a note"))
    assert page.one("title").text == "A title: q.jpg"
    assert page.one("header").text == "A title a note"
    assert page.one("main").text == (
        "Query no picture cat q.jpg 2 hits, the nearest first "
        f"no picture 1 {0.98765:.4f} cat a.jpg no picture 2 -0.5000 b.jpg "
        "label of the query other label Below a hit: its rank, its score in bold, its label "
        "and its item. Score: similarity to the query (greater is nearer). Show the hits in "
        "several rows"
    )
    marks = [one.attributes for one in page.one("ol", "hits").all(kind="dot")]
    assert [mark["class"] for mark in marks] == ["dot same", "dot"]
    assert [mark["aria-label"] for mark in marks] == ["label of the query", "other label"]


def test_a_search_without_hits_says_so() -> None:
    page = search_page("t", [], [])
    assert "0 hits" in page
    assert "Nothing was found." in page
    assert "label of the query" not in page


def _channels(image: Image.Image, at: tuple[int, int]) -> tuple[int, int, int]:
    pixel = image.getpixel(at)
    assert isinstance(pixel, tuple)
    red, green, blue = pixel
    return int(red), int(green), int(blue)
