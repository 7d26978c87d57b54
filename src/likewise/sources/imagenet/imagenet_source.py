"""ImageNet as items: label = WNID, and every other id and name that its tables give."""

from pathlib import Path
from typing import ClassVar, Literal

import polars as pl
import pyarrow as pa

from likewise.errors import ConfigError, DataError
from likewise.formats.archives import Files, open_files
from likewise.schema import Column
from likewise.sources.annotation_files import NotesToo
from likewise.sources.base import Reading, Source, findings, findings_frame, reading
from likewise.sources.box_source import boxed
from likewise.sources.imagenet.class_subsets import Subset, read_subset
from likewise.sources.imagenet.localisation import EXPECTED, Boxes, read_boxes
from likewise.sources.imagenet.picture_paths import SPLITS, pictures
from likewise.sources.imagenet.synsets import classes
from likewise.sources.imagenet.validation_classes import truth
from likewise.sources.list_files import dangling, lines, repeated
from likewise.sources.voc_xml import Corners
from likewise.storage.config import Licence

_TEXT, _ID = pa.string(), pa.int32()
_LISTS = r"cls-loc/(train_cls|val|test)\.txt\z"
_ENTRY = r"\A(\S+?)(?:\.jpe?g)?(?:\s+([0-9]{1,9}))?\z"


class ImageNet(Source):
    """The classification data of ILSVRC: label = WNID, text = the human label.

    Images are ``Data/CLS-LOC/{train/WNID,val,test}``, or ``train/WNID`` and ``val`` anywhere,
    or the official tars (one holds a tar a class) as they are. A validation image has the
    class that ``LOC_val_solution.csv`` or the devkit's ground truth says, else that of its
    folder. Rows are by split, then in the order of the lists ``ImageSets/CLS-LOC/*.txt``
    where those are, else by WNID and path. ``subset`` keeps the classes of a list; ``items``
    makes items of the boxes that the localisation task adds.
    """

    title: ClassVar[str] = "ImageNet (ILSVRC classification)"
    licence: ClassVar[Licence] = Licence(
        terms="ImageNet's terms of access: non-commercial research and education"
    )
    citation: ClassVar[str] = (
        "Olga Russakovsky, Jia Deng, Hao Su, et al.: ImageNet Large Scale Visual Recognition "
        "Challenge. IJCV 115(3), 2015. arXiv:1409.0575"
    )
    faults: ClassVar[tuple[str, ...]] = (
        "human labels that name two classes: crane (n02012849, n03126707)",
        "human labels that name two classes: maillot (n03710637, n03710721)",
        "devkit ids (1 to 1000) are not the places of the sorted WNIDs (0 to 999)",
    )
    protocols: ClassVar[tuple[str, ...]] = ("gpr1200-strict",)
    further: ClassVar[tuple[Column, ...]] = (
        Column("wnid", _TEXT, "the class's id in WordNet 3.0", nullable=True),
        Column(
            "class_index",
            _ID,
            "the class's place from 0: in the subset's list, else among the sorted WNIDs",
            nullable=True,
        ),
        Column("devkit_id", _ID, "the class's id in the devkit, from 1", nullable=True),
        Column("words", _TEXT, "all words for the class", nullable=True),
        Column("gloss", _TEXT, "what the class is, in a sentence", nullable=True),
        Column("train_images", _ID, "training images of the class in ILSVRC", nullable=True),
        Column("list_id", pa.int64(), "the image's number in its list, from 1", nullable=True),
    )

    subset: str = ""
    """Which classes: imagenet30, imagenet100, or the name of a file of WNIDs beside the
    annotations; by default all."""

    subset_sha256: str = ""
    """What the subset's list must be, as a digest: SHA-256 of its WNIDs, '\\n' between them."""

    items: Literal["images", "boxes"] = "images"
    """Whether an item is a whole image, or a box that is annotated in one."""

    unboxed: Literal["keep", "drop"] = "keep"
    """Where items are boxes: what becomes of images that have none."""

    corners: Corners = "half-open"
    """How the boxes' corners count: half-open from 0, or from 1 and inclusive."""

    def open(self, path: Path) -> Files:
        """The files at ``path``, and those in its tars and in the tars in them."""
        return open_files(path, inside=True)

    def read(self, files: Files, annotations: Path) -> Reading:
        """See ``Source.read``."""
        notes = NotesToo(files, annotations, inside=True)
        wanted = self._subset(notes)
        images, faults = pictures(files)
        table = classes(notes)
        told, about_truth = truth(notes, table)
        labelled, astray = _labelled(images, told)
        listed, about_lists = _listed(notes, labelled, wanted)
        ordered = _in_order(listed, wanted)
        if ordered.is_empty():
            raise DataError(
                f"{files.path} holds no image of the {len(wanted.wnids) if wanted else 0} "
                f"classes of {self.subset!r}; correct subset in the card"
            )
        boxes = self._boxes(notes, labelled, wanted)
        wholes = None
        if boxes:
            made = boxed(ordered, boxes.boxes, pl.lit(self.unboxed == "keep"))
            faults += [*boxes.faults, made.faults]
            ordered, wholes = made.items, _with_classes(made.wholes, table, wanted)
        items = _with_classes(ordered, table, wanted)
        gaps = _gaps(items, table, wanted)
        return reading(
            files,
            items,
            *faults,
            about_truth,
            *astray,
            *about_lists,
            gaps,
            further=self.further,
            sizes=boxes.sizes if boxes else None,
            wholes=wholes,
        )

    def _boxes(
        self, notes: NotesToo, images: pl.DataFrame, wanted: Subset | None
    ) -> Boxes | None:
        """The boxes of ``images``, where items are boxes.

        Raises:
            DataError: there are no annotations of boxes.
        """
        if self.items == "images":
            return None
        kept = pl.DataFrame({"wnid": wanted.wnids if wanted else []}, {"wnid": pl.String})
        found = read_boxes(notes, images, kept, self.corners)
        if not found.files:
            raise notes.absent(EXPECTED)
        return found

    def _subset(self, notes: NotesToo) -> Subset | None:
        found = read_subset(self.subset, notes) if self.subset else None
        if self.subset_sha256 and (found is None or found.sha256 != self.subset_sha256):
            there = (
                f"that of {found.name!r} is {found.sha256}" if found else "subset is missing"
            )
            raise ConfigError(f"source: subset_sha256 is {self.subset_sha256!r}, but {there}")
        return found


