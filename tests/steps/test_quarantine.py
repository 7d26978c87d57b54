"""Ingest skips incomplete images, and changes no byte of the others."""

import io
import shutil
import struct
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

import likewise
from likewise.errors import DataError

SAMPLES = Path(__file__).parents[2] / "samples" / "emoji"


BMP_OF_154_BYTES = (
    b"BM" + struct.pack("<IHHIIiiHHIIiiII", 154, 0, 0, 54, 40, 10**8, 1, 1, 24, *[0] * 6)
) + bytes(100)
"""An image of 100,000,000 x 1 pixels."""


def digests(root: Path) -> dict[str, bytes]:
    """Return the digest files of all outputs of ingest."""
    folder = root / "catalog" / "emoji" / "columns"
    names = ("images.yaml", "items.yaml", "findings.yaml")
    return {name: (folder / name).read_bytes() for name in names}


def png(size: tuple[int, int], mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def faulty(workspace: Path) -> Path:
    """Add ten files to the source that are not images or have no category."""
    whole = (SAMPLES / "images" / "1_noto.jpg").read_bytes()
    for name, data in {
        "0_empty.jpg": b"",
        "0_text.jpg": b"This is not an image.\n",
        "0_cut.jpg": whole[: len(whole) // 2],
        "0_head.jpg": whole[:30],
        "0_cut.png": png((64, 64))[:-20],
        "0_bomb.png": png((20_000, 10_000), "1"),
        "0_wide.bmp": BMP_OF_154_BYTES,
        "tower.jpg": whole,
        "007_bond.jpg": whole,
        "notes.txt": b"read me",
    }.items():
        (workspace / "emoji" / "images" / name).write_bytes(data)
    return workspace


def test_what_is_not_a_complete_image_is_set_aside(faulty: Path) -> None:
    before = digests(faulty)["items.yaml"]
    result = likewise.ingest("emoji", workspace=faulty)
    assert result.findings == {
        "bad-name": 2,
        "empty": 1,
        "not-an-image": 2,
        "too-large": 2,
        "truncated": 3,
    }
    assert (result.items, result.read, result.kept) == (24, 0, 24)
    assert digests(faulty)["items.yaml"] == before
    found = likewise.query("SELECT * FROM emoji_findings ORDER BY finding_id", workspace=faulty)
    assert found["finding_id"].to_list() == [
        "bad-name: 007_bond.jpg",
        "bad-name: tower.jpg",
        "empty: 0_empty.jpg",
        "not-an-image: 0_text.jpg",
        "not-an-image: notes.txt",
        "too-large: 0_bomb.png",
        "too-large: 0_wide.bmp",
        "truncated: 0_cut.jpg",
        "truncated: 0_cut.png",
        "truncated: 0_head.jpg",
    ]
    why = dict(found.frame.select("path", "detail").iter_rows())
    assert why["0_bomb.png"].startswith("20,000 x 10,000 pixels; at most 178,956,970")
    assert why["0_empty.jpg"] == "the file has 0 bytes"


def test_strict_lets_any_finding_stop_it(faulty: Path) -> None:
    before = digests(faulty)
    message = r"^emoji: 10 findings, but --strict allows none: bad-name: 007_bond\.jpg, .* and"
    with pytest.raises(DataError, match=message):
        likewise.ingest("emoji", strict=True, workspace=faulty)
    assert digests(faulty) == before
    assert likewise.ingest("emoji", workspace=faulty).kept == 24


def test_a_file_that_was_mended_is_an_item_again(faulty: Path) -> None:
    likewise.ingest("emoji", workspace=faulty)
    shutil.copy(SAMPLES / "images" / "1_noto.jpg", faulty / "emoji" / "images" / "0_cut.jpg")
    result = likewise.ingest("emoji", workspace=faulty)
    assert (result.items, result.read, result.findings["truncated"]) == (25, 1, 2)


def test_a_file_that_broke_leaves_the_tables(workspace: Path) -> None:
    (workspace / "emoji" / "images" / "0_noto.jpg").write_bytes(b"")
    result = likewise.ingest("emoji", workspace=workspace)
    assert (result.items, result.images, result.removed) == (23, 23, 1)
    assert result.findings == {"empty": 1}


def test_what_the_card_excludes_is_neither_item_nor_finding(faulty: Path) -> None:
    card = faulty / "catalog" / "emoji.yaml"
    left_out = "exclude: [0_empty.jpg, 0_text.jpg, 0_noto.jpg]"
    text = card.read_text("utf-8").replace("kind: gpr1200", f"kind: gpr1200, {left_out}")
    card.write_text(text, "utf-8")
    result = likewise.ingest("emoji", workspace=faulty)
    assert (result.items, result.removed) == (23, 1)
    assert result.findings == {"bad-name": 2, "not-an-image": 1, "too-large": 2, "truncated": 3}
    images = likewise.query("SELECT image_id FROM emoji_images", workspace=faulty)
    assert "0_noto.jpg" not in images["image_id"]


def test_a_source_of_nothing_but_faults_is_refused(workspace: Path) -> None:
    before = digests(workspace)
    for path in (workspace / "emoji" / "images").iterdir():
        path.write_bytes(b"?")
    said = r"^emoji: no file of the source is a complete image: not-an-image: 0_fluent\.jpg, "
    with pytest.raises(DataError, match=said):
        likewise.ingest("emoji", workspace=workspace)
    assert digests(workspace) == before


def test_a_turned_picture_is_recorded_and_left_as_it_is(workspace: Path) -> None:
    picture = Image.new("RGB", (40, 20), "red")
    exif = Image.Exif()
    exif[0x0112] = 6
    path = workspace / "emoji" / "images" / "0_turned.jpg"
    picture.save(path, exif=exif)
    likewise.ingest("emoji", workspace=workspace)
    likewise.embed("emoji", "tiny", workspace=workspace)
    likewise.publish("emoji", workspace=workspace)
    dataset = likewise.open("emoji", workspace=workspace)
    row = dataset.items.row(by_predicate=pl.col("item_id") == path.name, named=True)
    assert (row["width"], row["height"], row["orientation"]) == (40, 20, 6)
    assert dataset.images([path.name], encoded=True) == [path.read_bytes()]
    assert dataset.images([path.name])[0].size == (40, 20)
