"""VOC, COCO, YOLO and CSV files of equal boxes are read as equal items."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import likewise
from likewise.errors import DataError
from likewise.sources import SOURCES
from likewise.sources.base import SourceResult
from likewise.storage import tables

SETS = {"cards": (160, 311), "bccd": (100, 1309)}
"""Numbers of photos and boxes, as in the README of the data."""

KINDS = {
    # the other layouts were derived from its numbers without changes
    "voc": {"corners": "half-open"},
    "coco": {},
    "yolo": {},
    "csv": {},
}


def read(kind: str, path: Path, **options: object) -> SourceResult:
    source = SOURCES.build({"kind": kind, **options}, "card")
    return source.read(source.open(path), path)


def catalogue(root: Path, path: Path) -> None:
    (root / "catalog").mkdir(parents=True)
    entries = []
    for kind, options in KINDS.items():
        entries.append(f"  {kind}: {{path: {path}, annotations: {path}}}")
        card = {"title": kind, "source": {"kind": kind, **options}}
        (root / "catalog" / f"{kind}.yaml").write_text(json.dumps(card), encoding="utf-8")
    text = "\n".join(["datasets:", *entries, ""])
    (root / "params.yaml").write_text(text, encoding="utf-8")


def ingested(root: Path, kind: str, table: str) -> pl.DataFrame:
    dataset = tables.open_table(root / "catalog" / kind / f"{table}.lance", "")
    return dataset.read(dataset.schema.names)


@pytest.mark.parametrize("name", SETS)
def test_four_formats_are_one_data_set(shared_data: Path, tmp_path: Path, name: str) -> None:
    photos, boxes = SETS[name]
    catalogue(tmp_path, shared_data / "boxes_labels" / name)
    frames = {}
    for kind in KINDS:
        done = likewise.ingest(kind, workspace=tmp_path)
        assert (done.images, done.items, done.findings) == (photos, boxes, {})
        frames[kind] = ingested(tmp_path, kind, "items")
    voc = frames["voc"]
    counts = {"cards": {"train": 229, "test": 82}, "bccd": {"train": 967, "test": 342}}
    assert dict(voc.group_by("split").len().iter_rows()) == counts[name]
    for kind in ("coco", "csv"):
        for column in ("item_id", "image_id", "label", "split", "box", "content"):
            assert frames[kind][column].equals(voc[column]), (kind, column)
    yolo = voc.select("item_id").join(frames["yolo"], on="item_id", maintain_order="left")
    assert yolo["label"].equals(voc["label"])
    # Six decimals of a fraction, in an image of at most 960 pixels.
    assert np.abs(yolo["box"].to_numpy() - voc["box"].to_numpy()).max() <= 960 * 1e-6 + 0.005
    assert (yolo["box"].to_numpy() == voc["box"].to_numpy()).mean() > 0.99


def test_vocs_own_corners_count_from_one(shared_data: Path) -> None:
    path = shared_data / "boxes_labels" / "bccd"
    one_based, half_open = read("voc", path), read("voc", path, corners="half-open")
    shift = half_open.items["box"].to_numpy() - one_based.items["box"].to_numpy()
    assert (shift == [1, 1, 0, 0]).all()
    # In these annotations the smallest corner is 1 and the largest the size, as in VOC.
    corners = one_based.items["box"].to_numpy()
    assert corners.min() == 0
    assert corners[:, 2].max() == 640
    assert corners[:, 3].max() == 480


def test_annotations_may_be_elsewhere(shared_data: Path) -> None:
    cards = shared_data / "boxes_labels" / "cards"
    whole = read("coco", cards)
    source = SOURCES.build({"kind": "coco"}, "card")
    files = source.open(cards / "JPEGImages")
    one = source.read(files, cards / "coco" / "instances_test.json")
    assert one.items["box"].is_not_null().sum() == 82
    assert len(one.items) == 82 + 120  # the images of train remain, without boxes
    listed = SOURCES.build({"kind": "coco", "unlisted": "drop"}, "card")
    assert len(listed.read(files, cards / "coco" / "instances_test.json").items) == 82
    assert len(whole.items) == 311
    with pytest.raises(DataError, match="does not exist"):
        source.read(files, cards / "coc")


def test_further_columns_are_typed_and_explained(shared_data: Path) -> None:
    cards = shared_data / "boxes_labels" / "cards"
    voc = read("voc", cards)
    assert [c.name for c in voc.extra_columns] == ["pose", "truncated", "difficult", "occluded"]
    assert voc.items.schema["truncated"] == pl.Boolean
    assert voc.items["pose"].unique().to_list() == ["Unspecified"]
    coco = read("coco", cards).items
    assert coco["supercategory"].unique().to_list() == ["cards"]
    assert coco["area"][0] == 131 * 165
