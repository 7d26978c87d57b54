"""The files of a table, as options describe them: format, columns, and how they are joined."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import BeforeValidator, Field, model_validator

from likewise.errors import ConfigError, DataError, bounded
from likewise.registry import Part
from likewise.sources.annotation_files import AnnotationFiles
from likewise.sources.cell_lists import split_cells
from likewise.sources.cell_patterns import extract_cells, prefix_cells
from likewise.sources.delimited_text import FindingRow, read_delimited
from likewise.sources.glob_paths import glob_pattern
from likewise.sources.matlab_table import read_matlab_table
from likewise.sources.option_values import (
    Columns,
    Constants,
    Names,
    keys_of,
    with_constants,
)
from likewise.sources.path_pattern import check_pattern, extract_columns
from likewise.sources.record_tables import SUFFIXES, read_records
from likewise.sources.text_lines import Delimiter, TextFormat


def short_form(text: str) -> dict[str, str]:
    """Return the options that the short form of a table stands for.

    Raises:
        ValueError: the text is not FILE, FILE(COLUMNS), FILE on KEY or FILE(COLUMNS) on KEY.

    Example:
        >>> short_form("classes.txt(class label) on class")
        {'file': 'classes.txt', 'columns': 'class label', 'on': 'class'}
    """
    file, opened, rest = text.strip().partition("(")
    columns, closed, tail = rest.partition(")")
    if not opened:
        file, joined, tail = text.strip().partition(" on ")
        tail = joined + tail
    word, _, key = tail.strip().partition(" ")
    if (
        not file.strip()
        or (opened and not closed)
        or (word and (word != "on" or not key.strip()))
    ):
        raise ValueError(f"{text[:200]!r} is not FILE, FILE(COLUMNS) or FILE(COLUMNS) on KEY")
    options = {"file": file.strip()}
    if opened:
        options["columns"] = columns
    return options | ({"on": key.strip()} if key else {})


class TableFile(Part):
    """A table of the data set: where it is, how it is written, and how it is joined.

    The short form ``images.txt(id image) on id`` sets file, columns and on.
    """

    file: str
    """Path from the top, or its end; ``*`` matches any part of a name, ``**`` any path."""

    columns: Columns | None = None
    """Names of the columns in order (``_``: not read; ``name...``: the rest of the line), or
    name in the header -> name."""

    on: Annotated[Mapping[str, str], BeforeValidator(keys_of)] = Field(default_factory=dict)
    """Columns of the rows so far -> columns of this table that must be equal. Without them, the
    rows of this table are rows of the data set."""

    many: bool | None = None
    """Several rows of this table may have one key: each becomes a row. By default, only those
    of a table with boxes."""

    constants: Constants = Field(default_factory=dict)
    """Columns that all rows of this table get, with their value."""

    prefix: Constants = Field(default_factory=dict)
    """Column -> text that is put before its values, such as the folder of the images."""

    extract: Constants = Field(default_factory=dict)
    """Column -> regular expression with named groups; each group becomes a column, or replaces
    the column of its name."""

    path: str = ""
    """Regular expression with named groups for the path of a table, or its end after a '/';
    each group becomes a column. A table with another path is a finding, if not ``partial``."""

    partial: bool = False
    """The table covers a part of the rows, and has further rows; neither is reported."""

    explode: Names = ()
    """Columns of lists: every element becomes a row."""

    row: str = ""
    """Name of a column with the number of the row, from 1."""

    variable: str = ""
    """Variable of a .mat file; by default its only table."""

    records: str = ""
    """List in a JSON file, as names separated by dots (``.``: the whole file; a name after that
    of a list: the lists in its records), or element of an XML file, that has the rows; by
    default the only one."""

    reads_as: Literal["json", "jsonl", "mat", "xml"] | None = None
    """Format of files whose names have no suffix of it."""

    delimiter: Delimiter | None = None
    header: bool | None = None
    skip: int | None = Field(default=None, ge=0)
    comment: str | None = None
    quote: Literal['"', "'", ""] | None = None
    encoding: str | None = None
    """Format of this table, if it differs from that of the others."""

    @model_validator(mode="before")
    @classmethod
    def _long_form(cls, value: Any) -> Any:
        if isinstance(value, dict):
            # YAML reads the key ``on`` without quotation marks as true.
            return {"on" if key is True else key: part for key, part in value.items()}
        return short_form(value) if isinstance(value, str) else value

    def format(self, default: TextFormat) -> TextFormat:
        """Return the format of this table; options that it lacks are those of ``default``."""
        own = {
            name: value
            for name in ("delimiter", "header", "skip", "comment", "quote", "encoding")
            if (value := getattr(self, name)) is not None
        }
        given = {name: getattr(default, name) for name in default.__dataclass_fields__}
        if self.columns is not None:
            own["columns"] = self.columns
        return TextFormat(**{**given, **own})


def find_table_files(annotation_files: AnnotationFiles, file: str) -> pl.Series:
    """Return the paths that ``file`` of a ``TableFile`` means, sorted.

    Raises:
        DataError: there is none, or a name without ``*`` means several.
    """
    paths = annotation_files.find("")
    if not annotation_files.is_collection:
        return paths
    pattern = glob_pattern(file)
    hits = paths.filter(paths.str.contains(rf"(?s)\A{pattern}\z"))
    if hits.is_empty():
        hits = paths.filter(paths.str.contains(rf"(?s)(?:\A|/){pattern}\z"))
    if hits.is_empty():
        hits = paths.filter(paths.str.contains(rf"(?is)(?:\A|/){pattern}\z"))
    if hits.is_empty():
        raise annotation_files.missing_error(file)
    if len(hits) > 1 and not set("*?") & set(file):
        names = bounded(hits.sort(), len(hits))
        raise DataError(f"{file!r} means several tables: {names}; name the folder too")
    return hits.sort()


def read_table_file(
    where: str, data: bytes, table: TableFile, default: TextFormat
) -> tuple[pl.DataFrame, list[FindingRow]]:
    """Read the table at ``where`` as columns of text with ``:where``, and finding rows.

    Raises:
        DamagedError: the table cannot be read.
        DataError: its columns differ from the stated ones.
    """
    form = "." + (table.reads_as or where.lower().rpartition("/")[2].rpartition(".")[2])
    if form == ".mat":
        frame, findings = read_matlab_table(where, data, table.variable, table.columns)
    elif form in SUFFIXES:
        frame, findings = read_records(where, data, table.records, table.columns, form)
    else:
        frame, findings = read_delimited(where, data, table.format(default))
    if table.row:
        if table.row in frame.columns:
            raise ConfigError(f"{where}: row: the table has a column {table.row!r}")
        number = pl.int_range(1, pl.len() + 1).cast(pl.String)
        frame = frame.with_columns(number.alias(table.row))
    for column in table.explode:
        frame, invalid = split_cells(frame, column, where)
        findings += invalid
    if table.path:
        frame, more = _with_path(frame, where, table)
        findings += more
    frame = prefix_cells(frame, table.prefix, where)
    frame, unmatched = extract_cells(frame, table.extract, where)
    findings = [*findings, *unmatched]
    return with_constants(frame, table.constants), findings


def _with_path(
    frame: pl.DataFrame, where: str, table: TableFile
) -> tuple[pl.DataFrame, list[FindingRow]]:
    """Add the named groups of the option ``path``; or drop all rows of another path.

    Raises:
        ConfigError: the pattern is not a regular expression, or too large.
        DataError: the table has the column of a group already.
    """
    check_pattern(table.path)
    matched, rest = extract_columns(pl.Series([where]), [table.path])
    if len(rest):
        if table.partial:
            return frame.clear(), []
        detail = "the pattern of paths does not match it; its rows are left out"
        return frame.clear(), [(where, "bad-name", detail)]
    values = matched.drop("path").row(0, named=True)
    if taken := sorted({*values} & {*frame.columns}):
        raise DataError(f"{where}: path: the table has a column {taken[0]!r} already")
    return frame.with_columns(pl.lit(v, pl.String).alias(k) for k, v in values.items()), []
