"""Output of each verb for people, by commands in this process."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import likewise
from likewise.cli.app import app
from likewise.storage.versions import run_git

pytestmark = pytest.mark.torch


def printed(*words: str, code: int = 0) -> list[str]:
    """Run a command; the lines of its output and of its notes."""
    done = CliRunner().invoke(app, words)
    assert done.exit_code == code, done.output
    return done.output.splitlines()


def test_corrections_checks_and_views(workspace: Path) -> None:
    params = yaml.safe_load((workspace / "params.yaml").read_text("utf-8"))
    params["checks"] = {"emoji": {}}
    params["pretrained"] = {"seen": {"kind": "ssl", "init": "tiny", "data": "emoji"}}
    params["views"] = {"few": {"of": "emoji", "without": ["duplicate"]}}
    (workspace / "params.yaml").write_text(yaml.safe_dump(params), "utf-8")
    lines = printed("correct", "emoji", "0_noto.jpg", "--label", "20", "--set", "text=")
    assert lines[0] == "emoji: 2 values changed, 2 corrections"
    assert lines[1].startswith("warning: no item of emoji had the label '20'; did you mean '2")
    assert lines[2] == "learn from emoji, so dvc repro trains them again: seen"
    assert lines[3].startswith("next: likewise pull")
    assert any(
        "not COLUMN=VALUE" in x for x in printed("correct", "emoji", "a", "--set", "b", code=2)
    )
    assert any("give --label or" in x for x in printed("correct", "emoji", "a", code=2))
    assert printed("measure", "emoji")[:2] == [
        "emoji: 24 images measured",
        "0 reused, 0 dropped",
    ]
    assert printed("measure", "emoji")[:2] == [
        "emoji: 0 images measured",
        "24 reused, 0 dropped",
    ]
    lines = printed("check", "emoji", "--html", "flags.html")
    assert "wrote flags.html" in lines
    assert any(line.split()[:1] == ["small"] for line in lines)
    assert any(line.startswith("small: more than half of the images") for line in lines)
    assert (workspace / "flags.html").is_file()
    assert printed("check", "emoji", "--json")[0].startswith("{")
    printed("publish", "emoji")
    assert printed("view", "few")[0].startswith("few: 24 items, 0 excluded")
    lines = printed("forget", "emoji", "0_noto.jpg", "--reason", "request 17")
    assert lines[:2] == ["emoji: 1 item removed now, 1 in total", "removed: 0_noto.jpg"]
    assert any("rm emoji/images/0_noto.jpg" in line for line in lines)


def test_tags_and_selections(workspace: Path) -> None:
    assert printed("tag", "emoji") == ["emoji has no tags"]
    assert printed("selections", "emoji")[0] == "emoji has no selections"
    lines = printed("tag", "emoji", "0_noto.jpg", "0_fluent.jpg", "--add", "house")
    assert lines[0] == "emoji: 2 tags changed"
    assert lines[-1] == "next: git add catalog/emoji/tags.csv, then: git commit"
    with (workspace / "catalog" / "emoji" / "tags.csv").open("a", encoding="utf-8") as file:
        file.write("gone.jpg,old\n")
    lines = printed("tag", "emoji")
    assert [line.split() for line in lines[:3]] == [
        ["tag", "items"],
        ["house", "2"],
        ["old", "1"],
    ]
    assert lines[3:] == ["1 item with tags not in emoji: gone.jpg"]
    where = ("--where", "array_has(tags, 'house')")
    lines = printed("select", "emoji", "houses", *where)
    assert lines[0] == "emoji: houses has 2 items, 2 added, 0 removed"
    assert printed("select", "emoji", "houses", *where) == [
        lines[0].replace("2 added", "0 added")
    ]
    lines = printed("selections", "emoji")
    assert lines[1].split() == ["houses", "2", "0", "catalog/emoji/selections/houses.csv"]


def test_verdicts_and_pending_corrections(workspace: Path) -> None:
    with (workspace / "params.yaml").open("a", encoding="utf-8") as file:
        file.write("checks: {emoji: {min_side: 100, min_bytes: 3000}}\n")
    printed("measure", "emoji")
    printed("check", "emoji")
    listing = likewise.reviews("emoji", name="few_bytes")
    lines = printed("reviews", "emoji", "--name", "few_bytes", "--limit", "1")
    assert lines[1].split()[0] == listing.doubts[0].id
    assert f"{listing.open:,} open, 0 judged" in lines
    assert "the first 1; list more with --limit N" in lines
    words = ("review", "emoji", listing.doubts[0].id)
    assert any("either --verdict or --undo" in line for line in printed(*words, code=2))
    left = f"1 judged, {likewise.reviews('emoji').open - 1:,} open"
    assert printed(*words, "--verdict", "kept")[0] == f"emoji: 1 verdict changed, {left}"
    assert "1 flag with a verdict left out; see --judged" in printed("check", "emoji")
    assert printed(*words, "--undo")[0].startswith("emoji: 1 verdict changed, 0 judged, ")
    assert printed("pending", "emoji") == ["0 corrections of 0 not published yet"]
    change = ("--set", "label=200", "--set", "text=", "--expect", "label=0")
    printed("correct", "emoji", "0_noto.jpg", *change)
    lines = printed("pending", "emoji")
    assert [line.split() for line in lines[1:3]] == [
        ["0_noto.jpg", "label", "0", "200"],
        ["0_noto.jpg", "text", *lines[2].split()[2:-1], "-"],
    ]
    assert "2 corrections of 2 not published yet" in lines
    both = ("--set", "label=0", "--set", "text=a", "--expect", "0")
    assert any("for each column" in x for x in printed("correct", "emoji", "a", *both, code=2))


def test_models_runs_and_comparisons(workspace: Path) -> None:
    words = ("add-model", "other", "--kind", "timm", "--option", "backbone=test_vit.r160_in1k")
    lines = printed(*words, "--option", "weights=random", "--data", "emoji")
    assert lines[:2] == ["models: other", "embeddings: emoji-other"]
    assert lines[-2:] == ["wrote params.yaml", "next: dvc repro"]
    assert any("other" in line for line in printed("list-models"))
    known = likewise.list_models(known=True)
    assert printed("list-models", "--known")[1].split()[0] == known[0].name
    (added,) = [x for x in printed("add-run", "emoji", "other", "gpr1200") if "wrote" in x]
    second = added.split()[3]
    for step in (("load", "other"), ("embed", "emoji", "other"), ("publish", "emoji")):
        printed(*step)
    assert printed("evaluate", "emoji-tiny")[1].split()[0] == "all"
    printed("evaluate", second)
    lines = printed("compare", "emoji-tiny", second)
    assert lines[:2] == ["A         emoji-tiny", f"B         {second}"]
    assert any(line.startswith("fixed: ") for line in lines)
    assert printed("crosswalk", "emoji-tiny")[0].split()[:2] == ["definition", "metric"]
    assert likewise.compare("emoji-tiny", second).first == "emoji-tiny"


def test_sources_and_names(workspace: Path) -> None:
    assert printed("download")[0].split() == ["name", "public", "checksum", "title"]
    assert printed("download", "--json")[0].startswith("[")
    lines = printed("validate", "folder", "emoji/images")
    assert lines[-1] == "next: likewise add NAME --source folder --path emoji/images"
    assert printed("describe", "emoji", "--markdown")[0] == "wrote reports/emoji.md"
    assert printed("rename", "emoji", "drawings")[0] == "emoji is now drawings"
    assert "drawings-tiny" in "\n".join(printed("show", "drawings"))
    lines = printed("remove", "drawings")
    assert "removed from params.yaml: datasets: drawings" in lines
    assert "removed: catalog/drawings.lance" in lines


@pytest.mark.dvc
@pytest.mark.usefixtures("forked_python")
def test_versions_and_transfers(
    alice: Path, bob: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert printed("push")[0] == "team: 0 files, 0 B"
    assert printed("release", "emoji", "1", "-m", "All")[0].startswith("emoji@v1.0.0: first ")
    assert json.loads("\n".join(printed("push", "--json")))["files"] == 0
    run_git(alice, "checkout", "--quiet", "-b", "labels")
    printed("correct", "emoji", "0_noto.jpg", "--label", "200")
    run_git(alice, "commit", "--quiet", "--all", "--message", "a label")
    run_git(alice, "checkout", "--quiet", "main")
    printed("correct", "emoji", "0_noto.jpg", "--label", "400")
    run_git(alice, "commit", "--quiet", "--all", "--message", "another")
    assert any(
        "either --ours or" in x
        for x in printed("merge", "labels", "--ours", "--theirs", code=2)
    )
    assert printed("merge", "labels", "--theirs")[0].endswith(
        "merged labels, 2 conflicts resolved"
    )
    assert printed("merge", "labels")[0] == "nothing to merge"
    assert printed("log", "emoji")[0].split()[:3] == ["commit", "names", "date"]
    lines = printed("diff", "emoji", "v1", "v2")
    assert any("removed" in line for line in lines)
    monkeypatch.chdir(bob)
    lines = printed("pull", "--no-images")
    assert lines[-1] == "next: likewise list"
    assert any(line.startswith("fetched when needed: ") for line in lines)
    printed("pull", "emoji", "--images", "--where", "label = '0'")
    assert any("need exactly" in x for x in printed("pull", "--images", "--where", "a", code=2))
    assert json.loads("\n".join(printed("pull", "--verify", "--json")))["partial"] == []
