import csv
import io
import shutil
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import likewise
from likewise.formats.array_writer import NpzWriter, open_npy

FOOD = Path(__file__).parents[2] / "samples" / "food"
KEYS = ["X_train", "y_train", "train_id", "X_val", "y_val", "val_id"]


def original(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Apply the program's steps in Pillow: shorter edge 256, other rounded down, crop 224."""
    with Image.open(io.BytesIO(data)) as opened:
        picture = opened.convert("RGB")
    width, height = picture.size
    size = (
        (256, int(256 * height / width))
        if width <= height
        else (int(256 * width / height), 256)
    )
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    left, top = round((size[0] - 224) / 2.0), round((size[1] - 224) / 2.0)
    return np.asarray(picture.crop((left, top, left + 224, top + 224)))


def catalogue(root: Path, tree: Path) -> None:
    """Make a published data set ``food`` of the tree in ``root``."""
    (root / "catalog").mkdir(parents=True)
    (root / "params.yaml").write_text(
        f"datasets:\n  food: {{path: {tree}, annotations: {tree}}}\n", "utf-8"
    )
    card = "title: Food\nsource: {kind: folder}\nlicence: {spdx: MIT}\n"
    (root / "catalog" / "food.yaml").write_text(card, "utf-8")
    likewise.ingest("food", workspace=root)
    likewise.publish("food", workspace=root)


@pytest.fixture
def food(tmp_path: Path) -> tuple[Path, Path]:
    """Make a tree of drawings with unusual files among them, and a catalogue of it."""
    tree = tmp_path / "tree"
    shutil.copytree(FOOD, tree)
    with Image.open(next((tree / "train" / "drink").glob("*.png"))) as opened:
        picture = opened.convert("RGB")
    picture.resize((700, 301)).save(tree / "train" / "drink" / "wide.jpg")
    picture.resize((301, 700)).convert("CMYK").save(tree / "val" / "drink" / "tall.jpg")
    picture.resize((37, 53)).convert("L").save(tree / "train" / "fruit" / "tiny.jpg")
    catalogue(tmp_path / "catalogue", tree)
    return tree, tmp_path / "catalogue"


def test_the_arrays_are_those_of_the_program(food: tuple[Path, Path], tmp_path: Path) -> None:
    tree, root = food
    done = likewise.export("food", "imagenet-npz", tmp_path / "out", workspace=root)
    tested = [p for p in (tree / "test").rglob("*") if p.is_file()]
    assert done.reasons() == {"other-split": len(tested)}
    with np.load(tmp_path / "out" / "food_cls.npz", allow_pickle=False) as held:
        assert list(held) == KEYS
        arrays = {name: held[name] for name in KEYS}
    for split in ("train", "val"):
        paths = sorted(p for p in (tree / split).rglob("*") if p.is_file())
        labels = sorted({p.parent.name for p in (tree / "train").rglob("*.png")})
        x, y = arrays[f"X_{split}"], arrays[f"y_{split}"]
        assert x.dtype == np.uint8
        assert y.dtype == arrays[f"{split}_id"].dtype == np.int32
        assert x.shape == (len(paths), 224, 224, 3)
        for row, path in enumerate(paths):
            assert np.array_equal(x[row], original(path.read_bytes())), path
        assert y.tolist() == [labels.index(p.parent.name) for p in paths]
        assert arrays[f"{split}_id"].tolist() == list(range(1, len(paths) + 1))


@pytest.mark.torch
def test_a_row_is_what_torchvision_makes(food: tuple[Path, Path]) -> None:
    from torchvision import transforms

    steps = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])
    tree, _ = food
    for path in [*tree.rglob("*.jpg"), *list(tree.rglob("*.png"))[:5]]:
        with Image.open(path) as opened:
            expected = np.asarray(steps(opened.convert("RGB")))
        assert np.array_equal(expected, original(path.read_bytes()))


def test_metadata_has_both_headers(food: tuple[Path, Path], tmp_path: Path) -> None:
    _, root = food
    options = {"classes": ["sweet", "drink"]}
    likewise.export("food", "imagenet-npz", tmp_path / "out", options=options, workspace=root)
    text = (tmp_path / "out" / "food_cls_metadata.csv").read_bytes()
    assert text.startswith(b"subset_label,original_id,WNID,human_label,original_label,name,")
    assert text.endswith(b"\r\n")
    rows = list(csv.DictReader(io.StringIO(text.decode(), newline="")))
    assert [(r["subset_label"], r["WNID"]) for r in rows] == [("0", "sweet"), ("1", "drink")]
    with np.load(tmp_path / "out" / "food_cls.npz") as held:
        counts = np.bincount(held["y_train"]).tolist()
    assert [int(r["num_train_images"]) for r in rows] == counts
    with pytest.raises(likewise.DataError, match="no item has the label n0"):
        likewise.export(
            "food", "imagenet-npz", tmp_path / "x", options={"classes": ["n0"]}, workspace=root
        )


