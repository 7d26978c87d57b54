"""Base class and helpers of layouts with bounding boxes.

Boxes are ``x1, y1, x2, y2`` in pixels and half-open: ``x1`` and ``y1`` are the first column and
row inside, ``x2`` and ``y2`` the first outside.
"""

from abc import ABC
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple

import polars as pl

from likewise.formats.archives import FileCollection
from likewise.sources.base import (
    Source,
    findings_about,
    findings_from_rows,
    is_image,
    no_images_error,
    unread_format_findings,
    with_finding_ids,
)
from likewise.sources.box_units import Orientation
from likewise.sources.glob_paths import glob_pattern
from likewise.sources.option_values import Names

CORNERS = ("x1", "y1", "x2", "y2")

DataType = pl.DataType | type[pl.DataType]

BOX_COLUMNS: dict[str, DataType] = {
    "image_id": pl.String,
    "number": pl.Int64,
    "label": pl.String,
    **dict.fromkeys(CORNERS, pl.Float64),
}
"""Columns of a frame of boxes; ``number`` counts the boxes of an image from 1, as annotated."""

_BUFFERED_ROWS = 100_000


class BoxItems(NamedTuple):
    """Result of ``items_from_boxes``.

    Attributes:
        items: one row per box, and per image without a valid box, in the order of the images.
        whole_images: the images with boxes; see ``SourceResult.whole_images``.
        faults: findings about invalid boxes.
    """

    items: pl.DataFrame
    whole_images: pl.DataFrame
    faults: pl.DataFrame


class BoxSource(Source, ABC):
    r"""Base class of layouts whose items are bounding boxes.

    The item ``images/a.jpg#2`` is the second box annotated in ``images/a.jpg``; numbers follow
    the annotations, so they do not change when another box turns out to be invalid. An image
    without a valid box becomes one whole-image item without a label, and stays searchable.
    A box that is reversed, has no area, is not four numbers, or repeats another box of the
    image is a finding and not an item. Ingest knows the true image sizes: it clips boxes that
    exceed the image and drops boxes outside it, with findings.

    Example:
        Images, and one file ``boxes.txt`` with lines ``path label x1 y1 x2 y2``::

            class LinesSource(BoxSource):
                def read(self, files: FileCollection, annotations: Path) -> SourceResult:
                    images = self.images(files).select(image_id="path")
                    lists = AnnotationFiles(files, annotations)
                    rows = RowBuffer(BOX_COLUMNS)
                    for path, data in lists.read(lists.find(r"boxes\.txt$")):
                        lines = decode_text(path, data).splitlines()
                        for number, line in enumerate(lines, start=1):
                            image, label, *corners = line.split()
                            rows.add(image, number, label, *map(float, corners))
                    boxes = rows.frame()
                    listed = pl.col("image_id").is_in(boxes["image_id"].implode())
                    result = self.box_items(images.with_columns(listed=listed), boxes)
                    return source_result(
                        files, result.items, result.faults, whole_images=result.whole_images
                    )
    """

    protocols: ClassVar[tuple[str, ...]] = ("leave-one-out",)

    unboxed: Literal["keep", "drop"] = "keep"
    """Keep or drop images that are annotated but have no valid box."""

    unlisted: Literal["keep", "drop"] = "keep"
    """Keep or drop images that no annotation names."""

    orientation: Orientation = "auto"
    """Frame of the boxes: stored pixels, or pictures that were turned upright by EXIF; ``auto``
    is as the annotations say, which only exports of Likewise do, otherwise stored."""

    root: str = ""
    """Folder of the images inside the source; images elsewhere are ignored."""

    omit: Names = ()
    """Folders of images to leave out; ``*`` matches any part of a name."""

    def images(self, files: FileCollection) -> pl.DataFrame:
        """Return all images below ``root`` (column ``path``).

        Raises:
            DataError: no image is below ``root``.
        """
        top = f"{self.root.strip('/')}/" if self.root.strip("/") else ""
        paths = files.listing().select("path").filter(pl.col("path").str.starts_with(top))
        for folder in self.omit:
            inside = rf"(?s)(?:\A|/){glob_pattern(folder)}/"
            paths = paths.filter(~pl.col("path").str.contains(inside))
        images = paths.filter(is_image())
        if images.is_empty():
            raise no_images_error(files, f"images, in {top}" if top else "images")
        return images

    def box_items(self, images: pl.DataFrame, boxes: pl.DataFrame) -> BoxItems:
        """Turn ``boxes`` into items, following the options ``unboxed`` and ``unlisted``.

        Args:
            images: see ``items_from_boxes``; and ``listed``, true if an annotation names the
                image.
            boxes: see ``items_from_boxes``.
        """
        listed = pl.col("listed")
        keep = (listed & (self.unboxed == "keep")) | (~listed & (self.unlisted == "keep"))
        result = items_from_boxes(images, boxes, keep)
        return result._replace(
            items=result.items.drop("listed"),
            whole_images=result.whole_images.drop("listed"),
        )


