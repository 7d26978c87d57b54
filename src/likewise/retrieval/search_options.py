"""Keyword arguments of a search, and the types of queries."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict, Union

import numpy.typing as npt

from likewise.formats.array_types import Pixels
from likewise.formats.paths import StrPath

if TYPE_CHECKING:
    from PIL import Image

Picture: TypeAlias = Union[StrPath, bytes, Pixels, "Image.Image"]
"""An image: a file, its bytes, an open image, or an array (height, width[, 3]) of uint8."""

Numbers: TypeAlias = StrPath | npt.ArrayLike
"""A vector, or a file with one."""

Box: TypeAlias = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the image as it is stored, half-open."""


class QueryOptions(TypedDict, total=False):
    """Options that ``search`` and ``search_many`` share.

    Attributes:
        model: the model whose vectors are compared; optional if there is only one.
        k: maximum number of hits; 10 by default.
        offset: number of best hits to skip, for the next page.
        min_score: minimum score of a hit; without ``k``, all items that reach it are hits.
        per_label: maximum number of hits of one label.
        role: items that may be hits: those of the role ``gallery`` (the default) or
            ``query``, or ``any``. An item without a role has every role.
        query_role: the role as which pictures of the query are embedded, if the model treats
            roles differently: ``query`` (the default), as a sketch, or ``gallery``, as a
            photograph.
        where: an SQL condition; only items that meet it are compared. Write strings in single
            quotes: ``label = 'cat' AND split <> 'test'``. In the list columns ``tags`` and
            ``selections``: ``array_has(tags, 'blurred')``.
        selection: name of a selection; only its items are compared.
        index: an index of params.yaml; ``exact`` by default.
        rerank: a re-ranker, which improves the hits by their neighbours: an entry of
            ``rerankers`` in params.yaml, or a kind with its defaults (``likewise kinds
            rerankers``). The scores of the hits are those of the re-ranker.
        templates: sentences in which ``{}`` stands for a text, such as ``"a photo of a {}"``;
            their vectors are averaged. By default those of the model's passport.
    """

    model: str | None
    k: int | None
    offset: int
    min_score: float | None
    per_label: int | None
    role: Literal["gallery", "query", "any"]
    query_role: Literal["query", "gallery"]
    where: str | None
    selection: str | None
    index: str | None
    rerank: str | None
    templates: str | Sequence[str] | None


class SearchOptions(QueryOptions, total=False):
    """Options of ``search``: a query, and how to answer it.

    Attributes:
        image: one or several images, which the model embeds: a file, its bytes, an open image
            or an array of pixels.
        id: one or several items of the data set; they are left out of the hits.
        vector: a vector, or a file with one (``.npy`` ...); it is normalised.
        text: one or several descriptions of an image, which the text tower of the model
            embeds. With an image, item or vector, the query is the weighted sum of both.
        text_weight: weight of the text in that sum, 0 to 1; 0.5 by default.
        keywords: words of labels and texts, scored by BM25. With an image, item, vector or
            text, both rankings are fused: the sum of 1 / (60 + rank).
        box: x1, y1, x2, y2 in pixels; search by this part of the image only.
        unlike: one or several items of the data set that the hits should be unlike. Half of
            their mean vector is subtracted from the query (Rocchio); they are never hits.
        not_text: one or several descriptions that the hits should be unlike; with ``unlike``,
            the mean is that of both.
        combine: for several images, items or texts: search by their ``mean`` vector, or score
            by the nearest of them (``max``).
    """

    image: Picture | Sequence[Picture] | None
    id: str | Sequence[str] | None
    vector: Numbers | None
    text: str | Sequence[str] | None
    text_weight: float | None
    keywords: str | None
    box: Box | None
    unlike: str | Sequence[str] | None
    not_text: str | Sequence[str] | None
    combine: Literal["mean", "max"]
