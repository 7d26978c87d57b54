"""The interface of re-rankers, which change the result of a first search of a gallery."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from likewise.formats.array_types import Float32Array, Int64Array
from likewise.formats.vector_blocks import VectorBlocks

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class QueryBatch:
    """Queries of a search that is re-ranked.

    Attributes:
        vectors: (q, d) float32, the vectors of the queries.
        excluded: (q, e) int64, gallery rows that are not ranked, such as the query itself; -1
            fills. The result is that of a gallery without these rows.
        items: (q,) int64, item rows of the queries; -1: the query is not an item.
        pictures: (q,) images of queries that are not items, if they are known.
    """

    vectors: Float32Array
    excluded: Int64Array
    items: Int64Array
    pictures: "Sequence[Image.Image] | None" = None

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.vectors)

    def part(self, chosen: slice) -> "QueryBatch":
        """Return some of the queries."""
        pictures = None if self.pictures is None else self.pictures[chosen]
        return QueryBatch(
            self.vectors[chosen], self.excluded[chosen], self.items[chosen], pictures
        )


class GalleryReranker(ABC):
    """A re-ranker of one gallery: it changes the queries, or the scores of the first hits."""

    @property
    @abstractmethod
    def top(self) -> int:
        """Number of first hits whose scores it changes; 0: it changes the queries only."""

    @abstractmethod
    def expand(self, queries: QueryBatch) -> Float32Array:
        """Return the vectors (q, d) by which the gallery is searched instead."""

    @abstractmethod
    def rescore(self, queries: QueryBatch, rows: Int64Array) -> Float32Array:
        """Return new scores (q, t) of the hits ``rows`` (q, t); -inf where a row is -1."""


RerankGallery = Callable[[VectorBlocks, Int64Array], GalleryReranker]
"""Function from the vectors of a gallery and its item rows to its re-ranker."""


def new_order(scores: Float32Array) -> Int64Array:
    """Return the order (q, t) of rescored hits: descending score; ties keep their order."""
    order: Int64Array = np.argsort(-scores, axis=1, kind="stable")
    return order
