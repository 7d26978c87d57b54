"""Lines and records of delimited text: comments, count lines, delimiters, encodings."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from likewise.errors import DataError
from likewise.sources.annotation_files import bom_encoding

Delimiter = Literal["auto", ",", ";", "\t", "|", "tab", "whitespace"]
"""Delimiter of fields; ``whitespace`` is any run of blanks and tabs, without quotes."""

REST = "..."
"""Ending of the last name of ``columns``: this column takes the rest of the line."""

_DELIMITERS = ",;\t|"
_COUNT_DIGITS = 18


@dataclass(frozen=True)
class TextFormat:
    """Format of a table of text.

    Attributes:
        delimiter: see ``Delimiter``; ``auto`` decides by the first lines.
        columns: names of the columns of a table without a header, or of one whose header is
            not used; or name in the header -> name. Columns named ``_`` are not read.
        header: the first line has the names of the columns; by default, if ``columns`` does
            not list them.
        skip: number of lines before the table.
        comment: lines that begin with it are skipped.
        quote: character around fields that contain delimiters; "" for none.
        encoding: encoding of the text; a byte order mark takes precedence.
        spreadsheet: remove the apostrophe before formulas.
    """

    delimiter: Delimiter = "auto"
    columns: Sequence[str] | Mapping[str, str] | None = None
    header: bool | None = None
    skip: int = 0
    comment: str = ""
    quote: str = '"'
    encoding: str = "utf-8"
    spreadsheet: bool = False

    @property
    def names(self) -> list[str] | None:
        """The names of the columns in order; None if the header has them."""
        listed = self.columns is not None and not isinstance(self.columns, Mapping)
        return list(self.columns or ()) if listed else None

    @property
    def is_plain(self) -> bool:
        """True if no option needs the lines one by one."""
        names = self.names or [""]
        return (
            self.encoding.lower() in {"utf-8", "utf8"}
            and not self.comment
            and not self.spreadsheet
            and not names[-1].endswith(REST)
        )

    @property
    def has_header(self) -> bool:
        """True if the first line has the names of the columns."""
        return self.names is None if self.header is None else self.header


class TextLines:
    """The lines of a text after the first ones, without comments; counts those it has read."""

    def __init__(self, stream: io.TextIOWrapper, form: TextFormat) -> None:
        """Wrap the lines of ``stream``; none is read yet."""
        self.number = self._read = 0
        self._ahead: list[tuple[str, int]] = []
        self._error: UnicodeError | None = None
        self._rest = self._visible(stream, form)

    def peek(self, most: int) -> list[str]:
        """Return up to ``most`` lines that come next, without empty ones."""
        filled: list[str] = []
        while len(filled) < most:
            try:
                line = next(self._rest)
            except StopIteration:
                break
            except UnicodeError as error:  # it is raised again after the lines before it
                self._error = error
                break
            self._ahead.append((line, self._read))
            filled += [line] if line.strip() else []
        return filled

    @property
    def lines_before(self) -> int:
        """Number of lines before the next one."""
        return self._ahead[0][1] - 1 if self._ahead else self._read

    def drop_first(self) -> None:
        """Drop the first line that ``peek`` returned."""
        at = next(n for n, (line, _) in enumerate(self._ahead) if line.strip())
        del self._ahead[: at + 1]

    def __iter__(self) -> "TextLines":
        """Return this iterator."""
        return self

    def __next__(self) -> str:
        """Return the next line with its ending; may raise ``UnicodeError``."""
        if self._ahead:
            line, self.number = self._ahead.pop(0)
            return line
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        line = next(self._rest)
        self.number = self._read
        return line

    def _visible(self, stream: io.TextIOWrapper, form: TextFormat) -> Iterator[str]:
        for line in stream:
            self._read += 1
            if self._read > form.skip and not (form.comment and line.startswith(form.comment)):
                yield line


class TextRecords:
    """Yield the fields of each record, or the reason why it cannot be parsed, and its line."""

    def __init__(self, lines: TextLines, delimiter: str, form: TextFormat) -> None:
        """Parse ``lines`` with ``delimiter``, which is not ``auto``."""
        self._lines, self._delimiter = lines, delimiter
        self.spanning = False
        names = form.names or []
        most = len(names) - 1 if names and names[-1].endswith(REST) else -1
        self._most = most
        self._reader = csv.reader(
            lines,
            delimiter=delimiter if delimiter != "whitespace" else " ",
            quotechar=form.quote or None,
            quoting=csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
        )

    def __iter__(self) -> Iterator[tuple[list[str] | str, int]]:
        """Yield fields, or a reason, and the number of the last line of the record."""
        source = iter(self._split_lines() if self._delimiter == "whitespace" else self._reader)
        before = self._lines.number
        while True:
            try:
                fields = next(source)
            except StopIteration:
                return
            except csv.Error as error:
                yield str(error), self._lines.number
                continue
            except UnicodeError as error:  # the decoder cannot continue after it
                detail = f"this line and those after it cannot be decoded: {error}"
                yield detail, self._lines.number + 1
                return
            number = self._lines.number
            self.spanning |= number > before + 1
            before = number
            yield self._joined(fields), number

    def _split_lines(self) -> Iterator[list[str]]:
        most = self._most
        for line in self._lines:
            yield line.split(None, most)

    def _joined(self, fields: list[str]) -> list[str]:
        """Join the fields that the last column takes."""
        if self._most < 0 or self._delimiter == "whitespace" or len(fields) <= self._most + 1:
            return fields
        return [*fields[: self._most], self._delimiter.join(fields[self._most :])]


class Head(NamedTuple):
    """Facts in the first lines: the delimiter, a number of rows, and a missing first name."""

    delimiter: str
    stated: int | None
    is_short: bool


def read_head(lines: TextLines, form: TextFormat) -> Head:
    """Look at the first lines, and skip a line that has only the number of rows."""
    head, count = lines.peek(3), None
    first = head[0].strip() if head else ""
    if len(head) > 1 and first.isdecimal() and len(first) <= _COUNT_DIGITS:
        several = form.names is None or len(form.names) > 1
        if several and not head[1].strip().isdecimal():
            count = int(first)
            lines.drop_first()
            head = head[1:]
    delimiter = {"tab": "\t"}.get(form.delimiter, form.delimiter)
    if delimiter == "auto":
        delimiter = _delimiter_of_header(head) if form.names is None else _delimiter(head, form)
    words = [len(line.split()) for line in head[:2]]
    is_short = delimiter == "whitespace" and len(words) > 1 and words[1] == words[0] + 1
    return Head(delimiter, count, is_short)


def _delimiter_of_header(head: list[str]) -> str:
    """Return the most frequent delimiter of the header, or blanks if it has no other."""
    first = head[0] if head else ""
    best = max(_DELIMITERS, key=first.count)
    words = [len(line.split()) for line in head[:2]]
    is_white = len(words) > 1 and words[0] > 1 and words[1] in (words[0], words[0] + 1)
    return "whitespace" if best not in first and is_white else best


def _delimiter(head: list[str], form: TextFormat) -> str:
    """Return the delimiter that gives the first lines as many fields as there are columns."""
    names = form.names or []
    first = head[0].strip() if head else ""
    if names and names[-1].endswith(REST):
        blank = re.search(r"[,;|\s]", first)
        return blank[0] if blank and blank[0] in _DELIMITERS else "whitespace"
    for delimiter in "\t,;|":
        if head and all(line.count(delimiter) + 1 == len(names) for line in head[:2]):
            return delimiter
    best = max(_DELIMITERS, key=first.count)
    return "whitespace" if best not in first and len(names) > 1 else best


def open_text(where: str, data: bytes, encoding: str) -> io.TextIOWrapper:
    """Open ``data`` as text; bytes that are not valid become surrogates, or raise on reading.

    Raises:
        DataError: the encoding is unknown.
    """
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
