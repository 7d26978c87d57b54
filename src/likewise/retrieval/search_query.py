"""What a search is asked for: checked, read, and made comparable."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise.errors import DataError, UnknownOptionError
from likewise.formats.array_types import AnyArray, Float32Array, Float64Array, Pixels
from likewise.formats.arrays import read_array
from likewise.formats.paths import StrPath
from likewise.imaging.decode import crop, decode
from likewise.imaging.probe import BadImage
from likewise.retrieval.search_options import (
    Box,
    Numbers,
    Picture,
    QueryOptions,
    SearchOptions,
)

if TYPE_CHECKING:
    from PIL import Image

_NEAR_IDS = 2000

DEFAULT_K = 10


@dataclass(frozen=True)
class Query:
    """What to look for, by image, id, vector or text, and how to look; see SearchOptions."""

    model: str | None = None
    image: Picture | Sequence[Picture] | None = None
    id: str | Sequence[str] | None = None
    vector: Numbers | None = None
    text: str | None = None
    box: Box | None = None
    combine: Literal["mean", "max"] = "mean"
    k: int | None = None
    offset: int = 0
    min_score: float | None = None
    per_label: int | None = None
    role: Literal["gallery", "query", "any"] = "gallery"
    where: str | None = None
    index: str | None = None

    @property
    def images(self) -> list[Picture]:
        """The pictures to look for."""
        return as_list(self.image)

    @property
    def ids(self) -> list[str]:
        """The items to look for."""
        return as_list(self.id)

    @property
    def seen(self) -> bool:
        """Whether there is anything but text to look for."""
        return bool(self.images or self.ids or self.vector is not None)

    @classmethod
    def from_options(cls, options: SearchOptions, function: str = "search") -> "Query":
        """The query of the keywords of ``search``, checked.

        Raises:
            UnknownOptionError: there is no such keyword.
            DataError: see ``check``.
        """
        _check_names(function, options, SearchOptions)
        query = cls(**options)
        query.check()
        return query

    @classmethod
    def from_batch_options(cls, options: QueryOptions) -> "Query":
        """The query of the keywords of ``search_many``; the table says what to look for.

        Raises:
            UnknownOptionError: there is no such keyword.
            DataError: a number is out of range.
        """
        _check_names("search_many", options, QueryOptions)
        query = cls(**options)
        query.check_how()
        return query

    def check(self) -> None:
        """Refuse a query that does not say what to look for, or how many hits.

        Raises:
            DataError: nothing or several things are given, or a number is out of range.
        """
        ways = {"image": self.images, "id": self.ids}
        given = [name for name, value in ways.items() if value]
        given += ["vector"] if self.vector is not None else []
        if len(given) > 1 or not (given or self.text is not None):
            found = " and ".join(given) or "none of them"
            raise DataError(
                f"search by one of image, id and vector, or by text; here is {found}"
            )
        if self.box is not None and not self.images:
            raise DataError("a box is cut out of a picture; name the image too")
        self.check_how()

    def check_how(self) -> None:
        """Refuse options that are out of range.

        Raises:
            DataError: one of them is.
        """
        for fault in self._faults():
            raise DataError(fault)

    def _faults(self) -> Iterator[str]:
        if self.k is not None and self.k < 1:
            yield f"k is {self.k}; ask for at least 1 hit"
        if self.offset < 0:
            yield f"offset is {self.offset}; the first hit has the offset 0"
        if self.per_label is not None and self.per_label < 1:
            yield f"per_label is {self.per_label}; ask for at least 1 hit a label"
        if self.min_score is not None and np.isnan(self.min_score):
            yield "min_score is no number"
        for name, known in (
            ("combine", ("mean", "max")),
            ("role", ("gallery", "query", "any")),
        ):
            if getattr(self, name) not in known:
                yield f"{name} is {getattr(self, name)!r}; it is one of {', '.join(known)}"
        if self.text is not None and self.min_score is not None:
            yield "min_score is for vectors; the scores of words have no scale"


def _check_names(function: str, options: Iterable[str], known: type) -> None:
    names = list(known.__annotations__)
    for option in options:
        if option not in names:
            raise UnknownOptionError(function, option, names)


def as_list(asked: Any) -> list[Any]:
    """Several things, or the one that there is, or none, as a list."""
    if asked is None:
        return []
    return list(asked) if isinstance(asked, list | tuple) else [asked]


def query_pictures(query: Query) -> "list[Image.Image]":
    """The pictures to look for, or the box in each of them.

    Raises:
        DataError: one of them is no image, or the box is not in it.
    """
    found = [open_picture(one) for one in query.images]
    return found if query.box is None else [_cut(image, query.box) for image in found]


def _cut(image: "Image.Image", box: Box) -> "Image.Image":
    x1, y1, x2, y2 = box
    if not (0 <= x1 < x2 <= image.width and 0 <= y1 < y2 <= image.height):
        wide = f"{image.width} x {image.height} pixels"
        raise DataError(f"box {x1:g},{y1:g},{x2:g},{y2:g} is not inside the image of {wide}")
    return crop(image, box)


def open_picture(asked: Picture) -> "Image.Image":
    """The picture to look for, RGB, as it is stored: what a model is shown.

    Raises:
        DataError: there is no such file, or it is no image.
    """
    if isinstance(asked, np.ndarray):
        return _from_array(asked)
    if not isinstance(asked, str | os.PathLike | bytes):
        return asked.convert("RGB")
    name = "the query" if isinstance(asked, bytes) else str(asked)
    try:
        return decode(image_bytes(asked))
    except BadImage as bad:
        raise DataError(f"{name}: {bad.detail}") from bad


def _from_array(pixels: Pixels) -> "Image.Image":
    """An array of pixels as an RGB image.

    Raises:
        DataError: another shape or type.
    """
    from PIL import Image

    if pixels.dtype != np.uint8 or pixels.shape[2:] not in ((), (3,)) or pixels.ndim < 2:
        shape = " x ".join(map(str, pixels.shape)) or "no"
        raise DataError(
            f"the query holds {shape} values of {pixels.dtype}; "
            "an image is height x width x 3 values of uint8"
        )
    return Image.fromarray(pixels).convert("RGB")


def image_bytes(asked: StrPath | bytes) -> bytes:
    """The bytes of an image file.

    Raises:
        DataError: there is no such file.
    """
    if isinstance(asked, bytes):
        return asked
    try:
        return Path(asked).read_bytes()
    except OSError as error:
        raise DataError(f"{asked}: {error.strerror}; name an image file") from error


def read_vector(asked: Numbers) -> Float64Array:
    """The numbers to look for: (d,).

    Raises:
        DataError: they are not one vector of numbers.
    """
    if isinstance(asked, str | os.PathLike):
        name, values = str(asked), read_array(Path(asked))
    else:
        name, values = "the query", _as_array(asked)
    if values.ndim == 2 and len(values) == 1:
        values = values[0]
    if values.ndim != 1 or values.dtype.kind not in "fiu":
        shape = " x ".join(map(str, values.shape)) or "no"
        raise DataError(f"{name} holds {shape} values of {values.dtype}; give one vector")
    return values.astype(np.float64)


def _as_array(asked: npt.ArrayLike) -> AnyArray:
    try:
        return np.asarray(asked)
    except ValueError as error:  # lists of several lengths
        raise DataError(f"the query is not one vector: {error}") from error


def unit_vector(values: AnyArray) -> Float32Array:
    """A vector (d,) of length 1 in the same direction.

    Raises:
        DataError: it has none: it is zero, or holds what is no number.
    """
    wide = values.astype(np.float64)
    if not np.isfinite(wide).all():
        wrong = np.flatnonzero(~np.isfinite(wide))
        raise DataError(
            f"{len(wrong):,} values of the vector are no number; the first: {wrong[0]}"
        )
    # The largest value first: its square could be beyond what a float64 holds.
    largest = np.abs(wide).max(initial=0)
    if not largest:
        raise DataError("all values of the vector are 0: it has no direction")
    wide /= largest
    scaled: Float32Array = (wide / np.linalg.norm(wide)).astype(np.float32)
    return scaled


def ids_like(ids: pl.Series, wrong: str) -> Iterable[str]:
    """Ids that begin as ``wrong`` does, for a message; not millions of them."""
    for length in range(len(wrong), 0, -1):
        found = ids.filter(ids.str.starts_with(wrong[:length]))
        if len(found):
            return found.head(_NEAR_IDS).to_list()
    return ids.head(_NEAR_IDS).to_list()
