"""Write index files atomically, with a checksum that is verified before they are read."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from likewise.errors import DataError
from likewise.formats.atomic import atomic_file

_CHECKSUM = hashlib.sha256().digest_size


def is_complete(path: Path) -> bool:
    """Return True if ``path`` exists and its checksum is correct."""
    try:
        return _checksum(path, path.stat().st_size - _CHECKSUM) == _tail(path)
    except (OSError, ValueError):
        return False


def save(path: Path, write: Callable[[Path], None]) -> None:
    """Call ``write`` with a temporary path, append the checksum, and rename it to ``path``.

    A file that cannot be written is ignored, because it only saves time.
    """
    with suppress(OSError, RuntimeError, DataError), atomic_file(path) as part:
        write(part)
        checksum = _checksum(part, part.stat().st_size)
        with part.open("ab") as handle:
            handle.write(checksum)


def _checksum(path: Path, size: int) -> bytes:
    """Return the SHA-256 of the first ``size`` bytes of a file."""
    hasher = hashlib.sha256()
    with path.open("rb") as handle:
        while size > 0 and (part := handle.read(min(size, 1 << 20))):
            hasher.update(part)
            size -= len(part)
    return hasher.digest()


def _tail(path: Path) -> bytes:
    with path.open("rb") as handle:
        handle.seek(-_CHECKSUM, os.SEEK_END)
        return handle.read()
