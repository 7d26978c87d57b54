"""Problems that ``doctor`` reports."""

from dataclasses import dataclass
from pathlib import Path

from likewise.errors import size_text
from likewise.storage import versions
from likewise.storage.artefacts import Stage
from likewise.storage.workspace import Workspace


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


def recorded(ws: Workspace) -> set[str]:
    """Return the outputs in dvc.lock, which DVC can restore."""
    return set(versions.outputs(ws.root))


def restore(ws: Workspace, output: Path, stage: Stage) -> str:
    """Return the command that restores a damaged ``output`` of ``stage``."""
    path = ws.relative(output)
    return f"dvc checkout --force {path}" if path in recorded(ws) else stage.forced


def size(folder: Path) -> str:
    """Return the total size of the files in ``folder``, with a unit."""
    return size_text(sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file()))
