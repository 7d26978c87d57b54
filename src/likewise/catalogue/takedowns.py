"""Record of items that were taken down: ``catalog/<dataset>/forgotten.csv``, stored in git.

A row has an item, its image, the SHA-256 of the image's bytes, and the reason. Ingest leaves
out an image with the name or the bytes of a row.
"""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from likewise.errors import DataError
from likewise.storage.tables import Table

HEAD = ("item_id", "image_id", "sha256", "reason")

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Entry(NamedTuple):
    """One item; item_id and image_id are empty if only bytes were taken down."""

    item_id: str
    image_id: str
    sha256: str
    reason: str


@dataclass(frozen=True)
class Record:
    """All entries of a data set, sorted, each item once."""

    entries: tuple[Entry, ...] = ()

    @property
    def items(self) -> set[str]:
        """Ids of the items."""
        return {entry.item_id for entry in self.entries if entry.item_id}

    @property
    def images(self) -> set[str]:
        """Ids of the images."""
        return {entry.image_id for entry in self.entries if entry.image_id}

    @property
    def hashes(self) -> set[str]:
        """SHA-256 of the images' bytes."""
        return {entry.sha256 for entry in self.entries}

    def with_entries(self, entries: Iterable[Entry]) -> "Record":
        """Return a record with further entries; known items keep their reason."""
        known = {entry[:3]: entry for entry in (*entries, *self.entries)}
        return Record(tuple(sorted(known.values())))


def is_hash(text: str) -> bool:
    """Return True if ``text`` is a SHA-256 in 64 hexadecimal digits."""
    return _SHA256.fullmatch(text) is not None


def read(path: Path) -> Record:
    """Read the file ``path``; an empty record if there is no file.

    Lines may be repeated and in any order, because git merges the file by union.

    Raises:
        DataError: the file has not the format of ``text``; the line is named.
    """
    if not path.is_file():
        return Record()
    where = f"{path.parent.name}/{path.name}"
    try:
        lines = path.read_text(encoding="utf-8")
        rows = list(csv.reader(StringIO(lines), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{where} is not a CSV file in UTF-8: {error}") from error
    if not rows or tuple(rows[0]) != HEAD:
        raise DataError(f"{where}: its first line is not {','.join(HEAD)}")
    entries = []
    for number, row in enumerate(rows, 1):
        if not row or tuple(row) == HEAD:
            continue
        if len(row) != len(HEAD) or not is_hash(row[2]):
            raise DataError(f"{where}: line {number} is not {','.join(HEAD)}")
        entries.append(Entry(*row))
    return Record().with_entries(entries)


def text(record: Record) -> str:
    """Return the text of the file; equal records have equal texts."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows(record.entries)
    return out.getvalue()


def column_of_hashes(table: Table) -> str:
    """Return the column of values that start with an image's SHA-256; "" if there is none."""
    return next((name for name in ("sha256", "content") if name in table.schema.names), "")
