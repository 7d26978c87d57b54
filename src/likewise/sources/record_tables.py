"""Tables of records: lists of JSON, lines of JSON, and elements of XML."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from likewise.errors import DamagedError, DataError, bounded, hint
from likewise.formats.counted_nouns import counted
from likewise.formats.json_documents import parse_json
from likewise.sources.delimited_text import FindingRow, check_names, is_decoded
from likewise.sources.option_values import as_text
from likewise.sources.xml_records import xml_records

SUFFIXES = (".json", ".jsonl", ".ndjson", ".xml")
"""Suffixes of the files that ``read_records`` reads, in lower case."""

_MIN_COLUMNS, _MAX_COLUMNS, _MAX_CELLS = 100, 1_000, 20_000_000
"""Limits of a table, because records that share no name have many empty cells."""

_WHOLE = "."
"""Path of the whole document."""

_MAX_GROWTH, _MIN_LIMIT = 8, 1 << 20
"""Maximum characters of outer records that inner ones repeat, for each byte of the file."""

_KEY, _VALUE = "key", "value"
"""Columns of an object whose members are records: the name and the plain value of a member."""

Record = dict[str, str | None]


def read_records(
    where: str,
    data: bytes,
    path: str,
    columns: Sequence[str] | Mapping[str, str] | None,
    form: str = "",
) -> tuple[pl.DataFrame, list[FindingRow]]:
    """Read the records of a file as columns of text, with ``:where`` (number of the record).

    An object of a JSON list is a record, and its members are columns; a list in a list has the
    columns ``column 1``, ``column 2``; a plain value is ``column 1``. In an object of objects,
    the names are the column ``key``. For XML see ``xml_records``. Lists and objects in a record
    become JSON. A record of another form than the first one is a finding.

    A path may lead through lists: the records of ``images.sentences`` are the sentences of all
    images, and each has the values of its image under names that it does not have itself.

    Args:
        where: path of the file, for messages.
        data: contents of the file.
        path: names that lead to the list in JSON, separated by dots, and "." for the whole
            document; name of the element in XML; "" for the only one.
        columns: names of the columns that are read; or name in the file -> name.
        form: format, one of ``SUFFIXES``; by default the suffix of ``where``.

    Raises:
        DamagedError: the file is not JSON or XML.
        DataError: it has no records at ``path``, or no record has one of the columns.
    """
    findings: list[FindingRow] = []
    kind = (form or where.lower()).rpartition(".")[2]
    if kind == "xml":
        records = _numbered(where, "element", xml_records(where, data, path))
    elif kind == "json":
        records = _numbered(where, "entry", _members(where, data, path))
    else:
        records = _lines(where, data, findings)
    rows: list[Record] = []
    places: list[str] = []
    first: type | None = None
    for place, value in records:
        first = first or _form(value)
        row = _row(value)
        if _form(value) is not first:
            detail = f"it is {_TITLES[_form(value)]}, and the first record is {_TITLES[first]}"
            findings.append((place, "bad-row", detail))
        elif not is_decoded([*row, *(text for text in row.values() if text)]):
            findings.append((place, "bad-row", "a text in it is not Unicode"))
        else:
            rows.append(row)
            places.append(place)
    names = _names(where, rows, columns, findings)
    kept = names.values()
    check_names(where, list(kept))
    values = {new: [row.get(old) for row in rows] for old, new in names.items()}
    schema = dict.fromkeys((*kept, ":where"), pl.String)
    return pl.DataFrame({**values, ":where": places}, schema), findings


_TITLES: dict[type, str] = {dict: "an object", list: "a list", str: "a value"}


def _form(value: Any) -> type:
    return type(value) if isinstance(value, dict | list) else str


def _numbered(where: str, kind: str, values: Iterator[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"{where}: {kind} {n:,}", value) for n, value in enumerate(values, start=1))


def _lines(where: str, data: bytes, findings: list[FindingRow]) -> Iterator[tuple[str, Any]]:
    """Yield the document of each line; a line that is not JSON is a finding."""
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if line.strip():
            place = f"{where}: line {number:,}"
            try:
                yield place, parse_json(line, "it")
            except DamagedError as error:
                findings.append((place, "bad-row", str(error)))


def _members(where: str, data: bytes, path: str) -> Iterator[Any]:
    """Yield the records of a JSON document.

    Raises:
        DamagedError: it is not JSON.
        DataError: there is no list or object at ``path``, or several without a path.
    """
    value = parse_json(data, where)
    if not path:
        value = _only_list(where, value)
    elif path != _WHOLE:
        names = path.split(".")
        value, rest = _at(where, value, names)
        if rest:
            yield from _inner(
                where, value, rest, {}, _Budget(_MIN_LIMIT + _MAX_GROWTH * len(data))
            )
            return
    if isinstance(value, dict):
        for name, part in value.items():
            yield {_KEY: name, **(part if isinstance(part, dict) else {_VALUE: part})}
    elif isinstance(value, list):
        yield from value
    else:
        raise DataError(f"{where}: records: a list or an object is expected, not {value!r:.60}")


def _at(where: str, value: Any, names: list[str]) -> tuple[Any, list[str]]:
    """Return the value that ``names`` lead to, or the first list, and the names after it."""
    for number, name in enumerate(names):
        if isinstance(value, list):
            return value, names[number:]
        if not isinstance(value, dict) or name not in value:
            known = list(value) if isinstance(value, dict) else []
            raise DataError(f"{where}: records: no {name!r}; {hint(name, known)}")
        value = value[name]
    return value, []


class _Budget:
    """Number of characters of outer records that inner ones may repeat."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    def spend(self, where: str, outer: Record) -> None:
        """Count the texts of an outer record.

        Raises:
            DamagedError: the limit is exceeded.
        """
        self._left -= sum(len(text) for text in outer.values() if text)
        if self._left < 0:
            raise DamagedError(
                f"{where}: its records repeat the values of the records around them too often"
            )


