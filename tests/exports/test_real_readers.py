"""Exports are opened by the programs that people use, not only by the sources."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from PIL import Image

import likewise
from catalogues import published
from layout_trees import picture, tree
from likewise.errors import DataError
from likewise.sources import SOURCES

LABELS = ["0002", "NA", "0002", "NA"]
SPLITS = ["train", "train", "val", "val"]
NAMES = ["images/a.jpg", "images/b.png", "images/c.jpg", "images/d.webp"]
STORED = [[4.0, 2.0, 10.0, 12.0], [0.0, 0.0, 20.0, 10.0]] * 2
UPRIGHT = [8.0, 4.0, 18.0, 10.0]
"""The first box, 4 to 10 of 40 by 2 to 12 of 20, in the picture that orientation 6 turns."""

OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}


def encoded(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(stream, kind)
    return stream.getvalue()


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a catalogue of four images of three formats with a box each; the first is turned."""
    top = tmp_path_factory.mktemp("mixed")
    corners = [",".join(map(str, box)) for box in STORED]
    rows = [",".join(row) for row in zip(NAMES, LABELS, SPLITS, corners, strict=True)]
    data = [picture(orientation=6), encoded("PNG"), picture(), encoded("WEBP")]
    table = "\n".join(["image,label,split,x1,y1,x2,y2", *rows])
    source = tree(top / "source", {"boxes.csv": table, **dict(zip(NAMES, data, strict=True))})
    return published(top / "catalogue", "mixed", "csv", source, "CC0-1.0")


def export(catalogue: Path, kind: str, folder: Path, **options: Any) -> Path:
    likewise.export("mixed", kind, folder, options=options, workspace=catalogue)
    return folder


