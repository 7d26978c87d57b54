"""Find ImageNet's images in folders or in the official tars, by their paths."""

import polars as pl

from likewise.formats.archives import FileCollection
from likewise.sources.base import findings_about, is_image, no_images_error
from likewise.sources.box_source import stray_file_findings

SPLITS = ("train", "val", "test")

_WNID = r"(?:\A|/)(n[0-9]{8})(?:\.tar)?/[^/]*\z"
_FOLDER = r"(?:\A|/)(train|val|test)/(?:n[0-9]{8}(?:\.tar)?/)?[^/]*\z"
_NAME = r"(?s)([^/]*)\z"
_WNID_IN_NAME = r"\A(n[0-9]{8})_"
_SPLIT_IN_NAME = r"\AILSVRC[0-9]{4}_(val|test)_[0-9]{1,9}\."
_NUMBER = r"\AILSVRC[0-9]{4}_(?:val|test)_([0-9]{1,9})\."
_IN_SPLIT_OR_CLASS = r"(?:\A|/)(?:train|val|test|n[0-9]{8}(?:\.tar)?)/"
_EXPECTED = (
    "train/{wnid}/{name}.JPEG and val/{name}.JPEG, as in Data/CLS-LOC, "
    "or ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar as they are"
)


def find_images(files: FileCollection) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Find all images of the layout, and return findings about other files among them.

    If a folder ``CLS-LOC`` exists, only images in it are used.

    Returns:
        ``path``, ``split``, ``wnid`` (from the folder or tar of the class, or null), ``stem``
        (name without suffix), ``number`` (from the name of a validation or test image, or
        null); and findings.

    Raises:
        DataError: there is no image.
    """
    paths = files.listing().select("path").filter(is_image())
    is_in_task_folder = pl.col("path").str.contains("(?:^|/)CLS-LOC/")
    if paths.select(is_in_task_folder.any()).item():
        paths = paths.filter(is_in_task_folder)
    name = pl.col("path").str.extract(_NAME)
    parsed = paths.with_columns(
        name=name,
        stem=name.str.replace(r"\.[^.]*\z", ""),
        wnid=pl.col("path").str.extract(_WNID),
        folder=pl.col("path").str.extract(_FOLDER),
    ).with_columns(
        wnid_in_name=pl.col("name").str.extract(_WNID_IN_NAME),
        number=pl.col("name").str.extract(_NUMBER).cast(pl.Int64),
        split=pl.coalesce(
            "folder", pl.col("name").str.extract(_SPLIT_IN_NAME), _train_if_in_class_folder()
        ),
    )
    fits_layout = pl.col("split").is_not_null() & (
        (pl.col("split") != "train") | _has_class_folder()
    )
    kept, other_images = parsed.filter(fits_layout), parsed.filter(~fits_layout)
    if kept.is_empty():
        raise no_images_error(files, _EXPECTED)
    misplaced = kept.filter(pl.col("wnid") != pl.col("wnid_in_name"))
    kept = kept.filter((pl.col("wnid") == pl.col("wnid_in_name")).fill_null(value=True)).sort(
        "path"
    )
    first = kept.unique(["split", "stem"], keep="first", maintain_order=True)
    return first.select("path", "split", "wnid", "stem", "number"), [
        stray_file_findings(files, kept, pl.lit(value=False)),
        findings_about(
            other_images.filter(pl.col("path").str.contains(_IN_SPLIT_OR_CLASS)),
            "bad-name",
            "expected train/{wnid}/{name} or val/{name}",
        ),
        findings_about(
            misplaced, "bad-name", pl.format("its name is of the class {}", "wnid_in_name")
        ),
        findings_about(kept.join(first, on="path", how="anti"), "twice", _REPEATED_DETAIL),
    ]


_REPEATED_DETAIL = "an image of that name is there in another place or format too, and is taken"


def _has_class_folder() -> pl.Expr:
    return pl.col("wnid").is_not_null()


def _train_if_in_class_folder() -> pl.Expr:
    """Return train for images in the folder of a class, otherwise null."""
    return pl.when(pl.col("wnid").is_not_null()).then(pl.lit("train"))
