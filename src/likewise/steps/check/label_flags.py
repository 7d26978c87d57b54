"""Flags of labels that the vectors of a model contradict."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from likewise.catalogue.suspicious_labels import judge_labels
from likewise.steps.check.flag_rows import flags
from likewise.storage import tables


def check_labels(
    items: pl.DataFrame,
    table: tables.Table,
    model: str,
    index: Mapping[str, Any],
    memory: int,
    command: str,
) -> pl.DataFrame:
    """Flag items with a label that neighbours outvote and confident learning rejects.

    The labels are those of the source: the stage ``check`` does not depend on corrections.

    Args:
        items: item_id, image_id, content and label of every item, in canonical order.
        table: the vectors of the model.
        model: its name.
        index: entry of the index that searches the neighbours.
        memory: bytes for vectors.
        command: the command that computes missing vectors.
    """
    judged = judge_labels(items, table, index, memory, command)
    rows = judged.suspects.filter(pl.col("outvoted") & pl.col("confident"))
    like = pl.element().struct.field
    rows = rows.with_columns(other=pl.col("neighbours").list.eval(like("item_id")).list.first())
    detail = pl.format(
        f"label {{}}, but {{}} by its neighbours by {model}; quality {{}} of 0 to 1",
        "label",
        "suggested",
        pl.col("quality").round(4),
    )
    return flags(
        rows,
        "suspect",
        detail,
        item_id=pl.col("item_id"),
        value=pl.col("quality"),
        other=pl.col("other"),
    )
