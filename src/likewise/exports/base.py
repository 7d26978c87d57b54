"""What every export does: write some items of a data set into a new folder."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import polars as pl
from tqdm import tqdm

from likewise.errors import DataError, bounded
from likewise.formats.array_types import BoolArray, FloatArray
from likewise.imaging.image_reader import ImageReader
from likewise.imaging.parallel import chunks
from likewise.registry import Part
from likewise.storage import tables
from likewise.storage.config import Card

if TYPE_CHECKING:
    from pathlib import Path

    import lance

Purpose = Literal["research", "sharing", "commercial"]
"""What an export is for: one's own research, passing it on, or anything that earns money."""

Fault = tuple[str, str, str]
"""An item or image that was left out: its id, which check failed, and what is wrong."""

CHUNK_IMAGES = 64
CHUNK_BYTES = 8 << 20
"""So many encoded images are read at a time, at most."""


@dataclass(frozen=True)
class Selection:
    """What is exported: some items of a data set in canonical order, as they are published.

    Attributes:
        dataset: its name in the catalogue.
        card: what it is.
        items: every column but the vectors, a row an item.
        reader: the items' images by the row in ``items``.
        table: the published table.
        mask: (all items,) which rows of ``table`` the items are.
        further: the names of the columns that only the source had.
    """

    dataset: str
    card: Card
    items: pl.DataFrame
    reader: ImageReader
    table: "lance.LanceDataset"
    mask: BoolArray
    further: tuple[str, ...] = ()

    @cached_property
    def images(self) -> pl.DataFrame:
        """A row an image, in the order of their first items: its facts, and ``:number``.

        ``:number`` is the row in ``items`` of the first item that is in it. Columns that are
        made here have a colon, which no column of a source has.
        """
        numbered = self.items.with_row_index(":number")
        return numbered.unique("image_id", keep="first", maintain_order=True)

    @cached_property
    def boxed(self) -> bool:
        """Whether any item is a box, or an image has several items."""
        return bool(self.items["box"].is_not_null().any()) or len(self.images) < len(self.items)

    def encoded(self) -> Iterator[tuple[int, bytes]]:
        """Every image's row in ``images`` and its bytes unchanged, with a bar on stderr."""
        numbers = self.images[":number"].to_list()
        with tqdm(total=len(numbers), unit="img", desc="export", disable=None) as bar:
            for rows in chunks(self.images["nbytes"], CHUNK_IMAGES, CHUNK_BYTES):
                data = self.reader.encoded([numbers[row] for row in rows])
                yield from zip(rows, data, strict=True)
                bar.update(len(rows))

    def vectors(self, model: str) -> Iterator[FloatArray]:
        """The items' vectors of ``model``, some at a time: (rows, dimensions), as stored."""
        start = 0
        for batch in tables.scan(self.table, [model]):
            flat = batch.column(0).flatten().to_numpy(zero_copy_only=False)
            yield flat.reshape(len(batch), -1)[self.mask[start : start + len(batch)]]
            start += len(batch)


def flat(items: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    """``items`` whose ``columns`` of lists are JSON, for formats that have no lists."""
    nested = [name for name in columns if items.schema[name].is_nested()]
    return items.with_columns(map(tables.as_json, nested))


class Export(Part, ABC):
    """A format: how items become files in a folder.

    ``changes`` says whether the pictures in it are others than those that were taken in.
    """

    @property
    def changes(self) -> bool:
        """Whether pictures are changed, and the export is an adaptation of them."""
        return False

    purpose: Purpose = "research"
    """What the export is for; the licence may forbid it."""

    @abstractmethod
    def write(self, chosen: Selection, folder: "Path") -> list[Fault]:
        """Write ``chosen`` into the empty ``folder``; what had to be left out.

        Raises:
            DataError: the format cannot hold them; nothing is kept then.
        """


def parts(frame: pl.DataFrame, column: str) -> Iterator[tuple[str | None, pl.DataFrame]]:
    """The rows of each value of a column of texts, in the order of their first rows."""
    for (value,), part in frame.group_by(column, maintain_order=True):
        yield None if value is None else str(value), part


def omitted(items: pl.DataFrame, check: str, detail: str) -> list[Fault]:
    """A fault for each of ``items``, which have no place in a format."""
    return [(item, check, detail) for item in items["item_id"]]


def need_whole_images(chosen: Selection, format_: str) -> None:
    """Refuse items that are boxes, for a format that has none.

    Raises:
        DataError: some item is a box, or one of several in an image.
    """
    if chosen.boxed:
        boxes = chosen.items.filter(pl.col("box").is_not_null())["item_id"]
        raise DataError(
            f"{format_} holds one label an image, and {chosen.dataset} has boxes: "
            f"{bounded(boxes, len(boxes))}; export coco, voc, csv or parquet"
        )
