"""Values of table columns: mapped by options, labels in columns of 0 and 1, lists."""

import re
from collections.abc import Collection, Mapping, Sequence

import polars as pl

from likewise.errors import DataError, bounded, hint
from likewise.formats.counted_nouns import counted
from likewise.sources.column_kinds import COLUMN_NAMES, column_of
from likewise.sources.delimited_text import FindingRow

LABELS = "labels"
"""Column with the labels of an item, if it may have several."""

_YES, _NO = ("1", "1.0", "true", "yes"), ("0", "0.0", "-1", "-1.0", "false", "no", "")
_EXAMPLES = 3
_RANGE = re.compile(r"([0-9]{1,18})\.\.([0-9]{1,18})")
"""A range of numbers, both ends included, as a key of ``values``."""

_MOST_NAMES = 8

Values = Mapping[str, Mapping[str, str | None]]
"""Column (its name, or its kind) -> value -> another value."""


def map_values(
    table: pl.DataFrame, values: Values, where: str
) -> tuple[pl.DataFrame, list[FindingRow]]:
    """Replace the values of columns; a code without a replacement stays, with a finding.

    Args:
        table: columns of a table.
        values: see ``Values``; columns that the table lacks are passed over.
        where: path of the table.
    """
    findings: list[FindingRow] = []
    for name, mapping in values.items():
        if name not in table.columns or table.schema[name].is_nested():
            continue
        given = table[name].cast(pl.String)
        in_ranges, covered = _in_ranges(given, mapping)
        known = [*mapping, *_targets(mapping)]
        others = given.filter(~given.is_in(known) & ~covered).drop_nulls()
        others = others.filter(_like_keys(others, mapping))
        replaced = in_ranges.replace_strict(
            list(mapping), list(mapping.values()), default=in_ranges, return_dtype=pl.String
        )
        replaced = replaced.zip_with(~covered, in_ranges)
        if len(others) and _targets(mapping):
            examples = others.unique(maintain_order=True)
            detail = (
                f"{counted(len(others), 'row', 'has', 'have')} values that the option values "
                f"lacks; they stay: {bounded(examples, len(examples), _EXAMPLES)}"
            )
            findings.append((f"{where}: {name}", "unmapped-value", detail))
        table = table.with_columns(replaced.alias(name))
    return table, findings


def _in_ranges(
    values: pl.Series, mapping: Mapping[str, str | None]
) -> tuple[pl.Series, pl.Series]:
    """Replace the numbers that ranges such as ``1..98`` have; return which these are, too.

    Values that are keys themselves stay.
    """
    covered = pl.Series([False]).new_from_index(0, len(values))
    number = values.str.strip_chars().cast(pl.Int64, strict=False)
    others = ~values.is_in(list(mapping)).fill_null(value=False)
    for key, value in mapping.items():
        if match := _RANGE.fullmatch(key):
            inside = number.is_between(int(match[1]), int(match[2])).fill_null(value=False)
            inside &= others & ~covered
            values = values.zip_with(~inside, pl.Series([value], dtype=pl.String))
            covered |= inside
    return values, covered


def _targets(mapping: Mapping[str, str | None]) -> list[str]:
    return [value for value in mapping.values() if value is not None]


def _like_keys(values: pl.Series, mapping: Mapping[str, str | None]) -> pl.Series:
    """Return which of ``values`` are numbers, if all keys of ``mapping`` are numbers."""
    number = r"\A-?[0-9]+\z"
    are_numbers = all(re.fullmatch(r"-?[0-9]+(\.\.[0-9]+)?", key) for key in mapping)
    return values.str.contains(number) & are_numbers


def check_value_columns(values: Values, names: Collection[str]) -> None:
    """Refuse an option ``values`` that names a column of no table.

    Raises:
        DataError: no table has the column.
    """
    for name in values:
        if name not in COLUMN_NAMES and name not in names:
            visible = [n for n in names if not n.startswith(":")]
            raise DataError(f"values: no column {name!r}; {hint(name, visible)}")


