"""Write pages completely or not at all."""

from pathlib import Path

from likewise.formats import atomic
from likewise.formats.paths import StrPath


def write_page(path: StrPath, content: str | bytes) -> None:
    """Write text as UTF-8, or bytes, to the file ``path``.

    Raises:
        DataError: the file cannot be written.
    """
    if isinstance(content, bytes):
        atomic.write_bytes(Path(path), content)
    else:
        atomic.write_text(Path(path), content)
