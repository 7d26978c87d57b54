"""The approximate nearest-neighbour (ANN) index of a vector column, inside its table."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from likewise.storage.tables.column_files import folder_bytes, same_bytes
from likewise.storage.tables.damage import damage_named
from likewise.storage.tables.opening import open_dataset
from likewise.storage.tables.writing import link_tree

if TYPE_CHECKING:
    import lance

Metric = Literal["cosine", "dot"]


@dataclass(frozen=True)
class NeighbourOptions:
    """The options of Lance's search of a vector column.

    Attributes:
        metric: ``cosine`` uses the index; ``dot`` compares every row.
        refine_factor: fetch this many times k candidates and rescore them by their vectors.
        nprobes: partitions that a query visits; None lets Lance choose for each query.
    """

    metric: Metric = "cosine"
    refine_factor: int = 1
    nprobes: int | None = None


@dataclass(frozen=True)
class Neighbours:
    """Pairs of a query and a near row, each array (pairs,); nearest first for each query."""

    query: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]
    distance: npt.NDArray[np.float32]


class VectorIndex:
    """The ANN index of one vector column; see ``Table.vector_index``.

    Searching works without an index too: Lance then compares every row.
    """

    def __init__(self, dataset: "lance.LanceDataset", column: str) -> None:
        """Take a Lance dataset and the name of its vector column; nothing is read."""
        self._dataset = dataset
        self._column = column

    @property
    def kinds(self) -> list[str]:
        """Lance's name of each index of the column, for example ``IVF_SQ``; empty for none."""
        return [
            index.index_type
            for index in self._dataset.describe_indices()
            if index.field_names == [self._column]
        ]

    @property
    def options(self) -> str | None:
        """The options (JSON) that were recorded with ``record_options``."""
        options: str | None = self._dataset.config().get(self._option_key)
        return options

    def record_options(self, options: str) -> None:
        """Store the options (JSON) of the index in the table's configuration."""
        self._dataset.update_config({self._option_key: options})

    def create(
        self,
        kind: str,
        centroids: npt.NDArray[np.floating[Any]],
        sub_vectors: int | None = None,
    ) -> None:
        """Build an index for cosine similarity; an earlier one is replaced.

        Args:
            kind: Lance's name of the index, for example ``IVF_SQ``.
            centroids: (partitions, dim) the centres of the partitions.
            sub_vectors: bytes of a code; only of product quantisation.
        """
        self._dataset.create_index(
            self._column,
            kind,
            metric="cosine",
            num_partitions=len(centroids),
            ivf_centroids=centroids,
            replace=True,
            num_sub_vectors=sub_vectors,
        )

    def link_from(self, path: Path) -> bool:
        """Take over the index of another table by hard links.

        Lance never writes the same index to the same bytes, so linking saves a push.

        Args:
            path: the other table, which has a column of the same name.

        Returns:
            False, with nothing done, if the other table has no complete index of the column or
            its vectors differ.
        """
        from lance import LanceOperation
        from lance.dataset import Index as Segment

        other = open_dataset(path)
        source = path / "_indices"
        segments = [
            (index.name, segment)
            for index in other.describe_indices()
            if index.field_names == [self._column]
            for segment in index.segments
        ]
        complete = all(folder_bytes(source / s.uuid) == s.size_bytes for _, s in segments)
        if not (segments and complete and same_bytes(self._dataset, other, self._column)):
            return False
        table = self._dataset
        fields = [f.id() for f in table.lance_schema.fields() if f.name() == self._column]
        linked = []
        for name, segment in segments:
            link_tree(source / segment.uuid, Path(table.uri) / "_indices" / segment.uuid)
            facts = (table.version, segment.fragment_ids, segment.index_version)
            linked.append(Segment(segment.uuid, name, fields, *facts))
        operation = LanceOperation.CreateIndex(linked, [])
        table.commit(table.uri, operation, read_version=table.version)
        table.checkout_version(table.latest_version)
        return True

    def row_filter(self, mask: npt.NDArray[np.bool_]) -> bytes:
        """Encode the rows (n,) that ``nearest`` may return."""
        from lance.dataset import serialize_row_addrs

        encoded: bytes = serialize_row_addrs(self._addresses[mask].tolist())
        return encoded

    def nearest(
        self,
        queries: npt.NDArray[np.float32],
        k: int,
        options: NeighbourOptions,
        row_filter: bytes | None = None,
    ) -> Neighbours:
        """Find the rows nearest to each query.

        Args:
            queries: (q, dim).
            k: rows per query, at most; an index may find fewer.
            options: how to search.
            row_filter: from ``row_filter``; only these rows are searched.
        """
        nearest: dict[str, Any] = {
            "column": self._column,
            "q": queries,
            "k": k,
            "metric": options.metric,
            "refine_factor": options.refine_factor,
        }
        if options.nprobes is not None:
            nearest["nprobes"] = options.nprobes
        scanner = self._dataset.scanner(
            columns=["query_index", "_rowoffset", "_distance"],
            prefilter=True,
            nearest=nearest,
            row_addr_allowlist=row_filter,
        )
        with damage_named(Path(self._dataset.uri)):
            pairs = scanner.to_table()
        query = pairs["query_index"].to_numpy()
        order = np.argsort(query, kind="stable")
        row, distance = (pairs[name].to_numpy()[order] for name in ("_rowoffset", "_distance"))
        return Neighbours(query[order], row, distance)

    @cached_property
    def _addresses(self) -> npt.NDArray[np.uint64]:
        """(n,) Lance's address of every row, in the table's order."""
        scanner = self._dataset.scanner(columns=["_rowaddr"], scan_in_order=True)
        addresses: npt.NDArray[np.uint64] = scanner.to_table()["_rowaddr"].to_numpy()
        return addresses

    @property
    def _option_key(self) -> str:
        return f"likewise.ann.{self._column}"
