"""The files that a training leaves in reports/training/."""

from typing import Any

from likewise.storage.config import read_yaml
from likewise.storage.workspace import Workspace

REPORTED = ("made.json", "metrics.json", "plots")
"""What a training leaves in reports/training/<model>/."""


def made(ws: Workspace, model: str) -> dict[str, Any] | None:
    """How ``model`` was trained (device, hours, curve), where that is known here."""
    path = ws.training(model) / "made.json"
    found = read_yaml(path) if path.is_file() else None
    return found if isinstance(found, dict) else None
