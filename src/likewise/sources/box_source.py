"""Layouts with boxes: images and boxes as columns become items and findings.

A box is half-open pixels: x1 and y1 are inside, x2 and y2 are the first outside.
"""

from abc import ABC
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple

import polars as pl

from likewise.formats.archives import Files
from likewise.sources.base import Source, as_findings, findings, is_image, no_images
from likewise.sources.folder import SPLITS

CORNERS = ("x1", "y1", "x2", "y2")

DataType = pl.DataType | type[pl.DataType]

BOXES: dict[str, DataType] = {
    "image_id": pl.String,
    "number": pl.Int64,
    "label": pl.String,
    **dict.fromkeys(CORNERS, pl.Float64),
}
"""The columns of a frame of boxes; ``number`` counts an image's boxes from 1, as annotated."""

_CHUNK = 100_000


class Boxed(NamedTuple):
    """What boxes in images make: items, the images with boxes as wholes, and findings.

    ``wholes`` has the columns of ``items``; see ``Reading.wholes``.
    """

    items: pl.DataFrame
    wholes: pl.DataFrame
    faults: pl.DataFrame


class BoxSource(Source, ABC):
    """A layout whose items are boxes in images.

    An item is a box: ``images/a.jpg#2`` is the second that is annotated in ``images/a.jpg``,
    so that a number stays as it is when another box is found to be wrong. An image without a
    usable box is one item, the whole of it, without a label of its own, and so stays
    searchable. A box that is reversed, has no area or is no four numbers, and the second of
    two that are the same, is a finding and no item. Ingest, which knows the true sizes, cuts
    what leads out of the image, and leaves out what lies outside, as if it were not annotated:
    both are findings too.
    """

    protocols: ClassVar[tuple[str, ...]] = ("gpr1200-strict",)

    unboxed: Literal["keep", "drop"] = "keep"
    """What becomes of images that are annotated and have no usable box."""

    unlisted: Literal["keep", "drop"] = "keep"
    """What becomes of images that no annotation names."""

    root: str = ""
    """The folder in the source below which the images are; others are left alone."""

    def images(self, files: Files) -> pl.DataFrame:
        """Every image below the root: path.

        Raises:
            DataError: there is none.
        """
        top = f"{self.root.strip('/')}/" if self.root.strip("/") else ""
        paths = files.listing().select("path").filter(pl.col("path").str.starts_with(top))
        images = paths.filter(is_image())
        if images.is_empty():
            raise no_images(files, f"images, in {top}" if top else "images")
        return images

    def boxed(self, images: pl.DataFrame, boxes: pl.DataFrame) -> Boxed:
        """What ``boxes`` in ``images`` make, as ``unboxed`` and ``unlisted`` ask.

        Args:
            images: as of ``boxed``, and listed: whether annotations name the image.
            boxes: as of ``boxed``.
        """
        listed = pl.col("listed")
        kept = (listed & (self.unboxed == "keep")) | (~listed & (self.unlisted == "keep"))
        made = boxed(images, boxes, kept)
        return made._replace(items=made.items.drop("listed"), wholes=made.wholes.drop("listed"))


def boxed(images: pl.DataFrame, boxes: pl.DataFrame, whole: pl.Expr) -> Boxed:
    """What ``boxes`` (columns BOXES) in ``images`` make, in the images' order.

    Args:
        images: a row an image: image_id, and any columns of items; a box has its image's
            value where it has none of its own.
        boxes: a row a box: the columns BOXES, and any others.
        whole: which images without a usable box are an item, the whole of each.
    """
    good, faults = usable(boxes)
    ranked = images.with_row_index(":rank")
    shared = [c for c in boxes.columns if c in images.columns and c != "image_id"]
    inside = ranked.join(good, on="image_id", suffix="_box")
    inside = inside.with_columns(
        pl.coalesce(f"{c}_box", c).alias(c) for c in shared
    ).with_columns(
        box=pl.concat_list(pl.col(c).cast(pl.Float32) for c in CORNERS).list.to_array(4),
        item_id=item_id(),
    )
    wholes = ranked.filter(whole).with_columns(item_id="image_id")
    bare = wholes.join(good, on="image_id", how="anti")
    items = pl.concat([inside, bare], how="diagonal")
    items = items.sort(":rank", "number", nulls_last=True).drop(":rank", "number", *CORNERS)
    boxy = wholes.join(good, on="image_id", how="semi").drop(":rank")
    return Boxed(items, pl.concat([items.clear(), boxy], how="diagonal"), faults)


