"""CompCars' verification lists: pairs of images as a column of the items."""

import polars as pl

from likewise.sources.annotation_files import AnnotationFilesWithFallback
from likewise.sources.list_files import read_lines

_LISTS = r"(\A|/)verification_(train|pairs_easy|pairs_medium|pairs_hard)\.txt\z"
_LEVEL = r"(?i)_([a-z]*)\.txt\z"
_PAIR = r"\A(\S+)\s+(\S+)\s+([01])\z"


def add_pairs(
    annotation_files: AnnotationFilesWithFallback, items: pl.DataFrame
) -> pl.DataFrame:
    """Add a column ``pairs`` to ``items``, on the first image of each pair.

    An entry is level, 1 (same model) or 0, and the other item, such as
    ``easy 1 data/image/78/1/2014/a.jpg#1``, in the order of the lists. Pairs with missing
    images are dropped.
    """
    pairs = read_lines(annotation_files, _LISTS).with_columns(
        level=pl.col("list").str.extract(_LEVEL).str.to_lowercase(),
        words=pl.col("text").str.extract_groups(_PAIR).struct.rename_fields(
            ["first", "second", "same"]
        ),
    ).unnest("words")  # fmt: skip
    web_items = items.filter(subset="web").select("key", "item_id")
    located = pairs.join(
        web_items, left_on="first", right_on="key", how="inner", maintain_order="left"
    ).join(
        web_items, left_on="second", right_on="key", suffix="_second", maintain_order="left"
    )  # fmt: skip
    entries = located.select(
        "item_id", pairs=pl.concat_str("level", "same", "item_id_second", separator=" ")
    )
    listed = entries.group_by("item_id", maintain_order=True).agg("pairs")
    return items.join(listed, on="item_id", how="left", maintain_order="left")
