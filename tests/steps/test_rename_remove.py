"""A data set gets another name, or leaves: all of it together, and DVC has nothing to run."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import likewise
from catalogues import copied
from forked import run_dvc
from likewise.catalogue import corrections
from likewise.catalogue.corrections import Key
from likewise.errors import DataError, UnknownNameError
from likewise.storage import journal
from likewise.storage.takedown_lock import alone, no_takedown
from likewise.storage.versions import outputs, run_git
from likewise.storage.workspace import Workspace

pytestmark = [pytest.mark.dvc, pytest.mark.torch]


def params(root: Path) -> dict[str, dict[str, Any]]:
    content: dict[str, dict[str, Any]] = yaml.safe_load(
        (root / "params.yaml").read_text("utf-8")
    )
    return content


@pytest.fixture(scope="module")
def _checked(_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with a check, a view and a correction, recorded and committed."""
    root = tmp_path_factory.mktemp("checked") / "workspace"
    shutil.copytree(_repository, root, symlinks=True)
    content = params(root)
    content["checks"] = {"emoji": {"min_bytes": 3000}}
    content["views"] = {"large": {"of": "emoji", "without": ["few_bytes"]}}
    content["runs"]["plain"] = {**content["runs"]["emoji-tiny"], "protocol": "gpr1200-strict"}
    text = "# ours\n" + yaml.safe_dump(content, sort_keys=False)
    (root / "params.yaml").write_text(text, "utf-8")
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "200"}, workspace=root)
    likewise.measure("emoji", workspace=root)
    likewise.check("emoji", workspace=root)
    likewise.publish("emoji", workspace=root)
    likewise.view("large", workspace=root)
    for run in ("emoji-tiny", "plain"):
        likewise.evaluate(run, workspace=root)
    run_dvc(root, "commit", "--quiet", "--force")
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    run_git(root, "add", "--all")
    run_git(root, *who, "commit", "--quiet", "--message", "one")
    run_git(root, "tag", "v1")
    return root