def test_one_bad_image_is_a_finding(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(FOOD, tree)
    # Its checksums are right, so ingest accepts it, but its pixels cannot be decoded.
    head = struct.pack(">2I5B", 300, 300, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", b"no zlib stream"), (b"IEND", b""))
    (tree / "train" / "drink" / "broken.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data))
            + kind
            + data
            + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )
    )
    catalogue(tmp_path / "catalogue", tree)
    done = likewise.export(
        "food", "imagenet-npz", tmp_path / "out", workspace=tmp_path / "catalogue"
    )
    ((item, check, _),) = [row for row in done.left_out if row[1] != "other-split"]
    assert (item, check) == ("train/drink/broken.png", "unreadable")
    npz = tmp_path / "out" / "food_cls.npz"
    with zipfile.ZipFile(npz) as archive:
        assert archive.testzip() is None
    with np.load(npz) as held:
        rows = len(list((tree / "train").rglob("*.png")))
        assert len(held["X_train"]) == len(held["y_train"]) == len(held["train_id"]) == rows - 1
        # The ids are those of the items, so the missing item leaves a gap.
        assert len(set(range(1, rows + 1)) - set(held["train_id"].tolist())) == 1


def test_a_data_set_without_these_splits(workspace: Path) -> None:
    done = likewise.export("emoji", "imagenet-npz", workspace / "out")
    with np.load(workspace / "out" / "emoji_cls.npz") as held:
        assert held["X_train"].shape == (24, 224, 224, 3)
        assert held["X_val"].shape == (0, 224, 224, 3)
    assert done.items == 24


def test_a_data_set_without_labels(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for path in list(FOOD.rglob("*.png"))[:2]:
        shutil.copy(path, tree)
    catalogue(tmp_path / "catalogue", tree)
    with pytest.raises(likewise.DataError, match="set the splits with the options"):
        likewise.export(
            "food", "imagenet-npz", tmp_path / "x", workspace=tmp_path / "catalogue"
        )


@pytest.mark.parametrize("counts", [(), (1,), (3, 4), (5, 0, 250)])
def test_arrays_that_grow(tmp_path: Path, counts: tuple[int, ...]) -> None:
    rng = np.random.default_rng(7)
    parts = [rng.integers(0, 256, (n, 5, 3), dtype=np.uint8) for n in counts]
    expected = np.concatenate([np.empty((0, 5, 3), np.uint8), *parts])
    with NpzWriter.create(tmp_path / "a.npz") as out:
        for name in ("a", "b"):
            with out.member(name, (5, 3), np.uint8) as member:
                for part in parts:
                    member.append(part)
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert archive.testzip() is None
    with np.load(tmp_path / "a.npz") as held:
        assert np.array_equal(held["a"], expected)
        assert np.array_equal(held["b"], expected)
    with open_npy(tmp_path / "a.npy", (5, 3), np.uint8) as rows:
        for part in parts:
            rows.append(part)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    assert np.array_equal(mapped, expected)


def test_imagenet_keeps_its_own_numbers(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "imagenet_like"
    root = tmp_path / "catalogue"
    (root / "catalog").mkdir(parents=True)
    (root / "params.yaml").write_text(
        f"datasets:\n  few: {{path: {source}, annotations: {source}}}\n", "utf-8"
    )
    card = "title: Few\nsource: {kind: imagenet}\nlicence: {spdx: MIT}\n"
    (root / "catalog" / "few.yaml").write_text(card, "utf-8")
    likewise.ingest("few", workspace=root)
    likewise.publish("few", workspace=root)
    items = likewise.open("few", workspace=root).items
    done = likewise.export("few", "imagenet-npz", tmp_path / "out", workspace=root)
    assert done.left_out == []
    with np.load(tmp_path / "out" / "few_cls.npz") as held:
        for split in ("train", "val"):
            rows = items.filter(split=split)
            assert held[f"y_{split}"].tolist() == rows["class_index"].to_list()
            assert held[f"{split}_id"].tolist() == rows["list_id"].to_list()
            for at in (0, -1):
                path = source / rows["image_id"][at]
                assert np.array_equal(held[f"X_{split}"][at], original(path.read_bytes()))
    with (tmp_path / "out" / "few_cls_metadata.csv").open(newline="", encoding="utf-8") as file:
        rows_of_classes = list(csv.DictReader(file))
    assert [int(row["subset_label"]) for row in rows_of_classes] == list(range(35))
    first = rows_of_classes[0]
    assert first["WNID"] == items.filter(class_index=0)["label"][0]
    assert first["human_label"] == items.filter(class_index=0)["text"][0]
