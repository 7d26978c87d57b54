"""Base class of all exports: write items of a data set to a new folder."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import polars as pl
from tqdm import tqdm

from likewise.errors import DataError, bounded
from likewise.formats.array_types import BoolArray, FloatArray
from likewise.imaging.image_reader import ImageReader
from likewise.imaging.parallel import chunk_by_size
from likewise.registry import Part
from likewise.storage import tables
from likewise.storage.config import Card

if TYPE_CHECKING:
    from pathlib import Path

Purpose = Literal["research", "sharing", "commercial"]
"""Purpose of an export: own research, sharing, or commercial use."""

ExportFault = tuple[str, str, str]
"""An item or image that was omitted: id, name of the failed check, and detail."""

CHUNK_IMAGES = 64
CHUNK_BYTES = 8 << 20
"""Maximum number and size of encoded images read at a time."""


@dataclass(frozen=True)
class Selection:
    """Published items of a data set to export, in canonical order.

    Attributes:
        dataset: name in the catalogue.
        card: card of the data set.
        items: one row per item, with all columns except vectors.
        reader: reads images by the row number of an item in ``items``.
        table: the published table.
        mask: (rows of ``table``,) bool; True for the selected items.
        extra_columns: names of the columns that only the source had.
        fetch_vectors: fetches the vectors of a model that a pull left out, if there are any.
    """

    dataset: str
    card: Card
    items: pl.DataFrame
    reader: ImageReader
    table: tables.Table
    mask: BoolArray
    extra_columns: tuple[str, ...] = ()
    fetch_vectors: Callable[[str], None] = lambda _: None

    @cached_property
    def images(self) -> pl.DataFrame:
        """One row per image, in the order of their first items.

        Columns are those of ``items``, and ``:number``, the row of the image's first item in
        ``items``. Temporary columns start with a colon, which columns of sources never do.
        """
        numbered = self.items.with_row_index(":number")
        return numbered.unique("image_id", keep="first", maintain_order=True)

    @cached_property
    def boxed(self) -> bool:
        """True if an item is a box, or an image has several items."""
        return bool(self.items["box"].is_not_null().any()) or len(self.images) < len(self.items)

    def encoded(self) -> Iterator[tuple[int, bytes]]:
        """Yield each image's row in ``images`` and its bytes; show progress on stderr."""
        numbers = self.images[":number"].to_list()
        with tqdm(total=len(numbers), unit="img", desc="export", disable=None) as bar:
            for rows in chunk_by_size(self.images["nbytes"], CHUNK_IMAGES, CHUNK_BYTES):
                data = self.reader.encoded([numbers[row] for row in rows])
                yield from zip(rows, data, strict=True)
                bar.update(len(rows))

    def vectors(self, model: str) -> Iterator[FloatArray]:
        """Yield vectors of ``model`` in batches (n, dimensions), in the stored type.

        Vectors that a pull left out are fetched first.
        """
        self.fetch_vectors(model)
        start = 0
        for part in self.table.vector_batches(model):
            yield part[self.mask[start : start + len(part)]]
            start += len(part)


def with_json_lists(items: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    """Convert list columns among ``columns`` to JSON text, for formats without lists."""
    nested = [name for name in columns if items.schema[name].is_nested()]
    return items.with_columns(map(tables.as_json, nested))


def free_names(columns: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """Return column -> its name in the files of a format; names in ``taken`` get ``given_``."""
    names: dict[str, str] = {}
    columns = list(columns)
    for column in columns:
        name = column
        while name in taken or (name != column and name in {*columns, *names.values()}):
            name = f"given_{name}"
        names[column] = name
    return names


class Export(Part, ABC):
    r"""An export format: writes items as files in a folder.

    Subclass it to add a format, and register the class in ``likewise.exports.EXPORTS``. The
    pydantic fields of the subclass are the options of the format.

    Example:
        A text file with the ids of all items::

            class IdsExport(Export):
                def write(self, selection: Selection, folder: Path) -> list[ExportFault]:
                    ids = selection.items["item_id"]
                    (folder / "ids.txt").write_text("\n".join(ids), encoding="utf-8")
                    return []
    """

    @property
    def changes_images(self) -> bool:
        """True if pixels are changed, which makes the export an adaptation for licences."""
        return False

    purpose: Purpose = "research"
    """Purpose of the export; the licence may forbid it."""

    @abstractmethod
    def write(self, selection: Selection, folder: "Path") -> list[ExportFault]:
        """Write ``selection`` to ``folder``.

        Args:
            selection: items to write.
            folder: existing empty folder; it is deleted if an error is raised.

        Returns:
            Items and images that were omitted.

        Raises:
            DataError: the format cannot represent the items.
        """


def group_rows(frame: pl.DataFrame, column: str) -> Iterator[tuple[str | None, pl.DataFrame]]:
    """Yield each value of a text column with its rows, in the order of first rows."""
    for (value,), group in frame.group_by(column, maintain_order=True):
        yield None if value is None else str(value), group


def omitted_faults(items: pl.DataFrame, check: str, detail: str) -> list[ExportFault]:
    """Return a fault for each of ``items``, which the format cannot represent."""
    return [(item, check, detail) for item in items["item_id"]]


def require_whole_images(selection: Selection, format_name: str) -> None:
    """Check that all items are whole images, for formats without boxes.

    Raises:
        DataError: an item is a box, or one of several items of an image.
    """
    if selection.boxed:
        boxes = selection.items.filter(pl.col("box").is_not_null())["item_id"]
        raise DataError(
            f"{format_name} has one label per image, but {selection.dataset} has boxes: "
            f"{bounded(boxes, len(boxes))}; export coco, voc, csv or parquet"
        )
