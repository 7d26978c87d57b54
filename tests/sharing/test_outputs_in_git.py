"""Outputs that dvc.yaml leaves to git: never pushed or pulled, and merged by the driver."""

from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

import likewise
from forked import run_dvc
from learning import write
from likewise.catalogue.merge_driver import ATTRIBUTES
from likewise.storage import versions
from likewise.storage.versions import run_git
from likewise.storage.workspace import Workspace

pytestmark = [pytest.mark.dvc, pytest.mark.torch]

WHITEN = {"kind": "whiten", "init": "tiny", "data": "emoji", "split": None, "dim": 8}
PLOTS = "reports/training/whitened/plots"


@pytest.fixture
def trained(alice: Path) -> Path:
    """Alice's catalogue with a check, and a model that a plain ``dvc repro`` trained."""
    write(alice, "pretrained", "whitened", WHITEN)
    params = yaml.safe_load((alice / "params.yaml").read_text("utf-8"))
    params["checks"] = {"emoji": {}}
    (alice / "params.yaml").write_text(yaml.safe_dump(params), "utf-8")
    likewise.train("whitened")
    likewise.measure("emoji")
    likewise.check("emoji")
    run_dvc(alice, "commit", "--force", "--quiet")
    listing = versions.Store(alice).path(versions.outputs(alice)[PLOTS].md5)
    listing.unlink(missing_ok=True)  # dvc repro, unlike dvc commit, does not store it
    return alice


def test_outputs_in_git_are_those_of_dvc(trained: Path) -> None:
    with Repo(str(trained)) as repo:
        known = {out.def_path: out.use_cache for out in repo.index.outs}
    recorded = versions.outputs(trained)
    assert PLOTS in recorded
    cached = {output.path for output in versions.cached_outputs(Workspace(trained))}
    assert cached == {path for path in recorded if known[path]}
    in_git = sorted(path for path in recorded if not known[path])
    in_git.remove("catalog/emoji/forgotten.csv")  # git merges its lines
    names = [*in_git, f"{PLOTS}/metrics/loss.tsv"]
    attributes = run_git(trained, "check-attr", "merge", "--", *names)
    merged = {
        line.split(": ")[0] for line in attributes.splitlines() if line.endswith("likewise")
    }
    assert merged == set(names)
    assert likewise.push().files > 0
    assert likewise.push().files == 0
    assert likewise.pull().files == 0


def test_an_output_of_another_stage_is_pushed_whatever_its_suffix(alice: Path) -> None:
    text = (alice / "dvc.yaml").read_text("utf-8")
    own = "  own:\n    cmd: cp params.yaml own.csv\n    outs: [own.csv]\n"
    (alice / "dvc.yaml").write_text(text.replace("stages:\n", f"stages:\n{own}", 1), "utf-8")
    (alice / "own.csv").write_bytes((alice / "params.yaml").read_bytes())
    run_dvc(alice, "commit", "--force", "--quiet", "own")
    pushed = likewise.push()
    assert pushed.files == 1
    assert pushed.nbytes == (alice / "params.yaml").stat().st_size


def test_reports_that_both_sides_wrote_are_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in a catalogue whose .gitattributes an older release wrote."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "a@example.org")
    run_git(tmp_path, "init", "--quiet", "--initial-branch=main")
    root = tmp_path / "deep er"
    likewise.init(root)
    older = [line for line in ATTRIBUTES.splitlines(keepends=True) if "training" not in line]
    (root / ".gitattributes").write_text("".join(older[:-2]), "utf-8")
    files = (
        "reports/training/m/plots/loss.tsv",
        "catalog/.pixels/a.yaml",
        "catalog/a/flags.yaml",
    )
    for branch in ("main", "theirs", "ours"):
        if branch != "main":
            run_git(root, "checkout", "--quiet", "-b", branch, "main")
        for name in files:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(f"{branch}\n".encode() + b"\xff")
        run_git(root, "add", "--all")
        run_git(root, "commit", "--quiet", "--message", branch)
    assert likewise.merge("theirs", workspace=root).commit
    assert all((root / name).read_bytes().startswith(b"ours") for name in files)
    assert run_git(root, "status", "--porcelain") == ""
