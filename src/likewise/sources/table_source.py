"""Tables of annotations: which column is what, and what of other columns is kept."""

import difflib
from abc import ABC
from collections.abc import Sequence
from typing import Literal

import polars as pl
import pyarrow as pa

from likewise.errors import DataError, hint
from likewise.formats.archives import Files
from likewise.schema import Column
from likewise.sources.base import Reading, as_findings, reading
from likewise.sources.box_source import CORNERS, BoxSource, foreign, split_rank
from likewise.sources.extra_columns import with_types
from likewise.sources.table_rows import (
    SIZES,
    boxes_of,
    complete,
    images_of,
    with_images,
)

_KNOWN: dict[str, tuple[str, ...]] = {
    "image": (
        *("image", "path", "filename", "file_name", "file", "image_path", "file_path"),
        *("filepath", "img_path", "image_name", "img", "name", "image_id"),
    ),
    "label": ("label", "class", "class_name", "category", "category_name"),
    "text": ("text", "caption", "description"),
    "split": ("split", "set", "partition"),
    "subset": ("subset", "group"),
    "role": ("role",),
    "x1": ("x1", "xmin", "x_min", "left"),
    "y1": ("y1", "ymin", "y_min", "top"),
    "x2": ("x2", "xmax", "x_max", "right"),
    "y2": ("y2", "ymax", "y_max", "bottom"),
    "w": ("w", "box_width", "bbox_width"),
    "h": ("h", "box_height", "bbox_height"),
    "width": ("width", "image_width"),
    "height": ("height", "image_height"),
}
"""What a column is -> the names that it is known by, in lower case, the best first."""
_NEAR = 0.8


