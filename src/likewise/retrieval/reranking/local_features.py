"""Local features of images by OpenCV: SIFT, matches, and those that fit a transformation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from likewise.errors import extras_named
from likewise.formats.array_types import BoolArray, Float32Array, Int64Array, UInt8Array

if TYPE_CHECKING:
    from PIL import Image

_SHARE = 1 / 8
"""Part of the memory that features of images may use."""


@dataclass(frozen=True)
class LocalFeatures:
    """The local features of one image.

    Attributes:
        places: (f, 2) float32, x and y in pixels of the reduced image.
        descriptors: (f, 128) uint8, SIFT.
    """

    places: Float32Array
    descriptors: UInt8Array

    @property
    def nbytes(self) -> int:
        """Number of bytes."""
        return self.places.nbytes + self.descriptors.nbytes


def extract(image: "Image.Image", most: int, side: int) -> LocalFeatures:
    """Extract at most ``most`` features of an image, reduced to a larger side of ``side``.

    Source: Lowe, Distinctive Image Features from Scale-Invariant Keypoints, IJCV 2004.

    Raises:
        MissingExtraError: OpenCV is not installed.
    """
    grey = image.convert("L")
    grey.thumbnail((side, side))
    points, values = (
        _opencv().SIFT.create(nfeatures=most).detectAndCompute(np.asarray(grey), None)
    )
    places = np.array([point.pt for point in points], np.float32).reshape(-1, 2)
    descriptors = np.zeros((0, 128), np.uint8) if values is None else values.astype(np.uint8)
    return LocalFeatures(places[:most], descriptors[:most])


def _opencv() -> Any:  # its type stubs lack the results for images without features
    with extras_named():
        import cv2
    return cv2


def matched(query: UInt8Array, hit: UInt8Array, ratio: float) -> tuple[Int64Array, Int64Array]:
    """Return the pairs of features that match: (m,) numbers in ``query`` and in ``hit``.

    Descriptors are compared as RootSIFT. A feature of the query matches its nearest one if this
    is nearer than ``ratio`` times the second nearest (Lowe, section 7.1).

    Source: Arandjelovic, Zisserman, Three things everyone should know to improve object
    retrieval, CVPR 2012, section 3 (RootSIFT).
    """
    empty = np.empty(0, np.int64)
    if not len(query) or len(hit) < 2:
        return empty, empty
    cosines = root_sift(query) @ root_sift(hit).T
    rows, best = np.arange(len(query)), cosines.argmax(axis=1)
    first = cosines[rows, best]
    cosines[rows, best] = -np.inf
    second = cosines.max(axis=1)
    near, next_near = (np.sqrt(np.maximum(2 - 2 * one, 0)) for one in (first, second))
    kept: BoolArray = near < ratio * next_near
    return np.flatnonzero(kept), best[kept]


def root_sift(descriptors: UInt8Array) -> Float32Array:
    """Return the roots of descriptors (f, 128) of sum 1; their length is 1."""
    sums = np.maximum(descriptors.sum(axis=1, keepdims=True, dtype=np.float32), 1)
    roots: Float32Array = np.sqrt(descriptors / sums)
    return roots


def inliers(query: Float32Array, hit: Float32Array, threshold: float) -> int:
    """Return the number of matches (m, 2) that fit one affine transformation (RANSAC).

    Source: Philbin et al., Object Retrieval with Large Vocabularies and Fast Spatial Matching,
    CVPR 2007. OpenCV's generator has a fixed seed, so the number is always the same.

    Args:
        query: places in the query.
        hit: places in the hit.
        threshold: largest distance in pixels of a match that fits.
    """
    if len(query) < 3:
        return 0
    cv2 = _opencv()
    _, mask = cv2.estimateAffine2D(
        query, hit, method=cv2.RANSAC, ransacReprojThreshold=threshold
    )
    return 0 if mask is None else int(mask.sum())


ImagesAt: TypeAlias = Callable[[Sequence[int]], "list[Image.Image]"]
"""Function from item rows to their images."""


class GalleryPictures:
    """The images of the items of a gallery, and their features; features are kept.

    If the features of more images than fit into the memory are needed, all are extracted again.
    """

    def __init__(
        self,
        images_at: ImagesAt,
        items: Int64Array | None,
        memory: int,
    ) -> None:
        """Read images by ``images_at``, which takes item rows.

        Args:
            images_at: returns the images of items.
            items: (n,) item rows of the rows of the gallery; None: they are equal.
            memory: bytes that vectors and features may use.
        """
        self._images_at, self._items = images_at, items
        self._most = int(memory * _SHARE)
        self._kept: dict[tuple[int, int, int], LocalFeatures] = {}
        self._bytes = 0
        self._lock = Lock()

    def of_rows(self, rows: Int64Array, most: int, side: int) -> list[LocalFeatures]:
        """Return the features of rows of the gallery."""
        items = rows if self._items is None else self._items[rows]
        return [self.of_item(int(item), most, side) for item in items]

    def of_item(self, item: int, most: int, side: int) -> LocalFeatures:
        """Return the features of an item; see ``extract``."""
        key = (item, most, side)
        with self._lock:
            if key not in self._kept:
                (image,) = self._images_at([item])
                features = extract(image, most, side)
                if self._bytes + features.nbytes > self._most:
                    self._kept.clear()
                    self._bytes = 0
                self._kept[key] = features
                self._bytes += features.nbytes
            return self._kept[key]
