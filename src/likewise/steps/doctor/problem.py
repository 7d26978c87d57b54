"""Problems that ``doctor`` reports."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from likewise.catalogue.outputs import in_git
from likewise.errors import LikewiseError, VersionError, size_text
from likewise.storage import artefacts, versions
from likewise.storage.artefacts import Stage
from likewise.storage.workspace import Workspace

ELSEWHERE = "elsewhere"
"""The check of outputs that were left on the remote on purpose, which is not a fault."""

READ_ONLY = "read-only"
"""The check that is not possible on a read-only file system, which is not a fault."""

BUSY = "busy"
"""The check that waits for the end of another process of DVC, which is not a fault."""


@dataclass(frozen=True)
class Problem:
    """A fault of the catalogue.

    Attributes:
        check: name of the check that found it.
        what: description of the fault.
        command: command that repairs it.
    """

    check: str
    what: str
    command: str

    @property
    def is_fault(self) -> bool:
        """False for outputs left on the remote on purpose, and checks that are not possible."""
        return self.check not in (ELSEWHERE, READ_ONLY, BUSY)


def never_run(ws: Workspace) -> list[str]:
    """Return the stages that dvc.lock does not have, and that have no output yet.

    The records of take-downs exist before their stage runs. This stage counts as never run if
    the one that reads the records, ``ingest``, has never run.
    """
    known = versions.recorded_stages(ws)
    fresh = [
        stage
        for stage, outputs in artefacts.stages(ws).items()
        if str(stage) not in known
        and (stage.name == artefacts.PREPARE or not any(path.exists() for path in outputs))
    ]
    return [
        str(stage)
        for stage in fresh
        if stage.name != artefacts.PREPARE
        or artefacts.table(ws, stage.key, "items").stage in fresh
    ]


def recorded(ws: Workspace) -> set[str]:
    """Return the outputs in dvc.lock, which DVC can restore."""
    return set(versions.outputs(ws.root))


def restore(ws: Workspace, output: Path, stage: Stage) -> str:
    """Return the command that restores a damaged ``output`` of ``stage``."""
    path = ws.relative(output)
    if path not in recorded(ws):
        return stage.forced
    if in_git(ws, path):
        return command("git", "restore", path) if is_tracked(ws, path) else stage.forced
    store = versions.Store(ws.root)
    try:
        members = store.members(versions.outputs(ws.root)[path])
    except VersionError:
        members = None
    if members is None:
        return "likewise pull --verify" if store.remotes() else stage.forced
    md5s = {*members.values(), versions.outputs(ws.root)[path].md5}
    damaged = list(store.damaged(md5s))
    if not damaged and not store.lacking(md5s):
        return command("dvc", "checkout", "--force", path)
    return _from_elsewhere(ws, store, path, stage, damaged)


def _from_elsewhere(
    ws: Workspace, store: versions.Store, path: str, stage: Stage, damaged: list[str]
) -> str:
    """Return the command that restores an output whose files in the cache are damaged.

    Files of the cache are often links to files of the checkout, which are then damaged too.
    """
    try:
        remotes = store.remotes()
        if remotes and not set(damaged) - store.on_remote(damaged, path):
            return "likewise pull --verify"
    except VersionError:
        pass
    # The stage would begin with what the checkout, the cache and a view still hold.
    places = [path, ws.relative(ws.views), *(shown(ws, store.path(md5)) for md5 in damaged)]
    return f"{command('rm', '-rf', *places)} && {stage.forced}"


def shown(ws: Workspace, path: Path) -> str:
    """Return ``path`` relative to the catalogue if it is in it."""
    return ws.relative(path) if path.is_relative_to(ws.root) else str(path)


def command(*words: str) -> str:
    """Return a command line of ``words``, quoted where the shell needs it."""
    return shlex.join(words)


def lock_repair(ws: Workspace) -> str:
    """Return the command that replaces a damaged dvc.lock."""
    if is_tracked(ws, ws.relative(ws.lock)):
        return "git restore dvc.lock"
    return "mv dvc.lock old.lock && dvc commit --force"


def is_tracked(ws: Workspace, path: str) -> bool:
    """Return whether git can restore the file ``path``."""
    try:
        return bool(versions.run_git(ws.root, "ls-files", "--", path).strip())
    except VersionError:
        return False


def fault_of(error: BaseException) -> str:
    """Return the text of an error that damage caused.

    Raises:
        BaseException: ``error`` itself, if damage cannot have caused it, as Ctrl-C.
    """
    panic = type(error).__name__ == "PanicException"  # of Rust libraries; no ``Exception``
    if not isinstance(error, Exception) and not panic:
        raise error
    text = str(error) if isinstance(error, LikewiseError) else f"it is damaged ({error})"
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename or 'a file'} cannot be read: {error.strerror}"
    return " ".join(text.replace("; run: likewise doctor", "").split())


def size(folder: Path) -> str:
    """Return the total size of the files in ``folder``, with a unit."""
    return size_text(sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file()))
