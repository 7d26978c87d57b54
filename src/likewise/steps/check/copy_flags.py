"""Flags of copies: in the same data set, in an earlier split, in another data set."""

from collections.abc import Iterator

import polars as pl

from likewise.imaging.near_duplicates import (
    NO_ROW,
    Nearest,
    SearchHashes,
    has_structure,
    hash_words,
    nearest,
    nearest_earlier,
    search_hashes,
)
from likewise.steps.check.flag_rows import flags

_FIRST_SPLITS = ("train", "val")
"""Prefixes of the names of training and validation splits; all others are test splits."""


def check_copies(
    images: pl.DataFrame, near: int, search: SearchHashes = search_hashes
) -> Iterator[pl.DataFrame]:
    """Flag the later of two copies among ``images`` (one row each, in canonical order)."""
    first = pl.col("image_id").first().over("sha256")
    same = images.with_columns(other=first).filter(pl.col("other") != pl.col("image_id"))
    yield flags(same, "duplicate", _same_bytes(), other=pl.col("other"))
    distinct = _comparable(images).unique("sha256", keep="first", maintain_order=True)
    pairs = nearest_earlier(hash_words(distinct["phash"]), near, search)
    yield _flag_pairs("near_duplicate", distinct, distinct["image_id"], pairs)


def check_splits(
    images: pl.DataFrame, near: int, search: SearchHashes = search_hashes
) -> Iterator[pl.DataFrame]:
    """Flag images with a copy or near copy in an earlier split; order: train, val, others."""
    hashed = _comparable(images.filter(pl.col("split").is_not_null()))
    parts = [hashed.filter(pl.col("split") == split) for split in _ordered(hashed["split"])]
    for number, part in enumerate(parts[1:], 1):
        before = pl.concat(parts[:number])
        pairs = nearest(hash_words(part["phash"]), hash_words(before["phash"]), near, search)
        where = pl.concat_str(pl.lit("split "), pl.Series(before["split"]))
        yield _flag_pairs("split_leak", part, before["image_id"], pairs, before.select(where))


def check_against(
    images: pl.DataFrame,
    dataset: str,
    others: pl.DataFrame,
    near: int,
    search: SearchHashes = search_hashes,
) -> pl.DataFrame:
    """Flag images with a copy or near copy in ``dataset``; ``others``: its image_id, phash."""
    hashed, others = _comparable(images), _comparable(others)
    pairs = nearest(hash_words(hashed["phash"]), hash_words(others["phash"]), near, search)
    rows = _flag_pairs("leak", hashed, others["image_id"], pairs)
    return rows.with_columns(other_dataset=pl.lit(dataset))


def _comparable(images: pl.DataFrame) -> pl.DataFrame:
    """Return the images whose hashes tell pictures apart."""
    known = images.filter(pl.col("phash").is_not_null())
    return known.filter(pl.Series(has_structure(known["phash"])))


def _ordered(splits: pl.Series) -> list[str]:
    def place(split: str) -> tuple[int, str]:
        begins = [split.lower().startswith(name) for name in _FIRST_SPLITS]
        return (begins.index(True) if any(begins) else len(begins), split)

    return sorted(splits.unique(), key=place)


def _same_bytes() -> pl.Expr:
    return pl.concat_str(pl.lit("the same bytes as "), "other")


def _flag_pairs(
    flag: str,
    images: pl.DataFrame,
    others: pl.Series,
    neighbours: Nearest,
    places: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Flag every one of ``images`` that has a neighbour among ``others``."""
    hit = neighbours.rows != NO_ROW
    rows = neighbours.rows[hit]
    pairs = images.filter(hit).with_columns(
        other=others.gather(rows), bits=pl.Series(neighbours.bits[hit])
    )
    like = pl.format("{} of 256 bits differ from {}", "bits", "other")
    detail = like
    if places is not None:
        pairs = pairs.with_columns(place=places.to_series().gather(rows))
        detail = pl.format("{} in {}", like, "place")
    return flags(pairs, flag, detail, value=pl.col("bits"), other=pl.col("other"))
