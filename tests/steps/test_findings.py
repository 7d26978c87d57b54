"""Findings are counted and listed; splits have digests."""

import json
from pathlib import Path

import polars as pl
import pytest

import likewise
from likewise.errors import ConfigError, MissingArtefactError, UnknownNameError
from likewise.storage.config import read_yaml
from likewise.storage.digests import Digests

CARDS = "boxes_labels/cards"
ROWS = """file,label,split,xmin,ymin,xmax,ymax,rank
emoji/images/0_fluent.jpg,0,train,0,0,40,40,1
emoji/images/0_fluent.jpg,0,train,10,10,4000,40,2
0_noto.jpg,0,test,5,5,5,50,3
200_noto.jpg,200,test,9000,9000,9100,9100,4
200_noto.jpg,200,test,1,1,30,30,5
400_noto.jpg,400,test,9000,1,9100,30,6
"""


@pytest.fixture
def boxed(workspace: Path) -> Path:
    """Add a second data set to the workspace: the same pictures, with boxes in a CSV."""
    (workspace / "boxes.csv").write_text(ROWS, encoding="utf-8")
    likewise.add(
        "boxed",
        source="csv",
        path=workspace / "emoji",
        annotations=workspace / "boxes.csv",
        options={"image": "file", "unlisted": "drop"},
        workspace=workspace,
    )
    likewise.ingest("boxed", workspace=workspace)
    return workspace


def items(root: Path) -> pl.DataFrame:
    return likewise.query("select * from boxed_items", workspace=root).frame


def test_boxes_are_held_against_true_sizes(boxed: Path) -> None:
    frame = items(boxed)
    assert frame.select("item_id", "label", "split", "rank").rows() == [
        ("images/0_fluent.jpg#1", "0", "train", 1),
        ("images/0_fluent.jpg#2", "0", "train", 2),
        ("images/0_noto.jpg", None, "test", None),
        ("images/200_noto.jpg#2", "200", "test", 5),
        ("images/400_noto.jpg", None, "test", None),
    ]
    images = likewise.query("select image_id, width from boxed_images", workspace=boxed)
    width = dict(images.frame.iter_rows())["images/0_fluent.jpg"]
    assert frame["box"].to_list()[1] == [10, 10, width, 40]
    assert len(set(frame["content"])) == 5


def test_findings_are_counted_and_listed(boxed: Path) -> None:
    found = likewise.findings("boxed", limit=2)
    assert (found.items, found.total) == (5, 4)
    assert found.counts == {"box-outside": 2, "box-clipped": 1, "empty-box": 1}
    assert [(f.check, f.path) for f in found.first] == [
        ("box-clipped", "images/0_fluent.jpg#2"),
        ("box-outside", "images/200_noto.jpg#1"),
    ]
    (empty,) = likewise.findings("boxed", check="empty-box").first
    assert empty.detail == "it has no area: 5.0, 5.0, 5.0, 50.0"
    with pytest.raises(UnknownNameError, match="did you mean 'empty-box'"):
        likewise.findings("boxed", check="empty_box")


def test_nothing_to_list_says_what_to_run(workspace: Path) -> None:
    likewise.add("new", source="gpr1200", path=workspace / "emoji" / "images")
    with pytest.raises(MissingArtefactError, match="dvc repro ingest@new"):
        likewise.findings("new")
    assert likewise.findings("emoji").total == 0


def test_a_layout_is_validated_without_a_catalogue(shared_data: Path) -> None:
    found = likewise.validate("voc", shared_data / CARDS)
    assert (found.items, found.total) == (311, 0)
    broken = likewise.validate("csv", shared_data / CARDS, options={"x2": "ymax", "y2": "xmax"})
    # The photographs are taller than wide, so swapped corners are often reversed.
    assert set(broken.counts) <= {"reversed-box", "empty-box"}
    assert broken.total > 20
    assert len(broken.first) == 20
    with pytest.raises(ConfigError, match="did you mean 'label'"):
        likewise.validate("csv", shared_data / CARDS, options={"lable": "class"})


def test_labels_are_counted_by_split(boxed: Path) -> None:
    counted = likewise.labels("boxed")
    assert counted.columns == ["split", "subset", "label", "text", "items"]
    assert counted.drop("subset", "text").rows() == [
        ("train", "0", 2),
        ("test", None, 2),
        ("test", "200", 1),
    ]


def test_a_split_has_a_digest_of_its_own(boxed: Path) -> None:
    before = likewise.show("boxed").contents
    assert before is not None
    assert [(p.split, p.items, p.labels) for p in before.parts] == [
        ("train", 2, 1),
        ("test", 3, 1),
    ]
    text = (boxed / "boxes.csv").read_text(encoding="utf-8")
    (boxed / "boxes.csv").write_text(text.replace(",0,train", ",zero,train"), encoding="utf-8")
    likewise.ingest("boxed", workspace=boxed)
    after = likewise.show("boxed").contents
    assert after is not None
    assert after.parts[0].digest != before.parts[0].digest
    assert after.parts[1].digest == before.parts[1].digest
    said = read_yaml(boxed / "catalog" / "boxed" / "columns" / "items.yaml")
    assert Digests.from_yaml(said, "").splits["test"].digest == after.parts[1].digest
    bare = {"rows": 1, "columns": {}, "splits": {"test": 3, "val": {"items": 1}}}
    assert Digests.from_yaml(bare, "").splits == {}


def test_a_splits_name_is_not_in_its_digest(boxed: Path) -> None:
    before = likewise.show("boxed").contents
    text = (boxed / "boxes.csv").read_text(encoding="utf-8")
    (boxed / "boxes.csv").write_text(text.replace(",test,", ",final,"), encoding="utf-8")
    likewise.ingest("boxed", workspace=boxed)
    after = likewise.show("boxed").contents
    assert before is not None
    assert after is not None
    assert [p.digest for p in after.parts] == [p.digest for p in before.parts]
    assert [p.split for p in after.parts] == ["train", "final"]


def test_the_commands(
    boxed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from likewise.cli.app import main

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["likewise", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), capsys.readouterr().out

    code, out = run("findings", "boxed", "--json", "--limit", "1")
    assert code == 0
    assert json.loads(out)["counts"]["box-outside"] == 2
    assert len(json.loads(out)["first"]) == 1
    code, out = run("findings", "boxed")
    assert out.splitlines()[:2] == [
        "boxed: 5 items, 4 findings",
        "box-outside 2, box-clipped 1, empty-box 1",
    ]
    code, out = run(
        "validate", "csv", "emoji", "--annotations", "boxes.csv", "--option", "image=file"
    )
    assert code == 1
    assert "empty-box" in out
    code, out = run("validate", "gpr1200", "emoji/images")
    assert (code, out.splitlines()[0]) == (0, "gpr1200: emoji/images: 24 items, 0 findings")
    assert out.splitlines()[3].split() == ["0_fluent.jpg", "0", "landmarks"]
    code, out = run("show", "boxed", "--labels")
    assert out.splitlines()[0].split() == ["split", "subset", "label", "text", "items"]
    code, out = run("show", "boxed")
    assert "splits    train 2 items, 1 label, digest " in out
    assert run("validate", "csv", "emoji", "--option", "image")[0] == 2
