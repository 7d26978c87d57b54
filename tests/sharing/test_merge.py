"""Merge two branches that both corrected labels: real git, with the driver of init."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import likewise
from catalogues import once, sign
from forked import PROGRAMS, run_dvc
from likewise.catalogue import corrections
from likewise.catalogue.corrections import Key
from likewise.errors import DataError, UnknownNameError
from likewise.storage import under_way, versions
from likewise.storage.config import read_yaml
from likewise.storage.versions import outputs, run_git
from likewise.storage.workspace import Workspace

LEFT = shutil.ignore_patterns("site", "views")
"""Files that a copy of a catalogue makes again."""

EMOJI = Path(__file__).parents[2] / "samples" / "emoji" / "images"

pytestmark = [pytest.mark.dvc, pytest.mark.torch, pytest.mark.usefixtures("forked_python")]


def branch(root: Path, name: str, labels: dict[str, str]) -> None:
    """Make a branch from v2 with these corrections, published and recorded."""
    run_git(root, "checkout", "--quiet", "-b", name, "v2")
    for item, label in labels.items():
        likewise.correct("emoji", [item], {"label": label, "text": label}, workspace=root)
    likewise.publish("emoji", workspace=root)
    likewise.evaluate("emoji-tiny", workspace=root)
    run_dvc(root, "commit", "--quiet", "--force")
    run_git(root, "commit", "--quiet", "--all", "--message", name)


def labels(root: Path, dataset: str = "emoji") -> dict[str, str | None]:
    """Items, columns and corrected values."""
    found = corrections.read(Workspace(root).corrections(dataset))
    return {key.item_id: value.value for key, value in found.items() if key.column == "label"}


@pytest.fixture(scope="module")
def _branches(_team: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make two branches that agree except for one item; ``ours`` is checked out."""

    def make(top: Path) -> None:
        shutil.copytree(_team, top, symlinks=True, ignore=LEFT, dirs_exist_ok=True)
        both = {"0_noto.jpg": "200", "200_noto.jpg": "0"}
        branch(top / "alice", "theirs", {**both, "400_noto.jpg": "0"})
        branch(top / "alice", "ours", {**both, "600_noto.jpg": "0"})

    with pytest.MonkeyPatch.context() as patch:
        sign(patch, tmp_path_factory.mktemp("signed"))
        return once(tmp_path_factory, "branches", make)


