"""Rows of annotation tables: complete and type them, and join them with their images."""

from pathlib import Path
from typing import Literal

import polars as pl

from likewise.formats.archives import FileCollection
from likewise.sources.base import findings_about
from likewise.sources.box_source import CORNERS, reference_findings
from likewise.sources.extra_columns import LICENCE, PREFIX
from likewise.sources.image_references import Matches, match_references
from likewise.sources.merged_rows import CAPTIONS_COLUMN, merge_rows
from likewise.sources.split_names import split_values

TEXTS = ("label", "text", "split", "subset", "role")
"""Text columns of annotation tables other than the image's name."""

SIZES = ("w", "h")
"""Width and height of a box, as an alternative to ``x2`` and ``y2``."""

CENTRE = ("cx", "cy")
"""Centre of a box, as an alternative to ``x1`` and ``y1``."""


def complete_columns(rows: pl.DataFrame) -> pl.DataFrame:
    """Add missing columns as null, cast numbers, and add ``boxed``: the row has a box."""
    numbers = (*CORNERS, *CENTRE, *SIZES, "width", "height")
    absent = [c for c in ("image", *TEXTS, *numbers) if c not in rows.columns]
    complete = rows.with_columns(pl.lit(None, pl.String).alias(c) for c in absent)
    sides = (*CORNERS, *CENTRE, *SIZES)
    boxed = pl.any_horizontal(pl.col(c).is_not_null() for c in sides)
    return complete.with_columns(boxed=boxed).with_columns(
        *(pl.col(c).cast(pl.Float64, strict=False) for c in numbers), split=split_values()
    )


def box_rows(
    located: pl.DataFrame,
    extra_columns: list[str],
    convention: Literal["half-open", "inclusive", "1-based"],
) -> pl.DataFrame:
    """Return the rows that are boxes, with half-open corners from 0.

    Args:
        located: rows with the ``image_id`` of their image.
        extra_columns: extra columns to keep.
        convention: convention of the corners in ``located``; see ``TableSource.corners``.
    """
    first = 1 if convention == "1-based" else 0
    last = 1 if convention == "inclusive" else 0
    x1 = pl.coalesce("x1", pl.col("cx") - pl.col("w") / 2) - first
    y1 = pl.coalesce("y1", pl.col("cy") - pl.col("h") / 2) - first
    return located.filter("boxed").select(
        "image_id",
        "label",
        "text",
        *extra_columns,
        number=pl.int_range(1, pl.len() + 1).over("image_id"),
        x1=x1,
        y1=y1,
        x2=pl.coalesce(pl.col("x2") + last, x1 + pl.col("w")),
        y2=pl.coalesce(pl.col("y2") + last, y1 + pl.col("h")),
    )


