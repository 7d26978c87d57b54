"""Lists of QMUL's sketch sets: photos and sketches for training and testing."""

import polars as pl

from likewise.sources.annotation_files import AnnotationFilesWithFallback
from likewise.sources.base import findings_about
from likewise.sources.list_files import read_lines

SPLITS = ("train", "val", "test")

_LIST = r"(\A|/)(photo|sketch)_(train|val|test)\.txt\z"


def assign_splits(
    annotation_files: AnnotationFilesWithFallback, photos: pl.DataFrame, sketches: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, list[pl.DataFrame]]:
    """Set the split of photos and sketches from the lists that name them.

    A line of ``sketch_test.txt`` is a name with or without folders and suffix. Without lists of
    sketches, a sketch gets the split of its photo. Images in no list have no split; images in
    several lists get the last one in ``SPLITS``, so that test images are never used for
    training.

    Args:
        annotation_files: files with the lists; without lists, no image has a split.
        photos: ``path``, ``label``, ``key`` (name without suffix), ``split``.
        sketches: same columns as ``photos``.

    Returns:
        Photos, sketches, and findings.
    """
    entries, faults = _read_entries(annotation_files)
    split_photos, photo_findings = _assign_split(photos, entries.filter(side="photo"))
    split_sketches, sketch_findings = _assign_split(sketches, entries.filter(side="sketch"))
    if "sketch" not in entries["side"]:
        of_photo = split_photos.select("label", "split")
        split_sketches = sketches.drop("split").join(
            of_photo, on="label", how="left", maintain_order="left"
        )
    return split_photos, split_sketches, [faults, *photo_findings, *sketch_findings]


def _read_entries(
    annotation_files: AnnotationFilesWithFallback,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return ``list``, ``side``, ``listed``, ``key`` of all entries; and findings."""
    name = pl.col("list").str.to_lowercase()
    key = pl.col("text").str.extract(r"([^/]*)\z").str.replace(r"(?i)\.(png|jpe?g|svg)\z", "")
    entries = (
        read_lines(annotation_files, _LIST)
        .select(
            "list",
            side=name.str.extract(r"(photo|sketch)_[a-z]*\.txt\z"),
            listed=name.str.extract(r"_([a-z]*)\.txt\z"),
            key=key,
        )
        .filter(pl.col("key") != "")
    )
    repeated = entries.filter(pl.struct("list", "key").is_duplicated()).unique(
        maintain_order=True
    )
    return entries.unique(maintain_order=True), findings_about(
        _with_paths(repeated), "listed-twice", _REPEATED_DETAIL
    )


_REPEATED_DETAIL = "it stands several times in the list, and counts once"


def _assign_split(
    images: pl.DataFrame, entries: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    if entries.is_empty():
        return images, []
    rank = pl.col("listed").replace_strict(SPLITS, range(len(SPLITS)), return_dtype=pl.Int8)
    last = entries.sort(rank, descending=True).unique("key", keep="first")
    split = images.drop("split").join(
        last.select("key", split="listed"), on="key", how="left", maintain_order="left"
    )
    missing = entries.join(images, on="key", how="anti", maintain_order="left")
    joined = entries.join(last.select("key", kept="listed"), on="key", maintain_order="left")
    return split, [
        findings_about(
            _with_paths(missing), "dangling", "listed, but there is no image of that name"
        ),
        findings_about(
            _with_paths(joined.filter(pl.col("listed") != pl.col("kept"))),
            "two-splits",
            pl.format("it is also listed in, and taken as, {}", "kept"),
        ),
        findings_about(split.filter(pl.col("split").is_null()), "unlisted", "it is in no list"),
    ]


def _with_paths(entries: pl.DataFrame) -> pl.DataFrame:
    return entries.with_columns(path=pl.concat_str("list", "key", separator=": "))
