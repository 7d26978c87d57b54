"""Small CSV files that people edit and git merges row by row."""

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar

from likewise.errors import DataError
from likewise.formats import atomic
from likewise.formats.document_limits import size_fault

MOST_BYTES = 64 << 20
"""Bytes of a file; a million rows of ordinary ids have fewer."""

_KEPT_FILES, _KEPT_BYTES = 4, 4 << 20
"""Number and size of the files whose rows are kept."""

_kept: dict[Path, tuple[bytes, Mapping[Any, Any]]] = {}
"""Files that this process has written -> their bytes and rows, which the next change reads."""

_lock = Lock()

_MARKER = re.compile(r"[<>]{7} .*|={7}")
"""A line that git puts around the two sides of a conflict."""

K = TypeVar("K", bound=tuple[str, ...])
V = TypeVar("V", bound=tuple[str | None, ...])


def _any_row(key: tuple[str, ...], value: tuple[str | None, ...]) -> str:
    """Return "": no row has a fault."""
    del key, value
    return ""


def _equal(one: object, other: object) -> bool:
    return one == other


@dataclass(frozen=True)
class KeyedText(Generic[K, V]):
    """The format of a file: a line of names, then one row per key, sorted by key.

    Equal rows have equal texts. An empty cell of a value is None.

    Attributes:
        head: the names of all columns; those of the key come first.
        key: makes the key of its cells.
        value: makes the value of its cells, and None for empty ones.
        keys: the number of columns of the key.
        describe: returns the name of a key, for messages.
        fault: returns the fault of a row, or "".
        same: returns True if a merge takes two values for equal.
    """

    head: tuple[str, ...]
    key: Callable[..., K]
    value: Callable[..., V]
    keys: int
    describe: Callable[[K], str]
    fault: Callable[[K, V], str] = _any_row
    same: Callable[[V, V], bool] = _equal

    def read(self, path: Path) -> dict[K, V]:
        """Read the rows of ``path``; none if there is no file.

        Raises:
            DataError: the file has another format, or is too large; the line is named.
        """
        if not path.is_file():
            return {}
        where = f"{path.parent.name}/{path.name}"
        try:
            if too_large := size_fault(path.stat().st_size, MOST_BYTES):
                raise DataError(f"{where}: {too_large}; restore the file: git restore")
            data = path.read_bytes()
            known, rows = _kept.get(path, (b"", {}))
            return dict(rows) if data == known else self.parse(data.decode(), where)
        except UnicodeDecodeError as error:
            raise DataError(f"{path.name} is not UTF-8: {error}") from error
        except OSError as error:
            raise DataError(f"{where} cannot be read: {error.strerror}") from error

    def parse(self, text: str, where: str) -> dict[K, V]:
        """Parse the rows of ``text``; errors name the file ``where``.

        Raises:
            DataError: wrong format, or two rows of one key; the line is named.
        """
        rows: dict[K, V] = {}
        width, keys = len(self.head), self.keys
        try:
            for number, row in enumerate(csv.reader(StringIO(text), strict=True), 1):
                if number == 1 or not row:
                    if number == 1 and tuple(row) != self.head:
                        raise DataError(f"{where}: its first line is not {','.join(self.head)}")
                    continue
                if len(row) != width or _MARKER.fullmatch(row[0]):
                    markers = "; git's markers of a conflict?" if row[0][:1] in "<=>" else ""
                    fields = f"{width} field" + "s" * (width > 1)
                    raise DataError(f"{where}: line {number} does not have {fields}{markers}")
                key = self.key(*row[:keys])
                value = self.value(*(cell or None for cell in row[keys:]))
                if key in rows:
                    raise DataError(f"{where}: line {number}: {self.describe(key)} is repeated")
                if fault := self.fault(key, value):
                    raise DataError(f"{where}: line {number}: {fault}")
                rows[key] = value
        except csv.Error as error:
            raise DataError(f"{where}: not a CSV file: {error}") from error
        return rows

    def text(self, rows: Mapping[K, V]) -> str:
        """Return the text of the file, sorted by key."""
        out = StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.head)
        writer.writerows(
            (*key, *(cell or "" for cell in value)) for key, value in sorted(rows.items())
        )
        return out.getvalue()

    def write(self, path: Path, rows: Mapping[K, V]) -> None:
        """Write the file atomically.

        Raises:
            DataError: the file cannot be written, or would be too large to read.
        """
        data = self.text(rows).encode()
        if too_large := size_fault(len(data), MOST_BYTES):
            raise DataError(f"{path.parent.name}/{path.name} would have {too_large}")
        atomic.write_bytes(path, data)
        with _lock:
            _kept.pop(path, None)
            if len(data) <= _KEPT_BYTES and not any("" in value for value in rows.values()):
                _kept[path] = data, dict(rows)
            if len(_kept) > _KEPT_FILES:
                del _kept[next(iter(_kept))]

    def merge(
        self, base: Mapping[K, V], ours: Mapping[K, V], theirs: Mapping[K, V]
    ) -> tuple[dict[K, V], dict[K, tuple[V | None, V | None]]]:
        """Merge the changes of both sides since ``base``.

        Returns:
            The merged rows, and the conflicts: our value and theirs of the keys that both sides
            changed differently. The merged rows contain our side of a conflict.
        """
        merged: dict[K, V] = {}
        conflicts: dict[K, tuple[V | None, V | None]] = {}
        for key in {**base, **ours, **theirs}:
            was, mine, other = base.get(key), ours.get(key), theirs.get(key)
            chosen = mine
            if self._alike(mine, was):
                chosen = other
            elif not self._alike(other, was) and not self._alike(mine, other):
                conflicts[key] = (mine, other)
            if chosen is not None:
                merged[key] = chosen
        return merged, dict(sorted(conflicts.items(), key=lambda pair: pair[0]))

    def _alike(self, one: V | None, other: V | None) -> bool:
        if one is None or other is None:
            return one is other
        return self.same(one, other)
