"""Commands while DVC works in the catalogue: each waits, or ends with one line."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

import likewise
from forked import run
from likewise.errors import VersionError
from likewise.storage import versions
from likewise.storage.workspace import Workspace

pytestmark = pytest.mark.dvc


@contextmanager
def repository_lock(root: Path) -> Iterator[None]:
    """Hold the lock of ``dvc pull`` and ``dvc checkout``."""
    from dvc.lock import make_lock

    (root / ".dvc" / "tmp").mkdir(exist_ok=True)
    with make_lock(str(root / ".dvc" / "tmp" / "lock")):
        yield


@contextmanager
def lock_of_outputs(root: Path) -> Iterator[None]:
    """Hold the locks of a stage that ``dvc repro`` runs, as a living process."""
    busy = {"pid": os.getpid(), "cmd": "dvc repro"}
    locks = {"write": {str(root / "catalog"): busy}, "read": {}}
    (root / ".dvc" / "tmp" / "rwlock").write_text(json.dumps(locks), "utf-8")
    yield
    (root / ".dvc" / "tmp" / "rwlock").unlink()


@pytest.mark.parametrize("lock", [repository_lock, lock_of_outputs])
def test_doctor_names_a_running_dvc_and_no_fault(
    alice: Path, lock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dvc.lock.DEFAULT_TIMEOUT", 0.1)
    with lock(alice):  # type: ignore[operator]
        (problem,) = likewise.doctor(workspace=alice)
    assert (problem.check, problem.command) == ("busy", "likewise doctor")
    assert not problem.is_fault
    assert likewise.doctor(workspace=alice) == []


def test_a_command_that_needs_the_lock_ends_with_one_line(
    alice: Path, bob: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dvc.lock.DEFAULT_TIMEOUT", 0.1)
    ws = Workspace(alice)
    with ExitStack() as locks:
        locks.enter_context(repository_lock(bob))
        locks.enter_context(repository_lock(alice))
        with pytest.raises(VersionError, match="another process of DVC") as of_pull:
            likewise.pull(workspace=bob)
        with pytest.raises(VersionError, match="another process of DVC") as of_record:
            versions.record_outputs(ws, ["publish@emoji"], [])
        assert likewise.query("select count(*) from emoji", workspace=alice).frame.item() == 23
    for caught in (of_pull, of_record):
        assert len(str(caught.value).splitlines()) == 1
    likewise.pull(workspace=bob)
    assert likewise.doctor(workspace=bob) == []


def test_dvc_itself_refuses_a_second_process(alice: Path) -> None:
    with lock_of_outputs(alice):
        second = run(alice, "dvc", "repro", "--force", "publish@emoji")
    assert second.returncode != 0
    errors = [line for line in second.stderr.splitlines() if line.startswith("ERROR: ")]
    assert len(errors) == 1
    assert "is busy, it is being blocked by" in errors[0]
    assert "Traceback" not in second.stderr
