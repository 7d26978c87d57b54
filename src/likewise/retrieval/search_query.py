"""Queries: check their options, and read their images and vectors."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from likewise.errors import DataError, UnknownOptionError
from likewise.formats.array_types import Pixels
from likewise.formats.paths import StrPath
from likewise.imaging.decode import as_rgb, crop, decode
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

TEXT_WEIGHT = 0.5
"""Weight of a text in its sum with an image, item or vector."""


@dataclass(frozen=True)
class Query:
    """A query by image, id, vector, text or keywords; see ``SearchOptions``."""

    model: str | None = None
    image: Picture | Sequence[Picture] | None = None
    id: str | Sequence[str] | None = None
    vector: Numbers | None = None
    text: str | Sequence[str] | None = None
    text_weight: float | None = None
    keywords: str | None = None
    box: Box | None = None
    unlike: str | Sequence[str] | None = None
    not_text: str | Sequence[str] | None = None
    combine: Literal["mean", "max"] = "mean"
    k: int | None = None
    offset: int = 0
    min_score: float | None = None
    per_label: int | None = None
    role: Literal["gallery", "query", "any"] = "gallery"
    query_role: Literal["query", "gallery"] = "query"
    where: str | None = None
    selection: str | None = None
    index: str | None = None
    rerank: str | None = None
    templates: str | Sequence[str] | None = None

    @property
    def images(self) -> list[Picture]:
        """Images of the query."""
        return as_list(self.image)

    @property
    def ids(self) -> list[str]:
        """Ids of the query's items."""
        return as_list(self.id)

    @property
    def unlikes(self) -> list[str]:
        """Ids of the items that the hits should be unlike."""
        return as_list(self.unlike)

    @property
    def texts(self) -> list[str]:
        """Descriptions that the text tower embeds."""
        return as_list(self.text)

    @property
    def not_texts(self) -> list[str]:
        """Descriptions that the hits should be unlike."""
        return as_list(self.not_text)

    @property
    def uses_vectors(self) -> bool:
        """True if the query has images, ids, a vector or texts, not only keywords."""
        return bool(self.images or self.ids or self.vector is not None or self.texts)

    @property
    def uses_texts(self) -> bool:
        """True if the query needs the text tower of the model."""
        return bool(self.texts or self.not_texts)

    @classmethod
    def from_options(cls, options: SearchOptions, function: str = "search") -> "Query":
        """Build and check a query from the keyword arguments of ``search``.

        Raises:
            UnknownOptionError: no such option.
            DataError: see ``check``.
        """
        _check_names(function, options, SearchOptions)
        query = cls(**options)
        query.check()
        return query

    @classmethod
    def from_batch_options(cls, options: QueryOptions) -> "Query":
        """Build and check a query from the keyword arguments of ``search_many``.

        Raises:
            UnknownOptionError: no such option.
            DataError: an option is out of range.
        """
        _check_names("search_many", options, QueryOptions)
        query = cls(**options)
        query.check_options()
        return query

    def check(self) -> None:
        """Check that the parts of the query fit together, and that the options are valid.

        Raises:
            DataError: several of image, id and vector, none of them and no words, or an option
                is out of range.
        """
        values = {"image": self.images, "id": self.ids}
        names = [name for name, value in values.items() if value]
        names += ["vector"] if self.vector is not None else []
        if len(names) > 1 or not (names or self.texts or self.keywords is not None):
            present = " and ".join(names) or "none of them"
            raise DataError(
                "a search needs one of image, id and vector, or a text or keywords; found "
                f"{present}"
            )
        if self.box is not None and not self.images:
            raise DataError("a box is a region of an image; give the image too")
        if (self.unlikes or self.not_texts) and not (names or self.texts):
            option = "unlike" if self.unlikes else "not_text"
            raise DataError(f"{option} needs an image, id, vector or text to search for")
        if self.text_weight is not None and not (names and self.texts):
            raise DataError(
                "text_weight is the share of a text in its sum with an image, id or vector; "
                "give both"
            )
        if self.templates is not None and not self.uses_texts:
            raise DataError("templates are sentences for a text or not_text; give one too")
        self.check_options()

    def check_options(self) -> None:
        """Check that the options are in range.

        Raises:
            DataError: an option is out of range.
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
            yield "min_score is NaN; it must be a number"
        for name, known in (
            ("combine", ("mean", "max")),
            ("role", ("gallery", "query", "any")),
            ("query_role", ("query", "gallery")),
        ):
            if getattr(self, name) not in known:
                yield f"{name} is {getattr(self, name)!r}; it is one of {', '.join(known)}"
        if self.keywords is not None and self.min_score is not None:
            yield "min_score is for vectors; the scores of keywords have no scale"
        yield from self._rerank_faults()
        yield from self._text_faults()

    def _rerank_faults(self) -> Iterator[str]:
        if self.rerank is None:
            return
        if self.keywords is not None:
            yield "rerank is for vectors; a search with keywords is not re-ranked"
        if self.combine == "max" and max(len(self.images), len(self.ids), len(self.texts)) > 1:
            yield "rerank needs one query vector; use combine mean for several queries"

    def _text_faults(self) -> Iterator[str]:
        for name in ("text", "not_text"):
            for text in as_list(getattr(self, name)):
                if not isinstance(text, str) or not text.strip():
                    yield f"{name}: {text!r} is not a description of an image; write some words"
        if self.text_weight is not None and not 0 <= self.text_weight <= 1:
            yield f"text_weight is {self.text_weight}; it must be from 0 to 1"
        for template in as_list(self.templates):
            if not isinstance(template, str) or template.count("{}") != 1:
                yield (
                    f"the template {template!r} must have {{}} once, where the text goes: "
                    "'a photo of a {}'"
                )


def _check_names(function: str, options: Iterable[str], known: type) -> None:
    names = list(known.__annotations__)
    for option in options:
        if option not in names:
            raise UnknownOptionError(function, option, names)


def as_list(value: Any) -> list[Any]:
    """Return a list or tuple as a list, None as an empty list, another value in a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def query_pictures(query: Query) -> "list[Image.Image]":
    """Return the images of a query, cropped to its box if it has one.

    Raises:
        DataError: an image cannot be decoded, or the box is not inside it.
    """
    images = [open_picture(picture) for picture in query.images]
    return images if query.box is None else [_crop(image, query.box) for image in images]


