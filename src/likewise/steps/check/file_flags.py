"""Flags of single images: few bytes, small, dark, bright, blurred, unreadable."""

from collections.abc import Iterator

import polars as pl

from likewise.steps.check.flag_rows import flags
from likewise.storage.config import Check

BOUNDS = {
    "few_bytes": "min_bytes",
    "small": "min_side",
    "dark": "min_brightness",
    "blurred": "min_sharpness",
    "bright": "max_brightness",
}
"""Flag -> the option of ``checks`` that sets its bound."""


def check_files(images: pl.DataFrame, bounds: Check) -> Iterator[pl.DataFrame]:
    """Yield one frame of flags per bound; ``images`` has one row each, facts and measures.

    Source: FISSP, ``download_fissp.py`` and ``prepare_dataset.py``, with their strict
    comparisons: 200 x 200 pixels pass. The original programs deleted such files.
    """
    light, sharp = pl.col("brightness"), pl.col("sharpness")
    side = pl.min_horizontal("width", "height")
    yield _below(images, "few_bytes", pl.col("nbytes"), bounds, "{} bytes")
    yield _below(images, "small", side, bounds, "a side of {} pixels")
    yield _below(images, "dark", light, bounds, "brightness {}")
    yield _below(images, "blurred", sharp, bounds, "sharpness {}")
    if bounds.max_brightness is not None:
        detail = pl.format(f"brightness {{}}, above {bounds.max_brightness:g}", light.round(4))
        bright = images.filter(light > bounds.max_brightness)
        yield flags(bright, "bright", detail, value=light)
    unreadable = images.filter(pl.col("fault").is_not_null())
    yield flags(unreadable, "unreadable", pl.col("fault"))


def _below(
    images: pl.DataFrame, flag: str, value: pl.Expr, bounds: Check, words: str
) -> pl.DataFrame:
    """Flag each of ``images`` whose ``value`` is below the bound; none if it is None."""
    bound = getattr(bounds, BOUNDS[flag])
    if bound is None:
        return flags(images.clear(), flag, pl.lit(""))
    detail = pl.format(f"{words}, below {bound:g}", value.round(4))
    return flags(images.filter(value < bound), flag, detail, value=value)
