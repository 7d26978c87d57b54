"""Write a page that a caller asked for, whole or not at all."""

from pathlib import Path

from likewise.errors import DataError
from likewise.formats.paths import StrPath
from likewise.storage import journal


def write_page(path: StrPath, content: str | bytes) -> None:
    """Write text as UTF-8, or bytes, to the file ``path``.

    Raises:
        DataError: the file cannot be written.
    """
    try:
        if isinstance(content, bytes):
            journal.write_bytes(Path(path), content)
        else:
            journal.write_text(Path(path), content)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}") from error
