"""Boxes of pictures that EXIF turns: read in either frame, and exported for each reader."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from layout_trees import picture, read, tree
from likewise.imaging.decode import turn_upright
from likewise.imaging.turned_boxes import stored_corners, upright_corners
from likewise.sources.box_bounds import clip_boxes

WIDTH, HEIGHT = 40, 20
STORED = (4.0, 2.0, 10.0, 12.0)


def upright(orientation: int) -> tuple[float, ...]:
    """Return the bounds of ``STORED`` in the upright picture, by turning pixels."""
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    x1, y1, x2, y2 = map(int, STORED)
    pixels[y1:y2, x1:x2] = 255
    ys, xs = np.nonzero(np.asarray(turn_upright(Image.fromarray(pixels), orientation)))
    return (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_corners_are_turned_as_pixels(orientation: int) -> None:
    corners = dict(zip(("x1", "y1", "x2", "y2"), STORED, strict=True))
    frame = pl.DataFrame(
        {**corners, "width": WIDTH, "height": HEIGHT, "orientation": orientation}
    )
    shown = frame.with_columns(upright_corners())
    assert shown.row(0)[:4] == upright(orientation)
    assert shown.with_columns(stored_corners()).row(0)[:4] == STORED


def images(*names: str, orientation: int) -> pl.DataFrame:
    sizes = {"width": WIDTH, "height": HEIGHT, "orientation": orientation}
    return pl.DataFrame([{"image_id": name, **sizes} for name in names])


def line(orientation: int) -> str:
    x1, y1, x2, y2 = upright(orientation)
    w, h = (HEIGHT, WIDTH) if orientation > 4 else (WIDTH, HEIGHT)
    return f"0 {(x1 + x2) / 2 / w} {(y1 + y2) / 2 / h} {(x2 - x1) / w} {(y2 - y1) / h}"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_annotations_become_stored_pixels(tmp_path: Path, orientation: int) -> None:
    top = tree(tmp_path, {"labels/1.txt": line(orientation)}, "images/1.jpg")
    reading = read("yolo", top, orientation="upright")
    facts = images("images/1.jpg", orientation=orientation)
    items, findings = clip_boxes(reading.items, reading, facts)
    assert items["box"].to_list() == [pytest.approx(STORED)]
    assert findings.is_empty()


def test_turned_images_with_boxes_are_one_finding(tmp_path: Path) -> None:
    size: dict[str, Any] = {"width": HEIGHT, "height": WIDTH}
    document = {
        "images": [{"id": n, "file_name": f"{n}.jpg", **size} for n in range(3)],
        "annotations": [{"image_id": n, "bbox": [1, 2, 3, 4]} for n in range(2)],
    }
    top = tree(tmp_path, {"a.json": document}, "0.jpg", "1.jpg", "2.jpg")
    reading = read("coco", top)
    facts = images("0.jpg", "1.jpg", "2.jpg", orientation=6)
    findings = clip_boxes(reading.items, reading, facts)[1].filter(check="turned-image")
    assert findings["detail"].str.contains("2 images with boxes.*orientation=upright").all()
    assert findings["detail"].str.contains("sizes of 2 are those of upright").all()
    turned = read("coco", top, orientation="upright")
    assert clip_boxes(turned.items, turned, facts)[1].is_empty()


def test_pictures_of_tests_are_turned() -> None:
    assert picture(orientation=6) != picture()
