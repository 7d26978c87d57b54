"""The keywords of a search, and the types of what can be looked for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict, Union

import numpy.typing as npt

from likewise.formats.array_types import Pixels
from likewise.formats.paths import StrPath

if TYPE_CHECKING:
    from PIL import Image

Picture: TypeAlias = Union[StrPath, bytes, Pixels, "Image.Image"]
"""An image: a file, its bytes, an opened image, or an array (height, width[, 3]) of uint8."""

Numbers: TypeAlias = StrPath | npt.ArrayLike
"""A vector, or a file with one."""

Box: TypeAlias = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the image as it is stored, half-open."""


class QueryOptions(TypedDict, total=False):
    """Options of ``search`` and ``search_many``: how to look, whatever is looked for.

    Attributes:
        model: whose vectors to compare; by default the only model there is.
        k: how many hits, 10 by default; fewer if there are fewer items.
        offset: how many of the best hits to skip: the next page.
        min_score: no hit has a lower score; without ``k``, all that reach it are hits.
        per_label: the maximum number of hits of one label.
        role: which items may be hits: those of the role ``gallery`` (the default) or
            ``query``, or ``any``. An item without a role has every role.
        where: an SQL condition; only items that meet it are compared. Strings stand in single
            quotes: ``label = 'cat' AND split <> 'test'``.
        index: an index of params.yaml; by default ``exact``.
    """

    model: str | None
    k: int | None
    offset: int
    min_score: float | None
    per_label: int | None
    role: Literal["gallery", "query", "any"]
    where: str | None
    index: str | None


class SearchOptions(QueryOptions, total=False):
    """Options of ``search``: what to look for, and how.

    Attributes:
        image: a file, its bytes, an opened image or an array of pixels, which the model
            embeds; or several of them.
        id: an item of the data set, or several; they are left out of the hits.
        vector: a vector, or a file with one (``.npy`` ...); its length does not matter.
        text: words of labels and texts, scored by BM25. Together with an image, item or
            vector both rankings are fused (the sum of 1 / (60 + rank)).
        box: x1, y1, x2, y2 in pixels: search by this part of the image only.
        combine: of several, look for the ``mean``, or score by the nearest (``max``).
    """

    image: Picture | Sequence[Picture] | None
    id: str | Sequence[str] | None
    vector: Numbers | None
    text: str | None
    box: Box | None
    combine: Literal["mean", "max"]
