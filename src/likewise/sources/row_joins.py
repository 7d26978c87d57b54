"""Join the rows of a table with those of other tables by a key; nothing is lost silently."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from likewise.errors import DataError, bounded, hint
from likewise.formats.array_types import BoolArray
from likewise.formats.counted_nouns import counted
from likewise.sources.base import findings_about, findings_from_rows
from likewise.sources.delimited_text import FindingRow

_EXAMPLES = 3
_LEFT, _RIGHT = ":left", ":right"
"""Numbers of the rows that are joined; the right one is null if there is none."""


@dataclass
class JoinedTable:
    """A table that is joined, and what the joins have found so far.

    Attributes:
        where: its path.
        rows: columns of text, with ``:where``.
        on: columns of the rows so far -> columns of this table that must be equal.
        many: several of its rows with one key each become a row.
        partial: no finding is reported about rows without a match, here or in other tables.
        used: marks of the rows whose key a row had so far; None before the first join.
        conflicts: column -> places of rows that have another value of it.
        lacking: the columns of the key that the rows of each join lacked.
        seen: all columns that those rows had.
    """

    where: str
    rows: pl.DataFrame
    on: Mapping[str, str]
    many: bool
    partial: bool = False
    used: BoolArray | None = None
    conflicts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    lacking: list[list[str]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    @property
    def keys(self) -> list[str]:
        """The columns of this table that the key consists of."""
        return list(self.on.values())

    @property
    def given(self) -> list[str]:
        """The columns that the join adds or completes."""
        return [c for c in self.rows.columns if c != ":where" and c not in self.on.values()]

    def settle(self) -> pl.DataFrame:
        """Drop rows without a key, and later rows of one key; return findings about them.

        A later row that equals the first one in all columns is not reported.

        Raises:
            DataError: a column of the key is missing.
        """
        for name in self.keys:
            if name not in self.rows.columns:
                names = [c for c in self.rows.columns if not c.startswith(":")]
                raise DataError(f"{self.where}: on: no column {name!r}; {hint(name, names)}")
        has_key = pl.all_horizontal(pl.col(name).is_not_null() for name in self.keys)
        keyless = self.rows.filter(~has_key)
        self.rows = self.rows.filter(has_key) if len(keyless) else self.rows
        faults = [findings_about(keyless.select(path=":where"), "bad-row", "it has no key")]
        if not self.many:
            # A struct is encoded row by row, which takes more memory than one column.
            key = self.keys[0] if len(self.keys) == 1 else pl.struct(self.keys)
            is_first = self.rows.select(key).to_series().is_first_distinct()
            twins = self.rows.filter(~is_first)
            self.rows = self.rows.filter(is_first) if len(twins) else self.rows
            values = [name for name in self.rows.columns if name != ":where"]
            twins = twins.join(self.rows, on=values, how="anti", nulls_equal=True)
            detail = "a row before it has the same key; many: true reads both"
            faults.append(findings_about(twins.select(path=":where"), "twin", detail))
        return pl.concat(faults)

    def join(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Add the columns of this table to ``rows``, which keep their order.

        A column that both have is completed; rows that differ in it are remembered. ``:join``
        counts, per set of added columns, the tables that had a row.

        Args:
            rows: columns of text, with ``:where``; a missing column of the key counts as empty.
        """
        left = list(self.on)
        self.lacking.append([name for name in left if name not in rows.columns])
        self.seen |= {name for name in rows.columns if not name.startswith(":")}
        rows = rows.with_columns(pl.lit(None, pl.String).alias(c) for c in self.lacking[-1])
        height = rows.height
        numbers = _row_numbers(_columns(rows, left), _columns(self.rows, self.keys))
        right = numbers[_RIGHT]
        self.used = np.zeros(len(self.rows), bool) if self.used is None else self.used
        self.used[right.drop_nulls().to_numpy()] = True
        joined = rows if len(numbers) == height else rows[numbers[_LEFT]]
        if self.many and joined.height > height:
            place = self.rows[":where"][right]
            is_one = (pl.len().over(":where") > 1) & place.is_not_null()
            both = pl.when(is_one).then(pl.format("{} with {}", ":where", place))
            joined = joined.with_columns(both.otherwise(":where").alias(":where"))
        for name in self.given:
            values = self.rows[name][right]
            if name in rows.columns:
                differs = (joined[name] != values).fill_null(value=False)
                self.conflicts[name] += joined.filter(differs)[":where"].to_list()
                values = joined.select(pl.coalesce(name, values)).to_series()
            joined = joined.with_columns(values.alias(name))
        mark, hit = _mark(self.given), right.is_not_null()
        before = joined[mark] if mark in joined.columns else False
        return joined.with_columns((before | hit).alias(mark)).drop(self.lacking[-1])

    def findings(self) -> list[FindingRow]:
        """Return finding rows about rows of this table that no row matched, and conflicts.

        Raises:
            DataError: no table that it was joined with has a column of the key.
        """
        for name in self.on:
            if self.lacking and all(name in lacking for lacking in self.lacking):
                raise DataError(
                    f"no table has the column {name!r}, on which {self.where} is joined; "
                    f"{hint(name, self.seen)}"
                )
        rows: list[FindingRow] = []
        if self.used is not None and not self.used.all() and not self.partial:
            unused = _columns(self.rows.filter(~self.used), self.keys)
            number = len(unused)
            keys = unused.select(pl.concat_str(pl.all(), separator=" ")).to_series()
            detail = (
                f"{number:,} of {counted(len(self.rows), 'row', 'has', 'have')} a key that no "
                f"row has: {bounded(keys.head(_EXAMPLES), number, _EXAMPLES)}"
            )
            rows.append((self.where, "unjoined", detail))
        for name, places in self.conflicts.items():
            if places:
                detail = (
                    f"{counted(len(places), 'row', 'has', 'have')} another {name} in this "
                    "table; that of the table before it counts: "
                    f"{bounded(places, len(places), _EXAMPLES)}"
                )
                rows.append((f"{self.where}: {name}", "two-values", detail))
        return rows