class TableSource(BoxSource, ABC):
    """A layout with a table: a row a box, or an image.

    Columns are found by their names, upper or lower case; an option names another. A row with
    corners is a box; one without says its image's label. ``width`` and ``height`` are the
    image's size, which ingest compares with the true one. Every other column is kept under its
    own name, in lower case, its type told by its values: whole numbers, numbers, true or false,
    else text. Rows are by split (train, val, test, any other), image and row.
    """

    image: str = ""
    """The column of images' names."""
    label: str = ""
    """The column of classes."""
    text: str = ""
    """The column of the classes in words."""
    split: str = ""
    """The column of splits; without one, the split that the table's file name says."""
    subset: str = ""
    """The column of subsets."""
    role: str = ""
    """The column of roles: query or gallery."""
    x1: str = ""
    y1: str = ""
    x2: str = ""
    y2: str = ""
    """The columns of corners."""
    w: str = ""
    h: str = ""
    """The columns of widths and heights of boxes, in place of x2 and y2."""

    corners: Literal["half-open", "1-based"] = "half-open"
    """How corners count: half-open from 0, or from 1 and inclusive."""

    def mapped(self, table: pl.DataFrame, where: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """``table`` with its columns called as what they are, and findings about odd names.

        Other columns are called ``further:NAME``.

        Raises:
            DataError: no column says the image, or only some corners have columns.
        """
        names = [name for name in table.columns if name != ":where"]
        chosen = {kind: self._column(kind, names, where) for kind in _KNOWN}
        if not any(getattr(self, kind) for kind in (*CORNERS, *SIZES)):
            chosen = _without_strays(chosen)
        there = {column: kind for kind, column in chosen.items() if column}
        if not chosen["image"]:
            near = _nearest(names)
            raise DataError(
                f"{where}: no column says the image; {near}; name it by --option image=COLUMN, "
                "or in the card"
            )
        self._need_corners(chosen, where)
        rest = [name for name in names if name not in there]
        renamed = {**there, **{name: f"further:{name}" for name in rest}}
        return table.rename(renamed), _near_misses(rest, chosen, where)

    def _column(self, kind: str, names: Sequence[str], where: str) -> str:
        """The column that is ``kind``; "" where there is none."""
        named = getattr(self, kind, "")
        if named and named not in names:
            raise DataError(f"{where}: no column {named!r} ({kind}); {hint(named, names)}")
        lower = {name.lower().strip(): name for name in reversed(names)}
        return named or next((lower[n] for n in _KNOWN[kind] if n in lower), "")

    def _need_corners(self, chosen: dict[str, str], where: str) -> None:
        far = [kind for kind in (*CORNERS[2:], *SIZES) if chosen[kind]]
        near = [kind for kind in CORNERS[:2] if chosen[kind]]
        if not near and not far:
            return
        if len(near) < 2 or not ({"x2", "y2"} <= set(far) or {"w", "h"} <= set(far)):
            there = ", ".join(f"{chosen[kind]!r} ({kind})" for kind in near + far)
            raise DataError(
                f"{where}: of a box's corners there is only {there}; "
                "name the others by --option or in the card: x1, y1, and x2, y2 or w, h"
            )

    def assembled(
        self,
        files: Files,
        rows: pl.DataFrame,
        faults: Sequence[pl.DataFrame],
        used: pl.Expr,
        tree: pl.DataFrame | None = None,
    ) -> Reading:
        """A reading of ``rows`` whose columns are called as what they are; see ``mapped``.

        Args:
            files: where the images are.
            rows: a row a box or image, ``:where`` it stands, and perhaps the ``:folder`` that
                its image's name is relative to.
            faults: findings to which others are added.
            used: which other files are annotations.
            tree: the images in canonical order where folders say more of them: path, name (as
                annotations have it), split, subset, label; by default every image there is.
        """
        images = self.images(files).with_columns(name="path") if tree is None else tree
        rows, further = with_types(complete(rows))
        placed, lost = with_images(rows, images, files)
        own = [column.name for column in further]
        told, twins = images_of(images, placed, own)
        if tree is None:
            told = told.sort(split_rank(), "split", "image_id", nulls_last=True)
        boxes = boxes_of(placed, own, one=self.corners == "1-based")
        if _has_parts(boxes, told):
            further = (*further, _WHOLE)
            told = told.with_columns(image_label="label")
        made = self.boxed(told.drop("width", "height"), boxes)
        return reading(
            files,
            made.items,
            *faults,
            lost,
            twins,
            made.faults,
            foreign(files, images, used),
            further=further,
            sizes=told.select("image_id", "width", "height"),
            wholes=made.wholes,
        )


def _has_parts(boxes: pl.DataFrame, images: pl.DataFrame) -> bool:
    """Whether any box is of another class than its image, which is to be known of it, too."""
    if _WHOLE.name in images.columns:
        return False
    labels = images.select("image_id", whole="label").drop_nulls()
    both = boxes.select("image_id", "label").join(labels, on="image_id")
    return bool((both["label"] != both["whole"]).any())


_WHOLE = Column(
    "image_label",
    pa.string(),
    "the class of the image, where boxes have their own",
    nullable=True,
)


def _without_strays(chosen: dict[str, str]) -> dict[str, str]:
    """The columns; a single one that is called as a corner may be, ``top`` say, is none."""
    of_boxes = [kind for kind in (*CORNERS, *SIZES) if chosen[kind]]
    stray = len(of_boxes) < 2 or not {"x1", "y1"} & set(of_boxes)
    return {**chosen, **dict.fromkeys(of_boxes if stray else [], "")}


def _nearest(names: Sequence[str]) -> str:
    """Which of the columns may be the one of images."""
    near = [n for n in names if difflib.get_close_matches(n.lower(), _KNOWN["image"], 1, _NEAR)]
    return f"did you mean {near[0]!r}?" if near else hint("image", names)


def _near_misses(rest: Sequence[str], chosen: dict[str, str], where: str) -> pl.DataFrame:
    """Findings about columns that are nearly called as one that there is not."""
    absent = {n: kind for kind, column in chosen.items() if not column for n in _KNOWN[kind]}
    rows = []
    for name in rest:
        near = difflib.get_close_matches(name.lower(), absent, n=1, cutoff=_NEAR)
        if near and near[0] != name.lower():
            rows.append((f"{where}: {name}", f"kept as it is; did you mean {near[0]!r}?"))
    frame = pl.DataFrame(rows, schema={"path": pl.String, "detail": pl.String}, orient="row")
    return as_findings(frame.with_columns(check=pl.lit("odd-column")))
