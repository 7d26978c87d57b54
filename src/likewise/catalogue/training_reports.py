"""Read the files of a training in reports/training/."""

from typing import Any

from likewise.storage.config import read_yaml
from likewise.storage.workspace import Workspace


def read_training_report(ws: Workspace, model: str) -> dict[str, Any] | None:
    """Return how ``model`` was trained (device, hours, curve); None if unknown."""
    path = ws.training_files(model)[0]
    report = read_yaml(path) if path.is_file() else None
    return report if isinstance(report, dict) else None
