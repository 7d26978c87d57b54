"""Full disks, read-only folders, other paths, other owners, uncommitted changes."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import likewise
from disks import Disk
from forked import run_dvc
from likewise.errors import LikewiseError, MissingArtefactError, VersionError
from likewise.storage.versions import Store, outputs, run_git
from servers import settle

pytestmark = [pytest.mark.dvc, pytest.mark.torch]

READS: dict[str, Callable[[], object]] = {
    "open": lambda: likewise.open("emoji").items,
    "images": lambda: likewise.open("emoji").images(["0_noto.jpg"]),
    "an earlier version": lambda: likewise.open("emoji", rev="v1").items,
    "list": likewise.datasets,
    "show": lambda: likewise.show("emoji"),
    "query": lambda: likewise.query("select count(*) from emoji"),
    "search": lambda: likewise.search("emoji", id="0_noto.jpg"),
    "log": lambda: likewise.log("emoji"),
    "diff": lambda: likewise.diff("emoji", "v1", "v2"),
    "why": lambda: likewise.why("tiny"),
    "findings": lambda: likewise.findings("emoji"),
    "evaluate an earlier version": lambda: likewise.evaluate("emoji-tiny", rev="v1"),
    "doctor": likewise.doctor,
    "push what is there": likewise.push,
}
WRITES: dict[str, Callable[[], object]] = {
    "correct": lambda: likewise.correct("emoji", ["0_noto.jpg"], {"label": "200"}),
    "ingest": lambda: likewise.ingest("emoji"),
    "embed": lambda: likewise.embed("emoji", "tiny"),
    "publish": lambda: likewise.publish("emoji"),
    "evaluate": lambda: likewise.evaluate("emoji-tiny"),
    "index": lambda: likewise.index("emoji", "tiny", "exact"),
    "report": lambda: likewise.report("emoji-tiny"),
    "export": lambda: likewise.export("emoji", "folder", Path("out")),
    "release": lambda: likewise.release("emoji", "1"),
    "merge": lambda: likewise.merge("other"),
    "pull": likewise.pull,
    "init": likewise.init,
}


def test_a_read_only_checkout_is_read_and_not_written(
    team: Path, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_git(team / "alice", "checkout", "--quiet", "-b", "other")
    run_git(team / "alice", "commit", "--quiet", "--allow-empty", "--message", "nothing")
    run_git(team / "alice", "checkout", "--quiet", "main")
    disk.mount(64 << 20)
    shutil.copytree(team, disk.place / "team", symlinks=True)
    disk.change("ro")
    monkeypatch.chdir(disk.place / "team" / "alice")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    for does in READS.values():
        does()
    for name, does in WRITES.items():
        with pytest.raises(LikewiseError, match=r"(?i)read-only file system") as caught:
            does()
        assert len(str(caught.value).splitlines()) == 1, name


def test_a_full_remote_is_reported_and_filled_later(team: Path, disk: Disk) -> None:
    alice, remote = team / "alice", disk.place / "remote"
    disk.mount(300_000)
    settle(alice, "team", url=remote)
    with pytest.raises(VersionError, match="no space left on the device; nothing was changed"):
        likewise.push()
    disk.change(f"size={64 << 20}")
    assert likewise.push().files > 0
    run_git(team, "clone", "--quiet", "git", "bob")
    settle(team / "bob", "team", url=remote)
    likewise.pull(workspace=team / "bob")
    assert run_dvc(team / "bob", "diff") == ""


def test_a_full_disk_stops_a_pull_that_resumes_later(team: Path, disk: Disk) -> None:
    disk.mount(16 << 20)
    bob = disk.place / "bob"
    run_git(team, "clone", "--quiet", "git", str(bob))
    settle(bob, "team", url=team / "remote")
    rest = disk.place / "rest"
    rest.write_bytes(bytes(shutil.disk_usage(bob).free - 400_000))
    with pytest.raises(VersionError, match="no space left on the device") as caught:
        likewise.pull(workspace=bob)
    assert len(str(caught.value).splitlines()) == 1
    rest.unlink()
    assert likewise.pull(workspace=bob).files > 0
    assert len(likewise.open("emoji", workspace=bob).items) == 23
    assert run_dvc(bob, "diff") == ""


def test_a_clone_may_move(team: Path, bob: Path) -> None:
    likewise.pull(workspace=bob)
    likewise.index("emoji", "tiny", "exact", workspace=bob)
    likewise.open("emoji", rev="v1", workspace=bob).items.clear()
    moved = bob.rename(team / "a place with spaces")
    dataset = likewise.open("emoji", workspace=moved)
    assert len(dataset.search(id="0_noto.jpg", k=100)) == 22
    assert len(dataset.images(["0_noto.jpg"])) == 1
    assert len(likewise.open("emoji", rev="v1", workspace=moved).items) == 24
    assert run_dvc(moved, "status") == "Data and pipelines are up to date.\n"
    assert likewise.doctor(workspace=moved) == []
    assert likewise.push(workspace=moved).files == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_checkout_of_another_user(alice: Path) -> None:
    """Its tables are read; git refuses the history of another user's folder by default."""
    for path in (alice, *alice.rglob("*")):
        os.chown(path, 65534, 65534, follow_symlinks=False)
    assert len(likewise.open("emoji").items) == 23
    said = (
        rf"detected dubious ownership.*; run: git config --global --add safe\.directory {alice}"
    )
    with pytest.raises(VersionError, match=said):
        likewise.open("emoji", rev="v1")


def test_what_dvc_does_not_know_is_kept_by_a_pull(alice: Path, bob: Path) -> None:
    likewise.pull(workspace=bob)
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "200"}, workspace=bob)
    likewise.publish("emoji", workspace=bob)
    with pytest.raises(
        VersionError, match=r"all files are pulled, but .* to store them, run: dvc commit"
    ):
        likewise.pull(workspace=bob)
    items = likewise.open("emoji", workspace=bob).items
    assert items.filter(item_id="0_noto.jpg")["label"].to_list() == ["200"]
    run_dvc(bob, "checkout", "--force")
    assert likewise.open("emoji", workspace=bob).items.equals(likewise.open("emoji").items)


def test_a_file_that_is_nowhere_is_named_with_what_makes_it_again(alice: Path) -> None:
    store, table = Store(alice), alice / "catalog" / "emoji.lance"
    members = store.members(outputs(alice)["catalog/emoji.lance"]) or {}
    run_dvc(alice, "remote", "remove", "team")
    store.drop(next(md5 for path, md5 in members.items() if path.startswith("data/")))
    shutil.rmtree(table)
    shutil.rmtree(alice / ".likewise")
    with pytest.raises(MissingArtefactError, match="run: dvc repro publish@emoji"):
        likewise.open("emoji").items  # noqa: B018
    for does in (lambda: likewise.open("emoji", rev="HEAD").items, likewise.pull):
        with pytest.raises(VersionError, match="there is no remote; run: dvc remote add"):
            does()
    (missing,) = likewise.doctor()
    assert missing.command == "dvc repro publish@emoji"
    assert likewise.publish("emoji").items == 23
