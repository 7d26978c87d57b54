"""The interface of protocols: name, version, item columns, and evaluation."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import polars as pl

from likewise.distributed import ShardCounts
from likewise.errors import DataError
from likewise.evaluation.literature import ComparableTables, comparable_tables
from likewise.evaluation.paired_metrics import RerankedMetrics
from likewise.evaluation.protocols.query_sets import RetrievalTask
from likewise.evaluation.ranking import Progress, Ranking
from likewise.evaluation.significance import Interval
from likewise.formats.array_types import AnyArray, Float32Array, Float64Array, Int64Array
from likewise.formats.counted_nouns import counted
from likewise.formats.vector_blocks import VectorBlocks
from likewise.pages import notebook
from likewise.registry import Part


@dataclass(frozen=True)
class Evaluation:
    """The result of a protocol for vectors or ranked lists.

    Attributes:
        metrics: metric -> value; the protocol's main metric is first.
        queries: one row per query, as in ``schema.QUERIES``, with one column per further
            metric.
        protocol: the settings of the protocol.
        notes: remarks that matter when numbers are compared.
        statistics: metric -> its mean with confidence intervals.
        counts: number of scored queries, of gallery items and of labels; if lists are shorter
            than the gallery, also the items listed per query.
        unrounded: metric -> its value in full precision; ``queries`` has the values of which
            it is the mean.
        known: names of the public data set of the items, if their card declares one.
        reranking: the re-ranker of the run, and the metrics without and with it; None for a
            run without a re-ranker.
        shards: the shards of the ranking; None if one process computed it.
    """

    metrics: dict[str, float]
    queries: pl.DataFrame
    protocol: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    statistics: dict[str, Interval] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    unrounded: dict[str, float] = field(default_factory=dict)
    known: tuple[str, ...] = ()
    reranking: RerankedMetrics | None = None
    shards: ShardCounts | None = field(default=None, repr=False, compare=False)

    @property
    def published(self) -> ComparableTables:
        """The published tables that this result may be compared with."""
        name, version = self.protocol["name"], self.protocol["version"]
        tables = comparable_tables(name, version, self.counts, self.metrics, known=self.known)
        return tables if self.reranking is None else tables.of_reranked()

    def __repr__(self) -> str:
        metrics = ", ".join(f"{name} {self._number(v)}" for name, v in self.metrics.items())
        return (
            f"Evaluation({self.protocol['name']}, {counted(len(self.queries), 'query')}: "
            f"{metrics})"
        )

    def _repr_html_(self) -> str:
        title = f"{self.protocol['name']}, {counted(len(self.queries), 'query')}"
        heads = ("metric", "value", "95 % confidence interval", "minimum detectable difference")
        table = notebook.table(heads, map(self._line, self.metrics))
        return notebook.heading(title) + table + "".join(map(notebook.paragraph, self.notes))

    def _line(self, metric: str) -> tuple[str, ...]:
        value, statistic = self._number(self.metrics[metric]), self.statistics.get(metric)
        if statistic is None or math.isnan(statistic.low):
            return metric, value, "", ""
        low, high = self._number(statistic.low), self._number(statistic.high)
        return metric, value, f"{low} to {high}", self._number(statistic.smallest_difference)

    def _number(self, value: float) -> str:
        return f"{value:.{self.protocol.get('decimals', 4)}f}"


@dataclass(frozen=True)
class QuerySets:
    """The queries and the gallery that an index has to search, as row numbers of the items.

    Attributes:
        queries: (q,) int64.
        gallery: (n,) int64.
        own: (q,) int64, position in ``gallery`` of the query itself if it is not ranked, else
            -1; None for protocols that rank no gallery.
    """

    queries: Int64Array
    gallery: Int64Array
    own: Int64Array | None = None


@dataclass(frozen=True)
class GalleryRanking:
    """The ranking that a protocol scores, if it scores one ranking of one gallery by vectors.

    Attributes:
        task: queries, gallery and relevance.
        normalise: True if the vectors are divided by their norms.
        top: number of first hits to keep.
    """

    task: RetrievalTask
    normalise: bool
    top: int


class Protocol(Part, ABC):
    """A named, executable definition of how a benchmark is scored; it has no options.

    A released protocol is frozen. A change in scoring needs another protocol or another
    ``version``, which every report prints.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[str, ...]]
    """The item columns that scoring reads, without ``item_id``."""
    optional_columns: ClassVar[tuple[str, ...]] = ()
    """Further item columns that scoring reads if the items have them; columns of a source."""
    reads_blocks: ClassVar[bool] = False
    """True if ``evaluate_vectors`` also takes vectors that are read in blocks."""

    @property
    def formula(self) -> str:
        """The formula of the main metric, as text for ``likewise kinds``; "" for none."""
        return ""

    def describe(self) -> dict[str, Any]:
        """Return name, version and settings, as every report prints them."""
        return {"name": self.name, "version": self.version, **self.settings()}

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Return the settings by name, in the order in which reports print them."""

    def check_items(self, rows: pl.DataFrame) -> None:
        """Check that the items have the columns that scoring needs, before vectors are read.

        Raises:
            DataError: a column is missing.
        """

    @abstractmethod
    def evaluate_vectors(
        self,
        vectors: AnyArray | VectorBlocks,
        rows: pl.DataFrame,
        *,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Score one vector per item.

        Args:
            vectors: (n, d) numbers that can be converted to float32; or, if
                ``reads_blocks``, vectors that are larger than the memory.
            rows: item_id and ``columns`` of the n items.
            progress: called after every block of queries.

        Raises:
            DataError: shape or type do not fit, a value is NaN or infinite, or no query can be
                scored.
        """

    def gallery_ranking(self, rows: pl.DataFrame) -> GalleryRanking | None:
        """Return the ranking of the protocol; None if it needs no ranking, or several.

        Such a ranking may be computed in shards, and scored by ``evaluate_ranking``.

        Raises:
            DataError: no query is left.
        """
        return None

    def evaluate_ranking(
        self, ranking: Ranking, norms: Float64Array, rows: pl.DataFrame
    ) -> Evaluation:
        """Score the ranking of ``gallery_ranking``.

        Args:
            ranking: the ranking.
            norms: (n,) the norms of the vectors.
            rows: item_id and ``columns`` of the n items.

        Raises:
            DataError: no query can be scored.
            NotImplementedError: the protocol has no ``gallery_ranking``.
        """
        raise NotImplementedError

    def query_sets(self, rows: pl.DataFrame) -> QuerySets:
        """Return the queries and the gallery that an index has to search.

        Raises:
            DataError: the protocol scores vectors only, or no query is left.
        """
        raise DataError(
            f"{self.name} scores vectors, not ranked lists{self._vectors_hint(rows)}"
        )

    def evaluate_lists(
        self,
        lists: AnyArray | Sequence[Sequence[int]],
        rows: pl.DataFrame,
        *,
        scores: Float32Array | None = None,
    ) -> Evaluation:
        """Score existing rankings.

        Args:
            lists: (q, k) positions in the gallery, best first: one list per query, in the order
                of ``query_sets``.
            rows: item_id and ``columns`` of the n items.
            scores: (q, k) scores of the lists, if an index returned both; then a list may end
                with -1.

        Raises:
            DataError: the shape does not fit; a list contains -1, a position twice or one
                outside the gallery; or no query can be scored.
        """
        raise DataError(
            f"{self.name} scores vectors, not ranked lists{self._vectors_hint(rows)}"
        )

    def _vectors_hint(self, rows: pl.DataFrame) -> str:
        return (
            f"; give one vector for each of the {counted(len(rows), 'item')}, or an exact index"
        )