def items_from_boxes(images: pl.DataFrame, boxes: pl.DataFrame, keep: pl.Expr) -> BoxItems:
    """Turn ``boxes`` in ``images`` into items, in the order of the images.

    Args:
        images: one row per image: ``image_id``, and any columns of items. A box takes the value
            of its image where it has none of its own.
        boxes: one row per box: ``BOX_COLUMNS``, and any other columns.
        keep: which images without a valid box become a whole-image item.
    """
    valid, faults = validate_boxes(boxes)
    numbered = images.with_row_index(":rank")
    common = [c for c in boxes.columns if c in images.columns and c != "image_id"]
    box_items = numbered.join(valid, on="image_id", suffix=":box")
    box_items = box_items.with_columns(
        pl.coalesce(f"{c}:box", c).alias(c) for c in common
    ).with_columns(
        box=pl.concat_list(pl.col(c).cast(pl.Float32) for c in CORNERS).list.to_array(4),
        item_id=box_item_id(),
    )
    whole_images = numbered.filter(keep).with_columns(item_id="image_id")
    unboxed = whole_images
    if len(valid):
        unboxed = whole_images.join(valid, on="image_id", how="anti")
    items = pl.concat([box_items, unboxed], how="diagonal")
    if len(valid):  # a sort copies all columns of millions of images
        items = items.sort(":rank", "number", nulls_last=True)
    items = items.drop(":rank", "number", *CORNERS)
    boxed_images = whole_images.join(valid, on="image_id", how="semi").drop(":rank")
    return BoxItems(items, pl.concat([items.clear(), boxed_images], how="diagonal"), faults)


def validate_boxes(boxes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the valid rows of ``boxes``, and findings about the others."""
    corners = [pl.col(c).cast(pl.Float32) for c in CORNERS]
    x1, y1, x2, y2 = corners
    all_finite = pl.all_horizontal(c.is_finite().fill_null(value=False) for c in corners)
    corner_text = pl.format("{}, {}, {}, {}", *CORNERS)
    check = (
        pl.when(~all_finite)
        .then(pl.lit("bad-box"))
        .when((x1 > x2) | (y1 > y2))
        .then(pl.lit("reversed-box"))
        .when((x1 == x2) | (y1 == y2))
        .then(pl.lit("empty-box"))
        .when(~pl.struct("image_id", "label", *CORNERS).is_first_distinct())
        .then(pl.lit("twin-box"))
    )
    details = {
        "bad-box": pl.lit("a corner is missing, or no finite number"),
        "reversed-box": pl.concat_str(pl.lit("its corners are reversed: "), corner_text),
        "empty-box": pl.concat_str(pl.lit("it has no area: "), corner_text),
        "twin-box": pl.lit("another box of the image has the same corners and label"),
    }
    checked = boxes.with_columns(check=check)
    faults = [
        findings_about(
            checked.filter(pl.col("check") == name).with_columns(path=box_item_id()),
            name,
            detail,
        )
        for name, detail in details.items()
    ]
    return checked.filter(pl.col("check").is_null()).drop("check"), pl.concat(faults)


def reference_findings(
    rows: pl.DataFrame, unmatched: pl.DataFrame, where: pl.Expr
) -> pl.DataFrame:
    """Return findings about the ``rows`` whose reference matched no image.

    Args:
        rows: annotations with a column ``reference``.
        unmatched: ``Matches.unmatched`` for these references.
        where: expression that gives the finding's path for a row.
    """
    broken = rows.join(unmatched, on="reference", maintain_order="left")
    return with_finding_ids(broken.select("check", "detail", path=where))


def box_item_id() -> pl.Expr:
    """Return the expression for the item id of a box: ``{image_id}#{number}``."""
    return pl.concat_str("image_id", "number", separator="#")


def stray_file_findings(
    files: FileCollection, images: pl.DataFrame, is_annotation: pl.Expr
) -> pl.DataFrame:
    """Return findings about files in image folders that are neither images nor annotations.

    Args:
        files: all files.
        images: images of the data set (column ``path``).
        is_annotation: true for paths of annotation files.
    """
    folder = pl.col("path").str.extract(r"(?s)\A(.*)/").fill_null("")
    image_folders = images.select(folder=folder).unique()
    # One after the other, because both copy the names of millions of files.
    others = files.listing().select("path").filter(~is_image()).filter(~is_annotation)
    if others.is_empty():
        return findings_from_rows([])
    strays = others.with_columns(folder=folder).join(image_folders, on="folder", how="semi")
    unread = unread_format_findings(others)
    strays = strays.filter(~pl.col("path").is_in(unread["path"].implode()))
    other = findings_about(strays, "not-an-image", "it is no image, in a folder of images")
    return pl.concat([unread, other])


class RowBuffer:
    """Collects rows and stores them as columns; at most 100,000 rows are Python tuples."""

    def __init__(self, schema: Mapping[str, DataType]) -> None:
        """Define the columns and their types."""
        self._schema = dict(schema)
        self._rows: list[tuple[Any, ...]] = []
        self._frames = [pl.DataFrame(schema=self._schema)]

    def add(self, *row: object) -> None:
        """Append one row, with one value per column."""
        self._rows.append(row)
        if len(self._rows) >= _BUFFERED_ROWS:
            self._flush()

    def frame(self) -> pl.DataFrame:
        """Return all rows, in the order in which they were added."""
        self._flush()
        return pl.concat(self._frames)

    def _flush(self) -> None:
        self._frames.append(pl.DataFrame(self._rows, schema=self._schema, orient="row"))
        self._rows = []


def first_per_key(
    rows: pl.DataFrame, key: str, path: str, detail: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keep the first row of each ``key``; the others become "twin" findings about ``path``."""
    is_first = rows.select(pl.col(key).is_first_distinct()).to_series()
    twins = rows.filter(~is_first).select(path=path)
    return rows.filter(is_first), findings_about(twins, "twin", detail)
