"""Places of vectors on a plane: PCA of all, t-SNE and UMAP of a sample."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from likewise.formats.array_types import Float32Array, FloatArray, Int64Array
from likewise.formats.even_sample import evenly
from likewise.formats.unit_vectors import unit_vectors
from likewise.formats.vector_blocks import VectorBlocks
from likewise.retrieval.indexes.exact_search import ExactSearch
from likewise.retrieval.projections.methods import tsne, umap
from likewise.retrieval.projections.principal import PrincipalPlane

Method = Literal["pca", "tsne", "umap"]

NEAREST = 5
"""Number of fitted neighbours between which any other vector is placed."""

NEIGHBOURS = {"tsne": 90, "umap": 15}
"""Neighbours of a point by default: for t-SNE three times the perplexity, 30."""


@dataclass(frozen=True)
class ProjectionOptions:
    """Options of the placing of vectors.

    Attributes:
        method: pca, tsne or umap.
        sample: maximum number of vectors that tsne and umap fit.
        neighbours: neighbours of each vector that tsne and umap compare; None for the default.
        min_dist: smallest distance of neighbours on the plane (umap).
        place_rest: place the vectors outside the sample, too.
    """

    method: Method = "pca"
    sample: int = 5_000
    neighbours: int | None = None
    min_dist: float = 0.1
    place_rest: bool = True


@dataclass(frozen=True)
class Projected:
    """Places of vectors.

    Attributes:
        places: (n, 2), float32; NaN for a vector that has no place.
        fitted: (n,), True if the method itself placed the vector.
    """

    places: Float32Array
    fitted: npt.NDArray[np.bool_]


def project(vectors: VectorBlocks, order: Int64Array, options: ProjectionOptions) -> Projected:
    """Place vectors on a plane, so that similar ones are near each other.

    PCA places all vectors by their first two principal components. t-SNE and UMAP fit an even
    sample, by a graph of its exact nearest neighbours; any other vector is placed at the median
    place of its nearest neighbours in the sample. The result depends neither on the number of
    threads nor on the order of the rows.

    Args:
        vectors: (n, d), L2-normalised; read in blocks.
        order: the rows in an order that does not depend on how the table has grown, such as
            that of the keys.
        options: the method.

    Sources: Pearson, On lines and planes of closest fit, 1901. Van der Maaten, Hinton,
    Visualizing Data using t-SNE, JMLR 9 (2008). McInnes, Healy, Melville, UMAP,
    arXiv:1802.03426.
    """
    plane = PrincipalPlane.fit(vectors, order)
    if options.method == "pca" or len(order) < 4:
        places = np.concatenate([*map(plane.project, vectors.read()), plane.none()])
        return Projected(places, np.ones(len(order), bool))
    rows = order[evenly(len(order), options.sample)]
    sample = unit_vectors(vectors.take(rows))
    fit = _method(options, len(sample))
    places = np.full((len(order), 2), np.nan, np.float32)
    places[rows] = fit(sample, plane.project(sample))
    fitted = np.zeros(len(order), bool)
    fitted[rows] = True
    if options.place_rest and not fitted.all():
        _place_rest(vectors, sample, places[rows], places, fitted)
    return Projected(places, fitted)


def _method(
    options: ProjectionOptions, count: int
) -> Callable[[Float32Array, Float32Array], Float32Array]:
    """Return a function that places a sample, given its unit vectors and its PCA."""
    asked = options.neighbours or NEIGHBOURS[options.method]
    neighbours = max(2, min(asked, count - 1))
    if options.method == "tsne":
        return lambda sample, start: tsne(sample, start, neighbours)
    return lambda sample, start: umap(sample, start, neighbours, options.min_dist)


def _place_rest(
    vectors: VectorBlocks,
    sample: Float32Array,
    known: Float32Array,
    places: Float32Array,
    fitted: npt.NDArray[np.bool_],
) -> None:
    """Set the places of vectors outside the sample, block by block."""
    search = ExactSearch(sample, "dot")
    first = 0
    for block in vectors.read():
        numbers = np.flatnonzero(~fitted[first : first + len(block)])
        if len(numbers):
            near = search.search(unit_vectors(block[numbers]), min(NEAREST, len(sample)))[1]
            places[first + numbers] = np.median(known[near], axis=1)
        first += len(block)


def planar(vectors: FloatArray, method: Method) -> Float32Array:
    """Place all of a few vectors (n, d) in memory: (n, 2)."""
    blocks = VectorBlocks.from_array(vectors)
    options = ProjectionOptions(method, sample=max(1, len(vectors)))
    return project(blocks, np.arange(len(vectors)), options).places
