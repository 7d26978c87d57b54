"""Read small text files."""

from pathlib import Path

from likewise.errors import DamagedError


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8.

    Raises:
        DamagedError: the file is not UTF-8.
        OSError: the file cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DamagedError(
            f"{path.name} is not UTF-8 (byte {error.start:,}): it is damaged, or was saved in "
            "another encoding; restore it, or save it in UTF-8"
        ) from error
