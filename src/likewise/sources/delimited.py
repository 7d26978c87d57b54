"""Delimited text in any form: one or several tables, joined by keys."""

from pathlib import Path
from typing import ClassVar

import polars as pl

from likewise.formats.archives import FileCollection
from likewise.sources.annotation_files import AnnotationFiles
from likewise.sources.base import SourceResult, findings_from_rows
from likewise.sources.column_values import check_value_columns
from likewise.sources.extra_columns import RESERVED
from likewise.sources.row_joins import JoinedTable, join_all, join_findings
from likewise.sources.split_names import file_split_findings, split_of_file
from likewise.sources.table_files import TableFile, read_table_file
from likewise.sources.text_table_source import TextTableSource

_TABLES = r"\.(csv|tsv)\z"


class DelimitedSource(TextTableSource):
    """Tables of text with one row per image or box, and images anywhere.

    Without the option ``tables``, all files ``.csv`` and ``.tsv`` are read. Tables that have a
    key (``on``) add columns to the rows of the others. Empty fields are missing values. Lines
    that have more or fewer fields than the header, or that are not valid in the encoding, are
    findings, and so are rows that another table does not have.
    """

    prefixed: ClassVar[frozenset[str]] = RESERVED

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        annotation_files = AnnotationFiles(files, annotations)
        bases = self.row_files(annotation_files)
        if not bases:
            paths = annotation_files.find(_TABLES)
            if paths.is_empty():
                raise annotation_files.missing_error("a .csv with a header")
            bases = [(TableFile(file="*"), paths)]
        own = [path for _, paths in bases for path in paths]
        faults: list[pl.DataFrame] = []
        # The rows are only an argument here, so that their first columns are freed early.
        return self.build_result(
            files,
            self._joined_rows(annotation_files, bases, faults, own),
            faults,
            pl.col("path").str.to_lowercase().str.contains(_TABLES) | self.is_known_file(own),
        )

    def _joined_rows(
        self,
        annotation_files: AnnotationFiles,
        bases: list[tuple[TableFile, pl.Series]],
        faults: list[pl.DataFrame],
        own: list[str],
    ) -> pl.DataFrame:
        """Return the rows of all tables; add findings to ``faults``, and paths to ``own``."""
        joins, findings, paths = self.read_joins(annotation_files)
        rows, more = self._rows(annotation_files, bases, joins)
        faults += [*findings, *more]
        own += paths
        return rows

    def tables_at(
        self, annotation_files: AnnotationFiles, paths: pl.Series
    ) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
        """Read the files ``paths`` with renamed columns; and return findings."""
        return self._rows(annotation_files, [(TableFile(file="*"), paths)], [])

    def _rows(
        self,
        annotation_files: AnnotationFiles,
        bases: list[tuple[TableFile, pl.Series]],
        joins: list[JoinedTable],
    ) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
        """Read and join the tables ``bases``; return their rows, and findings."""
        tables: list[tuple[int, str, pl.DataFrame]] = []
        faults: list[pl.DataFrame] = []
        for number, (table_file, paths) in enumerate(bases):
            for where, data in annotation_files.read(paths):
                table, invalid = read_table_file(where, data, table_file, self.text_format)
                del data
                table, unjoined = join_all(table, joins, where)
                tables.append((number, where, table))
                faults.append(findings_from_rows([*invalid, *unjoined]))
        columns = {name for *_, table in tables for name in table.columns}
        check_value_columns(self.values, columns)
        frames = []
        for _, where, table in sorted(tables, key=lambda part: part[:2]):
            renamed, notes = self.rename_columns(table, where, columns)
            faults.append(notes)
            if "split" not in renamed.columns:
                split = split_of_file(where).split
                renamed = renamed.with_columns(split=pl.lit(split, pl.String))
                doubts = file_split_findings([where], "or set --option split=COLUMN")
                faults.append(findings_from_rows(doubts))
            if folder := where[: where.rfind("/") + 1]:
                renamed = renamed.with_columns(pl.lit(folder).alias(":folder"))
            frames.append(renamed)
        return pl.concat(frames, how="diagonal"), [*faults, join_findings(joins)]
