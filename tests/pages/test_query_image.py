"""The image of several queries: each picture is read and drawn once, and it fits programs."""

from collections.abc import Iterable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps

from likewise.errors import DataError
from likewise.pages import gallery, query_sheet
from likewise.pages.query_sheet import need_room, rows_image
from likewise.pages.sheet_drawing import MAX_PIXELS, MAX_SIDE
from query_rows import rows


def test_an_image_draws_equal_pictures_equally_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reduced = []
    contain = ImageOps.contain

    def counted(image: Image.Image, *given: object) -> Image.Image:
        reduced.append(image.size)
        return contain(image, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(ImageOps, "contain", counted)
    with Image.open(BytesIO(rows_image("t", rows(6)))) as image:
        pixels = np.asarray(image)
    assert len(reduced) == 4
    height = query_sheet._ROW
    body = pixels[len(pixels) - 6 * height :]
    # Below the pictures, the rows differ by the name of the query.
    bands = [body[n * height : n * height + query_sheet.CELL] for n in range(6)]
    assert all((band == bands[0]).all() for band in bands)
    assert bands[0].std() > 20


@pytest.mark.parametrize("hits", [0, 1, 10, 50, 300])
def test_the_number_of_queries_that_fit_is_named(hits: int) -> None:
    with pytest.raises(
        DataError, match=r"choose at most \d+ queries, or write a page"
    ) as error:
        need_room(100_000, hits)
    fitting = int(str(error.value).split("at most ")[1].split()[0])
    need_room(fitting, hits)
    with pytest.raises(DataError, match=f"choose at most {fitting} queries"):
        need_room(fitting + 1, hits)
    width = query_sheet._width(hits)
    height = query_sheet._MOST_HEADER + (fitting + 1) * query_sheet._ROW
    assert height > MAX_SIDE or width * height > MAX_PIXELS


def test_hits_that_no_image_can_show_are_refused() -> None:
    with pytest.raises(DataError, match=r"10 queries with 500 hits each .* show fewer hits"):
        need_room(10, 500)
    with pytest.raises(DataError, match="choose at most 344 queries"):
        rows_image("t", rows(345, 10))


def test_few_images_are_in_memory_at_once() -> None:
    sizes = []

    class Reader:
        def encoded(self, numbers: Iterable[int]) -> list[bytes]:
            sizes.append(len(list(numbers)))
            return [colour(n) for n in numbers]

    def colour(number: int) -> bytes:
        out = BytesIO()
        Image.new("RGB", (8, 8), (number, 0, 0)).save(out, "PNG")
        return out.getvalue()

    made = gallery.thumbnails(Reader(), [None] * 99 + [(50, 50, 60, 60)])
    assert max(sizes) <= gallery._AT_ONCE
    assert sum(sizes) == 100
    assert made[:99] == [gallery.thumbnail(colour(n)) for n in range(99)]
    assert made[99] is None  # a box outside of its image
