"""Miniatures of public data sets in their official layouts, and what must be read of them.

Each module of this package has ``MINIATURES``. The key is the name of the declaration, with
"/" and a word for a further layout of it.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archives import placed, tarred, zipped

Files = Mapping[str, bytes | str]
"""Path -> content."""


@dataclass(frozen=True)
class Miniature:
    """A data set in small, and what must be read of it.

    Attributes:
        files: the files of the data set, below the folder that users give.
        columns: the columns of ``items``, separated by blanks.
        items: item -> its values.
        boxes: item -> corners; items without a box are left out.
        findings: ids of all findings except those about counts.
        archives: name of a published archive -> beginnings of the paths of its files; files in
            no archive are published as they are.
        queries: protocol -> number of queries with a value, if each item has a twin of its
            label and split, with the other role and another camera.
        counts: ids of the findings about counts that the miniature must have, some of them.
    """

    files: Files
    columns: str
    items: Mapping[str, Any]
    boxes: Mapping[str, list[float]] = field(default_factory=dict)
    findings: frozenset[str] = frozenset()
    archives: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    counts: frozenset[str] = frozenset({"incomplete: items"})
    queries: Mapping[str, int] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write the files as a folder."""
        return placed(folder, self._contents())

    def write_packed(self, folder: Path) -> Path:
        """Write the archives as they are published, and the other files next to them."""
        rest = self._contents()
        for name, start in self.archives.items():
            members = {path: rest.pop(path) for path in list(rest) if path.startswith(start)}
            placed(folder, {name: packed(name, members)})
        return placed(folder, rest)

    def _contents(self) -> dict[str, bytes]:
        return {
            name: data.encode() if isinstance(data, str) else data
            for name, data in self.files.items()
        }


def packed(name: str, members: dict[str, bytes]) -> bytes:
    """Return an archive of the form that ``name`` has: .zip, .tar, .tar.gz or .tgz."""
    if name.endswith(".zip"):
        return zipped(members)
    return tarred(members, "w" if name.endswith(".tar") else "w:gz")


def miniatures() -> dict[str, Miniature]:
    """Return the miniatures of all modules of this package."""
    result: dict[str, Miniature] = {}
    for module in pkgutil.iter_modules(__path__):
        result |= importlib.import_module(f"{__name__}.{module.name}").MINIATURES
    return result
