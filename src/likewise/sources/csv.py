"""CSV: a table of images or boxes, in text."""

import csv
import io
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Literal

import polars as pl

from likewise.errors import DamagedError, DataError
from likewise.formats.archives import Files
from likewise.sources.annotation_files import Notes, encoding_of, split_named
from likewise.sources.base import Reading, findings_frame
from likewise.sources.box_source import Gathered
from likewise.sources.folder import SPLITS
from likewise.sources.table_source import TableSource

_DELIMITERS = ",;\t|"
_HEAD = 1 << 16


class Csv(TableSource):
    """A CSV file with a header, or several, beside images that lie anywhere.

    An empty field is no value. A line with more or fewer fields than the header, or that is not
    in the encoding, is a finding.
    """

    delimiter: Literal["auto", ",", ";", "\t", "|"] = "auto"
    """What stands between fields; ``auto``: the one that stands most often in the header."""

    encoding: str = "utf-8"
    """How the text is encoded; a byte order mark is obeyed first."""

    def read(self, files: Files, annotations: Path) -> Reading:
        """See ``Source.read``."""
        notes = Notes(files, annotations)
        names = notes.names(r"\.(csv|tsv)\z")
        if names.is_empty():
            raise notes.absent("a .csv with a header")
        rows, faults = self.tables(notes, names)
        used = pl.col("path").str.to_lowercase().str.contains(r"\.(csv|tsv)\z")
        return self.assembled(files, rows, faults, used)

    def tables(self, notes: Notes, names: pl.Series) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
        """The rows of the files ``names``, their columns called as what they are; findings."""
        frames, faults = [], []
        for where, data in notes.read(names):
            table, broken = self._table(where, data)
            mapped, odd = self.mapped(table, where)
            if "split" not in mapped.columns:
                said = split_named(where, SPLITS)
                mapped = mapped.with_columns(split=pl.lit(said, pl.String))
            folder = pl.lit(where[: where.rfind("/") + 1]).alias(":folder")
            frames.append((where, mapped.with_columns(folder)))
            faults += [findings_frame(broken), odd]
        ordered = [frame for _, frame in sorted(frames, key=itemgetter(0))]
        return pl.concat(ordered, how="diagonal"), faults

    def _table(
        self, where: str, data: bytes
    ) -> tuple[pl.DataFrame, list[tuple[str, str, str]]]:
        """The rows of a file as text, each with where it stands; and what is wrong."""
        lines = csv.reader(_text(where, data, self.encoding), self._dialect(data))
        header = _header(where, lines)
        table = Gathered(dict.fromkeys((*header, ":where"), pl.String))
        broken: list[tuple[str, str, str]] = []
        for fields, last in _rows(lines):
            place = f"{where}: line {last:,}"
            fault = _fault(fields, header, self.encoding)
            if fault:
                broken.append((place, "bad-row", fault))
            elif not isinstance(fields, str) and fields:
                table.add(*(field.strip() or None for field in fields), place)
        return table.frame(), broken

    def _dialect(self, data: bytes) -> type[csv.Dialect]:
        head = data[:_HEAD].split(b"\n", 1)[0].decode("latin-1")
        best = max(_DELIMITERS, key=head.count)

        class Found(csv.excel):
            delimiter = best if self.delimiter == "auto" else self.delimiter

        return Found


def _text(where: str, data: bytes, encoding: str) -> io.TextIOWrapper:
    try:
        return io.TextIOWrapper(
            io.BytesIO(data),
            encoding_of(data) or encoding,
            errors="surrogateescape",
            newline="",
        )
    except LookupError as error:
        raise DataError(
            f"{where}: no encoding is called {encoding!r}; correct the card"
        ) from error


def _header(where: str, lines: Iterator[list[str]]) -> list[str]:
    try:
        header = [name.strip() or f"column {n}" for n, name in enumerate(next(lines), start=1)]
    except (StopIteration, csv.Error, UnicodeError) as error:
        raise DamagedError(f"{where} has no header: {str(error) or 'it is empty'}") from error
    twins = sorted({name for name in header if header.count(name) > 1})
    if twins or ":where" in header:
        raise DataError(f"{where}: two columns are called {(twins or [':where'])[0]!r}")
    if not _clean(header):
        raise DamagedError(
            f"{where}: its header is not in the encoding; name that by --option "
            "encoding=cp1252, say, or in the card"
        )
    return header


def _rows(lines: Iterator[list[str]]) -> Iterator[tuple[list[str] | str, int]]:
    """Every row and the number of its last line; of one that cannot be read, why."""
    while True:
        try:
            yield next(lines), lines.line_num  # type: ignore[attr-defined]
        except StopIteration:
            return
        except csv.Error as error:
            yield str(error), lines.line_num  # type: ignore[attr-defined]


def _fault(fields: Sequence[str], header: Sequence[str], encoding: str) -> str:
    if isinstance(fields, str):
        return fields
    if fields and len(fields) != len(header):
        return f"it has {len(fields)} fields, and the header {len(header)}"
    if not _clean(fields):
        return f"it is not {encoding}; say which by --option encoding=cp1252, or in the card"
    return ""


def _clean(fields: Sequence[str]) -> bool:
    """Whether no byte of the fields was undecodable."""
    try:
        "".join(fields).encode()
    except UnicodeEncodeError:
        return False
    return True
