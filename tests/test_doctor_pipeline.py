"""Faults of dvc.yaml, dvc.lock, libraries and stages, which doctor names."""

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import likewise
from doctor_findings import edit, found
from likewise.steps.doctor import environment
from likewise.storage.versions import run_git

pytestmark = pytest.mark.dvc


def test_a_library_of_another_release(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(environment.KNOWN_TO_WORK, "polars", "99")
    ((what, command),) = found("library")
    assert "likewise was tested with 99" in what
    assert command == "pip install 'polars==99.*'"


def test_an_edited_pipeline(recorded: Path) -> None:
    with (recorded / "dvc.yaml").open("a", encoding="utf-8") as file:
        file.write("  mine:\n    cmd: echo mine\n")
    assert found("dvc") == [("1 stage is out of date: mine", "dvc repro")]
    edit(recorded / "dvc.yaml", ("cmd: likewise view", "cmd: my-own view"))
    ((what, command), _) = found("dvc")
    changed = ", ".join(f"stages.{name}.do.cmd" for name in ("view", "filter", "select"))
    assert what.endswith(f"from that of this release of likewise: {changed}")
    assert command == "mv dvc.yaml dvc.yaml.old && likewise init"


def test_a_catalogue_of_an_older_release(recorded: Path) -> None:
    edit(recorded / "dvc.yaml", ("        - catalog/${key}/forgotten.csv\n", ""))
    edit(recorded / "params.yaml", ("pretrained: {}\n", ""))
    place = "stages.ingest.do.deps: catalog/${key}/forgotten.csv"
    assert [problem for problem in found("dvc") if problem[1] == "likewise init"] == [
        ("params.yaml lacks sections that dvc.yaml needs: pretrained", "likewise init"),
        (f"dvc.yaml lacks parts that this release needs: {place}", "likewise init"),
    ]
    likewise.init(recorded)
    assert found("dvc") == []


def test_git_restores_a_dvc_yaml_that_was_cut(recorded: Path) -> None:
    path = recorded / "dvc.yaml"
    whole = path.read_text("utf-8")
    run_git(recorded, "add", "dvc.yaml")
    run_git(recorded, "commit", "--quiet", "--message", "Add the pipeline")
    path.write_text(whole[: whole.index("items.yaml: [contents]")], "utf-8")
    ((what, command), *_) = found("dvc")
    assert what.startswith("dvc.yaml lacks parts that this release needs: ")
    assert command == "git stash push -- dvc.yaml"
    run_git(recorded, *shlex.split(command)[1:])
    assert path.read_text("utf-8") == whole
    assert found("dvc") == []


def test_a_lock_file_with_keys_that_dvc_does_not_know(recorded: Path) -> None:
    edit(recorded / "dvc.lock", ("nfiles: ", "nfiler: "))
    ((what, command),) = found("dvc")
    assert "dvc.lock' validation failed" in what
    assert command == "mv dvc.lock old.lock && dvc commit --force"
    run_git(recorded, "add", "dvc.lock")
    ((_, command),) = found("dvc")
    assert command == "git restore dvc.lock"


def test_stages_that_are_out_of_date(recorded: Path) -> None:
    edit(recorded / "emoji" / "categories.json", ("house", "home"))
    assert found("dvc") == [("1 stage is out of date: ingest@emoji", "dvc repro")]


BROKEN: list[Callable[[Path], object]] = [
    lambda root: shutil.rmtree(root / ".dvc"),
    lambda root: (root / "dvc.yaml").unlink(),
]


@pytest.mark.parametrize("spoil", BROKEN, ids=["no .dvc", "no dvc.yaml"])
def test_no_pipeline(recorded: Path, spoil: Callable[[Path], object]) -> None:
    spoil(recorded)
    assert found("dvc")[0][1] == "likewise init"
    likewise.init(recorded)
    assert "likewise init" not in [command for _, command in found("dvc")]


def test_a_new_data_set_is_one_line(recorded: Path) -> None:
    likewise.add("more", source="gpr1200", path=recorded / "emoji" / "images")
    problems = [p for p in likewise.doctor() if p.check not in ("library", "views")]
    (problem,) = problems
    assert problem.command == "dvc repro"
    assert problem.what.startswith("8 stages have not run yet: prepare@more, ")


def test_an_entry_written_by_hand_needs_only_dvc_repro(recorded: Path) -> None:
    path = recorded / "params.yaml"
    text = path.read_text("utf-8")
    renamed = text.replace("  emoji: {path", "  own: {path")
    path.write_text(renamed.replace("dataset: emoji", "dataset: own"), "utf-8")
    with pytest.raises(likewise.MissingArtefactError, match="likewise rename emoji own"):
        likewise.show("own")
    path.write_text(
        text.replace(
            "datasets:\n",
            "datasets:\n  own: {path: emoji/images, annotations: emoji/images}\n",
            1,
        ),
        "utf-8",
    )
    shutil.copy("catalog/emoji.yaml", "catalog/own.yaml")
    (what,) = [what for what, command in found("missing") if command == "dvc repro"]
    assert "prepare@own, ingest@own, publish@own" in what
    assert found("card") == []


def test_corrections_that_were_removed(recorded: Path) -> None:
    (recorded / "catalog" / "emoji" / "corrections.csv").unlink()
    ((what, command),) = found("card")
    assert what == (
        "data set 'emoji' lacks catalog/emoji/corrections.csv, which its stages depend on"
    )
    assert command == "likewise prepare emoji"
    assert likewise.prepare("emoji") == ["catalog/emoji/corrections.csv"]
    assert found("card") == []


@pytest.mark.parametrize(
    ("name", "damaged"),
    [
        ("dvc.yaml", lambda data: data + b"# \xad"),
        ("dvc.yaml", lambda data: data.replace(b"cmd: likewise measure", b"cMd: x")),
        (".dvcignore", lambda data: data + b"# \xad"),
        (".dvc/config", lambda data: data + b"[remote"),
    ],
)
def test_a_file_that_dvc_cannot_read_is_edited(
    recorded: Path, name: str, damaged: Callable[[bytes], bytes]
) -> None:
    (recorded / name).write_bytes(damaged((recorded / name).read_bytes()))
    commands = {problem.command for problem in likewise.doctor()}
    assert f"edit {name}" in commands
    assert commands <= {f"edit {name}", "likewise init"}
