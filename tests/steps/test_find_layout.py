"""``add`` without a layout finds it, and says what it read."""

from pathlib import Path

import pytest

import likewise
from forked import run
from layout_trees import tree
from likewise.errors import AmbiguousLayoutError, DataError
from likewise.sources.layout_hint import find_layout
from terminals import typed

LINE = "0 0.5 0.5 0.5 0.5\n"
COCO = {
    "images": [{"id": 1, "file_name": "1.jpg"}],
    "annotations": [{"image_id": 1, "category_id": 1, "bbox": [10, 5, 20, 10]}],
    "categories": [{"id": 1, "name": "cat"}],
}
VOC = (
    "<annotation><object><name>cat</name><bndbox><xmin>11</xmin><ymin>6</ymin>"
    "<xmax>30</xmax><ymax>15</ymax></bndbox></object></annotation>"
)
LABELME = {"shapes": [{"label": "cat", "points": [[1, 2], [9, 9]]}], "imagePath": "1.jpg"}
IMAGE = ("images/1.jpg",)
TREES: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "folder": ({}, ("Train/cat/1.jpg", "Test/dog/1.jpg")),
    "coco": ({"a.json": COCO}, IMAGE),
    "voc": ({"Annotations/1.xml": VOC}, ("JPEGImages/1.jpg",)),
    "yolo": ({"labels/1.txt": LINE, "classes.txt": "cat\n"}, IMAGE),
    "labelme": ({"images/1.json": LABELME}, IMAGE),
    "imagefolder": ({"train/metadata.csv": "file_name,label\n1.jpg,cat\n"}, ("train/1.jpg",)),
    "gpr1200": ({}, ("images/1_a.jpg", "images/2_b.jpg")),
    "sketch": ({}, ("trainA/1_1.png", "trainB/1.png")),
}


@pytest.mark.parametrize("kind", TREES)
def test_the_layout_that_reads_most_is_found(tmp_path: Path, kind: str) -> None:
    files, images = TREES[kind]
    assert find_layout(tree(tmp_path, files, *images), tmp_path).kind == kind


def both_layouts(top: Path) -> Path:
    """Make a tree that COCO and YOLO fit, and neither reads all that the other reads."""
    return tree(top, {**TREES["coco"][0], **TREES["yolo"][0]}, *IMAGE)


def test_two_layouts_that_fit_are_one_error(tmp_path: Path) -> None:
    top = both_layouts(tmp_path / "data")
    with pytest.raises(
        AmbiguousLayoutError, match=r"--source coco .* or --source yolo"
    ) as error:
        find_layout(top, top)
    assert error.value.kinds == ["coco", "yolo"]
    likewise.init(tmp_path / "catalogue")
    done = run(tmp_path / "catalogue", "likewise", "add", "cats", str(top))
    assert done.returncode == DataError.exit_code
    assert "several layouts fit" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        ("\nyolo\n", "data: 1 item, 1 label, 0 findings"),  # no answer: it asks again
        ("\x04", "Aborted"),  # the end of the input
    ],
)
def test_a_terminal_is_asked_which_of_two_layouts(
    tmp_path: Path, answers: str, shown: str
) -> None:
    top = both_layouts(tmp_path / "data")
    likewise.init(tmp_path / "catalogue")
    lines = typed(["add", str(top)], 200, folder=tmp_path / "catalogue", answers=answers)
    text = "\n".join(lines)
    assert "layout (coco, yolo): " in text
    assert shown in text
    assert "Traceback" not in text
    card = tmp_path / "catalogue" / "catalog" / "data.yaml"
    assert card.exists() == shown.startswith("data: ")
    if card.exists():
        assert f"kind: {answers.strip()}" in card.read_text("utf-8")


def test_a_place_without_images_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x", "utf-8")
    with pytest.raises(DataError, match=r"no layout fits: .*no image found"):
        find_layout(tmp_path, tmp_path)


def test_shards_are_suggested_only_for_tars(tmp_path: Path) -> None:
    top = tree(tmp_path, {"a.json": {"some": "text"}}, "a.jpg")
    with pytest.raises(DataError) as error:
        likewise.validate("coco", top)
    assert "--source folder" in str(error.value)
    assert "webdataset" not in str(error.value)


def test_an_error_names_what_a_layout_would_lose(tmp_path: Path) -> None:
    top = tree(tmp_path, TREES["labelme"][0], *IMAGE)
    with pytest.raises(DataError, match=r"folder \(1 item, 1 finding\) without label, box"):
        likewise.validate("coco", top)


def test_add_finds_name_and_layout(tmp_path: Path) -> None:
    top = tree(tmp_path / "Cats and Dogs-v2", {}, *TREES["folder"][1])
    likewise.init(tmp_path / "catalogue")
    done = run(tmp_path / "catalogue", "likewise", "add", str(top), "--models", "none")
    assert done.returncode == 0, done.stderr
    assert "layout: --source folder (2 items, 0 findings) with label, split" in done.stdout
    assert "splits: train 1, test 1" in done.stdout
    card = (tmp_path / "catalogue" / "catalog" / "cats_and_dogs_v2.yaml").read_text("utf-8")
    assert "kind: folder" in card
