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
    params["views"] = {"few": {"of": "emoji", "without": ["duplicate"]}}
    (workspace / "params.yaml").write_text(yaml.safe_dump(params), "utf-8")
    lines = printed("correct", "emoji", "0_noto.jpg", "--label", "20", "--set", "text=")
    assert lines[0] == "emoji: 2 values changed, 2 corrections"
    assert lines[1].startswith("warning: no item of emoji had the label '20'; did you mean '2")
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
    assert (workspace / "flags.html").is_file()
    assert printed("check", "emoji", "--json")[0].startswith("{")
    printed("publish", "emoji")
    assert printed("view", "few")[0].startswith("few: 24 items, 0 excluded")
    lines = printed("forget", "emoji", "0_noto.jpg", "--reason", "request 17")
    assert lines[:2] == ["emoji: 1 items removed now, 1 in total", "removed: 0_noto.jpg"]
    assert any("rm emoji/images/0_noto.jpg" in line for line in lines)


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
