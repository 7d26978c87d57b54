"""DVC reads dvc.yaml and dvc.lock as often for all outputs as for one."""

from pathlib import Path
from typing import Any

import pytest
from dvc.utils import strictyaml

from likewise.storage.versions import outputs
from likewise.storage.versions.dvc_repository import check_out
from likewise.storage.versions.lock_stages import (
    changed_dependencies,
    record_outputs,
    recorded_stages,
)
from likewise.storage.workspace import Workspace

pytestmark = pytest.mark.dvc


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of the pipeline that DVC reads."""
    files: list[str] = []
    load = strictyaml.load

    def noted(path: str, *rest: Any, **options: Any) -> Any:
        files.append(Path(path).name)
        return load(path, *rest, **options)

    monkeypatch.setattr(strictyaml, "load", noted)
    return files


def test_a_checkout_of_all_outputs(recorded: Path, read: list[str]) -> None:
    paths = sorted(outputs(recorded))
    assert len(paths) > 3
    check_out(recorded, paths[:1])
    of_one = sorted(read)
    read.clear()
    check_out(recorded, paths)
    assert sorted(read) == of_one


def test_a_record_of_all_stages(recorded: Path, read: list[str]) -> None:
    names = sorted(recorded_stages(Workspace(recorded)))
    assert len(names) > 3
    assert changed_dependencies(Workspace(recorded), names) == []
    record_outputs(Workspace(recorded), names, [])
    assert read.count("dvc.yaml") == 2
    read.clear()
    record_outputs(Workspace(recorded), [], [])
    assert read == []