def _crop(image: "Image.Image", box: Box) -> "Image.Image":
    x1, y1, x2, y2 = box
    if not (0 <= x1 < x2 <= image.width and 0 <= y1 < y2 <= image.height):
        size = f"{image.width} x {image.height} pixels"
        raise DataError(f"box {x1:g},{y1:g},{x2:g},{y2:g} is not inside the image of {size}")
    return crop(image, box)


def open_picture(picture: Picture) -> "Image.Image":
    """Open a picture as RGB, without rotation by EXIF: the input of a model.

    Raises:
        DataError: there is no such file, or it is not an image.
    """
    if isinstance(picture, np.ndarray):
        return _from_array(picture)
    if not isinstance(picture, str | os.PathLike | bytes):
        return as_rgb(picture)
    name = "the query" if isinstance(picture, bytes) else str(picture)
    try:
        return decode(image_bytes(picture))
    except BadImage as bad:
        raise DataError(f"{name}: {bad.detail}") from bad


def _from_array(pixels: Pixels) -> "Image.Image":
    """Convert an array of pixels to an RGB image.

    Raises:
        DataError: the array has another shape or type.
    """
    from PIL import Image

    if pixels.dtype != np.uint8 or pixels.shape[2:] not in ((), (3,)) or pixels.ndim < 2:
        shape = " x ".join(map(str, pixels.shape)) or "no"
        raise DataError(
            f"the query has {shape} values of {pixels.dtype}; an image has height x width x 3 "
            "values of uint8"
        )
    return Image.fromarray(pixels).convert("RGB")


def image_bytes(file: StrPath | bytes) -> bytes:
    """Read an image file; bytes are returned unchanged.

    Raises:
        DataError: the file cannot be read.
    """
    if isinstance(file, bytes):
        return file
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}; give the path of an image file") from error


def ids_like(ids: pl.Series, wrong: str) -> Iterable[str]:
    """Return at most 2000 ids that share the longest prefix with ``wrong``, for a message."""
    for length in range(len(wrong), 0, -1):
        similar = ids.filter(ids.str.starts_with(wrong[:length]))
        if len(similar):
            return similar.head(_NEAR_IDS).to_list()
    return ids.head(_NEAR_IDS).to_list()
