"""Update the stages of dvc.lock after changes made without ``dvc repro``."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from likewise.errors import VersionError
from likewise.storage.config import parse_yaml
from likewise.storage.versions.dvc_logs import silent
from likewise.storage.versions.foreign import check_settings
from likewise.storage.versions.lock_file import lock_text
from likewise.storage.versions.remote_errors import DVC_BUSY, one_line
from likewise.storage.workspace import Workspace

if TYPE_CHECKING:
    from dvc.repo import Repo

Dependency = tuple[str, str]
"""A stage and the path of one of its dependencies; "" means all of them."""


def recorded_stages(ws: Workspace) -> set[str]:
    """Return the names of the stages in dvc.lock; empty if there is no such file."""
    stages = _lock(ws).get("stages")
    return set(stages or ())


def changed_dependencies(ws: Workspace, names: Iterable[str]) -> list[Dependency]:
    """Return the dependencies of the stages ``names`` that differ from dvc.lock.

    Raises:
        VersionError: DVC cannot read the pipeline.
    """
    with _repo(ws) as repo:
        return [
            (name, dep.def_path)
            for name, stage in _load(repo, ws, names)
            for dep in stage.deps
            if dep.workspace_status()
        ]


def record_outputs(ws: Workspace, names: Iterable[str], stale: Collection[Dependency]) -> None:
    """Store the present outputs of stages in the cache and dvc.lock, like ``dvc commit``.

    Dependencies are recorded too, so that the stages need not run. Records of ``stale``
    dependencies, and of files that are absent (such as a source), are not changed.

    Raises:
        VersionError: DVC failed.
    """
    with silent(), _repo(ws) as repo, repo.lock:
        for name, stage in _load(repo, ws, names):
            for dep in stage.deps:
                if not {(name, dep.def_path), (name, "")} & set(stale) and dep.exists:
                    dep.save()
            stage.save_outs(allow_missing=True)
            stage.commit(allow_missing=True, relink=True)
            stage.dump(update_pipeline=False)


def lock_text_without(ws: Workspace, names: Collection[str]) -> str | None:
    """Return the text of dvc.lock without the stages ``names``; None if it has none of them."""
    document = _lock(ws)
    stages = document.get("stages") or {}
    if not stages.keys() & set(names):
        return None
    kept = {name: stage for name, stage in stages.items() if name not in names}
    return lock_text({**document, "stages": kept})


def _lock(ws: Workspace) -> dict[str, Any]:
    lock = ws.lock
    document = parse_yaml(lock.read_bytes(), lock.name) if lock.is_file() else {}
    return document if isinstance(document, dict) else {}


def _load(repo: "Repo", ws: Workspace, names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Yield the stages ``names``; dvc.yaml and dvc.lock are read once for all of them."""
    from dvc.dvcfile import ProjectFile

    file = ProjectFile(repo, str(ws.pipeline))
    for name in names:
        yield name, file.stages[name]


@contextmanager
def _repo(ws: Workspace) -> "Iterator[Repo]":
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    check_settings(ws.root)
    try:
        with Repo(str(ws.root)) as repo:
            yield repo
    except DvcException as error:
        message = one_line(error)
        again = "" if message == DVC_BUSY else "; run the same command again"
        raise VersionError(f"DVC cannot record the outputs: {message}{again}") from error
