"""What dvc.lock says of stages, brought in line with what was done without ``dvc repro``."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from likewise.errors import VersionError
from likewise.storage.config import parse_yaml
from likewise.storage.versions.dvc_logs import silent
from likewise.storage.versions.lock_file import lock_text
from likewise.storage.workspace import Workspace

if TYPE_CHECKING:
    from dvc.repo import Repo

Dependency = tuple[str, str]
"""A stage and the path of one of its dependencies; "" for all of them."""


def recorded_stages(ws: Workspace) -> set[str]:
    """The stages that dvc.lock knows; none where there is no such file."""
    stages = _lock(ws).get("stages")
    return set(stages or ())


def out_of_date(ws: Workspace, names: Iterable[str]) -> list[Dependency]:
    """Which dependencies of the stages ``names`` are others now than dvc.lock says.

    Raises:
        VersionError: DVC cannot read the pipeline.
    """
    with _repo(ws) as repo:
        return [
            (name, dep.def_path)
            for name in names
            for dep in repo.stage.load_one(str(ws.pipeline), name).deps
            if dep.workspace_status()
        ]


def record(ws: Workspace, names: Iterable[str], stale: Collection[Dependency]) -> None:
    """Put the present outputs of stages into the cache and dvc.lock, as ``dvc commit`` does.

    Dependencies too, so that the stages need not run; but those that are ``stale`` stay as
    they were recorded, and so do those that are not here, a source say.

    Raises:
        VersionError: DVC cannot.
    """
    with silent(), _repo(ws) as repo, repo.lock:
        for name in names:
            stage = repo.stage.load_one(str(ws.pipeline), name)
            for dep in stage.deps:
                if not {(name, dep.def_path), (name, "")} & set(stale) and dep.exists:
                    dep.save()
            stage.save_outs(allow_missing=True)
            stage.commit(allow_missing=True, relink=True)
            stage.dump(update_pipeline=False)


def lock_without(ws: Workspace, names: Collection[str]) -> str | None:
    """The text of dvc.lock as if some stages had never run; None where none of them did."""
    document = _lock(ws)
    stages = document.get("stages") or {}
    if not stages.keys() & set(names):
        return None
    rest = {name: stage for name, stage in stages.items() if name not in names}
    return lock_text({**document, "stages": rest})


def _lock(ws: Workspace) -> dict[str, Any]:
    lock = ws.lock
    document = parse_yaml(lock.read_bytes(), lock.name) if lock.is_file() else {}
    return document if isinstance(document, dict) else {}


@contextmanager
def _repo(ws: Workspace) -> "Iterator[Repo]":
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(ws.root)) as repo:
            yield repo
    except DvcException as error:
        said = " ".join(str(error).split())
        raise VersionError(
            f"DVC cannot record what was done: {said}; run the same again"
        ) from error