def usable(boxes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The boxes that are boxes, and findings about the others."""
    corners = [pl.col(c).cast(pl.Float32) for c in CORNERS]
    x1, y1, x2, y2 = corners
    numbers = pl.all_horizontal(c.is_finite().fill_null(value=False) for c in corners)
    told = pl.format("{}, {}, {}, {}", *CORNERS)
    check = (
        pl.when(~numbers)
        .then(pl.lit("bad-box"))
        .when((x1 > x2) | (y1 > y2))
        .then(pl.lit("reversed-box"))
        .when((x1 == x2) | (y1 == y2))
        .then(pl.lit("empty-box"))
        .when(~pl.struct("image_id", "label", *CORNERS).is_first_distinct())
        .then(pl.lit("twin-box"))
    )
    said = {
        "bad-box": pl.lit("a corner is missing, or no finite number"),
        "reversed-box": pl.concat_str(pl.lit("its corners are reversed: "), told),
        "empty-box": pl.concat_str(pl.lit("it has no area: "), told),
        "twin-box": pl.lit("another box of the image has the same corners and label"),
    }
    checked = boxes.with_columns(check=check)
    faults = [
        findings(
            checked.filter(pl.col("check") == name).with_columns(path=item_id()), name, detail
        )
        for name, detail in said.items()
    ]
    return checked.filter(pl.col("check").is_null()).drop("check"), pl.concat(faults)


def dangling(rows: pl.DataFrame, faults: pl.DataFrame, where: pl.Expr) -> pl.DataFrame:
    """The ``faults`` of references (see ``Matches``) as findings about the ``rows`` with them.

    ``where`` names a row; its column reference is what the fault is about.
    """
    lost = rows.join(faults, on="reference", maintain_order="left")
    return as_findings(lost.select("check", "detail", path=where))


def item_id() -> pl.Expr:
    """The id of a box: its image's, and its number."""
    return pl.concat_str("image_id", "number", separator="#")


def foreign(files: Files, images: pl.DataFrame, used: pl.Expr) -> pl.DataFrame:
    """Findings about files among the images that are no images, and that are not ``used``."""
    folder = pl.col("path").str.extract(r"(?s)\A(.*)/").fill_null("")
    holding = images.select(folder=folder).unique()
    others = files.listing().select("path").filter(~is_image() & ~used)
    near = others.with_columns(folder=folder).join(holding, on="folder", how="semi")
    return findings(near, "not-an-image", "it is no image, in a folder of images")


def split_rank(split: str = "split") -> pl.Expr:
    """The place of a split: train, val, test, any other; sort by it, then by the name."""
    order = list(dict.fromkeys(SPLITS.values()))
    return pl.col(split).replace_strict(order, range(len(order)), default=len(order))


class Gathered:
    """Rows as they come, kept as columns: a hundred thousand of them are ever tuples."""

    def __init__(self, schema: Mapping[str, DataType]) -> None:
        """Name the columns and their types."""
        self._schema = dict(schema)
        self._rows: list[tuple[Any, ...]] = []
        self._frames = [pl.DataFrame(schema=self._schema)]

    def add(self, *row: object) -> None:
        """Take one row, a value a column."""
        self._rows.append(row)
        if len(self._rows) >= _CHUNK:
            self._flush()

    def frame(self) -> pl.DataFrame:
        """All rows, in the order in which they came."""
        self._flush()
        return pl.concat(self._frames)

    def _flush(self) -> None:
        self._frames.append(pl.DataFrame(self._rows, schema=self._schema, orient="row"))
        self._rows = []


def first_each(
    rows: pl.DataFrame, key: str, path: str, detail: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The first row of each ``key``; "twin" findings about the others, named by ``path``."""
    first = rows.select(pl.col(key).is_first_distinct()).to_series()
    twins = rows.filter(~first).select(path=path)
    return rows.filter(first), findings(twins, "twin", detail)
