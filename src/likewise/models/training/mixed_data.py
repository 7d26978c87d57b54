"""Training data of several data sets: their items, one after another."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from likewise.models.training.training_data import PART, TrainingData


def mixed_data(parts: Sequence[TrainingData], merge_labels: bool) -> TrainingData:  # noqa: FBT001
    """Join the items of several data sets.

    Ids get the name of their data set and a colon in front. So do labels: equal labels of
    different data sets are different classes, unless ``merge_labels``. Equal pixels have equal
    contents in all data sets.

    Args:
        parts: the items of each data set.
        merge_labels: make one class of equal labels.
    """
    frames = [
        part.items.with_columns(
            pl.format("{}:{}", pl.lit(part.name), "item_id").alias("item_id"),
            pl.col("label")
            if merge_labels
            else pl.format("{}:{}", pl.lit(part.name), "label").alias("label"),
            pl.lit(number).alias(PART),
        )
        for number, part in enumerate(parts)
    ]
    items = pl.concat(frames).sort("item_id")
    vectors = tuple(part.vectors for part in parts if isinstance(part.vectors, Path))
    return TrainingData(
        ", ".join(part.name for part in parts),
        items,
        items,
        tuple(image for part in parts for image in part.tables_of_images),
        {name: digest for part in parts for name, digest in part.digests.items()},
        vectors or None,
    )
