"""Digest files: the digests of one table as YAML."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from likewise.errors import DataError
from likewise.formats.yaml_documents import read_yaml

DIGITS = 32
"""Hexadecimal digits kept of a SHA-256: 128 bits."""

CONTENT = "content"
"""The column that identifies what is embedded; the set of its values gets a digest too."""


@dataclass(frozen=True)
class Split:
    """A split: its number of items, and a digest of their ids and labels."""

    items: int
    digest: str


@dataclass(frozen=True)
class Digests:
    """The row count of a table and the digest of each column.

    Attributes:
        rows: the number of rows.
        columns: column -> digest.
        contents: the digest of the distinct values of ``content``; only of items.
        further: one digest of all columns that come from the source; only of a published table.
            A DVC stage can depend on it without naming the columns.
        splits: split -> its items and digest; "" holds the items without a split. The value is
            derived from the columns, so it is ignored when digests are compared.
        ann: vector column -> options of its index, for the stages that publish and search; of
            a model with a text tower also the digests of the tower and of the texts.
        numerics: the arithmetics that computed the vectors; several if devices or versions
            differed. Only of vectors; empty if not recorded, as by older versions.
    """

    rows: int
    columns: dict[str, str]
    contents: str | None = None
    further: str | None = None
    splits: dict[str, Split] = field(default_factory=dict, compare=False)
    ann: dict[str, dict[str, Any]] = field(default_factory=dict, compare=False)
    numerics: tuple[str, ...] = field(default=(), compare=False)

    def to_yaml(self) -> str:
        """Return the text of the digest file."""
        head: dict[str, object] = {"rows": self.rows}
        if self.contents is not None:
            head["contents"] = self.contents
        if self.further is not None:
            head["further"] = self.further
        if self.ann:
            head["ann"] = self.ann
        if self.numerics:
            head["numerics"] = list(self.numerics)
        if self.splits:
            head["splits"] = {name: asdict(split) for name, split in self.splits.items()}
        return yaml.safe_dump({**head, "columns": self.columns}, sort_keys=False)

    @classmethod
    def from_yaml(cls, document: object, where: str) -> "Digests":
        """Parse the document of a digest file.

        Args:
            document: the parsed YAML.
            where: the file's name, for error messages.

        Raises:
            DataError: ``to_yaml`` would not write this document.
        """
        if isinstance(document, dict):
            rows, columns = document.get("rows"), document.get("columns")
            if isinstance(rows, int) and isinstance(columns, dict):
                contents, further = document.get("contents"), document.get("further")
                splits = dict(_splits(document))
                ann = document.get("ann") or {}
                numerics = tuple(map(str, document.get("numerics") or ()))
                return cls(rows, columns, contents, further, splits, ann, numerics)
        raise DataError(f"{where}: not a digest file; recreate it with: dvc repro")


def read_digests(path: Path) -> Digests | None:
    """Read the digests in a file; None if there is no file."""
    return Digests.from_yaml(read_yaml(path), path.name) if path.is_file() else None


def with_further(digests: Digests, names: Sequence[str]) -> Digests:
    """Add one digest of all columns in ``names``; their order does not matter."""
    hasher = hashlib.sha256(b"likewise further 1\n")
    for name in sorted(names):
        hasher.update(f"{name} {digests.columns[name]}\n".encode())
    return replace(digests, further=hasher.hexdigest()[:DIGITS])


def _splits(document: dict[str, object]) -> Iterator[tuple[str, Split]]:
    """Yield the splits of a digest file; malformed entries are skipped."""
    splits = document.get("splits")
    for name, entry in splits.items() if isinstance(splits, dict) else ():
        if isinstance(entry, dict) and set(entry) == {"items", "digest"}:
            yield str(name), Split(**entry)
