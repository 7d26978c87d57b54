"""Verification of the first hits by local features."""

import numpy as np
from pydantic import Field

from likewise.errors import DataError
from likewise.evaluation.ranking.reranking import QueryBatch
from likewise.formats.array_types import Float32Array, Int64Array
from likewise.retrieval.indexes.base import NONE
from likewise.retrieval.reranking.base import FirstHits
from likewise.retrieval.reranking.local_features import (
    GalleryPictures,
    LocalFeatures,
    extract,
    inliers,
    matched,
)
from likewise.retrieval.reranking.searched_gallery import Gallery


class LocalVerification(FirstHits):
    """Order the first hits by the number of local features that fit the query's.

    SIFT features of both images are matched (RootSIFT, ratio test). The score is the number of
    matches that fit one affine transformation, found by RANSAC; fewer than ``min_inliers``
    count as 0. Hits with equal scores keep their order. The query must be an item or an image.

    Cost per query: ``top`` * ``features`` * ``features`` comparisons and ``top`` runs of
    RANSAC; features of ``top`` images, which are kept for later queries. Memory: 136 bytes per
    feature, at most an eighth of ``memory``.

    Source: Philbin, Chum, Isard, Sivic, Zisserman, Object Retrieval with Large Vocabularies and
    Fast Spatial Matching, CVPR 2007; Lowe, Distinctive Image Features from Scale-Invariant
    Keypoints, IJCV 2004; Arandjelovic, Zisserman, Three things everyone should know to improve
    object retrieval, CVPR 2012.

    Attributes:
        features: maximum number of features of an image.
        side: larger side in pixels to which images are reduced.
        ratio: largest ratio of the distances of the nearest and the second nearest feature.
        threshold: largest distance in pixels of a match that fits.
        min_inliers: least number of matches that count.
    """

    top: int = Field(default=100, ge=1)
    features: int = Field(default=500, ge=1)
    side: int = Field(default=480, ge=32)
    ratio: float = Field(default=0.8, gt=0, le=1)
    threshold: float = Field(default=5.0, gt=0)
    min_inliers: int = Field(default=4, ge=3)

    def rescore(self, queries: QueryBatch, rows: Int64Array, gallery: Gallery) -> Float32Array:
        """Return the numbers of matches (q, t) that fit."""
        if gallery.pictures is None:
            raise DataError("the re-ranker local compares images, which this gallery lacks")
        scores = np.full(rows.shape, -np.inf, np.float32)
        for number, hits in enumerate(rows):
            query = self._query(queries, number, gallery.pictures)
            for place, row in enumerate(hits[hits != NONE].tolist()):
                (hit,) = gallery.pictures.of_rows(np.array([row]), self.features, self.side)
                scores[number, place] = self._score(query, hit)
        return scores

    def _query(
        self, queries: QueryBatch, number: int, pictures: GalleryPictures
    ) -> LocalFeatures:
        """Return the features of a query.

        Raises:
            DataError: the query is neither an item nor an image.
        """
        if queries.pictures is not None:
            return extract(queries.pictures[number], self.features, self.side)
        item = int(queries.items[number])
        if item == NONE:
            raise DataError(
                "the re-ranker local compares images; search by one image or by one item"
            )
        return pictures.of_item(item, self.features, self.side)

    def _score(self, query: LocalFeatures, hit: LocalFeatures) -> int:
        own, other = matched(query.descriptors, hit.descriptors, self.ratio)
        count = inliers(query.places[own], hit.places[other], self.threshold)
        return count if count >= self.min_inliers else 0
