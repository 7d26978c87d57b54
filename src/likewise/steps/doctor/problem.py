"""Problems that ``doctor`` reports."""

from dataclasses import dataclass
from pathlib import Path

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
    return readable(sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file()))


def readable(nbytes: int) -> str:
    """Format a number of bytes with a unit."""
    for unit, exponent in (("GB", 3), ("MB", 2)):
        if nbytes >= 1000**exponent:
            return f"{nbytes / 1000**exponent:.1f} {unit}"
    return f"{nbytes / 1000:.0f} kB"
