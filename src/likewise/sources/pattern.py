"""Columns from the paths of the images, by regular expressions."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import polars as pl
from pydantic import BeforeValidator, Field, PositiveInt

from likewise.errors import ConfigError, DataError, hint
from likewise.formats.archives import FileCollection
from likewise.sources.annotation_files import AnnotationFiles
from likewise.sources.base import LeftOver, SourceResult, findings_about, findings_from_rows
from likewise.sources.column_values import check_value_columns
from likewise.sources.extra_columns import RESERVED
from likewise.sources.glob_paths import glob_pattern
from likewise.sources.option_values import NestedConstants
from likewise.sources.path_pattern import check_pattern, extract_columns, named_groups
from likewise.sources.row_joins import join_all, join_findings
from likewise.sources.table_doubts import IMAGES_WITHOUT_ROW
from likewise.sources.text_table_source import TextTableSource

_NO_MATCH = "no pattern matches its path"


def _patterns(value: Any) -> Any:
    """Return one pattern as a list of one."""
    return [value] if isinstance(value, str) else value


class PatternSource(TextTableSource):
    r"""Images whose paths have the label, split, role or other columns in them.

    ``pattern`` is a regular expression with named groups, such as
    ``(?P<label>\d+)_c(?P<camera>\d).*``; it must match a whole path, or its end after a '/'.
    Each group is a column. An image that no pattern matches is a finding. Columns can also come
    from the folder of an image (``folders``), and from tables that are joined (``tables``).
    """

    prefixed: ClassVar[frozenset[str]] = RESERVED

    pattern: Annotated[tuple[str, ...], BeforeValidator(_patterns)]
    """Regular expressions with named groups; the first one that matches a path counts."""

    folders: NestedConstants = Field(default_factory=dict)
    """Folder (``*`` matches any part of a name) -> column -> value of the images in it."""

    blocks: Mapping[str, PositiveInt] = Field(default_factory=dict)
    """Column of numbers -> size of the blocks that they are divided into: with 4, the numbers 4
    to 7 become 1."""

    unlisted: Literal["keep", "drop"] = "drop"
    """Keep or drop images that no pattern matches."""

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        for pattern in self.pattern:
            check_pattern(pattern)
        taken = {"image", "path"}
        if not self.pattern or any(taken & {*named_groups(p)} for p in self.pattern):
            raise ConfigError(
                "source: pattern: it needs a pattern, without a group 'image' or 'path'"
            )
        if any(not table.on for table in self.tables):
            raise ConfigError("source: tables: a table of the source pattern needs a key (on)")
        annotation_files = AnnotationFiles(files, annotations)
        matched, rest = extract_columns(self.images(files)["path"], self.pattern)
        table = self._with_folders(self._with_blocks(matched.rename({"path": "image"})))
        table = table.with_columns(pl.col("image").alias(":where"))
        joins, faults, paths = self.read_joins(annotation_files)
        table, unjoined = join_all(table, joins, "pattern")
        check_value_columns(self.values, table.columns)
        rows, notes = self.rename_columns(table, "pattern")
        rest = rest.to_frame("path").filter(~self.is_known_file([]))["path"]
        unmatched = findings_about(rest.to_frame("path"), "bad-name", _NO_MATCH)
        faults += [findings_from_rows(unjoined), notes, unmatched, join_findings(joins)]
        result = self.build_result(files, rows, faults, self.is_known_file(paths))
        left = LeftOver("images that no pattern matches", len(rest), tuple(rest.head(5)))
        others = (part for part in result.left_over if part.what != IMAGES_WITHOUT_ROW)
        return replace(result, left_over=(*([left] if left.count else []), *others))

    def _with_blocks(self, table: pl.DataFrame) -> pl.DataFrame:
        """Divide the numbers of columns by the sizes of their blocks."""
        for name, size in self.blocks.items():
            if name not in table.columns:
                groups = [column for column in table.columns if column != "image"]
                raise DataError(f"blocks: no group {name!r}; {hint(name, groups)}")
            number = pl.col(name).cast(pl.Int64, strict=False) // size
            table = table.with_columns(pl.coalesce(number.cast(pl.String), name).alias(name))
        return table

    def _with_folders(self, table: pl.DataFrame) -> pl.DataFrame:
        """Add the values that the folders of images define, where the path has none."""
        for folder, columns in self.folders.items():
            is_inside = pl.col("image").str.contains(rf"(?s)(?:\A|/){glob_pattern(folder)}/")
            for name, value in columns.items():
                own = pl.col(name) if name in table.columns else pl.lit(None, pl.String)
                given = pl.when(is_inside).then(pl.lit(value, pl.String))
                table = table.with_columns(pl.coalesce(own, given).alias(name))
        return table
