"""CSV: a text table with one row per image or box."""

import csv
import io
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Literal

import polars as pl

from likewise.errors import DamagedError, DataError
from likewise.formats.archives import FileCollection
from likewise.formats.spreadsheet_text import unmarked
from likewise.sources.annotation_files import AnnotationFiles, bom_encoding
from likewise.sources.base import SourceResult, findings_from_rows
from likewise.sources.box_source import RowBuffer
from likewise.sources.split_names import file_split_findings, split_of_file
from likewise.sources.table_source import TableSource

_DELIMITERS = ",;\t|"
_HEAD_BYTES = 1 << 16


class CsvSource(TableSource):
    """One or several CSV files with a header, and images anywhere.

    Empty fields are missing values. Lines that have more or fewer fields than the header, or
    that are not valid in the encoding, are findings.
    """

    delimiter: Literal["auto", ",", ";", "\t", "|"] = "auto"
    """Delimiter; ``auto`` uses the most frequent one in the header."""

    spreadsheet: bool = False
    """Remove the apostrophe before formulas, as ``export csv --option spreadsheet=true`` and
    ``query --csv FILE --spreadsheet`` write it."""

    encoding: str = "utf-8"
    """Encoding of the text; a byte order mark takes precedence."""

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        annotation_files = AnnotationFiles(files, annotations)
        paths = annotation_files.find(r"\.(csv|tsv)\z")
        if paths.is_empty():
            raise annotation_files.missing_error("a .csv with a header")
        rows, faults = self.tables(annotation_files, paths)
        is_annotation = pl.col("path").str.to_lowercase().str.contains(r"\.(csv|tsv)\z")
        return self.build_result(files, rows, faults, is_annotation)

    def tables(
        self, annotation_files: AnnotationFiles, paths: pl.Series
    ) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
        """Read the files ``paths`` with renamed columns; and return findings."""
        frames, faults = [], []
        for where, data in annotation_files.read(paths):
            table, invalid = self._table(where, data)
            renamed, misspelt = self.rename_columns(table, where)
            if "split" not in renamed.columns:
                split = split_of_file(where).split
                renamed = renamed.with_columns(split=pl.lit(split, pl.String))
                doubts = file_split_findings([where], "or set --option split=COLUMN")
                faults.append(findings_from_rows(doubts))
            folder = pl.lit(where[: where.rfind("/") + 1]).alias(":folder")
            frames.append((where, renamed.with_columns(folder)))
            faults += [findings_from_rows(invalid), misspelt]
        ordered = [frame for _, frame in sorted(frames, key=itemgetter(0))]
        return pl.concat(ordered, how="diagonal"), faults

    def _table(
        self, where: str, data: bytes
    ) -> tuple[pl.DataFrame, list[tuple[str, str, str]]]:
        """Read a file as text columns with ``:where``; and return rows of findings."""
        lines = csv.reader(_text(where, data, self.encoding), self._dialect(data))
        header = _header(where, lines)
        if self.spreadsheet:
            header = [unmarked(name) for name in header]
        table = RowBuffer(dict.fromkeys((*header, ":where"), pl.String))
        invalid: list[tuple[str, str, str]] = []
        for fields, line in _rows(lines):
            place = f"{where}: line {line:,}"
            problem = _problem(fields, header, self.encoding)
            if problem:
                invalid.append((place, "bad-row", problem))
            elif not isinstance(fields, str) and fields:
                values = [field.strip() for field in fields]
                if self.spreadsheet:
                    values = [unmarked(value) for value in values]
                table.add(*(value or None for value in values), place)
        return table.frame(), invalid

    def _dialect(self, data: bytes) -> type[csv.Dialect]:
        head = data[:_HEAD_BYTES].split(b"\n", 1)[0].decode("latin-1")
        best = max(_DELIMITERS, key=head.count)

        class Dialect(csv.excel):
            delimiter = best if self.delimiter == "auto" else self.delimiter

        return Dialect


def _text(where: str, data: bytes, encoding: str) -> io.TextIOWrapper:
    encoding, errors = bom_encoding(data) or encoding, "surrogateescape"
    if encoding == "utf-16":
        errors = "surrogatepass"  # bytes cannot be escaped in an encoding of pairs
        if len(data) % 2:  # half of a character becomes one that marks its line as faulty
            half = b"\xdc\x80" if data.startswith(b"\xfe\xff") else b"\x80\xdc"
            data = data[:-1] + half
    try:
        return io.TextIOWrapper(io.BytesIO(data), encoding, errors=errors, newline="")
    except LookupError as error:
        raise DataError(f"{where}: unknown encoding {encoding!r}; correct the card") from error


def _header(where: str, lines: Iterator[list[str]]) -> list[str]:
    try:
        header = [name.strip() or f"column {n}" for n, name in enumerate(next(lines), start=1)]
    except (StopIteration, csv.Error, UnicodeError) as error:
        raise DamagedError(f"{where} has no header: {str(error) or 'it is empty'}") from error
    twins = sorted({name for name in header if header.count(name) > 1})
    if twins or ":where" in header:
        raise DataError(f"{where}: two columns have the name {(twins or [':where'])[0]!r}")
    if not _is_decoded(header):
        raise DamagedError(
            f"{where}: its header has another encoding; set it in the card, or for example by "
            "--option encoding=cp1252"
        )
    return header


def _rows(lines: Iterator[list[str]]) -> Iterator[tuple[list[str] | str, int]]:
    """Yield each row, or the reason why parsing failed, and the number of its last line."""
    while True:
        try:
            yield next(lines), lines.line_num  # type: ignore[attr-defined]
        except StopIteration:
            return
        except csv.Error as error:
            yield str(error), lines.line_num  # type: ignore[attr-defined]
        except UnicodeError as error:  # the decoder cannot continue after it
            detail = f"this line and those after it cannot be decoded: {error}"
            yield detail, lines.line_num + 1  # type: ignore[attr-defined]
            return


def _problem(fields: Sequence[str], header: Sequence[str], encoding: str) -> str:
    if isinstance(fields, str):
        return fields
    if fields and len(fields) != len(header):
        return f"it has {len(fields)} fields, and the header {len(header)}"
    if not _is_decoded(fields):
        return f"it is not {encoding}; say which by --option encoding=cp1252, or in the card"
    return ""


def _is_decoded(fields: Sequence[str]) -> bool:
    """Return True if all bytes of the fields could be decoded."""
    try:
        "".join(fields).encode()
    except UnicodeEncodeError:
        return False
    return True
