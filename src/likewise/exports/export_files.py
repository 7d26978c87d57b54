"""Write files of an export."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from likewise.errors import DataError


def put(path: Path, data: bytes) -> None:
    """Write a file, and create its folders.

    Raises:
        DataError: the file system does not allow its name.
    """
    try:
        try:
            path.write_bytes(data)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise DataError(
            f"{path.name!r} would be both a file and a folder; export webdataset or parquet"
        ) from error


def put_json(path: Path, value: object) -> None:
    """Write ``value`` as JSON with reproducible bytes."""
    put(path, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode())


def put_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV: UTF-8, comma, line ends CR LF (RFC 4180)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
