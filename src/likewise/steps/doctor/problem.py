"""What the doctor reports."""

from dataclasses import dataclass
from pathlib import Path

from likewise.storage import versions
from likewise.storage.artefacts import Stage
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: which check found it, what it is, what mends it."""

    check: str
    what: str
    command: str


def recorded(ws: Workspace) -> set[str]:
    """The outputs that dvc.lock names: those that DVC can bring back."""
    return set(versions.outputs(ws.root))


def restore(ws: Workspace, output: Path, stage: Stage) -> str:
    """The command that makes a spoilt ``output`` of ``stage`` right again."""
    path = ws.relative(output)
    return f"dvc checkout --force {path}" if path in recorded(ws) else stage.forced


def size(folder: Path) -> str:
    """How much lies in ``folder``, for people."""
    return readable(sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file()))


def readable(nbytes: int) -> str:
    """A number of bytes, for people."""
    for unit, exponent in (("GB", 3), ("MB", 2)):
        if nbytes >= 1000**exponent:
            return f"{nbytes / 1000**exponent:.1f} {unit}"
    return f"{nbytes / 1000:.0f} kB"
