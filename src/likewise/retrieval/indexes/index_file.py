"""Write index files atomically, with a checksum that is verified before they are read."""

import functools
import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from likewise.errors import DataError
from likewise.formats.atomic import atomic_file

_CHECKSUM = hashlib.sha256().digest_size


def is_complete(path: Path) -> bool:
    """Return True if ``path`` exists and its checksum is correct."""
    try:
        body, tail, _ = _hashes(path, *_stamp(path))
    except OSError:
        return False
    return body == tail


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits; "" if there is no file.

    The hash is computed once for each state of the file, together with ``is_complete``.
    """
    try:
        return _hashes(path, *_stamp(path))[2]
    except OSError:
        return ""


def save(path: Path, write: Callable[[Path], None]) -> None:
    """Call ``write`` with a temporary path, append the checksum, and rename it to ``path``.

    A file that cannot be written is ignored, because it only saves time.
    """
    with suppress(OSError, RuntimeError, DataError), atomic_file(path) as part:
        write(part)
        with part.open("rb") as handle:
            checksum = hashlib.file_digest(handle, "sha256").digest()
        with part.open("ab") as handle:
            handle.write(checksum)


def _stamp(path: Path) -> tuple[int, ...]:
    facts = path.stat()
    return facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size, facts.st_ino


@functools.lru_cache(maxsize=64)
def _hashes(path: Path, *_state: int) -> tuple[bytes, bytes, str]:
    """Return the SHA-256 of all but the last 32 bytes, these bytes, and the SHA-256 of all."""
    hasher = hashlib.sha256()
    with path.open("rb") as handle:
        size = max(0, path.stat().st_size - _CHECKSUM)
        while size > 0 and (part := handle.read(min(size, 1 << 20))):
            hasher.update(part)
            size -= len(part)
        body, tail = hasher.digest(), handle.read()
    hasher.update(tail)
    return body, tail, hasher.hexdigest()
