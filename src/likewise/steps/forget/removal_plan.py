"""The plan of a take-down: the steps that remain once its new tables are in place."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from likewise.errors import DataError
from likewise.formats import atomic
from likewise.formats.paths import inside, refuse_links
from likewise.storage import seals
from likewise.storage.versions import Dependency
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Plan:
    """Remaining steps after the new tables are in place; stored, to survive a killed process.

    Attributes:
        stages: stages whose outputs changed.
        stale: their dependencies that were out of date before, and must stay so for DVC.
        dropped: stages whose results are removed.
        files: files and folders to remove, relative to the root.
    """

    stages: list[str]
    stale: list[Dependency]
    dropped: list[str]
    files: list[str]

    def write(self, ws: Workspace, dataset: str, path: Path) -> None:
        """Write the plan for ``dataset``, sealed by this checkout, to ``path``."""
        plan = json.dumps(asdict(self))
        mac = seals.seal(ws, f"forgetting/{dataset}", plan.encode())
        atomic.write_text(path, json.dumps({"plan": plan, "seal": mac}))

    @classmethod
    def read(cls, ws: Workspace, dataset: str) -> "Plan | None":
        """Read the plan that a killed process left for ``dataset``; None if there is none.

        Raises:
            DataError: this checkout did not write the plan, or the plan names a file outside
            the catalogue.
        """
        path = ws.forgetting(dataset)
        refuse_links(ws.home, path)
        if not path.is_file():
            return None
        try:
            document = json.loads(path.read_bytes())
            plan, mac = str(document["plan"]), document["seal"]
        except (ValueError, TypeError, KeyError, RecursionError):
            plan, mac = "", None
        if not seals.is_sealed(ws, f"forgetting/{dataset}", plan.encode(), mac):
            raise DataError(seals.unsealed(ws, path))
        stored = json.loads(plan)
        for file in stored["files"]:
            inside(ws.root, file, ws.relative(path), replaced=True)
        return cls(**{**stored, "stale": [(name, dep) for name, dep in stored["stale"]]})
