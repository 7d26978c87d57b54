"""Base class of layouts that read tables of text, and join them by keys."""

from abc import ABC
from collections.abc import Sequence
from typing import Annotated, Literal

import polars as pl
from pydantic import BeforeValidator, Field

from likewise.errors import ConfigError
from likewise.sources.annotation_files import AnnotationFiles
from likewise.sources.base import findings_from_rows
from likewise.sources.column_kinds import holds_box
from likewise.sources.glob_paths import glob_pattern
from likewise.sources.option_values import Columns, Names
from likewise.sources.row_joins import JoinedTable
from likewise.sources.table_files import TableFile, find_table_files, read_table_file
from likewise.sources.table_source import TableSource
from likewise.sources.text_lines import Delimiter, TextFormat


def listed(value: object) -> object:
    """Return one table as a list of one, and a text as its parts between ';'."""
    if isinstance(value, str):
        return [part for part in value.split(";") if part.strip()]
    return [value] if isinstance(value, dict) else value


class TextTableSource(TableSource, ABC):
    """Base class of layouts whose rows come from, or are joined with, tables of text."""

    tables: Annotated[tuple[TableFile, ...], BeforeValidator(listed)] = ()
    """The tables, each as FILE, FILE(COLUMNS) on KEY, or with the options of a table: file,
    columns, on, many, constants, prefix, extract, path, partial, explode, row, variable,
    records, delimiter, header, skip, comment, quote, encoding. On the command line, ``;``
    separates short forms."""

    delimiter: Delimiter = "auto"
    """Delimiter; ``auto`` uses the most frequent one in the header, or blanks."""

    columns: Columns | None = None
    """Names of the columns of tables without a header, in order (``_``: not read; ``name...``:
    the rest of the line); or name in the header -> name."""

    header: bool | None = None
    """Existence of a header in tables; by default, in those whose columns are not listed."""

    skip: int = Field(default=0, ge=0)
    """Number of lines before each table."""

    comment: str = ""
    """Beginning of lines that are skipped, such as ``#``."""

    quote: Literal['"', "'", ""] = '"'
    """Character around fields that contain delimiters; empty for none."""

    encoding: str = "utf-8"
    """Encoding of the text; a byte order mark takes precedence."""

    ignore: Names = ()
    """Files that are neither read nor reported, such as ``*_url.txt``."""

    spreadsheet: bool = False
    """Remove the apostrophe before formulas, as ``export csv --option spreadsheet=true`` and
    ``query --csv FILE --spreadsheet`` write it."""

    @property
    def text_format(self) -> TextFormat:
        """The format of tables that state no other."""
        return TextFormat(
            delimiter=self.delimiter,
            columns=self.columns,
            header=self.header,
            skip=self.skip,
            comment=self.comment,
            quote=self.quote,
            encoding=self.encoding,
            spreadsheet=self.spreadsheet,
        )

    def row_files(self, annotation_files: AnnotationFiles) -> list[tuple[TableFile, pl.Series]]:
        """Return the tables whose rows are rows of the data set, each with its paths.

        Raises:
            ConfigError: all tables are joined.
            DataError: a table does not exist.
        """
        files = [table for table in self.tables if not table.on]
        if self.tables and not files:
            raise ConfigError(
                "source: tables: every table has a key (on); one without it must have the rows"
            )
        return [(table, find_table_files(annotation_files, table.file)) for table in files]

    def read_joins(
        self, annotation_files: AnnotationFiles
    ) -> tuple[list[JoinedTable], list[pl.DataFrame], list[str]]:
        """Read the tables that are joined; return them, findings about them, and their paths.

        Raises:
            DamagedError: a table cannot be read.
            DataError: a table does not exist, or lacks a column of its key.
        """
        joins, faults, paths = [], [], []
        for table in self.tables:
            if not table.on:
                continue
            table_paths = find_table_files(annotation_files, table.file)
            frames = {}
            for where, data in sorted(annotation_files.read(table_paths)):
                frames[where], invalid = read_table_file(where, data, table, self.text_format)
                faults.append(findings_from_rows(invalid))
                paths.append(where)
            if table.path:  # thousands of small tables are one
                frames = {table.file: pl.concat(frames.values(), how="diagonal")}
            for where, rows in frames.items():
                many = table.many
                if many is None:
                    many = holds_box(rows.columns, self.column_options())
                joins.append(JoinedTable(where, rows, table.on, many, table.partial))
                faults.append(joins[-1].settle())
        return joins, faults, paths

    def is_known_file(self, paths: Sequence[str]) -> pl.Expr:
        """Return an expression that is true for ``paths`` and the files to ``ignore``."""
        ignored = "|".join(map(glob_pattern, self.ignore))
        is_read = pl.col("path").is_in(sorted(paths))
        if not ignored:
            return is_read
        return is_read | pl.col("path").str.contains(rf"(?s)(?:\A|/)(?:{ignored})\z")