def join_images(
    rows: pl.DataFrame, images: pl.DataFrame, files: FileCollection
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Add the ``image_id`` of each row's image; rows without an image become findings.

    Args:
        rows: rows with the column ``image`` (a reference), and ``:where``.
        images: ``path`` and ``name`` of all images; references are matched with ``name``.
        files: files of the data set.
    """
    rows = rows.rename({"image": "reference"})
    if ":folder" in rows.columns:
        in_folder = pl.concat_str(":folder", "reference")
        exists = in_folder.is_in(images["name"].implode()).fill_null(value=False)
        rows = rows.with_columns(
            reference=pl.when(exists).then(in_folder).otherwise("reference")
        )
    matches = match_images(rows["reference"], images["name"], files.path)
    nameless = rows.filter(pl.col("reference").is_null()).select(path=":where")
    detail = pl.format("it names '{}': {}", "reference", "detail")
    broken = reference_findings(
        rows, matches.findings.with_columns(detail=detail), pl.col(":where")
    )
    located = rows.with_columns(_image_ids(rows["reference"], matches.matched, images))
    if located["image_id"].has_nulls():
        located = located.drop_nulls("image_id")
    return located, pl.concat(
        [broken, findings_about(nameless, "bad-row", "it names no image")]
    )


def _image_ids(references: pl.Series, matched: pl.DataFrame, images: pl.DataFrame) -> pl.Series:
    """Return the ``image_id`` of each reference, or null."""
    hits = matched.select("reference", image_id="path")
    if not images["name"].equals(images["path"]):
        by_name = images.select("name", "path")
        hits = matched.rename({"path": "name"}).join(by_name, on="name")
        hits = hits.select("reference", image_id="path")
    if hits["reference"].equals(references):  # one row per image, the usual case
        return hits["image_id"]
    # Only the ids are joined, because a join copies all columns of millions of rows.
    names = references.to_frame("reference")
    return names.join(hits, "reference", "left", maintain_order="left")["image_id"]


def match_images(references: pl.Series, names: pl.Series, top: Path) -> Matches:
    """Match names of images in annotations; names without a suffix match any suffix.

    Args:
        references: names in annotations.
        names: names of the images.
        top: folder or archive of the images.
    """
    matches = match_references(references, names, top=top)
    bare = matches.unmatched.filter(~pl.col("reference").str.contains(r"\.[^./]*\z"))
    if bare.is_empty():
        return matches
    more = match_references(bare["reference"], names, top=top, stems=True)
    unmatched = matches.unmatched.join(
        more.matched, on="reference", how="anti", maintain_order="left"
    )
    return Matches(pl.concat([matches.matched, more.matched]), unmatched, matches.notes)


def image_rows(
    images: pl.DataFrame, located: pl.DataFrame, extra_columns: list[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return one row per image with the values of its folders and table rows.

    Args:
        images: ``path``, ``name``, and values that folders define.
        located: table rows with the ``image_id`` of their image.
        extra_columns: extra columns of ``located``.

    Returns:
        Images with all item columns and ``listed``; findings about rows that disagree.
    """
    unboxed = located.filter(~pl.col("boxed")) if located["boxed"].any() else located
    first, repeated, notes = merge_rows(unboxed, extra_columns)
    captions = [c for c in first.columns if c == CAPTIONS_COLUMN and c not in extra_columns]
    # The licence of a box is that of its image, which keeps it when the box is dropped.
    licence = [name for name in extra_columns if name == LICENCE]
    others = [name for name in extra_columns if name != LICENCE]
    shared = ("split", "subset", "role", "width", "height", *licence)
    annotated = located.select("image_id", *shared)
    if not annotated["image_id"].is_unique().all():
        annotated = annotated.group_by("image_id", maintain_order=True).agg(
            pl.col(c).drop_nulls().first() for c in shared
        )
    merged = _with_values(
        images.rename({"path": "image_id"}), annotated.with_columns(listed=True)
    )
    values = first.select("image_id", "label", "text", *others, *captions)
    merged = _with_values(merged, values).with_columns(pl.col("listed").fill_null(value=False))
    doubled = [name for name in merged.columns if name.endswith(":annotated")]
    merged = merged.with_columns(
        pl.coalesce(name.removesuffix(":annotated"), name).alias(
            name.removesuffix(":annotated")
        )
        for name in doubled
    ).drop(*doubled, "name")
    faults = [
        findings_about(
            repeated.select(path=":where"), "twin", _twin_detail(unboxed, repeated, others)
        ),
        _conflicts(located, merged, "split", "two-splits"),
        notes,
    ]
    if "label" in images.columns:
        faults.append(_conflicts(unboxed, merged, "label", "two-labels"))
    return merged, pl.concat(faults)


def _with_values(images: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """Return ``images`` with the columns of ``values``, which get a suffix if both have them.

    Empty columns are not joined, because a join gives each of them 16 bytes per row.
    """
    filled = [c for c in values.columns if values[c].null_count() < len(values)]
    key = [] if "image_id" in filled else ["image_id"]
    joined = images.join(
        values.select(*key, *filled),
        on="image_id",
        how="left",
        suffix=":annotated",
        maintain_order="left",
    )
    return joined.with_columns(
        pl.lit(None, dtype).alias(name)
        for name, dtype in values.schema.items()
        if name not in joined.columns
    )


def _twin_detail(rows: pl.DataFrame, repeated: pl.DataFrame, columns: list[str]) -> str:
    """Return the finding about repeated rows; a column of sentences may be texts."""
    detail = "a row before it is of the same image"
    if repeated.is_empty() or rows["text"].null_count() < len(rows):
        return detail
    for column in columns:
        values = repeated[column]
        if values.dtype == pl.String and values.str.contains(r"\S\s+\S").mean() == 1:
            name = column.removeprefix(PREFIX)
            return f"{detail}; if {name!r} is a text, --option text={name} reads all of them"
    return detail


def _conflicts(
    rows: pl.DataFrame, images: pl.DataFrame, column: str, check: str
) -> pl.DataFrame:
    """Return findings about rows whose ``column`` differs from the value of their image."""
    given = rows.select("image_id", column, ":where").drop_nulls(column)
    chosen = images.select("image_id", taken=column)
    different = given.join(chosen, on="image_id", maintain_order="left").filter(
        pl.col(column) != pl.col("taken")
    )
    detail = pl.format("it says {}, and its image is taken to be {}", column, "taken")
    return findings_about(different.with_columns(path=":where"), check, detail)
