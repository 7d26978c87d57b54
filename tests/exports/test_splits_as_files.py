"""A split may have any name: no exported file leaves the folder or replaces another file."""

import tarfile
from pathlib import Path

import pytest

import likewise
from likewise.errors import DataError

OUTSIDE = "../../../outside"
PER_SPLIT = ("coco", "voc", "parquet", "huggingface", "webdataset")


def split_into(root: Path, *splits: str) -> None:
    """Assign these splits to the items in turn; further items have none."""
    for item, split in zip(likewise.open("emoji").items["item_id"], splits, strict=False):
        likewise.correct("emoji", [item], {"split": split}, workspace=root)
    likewise.publish("emoji", workspace=root)


@pytest.mark.parametrize("kind", PER_SPLIT)
def test_no_split_leads_out_of_an_export(workspace: Path, kind: str) -> None:
    split_into(workspace, OUTSIDE, "a/b", "..", "tab\tbed")
    boxed = {"whole": "box"} if kind in ("coco", "voc") else {}
    out = workspace / "a" / "b" / "out"
    before = set(workspace.parent.rglob("*"))
    likewise.export("emoji", kind, out, options=boxed)
    new = set(workspace.parent.rglob("*")) - before
    elsewhere = {
        path for path in new if ".likewise" not in path.parts and out not in path.parents
    }
    assert elsewhere == {out, *out.parents} - {workspace, *workspace.parents}


def test_a_split_that_is_not_a_folder_is_refused(workspace: Path) -> None:
    split_into(workspace, OUTSIDE)
    with pytest.raises(DataError, match=r"outside'.*cannot be folder names"):
        likewise.export("emoji", "folder", workspace / "a" / "b" / "out")
    assert not (workspace / "a" / "b" / "out").exists()


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("coco", "all", ""),
        ("coco", "a/b", "a_b"),
        ("parquet", "all", ""),
        ("huggingface", "val", "validation"),
        ("voc", "a/b", "a_b"),
    ],
)
def test_two_splits_of_one_file_are_refused(
    workspace: Path, kind: str, one: str, other: str
) -> None:
    split_into(workspace, one, *([other] if other else []))
    boxed = {"whole": "box"} if kind in ("coco", "voc") else {}
    with pytest.raises(DataError, match=r"would have the same name .*; export csv"):
        likewise.export("emoji", kind, workspace / "out", options=boxed)
    assert not (workspace / "out").exists()


def test_shards_of_two_splits_hold_both(workspace: Path) -> None:
    split_into(workspace, "a/b", "a_b")
    likewise.export("emoji", "webdataset", workspace / "out")
    with tarfile.open(workspace / "out" / "a_b-000000.tar") as shard:
        assert len(shard.getnames()) == 2 * 3  # picture, entry, class
