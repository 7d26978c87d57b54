"""Base class of annotation tables: recognise known columns and keep all others."""

from abc import ABC
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from likewise.formats.archives import FileCollection
from likewise.sources.base import SourceResult, findings_from_rows, source_result
from likewise.sources.box_cells import BoxFormat
from likewise.sources.box_source import CORNERS, BoxSource, stray_file_findings
from likewise.sources.box_units import BoxUnit, box_unit, share_findings
from likewise.sources.cell_columns import MARK, holds_boxes, unfold_cells, unfold_labels
from likewise.sources.cell_lists import with_list
from likewise.sources.column_kinds import (
    CELLS,
    COLUMN_NAMES,
    column_of,
    find_columns,
    misspelling_findings,
)
from likewise.sources.column_values import (
    check_single_values,
    labels_from_columns,
    labels_from_list,
    map_values,
    unread_label_findings,
)
from likewise.sources.delimited_text import FindingRow
from likewise.sources.extra_columns import PREFIX, type_extra_columns, with_field_names
from likewise.sources.item_references import refer_to_items
from likewise.sources.merged_rows import (
    CAPTIONS,
    CAPTIONS_COLUMN,
    IMAGE_LABEL,
    IMAGE_LABEL_COLUMN,
    boxes_differ_from_image,
)
from likewise.sources.option_values import (
    Constants,
    Names,
    NestedConstants,
    with_constants,
)
from likewise.sources.split_names import split_rank, split_value_findings
from likewise.sources.table_doubts import (
    digit_split_findings,
    own_columns,
    table_of,
    unnamed_images,
)
from likewise.sources.table_rows import (
    box_rows,
    complete_columns,
    image_rows,
    join_images,
)


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
    """Column of the left edge of the box."""
    y1: str = ""
    """Column of the top edge."""
    x2: str = ""
    """Column of the right edge."""
    y2: str = ""
    """Column of the bottom edge."""
    w: str = ""
    """Column of the width of the box, instead of ``x2``."""
    h: str = ""
    """Column of its height, instead of ``y2``."""
    cx: str = ""
    """Column of the horizontal centre of the box, instead of ``x1``."""
    cy: str = ""
    """Column of the vertical centre, instead of ``y1``."""
    box: str = ""
    """Column with all numbers of a box, or of several boxes: a list, JSON, or an object."""
    box_format: BoxFormat = "auto"
    """Order of four numbers in ``box``; ``auto`` takes the only possible one."""
    polygon: str = ""
    """Column of polygons; a box is the bounds of one."""
    keypoints: str = ""
    """Column of keypoints as x, y, visibility; a box is their bounds."""
    corners: Literal["half-open", "inclusive", "1-based"] = "half-open"
    """Convention of corners: half-open from 0, or with their last pixel from 0 or from 1."""

    unit: BoxUnit = "pixels"
    """Unit of boxes: pixels, or shares (0 to 1) of the width and height of the image."""

    values: NestedConstants = Field(default_factory=dict)
    """Column -> value -> another value: {split: {"0": train, "1": test}}; on the command line
    also ``split: 0=train 1=test``. A range, such as ``1..98``, stands for its numbers."""

    constants: Constants = Field(default_factory=dict)
    """Column -> value of rows that have none; on the command line also ``split=train``."""
    labels: Names = ()
    """Columns of 0 and 1 that are labels; ``*`` matches any part of a name."""
    lists: Names = ()
    """Columns of lists: JSON, or words between blanks, ',', ';' or '|'."""
    references: Names = ()
    """Columns of lists of image names, which the ids of their items replace."""
    rename: Mapping[str, str] = Field(default_factory=dict)
    """Other columns -> their names in the catalogue."""

    prefixed: ClassVar[frozenset[str]] = frozenset()
    """Names of columns of every catalogue that this layout's other columns often have.

    They get the prefix ``given_`` instead of an error.
    """

    def rename_columns(
        self, table: pl.DataFrame, where: str, elsewhere: Collection[str] = ()
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rename the columns of ``table`` to their kinds, and all others to ``extra:NAME``.

        Args:
            table: text columns, and ``:where``.
            where: name of the table, for messages.
            elsewhere: columns of all tables; options may name those that only others have.

        Returns:
            The renamed table, and findings about names that look like misspellings.

        Raises:
            DataError: there is no column of image names, or only a part of the corners.
        """
        options = {
            kind: name
            for kind, name in self.column_options().items()
            if name in table.columns or name not in elsewhere
        }
        table, notes = self._with_values(table, options, where, elsewhere)
        names = [name for name in table.columns if name != ":where"]
        columns = find_columns(options, names, where)
        if not columns["label"] and not self.labels:
            notes += unread_label_findings(table, where)
        check_single_values(table, columns, where)
        cells = self._cell_columns(table, columns)
        columns |= dict.fromkeys(CELLS, "")
        known = {column for column in (*columns.values(), *cells.values()) if column}
        others = [name for name in names if name not in known]
        renamed = table.select(
            # Series, because polars reads the names "*" and "^...$" of columns as patterns.
            *(table[column].alias(kind) for kind, column in columns.items() if column),
            *(table[name].alias(f"{MARK}{kind} {name}") for kind, name in cells.items()),
            *(table[name].alias(f"{PREFIX}{name}") for name in others),
            *(name for name in table.columns if name == ":where"),
        )
        mapped = {name: self.values[name] for name in self.values if name not in names}
        renamed, more = map_values(renamed, mapped, where)
        notes += more
        misspelt = misspelling_findings(others, columns, where)
        return renamed, pl.concat([misspelt, findings_from_rows(notes)])

    def _with_values(
        self,
        table: pl.DataFrame,
        options: Mapping[str, str],
        where: str,
        elsewhere: Collection[str],
    ) -> tuple[pl.DataFrame, list[FindingRow]]:
        """Apply the options constants, values, labels and lists."""
        table, notes = map_values(table, self.values, where)
        table = with_constants(table, self.constants)
        if self.labels:
            table, more = labels_from_columns(table, self.labels, options, where, elsewhere)
            notes += more
        for name in dict.fromkeys((*self.lists, *self.references)):
            if name in table.columns or name not in elsewhere:
                table = with_list(table, name, where)
            if name in table.columns and name == column_of("label", options, table.columns):
                table, more = labels_from_list(table, name, where)
                notes += more
        return table, notes

    def column_options(self) -> dict[str, str]:
        """Return the columns that options name: kind -> column."""
        return {kind: getattr(self, kind, "") for kind in COLUMN_NAMES}

    def _cell_columns(self, table: pl.DataFrame, columns: Mapping[str, str]) -> dict[str, str]:
        """Return the column with boxes in its cells: its kind and name."""
        if any(columns[kind] for kind in (*CORNERS, "cx")):
            return {}
        for kind in CELLS:
            name = columns[kind]
            chosen = bool(getattr(self, kind))
            if name and (chosen or holds_boxes(table[name], kind)):
                return {kind: name}
        return {}

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
        rows, notes = unfold_labels(rows)
        rows, more = unfold_cells(rows, self.box_format)
        notes += [*more, *digit_split_findings(rows)]
        if "split" in rows.columns:
            notes += split_value_findings(rows)
        rows, extra_columns = type_extra_columns(
            complete_columns(rows), self.rename, self.prefixed, type(self).model_fields
        )
        located, broken = join_images(rows, images, files)
        del rows
        names = [f"{PREFIX}{column.name}" for column in extra_columns]
        merged, twins = image_rows(images, located, names)
        if CAPTIONS_COLUMN in merged.columns and CAPTIONS_COLUMN not in names:
            extra_columns = (*extra_columns, CAPTIONS)
        if placed is None:
            merged = merged.sort(split_rank(), "split", "image_id", nulls_last=True)
        boxes = box_rows(located, names, self.corners)
        if len(boxes):
            where = located.filter("boxed")[":where"][0]
            notes += share_findings(boxes, self.unit, table_of(where))
        if boxes_differ_from_image(boxes, merged):
            extra_columns = (*extra_columns, IMAGE_LABEL)
            merged = merged.with_columns(pl.col("label").alias(IMAGE_LABEL_COLUMN))
        sizes = merged.select("image_id", "width", "height")
        unnamed = unnamed_images(merged, by_folders=placed is not None)
        merged = merged.drop("width", "height")
        del located  # an early end of columns that items do not have
        result = self.box_items(merged, boxes)
        items = with_field_names(result.items, extra_columns)
        items, unknown = refer_to_items(items, self.references, self.rename, files.path)
        return source_result(
            files,
            items,
            unknown,
            *faults,
            findings_from_rows(notes),
            broken,
            twins,
            result.faults,
            stray_file_findings(files, images, is_annotation),
            extra_columns=extra_columns,
            box_unit=box_unit(self.unit),
            image_sizes=sizes,
            whole_images=with_field_names(result.whole_images, extra_columns),
            orientation=self.orientation,
            left_over=[unnamed, own_columns(extra_columns)],
        )
