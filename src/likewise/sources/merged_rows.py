"""Merge rows of one image: those of different tables, and those with further texts."""

import polars as pl
import pyarrow as pa

from likewise.formats.counted_nouns import counted
from likewise.sources.base import findings_from_rows
from likewise.sources.extra_columns import PREFIX
from likewise.storage.schema import Column

CAPTIONS = Column(
    "captions", pa.list_(pa.string()), "all captions; the first is the text", nullable=True
)
CAPTIONS_COLUMN = f"{PREFIX}{CAPTIONS.name}"
"""The extra column with all texts of each image, where some image has several."""

IMAGE_LABEL = Column(
    "image_label",
    pa.string(),
    "the class of the image, where boxes have their own",
    nullable=True,
)
IMAGE_LABEL_COLUMN = f"{PREFIX}{IMAGE_LABEL.name}"


def merge_rows(
    rows: pl.DataFrame, extra_columns: list[str]
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Merge the rows of each image: those of different tables, and further texts.

    Args:
        rows: rows without a box, with ``:where``.
        extra_columns: extra columns of ``rows``.

    Returns:
        One row per image; rows that repeat an image, or differ from the rows before them in a
        value that images have once; and findings about columns that texts differ in.
    """
    is_first = rows.select(pl.col("image_id").is_first_distinct()).to_series()
    if is_first.all():
        return rows, rows.clear(), findings_from_rows([])
    values = ["label", "text", *extra_columns]
    table = pl.col(":where").str.extract(r"(?s)\A(.*): ").fill_null("")
    numbered = rows.with_columns(table.alias(":table")).with_columns(
        pl.struct("image_id", ":table").is_first_distinct().alias(":opens")
    )
    merged = (
        numbered.filter(":opens")
        .group_by("image_id", maintain_order=True)
        .agg(pl.col(":where").first(), *(pl.col(c).drop_nulls().first() for c in values))
    )
    takes_texts = CAPTIONS_COLUMN not in extra_columns
    if takes_texts:
        merged = _with_texts(merged, rows)
        takes_texts = CAPTIONS_COLUMN in merged.columns
    later = numbered.filter(~is_first).join(
        merged.select("image_id", *(pl.col(c).alias(f":merged:{c}") for c in values)),
        on="image_id",
        maintain_order="left",
    )
    differs = {
        c: pl.col(c).is_not_null() & pl.col(c).ne_missing(pl.col(f":merged:{c}"))
        for c in values
    }
    other = pl.any_horizontal(differs[c] for c in values if c != "text")
    is_new = pl.struct("image_id", "text").is_first_distinct()
    adds_text = (
        differs["text"] & ~differs["label"] & is_new & (CAPTIONS_COLUMN in merged.columns)
    )
    is_merged = (pl.col(":opens") & ~other & ~differs["text"]) | adds_text
    judged = later.with_columns(is_merged.alias(":merged"))
    notes = _note_differences(judged.filter(":merged"), extra_columns, differs)
    return merged, judged.filter(~pl.col(":merged")), notes


def _with_texts(merged: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Add the list of all texts of each image, if one of them has several."""
    texts = rows.group_by("image_id", maintain_order=True).agg(
        pl.col("text").drop_nulls().unique(maintain_order=True).alias(CAPTIONS_COLUMN)
    )
    counts = texts[CAPTIONS_COLUMN].list.len()
    if not (counts > 1).any():
        return merged
    return merged.join(
        texts.filter(counts > 0), on="image_id", how="left", maintain_order="left"
    )


def _note_differences(
    rows: pl.DataFrame, columns: list[str], differs: dict[str, pl.Expr]
) -> pl.DataFrame:
    """Return a finding per column in which rows with a further text have another value."""
    notes = []
    for column in columns:
        odd = rows.filter(differs[column])
        if len(odd):
            name = column.removeprefix(PREFIX)
            detail = (
                f"another {name} in {counted(len(odd), 'row')} with a further text; the first "
                "stays"
            )
            notes.append((f"{odd[':table'][0]}: {name}", "two-values", detail))
    return findings_from_rows(notes)


def boxes_differ_from_image(boxes: pl.DataFrame, images: pl.DataFrame) -> bool:
    """Return True if a box has another label than its image; the image label is then kept."""
    if boxes.is_empty() or IMAGE_LABEL_COLUMN in images.columns:
        return False
    labels = images.select("image_id", whole="label").drop_nulls()
    joined = boxes.select("image_id", "label").join(labels, on="image_id")
    return bool((joined["label"] != joined["whole"]).any())
