"""Published numbers, each with its source, the protocol it was counted by, and of how much.

A number may stand beside another only where protocol, version and counts are the same; this
module says which may, and why the others may not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from likewise.registry import Part, check
from likewise.storage.config import read_yaml

Counts = Mapping[str, int]
"""queries, gallery, labels: how many of each a result is of."""


class Named(Part):
    """A protocol, and the version of it."""

    name: str
    version: int


class Row(Part):
    """A model's published values, in the order of the table's metrics; null: not published."""

    model: str
    trained: str = ""
    values: tuple[float | None, ...]


class Reference(Part):
    """A published table; one without rows says that nothing was published, and why."""

    title: str
    source: str
    note: str = ""
    protocol: Named | None = None
    unit: Literal["percent", "share"] = "percent"
    counts: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()

    def values(self, row: Row, *, percent: bool) -> dict[str, float]:
        """A row's values by metric, in percent or from 0 to 1."""
        scale = (100 if percent else 1) / (100 if self.unit == "percent" else 1)
        named = zip(self.metrics, row.values, strict=True)
        return {name: round(v * scale, 6) for name, v in named if v is not None}


@dataclass(frozen=True)
class Beside:
    """What published numbers a result may stand beside.

    Attributes:
        tables: those that it may.
        reasons: for every table of its protocol that it may not stand beside, why.
    """

    tables: list[Reference]
    reasons: list[str]


@cache
def references() -> tuple[Reference, ...]:
    """Every table that ships with this package, by file name."""
    files = sorted(Path(__file__).parent.glob("*.yaml"))
    return tuple(check(Reference, read_yaml(file), file.name) for file in files)


def beside(protocol: str, version: int, counts: Counts) -> Beside:
    """Which published tables a result of ``protocol`` on so many items may stand beside."""
    tables, reasons = [], []
    for table in references():
        if table.protocol != Named(name=protocol, version=version):
            continue
        wrong = [
            f"{' or '.join(f'{n:,}' for n in wanted)} {name}, here {counts.get(name, 0):,}"
            for name, wanted in table.counts.items()
            if counts.get(name) not in wanted
        ]
        if wrong:
            reasons.append(f"{table.title}'s published numbers are of {'; '.join(wrong)}")
        else:
            tables.append(table)
    return Beside(tables, reasons)
