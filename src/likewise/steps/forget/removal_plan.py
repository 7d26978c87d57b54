"""The plan of a take-down: the steps that remain once its new tables are in place."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

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
        document = seals.sealed_document(ws, f"forgetting/{dataset}", "plan", plan)
        atomic.write_text(path, document)

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
        purpose = f"forgetting/{dataset}"
        stored = json.loads(seals.open_document(ws, path, path.read_bytes(), purpose, "plan"))
        for file in stored["files"]:
            inside(ws.root, file, ws.relative(path), replaced=True)
        return cls(**{**stored, "stale": [(name, dep) for name, dep in stored["stale"]]})