@pytest.fixture
def branches(_branches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the catalogue with both branches for one test, and make it the current folder."""
    top = tmp_path / "team"
    shutil.copytree(_branches, top, symlinks=True, ignore=LEFT)
    sign(monkeypatch, top)
    monkeypatch.chdir(top / "alice")
    return top / "alice"


def test_both_sides_corrections_are_kept(branches: Path) -> None:
    done = likewise.merge("theirs")
    assert (done.settled, done.carried, done.notes) == (0, 0, [])
    assert labels(branches) == {
        "0_noto.jpg": "200",
        "200_noto.jpg": "0",
        "400_noto.jpg": "0",
        "600_noto.jpg": "0",
    }
    assert run_git(branches, "status", "--porcelain") == ""
    assert isinstance(read_yaml(branches / "dvc.lock"), dict)
    assert "catalog/emoji.lance" in outputs(branches)
    changed = run_dvc(branches, "status", "publish@emoji")
    assert "corrections.csv" in changed  # so that dvc repro publishes both
    likewise.publish("emoji")
    found = likewise.query("select item_id from emoji where label = '0' order by item_id")
    assert {"200_noto.jpg", "400_noto.jpg", "600_noto.jpg"} < set(found["item_id"])
    assert likewise.merge("theirs").commit == ""


def test_modules_in_the_catalogue_are_not_imported(branches: Path) -> None:
    code = f"open({str(branches.parent / 'imported')!r}, 'w')\n"
    for name in ("likewise/__init__.py", "json.py", "csv.py"):
        (branches / name).parent.mkdir(exist_ok=True)
        (branches / name).write_text(code, "utf-8")
    run_git(branches, "add", "--all")
    run_git(branches, "commit", "--quiet", "--message", "modules")
    likewise.merge("theirs")  # git starts the merge driver in the catalogue
    assert labels(branches)["400_noto.jpg"] == "0"
    words = [sys.executable, "-P", "-m", "likewise", "list"]
    assert subprocess.run(words, cwd=branches, check=False).returncode == 0
    assert not (branches.parent / "imported").exists()


def test_plain_git_merges_by_the_driver(
    branches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}")
    run_git(branches, "merge", "--quiet", "--no-edit", "theirs")
    assert len(labels(branches)) == 4


def test_a_conflict_is_listed_and_nothing_is_merged(branches: Path) -> None:
    likewise.correct("emoji", ["400_noto.jpg"], {"label": "1000", "text": "0"})
    with pytest.raises(DataError, match=r"uncommitted changes: catalog/emoji/corrections.csv"):
        likewise.merge("theirs")
    run_git(branches, "commit", "--quiet", "--all", "--message", "another opinion")
    before = run_git(branches, "rev-parse", "HEAD")
    with pytest.raises(DataError) as caught:
        likewise.merge("theirs")
    assert str(caught.value) == (
        "1 value changed on both sides: emoji: label of '400_noto.jpg' is '1000' here, "
        "'0' there; nothing was merged; choose a side: --ours or --theirs"
    )
    assert run_git(branches, "rev-parse", "HEAD") == before
    assert run_git(branches, "status", "--porcelain") == ""
    run_git(branches, "branch", "again")
    assert likewise.merge("theirs", prefer="theirs").settled == 1
    assert labels(branches)["400_noto.jpg"] == "0"
    run_git(branches, "checkout", "--quiet", "again")
    assert likewise.merge("theirs", prefer="ours").settled == 1
    assert labels(branches)["400_noto.jpg"] == "1000"


def test_what_the_other_source_says_otherwise_is_carried(alice: Path) -> None:
    """Both sides ingested another source: items are compared by id, in three ways."""
    source, images = alice / "emoji" / "categories.json", alice / "emoji" / "images"
    for name, gone in (("theirs", "600_noto.jpg"), ("ours", "800_noto.jpg")):
        run_git(alice, "checkout", "--quiet", "-b", name, "v2")
        (images / gone).unlink()
        if name == "theirs":
            text = source.read_text("utf-8")
            source.write_text(text.replace('"200": "', '"200": "a '), "utf-8")
        likewise.ingest("emoji")
        likewise.publish("emoji")
        run_dvc(alice, "commit", "--quiet", "--force")
        run_git(alice, "add", "--all")
        run_git(alice, "commit", "--quiet", "--message", name)
    done = likewise.merge("theirs")
    assert done.carried == 4
    (note,) = done.notes
    assert "only the other side's source no longer has 1 item (600_noto.jpg)" in note
    made = corrections.read(Workspace(alice).corrections("emoji"))
    assert {key.column for key in made} == {"text"}
    assert str(made[Key("200_noto.jpg", "text")].value).startswith("a ")


def test_an_unknown_branch(alice: Path) -> None:
    with pytest.raises(UnknownNameError, match="no revision named 'thiers'"):
        likewise.merge("thiers")


@pytest.fixture
def birds(team: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a catalogue of three drawings that a CSV file lists, recorded and committed."""
    root = team / "birds"
    (team / "images").mkdir()
    for name in ("0_noto", "200_noto", "400_noto"):
        shutil.copy(EMOJI / f"{name}.jpg", team / "images")
    tell(root, "path,label", "0_noto.jpg,owl", "200_noto.jpg,owl", "400_noto.jpg,owl")
    (root / "catalog").mkdir(parents=True)
    empty = ("trained", "pretrained", "distilled", "models", "embeddings", "indexes", "runs")
    params = "seed: 0\ndatasets:\n  birds: {path: ../images, annotations: ../images}\n"
    params += "".join(f"{section}: {{}}\n" for section in empty)
    (root / "params.yaml").write_text(params, "utf-8")
    card = "title: Birds\nsource: {kind: csv}\nlicence: {spdx: CC0-1.0}\n"
    (root / "catalog" / "birds.yaml").write_text(card, "utf-8")
    likewise.init(root)
    monkeypatch.chdir(root)
    record(root, "one")
    run_git(root, "branch", "ours")
    run_git(root, "branch", "theirs")
    run_git(root, "checkout", "--quiet", "ours")
    return root


def tell(root: Path, *lines: str) -> None:
    """Write the CSV file."""
    (root.parent / "images" / "items.csv").write_text("\n".join(lines) + "\n", "utf-8")


def record(root: Path, message: str) -> None:
    """Ingest, publish and commit."""
    likewise.ingest("birds")
    likewise.publish("birds")
    run_dvc(root, "commit", "--quiet", "--force", "ingest@birds", "publish@birds")
    run_git(root, "add", "--all")
    run_git(root, "commit", "--quiet", "--message", message)


def test_a_merge_of_items_with_other_columns(birds: Path) -> None:
    tell(birds, "path,label", "0_noto.jpg,jay", "200_noto.jpg,owl", "400_noto.jpg,owl")
    record(birds, "ours")
    run_git(birds, "checkout", "--quiet", "theirs")
    tell(
        birds,
        "path,label,colour",
        "0_noto.jpg,owl,red",
        "200_noto.jpg,kite,red",
        "400_noto.jpg,owl,",
    )
    record(birds, "theirs")
    likewise.correct("birds", ["400_noto.jpg"], {"colour": "blue"})
    run_git(birds, "commit", "--quiet", "--all", "--message", "a colour")
    run_git(birds, "checkout", "--quiet", "ours")
    run_dvc(birds, "checkout", "--quiet")
    done = likewise.merge("theirs")
    (note,) = done.notes
    assert note.startswith("birds: only the other side's source has 1 column (colour); ingest")
    assert labels(birds, "birds") == {"200_noto.jpg": "kite"}
    likewise.publish("birds")
    items = likewise.open("birds").items
    assert items["label"].to_list() == ["jay", "kite", "owl"]
    assert "colour" not in items.columns  # before it is ingested, and then corrected
    tell(
        birds, "path,label,colour", "0_noto.jpg,jay,", "200_noto.jpg,owl,", "400_noto.jpg,owl,"
    )
    likewise.ingest("birds")
    likewise.publish("birds")
    items = likewise.open("birds").items
    assert items["label"].to_list() == ["jay", "kite", "owl"]
    assert items["colour"].to_list() == [None, None, "blue"]


@pytest.mark.parametrize("last", ["merge", "commit"])
def test_a_merge_that_was_killed_is_completed_by_the_next(
    branches: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    def killed(root: Path, *words: str, watch: versions.Watch | None = None) -> str:
        done = "" if last == words[0] == "commit" else run_git(root, *words, watch=watch)
        if last in words:
            (root / ".git" / "index.lock").touch()
            assert watch
            watch.beat()
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(under_way, "_PATIENCE_SECONDS", 0.1)
    with monkeypatch.context() as patch:
        patch.setattr("likewise.steps.merge.versions.run_git", killed)
        with pytest.raises(KeyboardInterrupt):
            likewise.merge("theirs")
    lock = branches / ".git" / "index.lock"
    made = lock.stat().st_mtime
    lock.unlink()
    assert run_git(branches, "status", "--porcelain")
    with pytest.raises(DataError, match="a merge was stopped; complete it: likewise merge the"):
        likewise.release("emoji", "1")
    lock.touch()
    os.utime(lock, (made + 60, made + 60))
    with pytest.raises(
        DataError, match=r"another git process may hold .*run: rm .*index.lock$"
    ):
        likewise.merge("theirs")
    assert lock.exists()
    os.utime(lock, (made, made))
    assert likewise.merge("theirs").commit
    assert labels(branches)["400_noto.jpg"] == "0"
    assert run_git(branches, "status", "--porcelain") == ""