def _columns(rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return the columns ``names``, renamed to their numbers; polars has patterns of names."""
    return pl.DataFrame([rows[name].alias(f"{n}") for n, name in enumerate(names)])


def _row_numbers(keys: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Return the numbers of the rows that have equal keys, in the order of ``keys``.

    A join of whole rows would copy all columns of millions of rows.
    """
    joined = keys.with_row_index(_LEFT).join(
        others.with_row_index(_RIGHT),
        on=keys.columns,
        how="left",
        maintain_order="left_right",
    )
    return joined.select(_LEFT, _RIGHT)


def _mark(given: Sequence[str]) -> str:
    """Return the column that marks rows with a match in a table of these columns."""
    return f":join {' '.join(sorted(given))}"


def join_all(
    rows: pl.DataFrame, tables: Sequence[JoinedTable], where: str
) -> tuple[pl.DataFrame, list[FindingRow]]:
    """Join ``rows`` of the table ``where`` with all ``tables``, in order.

    Tables that give the same columns, such as the lists of two splits, count as one: a row
    needs a match in one of them, unless it has values in these columns already.

    Returns:
        The joined rows; and finding rows about rows without a match.
    """
    groups: dict[str, list[JoinedTable]] = defaultdict(list)
    for table in tables:
        rows = table.join(rows)
        groups[_mark(table.given)].append(table)
    findings: list[FindingRow] = []
    for mark, members in groups.items():
        given = members[0].given
        if any(table.partial for table in members):
            continue
        is_empty = pl.any_horizontal(pl.col(name).is_null() for name in given)
        missing = rows.filter(~pl.col(mark) & (is_empty if given else True))
        if len(missing):
            names = " and ".join(table.where for table in members)
            examples = bounded(missing[":where"].head(_EXAMPLES), len(missing), _EXAMPLES)
            detail = (
                f"{len(missing):,} of {counted(len(rows), 'row', 'has', 'have')} no row in "
                f"{names}: {examples}"
            )
            findings.append((f"{where} with {names}", "unjoined", detail))
    return rows.drop(list(groups)), findings


def join_findings(tables: Sequence[JoinedTable]) -> pl.DataFrame:
    """Return the findings of all joins.

    Raises:
        DataError: no table that a table was joined with has a column of its key.
    """
    return findings_from_rows(row for table in tables for row in table.findings())
