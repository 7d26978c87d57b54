"""The statistics of a data set, and their page."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image

import likewise
from likewise.errors import MissingArtefactError, UnknownNameError
from likewise.steps.describe.statistics_page import _cell, histogram

SVG = "{http://www.w3.org/2000/svg}"


def test_a_data_set_in_numbers(workspace: Path) -> None:
    found = likewise.describe("emoji")
    sizes = sorted(path.stat().st_size for path in (workspace / "emoji/images").iterdir())
    assert [(p.split, p.items, p.labels) for p in found.parts] == [(None, 4, 1)] * 6
    assert [label.items for label in found.labels] == [4] * 6
    assert found.labels[0].text == "house"
    assert found.sizes["width"].least == found.sizes["width"].greatest == 160
    assert found.sizes["aspect ratio"].median == 1
    assert found.sizes["megapixels"].median == 160 * 160 / 1e6
    assert found.sizes["kB"].least == sizes[0] / 1000
    assert found.sizes["kB"].low == sizes[round(0.05 * 23)] / 1000
    assert found.sizes["kB"].median == sizes[round(0.5 * 23)] / 1000
    assert found.modes == {"RGB": 24}
    assert (found.boxed, found.boxes, found.flags, found.licences) == (0, {}, {}, {})


def test_boxes_are_reported_in_pixels_and_as_shares(workspace: Path, shared_data: Path) -> None:
    params = workspace / "params.yaml"
    place = shared_data / "boxes_labels" / "bccd"
    likewise.add("cells", source="voc", path=place)
    assert "cells" in params.read_text("utf-8")
    likewise.ingest("cells")
    found = likewise.describe("cells")
    items = likewise.query(
        "select i.box, m.width, m.height from cells_items i "
        "join cells_images m on i.image_id = m.image_id where i.box is not null"
    )
    boxes = [list(map(float, box)) for box in items["box"]]
    widths = sorted(x2 - x1 for x1, _, x2, _ in boxes)
    shares = sorted(
        (x2 - x1) * (y2 - y1) / (width * height)
        for (x1, y1, x2, y2), width, height in zip(
            boxes, items["width"], items["height"], strict=True
        )
    )
    assert found.boxed == len(boxes) > 1000
    assert found.boxes["box width"].median == widths[round(0.5 * (len(boxes) - 1))]
    assert found.boxes["share of the image"].greatest == shares[-1] <= 1
    assert "## Boxes" in found.to_markdown()


def test_the_page_is_written_with_its_picture(workspace: Path) -> None:
    assert likewise.describe("emoji").to_reports() == [
        Path("reports/emoji.md"),
        Path("reports/emoji.svg"),
    ]
    page = (workspace / "reports" / "emoji.md").read_text("utf-8")
    assert page.startswith("# Emoji in GPR1200's layout\n\n24 items in 24 images, ")
    assert "| CC-BY-SA-4.0: each drawing under its set's own licence |" in page
    assert "![items per label](emoji.svg)" in page
    assert "| house | 4 |" in page
    assert "\n\n\n" not in page
    picture = ET.fromstring((workspace / "reports" / "emoji.svg").read_text("utf-8"))  # noqa: S314
    texts = [element.text for element in picture.iter(f"{SVG}text")]
    assert {"6 labels, 4 to 4 items each", "labels by descending number of items"} <= set(texts)
    before = page
    likewise.describe("emoji").to_reports()
    assert (workspace / "reports" / "emoji.md").read_text("utf-8") == before


def test_flags_and_findings_are_reported(workspace: Path) -> None:
    params = workspace / "params.yaml"
    params.write_text(params.read_text("utf-8") + "checks: {emoji: {}}\n", "utf-8")
    (workspace / "emoji" / "images" / "0_broken.jpg").write_bytes(b"no image")
    likewise.ingest("emoji")
    likewise.measure("emoji")
    likewise.check("emoji")
    found = likewise.describe("emoji")
    assert found.findings == {"not-an-image": 1}
    assert found.flags["small"] == 24
    page = found.to_markdown()
    assert "| small | 24 |" in page
    assert "| not-an-image | 1 |" in page


def test_a_picture_of_many_labels_has_few_bars() -> None:
    many, more = (histogram(list(range(count, 0, -1))) for count in (1000, 100_000))
    assert len(more) < 1.1 * len(many)
    assert "100,000 labels, 1 to 100,000 items each" in more


def test_nothing_in_a_label_is_markup() -> None:
    assert _cell("a|b\n<b>*x*</b>") == r"a\|b &lt;b&gt;\*x\*&lt;/b&gt;"
    assert [_cell(v) for v in (None, 1234, 0.25, 12345.6)] == ["", "1,234", "0.25", "12,346"]


def test_what_is_not_there_is_reported(workspace: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'emoji'"):
        likewise.describe("emojis")
    source = workspace / "one"
    source.mkdir()
    Image.new("RGB", (5, 5)).save(source / "a.png")
    likewise.add("one", source="folder", path=source)
    with pytest.raises(MissingArtefactError, match="dvc repro ingest@one"):
        likewise.describe("one")
    likewise.ingest("one")
    found = likewise.describe("one")
    assert found.labels == []
    assert "## Labels" not in found.to_markdown()
    assert found.to_reports() == [Path("reports/one.md")]
