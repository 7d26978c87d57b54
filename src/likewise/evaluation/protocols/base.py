"""What every protocol is: a name and a version, the columns that it reads, and a verdict."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy.typing as npt
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.literature import Beside, beside
from likewise.evaluation.ranking import Floats, Ints, Progress
from likewise.evaluation.significance import Interval
from likewise.registry import Part


@dataclass(frozen=True)
class Evaluation:
    """What a protocol says of some vectors or lists.

    Attributes:
        metrics: name -> value, the protocol's main number first.
        queries: one row a query, as in ``schema.QUERIES``, and a column a further metric.
        protocol: the switches by which it was counted.
        notes: what a reader should know before comparing the numbers.
        statistics: the name of a metric -> between what its value lies.
        counts: how many queries are scored, in what a gallery, and of how many labels.
    """

    metrics: dict[str, float]
    queries: pl.DataFrame
    protocol: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    statistics: dict[str, Interval] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def published(self) -> Beside:
        """The published numbers that these may stand beside, and why not the others."""
        return beside(self.protocol["name"], self.protocol["version"], self.counts)


@dataclass(frozen=True)
class Parties:
    """Who is to query whom, for an index to answer: items by their rows.

    Attributes:
        queries: (q,) int64.
        gallery: (n,) int64.
    """

    queries: Ints
    gallery: Ints


class Protocol(Part, ABC):
    """How a benchmark counts; its name says all, so a benchmark's own has no options.

    A protocol that was released is frozen: another way of counting is another protocol, or
    another ``version`` of it, which every report prints.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[str, ...]]
    """The columns of items that it reads, besides their ids."""

    def describe(self) -> dict[str, Any]:
        """The switches, as every report prints them."""
        return {"name": self.name, "version": self.version, **self.switchboard()}

    @abstractmethod
    def switchboard(self) -> dict[str, Any]:
        """The switches by name, in the order in which they are printed."""

    @abstractmethod
    def evaluate_vectors(
        self,
        vectors: npt.NDArray[Any],
        rows: pl.DataFrame,
        *,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Score vectors, one an item.

        Args:
            vectors: (n, d), float32 or what can become it.
            rows: item_id and ``columns`` of the n items.
            progress: told after every block of queries.

        Raises:
            DataError: another shape or type, NaN, infinity, or nothing that can be scored.
        """

    def parties(self, rows: pl.DataFrame) -> Parties:
        """Whom an index is to rank for whom.

        Raises:
            DataError: the protocol scores vectors alone, or nobody is left to query.
        """
        raise DataError(f"{self.name} scores vectors, not ranked lists{self._instead(rows)}")

    def evaluate_lists(
        self,
        lists: npt.NDArray[Any] | Sequence[Sequence[int]],
        rows: pl.DataFrame,
        *,
        scores: Floats | None = None,
    ) -> Evaluation:
        """Score rankings that were made elsewhere.

        Args:
            lists: (q, k) positions in the gallery, best first: one list a query, in the order
                of the items; which these are, ``parties`` says.
            rows: item_id and ``columns`` of the n items.
            scores: (q, k) of the lists, where an index gave both; then -1 may stand where it
                found no more.

        Raises:
            DataError: another shape; rows with -1, with one twice, or outside the gallery;
                nothing that can be scored.
        """
        raise DataError(f"{self.name} scores vectors, not ranked lists{self._instead(rows)}")

    def _instead(self, rows: pl.DataFrame) -> str:
        return f"; give one vector for each of the {len(rows):,} items, or an exact index"
