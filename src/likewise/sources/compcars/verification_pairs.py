"""CompCars' verification lists: which two images are to be told apart, as a column of items."""

import polars as pl

from likewise.sources.annotation_files import NotesToo
from likewise.sources.list_files import lines

_LISTS = r"(\A|/)verification_(train|pairs_easy|pairs_medium|pairs_hard)\.txt\z"
_LEVEL = r"(?i)_([a-z]*)\.txt\z"
_PAIR = r"\A(\S+)\s+(\S+)\s+([01])\z"


def with_pairs(notes: NotesToo, items: pl.DataFrame) -> pl.DataFrame:
    """``items`` with a column ``pairs``: on the first of each, level, 0 or 1, and the other.

    An entry is ``easy 1 data/image/78/1/2014/a.jpg#1``, in the order of the lists; 1 means the
    same model. Pairs of images that are not here are left out.
    """
    told = lines(notes, _LISTS).with_columns(
        level=pl.col("list").str.extract(_LEVEL).str.to_lowercase(),
        words=pl.col("text").str.extract_groups(_PAIR).struct.rename_fields(
            ["first", "second", "same"]
        ),
    ).unnest("words")  # fmt: skip
    web = items.filter(subset="web").select("key", "item_id")
    both = told.join(
        web, left_on="first", right_on="key", how="inner", maintain_order="left"
    ).join(
        web, left_on="second", right_on="key", suffix="_second", maintain_order="left"
    )  # fmt: skip
    entries = both.select(
        "item_id", pairs=pl.concat_str("level", "same", "item_id_second", separator=" ")
    )
    listed = entries.group_by("item_id", maintain_order=True).agg("pairs")
    return items.join(listed, on="item_id", how="left", maintain_order="left")
