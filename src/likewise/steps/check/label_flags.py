"""Flags of labels that the vectors of a model contradict."""

import polars as pl

from likewise.catalogue.suspicious_labels import JudgedLabels
from likewise.steps.check.flag_rows import flags


def check_labels(judged: JudgedLabels, model: str) -> pl.DataFrame:
    """Flag items with a label that neighbours outvote and confident learning rejects.

    The labels are those of the source: the stage ``check`` does not depend on corrections.

    Args:
        judged: the judgement of all labels by the vectors of a model.
        model: its name.
    """
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