def answer(program: str, *arguments: Path, home: Path) -> Any:
    """Run a program with its own libraries and without network; return the JSON it prints."""
    environment = {**os.environ, **OFFLINE, "HF_HOME": str(home)}
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_pycocotools_and_torchvision_read_coco(mixed: Path, tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    datasets = pytest.importorskip("torchvision.datasets")
    folder = export(mixed, "coco", tmp_path / "out")
    place = folder / "annotations" / "instances_train.json"
    index = coco.COCO(str(place))
    boxes = [entry["bbox"] for entry in index.loadAnns(index.getAnnIds())]
    assert boxes == [[4, 2, 6, 10], [0, 0, 20, 10]]
    names = [entry["name"] for entry in index.loadCats(index.getCatIds())]
    assert names == ["0002", "NA"]
    image, targets = datasets.CocoDetection(str(folder), str(place))[0]
    assert image.size == (40, 20)
    assert targets[0]["bbox"] == [4, 2, 6, 10]


def test_torchvision_reads_voc(mixed: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("torchvision.datasets")
    export(mixed, "voc", tmp_path / "out", year="2012")
    for split, names in (("train", NAMES[:2]), ("val", NAMES[2:]), ("trainval", NAMES)):
        found = datasets.VOCDetection(str(tmp_path / "out"), "2012", split)
        assert len(found) == len(names)
        image, target = found[1]
        assert image.size == (40, 20)
        assert target["annotation"]["object"][0]["name"] == "NA"


def test_a_data_yaml_works_from_any_working_directory(mixed: Path, tmp_path: Path) -> None:
    folder = export(mixed, "yolo", tmp_path / "out")
    data = yaml.safe_load((folder / "data.yaml").read_text("utf-8"))
    assert "path" not in data
    assert (data["train"], data["val"]) == ("train.txt", "val.txt")
    listed = (folder / data["train"]).read_text("utf-8").split()
    assert all((folder / name).is_file() for name in listed)
    values = (folder / "labels" / "a.txt").read_text("utf-8").split()
    centre = [(8 + 18) / 2 / 20, (4 + 10) / 2 / 40, 10 / 20, 6 / 40]
    assert list(map(float, values)) == [0.0, *map(pytest.approx, centre)]
    alone = tmp_path / "alone"
    likewise.export("mixed", "yolo", alone, where="split = 'train'", workspace=mixed)
    data = yaml.safe_load((alone / "data.yaml").read_text("utf-8"))
    assert (data["train"], data["val"]) == ("train.txt", "train.txt")
    source = SOURCES.build({"kind": "yolo"}, "card")
    reading = source.read(source.open(alone), alone)
    assert reading.orientation == "upright"
    assert set(reading.items["split"]) == {"train"}
    assert reading.findings.is_empty()


DATASETS = """
import json, sys
from datasets import load_dataset
shards = load_dataset("webdataset", data_files={"train": sys.argv[1] + "/train-*.tar"},
                      cache_dir=sys.argv[3])["train"]
rows = load_dataset(sys.argv[2], cache_dir=sys.argv[3])
print(json.dumps({
    "shards": [[row["jpg"].size, row["json"]["id"], row["json"]["boxes"][0]["label"]]
               for row in shards],
    "sizes": {split: [row["image"].size for row in part] for split, part in rows.items()},
    "boxes": [row["objects"][0]["bbox"] for row in rows["train"]],
    "heights": [row["height"] for row in rows["train"]],
}))
"""


def test_datasets_reads_shards_and_turned_images(mixed: Path, tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    shards = export(mixed, "webdataset", tmp_path / "shards")
    folder = export(mixed, "huggingface", tmp_path / "hub")
    found = answer(DATASETS, shards, folder, tmp_path / "cache", home=tmp_path / "home")
    # The library turns pictures, so its boxes must be upright too.
    assert found["shards"] == [[[20, 40], NAMES[0], "0002"], [[40, 20], NAMES[1], "NA"]]
    assert found["sizes"] == {
        "train": [[20, 40], [40, 20]],
        "validation": [[40, 20], [40, 20]],
    }
    x1, y1, x2, y2 = UPRIGHT
    assert found["boxes"] == [[x1, y1, x2 - x1, y2 - y1], [0, 0, 20, 10]]
    assert found["heights"] == [40, 20]
    source = SOURCES.build({"kind": "parquet"}, "card")
    assert source.read(source.open(folder), folder).orientation == "upright"


CROISSANT = """
import json, sys
import mlcroissant
records = mlcroissant.Dataset(jsonld=sys.argv[1] + "/croissant.json").records("items")
print(json.dumps([row["items/label"].decode() for row in records]))
"""


def test_mlcroissant_keeps_types(mixed: Path, tmp_path: Path) -> None:
    pytest.importorskip("mlcroissant")
    folder = export(mixed, "croissant", tmp_path / "out")
    assert answer(CROISSANT, folder, home=tmp_path / "home") == LABELS


RESIZE = {"kind": "resize", "side": 10, "edge": "both"}
STEPS: dict[str, tuple[list[dict[str, Any]], list[list[float]]]] = {
    "resize": ([RESIZE], [[1, 1, 2.5, 6], [0, 0, 5, 5], [1, 1, 2.5, 6], [0, 0, 5, 5]]),
    "crop": (
        [{"kind": "crop", "side": 20}],
        [[0, 0, 10, 10]] * 2,
    ),
    "letterbox": (
        [{"kind": "letterbox", "side": 40}],
        [[4, 12, 10, 22], [0, 10, 20, 20], [4, 12, 10, 22], [0, 10, 20, 20]],
    ),
}
"""Steps -> the boxes of the items that remain; a crop cuts two of them off."""


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("kind", ["csv", "coco", "voc", "yolo", "parquet", "webdataset"])
def test_boxes_are_transformed_with_images(
    mixed: Path, tmp_path: Path, name: str, kind: str
) -> None:
    steps, expected = STEPS[name]
    folder = tmp_path / "out"
    done = likewise.export("mixed", kind, folder, options={"transform": steps}, workspace=mixed)
    assert done.reasons() == ({"box-outside": 2} if name == "crop" else {})
    source = SOURCES.build({"kind": kind}, "card")
    reading = source.read(source.open(folder), folder)
    boxes = pl.DataFrame({"box": reading.items["box"].arr.to_list()})
    scale = steps[0]["side"] if reading.box_unit == "fractions" else 1
    found = [[corner * scale for corner in box] for box in boxes["box"].drop_nulls()]
    assert sorted(found) == [pytest.approx(box) for box in sorted(expected)]


def test_arrays_are_npy_files(mixed: Path, tmp_path: Path) -> None:
    steps = [RESIZE, {"kind": "normalise"}]
    folder = export(mixed, "csv", tmp_path / "out", transform=steps)
    array = np.load(folder / "images" / "b.npy")
    assert (array.shape, array.dtype) == ((3, 10, 10), np.float32)
    assert "images/b.npy" in (folder / "items.csv").read_text("utf-8")
    with pytest.raises(DataError, match="leave out normalise"):
        export(mixed, "coco", tmp_path / "other", transform=steps)
