"""A killed merge is undone, and only locks of its own git process are removed."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from likewise.catalogue import stopped_merge
from likewise.errors import DataError
from likewise.storage import under_way, versions
from likewise.storage.versions import run_git
from likewise.storage.workspace import Workspace


@pytest.mark.parametrize("running", [True, False])
def test_the_lock_of_a_git_process_is_removed_after_its_end(
    running: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_way, "_PATIENCE_SECONDS", 0.1)
    ws = nested_catalogue(tmp_path / "lab")
    lock = tmp_path / "lab" / ".git" / "index.lock"
    under_way.begin(ws, "merge", head="", other="", branch="theirs")

    inherited: list[int] = []

    def killed(_root: Path, *_words: str, watch: versions.Watch) -> str:
        lock.touch()
        if running:
            inherited.append(os.dup(watch.descriptor))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("likewise.storage.under_way.versions.run_git", killed)
        with pytest.raises(KeyboardInterrupt):
            under_way.run_git(ws, "merge", "reset")
    if running:
        with pytest.raises(DataError, match="another git process may hold"):
            under_way.remove_locks_of_git(ws, "merge")
    else:
        under_way.remove_locks_of_git(ws, "merge")
    assert lock.exists() == running
    for descriptor in inherited:
        os.close(descriptor)


def test_git_holds_the_lock_of_its_record_and_the_end_removes_all_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_way, "_PATIENCE_SECONDS", 0.1)
    ws = nested_catalogue(tmp_path / "lab")
    folder, lock = ws.lock_file("merge.git").parent, tmp_path / "lab" / ".git" / "index.lock"
    under_way.begin(ws, "merge", head="", other="", branch="theirs")
    words = ("-c", f"alias.slow=!touch {lock}; sleep 60", "slow")
    code = (
        "import sys; from pathlib import Path; from likewise.storage import under_way; "
        "from likewise.storage.workspace import Workspace; "
        "under_way.run_git(Workspace(Path(sys.argv[1])), 'merge', *sys.argv[2:])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(ws.root), *words], start_new_session=True
    )
    while not lock.exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    left = folder / ".merge.git.0123abcd.part"
    left.touch()
    with pytest.raises(DataError, match="another git process may hold"):
        under_way.remove_locks_of_git(ws, "merge")
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    until_free(ws.lock_file("merge.git"))
    under_way.remove_locks_of_git(ws, "merge")
    under_way.end(ws, "merge")
    assert not lock.exists()
    assert not [
        path.name for path in folder.iterdir() if path.name.startswith((".m", "merge."))
    ]


def test_only_temporary_files_of_the_killed_merge_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_way, "_PATIENCE_SECONDS", 0.1)
    top = tmp_path / "lab"
    ws = nested_catalogue(top)
    mine, deeper = top / ".merge_file_mine", ws.root / ".merge_file_deeper"
    left = [top / f".merge_file_{name}" for name in ("a1B2c3", "d4E5f6")]
    for path in (mine, deeper):
        path.write_text("mine", "utf-8")
        os.utime(path, (1, 1))
    under_way.begin(ws, "merge", head="", other="", branch="theirs")

    def killed(_root: Path, *_words: str, watch: versions.Watch) -> str:
        for path in left:
            path.write_text("half", "utf-8")
        watch.beat()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("likewise.storage.under_way.versions.run_git", killed)
        with pytest.raises(KeyboardInterrupt):
            under_way.run_git(ws, "merge", "merge")
    later = top / ".merge_file_later"
    later.write_text("mine too", "utf-8")
    os.utime(later, ns=(later.stat().st_mtime_ns + 10**10,) * 2)
    under_way.remove_locks_of_git(ws, "merge")
    assert not [path for path in left if path.exists()]
    assert [path.read_text("utf-8") for path in (mine, deeper, later)] == [
        "mine",
        "mine",
        "mine too",
    ]


@pytest.mark.parametrize("recorded", [True, False])
def test_a_killed_merge_is_undone_in_a_catalogue_below_the_top_folder(
    recorded: bool, tmp_path: Path
) -> None:
    top = tmp_path / "lab"
    ws = nested_catalogue(top)
    added = [top / "notes.txt", ws.root / "added.txt", ws.root / "docs" / "more.txt"]
    run_git(top, "checkout", "--quiet", "-b", "theirs")
    for path in added:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("theirs", "utf-8")
    run_git(top, "add", "--all")
    run_git(top, "commit", "--quiet", "--message", "theirs")
    run_git(top, "checkout", "--quiet", "ours")
    head, other = (versions.resolve(top, name) for name in ("HEAD", "theirs"))
    under_way.begin(ws, stopped_merge.JOB, head=head, other=other, branch="theirs")
    if recorded:
        run_git(top, "merge", "--quiet", "--no-commit", "--no-ff", "theirs")
    else:  # git was killed before it wrote the index
        run_git(top, "checkout", "theirs", "--", ".")
        run_git(top, "reset", "--quiet")
    ws.params_file.write_text(
        "datasets: {birds: {path: birds, annotations: birds.csv}}  # mine\n", "utf-8"
    )
    with pytest.raises(DataError, match=r"uncommitted changes: work/params\.yaml"):
        stopped_merge.undo(ws)
    run_git(top, "checkout", "--quiet", "HEAD", "--", "work/params.yaml")
    ws.corrections("birds").write_text("carried", "utf-8")  # the merge writes it itself
    stopped_merge.undo(ws)
    assert not [path for path in added if path.exists()]
    assert run_git(top, "status", "--porcelain") == ""
    run_git(top, "merge", "--quiet", "--no-edit", "theirs")


def until_free(path: Path) -> None:
    """Wait until no process holds the lock of a file."""
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)


def nested_catalogue(top: Path) -> Workspace:
    """Make a repository whose branch ``ours`` has a catalogue in the folder ``work``."""
    (top / "work").mkdir(parents=True)
    run_git(top, "init", "--quiet", "--initial-branch", "ours")
    (top / "work" / "params.yaml").write_text(
        "datasets: {birds: {path: birds, annotations: birds.csv}}\n", "utf-8"
    )
    ws = Workspace(top / "work")
    ws.corrections("birds").parent.mkdir(parents=True)
    ws.corrections("birds").write_text("ours", "utf-8")
    (top / ".gitignore").write_text(".likewise\n", "utf-8")
    run_git(top, "add", "--all")
    run_git(top, "commit", "--quiet", "--message", "ours")
    return ws
