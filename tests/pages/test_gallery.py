"""The page of a search: safe, whole, and its pictures upright and small."""

import base64
import re
from html.parser import HTMLParser
from io import BytesIO

import pytest
from PIL import Image

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


def test_a_thumbnail_stands_upright() -> None:
    found = shown(thumbnail(encoded(halves(80, 40), "JPEG", orientation=6)))
    assert found.size == (40, 80)
    red, _, blue = _channels(found, (20, 10))
    assert (red > 200, blue < 60) == (True, True)
    assert ORIENTATION not in found.getexif()


def test_a_box_is_of_the_stored_image_and_stands_upright() -> None:
    found = shown(thumbnail(encoded(halves(80, 40), "JPEG", orientation=6), (40, 0, 80, 20)))
    assert found.size == (20, 40)
    red, _, blue = _channels(found, (10, 20))
    assert (red < 60, blue > 200) == (True, True)


def test_a_decoded_picture_is_shown_as_it_is() -> None:
    assert shown(thumbnail(halves(80, 40))).size == (80, 40)
    assert shown(thumbnail(Image.new("L", (9, 9), 200))).mode == "RGB"


@pytest.mark.parametrize("data", [b"", b"no image", encoded(Image.new("RGB", (9, 9)))[:40]])
def test_what_is_no_image_has_no_thumbnail(data: bytes) -> None:
    assert thumbnail(data) is None
    assert "no picture" in search_page("t", [], [Tile("a", thumbnail(data))])


def test_a_box_beside_the_image_has_no_thumbnail() -> None:
    assert thumbnail(encoded(halves(80, 40)), (100, 100, 120, 120)) is None


def test_no_text_becomes_a_tag() -> None:
    bad = "<script>alert('x')</script>\"><img src=x onerror=y>"
    page = search_page(
        bad, [Tile(bad, thumbnail(halves(8, 8)), bad)], [Tile(bad, None, bad, 0.5)], bad
    )
    tags = _tags(page)
    assert "script" not in {tag for tag, _ in tags}
    assert [name for _, names in tags for name in names if name.startswith("on")] == []
    assert sum(tag == "img" for tag, _ in tags) == 1


def test_the_page_needs_no_other_file() -> None:
    page = search_page("t", [], [Tile("a", thumbnail(halves(8, 8)), score=1.0)])
    assert not re.findall(r"""(?:href|src)=["'](?!data:)|url\(|@import|https?:""", page)


def test_hits_stand_in_order_with_rank_score_class_and_name() -> None:
    hits = [
        Tile("a.jpg", None, "cat", 0.98765, same=True),
        Tile("b.jpg", None, None, -0.5, same=False),
    ]
    page = search_page("A title", [Tile("q.jpg", None, "cat")], hits, "a note")
    text = " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL).split())
    assert text == (
        "A title: q.jpg A title a note Query no picture cat q.jpg "
        "2 hits the query's class another "
        "no picture 1 0.9876 cat a.jpg no picture 2 -0.5000 b.jpg"
    ).replace("0.9876 ", f"{0.98765:.4f} ")
    assert page.count('class="dot same" role="img"') == 1


def test_a_search_without_hits_says_so() -> None:
    page = search_page("t", [], [])
    assert "0 hits" in page
    assert "Nothing was found." in page
    assert "the query's class" not in page


def _channels(image: Image.Image, at: tuple[int, int]) -> tuple[int, int, int]:
    pixel = image.getpixel(at)
    assert isinstance(pixel, tuple)
    red, green, blue = pixel
    return int(red), int(green), int(blue)


def _tags(page: str) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, [name for name, _ in attrs]))

    Reader().feed(page)
    return found
