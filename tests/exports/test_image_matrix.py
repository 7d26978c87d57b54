import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import likewise
from catalogues import published
from likewise.errors import DataError
from likewise.exports.compcars_pairs import CompCarsPairs
from likewise.imaging.decode import decode
from likewise.imaging.transforms.letterbox import Letterbox

SIZES = (70, 64, 90, 20, 60)
"""Numbers of images of five classes, for which the original program printed its counts."""


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_counts_of_the_originals_example(tmp_path: Path) -> None:
    classes = [number for number, size in enumerate(SIZES) for _ in range(size)]
    CompCarsPairs().write(classes, tmp_path)
    train = np.load(tmp_path / "train.npy")
    assert train.dtype == np.int64
    assert train.shape == (7737, 6)  # of 60, 55, 78, 18, 52 images: n (n - 1) / 2 each
    assert np.load(tmp_path / "train_class.npy").shape == (263, 2)
    valid = np.load(tmp_path / "valid.npy")
    assert valid.shape == (78, 3)
    assert np.load(tmp_path / "valid_for_test.npy").shape == (39, 2)  # 10 + 9 + 12 + 8
    assert json.loads((tmp_path / "cutted_class.json").read_text("utf-8")) == [3]
    members = json.loads((tmp_path / "model_num.json").read_text("utf-8"))
    assert {int(c): len(rows) for c, rows in members.items()} == dict(enumerate(SIZES))

    label = np.array(classes)
    held = {row for rows in members.values() for row in rows[: len(rows) // 7]}
    assert (label[train[:, 0]] == label[train[:, 1]]).all()
    assert (label[train[:, 2:]] != label[train[:, :1]]).all()
    assert not held & set(train.ravel().tolist())
    assert all(len(set(row)) == 6 for row in train.tolist())
    # Each is drawn uniformly: every candidate can be drawn, and so can the last image.
    assert len(set(train[:, 2:].ravel().tolist())) == 263
    assert (valid[::2, 2] == 1).all()
    assert (valid[1::2, 2] == 0).all()
    assert (label[valid[:, 0]] == label[valid[:, 1]]).tolist() == (valid[:, 2] == 1).tolist()


def test_the_original_never_draws_the_last_image(tmp_path: Path) -> None:
    classes = [number for number, size in enumerate(SIZES) for _ in range(size)]
    CompCarsPairs(original_bugs=True, skip=3).write(classes, tmp_path)
    train = np.load(tmp_path / "train.npy")
    assert len(train) == sum(
        (n - 1 - at + 2) // 3 for n in (60, 55, 78, 18, 52) for at in range(n)
    )
    assert sum(SIZES) - 1 not in train[:, 2:]


def test_too_few_images_for_negatives(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="class 0: only 2 images of other classes"):
        CompCarsPairs().write([0, 0, 0, 1, 1], tmp_path)
    CompCarsPairs(negatives=2).write([0, 0, 0, 1, 1], tmp_path)
    assert sorted(np.load(tmp_path / "train.npy")[:, 2:].tolist()[0]) == [3, 4]


def test_a_matrix_of_any_data_set(workspace: Path) -> None:
    options = {"whole": True, "side": 64, "min_images": 4, "ratio": 2}
    done = likewise.export("emoji", "image-matrix", workspace / "out", options=options)
    assert done.left_out == []
    matrix = np.load(workspace / "out" / "indexinfo.npy", mmap_mode="r")
    assert matrix.dtype == np.uint8
    assert matrix.shape == (24, 3, 64, 64)
    rows = rows_of(workspace / "out" / "indexinfo.csv")
    assert list(rows[0]) == ["Path", "Index", "Class"]
    assert [int(row["Index"]) for row in rows] == list(range(24))
    assert Counter(int(row["Class"]) for row in rows) == dict.fromkeys(range(0, 1200, 200), 4)
    for row, planes in zip(rows, matrix, strict=True):
        picture = decode((workspace / "emoji" / "images" / row["Path"]).read_bytes())
        expected = Letterbox(side=64).pixels(picture)
        assert np.array_equal(planes.transpose(1, 2, 0), expected)
    assert len(np.load(workspace / "out" / "valid.npy")) == 2 * 6 * 2
    unified = workspace / "unified"
    likewise.export(
        "emoji", "image-matrix", unified, options={"unify": True, "training": False}
    )
    assert {int(row["Class"]) for row in rows_of(unified / "indexinfo.csv")} == set(range(6))
    assert not (unified / "train.npy").exists()


@pytest.fixture(scope="session")
def cars(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    source = shared_data / "compcars_like"
    return published(tmp_path_factory.mktemp("cars"), "cars", "compcars", source, "MIT")


def test_lists_go_out_as_json(cars: Path, tmp_path: Path) -> None:
    items = likewise.open("cars", workspace=cars).items
    assert items.schema["pairs"] == pl.List(pl.String)
    for kind in ("csv", "parquet", "webdataset"):
        done = likewise.export("cars", kind, tmp_path / kind, workspace=cars)
        assert done.items == len(items)
    table = rows_of(tmp_path / "csv" / "items.csv")
    told = [json.loads(row["pairs"]) if row["pairs"] else None for row in table]
    assert told == items["pairs"].to_list()


def test_cars_become_the_files_of_the_pipeline(cars: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = {"side": 32, "min_images": 8}
    done = likewise.export("cars", "image-matrix", out, options=options, workspace=cars)
    items = likewise.open("cars", workspace=cars).items
    # A car seen from its side, or from an unknown viewpoint, is in neither list.
    kept = pl.col("viewpoint").is_in(["front", "front-side", "rear", "rear-side"])
    aside = items.filter(pl.col("subset") == "web", ~kept.fill_null(value=False))
    assert [row[:2] for row in done.left_out] == [(i, "other-view") for i in aside["item_id"]]
    assert done.items == len(items) - len(aside) > 0
    names = ("car_front", "car_rear", "tindexinfo")
    lists = {name: rows_of(out / f"{name}.csv") for name in names}
    for name, rows in lists.items():
        matrix = np.load(out / f"{name}.npy", mmap_mode="r")
        assert matrix.shape == (len(rows), 3, 32, 32)
        assert [int(row["Index"]) for row in rows] == list(range(len(rows)))
    views = Counter(items["viewpoint"])
    front = [row["View Point"] for row in lists["car_front"]]
    assert front == ["1"] * views["front"] + ["4"] * views["front-side"]
    rear = [row["View Point"] for row in lists["car_rear"]]
    assert rear == ["2"] * views["rear"] + ["5"] * views["rear-side"]
    first = lists["car_front"][0]
    assert list(first) == [
        "Path",
        "FileName",
        "View Point",
        "Year",
        "CarMake",
        "Class",
        "Index",
    ]
    make, model, year, name = first["Path"].split("/")
    assert (make, model, year) == (first["CarMake"], first["Class"], first["Year"])
    assert name == first["FileName"] + ".jpg"
    assert len(lists["tindexinfo"]) == items.filter(subset="sv").height
    test = np.load(out / "test.npy")
    told = [[int(row["Index"]), int(row["Class"])] for row in lists["tindexinfo"]]
    assert test.dtype == np.int64
    assert test.tolist() == told
    for name in ("train", "train_class", "valid", "valid_for_test"):
        assert len(np.load(out / f"{name}.npy"))
