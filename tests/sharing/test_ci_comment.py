"""The script of docs/ci describes a branch, as the workflow next to it posts it."""

import subprocess
from pathlib import Path

import pytest
import yaml

import likewise
from html_tags import sound_page
from likewise.storage.versions import run_git

CI = Path(__file__).parents[2] / "docs" / "ci"

pytestmark = [pytest.mark.dvc, pytest.mark.torch]


def comment(root: Path, base: str) -> str:
    command = ["bash", str(CI / "comment"), base, "out"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return (root / "out" / "comment.md").read_text("utf-8")


def test_labels_scores_and_pictures_of_a_branch(alice: Path) -> None:
    text = comment(alice, "v1")
    assert text.startswith("### emoji: v1 → workspace")
    assert "1 removed, 1 renamed, 1 relabelled, 1 moved" in text
    assert "400_fluent.jpg" in text
    assert "| metric" in text or "metric |" in text
    sound_page((alice / "out" / "emoji.html").read_text("utf-8"))


def test_a_branch_without_changes_and_a_new_data_set(alice: Path) -> None:
    assert comment(alice, "v2") == "No data set and no score differs.\n"
    run_git(alice, "rm", "--quiet", "--cached", "catalog/emoji.yaml")
    run_git(alice, "commit", "--quiet", "--message", "without")
    assert comment(alice, "HEAD").startswith("### emoji: new data set\n")


def test_the_workflow_runs_commands_that_exist() -> None:
    workflow = yaml.safe_load((CI / "catalogue.yml").read_text("utf-8"))
    steps = workflow["jobs"]["comment"]["steps"]
    commands = [words.split() for step in steps if (words := step.get("run"))]
    verbs = {words[1] for words in commands if words[0] == "likewise"}
    assert verbs <= set(likewise.__all__)
    assert verbs == {"init", "pull"}
    assert ["bash", ".github/comment", '"origin/$BASE"', "comment"] in commands
