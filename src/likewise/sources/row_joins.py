"""Join the rows of a table with those of other tables by a key; nothing is lost silently."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from likewise.errors import DataError, bounded, hint
from likewise.sources.base import findings_about, findings_from_rows
from likewise.sources.delimited_text import FindingRow

_EXAMPLES = 3
_PLACE = ":new:where"
"""Place of the row that was joined; null if there is none."""


@dataclass
class JoinedTable:
    """A table that is joined, and what the joins have found so far.

    Attributes:
        where: its path.
        rows: columns of text, with ``:where``.
        on: columns of the rows so far -> columns of this table that must be equal.
        many: several of its rows with one key each become a row.
        partial: no finding is reported about rows without a match, here or in other tables.
        unused: the keys that no row had so far; None before the first join.
        conflicts: column -> places of rows that have another value of it.
        lacking: the columns of the key that the rows of each join lacked.
        seen: all columns that those rows had.
    """

    where: str
    rows: pl.DataFrame
    on: Mapping[str, str]
    many: bool
    partial: bool = False
    unused: pl.DataFrame | None = None
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

        Raises:
            DataError: a column of the key is missing.
        """
        for name in self.keys:
            if name not in self.rows.columns:
                names = [c for c in self.rows.columns if not c.startswith(":")]
                raise DataError(f"{self.where}: on: no column {name!r}; {hint(name, names)}")
        has_key = pl.all_horizontal(pl.col(name).is_not_null() for name in self.keys)
        keyless = self.rows.filter(~has_key)
        self.rows = self.rows.filter(has_key)
        faults = [findings_about(keyless.select(path=":where"), "bad-row", "it has no key")]
        if not self.many:
            is_first = pl.struct(self.keys).is_first_distinct()
            twins = self.rows.filter(~is_first)
            self.rows = self.rows.filter(is_first)
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
        unused = self.rows.select(self.keys) if self.unused is None else self.unused
        self.unused = unused.join(
            rows.select(left), left_on=self.keys, right_on=left, how="anti"
        )
        place = pl.col(":where") if self.many else pl.lit("")
        new = [pl.col(c).alias(f":new:{c}") for c in self.given]
        other = self.rows.select(*self.keys, *new, place.alias(_PLACE))
        joined = rows.join(
            other, left_on=left, right_on=self.keys, how="left", maintain_order="left_right"
        )
        if self.many and joined.height > rows.height:
            is_one = (pl.len().over(":where") > 1) & pl.col(_PLACE).is_not_null()
            both = pl.when(is_one).then(pl.format("{} with {}", ":where", _PLACE))
            joined = joined.with_columns(both.otherwise(":where").alias(":where"))
        for name in self.given:
            if name not in rows.columns:
                joined = joined.rename({f":new:{name}": name})
                continue
            differs = (joined[name] != joined[f":new:{name}"]).fill_null(value=False)
            self.conflicts[name] += joined.filter(differs)[":where"].to_list()
            joined = joined.with_columns(pl.coalesce(name, f":new:{name}").alias(name))
            joined = joined.drop(f":new:{name}")
        mark = _mark(self.given)
        hit = pl.col(_PLACE).is_not_null()
        before = pl.col(mark) if mark in joined.columns else pl.lit(value=False)
        joined = joined.with_columns((before | hit).alias(mark))
        return joined.drop(_PLACE, *self.lacking[-1])

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
        if self.unused is not None and len(self.unused) and not self.partial:
            number = len(self.unused)
            keys = self.unused.select(pl.concat_str(self.keys, separator=" ")).to_series()
            detail = (
                f"{number:,} of {len(self.rows):,} rows have a key that no row has: "
                f"{bounded(keys.head(_EXAMPLES), number, _EXAMPLES)}"
            )
            rows.append((self.where, "unjoined", detail))
        for name, places in self.conflicts.items():
            if places:
                detail = (
                    f"{len(places):,} rows have another {name} in this table; that of the "
                    f"table before it counts: {bounded(places, len(places), _EXAMPLES)}"
                )
                rows.append((f"{self.where}: {name}", "two-values", detail))
        return rows


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
                f"{len(missing):,} of {len(rows):,} rows have no row in {names}: {examples}"
            )
            findings.append((f"{where} with {names}", "unjoined", detail))
    return rows.drop(list(groups)), findings


def join_findings(tables: Sequence[JoinedTable]) -> pl.DataFrame:
    """Return the findings of all joins.

    Raises:
        DataError: no table that a table was joined with has a column of its key.
    """
    return findings_from_rows(row for table in tables for row in table.findings())
