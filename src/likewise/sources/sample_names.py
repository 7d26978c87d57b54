"""Files of WebDataset's samples, whose names may have several dots.

The format ends a sample's name at the first dot. Tools also write names with dots, such as
``22.06.jpg`` and ``22.06.cls``; then the first dot would join several samples.
"""

import re
from collections.abc import Callable

import polars as pl

_KEY = r"(?s)\A((?:.*/)?[^/.]+)\."
_STEM = r"(?s)\A(.*)\.[^./]*\z"
_MAX_DOTS = 8


def find_owners(
    sample_files: pl.DataFrame, images: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Find the images that each file of a sample describes.

    Args:
        sample_files: files other than images: ``path``.
        images: paths of the images.

    Returns:
        ``sample_files`` with ``owner``, the common beginning of the names, or null if no image
        has it; and ``path``, ``owner``, ``distance``: the possible owners of each image.
    """
    keyed = pl.DataFrame({"path": images}).with_columns(
        key=pl.col("path").str.extract(_KEY), owner=pl.col("path").str.extract(_STEM)
    )
    keyed = keyed.drop_nulls(["key", "owner"])
    levels = []
    for distance in range(_MAX_DOTS):
        levels.append(keyed.select("path", "owner", distance=pl.lit(distance)))
        keyed = keyed.filter(pl.col("owner") != pl.col("key")).with_columns(
            owner=pl.col("owner").str.replace(r"\.[^./]*\z", "")
        )
        if keyed.is_empty():
            break
    owners = pl.concat(levels)
    known = owners.select("owner").unique()
    located = sample_files.with_columns(
        key=pl.col("path").str.extract(_KEY), owner=pl.col("path").str.extract(_STEM)
    )
    own, shared = pl.col("owner"), pl.col("key")
    return located.with_columns(
        owner=pl.when(own.is_in(known["owner"].implode()))
        .then(own)
        .when(shared.is_in(known["owner"].implode()))
        .then(shared)
    ), owners


def owner_of(sample_files: pl.DataFrame) -> Callable[[str], str]:
    """Return the function path -> owner of the files from ``find_owners``."""
    names = sample_files.select("path", "owner")
    odd = names.filter(pl.col("path").str.extract(_KEY) != pl.col("owner"))
    owners = dict(odd.iter_rows())  # few: all others are known by their names

    def owner(path: str) -> str:
        match = re.match(_KEY, path)
        return owners.get(path) or (match[1] if match else path)

    return owner


def nearest_owners(owners: pl.DataFrame, wanted: pl.Series) -> pl.DataFrame:
    """Return ``path`` and ``owner``: the nearest owner of each image that is in ``wanted``."""
    present = owners.filter(pl.col("owner").is_in(wanted.unique().implode()))
    return present.sort("distance", maintain_order=True).unique(
        "path", keep="first", maintain_order=True
    )
