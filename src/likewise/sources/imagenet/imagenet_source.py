"""Source of ImageNet: the label is the WNID; other ids and names come from its tables."""

from pathlib import Path
from typing import ClassVar, Literal

import polars as pl
import pyarrow as pa

from likewise.errors import ConfigError, DataError
from likewise.formats.archives import FileCollection, open_files
from likewise.formats.counted_nouns import counted
from likewise.sources.annotation_files import AnnotationFilesWithFallback
from likewise.sources.base import (
    Source,
    SourceResult,
    findings_about,
    findings_from_rows,
    source_result,
)
from likewise.sources.box_source import items_from_boxes
from likewise.sources.imagenet.class_subsets import (
    ClassSubset,
    list_in_place_of_annotations,
    read_subset,
)
from likewise.sources.imagenet.image_paths import SPLITS, find_images
from likewise.sources.imagenet.localisation import EXPECTED, ImageBoxes, read_boxes
from likewise.sources.imagenet.synsets import read_classes
from likewise.sources.imagenet.validation_classes import read_validation_labels
from likewise.sources.list_files import drop_repeated, missing_entry_findings, read_lines
from likewise.sources.voc_xml import CornerConvention
from likewise.storage.config import Licence
from likewise.storage.schema import Column

_TEXT, _ID = pa.string(), pa.int32()
_LISTS = r"cls-loc/(train_cls|val|test)\.txt\z"
_ENTRY = r"\A(\S+?)(?:\.jpe?g)?(?:\s+([0-9]{1,9}))?\z"


class ImageNetSource(Source):
    """Classification data of ILSVRC: label = WNID, text = human-readable label.

    Images are in ``Data/CLS-LOC/{train/WNID,val,test}``, in ``train/WNID`` and ``val``
    anywhere, or in the official tars (one of which contains one tar per class), which are read
    in place. The class of a validation image is read from ``LOC_val_solution.csv`` or the
    devkit's ground truth, otherwise from its folder. Items are sorted by split, then by the
    lists ``ImageSets/CLS-LOC/*.txt`` if present, otherwise by WNID and path. ``subset`` keeps
    the classes of a list; ``items`` turns the boxes of the localisation task into items.
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
    protocols: ClassVar[tuple[str, ...]] = ("leave-one-out",)
    extra_columns: ClassVar[tuple[Column, ...]] = (
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
    """Classes to keep: imagenet30, imagenet100, or the name of a file of WNIDs among the
    annotations. By default all; if the annotations are one file of WNIDs, those."""

    subset_sha256: str = ""
    """Expected SHA-256 of the subset's WNIDs, joined by '\\n'."""

    items: Literal["images", "boxes"] = "images"
    """Make items of whole images, or of annotated boxes."""

    unboxed: Literal["keep", "drop"] = "keep"
    """If items are boxes: keep or drop images without boxes."""

    corners: CornerConvention = "half-open"
    """Convention of box corners: half-open from 0, or inclusive from 1."""

    def open(self, path: Path) -> FileCollection:
        """Open ``path``, with its tars, and the tars in them, as folders."""
        return open_files(path, open_nested=True)

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        annotation_files = AnnotationFilesWithFallback(files, annotations, open_nested=True)
        subset = self._subset(annotation_files)
        images, faults = find_images(files)
        classes = read_classes(annotation_files)
        validation_labels, label_findings = read_validation_labels(annotation_files, classes)
        labelled, contradictions = _with_labels(images, validation_labels)
        listed, list_findings = _with_list_numbers(annotation_files, labelled, subset)
        ordered = _in_canonical_order(listed, subset)
        if ordered.is_empty():
            count, name = len(subset.wnids) if subset else 0, self.subset or str(annotations)
            raise DataError(
                f"{files.path} has no image of the {counted(count, 'class')} of {name!r}; "
                "correct the list, or subset in the card"
            )
        boxes = self._boxes(annotation_files, labelled, subset)
        whole_images = None
        if boxes:
            result = items_from_boxes(ordered, boxes.boxes, pl.lit(self.unboxed == "keep"))
            faults += [*boxes.faults, result.faults]
            ordered, whole_images = (
                result.items,
                _with_classes(result.whole_images, classes, subset),
            )
        items = _with_classes(ordered, classes, subset)
        class_findings = _class_findings(items, classes, subset)
        return source_result(
            files,
            items,
            *faults,
            label_findings,
            *contradictions,
            *list_findings,
            class_findings,
            extra_columns=self.extra_columns,
            image_sizes=boxes.sizes if boxes else None,
            whole_images=whole_images,
        )

    def _boxes(
        self,
        annotation_files: AnnotationFilesWithFallback,
        images: pl.DataFrame,
        subset: ClassSubset | None,
    ) -> ImageBoxes | None:
        """Return the boxes of ``images``; None if items are whole images.

        Raises:
            DataError: there are no box annotations.
        """
        if self.items == "images":
            return None
        kept_classes = pl.DataFrame(
            {"wnid": subset.wnids if subset else []}, {"wnid": pl.String}
        )
        boxes = read_boxes(annotation_files, images, kept_classes, self.corners)
        if not boxes.files:
            raise annotation_files.missing_error(EXPECTED)
        return boxes

    def _subset(self, annotation_files: AnnotationFilesWithFallback) -> ClassSubset | None:
        subset = (
            read_subset(self.subset, annotation_files)
            if self.subset
            else list_in_place_of_annotations(annotation_files)
        )
        if self.subset_sha256 and (subset is None or subset.sha256 != self.subset_sha256):
            actual = (
                f"that of {subset.name!r} is {subset.sha256}" if subset else "subset is missing"
            )
            raise ConfigError(f"source: subset_sha256 is {self.subset_sha256!r}, but {actual}")
        return subset