def labels_from_columns(
    table: pl.DataFrame,
    wanted: Sequence[str],
    options: Mapping[str, str],
    where: str,
    elsewhere: Collection[str] = (),
) -> tuple[pl.DataFrame, list[FindingRow]]:
    """Return ``table`` with the list ``labels`` in place of the columns of 0 and 1.

    A row with one label has it as its ``label`` too, if the table has no other label.

    Args:
        table: columns of a table, with ``:where``.
        wanted: names of columns; ``*`` matches any part of a name, but only columns of 0 and 1.
        options: kind -> column that the user chose.
        where: path of the table.
        elsewhere: columns of all tables; those that only others have are passed over.

    Raises:
        DataError: no column has one of the names.
    """
    columns = [
        name
        for pattern in wanted
        if pattern in table.columns or pattern not in elsewhere
        for name in _matching(table, pattern, where)
    ]
    columns = list(dict.fromkeys(columns))
    if not columns:
        return table, []
    texts = [table[name].cast(pl.String).str.to_lowercase() for name in columns]
    hits = [text.is_in(_YES).fill_null(value=False) for text in texts]
    findings: list[FindingRow] = []
    for name, text in zip(columns, texts, strict=True):
        odd = ~text.is_in([*_YES, *_NO]) & text.is_not_null()
        for place, value in zip(table[":where"].filter(odd), text.filter(odd), strict=True):
            detail = f"its {name!r} is {value!r}, not 0 or 1; it is read as 0"
            findings.append((f"{place}: {name}", "bad-value", detail))
    chosen = pl.concat_list(
        pl.when(pl.lit(hit)).then(pl.lit(name)) for name, hit in zip(columns, hits, strict=True)
    ).list.drop_nulls()
    rest = table.drop(columns)
    result = rest.with_columns(rest.select(chosen.alias(LABELS)).to_series())
    if not column_of("label", options, rest.columns):
        result, several = _with_only_label(result, where)
        findings += several
    return result, findings


def labels_from_list(
    table: pl.DataFrame, column: str, where: str
) -> tuple[pl.DataFrame, list[FindingRow]]:
    """Return ``table`` with the lists of labels in ``column`` as the column ``labels``.

    A row with one label has it as its ``label``.
    """
    others = [name for name in table.columns if name not in (column, "label", LABELS)]
    return _with_only_label(table.select(*others, table[column].alias(LABELS)), where)


def _with_only_label(table: pl.DataFrame, where: str) -> tuple[pl.DataFrame, list[FindingRow]]:
    """Add the ``label`` of rows with one label, and report how many have several."""
    count = pl.col(LABELS).list.len()
    only = pl.when(count == 1).then(pl.col(LABELS).list.first())
    several = table.filter(count > 1)
    detail = (
        f"{len(several):,} of {counted(len(table), 'row', 'has', 'have')} several labels; "
        "they are in the column labels, and the column label is empty there"
    )
    findings = [(where, "several-labels", detail)] if len(several) else []
    return table.with_columns(label=only), findings


def _matching(table: pl.DataFrame, pattern: str, where: str) -> list[str]:
    names = [name for name in table.columns if not name.startswith(":")]
    if pattern in names:
        return [pattern]
    # Not by Python's engine, whose time grows with the number of "*" as an exponent.
    form = rf"(?s)\A{re.escape(pattern)}\z".replace(r"\*", ".*")
    like = pl.Series(names, dtype=pl.String).str.contains(form).to_list()
    hits = [name for name, hit in zip(names, like, strict=True) if hit and "*" in pattern]
    hits = [name for name in hits if _is_binary(table[name])]
    if not hits:
        kind = " of 0 and 1" if "*" in pattern else ""
        raise DataError(f"{where}: labels: no column{kind} {pattern!r}; {hint(pattern, names)}")
    return hits


def _is_binary(values: pl.Series) -> bool:
    if values.dtype.is_nested():
        return False
    filled = values.drop_nulls().cast(pl.String).str.to_lowercase()
    return not filled.is_empty() and filled.is_in([*_YES, *_NO]).all()


def check_single_values(table: pl.DataFrame, columns: Mapping[str, str], where: str) -> None:
    """Refuse lists in columns that have one value per row.

    Raises:
        DataError: a column of a kind has lists.
    """
    for kind, column in columns.items():
        if column and table.schema[column].is_nested():
            raise DataError(
                f"{where}: lists: {column!r} is read as {kind}, which is one value; a table "
                f"with explode: {column} has a row per element"
            )


def unread_label_findings(table: pl.DataFrame, where: str) -> list[FindingRow]:
    """Return a finding if a table without labels has several columns of 0 and 1."""
    names = [n for n in table.columns if not n.startswith(":") and _is_binary(table[n])]
    if len(names) < 2 or len(table) < 2:
        return []
    stated = "*" if len(names) > _MOST_NAMES else " ".join(names)
    detail = (
        f"no column of labels; {counted(len(names), 'column', 'has', 'have')} only 0 and 1: "
        f"{bounded(names, len(names), _EXAMPLES)}; --option labels={stated!r} reads them as "
        "labels"
    )
    return [(where, "unread-labels", detail)]
