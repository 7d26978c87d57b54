"""Read delimited text into columns of text: the one reader of such tables."""

import re
from collections.abc import Mapping, Sequence

import polars as pl

from likewise.errors import DamagedError, DataError, hint
from likewise.formats.counted_nouns import counted
from likewise.formats.spreadsheet_text import unmarked
from likewise.sources.annotation_files import decode_text
from likewise.sources.box_source import RowBuffer
from likewise.sources.plain_text_table import read_plain
from likewise.sources.text_lines import (
    REST,
    TextFormat,
    TextLines,
    TextRecords,
    open_text,
    read_head,
)

SKIPPED = "_"
"""Name of columns that are not read."""

FindingRow = tuple[str, str, str]
"""``(path, check, detail)``; see ``findings_from_rows``."""

_IMAGE_NAME = re.compile(r"(?i)[^/\\]\.(?:jpe?g|png|gif|bmp|tiff?|webp)\Z")


def read_delimited(
    where: str, data: bytes, form: TextFormat
) -> tuple[pl.DataFrame, list[FindingRow]]:
    r"""Read a table as columns of text, with ``:where`` (location of the row).

    Empty fields become null; blanks around fields are removed. A line whose number of fields
    differs, or that is not valid in the encoding, becomes a finding. A first line that has only
    the number of rows is skipped; a wrong number is a finding.

    Args:
        where: path of the table, for messages.
        data: contents of the table.
        form: its format.

    Raises:
        DamagedError: the header is missing or cannot be decoded.
        DataError: two columns have one name, or the encoding is unknown.

    Example:
        >>> text = b"3\nimage_id x_1 y_1\na.jpg  95 71\nb.jpg  72\n"
        >>> frame, findings = read_delimited("boxes.txt", text, TextFormat())
        >>> frame.rows()
        [('a.jpg', '95', '71', 'boxes.txt: line 3')]
        >>> [detail for _, _, detail in findings]
        ['it has 2 fields, and the header 3', 'its first line says 3 rows; it has 2']
    """
    lines = TextLines(open_text(where, data, form.encoding), form)
    head = read_head(lines, form)
    records = TextRecords(lines, head.delimiter, form)
    names = _names(where, records, form, is_short=head.is_short)
    check_names(where, [name for name in names if name != SKIPPED])
    table: pl.DataFrame | None = None
    if form.is_plain and SKIPPED not in names:
        before = lines.number if form.has_header else lines.lines_before
        table = read_plain(data, where, names, head.delimiter, form.quote, before)
    if table is None:
        table, read, findings = _read_lines(where, records, names, form)
    else:
        read, findings = len(table), []
    if head.stated not in (None, read):
        detail = f"its first line says {counted(head.stated, 'row')}; it has {read:,}"
        findings.append((where, "incomplete", detail))
    if records.spanning and form.quote and data.count(form.quote.encode()) % 2:
        findings.append((where, "odd-quotes", _ODD_QUOTES))
    return table, findings


def read_every_row(where: str, data: bytes, form: TextFormat) -> pl.DataFrame:
    """Read a table that must be whole, as ``read_delimited`` does.

    Raises:
        DamagedError: a line cannot be read; the message names it.
        DataError: two columns have one name.
    """
    decode_text(where, data, form.encoding)  # its error names the line
    frame, findings = read_delimited(where, data, form)
    if findings:
        place, _, detail = findings[0]
        raise DamagedError(f"{place}: {detail}")
    return frame


def _read_lines(
    where: str, records: TextRecords, names: list[str], form: TextFormat
) -> tuple[pl.DataFrame, int, list[FindingRow]]:
    """Read the records line by line; return the rows, the number of records, and findings."""
    keep = [at for at, name in enumerate(names) if name != SKIPPED]
    whole = len(keep) == len(names)
    table = RowBuffer(dict.fromkeys((*(names[at] for at in keep), ":where"), pl.String))
    findings: list[FindingRow] = []
    read = 0
    for fields, line in records:
        place = f"{where}: line {line:,}"
        problem = _problem(fields, names, form)
        read += bool(fields)
        if problem:
            findings.append((place, "bad-row", problem))
        elif not isinstance(fields, str) and fields:
            values = [field.strip() for field in fields]
            if not whole:
                values = [values[at] for at in keep]
            if form.spreadsheet:
                values = [unmarked(value) for value in values]
            table.add(*(value or None for value in values), place)
    return table.frame(), read, findings


_ODD_QUOTES = (
    "its number of quotation marks is odd, so a cell may contain several lines of the table; "
    "--option quote= (nothing after the sign) reads them as characters"
)


def looks_like_row(names: Sequence[str]) -> bool:
    """Return True if a header has the name of an image, so that it is a row.

    Example:
        >>> looks_like_row(["00001.jpg", "39", "116"]), looks_like_row(["image", "x1"])
        (True, False)
    """
    return any(_IMAGE_NAME.search(name) for name in names)


def _names(where: str, records: TextRecords, form: TextFormat, *, is_short: bool) -> list[str]:
    """Return the names of the columns, and read the header if there is one."""
    names = form.names
    if names is not None:
        names[-1:] = [name.removesuffix(REST) or SKIPPED for name in names[-1:]]
    if not form.has_header:
        return names or []
    first: list[str] | str = []
    while first == []:
        first, _ = next(iter(records), ("it is empty", 0))
    if isinstance(first, str):
        raise DamagedError(f"{where} has no header: {first}")
    header = [name.strip() or f"column {n}" for n, name in enumerate(first, start=1)]
    if not is_decoded(header):
        raise DamagedError(
            f"{where}: its header has another encoding; set it in the card, or for example by "
            "--option encoding=cp1252"
        )
    if names is not None:
        return names
    if is_short and "image" not in header:
        header = ["image", *header]  # as in list_attr_celeba.txt
    return _renamed(where, [unmarked(n) for n in header] if form.spreadsheet else header, form)


def _renamed(where: str, header: list[str], form: TextFormat) -> list[str]:
    chosen = form.columns if isinstance(form.columns, Mapping) else {}
    for name in chosen:
        if name not in header:
            raise DataError(f"{where}: columns: no column {name!r}; {hint(name, header)}")
    return [chosen.get(name, name) for name in header]


def check_names(where: str, names: Sequence[str]) -> None:
    """Refuse a table in which two columns have one name.

    Raises:
        DataError: a name is repeated, or is that of the location of rows.
    """
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins or ":where" in names:
        raise DataError(f"{where}: two columns have the name {(twins or [':where'])[0]!r}")


def _problem(fields: Sequence[str], names: Sequence[str], form: TextFormat) -> str:
    if isinstance(fields, str):
        return fields
    if fields and len(fields) != len(names):
        other = "the header" if form.names is None else "columns"
        return f"it has {counted(len(fields), 'field')}, and {other} {len(names)}"
    if not is_decoded(fields):
        return (
            f"it is not {form.encoding}; say which by --option encoding=cp1252, or in the card"
        )
    return ""


def is_decoded(fields: Sequence[str]) -> bool:
    """Return True if all bytes of the fields could be decoded."""
    try:
        "".join(fields).encode()
    except UnicodeEncodeError:
        return False
    return True
