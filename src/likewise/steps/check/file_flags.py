"""Flags of single images: too small a file or picture, too dark, too bright, blurred."""

from collections.abc import Iterator

import polars as pl

from likewise.steps.check.flag_rows import flags
from likewise.storage.config import Check


def check_files(images: pl.DataFrame, bounds: Check) -> Iterator[pl.DataFrame]:
    """The flags of ``images`` (a row each, with facts and measures), a frame a bound.

    Source: FISSP, ``download_fissp.py`` and ``prepare_dataset.py``; the same strict
    comparisons, so that 200 x 200 pixels pass. There such files were deleted.
    """
    light, sharp = pl.col("brightness"), pl.col("sharpness")
    side = pl.min_horizontal("width", "height")
    yield _below(images, "few_bytes", pl.col("nbytes"), bounds.min_bytes, "{} bytes")
    yield _below(images, "small", side, bounds.min_side, "a side of {} pixels")
    yield _below(images, "dark", light, bounds.min_brightness, "brightness {}")
    yield _below(images, "blurred", sharp, bounds.min_sharpness, "sharpness {}")
    if bounds.max_brightness is not None:
        said = pl.format(f"brightness {{}}, above {bounds.max_brightness:g}", light.round(4))
        bright = images.filter(light > bounds.max_brightness)
        yield flags(bright, "bright", said, value=light)
    unreadable = images.filter(pl.col("fault").is_not_null())
    yield flags(unreadable, "unreadable", pl.col("fault"))


def _below(
    images: pl.DataFrame, flag: str, value: pl.Expr, bound: float | None, words: str
) -> pl.DataFrame:
    """A flag for each of ``images`` whose ``value`` is below ``bound``, if there is one."""
    if bound is None:
        return flags(images.clear(), flag, pl.lit(""))
    said = pl.format(f"{words}, below {bound:g}", value.round(4))
    return flags(images.filter(value < bound), flag, said, value=value)
