"""A catalogue in any folder: new, completed, or made by an older release."""

import shutil
import subprocess
from pathlib import Path

import pytest

import likewise
from begun_catalogue import PARAMS
from forked import run_dvc
from likewise.errors import (
    ConfigError,
    DataError,
)
from likewise.storage.config import read_params


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a new catalogue with ``init``."""
    root = tmp_path_factory.mktemp("begun") / "new"
    likewise.init(root)
    return root


@pytest.mark.parametrize("folder", ["file", "file/new"])
def test_a_catalogue_is_not_begun_in_a_file(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").write_text("text", "utf-8")
    with pytest.raises(DataError, match=r"/file is a file, not a folder; name another folder$"):
        likewise.init(tmp_path / folder)
    assert (tmp_path / "file").read_text("utf-8") == "text"


LEARNING = ("train", "pretrain", "distill", "align", "adapt")
"""Stages that an older release did not have."""


def test_init_makes_a_repository_of_git_and_dvc(begun: Path) -> None:
    assert (begun / ".git").is_dir()
    config = (begun / ".dvc" / "config").read_text(encoding="utf-8")
    assert "reflink,hardlink,copy" in config
    assert "analytics = false" in config
    kept = ["*.lance", "/models/*/", "/reports/*.parquet", "/dvc_plots/"]
    ignored = (begun / ".gitignore").read_text(encoding="utf-8").split()
    assert ignored == ["/.likewise/", *kept]
    assert read_params(begun / "params.yaml").datasets == {}
    assert len(likewise.open(workspace=begun)) == 0


def test_init_adds_to_the_gitignore_of_a_repository_once(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("/data\n*.lance\n", encoding="utf-8")
    written = likewise.init(tmp_path)
    added = "/.likewise/, /models/*/, /reports/*.parquet, /dvc_plots/"
    assert f".gitignore (added {added})" in written
    lines = (tmp_path / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert lines == ["/data", "*.lance", *added.split(", ")]
    (tmp_path / ".gitignore").write_text("/data\n", encoding="utf-8")  # by its owner
    assert likewise.init(tmp_path) == []
    assert (tmp_path / ".gitignore").read_text(encoding="utf-8") == "/data\n"


def test_init_keeps_what_is_there(begun: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(begun, root)
    (root / "params.yaml").write_text(PARAMS, encoding="utf-8")
    (root / "dvc.yaml").unlink()
    (root / ".dvc" / "config").write_text("[core]\n", encoding="utf-8")
    added = "params.yaml (added trained, pretrained, distilled)"
    assert likewise.init(root) == ["dvc.yaml", added]
    assert (root / "params.yaml").read_text(encoding="utf-8").startswith(PARAMS)
    assert (root / ".dvc" / "config").read_text(encoding="utf-8") == "[core]\n"
    assert likewise.init(root) == []


FORGOTTEN = "stages.ingest.do.deps: catalog/${key}/forgotten.csv"


def test_init_completes_what_an_older_release_wrote(begun: Path) -> None:
    root = begun
    ours = (root / "dvc.yaml").read_text("utf-8")
    old = ours.replace("        - catalog/${key}/forgotten.csv\n", "")
    old = old[: old.index("  train:")] + old[old.index("  embed:") :]
    (root / "dvc.yaml").write_text(old, "utf-8")
    params = "# mine\nseed: 7\ndatasets: {}\nmodels: {}\nembeddings: {}\nruns: {}"
    (root / "params.yaml").write_text(params, "utf-8")
    added = [FORGOTTEN, *(f"stages.{name}" for name in LEARNING)]
    assert likewise.init(root) == [
        "params.yaml (added trained, pretrained, distilled)",
        f"dvc.yaml (added {', '.join(added[:5])} and {len(added) - 5} more)",
    ]
    assert (root / "dvc.yaml").read_text("utf-8") == ours
    text = (root / "params.yaml").read_text("utf-8")
    assert text.startswith(f"{params}\n\n# models that are trained here: name -> recipe")
    assert text.endswith("\ntrained: {}\npretrained: {}\ndistilled: {}\n")
    assert run_dvc(root, "stage", "list") == ""
    assert likewise.init(root) == []


def test_init_leaves_a_pipeline_of_ones_own(begun: Path) -> None:
    root = begun
    ours = (root / "dvc.yaml").read_text("utf-8")
    mine = ours.replace("        - catalog/${key}/forgotten.csv\n", "")
    mine = mine.replace("cmd: likewise view", "cmd: nice likewise view")
    mine += "  mine:  # for the paper\n    cmd: make figures\n    deps: [reports]\n"
    (root / "dvc.yaml").write_text(mine, "utf-8")
    added = "        - catalog/${key}/forgotten.csv\n"
    assert likewise.init(root) == [f"dvc.yaml (added {FORGOTTEN})"]
    text = (root / "dvc.yaml").read_text("utf-8")
    assert text.replace(added, "") == mine
    assert likewise.init(root) == []


def test_init_names_files_that_are_not_yaml(begun: Path) -> None:
    (begun / "dvc.yaml").write_text("stages: [", "utf-8")
    with pytest.raises(ConfigError, match=r"dvc.yaml: not YAML"):
        likewise.init(begun)
    (begun / "dvc.yaml").write_text("- a\n", "utf-8")
    with pytest.raises(ConfigError, match=r"dvc.yaml contains no stages"):
        likewise.init(begun)
    (begun / "dvc.yaml").write_text("", "utf-8")
    assert likewise.init(begun)[0].startswith("dvc.yaml (added vars, stages")


def test_init_below_a_repository_uses_that(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    root = tmp_path / "research" / "retrieval"
    assert "params.yaml" in likewise.init(root)
    assert not (root / ".git").exists()
    assert (root / ".dvc" / "config").is_file()


def test_a_later_init_reports_the_error_of_dvc(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("not a repository\n", encoding="utf-8")
    with pytest.raises(likewise.VersionError, match=r"^git init --quiet failed: fatal: "):
        likewise.init(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".git"]


def test_comments_stay_above_their_sections(tmp_path: Path, pictures: Path) -> None:
    root = tmp_path / "new"
    likewise.init(root)
    for name in ("a", "b", "c"):
        likewise.add(name, source="gpr1200", path=pictures, workspace=root)
    text = (root / "params.yaml").read_text(encoding="utf-8")
    for section in ("datasets", "models", "trained", "embeddings", "indexes", "checks", "runs"):
        assert text[: text.index(f"\n{section}:")].splitlines()[-1].startswith("# ")
    assert text.index("\n  c:\n") < text.index("\nmodels:")
