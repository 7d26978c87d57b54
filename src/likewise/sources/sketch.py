"""Sketches and the photos that they were drawn after: fine-grained sketch-based retrieval.

Source: the folders of the ARNet project (trainA, trainB, testA, testB; ``{photo}_{n}.png``),
and QMUL's archives of ShoeV2 and ChairV2 with their lists.
"""

from pathlib import Path
from typing import ClassVar

import polars as pl
import pyarrow as pa

from likewise.errors import DataError, bounded
from likewise.formats.archives import Files
from likewise.schema import Column
from likewise.sources.annotation_files import NotesToo
from likewise.sources.base import (
    Reading,
    Source,
    findings,
    hidden,
    is_image,
    no_images,
    not_images,
    reading,
)
from likewise.sources.sketch_lists import SPLITS, listed_splits
from likewise.storage.config import Licence

_PAIRED = r"(?s)\A(?<top>(?:.*?/)??)(?<split>train|val|test)(?<side>[AB])/(?<name>.+)\z"
_NAMED = (
    r"(?is)\A(?<top>(?:.*?/)??(?:[^/]*?[_-])??)"
    r"(?<side>photo|sketch)(?:s|es)?(?:[_-]png)?/(?<name>.+)\z"
)
_STEM = r"(?s)\A(.+)\.[^.]*\z"
_SKETCH = r"(?s)\A(.+)_([0-9]+)\.[^.]*\z"
_EXPECTED = (
    "trainA/00066_01.png (a sketch) and trainB/00066.png (its photo), "
    "or sketch/00066_1.png and photo/00066.png"
)


class Sketch(Source):
    """Photos, and any number of sketches of each: label = the photo's name without suffix.

    A sketch ``{photo}_{n}.png`` is a query, a photo is of the gallery, whether it was sketched
    or not. The splits are the folders ``trainA`` (sketches), ``trainB`` (photos), ``testA``
    ..., or else lists beside the folders ``photo`` and ``sketch`` (also ``ShoeV2_photo``):
    ``photo_train.txt``, ``sketch_train.txt``, ``photo_test.txt`` ... . Rows are by split,
    sketches before photos, then by label and path.
    """

    protocols: ClassVar[tuple[str, ...]] = ("sbir-acc",)
    title: ClassVar[str] = "Sketches and photos"
    licence: ClassVar[Licence] = Licence(
        terms="Clothes-V1, ShoeV2 and ChairV2 state no licence; ask their authors"
    )
    citation: ClassVar[str] = (
        "Clothes-V1: Jianan Jiang, Hao Tang, Zhilin Jiang, Weiren Yu, Di Wu: ARNet: "
        "Self-Supervised FG-SBIR with Unified Sample Feature Alignment and Multi-Scale Token "
        "Recycling. arXiv:2406.11551. ShoeV2 and ChairV2: Qian Yu, Feng Liu, Yi-Zhe Song, "
        "Tao Xiang, Timothy M. Hospedales, Chen Change Loy: Sketch Me That Shoe. CVPR 2016"
    )
    faults: ClassVar[tuple[str, ...]] = (
        "test sketches of ShoeV2 are 666 in the download and 679 in papers; compare the counts",
        "test sketches of ChairV2 are 311 in the download and 324 in papers; likewise",
    )
    further: ClassVar[tuple[Column, ...]] = (
        Column("pair", pa.string(), "of a sketch: the image of its photo", nullable=True),
        Column(
            "designer",
            pa.string(),
            "of a sketch: the digits behind its photo's name, who drew it or which it is",
            nullable=True,
        ),
        Column("sketches", pa.int32(), "of a photo: how many sketches it has", nullable=True),
    )

    root: str = ""
    """How the paths begin that are read, where there are several sets: ``QMUL/ShoeV2``."""

    def read(self, files: Files, annotations: Path) -> Reading:
        """See ``Source.read``."""
        paths = self._placed(files)
        images = paths.filter(is_image())
        nested = pl.col("name").str.contains("/", literal=True)
        flat = images.filter(~nested)
        photos, more_photos = _photos(flat.filter(side="photo"))
        sketches, nameless, more_sketches = _sketches(flat.filter(side="sketch"))
        if photos.is_empty() or sketches.is_empty():
            raise no_images(files, _EXPECTED)
        faults = [
            not_images(paths),
            findings(images.filter(nested), "bad-name", "it lies in a folder too deep"),
            findings(nameless, "bad-name", "a sketch is called {photo}_{number}.png"),
            findings(pl.concat([more_photos, more_sketches]), "twice", _TWICE),
        ]
        in_folders = paths["split"].null_count() == 0
        if not in_folders:
            notes = NotesToo(files, annotations)
            photos, sketches, listed = listed_splits(notes, photos, sketches)
            faults += listed
        pairs, alone = _paired(photos, sketches, by_split=in_folders)
        return reading(files, _items(photos, pairs), *faults, *alone, further=self.further)

    def _placed(self, files: Files) -> pl.DataFrame:
        """The files of both folders of every split: path, split, side, name."""
        paths = files.listing().select("path")
        paths = paths.filter(pl.col("path").str.starts_with(self.root.lstrip("/")))
        for pattern in (_PAIRED, _NAMED):
            parts = pl.col("path").str.extract_groups(pattern)
            found = paths.with_columns(parts=parts).unnest("parts").drop_nulls("name")
            if "split" not in found.columns:
                found = found.with_columns(split=pl.lit(None, pl.String))
            if len(found):
                return self._one_set(files, found)
        raise no_images(files, _EXPECTED)

    def _one_set(self, files: Files, found: pl.DataFrame) -> pl.DataFrame:
        tops = found.filter(~hidden())["top"].unique().sort()
        if len(tops) > 1:
            shown = bounded((repr(top.rstrip("_-") or "./") for top in tops), len(tops))
            raise DataError(
                f"{files.path} holds several sets of sketches: {shown}; point at one of them, "
                "or name how its paths begin in the card: source: root: ..."
            )
        sides = {"A": "sketch", "B": "photo"}
        return found.with_columns(side=pl.col("side").replace(sides).str.to_lowercase())


