"""Match vectors that were made elsewhere to the contents of a data set."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from likewise.errors import DataError, bounded
from likewise.formats.array_types import AnyArray, BoolArray, Int64Array
from likewise.formats.counted_nouns import counted
from likewise.formats.vector_files import VectorBlock

UNIT_TOLERANCE = {2: 2e-3, 4: 1e-5, 8: 1e-5}
"""Bytes per number of a file -> the deviation from length 1 up to which a vector is unchanged.

Other vectors are divided by their length. The values are the rounding errors of float16 and
float32, with a margin.
"""

_LISTED = 10
"""Number of ids that are kept for a message."""


@dataclass
class _Faulty:
    """Vectors with one fault: their number, and the first ids."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, ids: Iterable[str]) -> None:
        for item in ids:
            self.count += 1
            if len(self.first) < _LISTED:
                self.first.append(item)

    def __str__(self) -> str:
        return f"{counted(self.count, 'vector')} ({bounded(self.first, self.count)})"


class VectorMatcher:
    """Finds the key of each vector of a file: the content of its item, or the item itself.

    The memory is 34 bytes per item, apart from the ids.

    Attributes:
        findings: rows (check, path, detail) of what was left out.
        normalised: number of vectors that were divided by their length.
    """

    def __init__(self, items: pl.DataFrame, dtype: str, file: str) -> None:
        """Match vectors to items, in canonical order.

        Args:
            items: item_id and ``content`` of each item; items with equal values in the column
                ``content`` have one vector.
            dtype: type of the stored numbers: float32 or float16.
            file: the file of the vectors, for messages.
        """
        self._file = file
        self._ids = items["item_id"].to_frame().with_row_index("row")
        codes, self._contents = _codes(items["content"])
        self._code_of_row = codes
        self._dtype = np.dtype(dtype)
        self._item_hash = np.zeros(len(items), np.uint64)
        self._item_seen = np.zeros(len(items), np.bool_)
        self._content_hash = np.zeros(len(self._contents), np.uint64)
        self._first_row = np.full(len(self._contents), -1, np.int64)
        self._nan, self._zero, self._twice = _Faulty(), _Faulty(), _Faulty()
        self._read, self.dim, self.normalised = 0, 0, 0
        self.findings: list[tuple[str, str, str]] = []

    def match(self, blocks: Iterable[VectorBlock]) -> Iterator[tuple[list[str], AnyArray]]:
        """Yield contents and their vectors (n, d), L2-normalised, block by block.

        Raises:
            DataError: the vectors do not fit the items. It is raised at the end, with the
                number of all vectors that have a fault.
        """
        for block in blocks:
            rows = self._rows(block)
            known = np.flatnonzero(rows >= 0)
            vectors = self._checked(block.vectors, rows)[known]
            rows = rows[known]
            new = self._new_contents(rows, vectors)
            codes = self._code_of_row[rows[new]]
            yield self._contents.gather(codes).to_list(), vectors[new]
        self._refuse()

    def _rows(self, block: VectorBlock) -> Int64Array:
        """Return the row of each vector's item; -1 for unknown ids."""
        start, count = self._read, len(block.vectors)
        self._read += count
        if block.ids is None:
            rows = np.arange(start, start + count)
            return np.where(rows < len(self._ids), rows, -1)
        given = pl.DataFrame({"item_id": pl.Series(block.ids, dtype=pl.String)})
        joined = given.join(self._ids, on="item_id", how="left", maintain_order="left")
        rows = joined["row"].cast(pl.Int64).fill_null(-1).to_numpy()
        for item in given["item_id"].filter(pl.Series(rows < 0)):
            self.findings.append(
                ("unknown-item", item, "the data set has no item of this id; left out")
            )
        return rows

    def _checked(self, vectors: AnyArray, rows: Int64Array) -> AnyArray:
        """Return vectors of length 1 in the stored type, and record those with a fault."""
        if self.dim not in (0, vectors.shape[1]):
            raise DataError(
                f"{self._file}: the vectors differ in length: {self.dim:,} and "
                f"{counted(vectors.shape[1], 'number')}"
            )
        self.dim = vectors.shape[1]
        numbers = vectors.astype(np.float64)
        finite: BoolArray = np.asarray(np.isfinite(numbers).all(axis=1))
        numbers[~finite] = 0
        peaks = np.abs(numbers).max(axis=1)  # so that no square is too large or too small
        directions = numbers / np.where(peaks > 0, peaks, 1)[:, None]
        norms = np.linalg.norm(directions, axis=1)
        lengths = norms * np.minimum(peaks, 1e100)
        known = rows >= 0
        self._nan.add(self._names(rows[known & ~finite]))
        self._zero.add(self._names(rows[known & finite & (lengths == 0)]))
        tolerance = UNIT_TOLERANCE.get(vectors.dtype.itemsize, 0.0)
        scaled = finite & (lengths > 0) & (np.abs(lengths - 1) > tolerance)
        self.normalised += int((scaled & known).sum())
        numbers[scaled] = directions[scaled] / norms[scaled, None]
        return numbers.astype(self._dtype)

    def _new_contents(self, rows: Int64Array, vectors: AnyArray) -> BoolArray:
        """Return which vectors are the first of their content, and compare the others."""
        new = np.zeros(len(rows), np.bool_)
        for at, (row, vector) in enumerate(zip(rows.tolist(), vectors, strict=True)):
            digest = hashlib.blake2b(vector.tobytes(), digest_size=8).digest()
            value = np.frombuffer(digest, np.uint64)[0]
            if self._item_seen[row]:
                self._again(row, same=bool(self._item_hash[row] == value))
                continue
            self._item_seen[row], self._item_hash[row] = True, value
            code = self._code_of_row[row]
            if self._first_row[code] < 0:
                self._first_row[code], self._content_hash[code] = row, value
                new[at] = True
            elif self._content_hash[code] != value:
                self._differs(row, int(self._first_row[code]))
        return new

    def _again(self, row: int, *, same: bool) -> None:
        """Record a second vector of an item."""
        name = self._name(row)
        if same:
            self.findings.append(("repeated-vector", name, "its vector is in the file twice"))
        else:
            self._twice.add([name])

    def _differs(self, row: int, first: int) -> None:
        detail = (
            f"its pixels are those of {self._name(first)}, but not its vector; that of "
            f"{self._name(first)} is kept"
        )
        self.findings.append(("different-vectors", self._name(row), detail))

    def _name(self, row: int) -> str:
        return str(self._ids["item_id"][row])

    def _names(self, rows: Int64Array) -> Iterator[str]:
        return (self._name(row) for row in rows.tolist())

    def _refuse(self) -> None:
        """Refuse a file with faults.

        Raises:
            DataError: lists every fault.
        """
        faults = [
            f"{faulty} {what}"
            for faulty, what in (
                (self._nan, "with NaN or infinity"),
                (self._zero, "of zeros, without a direction"),
                (self._twice, "of an item that has another vector"),
            )
            if faulty.count
        ]
        lacking = np.flatnonzero(self._first_row[self._code_of_row] < 0)
        if len(self._ids) and not self._item_seen.any():
            faults.append(
                f"none of its {counted(self._read, 'id')} is an item of the data set"
                if self._read
                else "it has no vectors"
            )
        elif len(lacking):
            first = bounded(self._names(lacking[:_LISTED]), len(lacking))
            faults.append(f"{counted(len(lacking), 'item')} without a vector: {first}")
        if faults:
            raise DataError(f"{self._file}: {'; '.join(faults)}")

    def check_count(self) -> None:
        """Refuse a file without ids that has another number of vectors than there are items.

        Raises:
            DataError: the numbers differ.
        """
        if self._read != len(self._ids):
            raise DataError(
                f"{self._file}: has {counted(self._read, 'vector')}, and the data set "
                f"{counted(len(self._ids), 'item')}; name a file of the ids of the vectors: "
                "--ids FILE"
            )


def _codes(contents: pl.Series) -> tuple[Int64Array, pl.Series]:
    """Return the number of each content, and the distinct contents in order of their number."""
    distinct = contents.unique().sort()
    table = pl.DataFrame({"content": distinct}).with_row_index("code")
    codes = contents.to_frame("content").join(
        table, on="content", how="left", maintain_order="left"
    )["code"]
    return codes.cast(pl.Int64).to_numpy(), distinct
