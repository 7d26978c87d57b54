"""Flags as rows: the common result of all checks."""

from collections.abc import Sequence

import polars as pl

from likewise.storage.schema import FLAGS

_COLUMNS: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(("flag", "image_id", "item_id"), pl.String),
    "value": pl.Float64,
    **dict.fromkeys(("other_dataset", "other", "detail"), pl.String),
}


def flags(rows: pl.DataFrame, flag: str, detail: pl.Expr, **columns: pl.Expr) -> pl.DataFrame:
    """Return one flag for every one of ``rows`` (image_id); ``columns`` are those of FLAGS."""
    detailed = rows.select(
        "image_id", detail.alias("detail"), *(e.alias(n) for n, e in columns.items())
    )
    absent = [
        pl.lit(None, kind).alias(name)
        for name, kind in _COLUMNS.items()
        if name not in detailed.columns
    ]
    return (
        detailed.with_columns(*absent)
        .with_columns(flag=pl.lit(flag))
        .select(pl.col(name).cast(kind) for name, kind in _COLUMNS.items())
    )


def table(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return all flags with the columns of FLAGS, sorted by flag_id."""
    about = pl.coalesce("item_id", "image_id")
    where = pl.concat_str("flag", "other_dataset", separator=":", ignore_nulls=True)
    together = pl.concat([pl.DataFrame(schema=_COLUMNS), *parts])
    identified = together.with_columns(flag_id=pl.concat_str(where, about, separator=": "))
    return identified.sort("flag_id").select(FLAGS.names())