def _with_labels(
    images: pl.DataFrame, validation_labels: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Add the label to ``images``, and return findings about validation images."""
    known = validation_labels.with_columns(split=pl.lit("val"))
    joined = images.join(known, on=["split", "number"], how="left", maintain_order="left")
    contradictions = joined.filter(
        (pl.col("split") == "val") & (pl.col("wnid") != pl.col("label"))
    )
    labelled = joined.with_columns(label=pl.coalesce("label", "wnid"))
    unlabelled = labelled.filter((pl.col("split") == "val") & pl.col("label").is_null())
    if validation_labels.is_empty() and len(unlabelled):
        summary = (
            f"no class is known of {counted(len(unlabelled), 'image')}: put "
            "LOC_val_solution.csv, or the devkit's ground truth and meta_clsloc.csv, where "
            "the annotations are"
        )
        unlabelled_findings = findings_from_rows([("val", "no-label", summary)])
    else:
        unlabelled_findings = findings_about(
            unlabelled, "no-label", "the ground truth does not say its class"
        )
    detail = pl.format("it lies in the folder of {}, and is of {}", "wnid", "label")
    return labelled, [
        unlabelled_findings,
        findings_about(contradictions, "contradiction", detail),
    ]


def _with_list_numbers(
    annotation_files: AnnotationFilesWithFallback,
    images: pl.DataFrame,
    subset: ClassSubset | None,
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Add the number in the lists to ``images``, and return findings about the lists."""
    lines = read_lines(annotation_files, _LISTS).with_columns(
        split=pl.col("list").str.extract(r"(train|val|test)[^/]*\z"),
        key=pl.col("text").str.extract(rf"(?i){_ENTRY}"),
        list_id=pl.col("text").str.extract(rf"(?i){_ENTRY}", 2).cast(pl.Int64),
    )
    entries, repeated_findings = drop_repeated(lines.drop_nulls("key").with_columns(text="key"))
    entries = entries.with_columns(list_id=pl.coalesce("list_id", "line"))
    invalid = lines.filter(pl.col("key").is_null())
    where = pl.format("{}: line {}", "list", "line")
    key = pl.when(split="train").then(pl.concat_str("wnid", "stem", separator="/"))
    keyed = images.with_columns(key=key.otherwise("stem"))
    numbered = keyed.join(
        entries.select("split", "key", "list_id").unique(["split", "key"], keep="first"),
        on=["split", "key"],
        how="left",
        maintain_order="left",
    )
    missing = entries.join(keyed, on=["split", "key"], how="anti", maintain_order="left")
    if subset:
        missing = missing.filter(pl.col("key").str.head(9).is_in(subset.wnids))
    return numbered.with_columns(list_id=pl.coalesce("list_id", "number")), [
        repeated_findings,
        findings_about(
            invalid.with_columns(path=where), "bad-annotation", "expected a name and a number"
        ),
        missing_entry_findings(entries, missing),
    ]


def _in_canonical_order(images: pl.DataFrame, subset: ClassSubset | None) -> pl.DataFrame:
    """Sort ``images`` into canonical order, and keep those of the subset."""
    rank = pl.col("split").replace_strict(SPLITS, range(3), return_dtype=pl.Int8)
    kept = images.filter(pl.col("label").is_in(subset.wnids)) if subset else images
    ordered = kept.sort(rank, "list_id", "label", "path", nulls_last=True)
    return ordered.with_columns(image_id="path")


def _with_classes(
    images: pl.DataFrame, classes: pl.DataFrame, subset: ClassSubset | None
) -> pl.DataFrame:
    """Add the facts of their classes to ``images`` (or boxes), in unchanged order."""
    wnids = classes["wnid"] if len(classes) else images["label"].drop_nulls().unique().sort()
    order = pl.Series(subset.wnids) if subset else wnids
    class_indices = pl.DataFrame({"label": order}, schema={"label": pl.String}).with_row_index(
        "class_index"
    )
    joined = images.join(class_indices, on="label", how="left", maintain_order="left").join(
        classes, left_on="label", right_on="wnid", how="left", maintain_order="left"
    )
    return joined.with_columns(
        pl.col("class_index").cast(pl.Int32),
        wnid="label",
        subset=pl.lit(subset.name if subset else None, pl.String),
    )


def _class_findings(
    items: pl.DataFrame, classes: pl.DataFrame, subset: ClassSubset | None
) -> pl.DataFrame:
    """Return findings about classes without images, and classes that no table names."""
    present = set(items["label"].drop_nulls())
    faults = [
        (
            wnid,
            "no-images",
            f"none of this class, which is label {label} of the subset, is here",
        )
        for label, wnid in enumerate(subset.wnids if subset else [])
        if wnid not in present
    ]
    faults += subset.faults if subset else []
    if len(classes):
        known, listed = set(classes["wnid"]), set(subset.wnids if subset else [])
        unknown = sorted((present | listed) - known)
        faults += [(wnid, "unknown-class", "no table of classes names it") for wnid in unknown]
    return findings_from_rows(faults)