def _labelled(
    images: pl.DataFrame, told: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """``images`` with their label, and findings about validation images."""
    known = told.with_columns(split=pl.lit("val"))
    joined = images.join(known, on=["split", "number"], how="left", maintain_order="left")
    astray = joined.filter((pl.col("split") == "val") & (pl.col("wnid") != pl.col("label")))
    labelled = joined.with_columns(label=pl.coalesce("label", "wnid"))
    bare = labelled.filter((pl.col("split") == "val") & pl.col("label").is_null())
    if told.is_empty() and len(bare):
        said = (
            f"no class is known of {len(bare):,} images: put LOC_val_solution.csv, or the "
            "devkit's ground truth and meta_clsloc.csv, where the annotations are"
        )
        about = findings_frame([("val", "no-label", said)])
    else:
        about = findings(bare, "no-label", "the ground truth does not say its class")
    detail = pl.format("it lies in the folder of {}, and is of {}", "wnid", "label")
    return labelled, [about, findings(astray, "contradiction", detail)]


def _listed(
    notes: NotesToo, images: pl.DataFrame, wanted: Subset | None
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """``images`` with their number in the lists, and findings about those."""
    told = lines(notes, _LISTS).with_columns(
        split=pl.col("list").str.extract(r"(train|val|test)[^/]*\z"),
        key=pl.col("text").str.extract(rf"(?i){_ENTRY}"),
        list_id=pl.col("text").str.extract(rf"(?i){_ENTRY}", 2).cast(pl.Int64),
    )
    entries, twice = repeated(told.drop_nulls("key").with_columns(text="key"))
    entries = entries.with_columns(list_id=pl.coalesce("list_id", "line"))
    broken = told.filter(pl.col("key").is_null())
    where = pl.format("{}: line {}", "list", "line")
    key = pl.when(split="train").then(pl.concat_str("wnid", "stem", separator="/"))
    keyed = images.with_columns(key=key.otherwise("stem"))
    found = keyed.join(
        entries.select("split", "key", "list_id").unique(["split", "key"], keep="first"),
        on=["split", "key"],
        how="left",
        maintain_order="left",
    )
    lost = entries.join(keyed, on=["split", "key"], how="anti", maintain_order="left")
    if wanted:
        lost = lost.filter(pl.col("key").str.head(9).is_in(wanted.wnids))
    return found.with_columns(list_id=pl.coalesce("list_id", "number")), [
        twice,
        findings(
            broken.with_columns(path=where), "bad-annotation", "expected a name and a number"
        ),
        dangling(entries, lost),
    ]


def _in_order(images: pl.DataFrame, wanted: Subset | None) -> pl.DataFrame:
    """``images`` in canonical order, those of the subset if there is one."""
    rank = pl.col("split").replace_strict(SPLITS, range(3), return_dtype=pl.Int8)
    kept = images.filter(pl.col("label").is_in(wanted.wnids)) if wanted else images
    ordered = kept.sort(rank, "list_id", "label", "path", nulls_last=True)
    return ordered.with_columns(image_id="path")


def _with_classes(
    images: pl.DataFrame, table: pl.DataFrame, wanted: Subset | None
) -> pl.DataFrame:
    """``images`` or boxes in them, with all that is known of their classes; in that order."""
    known = table["wnid"] if len(table) else images["label"].drop_nulls().unique().sort()
    order = pl.Series(wanted.wnids) if wanted else known
    places = pl.DataFrame({"label": order}, schema={"label": pl.String}).with_row_index(
        "class_index"
    )
    joined = images.join(places, on="label", how="left", maintain_order="left").join(
        table, left_on="label", right_on="wnid", how="left", maintain_order="left"
    )
    return joined.with_columns(
        pl.col("class_index").cast(pl.Int32),
        wnid="label",
        subset=pl.lit(wanted.name if wanted else None, pl.String),
    )


def _gaps(items: pl.DataFrame, table: pl.DataFrame, wanted: Subset | None) -> pl.DataFrame:
    """Findings about classes: those of the subset that have no image, those of no table."""
    there = set(items["label"].drop_nulls())
    faults = [
        (
            wnid,
            "no-images",
            f"none of this class, which is label {label} of the subset, is here",
        )
        for label, wnid in enumerate(wanted.wnids if wanted else [])
        if wnid not in there
    ]
    if len(table):
        foreign = sorted(there - set(table["wnid"]))
        faults += [(wnid, "unknown-class", "no table of classes names it") for wnid in foreign]
    return findings_frame(faults)