@pytest.fixture
def checked(_checked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return copied(_checked, tmp_path / "workspace", monkeypatch)


def files(root: Path) -> dict[str, bytes]:
    """Every file of the checkout, but private ones and those of git and DVC."""
    known = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
    hidden = (".likewise/", ".git/", ".dvc/")
    return {name: data for name, data in known.items() if not name.startswith(hidden)}


def test_after_a_rename_dvc_has_nothing_to_run(checked: Path) -> None:
    before = likewise.open("emoji").items
    done = likewise.rename("emoji", "drawings")
    assert done.entries == {"emoji-tiny": "drawings-tiny"}
    assert done.repro == []
    assert "v1" in done.older[0].names
    assert json.loads(run_dvc(checked, "status", "--json")) == {}
    own = [name for name in files(checked) if not name.startswith("emoji/")]  # the source
    assert [name for name in own if "emoji" in name] == []
    assert "# ours" in (checked / "params.yaml").read_text("utf-8")
    assert "emoji" not in str({k: v for k, v in params(checked).items() if k != "datasets"})
    assert likewise.open("drawings").items.equals(before)
    assert likewise.open("large").items.height < before.height
    kept = corrections.read(Workspace(checked).corrections("drawings"))
    assert kept[Key("0_noto.jpg", "label")].value == "200"
    assert likewise.show("drawings").runs
    likewise.report("drawings-tiny")
    likewise.compare("emoji-tiny@v1", "drawings-tiny")
    assert [p.what for p in likewise.doctor() if p.check != "library"] == []
    assert len(likewise.open("emoji", rev="v1").items) == len(before)
    likewise.rename("drawings", "emoji")
    assert json.loads(run_dvc(checked, "status", "--json")) == {}


def test_flags_that_name_it_are_set_again(checked: Path) -> None:
    """Only the check of the data set that has a copy of its images runs again."""
    content = params(checked)
    content["datasets"]["copy"] = dict(content["datasets"]["emoji"])
    content["checks"]["copy"] = {}
    (checked / "params.yaml").write_text(yaml.safe_dump(content), "utf-8")
    shutil.copy("catalog/emoji.yaml", "catalog/copy.yaml")
    for verb in (likewise.ingest, likewise.measure, likewise.check):
        verb("copy")
    likewise.publish("copy")
    likewise.check("emoji")
    likewise.init(checked)
    run_dvc(checked, "commit", "--quiet", "--force")
    done = likewise.rename("emoji", "drawings")
    assert done.repro == ["check@copy"]
    assert list(json.loads(run_dvc(checked, "status", "--json"))) == ["check@copy"]


def test_a_removed_data_set_leaves_its_corrections_only(checked: Path) -> None:
    before = set(files(checked))
    done = likewise.remove("emoji")
    assert done.entries == {
        "datasets": ["emoji"],
        "checks": ["emoji"],
        "views": ["large"],
        "embeddings": ["emoji-tiny"],
        "runs": ["emoji-tiny", "plain"],
    }
    assert done.kept == ["catalog/emoji/corrections.csv"]
    left = set(files(checked))
    assert left <= before
    assert {name for name in left if name.startswith(("catalog/", "reports/"))} == {
        "catalog/.gitignore",
        "catalog/emoji/corrections.csv",
    }
    assert set(outputs(checked)) == {"models/tiny"}
    assert "catalog/emoji.lance" in done.older[0].outputs
    assert [p.what for p in likewise.doctor() if p.check != "library"] == []
    likewise.add("emoji", source="gpr1200", path=checked / "emoji" / "images")
    assert likewise.ingest("emoji").items == 24
    kept = corrections.read(Workspace(checked).corrections("emoji"))
    assert kept[Key("0_noto.jpg", "label")].value == "200"


def test_a_removed_view_leaves_its_data_set(checked: Path) -> None:
    done = likewise.remove("large")
    assert done.files == ["catalog/large.lance", "catalog/large.columns.yaml"]
    assert "large" not in likewise.open()
    assert "emoji" in likewise.open()
    assert json.loads(run_dvc(checked, "status", "--json")) == {}


def test_what_cannot_be_changed_is_refused(checked: Path) -> None:
    content = params(checked)
    content["pretrained"] = {"w": {"kind": "whiten", "init": "tiny", "data": "emoji", "dim": 8}}
    (checked / "params.yaml").write_text(yaml.safe_dump(content), "utf-8")
    before = files(checked)
    for old, new, error, message in (
        ("emoij", "x", UnknownNameError, "did you mean 'emoji'"),
        ("emoji", "Emoji", DataError, "a name consists of lower-case"),
        ("emoji", "large", DataError, "'large' is in the catalogue"),
    ):
        with pytest.raises(error, match=message):
            likewise.rename(old, new)
    with pytest.raises(DataError, match=r"training data of pretrained\.w; remove these models"):
        likewise.remove("emoji")
    work = checked / ".likewise" / "staging" / "embed-emoji-tiny"
    work.mkdir(parents=True)
    (work / "tiny.lance").mkdir()
    with pytest.raises(DataError, match=r"embed@emoji-tiny was stopped, and its work is kept"):
        likewise.rename("emoji", "x")
    with (
        journal.exclusive_job(Workspace(checked), "ingest-emoji"),
        pytest.raises(DataError, match="ingest-emoji is running"),
    ):
        likewise.rename("emoji", "x")
    assert files(checked) == before


def test_work_with_items_keeps_renames_and_removals_away(checked: Path) -> None:
    before = files(checked)
    refused = r"^correct-emoji is running in process .*, and may write items of emoji"
    with no_takedown(Workspace(checked), "emoji", "correct-emoji"):
        for name in ("emoji", "large"):
            with pytest.raises(DataError, match=refused):
                likewise.remove(name)
        with pytest.raises(DataError, match=refused):
            likewise.rename("emoji", "x")
    assert files(checked) == before


def test_no_correction_is_written_during_a_rename(checked: Path) -> None:
    before = files(checked)
    with (
        alone(Workspace(checked), "emoji", "rename-emoji"),
        pytest.raises(DataError, match=r"^rename-emoji is running in process .*changes emoji"),
    ):
        likewise.correct("emoji", ["0_noto.jpg"], {"label": "201"})
    assert files(checked) == before


KILLED = """
import os, sys
from pathlib import Path
import likewise
count, replace, rename = [int(sys.argv[1])], Path.replace, Path.rename
def counted(call):
    def move(*args):
        count[0] -= 1
        if count[0] < 0:
            os._exit(9)
        return call(*args)
    return move
Path.replace, Path.rename = counted(replace), counted(rename)
from likewise.storage import journal
os.replace = counted(os.replace)
getattr(likewise, sys.argv[2])(*sys.argv[3:])
"""


@pytest.mark.parametrize("words", [("rename", "emoji", "drawings"), ("remove", "emoji")])
def test_a_kill_at_any_move_leaves_the_old_or_the_new(
    checked: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(checked, whole, symlinks=True)
    getattr(likewise, words[0])(*words[1:], workspace=whole)
    states = (files(checked), files(whole))
    for moves in (0, 4, 9):
        root = tmp_path / f"killed {moves}"
        shutil.copytree(checked, root, symlinks=True)
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(moves), *words],
            cwd=root,
            env={**os.environ},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 9, done.stderr.decode()
        likewise.open(workspace=root)
        assert files(root) in states, moves


def test_a_stored_index_stays_current_under_the_new_name(checked: Path) -> None:
    path = checked / "params.yaml"
    index = 'indexes:\n  cells: {kind: faiss, factory: "IVF2,Flat"}\n'
    path.write_text(path.read_text("utf-8").replace("indexes:\n", index), "utf-8")
    likewise.index("emoji", "tiny", "cells")
    likewise.rename("emoji", "drawings")
    (found,) = likewise.indexes()
    assert (found.dataset, found.state) == ("drawings", "current")
