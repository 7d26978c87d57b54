"""Versions of a data set, and the differences between two of them."""

import json
from pathlib import Path

import polars as pl
import pytest

import likewise
from forked import run_dvc
from html_tags import sound_page
from likewise.cli.app import app
from likewise.errors import MissingArtefactError, UnknownNameError
from likewise.storage.versions import run_git

pytestmark = [pytest.mark.dvc, pytest.mark.torch]


def test_the_log_says_what_changed(alice: Path) -> None:
    card = alice / "catalog" / "emoji.yaml"
    card.write_text(card.read_text("utf-8").replace("Emoji in", "Drawings in"), "utf-8")
    run_git(alice, "commit", "--quiet", "--all", "--message", "rename")
    titled, two, one = likewise.log("emoji")
    assert (titled.message, titled.columns, titled.items) == ("rename", ["(card)"], 23)
    assert (two.names[0], two.items, one.names, one.items) == ("v2", 23, ["v1"], 24)
    assert {"item_id", "label", "tiny"} <= set(two.columns)
    assert {"+item_id", "+label", "+tiny", "(card)"} <= set(one.columns)
    assert [version.names for version in likewise.log("emoji", rev="v1")] == [["v1"]]
    with pytest.raises(UnknownNameError, match="no data set named 'emjoi'"):
        likewise.log("emjoi")


def test_a_data_set_that_was_not_committed_has_no_versions(alice: Path) -> None:
    params = alice / "params.yaml"
    added = "datasets:\n  added: {path: emoji/images, annotations: emoji/images}\n"
    params.write_text(params.read_text("utf-8").replace("datasets:\n", added), "utf-8")
    assert likewise.log("added") == []
    app(["log", "added"], standalone_mode=False)


def test_a_renamed_and_a_removed_item(alice: Path) -> None:
    found = likewise.diff("emoji", "v1", "v2")
    assert found.items == (24, 23)
    assert found.counts == {"removed": 1, "renamed": 1, "relabelled": 1, "moved": 1}
    rows = {
        (c, column): (item, was, now) for c, item, column, was, now, _ in found.changes.rows()
    }
    assert rows["removed", None] == ("400_fluent.jpg", "400", None)
    assert rows["renamed", "item_id"] == ("0_znoto.jpg", "1000_noto.jpg", "0_znoto.jpg")
    assert rows["relabelled", "label"] == ("0_znoto.jpg", "1000", "0")
    assert found.drift == []
    assert {m.metric for m in found.metrics} >= {"all", "sketch"}
    back = likewise.diff("emoji", "v2", "v1")
    assert back.counts == {"added": 1, "renamed": 1, "relabelled": 1, "moved": 1}


def test_versions_that_are_the_same(alice: Path) -> None:
    found = likewise.diff("emoji", "v2")
    assert (found.counts, found.columns, found.metrics) == ({}, {}, [])
    assert found.to_markdown().startswith("### emoji: v2 → workspace")


def test_another_model_of_the_same_name_drifts(alice: Path) -> None:
    params = alice / "params.yaml"
    params.write_text(params.read_text("utf-8").replace("seed: 0", "seed: 7"), "utf-8")
    likewise.load("tiny", workspace=alice)
    likewise.embed("emoji", "tiny", workspace=alice)
    likewise.publish("emoji", workspace=alice)
    found = likewise.diff("emoji", "v2")
    assert (found.counts, list(found.columns)) == ({}, ["tiny"])
    (drift,) = found.drift
    assert (drift.model, drift.items) == ("tiny", 23)
    assert drift.cosine is not None
    mean, least = drift.cosine
    assert -1 <= least <= mean < 0.99
    assert 0 <= drift.overlap <= 1


def test_a_correction_is_published_and_shown(alice: Path) -> None:
    items = ["1000_fluent.jpg", "1000_openmoji.jpg"]
    done = likewise.correct("emoji", items, {"label": "0", "split": "test"})
    assert done.changed == 2 * 3  # label, its text, split
    likewise.publish("emoji")
    found = likewise.diff("emoji", "v2")
    assert found.counts == {"relabelled": 2, "moved": 2}
    assert found.columns == dict.fromkeys(("label", "text", "split"), "changed")
    texts = likewise.query("select distinct text from emoji where label = '0'")
    assert len(texts) == 1
    page = alice / "diff.html"
    found.to_html(str(page))
    shown = sound_page(page.read_text("utf-8"))
    assert len(shown.all("img")) == 2  # one of each item, however many values changed
    assert [row.text for row in shown.one("ol", "items").all("tbody")[0].all("tr")] == [
        "label 1000 0",
        "text baby house",
        "split no value test",
    ]
    said = found.to_markdown()
    assert "| relabelled | `1000_fluent.jpg` | label | 1000 | 0 |" in said
    taken_back = likewise.correct("emoji", items, {"label": "1000", "split": None})
    assert taken_back.corrections == 0


def test_boxes_and_their_overlap(alice: Path) -> None:
    from likewise.steps.diff import _changed

    boxes = pl.Array(pl.Float32, 4)
    both = pl.DataFrame(
        {
            "item_id now": ["a", "b", "c"],
            "box": [[0, 0, 10, 10], None, [0, 0, 1, 1]],
            "box now": [[5, 0, 15, 10], [0, 0, 1, 1], [0, 0, 1, 1]],
        },
        schema={"item_id now": pl.String, "box": boxes, "box now": boxes},
    )
    found = _changed(both, "box")
    assert found["item_id"].to_list() == ["a", "b"]
    assert found["iou"].to_list() == [50 / (100 + 100 - 50), None]
    assert found["now"].to_list()[0] == "[5.0, 0.0, 15.0, 10.0]"


def test_the_commands(alice: Path) -> None:
    from typer.testing import CliRunner

    run = CliRunner()
    told = json.loads(run.invoke(app, ["diff", "emoji", "v1", "v2", "--json"]).stdout)
    assert told["counts"] == {"removed": 1, "renamed": 1, "relabelled": 1, "moved": 1}
    assert len(told["changes"]) == 4 + 2  # the label as text, and the id
    shown = run.invoke(app, ["diff", "emoji", "v1", "--html", "page.html"])
    assert shown.stdout.startswith("emoji, v1 to workspace: 24 items, then 23\n1 removed")
    assert "1000_noto.jpg" in shown.stdout
    assert (alice / "page.html").is_file()
    log = run.invoke(app, ["log", "emoji"]).stdout
    assert [line.split()[1].strip(",") for line in log.splitlines()[1:]] == ["v2", "v1"]
    assert run.invoke(app, ["correct", "emoji", "x.jpg", "--set", "label"]).exit_code == 2


def test_what_was_not_published_is_reported(alice: Path) -> None:
    run_git(alice, "rm", "--quiet", "--cached", "catalog/emoji.columns.yaml")
    run_git(alice, "commit", "--quiet", "--message", "unpublished")
    run_git(alice, "checkout", "--quiet", "v2", "--", "catalog/emoji.columns.yaml")
    with pytest.raises(MissingArtefactError, match="'emoji' is not published in HEAD"):
        likewise.diff("emoji", "HEAD")
    assert run_dvc(alice, "version")
