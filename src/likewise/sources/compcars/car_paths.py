"""Find CompCars' images, and read make, model and year from their paths."""

from collections.abc import Sequence

import polars as pl

from likewise.errors import DataError, bounded
from likewise.formats.archives import FileCollection
from likewise.sources.base import (
    findings_about,
    is_hidden,
    is_image,
    no_images_error,
    non_image_findings,
)

SUBSETS = ("web", "part", "sv")
"""Cars from the web, parts of cars, and cars from surveillance cameras."""

PARTS = (
    "headlight",
    "taillight",
    "fog light",
    "air intake",
    "console",
    "steering wheel",
    "dashboard",
    "gear lever",
)
"""Names of the parts 1 to 8."""

_ID = "[0-9]{1,9}"
_CAR_GROUPS = rf"(?<make_id>{_ID})/(?<model_id>{_ID})/(?<year>[^/]+)"
_PATH_PATTERNS = {
    "web": rf"(?s)\A(?<top>(?:.*/)?)image/(?<key>{_CAR_GROUPS}/[^/]+)\z",
    "part": rf"(?s)\A(?<top>(?:.*/)?)part/(?<key>{_CAR_GROUPS}/(?<part>[1-8])/[^/]+)\z",
    "sv": rf"(?s)\A(?<top>(?:.*/)?)image/(?<key>(?<sv_model_id>{_ID})/[^/]+)\z",
}
_FOLDERS = {"web": "image", "part": "part", "sv": "image"}
_ID_COLUMNS = ("make_id", "model_id", "sv_model_id")
_EXPECTED = "data/image/{make}/{model}/{year}/{name}.jpg, sv_data/image/{model}/{name}.jpg"


def find_cars(
    files: FileCollection, subsets: Sequence[str]
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Find all images of ``subsets`` in canonical order, and return findings about other files.

    Returns:
        ``path``, ``subset``, ``top`` (path up to the image folder), ``key`` (path below it, as
        used in lists), ``make_id``, ``model_id``, ``year``, ``part``, ``sv_model_id`` (null
        where they do not apply), sorted by subset, ids and path; and findings.

    Raises:
        DataError: there is no image, or a subset is in several places.
    """
    listing = files.listing().select("path")
    frames = [_subset(listing, name) for name in SUBSETS if name in subsets]
    images = pl.concat(frames, how="diagonal")
    if images.is_empty():
        raise no_images_error(files, _EXPECTED)
    _check_one_place(files, images)
    folders = images.select("top", folder=pl.col("subset").replace_strict(_FOLDERS)).unique()
    nearby = pl.concat(
        [
            _files_below(listing, f"{top}{folder}/")
            for top, folder in folders.sort(pl.all()).iter_rows()
        ]
    )
    other_files = nearby.join(images, on="path", how="anti", maintain_order="left")
    other_images = other_files.filter(is_image())
    rank = pl.col("subset").replace_strict(SUBSETS, range(3), return_dtype=pl.Int8)
    absent = [
        pl.lit(None, kind).alias(name)
        for name, kind in {**dict.fromkeys(_ID_COLUMNS, pl.Int32), "part": pl.Int8}.items()
        if name not in images.columns
    ]
    if "year" not in images.columns:
        absent.append(pl.lit(None, pl.String).alias("year"))
    ordered = images.with_columns(absent).sort(rank, *_ID_COLUMNS, "year", "part", "path")
    return ordered, [
        non_image_findings(other_files),
        findings_about(
            other_images, "bad-name", "expected {make}/{model}/{year}/{name}, all ids numbers"
        ),
    ]


def _subset(listing: pl.DataFrame, name: str) -> pl.DataFrame:
    groups = pl.col("path").str.extract_groups(_PATH_PATTERNS[name])
    images = listing.filter(is_image()).with_columns(groups=groups).unnest("groups")
    ids = [pl.col(c).cast(pl.Int32) for c in _ID_COLUMNS if c in images.columns]
    ids += [pl.col(c).cast(pl.Int8) for c in ("part",) if c in images.columns]
    return images.drop_nulls("key").with_columns(*ids, subset=pl.lit(name))


def _files_below(listing: pl.DataFrame, folder: str) -> pl.DataFrame:
    return listing.filter(pl.col("path").str.starts_with(folder))


def _check_one_place(files: FileCollection, images: pl.DataFrame) -> None:
    tops = images.filter(~is_hidden()).select("subset", "top").unique().sort(pl.all())
    for (name,), group in tops.group_by("subset", maintain_order=True):
        if len(group) > 1:
            places = bounded((repr(top or "./") for top in group["top"]), len(group))
            raise DataError(
                f"{files.path} has the images of {name!r} in several places: {places}; give "
                "the path of one of them"
            )
