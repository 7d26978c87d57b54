"""Where ImageNet's images lie: in folders or in the official tars, by their paths alone."""

import polars as pl

from likewise.formats.archives import Files
from likewise.sources.base import findings, is_image, no_images
from likewise.sources.box_source import foreign

SPLITS = ("train", "val", "test")

_WNID = r"(?:\A|/)(n[0-9]{8})(?:\.tar)?/[^/]*\z"
_FOLDER = r"(?:\A|/)(train|val|test)/(?:n[0-9]{8}(?:\.tar)?/)?[^/]*\z"
_NAME = r"(?s)([^/]*)\z"
_OWN_WNID = r"\A(n[0-9]{8})_"
_OWN_SPLIT = r"\AILSVRC[0-9]{4}_(val|test)_[0-9]{1,9}\."
_NUMBER = r"\AILSVRC[0-9]{4}_(?:val|test)_([0-9]{1,9})\."
_SOMEWHERE = r"(?:\A|/)(?:train|val|test|n[0-9]{8}(?:\.tar)?)/"
_EXPECTED = (
    "train/{wnid}/{name}.JPEG and val/{name}.JPEG, as in Data/CLS-LOC, "
    "or ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar as they are"
)


def pictures(files: Files) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Every image of the layout, and findings about other files among them.

    Columns: path, split, wnid (of the folder or tar of its class; null where there is none),
    stem (the name without suffix), number (of a validation or test image, from its name).
    Where there is a folder ``CLS-LOC`` (beside that of another task), only it is looked at.

    Raises:
        DataError: there is none.
    """
    paths = files.listing().select("path").filter(is_image())
    task = pl.col("path").str.contains("(?:^|/)CLS-LOC/")
    if paths.select(task.any()).item():
        paths = paths.filter(task)
    name = pl.col("path").str.extract(_NAME)
    named = paths.with_columns(
        name=name,
        stem=name.str.replace(r"\.[^.]*\z", ""),
        wnid=pl.col("path").str.extract(_WNID),
        folder=pl.col("path").str.extract(_FOLDER),
    ).with_columns(
        own=pl.col("name").str.extract(_OWN_WNID),
        number=pl.col("name").str.extract(_NUMBER).cast(pl.Int64),
        split=pl.coalesce("folder", pl.col("name").str.extract(_OWN_SPLIT), _in_a_class()),
    )
    fits = pl.col("split").is_not_null() & ((pl.col("split") != "train") | _in_a_class_folder())
    kept, others = named.filter(fits), named.filter(~fits)
    if kept.is_empty():
        raise no_images(files, _EXPECTED)
    astray = kept.filter(pl.col("wnid") != pl.col("own"))
    kept = kept.filter((pl.col("wnid") == pl.col("own")).fill_null(value=True)).sort("path")
    first = kept.unique(["split", "stem"], keep="first", maintain_order=True)
    return first.select("path", "split", "wnid", "stem", "number"), [
        foreign(files, kept, pl.lit(value=False)),
        findings(
            others.filter(pl.col("path").str.contains(_SOMEWHERE)),
            "bad-name",
            "expected train/{wnid}/{name} or val/{name}",
        ),
        findings(astray, "bad-name", pl.format("its name is of the class {}", "own")),
        findings(kept.join(first, on="path", how="anti"), "twice", _TWICE),
    ]


_TWICE = "an image of that name is there in another place or format too, and is taken"


def _in_a_class_folder() -> pl.Expr:
    return pl.col("wnid").is_not_null()


def _in_a_class() -> pl.Expr:
    """train, where nothing but the folder of a class says a split."""
    return pl.when(pl.col("wnid").is_not_null()).then(pl.lit("train"))
