"""Find a table on disk and open it with Lance; for the modules of this package only."""

import hashlib
from collections.abc import Iterable
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
    try:
        return any(path.glob("_versions/*.manifest"))
    except FileNotFoundError:  # it is removed meanwhile
        return False


def present_hash(path: Path) -> str | None:
    """Return ``manifest_hash``; None if there is no table, or if it is removed meanwhile.

    ``dvc checkout`` removes the files of a table one by one before it links others.
    """
    try:
        manifests = sorted(path.glob("_versions/*.manifest"))
        return _hash_of(manifests) if manifests else None
    except FileNotFoundError:
        return None


def manifest_hash(path: Path) -> str:
    """Return 32 hexadecimal digits of a hash over the manifests of the table in ``path``.

    A manifest names its data files, and no two writes share a file name. The hash therefore
    identifies one state of the files; to compare contents use ``Table.digest``.

    Raises:
        FileNotFoundError: the table is removed meanwhile; see ``present_hash``.
    """
    return _hash_of(sorted(path.glob("_versions/*.manifest")))


def _hash_of(manifests: Iterable[Path]) -> str:
    hasher = hashlib.sha256()
    for manifest in manifests:
        hasher.update(hashlib.sha256(manifest.read_bytes()).digest())
    return hasher.hexdigest()[:32]
