"""Types of options that name columns and their values."""

from collections.abc import Mapping
from typing import Annotated, Any

import polars as pl
from pydantic import BeforeValidator


def as_text(value: Any) -> Any:
    """Return a plain value of YAML as the text that a table has; other values unchanged.

    Example:
        >>> as_text(1), as_text(True), as_text("a"), as_text(None)
        ('1', 'true', 'a', None)
    """
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def texts_of(value: Any) -> Any:
    """Return a mapping with keys and values as texts."""
    if not isinstance(value, Mapping):
        return value
    return {as_text(key): as_text(item) for key, item in value.items()}


def keys_of(value: Any) -> Any:
    """Return ``id`` as {id: id}, and ``class_id=id`` as {class_id: id}; several by blanks."""
    if not isinstance(value, str):
        return value
    pairs = (word.partition("=") for word in value.replace(",", " ").split())
    return {left: right or left for left, _, right in pairs}


def words_of(value: Any) -> Any:
    """Return ``"a b"`` as ["a", "b"]."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


def pairs_of(value: Any) -> Any:
    """Return ``"split=train role="`` as {"split": "train", "role": None}; a mapping as texts.

    Example:
        >>> pairs_of("split=train role=")
        {'split': 'train', 'role': None}
    """
    if isinstance(value, str):
        pairs = (word.partition("=") for word in value.split())
        return {key: text or None for key, _, text in pairs}
    return texts_of(value)


def nested_pairs_of(value: Any) -> Any:
    """Return ``"split: 1=train 0=test; label: -1="`` as a mapping of mappings of texts.

    Example:
        >>> nested_pairs_of("split: 1=train 0=test; label: -1=")
        {'split': {'1': 'train', '0': 'test'}, 'label': {'-1': None}}
        >>> nested_pairs_of({"split": {1: "train"}})
        {'split': {'1': 'train'}}
    """
    if isinstance(value, str):
        parts = (part.partition(":") for part in value.split(";") if part.strip())
        return {name.strip(): pairs_of(text) for name, _, text in parts}
    if not isinstance(value, Mapping):
        return value
    return {as_text(name): texts_of(inner) for name, inner in value.items()}


Constants = Annotated[Mapping[str, str | None], BeforeValidator(pairs_of)]
"""Column -> value."""

NestedConstants = Annotated[
    Mapping[str, Mapping[str, str | None]], BeforeValidator(nested_pairs_of)
]
"""Name -> column or value -> value."""

Columns = Annotated[tuple[str, ...] | Mapping[str, str], BeforeValidator(words_of)]
"""Names of columns in order, or name in the header -> name."""

Names = Annotated[tuple[str, ...], BeforeValidator(words_of)]
"""Names of columns; in text, between blanks or commas."""


def with_constants(rows: pl.DataFrame, constants: Mapping[str, str | None]) -> pl.DataFrame:
    """Give each column of ``constants`` its value where ``rows`` have none."""
    new: list[pl.Expr | pl.Series] = []
    for name, value in constants.items():
        if name not in rows.columns:
            new.append(pl.lit(value, pl.String).alias(name))
        elif value is not None and rows.schema[name] == pl.String:
            new.append(rows[name].fill_null(value))
    return rows.with_columns(new)
