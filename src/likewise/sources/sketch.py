"""Sketches and their photos, for fine-grained sketch-based retrieval.

Sources: folders of the ARNet project (trainA, trainB, testA, testB; ``{photo}_{n}.png``), and
QMUL's archives of ShoeV2 and ChairV2 with their lists.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pyarrow as pa

from likewise.errors import DataError, bounded
from likewise.formats.archives import FileCollection
from likewise.sources.annotation_files import AnnotationFilesWithFallback
from likewise.sources.base import (
    Source,
    SourceResult,
    findings_about,
    is_hidden,
    is_image,
    no_images_error,
    non_image_findings,
    source_result,
)
from likewise.sources.sketch_lists import SPLITS, assign_splits
from likewise.sources.split_names import split_expr
from likewise.storage.config import Licence
from likewise.storage.schema import Column

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


class SketchSource(Source):
    """Photos and sketches of them; the label is the photo's name without suffix.

    Sketches ``{photo}_{n}.png`` are queries; photos are the gallery, also without sketches. The
    splits are folders ``trainA`` (sketches), ``trainB`` (photos), ``testA`` ..., or lists next
    to the folders ``photo`` and ``sketch`` (also ``ShoeV2_photo``): ``photo_train.txt``,
    ``sketch_train.txt``, ``photo_test.txt`` ..., or folders in them: ``photo/train``. Items are
    sorted by split, sketches before photos, then by label and path.
    """

    protocols: ClassVar[tuple[str, ...]] = ("sbir-acc",)
    # Black lines on white: nearly all sketches exceed a bound that suits photographs.
    check_bounds: ClassVar[Mapping[str, Any]] = {"max_brightness": None}
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
    extra_columns: ClassVar[tuple[Column, ...]] = (
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
    """Prefix of the paths to read, if there are several sets, such as ``QMUL/ShoeV2``."""

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        located = self._placed(files)
        images = located.filter(is_image())
        nested = pl.col("name").str.contains("/", literal=True)
        direct = images.filter(~nested)
        photos, repeated_photos = _photos(direct.filter(side="photo"))
        sketches, unnumbered, repeated_sketches = _sketches(direct.filter(side="sketch"))
        if photos.is_empty() or sketches.is_empty():
            raise no_images_error(files, _EXPECTED)
        faults = [
            non_image_findings(located),
            findings_about(images.filter(nested), "bad-name", "it lies in a folder too deep"),
            findings_about(unnumbered, "bad-name", "a sketch is called {photo}_{number}.png"),
            findings_about(pl.concat([repeated_photos, repeated_sketches]), "twice", _TWICE),
        ]
        in_folders = located["split"].null_count() == 0
        if not in_folders:
            annotation_files = AnnotationFilesWithFallback(files, annotations)
            photos, sketches, list_findings = assign_splits(annotation_files, photos, sketches)
            faults += list_findings
        paired, pair_findings = _paired(photos, sketches, by_split=in_folders)
        return source_result(
            files,
            _items(photos, paired),
            *faults,
            *pair_findings,
            extra_columns=self.extra_columns,
        )

    def _placed(self, files: FileCollection) -> pl.DataFrame:
        """Return ``path``, ``split``, ``side``, ``name`` of files in both folders per split."""
        paths = files.listing().select("path")
        paths = paths.filter(pl.col("path").str.starts_with(self.root.lstrip("/")))
        for pattern in (_PAIRED, _NAMED):
            groups = pl.col("path").str.extract_groups(pattern)
            located = paths.with_columns(groups=groups).unnest("groups").drop_nulls("name")
            if "split" not in located.columns:
                located = _with_inner_splits(located)
            if len(located):
                return self._one_set(files, located)
        raise no_images_error(files, _EXPECTED)

    def _one_set(self, files: FileCollection, located: pl.DataFrame) -> pl.DataFrame:
        tops = located.filter(~is_hidden())["top"].unique().sort()
        if len(tops) > 1:
            shown = bounded((repr(top.rstrip("_-") or "./") for top in tops), len(tops))
            raise DataError(
                f"{files.path} has several sets of sketches: {shown}; give the path of one of "
                "them, or set the prefix of its paths in the card: source: root: ..."
            )
        sides = {"A": "sketch", "B": "photo"}
        return located.with_columns(side=pl.col("side").replace(sides).str.to_lowercase())


def _with_inner_splits(located: pl.DataFrame) -> pl.DataFrame:
    """Add the split of folders such as ``photo/train/``, if all images are in such folders."""
    inner = located.with_columns(
        split=split_expr(pl.col("name").str.extract(r"\A([^/]*)/")),
        inner=pl.col("name").str.extract(r"(?s)\A[^/]*/(.*)"),
    )
    if inner.filter(is_image())["split"].null_count():
        return located.with_columns(split=pl.lit(None, pl.String))
    return inner.drop_nulls("split").with_columns(name="inner").drop("inner")


_TWICE = "an image of that name has another suffix, and is taken"


def _photos(images: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return one photo per name, with its label; and the other photos of these names."""
    labelled = images.sort("path").with_columns(label=pl.col("name").str.extract(_STEM))
    labelled = labelled.with_columns(key=pl.col("label"))
    first = labelled.unique(["split", "key"], keep="first", maintain_order=True)
    return first, labelled.join(first, on="path", how="anti").select("path")


def _sketches(
    images: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return sketches with label and designer; those without number; and repeated names."""
    labelled = images.sort("path").with_columns(
        label=pl.col("name").str.extract(_SKETCH),
        designer=pl.col("name").str.extract(_SKETCH, 2),
        key=pl.col("name").str.extract(_STEM),
    )
    numbered = labelled.drop_nulls("label")
    first = numbered.unique(["split", "key"], keep="first", maintain_order=True)
    return (
        first,
        labelled.filter(pl.col("label").is_null()),
        numbered.join(first, on="path", how="anti").select("path"),
    )


def _paired(
    photos: pl.DataFrame, sketches: pl.DataFrame, *, by_split: bool
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return sketches with their photo, and findings about missing or conflicting photos.

    With ``by_split`` the photo must be in the split of the sketch (layout with folders);
    otherwise it may be in any split (layout with lists).
    """
    on = ["split", "label"] if by_split else ["label"]
    photo_keys = photos.select("label", pair="path", photo_split="split", split="split")
    photo_keys = photo_keys if by_split else photo_keys.drop("split")
    joined = sketches.join(
        photo_keys, on=on, how="left", nulls_equal=True, maintain_order="left"
    )
    detail = pl.format("there is no photo called {}", "label")
    split_conflicts = joined.filter(pl.col("split") != pl.col("photo_split"))
    twins = photos.filter(pl.col("label").is_duplicated())
    return joined.drop_nulls("pair"), [
        findings_about(joined.filter(pl.col("pair").is_null()), "no-photo", detail),
        findings_about(
            split_conflicts, "two-splits", pl.format("its photo is in {}", "photo_split")
        ),
        findings_about(twins, "two-splits", "a photo of that name is in another split too"),
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
