"""Flags of copies: in the same data set, in an earlier split, in another data set."""

from collections.abc import Iterator

import polars as pl

from likewise.imaging.near_duplicates import (
    NO_ROW,
    Nearest,
    hash_words,
    nearest,
    nearest_earlier,
)
from likewise.steps.check.flag_rows import flags

_FIRST_SPLITS = ("train", "val")
"""Prefixes of the names of training and validation splits; all others are test splits."""


def check_copies(images: pl.DataFrame, near: int) -> Iterator[pl.DataFrame]:
    """Flag the later of two copies among ``images`` (one row each, in canonical order)."""
    first = pl.col("image_id").first().over("sha256")
    same = images.with_columns(other=first).filter(pl.col("other") != pl.col("image_id"))
    yield flags(same, "duplicate", _same_bytes(), other=pl.col("other"))
    distinct = images.filter(pl.col("phash").is_not_null()).unique(
        "sha256", keep="first", maintain_order=True
    )
    found = nearest_earlier(hash_words(distinct["phash"]), near)
    yield _found("near_duplicate", distinct, distinct["image_id"], found)


def check_splits(images: pl.DataFrame, near: int) -> Iterator[pl.DataFrame]:
    """Flag images with a copy or near copy in an earlier split; order: train, val, others."""
    there = images.filter(pl.col("phash").is_not_null() & pl.col("split").is_not_null())
    parts = [there.filter(pl.col("split") == split) for split in _ordered(there["split"])]
    for number, part in enumerate(parts[1:], 1):
        before = pl.concat(parts[:number])
        found = nearest(hash_words(part["phash"]), hash_words(before["phash"]), near)
        where = pl.concat_str(pl.lit("split "), pl.Series(before["split"]))
        yield _found("split_leak", part, before["image_id"], found, before.select(where))


def check_against(
    images: pl.DataFrame, dataset: str, others: pl.DataFrame, near: int
) -> pl.DataFrame:
    """Flag images with a copy or near copy in ``dataset``; ``others``: its image_id, phash."""
    there = images.filter(pl.col("phash").is_not_null())
    found = nearest(hash_words(there["phash"]), hash_words(others["phash"]), near)
    rows = _found("leak", there, others["image_id"], found)
    return rows.with_columns(other_dataset=pl.lit(dataset))


def _ordered(splits: pl.Series) -> list[str]:
    def place(split: str) -> tuple[int, str]:
        begins = [split.lower().startswith(name) for name in _FIRST_SPLITS]
        return (begins.index(True) if any(begins) else len(begins), split)

    return sorted(splits.unique(), key=place)


def _same_bytes() -> pl.Expr:
    return pl.concat_str(pl.lit("the same bytes as "), "other")


def _found(
    flag: str,
    images: pl.DataFrame,
    others: pl.Series,
    found: Nearest,
    places: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Flag every one of ``images`` that has a neighbour among ``others``."""
    hit = found.rows != NO_ROW
    rows = found.rows[hit]
    pairs = images.filter(hit).with_columns(
        other=others.gather(rows), bits=pl.Series(found.bits[hit])
    )
    like = pl.format("{} of 256 bits differ from {}", "bits", "other")
    detail = like
    if places is not None:
        pairs = pairs.with_columns(place=places.to_series().gather(rows))
        detail = pl.format("{} in {}", like, "place")
    return flags(pairs, flag, detail, value=pl.col("bits"), other=pl.col("other"))