def _inner(
    where: str, records: list[Any], names: list[str], outer: Record, budget: _Budget
) -> Iterator[Any]:
    """Yield the records in ``records`` that ``names`` lead to, with the values around them.

    Raises:
        DataError: no record has the list.
    """
    lists = 0
    for record in records:
        value, rest = record, names
        around = dict(outer)
        while rest and isinstance(value, dict):
            name, *rest = rest
            around |= {key: _text(part) for key, part in value.items() if key != name}
            value = value.get(name)
        if not isinstance(value, list):
            continue
        lists += 1
        if rest:
            yield from _inner(where, value, rest, around, budget)
            continue
        for part in value:
            budget.spend(where, around)
            yield {**around, **part} if isinstance(part, dict) else {**around, _VALUE: part}
    if not lists:
        raise DataError(f"{where}: records: no {'.'.join(names)!r} that is a list in a record")


def _only_list(where: str, value: Any) -> Any:
    """Return the only list in an object that has other values; any other value unchanged."""
    if not isinstance(value, dict):
        return value
    lists = [name for name, part in value.items() if isinstance(part, list)]
    if len(lists) > 1:
        raise DataError(
            f"{where}: say which list has the records (records: ...): "
            f"{bounded(lists, len(lists))}; {_WHOLE} means the object, whose names are a column"
        )
    return value[lists[0]] if lists else value


def _row(value: Any) -> Record:
    """Return the columns of a record as text."""
    if isinstance(value, dict):
        return {name: _text(part) for name, part in value.items()}
    cells = value if isinstance(value, list) else [value]
    return {f"column {number}": _text(cell) for number, cell in enumerate(cells, start=1)}


def _text(value: Any) -> str | None:
    """Return a value as text; null and empty texts become null, lists and objects JSON."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    text = as_text(value)
    return (text.strip() or None) if isinstance(text, str) else None


def _names(
    where: str,
    rows: Sequence[Record],
    columns: Sequence[str] | Mapping[str, str] | None,
    findings: list[FindingRow],
) -> dict[str, str]:
    """Return the columns that are read: name in the file -> name."""
    counts = Counter(name for row in rows for name in row)
    for name in columns or ():
        if rows and name not in counts:
            raise DataError(f"{where}: columns: no column {name!r}; {hint(name, counts)}")
    if columns is not None and not isinstance(columns, Mapping):
        return {name: name for name in columns}
    most = min(_MAX_COLUMNS, max(_MIN_COLUMNS, _MAX_CELLS // max(len(rows), 1)))
    if len(counts) > most:
        detail = f"{counted(len(counts), 'name')}; only the first {most:,} are columns"
        findings.append((where, "odd-key", detail))
    chosen = columns or {}
    return {name: chosen.get(name, name) for name in list(counts)[:most]}
