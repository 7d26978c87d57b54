"""Read images of a table by position, also in worker processes."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from likewise.formats.counted_nouns import counted
from likewise.imaging.decode import crop, decode
from likewise.imaging.probe import BadImage
from likewise.storage import tables

if TYPE_CHECKING:
    from PIL import Image


Box = Sequence[float]
"""x1, y1, x2, y2 in pixels of the stored image, half-open."""


class ImageReader:
    """Reads images or boxes of an images table in a given order; it can be pickled.

    Each process opens the table itself, because Lance does not survive a fork.
    """

    def __init__(
        self, path: Path, rows: Sequence[int], boxes: Sequence[Box | None] | None = None
    ) -> None:
        """Store the table's path.

        Args:
            path: path of the images table.
            rows: positions in the table.
            boxes: the box to cut out of each image, or None for the whole image.
        """
        self._path = path
        self._rows = np.asarray(rows, dtype=np.int64)
        self._boxes = boxes
        self._table: tables.Table | None = None

    def __repr__(self) -> str:
        return f"ImageReader({counted(len(self), 'image')} of {str(self._path)!r})"

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._rows)

    def __getitem__(self, number: int) -> "bytes | Image.Image | BadImage":
        """Return image ``number``; see ``__getitems__``."""
        return self.__getitems__([number])[0]

    def __getitems__(self, numbers: Sequence[int]) -> "list[bytes | Image.Image | BadImage]":
        """Read several images at once: encoded bytes; the decoded pixels of boxes."""
        return [self._cut(*pair) for pair in zip(numbers, self.encoded(numbers), strict=True)]

    def __getstate__(self) -> dict[str, object]:
        """Return the state without the open table."""
        return {**self.__dict__, "_table": None}

    def encoded(self, numbers: Iterable[int]) -> list[bytes]:
        """Read the encoded images ``numbers`` at once, in that order."""
        if self._table is None:
            self._table = tables.open_table(self._path, "dvc repro")
        return self._table.blobs("image", self._rows[list(numbers)].tolist())

    def decoded(self) -> "list[Image.Image]":
        """Read and decode all images; see ``decode``."""
        numbers = range(len(self))
        return list(map(self.decode, numbers, self.encoded(numbers)))

    def decode(self, number: int, data: bytes) -> "Image.Image":
        """Decode ``data`` to RGB, and crop it to the box of image ``number`` if it has one.

        Raises:
            BadImage: the image cannot be decoded.
        """
        box = self._box(number)
        return decode(data) if box is None else crop(decode(data), box)

    def _box(self, number: int) -> Box | None:
        return None if self._boxes is None else self._boxes[number]

    def _cut(self, number: int, data: bytes) -> "bytes | Image.Image | BadImage":
        if self._box(number) is None:
            return data
        try:
            return self.decode(number, data)
        except BadImage as bad:
            return bad


class ReadersInTurn:
    """Reads images of several data sets; it can be pickled."""

    def __init__(self, readers: Sequence[ImageReader], places: Sequence[tuple[int, int]]):
        """Combine readers.

        Args:
            readers: one reader for each data set.
            places: for each image, the number of its reader and its number there.
        """
        self._readers = readers
        self._places = places

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._places)

    def __getitem__(self, number: int) -> "bytes | Image.Image | BadImage":
        """Return image ``number``."""
        return self.__getitems__([number])[0]

    def __getitems__(self, numbers: Sequence[int]) -> "list[bytes | Image.Image | BadImage]":
        """Read several images at once; each data set is read once."""
        wanted = [self._places[number] for number in numbers]
        images: dict[tuple[int, int], bytes | Image.Image | BadImage] = {}
        for at in {reader for reader, _ in wanted}:
            rows = [row for reader, row in wanted if reader == at]
            read = self._readers[at].__getitems__(rows)
            images.update(zip(((at, row) for row in rows), read, strict=True))
        return [images[place] for place in wanted]


class LabelledImages:
    """A map-style data set of (image, class index) for PyTorch's data loaders."""

    def __init__(
        self,
        reader: ImageReader,
        labels: Sequence[str | None],
        transform: "Callable[[Image.Image], Any] | None" = None,
    ) -> None:
        """Combine images with one label each, and a transform of the decoded image."""
        self.classes = sorted({label for label in labels if label is not None})
        code = {label: number for number, label in enumerate(self.classes)}
        self.targets = [-1 if label is None else code[label] for label in labels]
        self.transform = transform
        self._reader = reader

    def __repr__(self) -> str:
        return (
            f"LabelledImages({counted(len(self), 'image')}, "
            f"{counted(len(self.classes), 'class')})"
        )

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self._reader)

    def __getitem__(self, number: int) -> tuple[Any, int]:
        """Return item ``number``: transformed image, and class index or -1."""
        return self.__getitems__([number])[0]

    def __getitems__(self, numbers: Sequence[int]) -> list[tuple[Any, int]]:
        """Return several items with one read of the table."""
        pictures = map(self._reader.decode, numbers, self._reader.encoded(numbers))
        return [
            (self.transform(picture) if self.transform else picture, self.targets[number])
            for picture, number in zip(pictures, numbers, strict=True)
        ]
