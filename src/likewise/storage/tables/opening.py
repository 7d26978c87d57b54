"""Find a table on disk and open it with Lance; for the modules of this package only."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from likewise.errors import MissingArtefactError
from likewise.storage.tables.damage import damage_error, damage_named

if TYPE_CHECKING:
    import lance

BATCH = 8192
"""Rows of metadata or of vectors that are read or written at a time."""

READ_AHEAD = 256 << 20
"""Bytes that a scan reads before they are needed; Lance's default is 2 GiB."""


def open_dataset(
    path: Path, command: str = "", version: int | None = None
) -> "lance.LanceDataset":
    """Open the Lance dataset in ``path``.

    Args:
        path: the table's folder.
        command: the command that makes the table, for error messages.
        version: a version of the table; the latest by default.

    Raises:
        MissingArtefactError: there is no table.
        DamagedError: Lance cannot open the table.
    """
    import lance

    if not exists(path):
        raise MissingArtefactError(f"no table {path.parent.name}/{path.name}", command)
    try:
        with damage_named(path):
            return lance.dataset(path, version=version)
    except (ValueError, OSError) as error:
        raise damage_error(error, f"{path.parent.name}/{path.name}") from error


def exists(path: Path) -> bool:
    """Return whether a table was committed in ``path``; a killed first write leaves none."""
    return any(path.glob("_versions/*.manifest"))


def manifest_hash(path: Path) -> str:
    """Return 32 hexadecimal digits of a hash over the manifests of the table in ``path``.

    A manifest names its data files, and no two writes share a file name. The hash therefore
    identifies one state of the files; to compare contents use ``Table.digest``.
    """
    hasher = hashlib.sha256()
    for manifest in sorted(path.glob("_versions/*.manifest")):
        hasher.update(hashlib.sha256(manifest.read_bytes()).digest())
    return hasher.hexdigest()[:32]
