"""Embed images by a function of the catalogue's author, and check what it returns."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from likewise.errors import DataError, bounded
from likewise.formats.array_types import AnyArray, Float32Array
from likewise.formats.counted_nouns import counted
from likewise.imaging.decode import decode
from likewise.imaging.probe import BadImage
from likewise.models.function_source import SOURCE, failure
from likewise.models.passport import Passport
from likewise.models.training.image_encoder import ImageEncoder

if TYPE_CHECKING:
    from PIL import Image

    from likewise.models.training.image_batches import Images, Item


class FunctionEncoder(ImageEncoder):
    """A function from a list of RGB images to an array (images, dim)."""

    def __init__(
        self, function: Callable[[Sequence[Any]], Any], passport: Passport, folder: Path
    ) -> None:
        """Embed by ``function``, which the model in ``folder`` has."""
        self.dim = passport.dim
        self.passport = passport
        self._call = CheckedCall(function, str(passport.recipe["function"]), folder)
        self._batch = int(passport.recipe["batch"])

    def encode(self, images: "Sequence[Image.Image]") -> Float32Array:
        """Embed images of queries, one per call: (images, dim), float32, L2-normalised.

        Raises:
            DataError: the function raises an error, or returns something else.
        """
        parts = [self._vectors([image.convert("RGB")], [n]) for n, image in enumerate(images)]
        return np.concatenate([np.empty((0, self.dim), np.float32), *parts])

    def encode_stream(
        self, dataset: "Images", *, unreadable: dict[int, str] | None = None
    ) -> Iterator[tuple[list[int], Float32Array]]:
        """Embed the images of ``dataset`` in order; see ``ImageEncoder``."""
        reasons = {} if unreadable is None else unreadable
        read_many = getattr(dataset, "__getitems__", None)
        for start in range(0, len(dataset), self._batch):
            rows = list(range(start, min(start + self._batch, len(dataset))))
            items = read_many(rows) if read_many else [dataset[row] for row in rows]
            decoded = {row: _decoded(item) for row, item in zip(rows, items, strict=True)}
            reasons.update({r: str(i) for r, i in decoded.items() if isinstance(i, BadImage)})
            images = {r: i for r, i in decoded.items() if not isinstance(i, BadImage)}
            if images:
                yield list(images), self._vectors(list(images.values()), list(images))
        if reasons and unreadable is None:
            examples = (f"row {row} ({reason})" for row, reason in reasons.items())
            raise DataError(
                f"{len(reasons):,} of {counted(len(dataset), 'image')} cannot be decoded: "
                f"{bounded(examples, len(reasons))}; correct them or leave them out"
            )

    def _vectors(self, images: list[Any], rows: list[int]) -> Float32Array:
        return self._call(images, rows, self.dim)


class CheckedCall:
    """A call of an author's function that reports each of its faults in one line."""

    def __init__(
        self, function: Callable[[Sequence[Any]], Any], name: str, folder: Path
    ) -> None:
        """Call ``function``, whose ``module:callable`` is ``name``."""
        self._function = function
        self._name = name
        self._source = folder / SOURCE

    def __call__(
        self, images: list[Any], rows: list[int], dim: int | None = None
    ) -> Float32Array:
        """Return the vectors of images: (images, dim), float32, L2-normalised.

        Args:
            images: RGB images.
            rows: their rows, for messages.
            dim: the length that vectors must have; None for any.

        Raises:
            DataError: the function raises an error, or returns something else than an array of
                one finite vector, not of zeros, per image.
        """
        try:
            result = self._function(images)
        except Exception as error:
            action = f"its call with {counted(len(images), 'image')}"
            raise self._fault(failure(error, action, self._source)) from error
        vectors = self._array(result, len(images))
        if dim is not None and vectors.shape[1] != dim:
            raise self._fault(
                f"it returned vectors of {counted(vectors.shape[1], 'value')}, and of {dim} "
                "when the model was made; return the same length for every batch, then run: "
                "dvc repro"
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        valid = (np.isfinite(lengths) & (lengths > 0)).ravel()
        bad = [row for row, is_valid in zip(rows, valid, strict=True) if not is_valid]
        if bad:
            raise self._fault(
                f"it returned NaN, infinity or zeros for {len(bad)} of "
                f"{counted(len(rows), 'image')}: rows {bounded(bad, len(bad))}; inspect these "
                "images, correct the function, then run: dvc repro"
            )
        return np.asarray(vectors / lengths, np.float32)

    def _array(self, result: Any, count: int) -> AnyArray:
        """Return the result as an array (count, d) of float64.

        Raises:
            DataError: it is something else.
        """
        wanted = f"return a numpy array ({count}, d), one row per image"
        if hasattr(result, "detach") and hasattr(result, "cpu"):  # a tensor of torch
            result = result.detach().cpu().float().numpy()
        if not isinstance(result, np.ndarray):
            raise self._fault(f"it returned a {type(result).__name__}; {wanted}")
        if result.dtype.kind not in "fiu":
            raise self._fault(f"it returned an array of {result.dtype}; return numbers")
        if result.ndim != 2 or not result.shape[1]:
            raise self._fault(f"it returned an array of the shape {result.shape}; {wanted}")
        if len(result) != count:
            raise self._fault(
                f"it returned {counted(len(result), 'vector')} for {counted(count, 'image')}; "
                f"{wanted}"
            )
        return result.astype(np.float64)

    def _fault(self, text: str) -> DataError:
        return DataError(f"function {self._name}: {text}")


def _decoded(item: "Item") -> "Image.Image | BadImage":
    """Return the RGB image of an item, or the error of an unreadable one."""
    if isinstance(item, BadImage):
        return item
    try:
        return decode(item) if isinstance(item, bytes) else item.convert("RGB")
    except BadImage as error:
        return error
