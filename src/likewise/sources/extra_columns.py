"""Additional columns of a user's table: field names and inferred types."""

import unicodedata
from collections.abc import Collection, Mapping

import polars as pl
import pyarrow as pa

from likewise.errors import DataError, bounded, hint
from likewise.storage.schema import IMAGES, PUBLISHED, Column

PREFIX = "extra:"
"""Prefix of extra columns until all rows are joined, so that no other column has their name."""

RESERVED = frozenset((*PUBLISHED.names(), *IMAGES.names(), "x1", "y1", "x2", "y2"))
"""Names of columns in every catalogue, and of corners in exports."""

LICENCE = f"{PREFIX}licence"
"""The extra column with the licence of each image, which exports read."""


def type_extra_columns(
    rows: pl.DataFrame,
    renamed: Mapping[str, str],
    prefixed: Collection[str],
    options: Collection[str],
) -> tuple[pl.DataFrame, tuple[Column, ...]]:
    """Give the columns named ``extra:...`` a field name and a type.

    Args:
        rows: rows of all tables.
        renamed: column -> name chosen by the user.
        prefixed: reserved names that get the prefix ``given_`` instead of an error.
        options: options of the source with the name of a column.

    Returns:
        The other columns of ``rows``, then the typed ones as ``extra:FIELD``; and a description
        of each of those, with the name FIELD.

    Raises:
        DataError: a column has a reserved name, or ``renamed`` names no column.
    """
    extra = [name for name in rows.columns if name.startswith(PREFIX)]
    given = [name.removeprefix(PREFIX) for name in extra]
    fields = _field_names(given, renamed, prefixed, options)
    columns, values = [], []
    for name, field in zip(given, fields, strict=True):
        given_values = rows[f"{PREFIX}{name}"]
        is_text = f"{PREFIX}{field}" == LICENCE
        series = given_values.cast(pl.String) if is_text else infer_type(given_values)
        series = series.alias(f"{PREFIX}{field}")
        values.append(series)
        meaning = f"the table's column {name!r}"
        columns.append(Column(field, _ARROW_TYPES[series.dtype], meaning, nullable=True))
    return rows.drop(extra).with_columns(values), tuple(columns)


def with_field_names(items: pl.DataFrame, columns: Collection[Column]) -> pl.DataFrame:
    """Return the columns of items that contracts define, and ``columns`` by their own names."""
    known = [name for name in items.columns if name in RESERVED]
    return items.select(*known, *(pl.col(f"{PREFIX}{c.name}").alias(c.name) for c in columns))


def _field_names(
    names: list[str],
    renamed: Mapping[str, str],
    prefixed: Collection[str],
    options: Collection[str],
) -> list[str]:
    for name in renamed:
        if name not in names:
            raise DataError(f"rename: no extra column {name!r}; {hint(name, names)}")
    fields: list[str] = []
    clashes = []
    for name in names:
        spelling = renamed.get(name, name)
        # Exports read the column licence; American spelling is accepted.
        spelling = "licence" if spelling.strip().lower() == "license" else spelling
        field = field_name(spelling)
        if field in RESERVED and field in prefixed and name not in renamed:
            field = f"given_{field}"
        if field in RESERVED:
            clashes.append(_clash(name, field, options))
        fields.append(_unique(field, fields))
    if clashes:
        raise DataError(bounded(clashes, len(clashes)))
    return fields


def _clash(name: str, field: str, options: Collection[str]) -> str:
    option = {"image_id": "image"}.get(field, field)
    use = f"--option '{option}={name}' to use it as that, or " if option in options else ""
    other = f'--option \'rename={{"{name}": "NEW_NAME"}}\''
    return (
        f"the column {name!r} of the table has the name of the column {field!r} of every "
        f"catalogue; set {use}{other} to keep it under another name (in the card: the same "
        "under source)"
    )


def field_name(name: str) -> str:
    """Reduce ``name`` to lower-case letters of any language, digits and '_'; a letter first."""
    lower = unicodedata.normalize("NFC", name.lower())
    kept = "".join(c if _is_word(c) else " " for c in lower)
    plain = "_".join(kept.replace("_", " ").split()) or "column"
    return plain if plain[0].isalpha() else f"given_{plain}"


def _is_word(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LM" or category == "Nd" or character == "_"


def _unique(name: str, taken: Collection[str]) -> str:
    number = 2
    field = name
    while field in taken:
        field, number = f"{name}_{number}", number + 1
    return field


_ARROW_TYPES: dict[object, pa.DataType] = {
    pl.String: pa.string(),
    pl.Int64: pa.int64(),
    pl.Float64: pa.float64(),
    pl.Boolean: pa.bool_(),
    pl.List(pl.String): pa.list_(pa.string()),
}


def infer_type(values: pl.Series) -> pl.Series:
    """Cast ``values`` to Int64, Float64 or Boolean if all fit, else to String.

    Text such as "007" and integers beyond 18 digits stay text.
    """
    if values.dtype.is_integer():
        # Integers beyond 63 bits, such as perceptual hashes, are kept as text.
        whole = values.cast(pl.Int64, strict=False)
        return whole if whole.null_count() == values.null_count() else values.cast(pl.String)
    if values.dtype.is_float():
        return values.cast(pl.Float64)
    if values.dtype in (pl.Boolean, pl.List(pl.String)):
        return values
    texts = values.cast(pl.String)
    filled = texts.drop_nulls()
    fitting = (dtype for dtype, form in _FORMS.items() if filled.str.contains(form).all())
    dtype = next(fitting, None)
    if dtype is None or filled.is_empty():
        return texts
    return texts.str.to_lowercase() == "true" if dtype == pl.Boolean else texts.cast(dtype)


_FORMS: dict[type[pl.DataType], str] = {
    pl.Int64: r"\A(?:0|-?[1-9][0-9]{0,17})\z",
    pl.Float64: (r"\A-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?\z"),
    pl.Boolean: r"(?i)\A(?:true|false)\z",
}
"""Type -> regular expression that all of its values match as text."""
