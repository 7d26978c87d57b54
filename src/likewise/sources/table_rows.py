"""Rows of a table of annotations: typed, and joined with the images that they mean."""

from pathlib import Path

import polars as pl

from likewise.formats.archives import Files
from likewise.sources.base import findings
from likewise.sources.box_source import CORNERS, dangling
from likewise.sources.folder import SPLITS
from likewise.sources.image_references import Matches, match

TEXTS = ("label", "text", "split", "subset", "role")
"""What a column of text may be, besides the image's name."""

SIZES = ("w", "h")
"""What a box may say in place of x2 and y2."""


def complete(rows: pl.DataFrame) -> pl.DataFrame:
    """``rows`` with every column that there might be, texts and numbers as such."""
    numbers = (*CORNERS, *SIZES, "width", "height")
    absent = [c for c in ("image", *TEXTS, *numbers) if c not in rows.columns]
    full = rows.with_columns(pl.lit(None, pl.String).alias(c) for c in absent)
    boxed = pl.any_horizontal(pl.col(c).is_not_null() for c in (*CORNERS, *SIZES))
    split = pl.col("split").str.to_lowercase().replace(SPLITS)
    known = pl.when(split.is_in(list(SPLITS.values()))).then(split).otherwise("split")
    return full.with_columns(boxed=boxed).with_columns(
        *(pl.col(c).cast(pl.Float64, strict=False) for c in numbers), split=known
    )


def boxes_of(placed: pl.DataFrame, own: list[str], *, one: bool) -> pl.DataFrame:
    """The rows that are boxes, half-open; ``one`` where their corners count from 1."""
    low = 1 if one else 0
    inside = placed.filter("boxed")
    return inside.select(
        "image_id",
        "label",
        "text",
        *own,
        number=pl.int_range(1, pl.len() + 1).over("image_id"),
        x1=pl.col("x1") - low,
        y1=pl.col("y1") - low,
        x2=pl.coalesce("x2", pl.col("x1") - low + pl.col("w")),
        y2=pl.coalesce("y2", pl.col("y1") - low + pl.col("h")),
    )


def with_images(
    rows: pl.DataFrame, images: pl.DataFrame, files: Files
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows with the images that they mean (image_id), and findings about the others."""
    rows = rows.rename({"image": "reference"})
    if ":folder" in rows.columns:
        beside = pl.concat_str(":folder", "reference")
        inside = beside.is_in(images["name"].implode())
        rows = rows.with_columns(reference=pl.when(inside).then(beside).otherwise("reference"))
    found = _match(rows["reference"], images["name"], files.path)
    nameless = rows.filter(pl.col("reference").is_null()).select(path=":where")
    named = pl.format("it names '{}': {}", "reference", "detail")
    lost = dangling(rows, found.faults.with_columns(detail=named), pl.col(":where"))
    placed = rows.join(
        found.found.rename({"path": "name"}), on="reference", maintain_order="left"
    ).join(images.select("name", image_id="path"), on="name", maintain_order="left")
    return placed, pl.concat(
        [
            lost,
            findings(nameless, "bad-row", "it names no image"),
        ]
    )


def _match(references: pl.Series, names: pl.Series, top: Path) -> Matches:
    """As ``match``; a reference that is nothing and has no suffix may lack just that."""
    found = match(references, names, top=top)
    bare = found.faults.filter(~pl.col("reference").str.contains(r"\.[^./]*\z"))
    if bare.is_empty():
        return found
    more = match(bare["reference"], names, top=top, stems=True)
    faults = found.faults.join(more.found, on="reference", how="anti", maintain_order="left")
    return Matches(pl.concat([found.found, more.found]), faults)


def images_of(
    images: pl.DataFrame, placed: pl.DataFrame, own: list[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A row an image, with what folders and rows say of it; findings where they disagree."""
    plain = placed.filter(~pl.col("boxed"))
    first = plain.unique("image_id", keep="first", maintain_order=True)
    again = plain.join(first.select(":where"), on=":where", how="anti", maintain_order="left")
    # The licence of a box is its image's, which must keep it without the box.
    licence = [name for name in own if name == "licence"]
    own = [name for name in own if name != "licence"]
    shared = ("split", "subset", "role", "width", "height", *licence)
    said = placed.group_by("image_id", maintain_order=True).agg(
        pl.col(c).drop_nulls().first() for c in shared
    )
    told = (
        images.rename({"path": "image_id"})
        .join(said.with_columns(listed=True), on="image_id", how="left", suffix="_said")
        .join(
            first.select("image_id", "label", "text", *own),
            on="image_id",
            how="left",
            suffix="_said",
            maintain_order="left",
        )
        .with_columns(pl.col("listed").fill_null(value=False))
    )
    doubled = [name for name in told.columns if name.endswith("_said")]
    told = told.with_columns(
        pl.coalesce(name.removesuffix("_said"), name).alias(name.removesuffix("_said"))
        for name in doubled
    ).drop(*doubled, "name")
    faults = [
        findings(again.select(path=":where"), "twin", "a row before it is of the same image"),
        _disagree(placed, told, "split", "two-splits"),
    ]
    if "label" in images.columns:
        faults.append(_disagree(plain, told, "label", "two-labels"))
    return told, pl.concat(faults)


def _disagree(rows: pl.DataFrame, told: pl.DataFrame, column: str, check: str) -> pl.DataFrame:
    """Findings about rows that say another ``column`` of an image than it is taken to have."""
    taken = told.select("image_id", taken=column)
    other = rows.join(taken, on="image_id", maintain_order="left").filter(
        pl.col(column) != pl.col("taken")
    )
    detail = pl.format("it says {}, and its image is taken to be {}", column, "taken")
    return findings(other.with_columns(path=":where"), check, detail)
