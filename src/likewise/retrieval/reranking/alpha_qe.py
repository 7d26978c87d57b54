"""Query expansion: a second search by the mean of the query and its nearest items."""

import numpy as np
from pydantic import Field

from likewise.evaluation.ranking.reranking import QueryBatch
from likewise.formats.array_types import Float32Array, Float64Array
from likewise.retrieval.indexes.base import NONE
from likewise.retrieval.reranking.base import QueryExpansion, unit
from likewise.retrieval.reranking.searched_gallery import Gallery


class AlphaQueryExpansion(QueryExpansion):
    """Search again by a weighted mean of the query and its ``k`` nearest items.

    The weight of an item is its cosine to the query to the power ``alpha``; a negative cosine
    counts as 0. The query has the weight 1. With ``alpha: 0`` all weights are 1: average query
    expansion (Chum et al.).

    Cost per query: one more search of the whole gallery. Memory: ``k`` vectors.

    Source: Radenovic, Tolias, Chum, Fine-tuning CNN Image Retrieval with no Human Annotation,
    TPAMI 2018, section 3.3 (alpha 3, k 50); Chum et al., Total Recall: Automatic Query
    Expansion with a Generative Feature Model for Object Retrieval, ICCV 2007 (alpha 0).

    Attributes:
        k: number of nearest items in the mean.
        alpha: power of the cosines; 0 for equal weights.
    """

    k: int = Field(default=10, ge=1)
    alpha: float = Field(default=3.0, ge=0)

    def expand(self, queries: QueryBatch, gallery: Gallery) -> Float32Array:
        """Return the L2-normalised weighted means (q, d)."""
        _, rows = gallery.nearest(queries.vectors, self.k, queries.excluded)
        expanded = np.empty_like(queries.vectors)
        for number, near in enumerate(rows):
            query = unit(queries.vectors[number].astype(np.float64))
            items = gallery.take(near[near != NONE]).astype(np.float64)
            expanded[number] = unit(query + cosine_powers(items @ query, self.alpha) @ items)
        return expanded


def cosine_powers(cosines: Float64Array, alpha: float) -> Float64Array:
    """Return cosines to the power ``alpha``; a negative one counts as 0, and 0 ** 0 is 1."""
    weights: Float64Array = np.maximum(cosines, 0) ** alpha
    return weights
