"""Folders as labels, and as splits if their names are those of splits."""

import os
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise.errors import ConfigError, DataError
from likewise.formats.archives import open_files
from likewise.sources import SOURCES
from likewise.sources.base import SourceResult

ABOUT_FOLDERS = ["one-label", "same-class", "split-folders"]
Row = tuple[str | None, str | None, str]


def placed(top: Path, *names: str) -> Path:
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(name.encode())
    return top


def read(path: Path, **options: object) -> SourceResult:
    return SOURCES.build({"kind": "folder", **options}, "card").read(open_files(path), path)


def rows(reading: SourceResult) -> list[Row]:
    return list(reading.items.select("split", "label", "image_id").iter_rows())


def test_a_folder_is_a_label(tmp_path: Path) -> None:
    names = ["dog/2.jpg", "dog/10.JPG", "cat/tabby/1.png", "cat/1.webp", "\u00e4/1.jpg"]
    reading = read(placed(tmp_path, *names))
    assert rows(reading) == [
        (None, "cat", "cat/1.webp"),
        (None, "cat/tabby", "cat/tabby/1.png"),
        (None, "dog", "dog/10.JPG"),
        (None, "dog", "dog/2.jpg"),
        (None, "\u00e4", "\u00e4/1.jpg"),
    ]
    for column in ("text", "subset", "role", "box"):
        assert reading.items[column].null_count() == 5
    assert reading.items["item_id"].equals(reading.items["image_id"])


def test_a_flat_folder_has_no_labels(tmp_path: Path) -> None:
    assert rows(read(placed(tmp_path, "b.jpg", "a.jpg"))) == [
        (None, None, "a.jpg"),
        (None, None, "b.jpg"),
    ]


def test_first_folders_that_all_name_splits_are_splits(tmp_path: Path) -> None:
    names = [
        "test/a/1.jpg",
        "val/b.jpg",
        "validation/a/2.jpg",
        "train/z/1.jpg",
        "train/a/b/1.jpg",
    ]
    reading = read(placed(tmp_path, *names, "top.jpg", "LICENSE"))
    assert rows(reading) == [
        ("train", "a/b", "train/a/b/1.jpg"),
        ("train", "z", "train/z/1.jpg"),
        ("val", "a", "validation/a/2.jpg"),
        ("val", None, "val/b.jpg"),
        ("test", "a", "test/a/1.jpg"),
        (None, None, "top.jpg"),
    ]
    assert reading.findings["finding_id"].to_list() == ["not-an-image: LICENSE"]


def test_one_other_folder_makes_all_of_them_labels(tmp_path: Path) -> None:
    top = placed(tmp_path, "train/a/1.jpg", "test/1.jpg", "zebra/1.jpg")
    assert [label for _, label, _ in rows(read(top))] == ["test", "train/a", "zebra"]
    assert rows(read(top, splits="yes")) == [
        ("train", "a", "train/a/1.jpg"),
        ("test", None, "test/1.jpg"),
        ("zebra", None, "zebra/1.jpg"),
    ]


def test_split_names_may_be_labels(tmp_path: Path) -> None:
    top = placed(tmp_path, "train/1.jpg", "test/1.jpg")
    assert rows(read(top)) == [("train", None, "train/1.jpg"), ("test", None, "test/1.jpg")]
    assert rows(read(top, splits="no")) == [
        (None, "test", "test/1.jpg"),
        (None, "train", "train/1.jpg"),
    ]
    with pytest.raises(ConfigError, match="splits: Input should be"):
        read(top, splits="maybe")


def test_a_folder_without_images_says_no_split(tmp_path: Path) -> None:
    top = placed(tmp_path, "train/a/1.jpg", "test/a/1.jpg", "Annotations/1.xml", ".git/1.jpg")
    reading = read(top)
    assert [split for split, _, _ in rows(reading)] == ["train", "test"]
    assert reading.findings["finding_id"].to_list() == [
        "not-an-image: .git/1.jpg",
        "not-an-image: Annotations/1.xml",
    ]


