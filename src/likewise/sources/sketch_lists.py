"""The lists of QMUL's sketch sets: which photos and sketches are for training and testing."""

import polars as pl

from likewise.sources.annotation_files import NotesToo
from likewise.sources.base import findings
from likewise.sources.list_files import lines

SPLITS = ("train", "val", "test")

_LIST = r"(\A|/)(photo|sketch)_(train|val|test)\.txt\z"


def listed_splits(
    notes: NotesToo, photos: pl.DataFrame, sketches: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, list[pl.DataFrame]]:
    """Photos and sketches with the split of the list that names them, and findings.

    A line of ``sketch_test.txt`` is a name with or without folders and suffix. Where there are
    no lists of sketches, a sketch has the split of its photo. An image in no list has none; one
    in several has that of the last of ``SPLITS``, so that nothing tested is trained on.

    Args:
        notes: where the lists are; without any, no image has a split.
        photos: path, label, key (the name without suffix), split.
        sketches: the same.
    """
    entries, faults = _entries(notes)
    split_photos, about_photos = _split(photos, entries.filter(side="photo"))
    split_sketches, about_sketches = _split(sketches, entries.filter(side="sketch"))
    if "sketch" not in entries["side"]:
        of_photo = split_photos.select("label", "split")
        split_sketches = sketches.drop("split").join(
            of_photo, on="label", how="left", maintain_order="left"
        )
    return split_photos, split_sketches, [faults, *about_photos, *about_sketches]


def _entries(notes: NotesToo) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every name of every list: list, side, listed, key; and findings about names twice."""
    name = pl.col("list").str.to_lowercase()
    key = pl.col("text").str.extract(r"([^/]*)\z").str.replace(r"(?i)\.(png|jpe?g|svg)\z", "")
    entries = (
        lines(notes, _LIST)
        .select(
            "list",
            side=name.str.extract(r"(photo|sketch)_[a-z]*\.txt\z"),
            listed=name.str.extract(r"_([a-z]*)\.txt\z"),
            key=key,
        )
        .filter(pl.col("key") != "")
    )
    again = entries.filter(pl.struct("list", "key").is_duplicated()).unique(maintain_order=True)
    return entries.unique(maintain_order=True), findings(_named(again), "listed-twice", _AGAIN)


_AGAIN = "it stands several times in the list, and counts once"


def _split(
    images: pl.DataFrame, entries: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    if entries.is_empty():
        return images, []
    rank = pl.col("listed").replace_strict(SPLITS, range(len(SPLITS)), return_dtype=pl.Int8)
    last = entries.sort(rank, descending=True).unique("key", keep="first")
    split = images.drop("split").join(
        last.select("key", split="listed"), on="key", how="left", maintain_order="left"
    )
    dangling = entries.join(images, on="key", how="anti", maintain_order="left")
    both = entries.join(last.select("key", kept="listed"), on="key", maintain_order="left")
    return split, [
        findings(_named(dangling), "dangling", "listed, but there is no image of that name"),
        findings(
            _named(both.filter(pl.col("listed") != pl.col("kept"))),
            "two-splits",
            pl.format("it is also listed in, and taken as, {}", "kept"),
        ),
        findings(split.filter(pl.col("split").is_null()), "unlisted", "it is in no list"),
    ]


def _named(entries: pl.DataFrame) -> pl.DataFrame:
    return entries.with_columns(path=pl.concat_str("list", "key", separator=": "))
