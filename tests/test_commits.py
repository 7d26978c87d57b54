"""A commit is complete or has no effect, at whatever moment its process is killed."""

import multiprocessing
import os
from pathlib import Path

import pytest

from likewise.errors import DataError
from likewise.formats import atomic
from likewise.storage import journal
from likewise.storage.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    (tmp_path / "catalog").mkdir()
    (tmp_path / "params.yaml").touch()
    return Workspace(tmp_path)


def stage(ws: Workspace, version: str) -> journal.Staging:
    """Make three outputs, two of them folders, that contain their version."""
    staging = journal.Staging(ws, "job")
    for name in ("images", "items"):
        folder = staging.path(ws.table("birds", name))
        folder.mkdir()
        (folder / "data").write_text(version)
    atomic.write_text(staging.path(ws.digests("birds", "items")), version)
    return staging


def versions(ws: Workspace) -> set[str]:
    files = [
        ws.table("birds", "images") / "data",
        ws.table("birds", "items") / "data",
        ws.digests("birds", "items"),
    ]
    return {path.read_text() if path.exists() else "none" for path in files}


def test_everything_moves_into_place(ws: Workspace) -> None:
    stage(ws, "1").commit()
    assert versions(ws) == {"1"}
    stage(ws, "2").commit()
    assert versions(ws) == {"2"}
    assert not ws.staging("job").exists()
    left = {path.name: list(path.iterdir()) for path in ws.private.iterdir()}
    assert [names for name, names in left.items() if name != "locks"] == [[], [], []]


def test_what_is_not_committed_changes_nothing(ws: Workspace) -> None:
    stage(ws, "1").commit()
    stage(ws, "2")
    journal.recover(ws)
    assert versions(ws) == {"1"}


def die_at_move(root: Path, deadly: int) -> None:
    """Commit version 2 in a process that is killed at rename number ``deadly``."""
    ws, count = Workspace(root), 0
    staging = stage(ws, "2")
    rename, replace = Path.rename, Path.replace

    def counted(self: Path, target: Path) -> Path:
        nonlocal count
        count += 1
        if count == deadly:
            os._exit(9)
        return replace(self, target)

    Path.rename = Path.replace = counted  # type: ignore[method-assign,assignment]
    try:
        staging.commit()
    finally:
        Path.rename, Path.replace = rename, replace  # type: ignore[method-assign]


@pytest.mark.filterwarnings("ignore:lance is not fork-safe")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
@pytest.mark.parametrize("deadly", range(1, 8))
def test_a_killed_commit_is_finished_or_never_was(ws: Workspace, deadly: int) -> None:
    stage(ws, "1").commit()
    process = multiprocessing.get_context("fork").Process(
        target=die_at_move, args=(ws.root, deadly)
    )
    process.start()
    process.join()
    journal.recover(ws)
    assert versions(ws) == ({"1"} if deadly == 1 else {"2"})
    stage(ws, "3").commit()
    assert versions(ws) == {"3"}


def test_one_process_does_a_job_at_a_time(ws: Workspace) -> None:
    with journal.exclusive_job(ws, "ingest-birds"):
        refused = pytest.raises(
            DataError, match=f"ingest-birds is running in process {os.getpid()} on"
        )
        with refused, journal.exclusive_job(ws, "ingest-birds"):
            pass
        with journal.exclusive_job(ws, "ingest-cars"):
            pass
    with journal.exclusive_job(ws, "ingest-birds"):
        pass


def test_only_what_is_named_is_kept_of_a_killed_run(ws: Workspace) -> None:
    folder = journal.Staging(ws, "job").folder
    (folder / "images.lance").mkdir()
    (folder / "items.lance").mkdir()
    (folder / "digests").touch()
    journal.Staging(ws, "job", keep=("images.lance",))
    assert [path.name for path in folder.iterdir()] == ["images.lance"]


def die_at_the_end(root: Path) -> None:
    """Commit version 2 in a process that is killed when it removes the journal."""
    staging = stage(Workspace(root), "2")
    Path.unlink = lambda *_, **__: os._exit(9)  # type: ignore[method-assign]
    staging.commit()


@pytest.mark.filterwarnings("ignore:lance is not fork-safe")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_commit_that_is_killed_last_leaves_no_old_version(ws: Workspace) -> None:
    stage(ws, "1").commit()
    process = multiprocessing.get_context("fork").Process(
        target=die_at_the_end, args=(ws.root,)
    )
    process.start()
    process.join()
    assert process.exitcode == 9
    journal.recover(ws)
    assert versions(ws) == {"2"}
    assert not ws.trash("job").exists()
    assert not ws.staging("job").exists()
