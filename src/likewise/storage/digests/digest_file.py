"""What a digest file says."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import yaml

from likewise.errors import DataError

DIGITS = 32
"""Hexadecimal digits kept of a SHA-256: 128 bits."""

CONTENT = "content"
"""The column of what is embedded; where it is no key, its values are digested as a set too."""


@dataclass(frozen=True)
class Split:
    """A part of a data set: how many items, and a digest of which they are and their labels."""

    items: int
    digest: str


@dataclass(frozen=True)
class Digests:
    """A table's row count and one digest a column; for items also one of their contents.

    ``further`` is one digest of all columns that are the source's own, in the published table:
    a stage can name it without knowing which they are.
    ``ann`` is how each vector column is indexed, for the stages that publish and that search.
    ``splits`` is each split of items, "" for items that are in none; columns vouch for it.
    """

    rows: int
    columns: dict[str, str]
    contents: str | None = None
    further: str | None = None
    splits: dict[str, Split] = field(default_factory=dict, compare=False)
    ann: dict[str, dict[str, Any]] = field(default_factory=dict, compare=False)

    def to_yaml(self) -> str:
        """The digest file's text."""
        head: dict[str, object] = {"rows": self.rows}
        if self.contents is not None:
            head["contents"] = self.contents
        if self.further is not None:
            head["further"] = self.further
        if self.ann:
            head["ann"] = self.ann
        if self.splits:
            head["splits"] = {name: asdict(split) for name, split in self.splits.items()}
        return yaml.safe_dump({**head, "columns": self.columns}, sort_keys=False)

    @classmethod
    def from_yaml(cls, document: object, where: str) -> "Digests":
        """What a digest file says.

        Raises:
            DataError: the document is not what ``to_yaml`` writes.
        """
        if isinstance(document, dict):
            rows, columns = document.get("rows"), document.get("columns")
            if isinstance(rows, int) and isinstance(columns, dict):
                contents, further = document.get("contents"), document.get("further")
                splits = dict(_splits(document))
                ann = document.get("ann") or {}
                return cls(rows, columns, contents, further, splits, ann)
        raise DataError(f"{where}: not a digest file; make it anew with: dvc repro")


def with_further(digests: Digests, names: Sequence[str]) -> Digests:
    """The same with one digest of the columns ``names`` together, whatever their order."""
    hasher = hashlib.sha256(b"likewise further 1\n")
    for name in sorted(names):
        hasher.update(f"{name} {digests.columns[name]}\n".encode())
    return replace(digests, further=hasher.hexdigest()[:DIGITS])


def _splits(document: dict[str, object]) -> Iterator[tuple[str, Split]]:
    """The splits that a digest file names; what is none of them is left out."""
    splits = document.get("splits")
    for name, said in splits.items() if isinstance(splits, dict) else ():
        if isinstance(said, dict) and set(said) == {"items", "digest"}:
            yield str(name), Split(**said)
