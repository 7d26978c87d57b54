"""Names of splits: one vocabulary for folders, columns and files."""

from pathlib import Path

import polars as pl
import pytest

from layout_trees import checks, detail, facts, read, tree
from likewise.sources.split_names import (
    split_expr,
    split_of,
    split_of_file,
    split_of_folders,
    split_value_findings,
    split_values,
)

NAMES = {
    "train": ("train", "Train", "TRAIN", "training", "train2017", "train_mini", "Training Set"),
    "val": ("val", "valid", "validation", "Valid", "dev", "val2014", "valid_images"),
    "test": ("test", "testing", "TEST", "test-dev2017", "testset", "test1k"),
    None: ("trainval", "train_stations", "tests_of_time", "evening", "", "cat"),
}


@pytest.mark.parametrize("split", NAMES)
def test_a_name_is_that_of_a_split_as_a_whole(split: str | None) -> None:
    for name in NAMES[split]:
        assert split_of(name) == split, name
        frame = pl.DataFrame({"path": [f"a/{name}/b.jpg"], "split": [name]})
        assert frame.select(split_of_folders()).item() == split
        assert frame.select(split_expr(pl.col("split"))).item() == split
        assert frame.select(split_values()).item() == (split or name)


def test_usual_spellings_of_folders_come_first() -> None:
    frame = pl.DataFrame(
        {"path": ["dev/train/a.jpg", "Test/val2017/a.jpg", "test/train/a.jpg"]}
    )
    assert frame.select(split_of_folders()).to_series().to_list() == ["train", "val", "test"]


def test_values_that_are_replaced_are_reported() -> None:
    rows = pl.DataFrame(
        {
            ":where": [f"a.csv: line {n}" for n in range(2, 7)],
            "split": ["Training", "train", "dev", "fold1", "Training"],
        }
    )
    assert split_value_findings(rows) == [
        ("a.csv: line 2", "split-name", "2 rows have the split 'Training', read as train"),
        ("a.csv: line 4", "split-name", "1 row has the split 'dev', read as val"),
    ]


@pytest.mark.parametrize(
    ("path", "split", "is_sure"),
    [
        ("annotations/instances_train2017.json", "train", True),
        ("data/train-00000-of-00002.parquet", "train", True),
        ("lvis_v1_val.json", "val", True),
        ("image_info_test-dev2017.json", "test", True),
        ("valid/_annotations.coco.json", "val", True),
        ("train_stations.csv", "train", False),
        ("train_test_split.csv", None, False),
        ("dev_notes.csv", None, True),
        ("boxes.csv", None, True),
    ],
)
def test_a_part_of_a_file_name_leaves_a_doubt(
    path: str, split: str | None, is_sure: bool
) -> None:
    found = split_of_file(path)
    assert found.split == split
    assert (found.doubt == "") == is_sure


def test_first_folders_in_any_spelling_are_splits(tmp_path: Path) -> None:
    top = tree(tmp_path, {}, "Training/cat/1.jpg", "TEST/cat/1.jpg", "dev/dog/1.jpg")
    assert facts(read("folder", top), "split", "label") == {
        "Training/cat/1.jpg": ("train", "cat"),
        "dev/dog/1.jpg": ("val", "dog"),
        "TEST/cat/1.jpg": ("test", "cat"),
    }


def test_labels_begin_below_folders_around_all_images(tmp_path: Path) -> None:
    names = ["set-v3/data/train/cat/1.jpg", "set-v3/data/test/dog/1.jpg"]
    top = tree(tmp_path, {"set-v3/README.txt": "x"}, *names)
    reading = read("folder", top)
    expected = {names[0]: ("train", "cat"), names[1]: ("test", "dog")}
    assert facts(reading, "split", "label") == expected
    assert checks(reading) == ["not-an-image"]
    kept = read("folder", top, wrapping="keep")
    assert facts(kept, "label")[names[0]] == "set-v3/data/train/cat"


def test_an_archive_of_a_tree_with_lists_has_its_splits(tmp_path: Path) -> None:
    lists = {"food/meta/train.txt": "pie/1\npie/2\n", "food/meta/test.txt": "tea/3\ntea/9\n"}
    images = [f"food/images/{name}.jpg" for name in ("pie/1", "pie/2", "tea/3")]
    reading = read("folder", tree(tmp_path, lists, *images))
    assert list(facts(reading, "split", "label").values()) == [
        ("train", "pie"),
        ("train", "pie"),
        ("test", "tea"),
    ]
    assert checks(reading) == ["dangling"]


def test_classes_below_two_first_folders_are_a_finding(tmp_path: Path) -> None:
    top = tree(tmp_path, {}, "a/cat/1.jpg", "a/dog/1.jpg", "b/cat/1.jpg", "b/cat/2.jpg")
    reading = read("folder", top)
    assert checks(reading) == ["same-class"]
    assert "splits=yes" in detail(reading, "same-class")
    assert checks(read("folder", top, splits="no")) == []
    assert set(facts(read("folder", top, splits="yes"), "split").values()) == {"a", "b"}


def test_one_folder_of_all_images_is_a_doubtful_label(tmp_path: Path) -> None:
    reading = read("folder", tree(tmp_path, {}, "jpg/1.jpg", "jpg/2.jpg"))
    assert checks(reading) == ["one-label"]
    assert "root=jpg" in detail(reading, "one-label")


def test_labels_end_above_a_last_folder_images(tmp_path: Path) -> None:
    top = tree(tmp_path, {}, "train/n01/images/a.jpg", "train/n02/images/b.jpg")
    assert list(facts(read("folder", top), "label").values()) == ["n01", "n02"]
