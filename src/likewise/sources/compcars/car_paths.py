"""CompCars' folders: which car is in which image, by the image's path alone."""

from collections.abc import Sequence

import polars as pl

from likewise.errors import DataError, bounded
from likewise.formats.archives import Files
from likewise.sources.base import findings, hidden, is_image, no_images, not_images

SUBSETS = ("web", "part", "sv")
"""Whole cars from the web, parts of them, and whole cars from surveillance cameras."""

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
"""The parts 1 to 8."""

_ID = "[0-9]{1,9}"
_CAR = rf"(?<make_id>{_ID})/(?<model_id>{_ID})/(?<year>[^/]+)"
_KEYS = {
    "web": rf"(?s)\A(?<top>(?:.*/)?)image/(?<key>{_CAR}/[^/]+)\z",
    "part": rf"(?s)\A(?<top>(?:.*/)?)part/(?<key>{_CAR}/(?<part>[1-8])/[^/]+)\z",
    "sv": rf"(?s)\A(?<top>(?:.*/)?)image/(?<key>(?<sv_model_id>{_ID})/[^/]+)\z",
}
_FOLDERS = {"web": "image", "part": "part", "sv": "image"}
_IDS = ("make_id", "model_id", "sv_model_id")
_EXPECTED = "data/image/{make}/{model}/{year}/{name}.jpg, sv_data/image/{model}/{name}.jpg"


def cars(files: Files, subsets: Sequence[str]) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Every image of the ``subsets``, in canonical order, and findings about other files there.

    Columns: path, subset, top (up to the folder of images), key (the path below that folder,
    as lists name it), make_id, model_id, year, part, sv_model_id; those that do not fit the
    subset are null. Rows are by subset, ids, and path.

    Raises:
        DataError: there is none, or a subset lies in several places.
    """
    listing = files.listing().select("path")
    frames = [_subset(listing, name) for name in SUBSETS if name in subsets]
    found = pl.concat(frames, how="diagonal")
    if found.is_empty():
        raise no_images(files, _EXPECTED)
    _one_place(files, found)
    used = found.select("top", folder=pl.col("subset").replace_strict(_FOLDERS)).unique()
    near = pl.concat(
        [_below(listing, f"{top}{folder}/") for top, folder in used.sort(pl.all()).iter_rows()]
    )
    others = near.join(found, on="path", how="anti", maintain_order="left")
    strangers = others.filter(is_image())
    rank = pl.col("subset").replace_strict(SUBSETS, range(3), return_dtype=pl.Int8)
    absent = [
        pl.lit(None, kind).alias(name)
        for name, kind in {**dict.fromkeys(_IDS, pl.Int32), "part": pl.Int8}.items()
        if name not in found.columns
    ]
    if "year" not in found.columns:
        absent.append(pl.lit(None, pl.String).alias("year"))
    ordered = found.with_columns(absent).sort(rank, *_IDS, "year", "part", "path")
    return ordered, [
        not_images(others),
        findings(
            strangers, "bad-name", "expected {make}/{model}/{year}/{name}, all ids numbers"
        ),
    ]


def _subset(listing: pl.DataFrame, name: str) -> pl.DataFrame:
    parts = pl.col("path").str.extract_groups(_KEYS[name])
    found = listing.filter(is_image()).with_columns(parts=parts).unnest("parts")
    ids = [pl.col(c).cast(pl.Int32) for c in _IDS if c in found.columns]
    ids += [pl.col(c).cast(pl.Int8) for c in ("part",) if c in found.columns]
    return found.drop_nulls("key").with_columns(*ids, subset=pl.lit(name))


def _below(listing: pl.DataFrame, folder: str) -> pl.DataFrame:
    return listing.filter(pl.col("path").str.starts_with(folder))


def _one_place(files: Files, found: pl.DataFrame) -> None:
    tops = found.filter(~hidden()).select("subset", "top").unique().sort(pl.all())
    for (name,), part in tops.group_by("subset", maintain_order=True):
        if len(part) > 1:
            places = bounded((repr(top or "./") for top in part["top"]), len(part))
            raise DataError(
                f"{files.path} holds the images of {name!r} in several places: {places}; "
                "point at one of them"
            )
