"""Published results, each with its source, its protocol and the size of its test set.

A result may be compared with a published one only if protocol, version and counts are equal.
This module lists the published tables that are comparable, and the reasons why others are not.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from likewise.registry import Part, check
from likewise.storage.config import read_yaml

Counts = Mapping[str, int]
"""Number of queries, gallery items and labels of a result, by these names."""


_COUNTS = {"queries": "queries", "gallery": "gallery items", "labels": "labels"}
"""Name of a count -> its noun in messages."""


class ProtocolVersion(Part):
    """The name and the version of a protocol."""

    name: str
    version: int


class ReferenceRow(Part):
    """The published values of one model, in the order of the table's metrics; null: none."""

    model: str
    trained: str = ""
    values: tuple[float | None, ...]


class Reference(Part):
    """A published table. A table without rows gives the reason why nothing was published.

    ``dataset`` is the name of the public data set of the table. ``counts`` has the numbers that
    the source states: some of queries, gallery and labels. The unit ``score`` is that of a
    protocol with its own scale, such as the N-S score.
    """

    title: str
    dataset: str = ""
    source: str
    note: str = ""
    protocol: ProtocolVersion | None = None
    unit: Literal["percent", "share", "score"] = "percent"
    counts: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    rows: tuple[ReferenceRow, ...] = ()

    def values(self, row: ReferenceRow, *, percent: bool) -> dict[str, float]:
        """Return the values of ``row`` by metric, in percent or from 0 to 1, or as a score."""
        if self.unit == "score":
            percent = False
        scale = (100 if percent else 1) / (100 if self.unit == "percent" else 1)
        pairs = zip(self.metrics, row.values, strict=True)
        return {name: round(v * scale, 6) for name, v in pairs if v is not None}


@dataclass(frozen=True)
class ComparableTables:
    """The published tables that a result may be compared with.

    Attributes:
        tables: tables of the same protocol, version and counts.
        reasons: one sentence for the other tables of a data set: how their counts differ.
    """

    tables: list[Reference]
    reasons: list[str]

    def of_reranked(self) -> "ComparableTables":
        """Return no table, because published values are without a re-ranker."""
        titles = sorted({table.title for table in self.tables})
        reasons = [f"{title}'s published numbers are without re-ranking" for title in titles]
        return ComparableTables([], [*self.reasons, *reasons])


@cache
def references() -> tuple[Reference, ...]:
    """Return all published tables of this package, ordered by file name.

    Example:
        >>> titles = [table.title for table in likewise.references()]
        >>> "GPR1200" in titles, "CompCars image retrieval" in titles
        (True, True)
    """
    files = sorted(Path(__file__).parent.glob("*.yaml"))
    return tuple(check(Reference, read_yaml(file), file.name) for file in files)


def comparable_tables(
    protocol: str,
    version: int,
    counts: Counts,
    metrics: Collection[str] | None = None,
    *,
    known: Collection[str] = (),
) -> ComparableTables:
    """Find the published tables that a result of ``protocol`` may be compared with.

    A table of other counts is mentioned only if the result is on its data set. A table whose
    source does not state all counts is for results on its data set only.

    Args:
        protocol: name of the protocol.
        version: its version.
        counts: the counts of the result.
        metrics: the metrics of the result, if known. Without a metric of a table, such as a
            subset of GPR1200, it is a result on another data set: the table is not mentioned.
        known: names of the public data set of the result, if its card declares one.
    """
    tables: list[Reference] = []
    reasons: dict[tuple[str, str], str] = {}
    for table in references():
        if table.protocol != ProtocolVersion(name=protocol, version=version):
            continue
        if metrics is not None and not set(table.metrics) <= set(metrics):
            continue
        if not table.counts.keys() >= _COUNTS.keys() and table.dataset not in known:
            continue
        differences = [
            f"{' or '.join(f'{n:,}' for n in expected)} {_COUNTS[name]}, "
            f"here {counts.get(name, 0):,}"
            for name, expected in table.counts.items()
            if counts.get(name) not in expected
        ]
        if not differences:
            tables.append(table)
        elif table.dataset in known:
            text = "; ".join(differences)
            reason = f"{table.title}'s published numbers are of {text}"
            reasons.setdefault((table.dataset, text), reason)
    return ComparableTables(tables, list(reasons.values()))