_TWICE = "an image of that name has another suffix, and is taken"


def _photos(images: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Photos with their label, one of a name; and the others of these names."""
    named = images.sort("path").with_columns(label=pl.col("name").str.extract(_STEM))
    named = named.with_columns(key=pl.col("label"))
    first = named.unique(["split", "key"], keep="first", maintain_order=True)
    return first, named.join(first, on="path", how="anti").select("path")


def _sketches(
    images: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Sketches with label and designer; those without a number; others of the same name."""
    named = images.sort("path").with_columns(
        label=pl.col("name").str.extract(_SKETCH),
        designer=pl.col("name").str.extract(_SKETCH, 2),
        key=pl.col("name").str.extract(_STEM),
    )
    numbered = named.drop_nulls("label")
    first = numbered.unique(["split", "key"], keep="first", maintain_order=True)
    return (
        first,
        named.filter(pl.col("label").is_null()),
        numbered.join(first, on="path", how="anti").select("path"),
    )


def _paired(
    photos: pl.DataFrame, sketches: pl.DataFrame, *, by_split: bool
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Sketches with their photo; and findings of those that have none, or one elsewhere.

    With lists a sketch finds its photo in any split; in folders, in the one beside its own.
    """
    on = ["split", "label"] if by_split else ["label"]
    known = photos.select("label", pair="path", there="split", split="split")
    known = known if by_split else known.drop("split")
    joined = sketches.join(known, on=on, how="left", nulls_equal=True, maintain_order="left")
    detail = pl.format("there is no photo called {}", "label")
    astray = joined.filter(pl.col("split") != pl.col("there"))
    twins = photos.filter(pl.col("label").is_duplicated())
    return joined.drop_nulls("pair"), [
        findings(joined.filter(pl.col("pair").is_null()), "no-photo", detail),
        findings(astray, "two-splits", pl.format("its photo is in {}", "there")),
        findings(twins, "two-splits", "a photo of that name is in another split too"),
    ]


def _items(photos: pl.DataFrame, sketches: pl.DataFrame) -> pl.DataFrame:
    counts = sketches.group_by("pair").agg(sketches=pl.len().cast(pl.Int32))
    gallery = photos.join(counts, left_on="path", right_on="pair", how="left").with_columns(
        pl.col("sketches").fill_null(0), role=pl.lit("gallery")
    )
    queries = sketches.with_columns(role=pl.lit("query"))
    both = pl.concat([queries, gallery], how="diagonal").rename({"path": "image_id"})
    rank = pl.col("split").replace_strict(
        SPLITS, range(len(SPLITS)), default=len(SPLITS), return_dtype=pl.Int8
    )
    order = [rank, pl.col("role") == "gallery", pl.col("label"), pl.col("image_id")]
    return both.sort(order)
