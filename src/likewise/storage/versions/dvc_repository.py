"""Begin, check out and inspect a DVC repository in this process: DVC is loaded only once."""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from likewise.errors import VersionError
from likewise.storage.versions.dvc_logs import silent
from likewise.storage.versions.foreign import check_settings
from likewise.storage.versions.remote_errors import one_line
from likewise.storage.workspace import Workspace


def begin_repository(root: Path, *, nested: bool, links: Sequence[str]) -> None:
    """Create a DVC repository in ``root`` like ``dvc init``, without analytics.

    Args:
        root: a folder of a git repository.
        nested: git's repository begins above ``root``.
        links: methods of placing files of the cache into the checkout, the preferred method
        first.

    Raises:
        VersionError: DVC failed.
    """
    from dvc.repo import Repo

    with (
        _failure("init"),
        Repo.init(str(root), subdir=nested) as repo,
        repo.config.edit() as settings,
    ):
        settings["core"]["analytics"] = "false"
        settings["cache"]["type"] = ",".join(links)


def check_out(root: Path, paths: Sequence[str]) -> None:
    """Link complete outputs out of the cache like ``dvc checkout``.

    Raises:
        VersionError: DVC would overwrite files that it does not know, or failed.
    """
    from dvc.repo import Repo

    check_settings(root)
    with _failure("checkout"), Repo(str(root)) as repo:
        _find_outputs_in_graph(repo)
        repo.checkout(targets=[os.path.relpath(root / path) for path in paths])


def _find_outputs_in_graph(repo: Any) -> None:
    """Let DVC look for targets among the outputs of its graph first.

    DVC would read dvc.yaml and dvc.lock again for each target, which could be a stage as well.
    """
    from dvc.exceptions import OutputNotFoundError
    from dvc.repo.stage import StageInfo

    by_any_name = repo.stage.collect_granular

    def by_path(target: str, **options: Any) -> Any:
        try:
            [output] = repo.find_outs_by_path(target, strict=False)
        except OutputNotFoundError:
            return by_any_name(target, **options)
        return [StageInfo(output.stage, repo.fs.abspath(target))]

    repo.stage.collect_granular = by_path


def changed_stages(ws: Workspace) -> dict[str, list[Any]]:
    """Return the stages that DVC would run with what changed, like ``dvc status``.

    Raises:
        VersionError: DVC cannot read the pipeline.
    """
    from dvc.repo import Repo, lock_repo

    check_settings(ws.root)
    changed = {}
    with _failure("status"), Repo(str(ws.root)) as repo, lock_repo(repo):
        for stage in repo.stage.load_all(str(ws.pipeline)):
            for changes in stage.status(check_updates=True).values():
                changed[stage.name] = changes
    return changed


def planned_stages(ws: Workspace) -> list[tuple[str, bool, list[str]]]:
    """Return the stages that ``dvc repro`` would run now, in the order in which they run.

    Returns:
        Name; True if an input or output of the stage itself has changed, and False if it
        follows a stage that runs; and the changed paths, or the stages that it follows.

    Raises:
        VersionError: DVC cannot read the pipeline.
    """
    from dvc.repo import Repo, lock_repo

    check_settings(ws.root)
    planned: dict[str, tuple[bool, list[str]]] = {}
    with _failure("status"), Repo(str(ws.root)) as repo, lock_repo(repo):
        for stage in _in_order(repo.index.graph):
            paths = _changed_paths(stage.status(check_updates=True).values())
            before = repo.index.graph.successors(stage)
            follows = sorted(one.addressing for one in before if one.addressing in planned)
            if paths or follows:
                planned[stage.addressing] = bool(paths), paths or follows
    return [(name, certain, reasons) for name, (certain, reasons) in planned.items()]


def _in_order(graph: Any) -> list[Any]:
    """Return the stages of DVC's graph, each after those that it depends on, then by name."""
    import networkx as nx

    turned = graph.reverse(copy=True)
    return list(nx.lexicographical_topological_sort(turned, lambda s: s.addressing))


def _changed_paths(status: Iterable[Any]) -> list[str]:
    """Return what changed of a stage: paths, parameters, or its command."""
    paths: list[str] = []
    for changes in status:
        for change in changes:
            if isinstance(change, str):
                paths.append(change)
                continue
            paths += [path for part in change.values() for path in part]
    return sorted(set(paths))


@contextmanager
def _failure(command: str) -> Iterator[None]:
    """Silence DVC; turn its errors into one line."""
    with silent(logging.CRITICAL):
        try:
            yield
        except VersionError:
            raise
        except Exception as error:
            if isinstance(error, PermissionError) and error.filename:  # no remote refused it
                text = f"{error.filename}: {error.strerror}; DVC locks and writes files here"
            else:
                text = one_line(error)
            raise VersionError(f"dvc {command} failed: {text}") from error