def test_the_root_is_where_the_images_are(tmp_path: Path) -> None:
    top = placed(tmp_path, "set/images/cat/1.jpg", "set/other/1.jpg", "readme.txt")
    reading = read(top, root="set/images/")
    assert rows(reading) == [(None, "cat", "set/images/cat/1.jpg")]
    assert reading.findings.is_empty()
    with pytest.raises(DataError, match="has no folder 'sets/'; correct root in the card"):
        read(top, root="sets")


def test_a_folder_of_all_images_is_not_a_label(tmp_path: Path) -> None:
    top = placed(tmp_path, "images/train/cat/1.jpg", "images/test/2.jpg", "export.yaml")
    reading = read(top)
    assert rows(reading) == [
        ("train", "cat", "images/train/cat/1.jpg"),
        ("test", None, "images/test/2.jpg"),
    ]
    assert reading.findings.is_empty()
    assert rows(read(placed(top, "own/3.jpg")))[0][1] == "images/test"


def test_archives_give_the_reading_of_the_folder(tmp_path: Path) -> None:
    names = ["val/b/1.jpg", "train/b/1.jpg", "train/a/2.jpg", "train/a/1.jpg", "train/x.txt"]
    top = placed(tmp_path / "folder", *names)
    expected = read(top)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in names:
            archive.write(top / name, name)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.add(top, ".")
    for path in (tmp_path / "a.zip", tmp_path / "a.tar.gz"):
        reading = read(path)
        assert reading.items.equals(expected.items)
        assert reading.findings.equals(expected.findings)
        data = dict(open_files(path).read_many(reading.items["image_id"]))
        assert data == {name: name.encode() for name in names[:-1]}


def test_no_image_is_an_error_that_shows_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected \{label\}/.*; found: 'a/1\.txt'"):
        read(placed(tmp_path, "a/1.txt"))


def test_a_real_set_is_read_in_place(shared_data: Path) -> None:
    path = shared_data / "imagenet_like"
    reading = read(path, root="Data/CLS-LOC")
    counts = reading.items.group_by("split", maintain_order=True).len()
    assert list(counts.iter_rows()) == [("train", 693), ("val", 175)]
    assert reading.items.filter(split="train")["label"].n_unique() == 35
    assert reading.items.filter(split="val")["label"].null_count() == 175


@settings(max_examples=50, deadline=None)
@given(
    names=st.lists(
        st.lists(
            st.one_of(
                st.sampled_from([b"train", b"val", b"a", b".x", b"1.jpg"]),
                st.binary(min_size=1, max_size=12).map(lambda n: n + b".jpg"),
            ).filter(lambda n: not set(n) & {0, ord("/")}),
            min_size=1,
            max_size=4,
        ).map(b"/".join),
        max_size=8,
    ),
    splits=st.sampled_from(["auto", "yes", "no"]),
)
def test_every_name_is_an_item_or_a_finding(
    tmp_path_factory: pytest.TempPathFactory, names: list[bytes], splits: str
) -> None:
    top = placed(tmp_path_factory.mktemp("fuzz"), "z/always.jpg")
    for name in names:
        path = Path(os.fsdecode(os.fsencode(top) + b"/" + name))
        with suppress(OSError):  # a name that is a file in one place and a folder in another
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    count = sum(len(files) for _, _, files in os.walk(top))
    reading = read(top, splits=splits)
    about_files = reading.findings.filter(~pl.col("check").is_in(ABOUT_FOLDERS))
    assert len(reading.items) + len(about_files) == count
    assert reading.findings["finding_id"].is_unique().all()
    assert reading.items["item_id"].is_unique().all()
    for _, label, image_id in rows(reading):
        assert label is None or f"{label}/" in image_id


def test_every_layout_is_explained() -> None:
    page = (Path(__file__).parents[2] / "docs" / "layouts.md").read_text(encoding="utf-8")
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    for kind in SOURCES.kinds():
        assert any(f"`{kind}`" in heading for heading in headings), kind
