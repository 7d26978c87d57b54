"""Base class of annotation tables: recognise known columns and keep all others."""

import difflib
from abc import ABC
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import polars as pl
import pyarrow as pa
from pydantic import Field

from likewise.errors import DataError, hint
from likewise.formats.archives import FileCollection
from likewise.schema import Column
from likewise.sources.base import (
    SourceResult,
    findings_from_rows,
    source_result,
    with_finding_ids,
)
from likewise.sources.box_source import CORNERS, BoxSource, stray_file_findings
from likewise.sources.extra_columns import PREFIX, type_extra_columns, with_field_names
from likewise.sources.split_names import split_rank, split_value_findings
from likewise.sources.table_rows import (
    SIZES,
    box_rows,
    complete_columns,
    image_rows,
    join_images,
)

_COLUMN_NAMES: dict[str, tuple[str, ...]] = {
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
"""Kind of column -> lower-case names that it is recognised by, the preferred one first."""
_SIMILARITY = 0.8


class TableSource(BoxSource, ABC):
    """Base class of layouts with a table of one row per box or per image.

    Columns are recognised by name, ignoring case; an option with the name of a kind selects
    another column. A row with corners is a box; a row without corners has the label of its
    image. ``width`` and ``height`` are the image size, which ingest compares with the true one.
    All other columns are kept under their lower-case name, with '_' in place of other
    characters than letters and digits; their type is inferred from the values: integer, float,
    boolean, else text. A column with the name of one that every catalogue has, such as
    ``mode``, is refused; ``rename`` gives it another name. Items are sorted by split (train,
    val, test, others), image and row.

    Subclasses read the table as a frame of text columns with ``:where`` (location of the row,
    for messages) and pass it through ``rename_columns`` and ``build_result``.

    Example:
        A table with '|' between the fields::

            class PipesSource(TableSource):
                def read(self, files: FileCollection, annotations: Path) -> SourceResult:
                    table = pl.read_csv(annotations, separator="|", infer_schema=False)
                    row = pl.int_range(1, pl.len() + 1).cast(pl.String)
                    table = table.with_columns((pl.lit("row ") + row).alias(":where"))
                    rows, misspelt = self.rename_columns(table, annotations.name)
                    return self.build_result(files, rows, [misspelt], pl.lit(False))
    """

    image: str = ""
    """Column of image names."""
    label: str = ""
    """Column of labels."""
    text: str = ""
    """Column of labels in words."""
    split: str = ""
    """Column of splits; without one, a word of the table's file name gives the split."""
    subset: str = ""
    """Column of subsets."""
    role: str = ""
    """Column of roles: query or gallery."""
    x1: str = ""
    y1: str = ""
    x2: str = ""
    y2: str = ""
    """Columns of the corners."""
    w: str = ""
    h: str = ""
    """Columns of box widths and heights, instead of x2 and y2."""

    corners: Literal["half-open", "1-based"] = "half-open"
    """Convention of corners: half-open from 0, or inclusive from 1."""

    rename: Mapping[str, str] = Field(default_factory=dict)
    """Other columns -> their names in the catalogue."""

    prefixed: ClassVar[frozenset[str]] = frozenset()
    """Names of columns of every catalogue that this layout's other columns often have.

    They get the prefix ``given_`` instead of an error.
    """

    def rename_columns(
        self, table: pl.DataFrame, where: str
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rename the columns of ``table`` to their kinds, and all others to ``extra:NAME``.

        Args:
            table: text columns, and ``:where``.
            where: name of the table, for messages.

        Returns:
            The renamed table, and findings about names that look like misspellings.

        Raises:
            DataError: there is no column of image names, or only a part of the corners.
        """
        names = [name for name in table.columns if name != ":where"]
        columns = {kind: self._column(kind, names, where) for kind in _COLUMN_NAMES}
        if not any(getattr(self, kind) for kind in (*CORNERS, *SIZES)):
            columns = _drop_stray_corners(columns)
        known = {column for column in columns.values() if column}
        if not columns["image"]:
            suggestion = _suggestion(names)
            raise DataError(
                f"{where}: no column of image names; {suggestion}; name it by --option "
                "image=COLUMN, or in the card"
            )
        self._check_corners(columns, where)
        others = [name for name in names if name not in known]
        renamed = table.select(
            # Series, because polars reads the names "*" and "^...$" of columns as patterns.
            *(table[column].alias(kind) for kind, column in columns.items() if column),
            *(table[name].alias(f"{PREFIX}{name}") for name in others),
            *(name for name in table.columns if name == ":where"),
        )
        return renamed, _misspelling_findings(others, columns, where)

    def _column(self, kind: str, names: Sequence[str], where: str) -> str:
        """Return the column of ``kind``; "" if there is none."""
        option = getattr(self, kind, "")
        if option and option not in names:
            raise DataError(f"{where}: no column {option!r} ({kind}); {hint(option, names)}")
        by_lower_name = {name.lower().strip(): name for name in reversed(names)}
        return option or next(
            (by_lower_name[n] for n in _COLUMN_NAMES[kind] if n in by_lower_name), ""
        )

    def _check_corners(self, columns: dict[str, str], where: str) -> None:
        second = [kind for kind in (*CORNERS[2:], *SIZES) if columns[kind]]
        first = [kind for kind in CORNERS[:2] if columns[kind]]
        if not first and not second:
            return
        if len(first) < 2 or not ({"x2", "y2"} <= set(second) or {"w", "h"} <= set(second)):
            present = ", ".join(f"{columns[kind]!r} ({kind})" for kind in first + second)
            raise DataError(
                f"{where}: incomplete box columns: only {present}; name the others by --option "
                "or in the card: x1, y1, and x2, y2 or w, h"
            )

    def build_result(
        self,
        files: FileCollection,
        rows: pl.DataFrame,
        faults: Sequence[pl.DataFrame],
        is_annotation: pl.Expr,
        placed: pl.DataFrame | None = None,
    ) -> SourceResult:
        """Build the result from ``rows`` as ``rename_columns`` returns them.

        Args:
            files: files of the data set.
            rows: one row per box or image, with ``:where``, and optionally ``:folder``, which
                image names may be relative to.
            faults: findings so far.
            is_annotation: true for paths of annotation files.
            placed: images in canonical order, if folders define more than their paths:
                ``path``, ``name`` (as annotations use it), ``split``, ``subset``, ``label``;
                by default all images.
        """
        images = self.images(files).with_columns(name="path") if placed is None else placed
        given = rows if "split" in rows.columns else rows.with_columns(split=pl.lit(None))
        replaced = findings_from_rows(split_value_findings(given))
        rows, extra_columns = type_extra_columns(
            complete_columns(rows), self.rename, self.prefixed, type(self).model_fields
        )
        located, broken = join_images(rows, images, files)
        names = [f"{PREFIX}{column.name}" for column in extra_columns]
        merged, twins = image_rows(images, located, names)
        if placed is None:
            merged = merged.sort(split_rank(), "split", "image_id", nulls_last=True)
        boxes = box_rows(located, names, one_based=self.corners == "1-based")
        if _boxes_differ_from_image(boxes, merged):
            extra_columns = (*extra_columns, _IMAGE_LABEL_COLUMN)
            merged = merged.with_columns(pl.col("label").alias(_IMAGE_LABEL))
        result = self.box_items(merged.drop("width", "height"), boxes)
        return source_result(
            files,
            with_field_names(result.items, extra_columns),
            *faults,
            replaced,
            broken,
            twins,
            result.faults,
            stray_file_findings(files, images, is_annotation),
            extra_columns=extra_columns,
            image_sizes=merged.select("image_id", "width", "height"),
            whole_images=with_field_names(result.whole_images, extra_columns),
            orientation=self.orientation,
        )


def _boxes_differ_from_image(boxes: pl.DataFrame, images: pl.DataFrame) -> bool:
    """Return True if a box has another label than its image; the image label is then kept."""
    if _IMAGE_LABEL in images.columns:
        return False
    labels = images.select("image_id", whole="label").drop_nulls()
    joined = boxes.select("image_id", "label").join(labels, on="image_id")
    return bool((joined["label"] != joined["whole"]).any())


_IMAGE_LABEL_COLUMN = Column(
    "image_label",
    pa.string(),
    "the class of the image, where boxes have their own",
    nullable=True,
)
_IMAGE_LABEL = f"{PREFIX}{_IMAGE_LABEL_COLUMN.name}"


def _drop_stray_corners(columns: dict[str, str]) -> dict[str, str]:
    """Ignore box columns if too few are recognised, such as a single column ``top``."""
    box_kinds = [kind for kind in (*CORNERS, *SIZES) if columns[kind]]
    is_stray = len(box_kinds) < 2 or not {"x1", "y1"} & set(box_kinds)
    return {**columns, **dict.fromkeys(box_kinds if is_stray else [], "")}


def _suggestion(names: Sequence[str]) -> str:
    """Suggest a column of image names."""
    similar = [
        n
        for n in names
        if difflib.get_close_matches(n.lower(), _COLUMN_NAMES["image"], 1, _SIMILARITY)
    ]
    return f"did you mean {similar[0]!r}?" if similar else hint("image", names)


def _misspelling_findings(
    others: Sequence[str], columns: dict[str, str], where: str
) -> pl.DataFrame:
    """Return findings about columns whose name is similar to that of a missing kind."""
    absent = {
        n: kind for kind, column in columns.items() if not column for n in _COLUMN_NAMES[kind]
    }
    rows = []
    for name in others:
        similar = difflib.get_close_matches(name.lower(), absent, n=1, cutoff=_SIMILARITY)
        if similar and similar[0] != name.lower():
            rows.append((f"{where}: {name}", f"kept as it is; did you mean {similar[0]!r}?"))
    frame = pl.DataFrame(rows, schema={"path": pl.String, "detail": pl.String}, orient="row")
    return with_finding_ids(frame.with_columns(check=pl.lit("odd-column")))
